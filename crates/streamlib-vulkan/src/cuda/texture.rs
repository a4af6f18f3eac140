//! A texture that Vulkan and CUDA both have.
#![allow(unsafe_code, reason = "calls CUDA")]

use std::sync::Arc;
use std::time::Duration;

use super::error::CudaError;
use super::event::Event;
use super::link::CudaLink;
use super::memory::ImportedMemory;
use super::types::{MEMORY_TYPE_DEVICE, Memcpy2d, Stream};
use crate::recording::Recording;
use crate::texture::Texture;

/// A stream that waits for a semaphore of Vulkan's goes on some hundreds of microseconds after it was signalled; a copy takes some
/// tens. So it is looked for that long whether there is anything left to wait for.
const WATCH: Duration = Duration::from_micros(100);

/// A texture in memory that CUDA reaches too, row by row. Cloning gives another handle.
///
/// Who writes it, and when, is for its holder to order: [`submit`](Self::submit) and [`acquire`](Self::acquire) for Vulkan's
/// writes, [`release`](Self::release) and [`is_released`](Self::is_released) before Vulkan writes again.
#[derive(Clone)]
pub struct CudaTexture(Arc<Shared>);

pub(super) struct Shared {
    pub(super) texture: Texture,
    pub(super) pointer: u64,
    pub(super) row_pitch: u64,
    pub(super) event: Event,
    /// After the texture: Vulkan's end first.
    pub(super) memory: ImportedMemory,
    pub(super) link: CudaLink,
}

impl CudaTexture {
    pub(super) fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }

    /// The texture, for effects to read or write.
    #[must_use]
    pub fn texture(&self) -> &Texture {
        &self.0.texture
    }

    /// Address of the first texel in CUDA's memory.
    #[must_use]
    pub fn pointer(&self) -> u64 {
        self.0.pointer
    }

    /// Bytes from one row to the next: at least those of a row's texels.
    #[must_use]
    pub fn row_pitch(&self) -> u64 {
        self.0.row_pitch
    }

    /// The link that it was made with.
    #[must_use]
    pub fn link(&self) -> &CudaLink {
        &self.0.link
    }

    /// Submits recordings that write the texture; the answer is what to give to [`acquire`](Self::acquire).
    ///
    /// # Errors
    /// As submitting anything.
    pub fn submit(&self, recordings: &mut [Recording]) -> Result<u64, CudaError> {
        let link = &self.0.link.0;
        Ok(link.gpu.submit_shared(&link.produced, recordings)?)
    }

    /// What is put into `stream` from now on sees what that submission wrote. Takes 100 microseconds at most, where the GPU has
    /// so much else to do that the stream has to wait for it.
    ///
    /// # Errors
    /// When the device failed, or CUDA refuses.
    pub fn acquire(&self, submission: u64, stream: Stream) -> Result<(), CudaError> {
        let link = &self.0.link.0;
        if link.produced.watch(submission, WATCH)? {
            return Ok(());
        }
        link.imported.wait(submission, stream)
    }

    /// What was put into `stream` until now is the last that reads or writes the texture.
    ///
    /// # Errors
    /// When CUDA refuses.
    pub fn release(&self, stream: Stream) -> Result<(), CudaError> {
        self.0.event.record(stream)
    }

    /// Whether what was released has been done: Vulkan may write the texture again.
    ///
    /// # Errors
    /// When the device failed.
    pub fn is_released(&self) -> Result<bool, CudaError> {
        self.0.event.has_come()
    }

    /// Waits until what was released has been done.
    ///
    /// # Errors
    /// When the device failed.
    pub fn await_release(&self) -> Result<(), CudaError> {
        self.0.event.wait()
    }

    /// Copies CUDA's memory at `pointer`, rows `row_pitch` bytes apart, into the texture, after what was put into `stream`; when
    /// this returns, the texture is Vulkan's again.
    ///
    /// # Errors
    /// When `bytes` are too few for the texture, or CUDA refuses.
    ///
    /// # Safety
    /// `bytes` bytes of device memory of the same GPU lie at `pointer`, and stay there until this returns.
    pub unsafe fn write_from(
        &self,
        (pointer, bytes): (u64, u64),
        row_pitch: u64,
        stream: Stream,
    ) -> Result<(), CudaError> {
        let Shared { texture, link, .. } = &*self.0;
        let size = texture.size();
        let row = u64::from(size.width) * texture.format().bytes_per_texel() as u64;
        let wanted = row_pitch.checked_mul(u64::from(size.height) - 1).and_then(|rows| rows.checked_add(row));
        if row_pitch < row || wanted.is_none_or(|wanted| wanted > bytes) {
            return Err(CudaError::Layout { bytes, row_pitch, wanted: row, rows: size.height });
        }
        let copy = Memcpy2d {
            src_x_bytes: 0,
            src_y: 0,
            src_kind: MEMORY_TYPE_DEVICE,
            src_host: std::ptr::null(),
            src_device: pointer,
            src_array: std::ptr::null_mut(),
            src_pitch: row_pitch as usize,
            dst_x_bytes: 0,
            dst_y: 0,
            dst_kind: MEMORY_TYPE_DEVICE,
            dst_host: std::ptr::null_mut(),
            dst_device: self.0.pointer,
            dst_array: std::ptr::null_mut(),
            dst_pitch: self.0.row_pitch as usize,
            width_bytes: row as usize,
            height: size.height as usize,
        };
        link.0.context.call(|driver, f| {
            // SAFETY: both sides hold as much, as was checked and as the caller promises.
            driver.check("cuMemcpy2DAsync", unsafe { (f.copy_2d)(&raw const copy, stream.raw()) })?;
            // SAFETY: the stream is the caller's promise to CUDA.
            driver.check("cuStreamSynchronize", unsafe { (f.synchronize_stream)(stream.raw()) })
        })
    }

    /// Waits until Vulkan has done that submission.
    ///
    /// # Errors
    /// When the device failed, or `limit` passed.
    pub fn wait(&self, submission: u64, limit: Duration) -> Result<(), CudaError> {
        Ok(self.0.link.0.produced.wait(submission, limit)?)
    }
}

impl std::fmt::Debug for CudaTexture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CudaTexture({:?} at {:#x})", self.0.texture, self.0.memory.pointer())
    }
}
