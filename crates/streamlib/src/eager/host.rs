//! Textures by themselves: made, read and written by the program.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use streamlib_core::engine::count_host_bytes;
use streamlib_core::format::{Size, TextureFormat};
use streamlib_core::gpu::{Command, Gpu, HostAccessError, HostBuffer as _, HostBufferUse, TextureDesc};
use streamlib_vulkan::{HostBuffer, Texture, VulkanError};

use crate::runtime::StreamRuntime;

/// One copy or one run takes no longer than this on anything that works.
pub(super) const LIMIT: Duration = Duration::from_secs(60);
/// Host memory that is kept for the next copy.
const KEPT_BYTES: usize = 256 << 20;

/// Host memory that copies have used and others can use.
#[derive(Debug, Default)]
pub(super) struct Staging(Mutex<Vec<(HostBufferUse, HostBuffer)>>);

impl Staging {
    fn lock(&self) -> MutexGuard<'_, Vec<(HostBufferUse, HostBuffer)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, usage: HostBufferUse, bytes: usize) -> Option<HostBuffer> {
        let mut free = self.lock();
        let place = free.iter().position(|(kind, buffer)| *kind == usage && buffer.len() == bytes)?;
        Some(free.remove(place).1)
    }

    /// Keeps a buffer that nothing uses any more; the oldest ones go where that is too much.
    fn keep(&self, usage: HostBufferUse, buffer: HostBuffer) {
        let mut free = self.lock();
        free.push((usage, buffer));
        while free.iter().map(|(_, buffer)| buffer.len()).sum::<usize>() > KEPT_BYTES {
            free.remove(0);
        }
    }
}

/// The texels of a texture in mapped host memory, rows tightly packed. For as long as it lives they stay where they are and
/// do not change.
#[derive(Debug)]
pub struct HostCopy {
    size: Size,
    format: TextureFormat,
    /// There until drop.
    buffer: Option<HostBuffer>,
    home: Arc<Staging>,
}

impl HostCopy {
    /// Pixels.
    #[must_use]
    pub fn size(&self) -> Size {
        self.size
    }

    /// Texel format.
    #[must_use]
    pub fn format(&self) -> TextureFormat {
        self.format
    }

    /// Opens the bytes in place.
    ///
    /// # Errors
    /// Never: nothing else uses the memory.
    pub fn read<T>(&self, with: impl FnOnce(&[u8]) -> T) -> Result<T, HostAccessError> {
        let (mut with, mut answer) = (Some(with), None);
        self.buffer.as_ref().ok_or(HostAccessError)?.read(&mut |bytes| {
            answer = with.take().map(|with| with(bytes));
        })?;
        answer.ok_or(HostAccessError)
    }
}

impl Drop for HostCopy {
    fn drop(&mut self) {
        if let Some(buffer) = self.buffer.take() {
            self.home.keep(HostBufferUse::Readback, buffer);
        }
    }
}

impl StreamRuntime {
    /// A texture of zeros.
    ///
    /// # Errors
    /// When the size or format is not supported, or memory runs out.
    pub fn create_texture(&self, size: Size, format: TextureFormat) -> Result<Texture, VulkanError> {
        self.gpu().create_texture(&TextureDesc { label: "texture", size, format })
    }

    /// Copies a texture into host memory, by one pass of the GPU, and waits for it.
    ///
    /// # Errors
    /// When the GPU fails, or the texture is another device's.
    pub fn read_texture(&self, texture: &Texture) -> Result<HostCopy, VulkanError> {
        let (size, format) = (texture.size(), texture.format());
        let buffer = self.staging(HostBufferUse::Readback, size.pixels() * format.bytes_per_texel())?;
        self.run_now(&[Command::Download { from: texture, to: &buffer, offset: 0 }])?;
        Ok(HostCopy { size, format, buffer: Some(buffer), home: self.eager().staging.clone() })
    }

    /// Copies texels that `fill` puts in host memory (rows tightly packed, in order, never read) into a texture, and waits
    /// until they are there.
    ///
    /// # Errors
    /// When the GPU fails, or the texture is another device's.
    pub fn write_texture(&self, texture: &Texture, fill: impl FnOnce(&mut [u8])) -> Result<(), VulkanError> {
        let bytes = texture.size().pixels() * texture.format().bytes_per_texel();
        let buffer = self.staging(HostBufferUse::Upload, bytes)?;
        let mut fill = Some(fill);
        let filled = buffer.write(&mut |bytes| {
            if let Some(fill) = fill.take() {
                fill(bytes);
            }
        });
        filled.expect("nothing submitted uses it");
        self.run_now(&[Command::Upload { from: &buffer, offset: 0, to: texture }])?;
        self.eager().staging.keep(HostBufferUse::Upload, buffer);
        Ok(())
    }

    fn staging(&self, usage: HostBufferUse, bytes: usize) -> Result<HostBuffer, VulkanError> {
        count_host_bytes(bytes);
        match self.eager().staging.take(usage, bytes) {
            Some(buffer) => Ok(buffer),
            None => self.gpu().create_host_buffer("staging", bytes, usage),
        }
    }

    fn run_now(&self, commands: &[Command<'_, streamlib_vulkan::VulkanGpu>]) -> Result<(), VulkanError> {
        let mut recording = self.gpu().record("eager", commands)?;
        let done = self.gpu().submit_one(&mut recording)?;
        self.gpu().wait(done, LIMIT)
    }
}
