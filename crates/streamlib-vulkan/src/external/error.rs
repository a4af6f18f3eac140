//! Why a texture cannot be shared.

use std::time::Duration;

use streamlib_core::format::{Size, TextureFormat};

use super::fences::DmaBufAccess;
use super::shared::SharingKind;

/// Why a texture cannot go to others, or come from them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SharingProblem {
    /// The device cannot hand out such images.
    #[error(
        "{device} hands out no {} images as {}: ask for another kind or format, or copy through host memory",
        format.name(), kind.map_or("anything that others take", SharingKind::name)
    )]
    NoExport {
        /// Device.
        device: String,
        /// Format asked for.
        format: TextureFormat,
        /// Kind asked for; none if any would have done.
        kind: Option<SharingKind>,
    },
    /// The device cannot hand out images whose rows others find.
    #[error(
        "{device} hands out no {} images row by row as DMA-BUFs (its driver or the kernel lacks it): share them as another \
         kind of memory, or copy through host memory",
        format.name()
    )]
    NoRows {
        /// Device.
        device: String,
        /// Format asked for.
        format: TextureFormat,
    },
    /// The device cannot take such images.
    #[error(
        "{device} takes no {} images of {size} as {}, laid out as {tiling}: let the other side create it as another kind \
         or format, or copy through host memory",
        format.name(), kind.name()
    )]
    NoImport {
        /// Device.
        device: String,
        /// Size of the image.
        size: Size,
        /// Its format.
        format: TextureFormat,
        /// What it came as.
        kind: SharingKind,
        /// How its texels lie.
        tiling: String,
    },
    /// The texture was not made for it.
    #[error("it was not created to be shared: create it with `create_shared_texture`, and copy into it")]
    NotShared,
    /// The texture is somebody else's, to be read.
    #[error("it was imported to be read only: write another texture, and let its owner copy that")]
    ReadOnly,
    /// Another device has the memory.
    #[error(
        "its memory lies on another device, or comes from another version of the driver: open the same device in both \
         programs, or create it as a DMA-BUF"
    )]
    OtherDevice,
    /// The descriptor is something else.
    #[error("its descriptor is no {}, but {found}: send the descriptor that belongs to it", kind.name())]
    Descriptor {
        /// What it was said to be.
        kind: SharingKind,
        /// What it is.
        found: String,
    },
    /// The memory is smaller than the texture.
    #[error("it needs {needed} bytes of memory, and has {found}: send size, format and layout as they are")]
    TooSmall {
        /// Bytes needed.
        needed: u64,
        /// Bytes that are there.
        found: u64,
    },
    /// This driver would have allocated another size.
    #[error(
        "its memory was said to have {told} bytes, and this driver needs {needed} for such a texture: use the same \
         version of the driver in both programs"
    )]
    Allocation {
        /// Bytes that its owner told.
        told: u64,
        /// Bytes that it needs here.
        needed: u64,
    },
    /// The rows cannot lie like that.
    #[error("its rows cannot lie {row_pitch} bytes apart from byte {offset} on: send its layout as it is")]
    Rows {
        /// Bytes to the first texel.
        offset: u64,
        /// Bytes from one row to the next.
        row_pitch: u64,
    },
    /// What came is no timeline for this device.
    #[error(
        "it is no timeline that this device can wait for ({reason}): wait until its owner says what is done"
    )]
    NoTimeline {
        /// What is wrong with it.
        reason: String,
    },
    /// Others have not finished with it.
    #[error(
        "its owner or another of its users {} it still, after {} ms: see whether that program, or its device, hangs",
        match access { DmaBufAccess::Read => "writes", DmaBufAccess::Write => "writes or reads" },
        waited.as_millis()
    )]
    InUse {
        /// What it was to be used for.
        access: DmaBufAccess,
        /// How long was waited.
        waited: Duration,
    },
    /// The driver does not want it, whatever it was said to be.
    #[error("the driver refuses its memory ({reason}): send the descriptor that belongs to it")]
    Refused {
        /// What the driver said.
        reason: &'static str,
    },
}
