//! One frame under way: its recordings, and what it holds until it has finished.

use std::sync::Arc;
use std::time::Duration;

use super::lease::Leased;
use super::parameters::Parameters;
use super::record::Recorder;
use super::transfer::{HostPicture, Upload, UploadMemory};
use super::{EngineError, OutletSpec};
use crate::frame::FrameMeta;
use crate::gpu::{Gpu, HostBuffer};

/// What a consumer gets.
#[derive(Debug)]
pub enum Content<G: Gpu> {
    /// The texture.
    Texture(Arc<Leased<G>>),
    /// A picture in host memory.
    Picture(Arc<HostPicture<G>>),
}

impl<G: Gpu> Clone for Content<G> {
    fn clone(&self) -> Self {
        match self {
            Self::Texture(texture) => Self::Texture(texture.clone()),
            Self::Picture(picture) => Self::Picture(picture.clone()),
        }
    }
}

/// What became of one outlet of a frame.
#[derive(Debug)]
pub enum Delivery<G: Gpu> {
    /// This, for the consumers of the outlet with that tag.
    Ready(u64, Content<G>),
    /// Nothing: consumers hold everything that there is for that outlet.
    Missed(u64),
}

/// One frame under way. It is submitted by one thread, waited for by another, and comes back empty.
#[derive(Debug)]
pub struct Slot<G: Gpu> {
    /// Which copy of the textures that keep history it writes.
    pub(super) index: usize,
    pub(super) frame: G::Recording,
    /// By pass.
    buffers: Vec<Vec<G::HostBuffer>>,
    /// Version of what stands in each buffer.
    versions: Vec<u64>,
    pub(super) feeds: Vec<G::Recording>,
    pub(super) uploads: Vec<UploadMemory<G>>,
    pub(super) drains: Vec<G::Recording>,
    /// Outlet and place in its pool of each of `drains`.
    pub(super) drained: Vec<(usize, usize)>,
    /// Ids of what stands for each dynamic texture.
    pub(super) bound: Vec<u64>,
    /// Textures of sources that the frame reads.
    pub(super) held: Vec<Arc<Leased<G>>>,
    pub(super) deliveries: Vec<Delivery<G>>,
    pub(super) value: u64,
    pub(super) meta: FrameMeta,
    /// Values that were replaced before this frame: to be dropped where dropping costs nobody time.
    pub(super) spent: Option<Box<Parameters>>,
}

impl<G: Gpu> Slot<G> {
    pub(super) fn new(
        at: &Recorder<'_, G>,
        outlets: &[OutletSpec],
        bound: &[u64],
        parameters: &Parameters,
    ) -> Result<Box<Self>, G::Error> {
        let buffers = at.plan.passes.iter().map(|pass| at.buffers(pass)).collect::<Result<Vec<_>, _>>()?;
        let sources = at.plan.sources.len();
        Ok(Box::new(Self {
            index: at.slot,
            frame: at.frame(&buffers)?,
            versions: vec![1; parameters.buffers.len()],
            buffers,
            feeds: Vec::with_capacity(sources),
            uploads: Vec::with_capacity(sources),
            drains: Vec::with_capacity(outlets.len()),
            drained: Vec::with_capacity(outlets.len()),
            bound: bound.to_vec(),
            held: Vec::with_capacity(sources),
            deliveries: Vec::with_capacity(outlets.len()),
            value: 0,
            meta: FrameMeta::default(),
            spent: None,
        }))
    }

    /// Brings a picture into its source's texture before the frame runs.
    pub fn feed(&mut self, upload: Upload<G>) {
        self.uploads.push(upload.memory);
        self.feeds.push(upload.recording);
    }

    /// Brings the buffers of the passes up to date.
    pub(super) fn write_buffers(&mut self, parameters: &Parameters) -> Result<(), EngineError<G::Error>> {
        for (contents, version) in parameters.buffers.iter().zip(&mut self.versions) {
            if *version != contents.version {
                let bytes = &contents.bytes;
                let buffer = &self.buffers[contents.pass][contents.index];
                buffer.write(&mut |memory| memory[..bytes.len()].copy_from_slice(bytes))?;
                *version = contents.version;
            }
        }
        Ok(())
    }

    /// What the frame is.
    #[must_use]
    pub fn meta(&self) -> &FrameMeta {
        &self.meta
    }

    /// Timeline value that is reached when the frame has finished.
    #[must_use]
    pub fn value(&self) -> u64 {
        self.value
    }

    /// Blocks until the frame has finished.
    ///
    /// # Errors
    /// When that takes longer than `limit`, or the device is lost.
    pub fn wait(&self, gpu: &G, limit: Duration) -> Result<(), G::Error> {
        gpu.wait(self.value, limit)
    }

    /// Moments of the finished frame on the device's clock: the beginning, then the end of each pass; empty when the device
    /// cannot tell.
    ///
    /// # Errors
    /// When the frame has not finished, or the device is lost.
    pub fn timestamps(&self, gpu: &G, into: &mut Vec<u64>) -> Result<(), G::Error> {
        gpu.timestamps(&self.frame, into)
    }

    /// The textures that the frame will have for the outlets when it has finished.
    pub fn textures(&self) -> impl Iterator<Item = (u64, &Arc<Leased<G>>)> {
        self.deliveries.iter().filter_map(|delivery| match delivery {
            Delivery::Ready(tag, Content::Texture(texture)) => Some((*tag, texture)),
            Delivery::Ready(_, Content::Picture(_)) | Delivery::Missed(_) => None,
        })
    }

    /// Takes what the finished frame has for the outlets, in the plan's order.
    pub fn deliveries(&mut self) -> impl Iterator<Item = Delivery<G>> {
        self.deliveries.drain(..)
    }

    /// Takes the uploads of the finished frame back, to be filled again.
    pub fn uploads(&mut self) -> impl Iterator<Item = Upload<G>> {
        let parts = self.uploads.drain(..).zip(self.feeds.drain(..));
        parts.map(|(memory, recording)| Upload { memory, recording })
    }

    /// Lets go of everything else that the finished frame held.
    pub fn release(&mut self) {
        self.held.clear();
        self.spent = None;
    }
}
