//! What a buffer is, in numbers that mean something to those who made it and to those who import it, and nothing here.

use std::num::NonZeroU64;

use streamlib_core::format::{Size, TextureFormat};

/// Names one buffer of one surface. It is never used again, so that a stale one is found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BufferId(pub(crate) NonZeroU64);

impl BufferId {
    /// As a number.
    #[must_use]
    pub fn get(self) -> u64 {
        self.0.get()
    }
}

impl From<NonZeroU64> for BufferId {
    /// For those who were told the number. A reader that asks for one that never was is shown out.
    fn from(number: NonZeroU64) -> Self {
        Self(number)
    }
}

/// How the memory of a buffer is to be imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum BufferKind {
    /// An opaque descriptor of the graphics driver: for the same driver and device only.
    Opaque = 1,
    /// A DMA-BUF.
    DmaBuf = 2,
    /// A memory file, with rows of texels from `offset` on.
    Memory = 3,
}

impl BufferKind {
    pub(crate) fn from_code(code: u8) -> Option<Self> {
        [Self::Opaque, Self::DmaBuf, Self::Memory].into_iter().find(|kind| *kind as u8 == code)
    }
}

/// A texel format as both sides write it: a number for each of [`TextureFormat`], and any other for formats to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FormatCode(pub u32);

/// The formats, each at the place of its number. Numbers are part of the protocol: new formats go to the end.
const FORMATS: [TextureFormat; 7] = [
    TextureFormat::Rgba8,
    TextureFormat::Rgba8Srgb,
    TextureFormat::Bgra8,
    TextureFormat::Bgra8Srgb,
    TextureFormat::Rgba16Float,
    TextureFormat::R8,
    TextureFormat::Rg8,
];

impl FormatCode {
    /// The format that it stands for, if this version knows it.
    #[must_use]
    pub fn texture_format(self) -> Option<TextureFormat> {
        let index = usize::try_from(self.0).ok()?.checked_sub(1)?;
        FORMATS.get(index).copied()
    }
}

impl From<TextureFormat> for FormatCode {
    fn from(format: TextureFormat) -> Self {
        let index = FORMATS.iter().position(|known| *known == format).expect("every format has a number");
        Self(index as u32 + 1)
    }
}

/// What an importer needs to know of a buffer, besides its descriptor. Both sides agree on the meaning; here it is carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BufferDescription {
    /// How to import it.
    pub kind: BufferKind,
    /// Width and height in pixels.
    pub size: Size,
    /// Its texels.
    pub format: FormatCode,
    /// Bytes of the whole allocation.
    pub allocation: u64,
    /// How texels lie in it: a DRM format modifier, or the tiling that both drivers know.
    pub tiling: u64,
    /// Byte at which the first row begins.
    pub offset: u64,
    /// Bytes from one row to the next; 0 if the tiling has no rows.
    pub pitch: u64,
    /// The device that it was made on (Vulkan's `deviceUUID`).
    pub device: [u8; 16],
    /// The driver that it was made by (Vulkan's `driverUUID`).
    pub driver: [u8; 16],
}

/// Whose timeline tells that frames are done: a semaphore that counts up, of a GPU's driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimelineDescription {
    /// The device that it was made on (Vulkan's `deviceUUID`).
    pub device: [u8; 16],
    /// The driver that it was made by (Vulkan's `driverUUID`).
    pub driver: [u8; 16],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_has_a_number_of_its_own() {
        for format in TextureFormat::ALL {
            assert_eq!(FormatCode::from(format).texture_format(), Some(format));
        }
        for unknown in [0, FORMATS.len() as u32 + 1, u32::MAX] {
            assert_eq!(FormatCode(unknown).texture_format(), None);
        }
    }
}
