//! Pictures on their way between host memory and the GPU.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::EngineError;
use super::record::Recorder;
use crate::format::{Size, TextureFormat};
use crate::frame::Timestamp;
use crate::gpu::{Gpu, HostAccessError, HostBuffer, HostBufferUse};
use crate::picture::{Picture, PictureFormat};
use crate::plan::{PlanOutlet, PlanPictures};

/// Where a plane may start in a host buffer.
const ALIGNMENT: usize = 16;

/// Bytes of pictures that went through host memory so far.
static HOST_BYTES: AtomicU64 = AtomicU64::new(0);

/// Bytes of pictures that went through host memory in this process so far: copied into it for the GPU, copied out of it, or looked
/// at in it. A graph whose frames stay in the device's memory adds nothing, be that device a GPU or software.
#[must_use]
pub fn host_bytes() -> u64 {
    HOST_BYTES.load(Ordering::Relaxed)
}

/// Adds to [`host_bytes`] what goes through host memory beside the engine.
pub fn count_host_bytes(bytes: usize) {
    HOST_BYTES.fetch_add(bytes as u64, Ordering::Relaxed);
}

/// Host memory for one picture.
#[derive(Debug)]
pub struct HostPicture<G: Gpu> {
    /// Whose it is, for messages.
    node: String,
    format: PictureFormat,
    buffer: G::HostBuffer,
    /// Where each plane starts.
    offsets: Vec<usize>,
}

impl<G: Gpu> HostPicture<G> {
    pub(super) fn new(
        gpu: &G,
        node: &str,
        format: PictureFormat,
        usage: HostBufferUse,
    ) -> Result<Self, G::Error> {
        let (offsets, bytes) = plane_offsets(&format.layout.planes(format.size));
        let buffer = gpu.create_host_buffer(node, bytes, usage)?;
        Ok(Self { node: node.to_owned(), format, buffer, offsets })
    }

    pub(super) fn node(&self) -> &str {
        &self.node
    }

    pub(super) fn buffer(&self) -> &G::HostBuffer {
        &self.buffer
    }

    pub(super) fn offsets(&self) -> &[usize] {
        &self.offsets
    }

    /// Size, layout and colour.
    #[must_use]
    pub fn format(&self) -> PictureFormat {
        self.format
    }

    fn fill(&self, picture: &Picture) -> Result<(), EngineError<G::Error>> {
        if picture.format != self.format || picture.data.len() != self.format.bytes() {
            return Err(EngineError::WrongPicture {
                node: self.node.clone(),
                expected: self.format,
                found: picture.format,
                bytes: picture.data.len(),
            });
        }
        count_host_bytes(picture.data.len());
        let ranges = self.format.plane_ranges();
        self.buffer.write(&mut |bytes| {
            for (range, &offset) in ranges.iter().zip(&self.offsets) {
                bytes[offset..offset + range.len()].copy_from_slice(&picture.data[range.clone()]);
            }
        })?;
        Ok(())
    }

    /// Copies the picture out.
    ///
    /// # Errors
    /// When the GPU is still writing it, and `picture` has no data then; a picture that was delivered is complete.
    pub fn copy_to(&self, timestamp: Timestamp, picture: &mut Picture) -> Result<(), HostAccessError> {
        (picture.format, picture.timestamp) = (self.format, timestamp);
        picture.data.clear();
        picture.data.reserve_exact(self.format.bytes());
        count_host_bytes(self.format.bytes());
        let ranges = self.format.plane_ranges();
        self.buffer.read(&mut |bytes| {
            for (range, &offset) in ranges.iter().zip(&self.offsets) {
                picture.data.extend_from_slice(&bytes[offset..offset + range.len()]);
            }
        })
    }

    /// Opens the bytes of one plane in place, rows tightly packed.
    ///
    /// # Errors
    /// As [`copy_to`](Self::copy_to).
    ///
    /// # Panics
    /// When the format has no such plane.
    pub fn plane<T>(&self, plane: usize, with: impl FnOnce(&[u8]) -> T) -> Result<T, HostAccessError> {
        let (start, length) = (self.offsets[plane], self.format.plane_ranges()[plane].len());
        count_host_bytes(length);
        let (mut with, mut answer) = (Some(with), None);
        self.buffer.read(&mut |bytes| {
            answer = with.take().map(|with| with(&bytes[start..start + length]));
        })?;
        answer.ok_or(HostAccessError)
    }
}

/// Start of every plane in a host buffer, and the buffer's size.
fn plane_offsets(planes: &[(Size, TextureFormat)]) -> (Vec<usize>, usize) {
    let mut end = 0_usize;
    let offsets = planes.iter().map(|(size, format)| {
        let start = end.next_multiple_of(ALIGNMENT);
        end = start + size.pixels() * format.bytes_per_texel();
        start
    });
    (offsets.collect(), end)
}

/// A picture of a source, with the work that brings it into the source's texture. Its memory is the engine's, to be filled by
/// the host, or a device's that writes it by itself. It is handed to a slot, and comes back when that frame has finished.
#[derive(Debug)]
pub struct Upload<G: Gpu> {
    pub(super) memory: UploadMemory<G>,
    pub(super) recording: G::Recording,
}

/// An upload without its recording, which lies among those of the frame while that is under way.
#[derive(Debug)]
pub(super) struct UploadMemory<G: Gpu> {
    /// None where a device writes textures that the work reads.
    pub(super) host: Option<HostPicture<G>>,
    /// The caller's number for the source.
    pub(super) tag: u64,
    /// The caller's number among the source's uploads.
    pub(super) number: usize,
}

impl<G: Gpu> Upload<G> {
    /// Copies a picture in; nothing where a device does that by itself.
    ///
    /// # Errors
    /// When the picture is not of the source's format.
    pub fn fill(&mut self, picture: &Picture) -> Result<(), EngineError<G::Error>> {
        self.memory.host.as_ref().map_or(Ok(()), |host| host.fill(picture))
    }

    /// Reads `planes`, which a device writes, where it read `made_with`: the planes that the upload was made with
    /// ([`Engine::imports`](super::Engine::imports)), however often others have taken their places.
    ///
    /// # Errors
    /// When a plane is of another size or format, or the upload is under way.
    pub fn rebind(
        &mut self,
        gpu: &G,
        made_with: &[G::Texture],
        planes: &[G::Texture],
    ) -> Result<(), G::Error> {
        let mut places = made_with.iter().zip(planes);
        places.try_for_each(|(place, plane)| gpu.rebind(&mut self.recording, place, plane))
    }

    /// Its number among the source's uploads, from 0.
    #[must_use]
    pub fn number(&self) -> usize {
        self.memory.number
    }

    /// The caller's number for the source.
    #[must_use]
    pub fn tag(&self) -> u64 {
        self.memory.tag
    }
}

/// Host memory that an outlet's pictures are read back into, with the work that does it.
#[derive(Debug)]
pub(super) struct Readback<G: Gpu> {
    pub(super) host: Arc<HostPicture<G>>,
    /// One, or one per slot where the texture keeps history; the one that is under way is missing.
    recordings: Vec<Option<G::Recording>>,
}

impl<G: Gpu> Readback<G> {
    pub(super) fn new(
        at: &Recorder<'_, G>,
        outlet: &PlanOutlet,
        pictures: &PlanPictures,
    ) -> Result<Self, G::Error> {
        let host = HostPicture::new(at.gpu, &outlet.node, pictures.format, HostBufferUse::Readback)?;
        let copies = if at.plan.textures[outlet.from.texture].keeps_history { at.plan.slots } else { 1 };
        let recordings =
            (0..copies as usize).map(|slot| at.in_slot(slot).readback(&host, pictures).map(Some));
        Ok(Self { recordings: recordings.collect::<Result<_, _>>()?, host: Arc::new(host) })
    }

    /// Whether no frame is under way that uses it and no consumer holds it.
    pub(super) fn is_free(&mut self) -> bool {
        self.recordings.iter().all(Option::is_some) && Arc::get_mut(&mut self.host).is_some()
    }

    /// The work for a frame in a slot.
    pub(super) fn take(&mut self, slot: usize) -> Option<G::Recording> {
        let copies = self.recordings.len();
        self.recordings[slot % copies].take()
    }

    pub(super) fn give_back(&mut self, slot: usize, recording: G::Recording) {
        let copies = self.recordings.len();
        self.recordings[slot % copies] = Some(recording);
    }
}
