//! Memory and timelines that others have as well, as file descriptors: other processes, other APIs, other drivers.
//!
//! # Layout and ownership
//! A shared image is in layout `GENERAL` on every side, from the moment it is handed out: whoever imports it acquires it from
//! `VK_QUEUE_FAMILY_EXTERNAL` (a DMA-BUF from `VK_QUEUE_FAMILY_FOREIGN_EXT`, where there is one) in that layout, once, and keeps what
//! it holds. After that nothing is transferred, frame by frame: only images without side tables are shared (of format modifiers
//! those with one plane), which lie in memory as all sides see them. What orders the sides is waiting for each other's work on
//! the host: a reader reads only after the writer's timeline value was waited for, by itself where it has that timeline
//! ([`PeerTimeline`]) and else by the writer, who tells it; and a writer writes only after it was told that the readers' work has
//! been waited for.
//!
//! Others may hand a DMA-BUF over before their drivers have finished with it: these attach fences, of which the kernel tells. Whoever
//! takes one from elsewhere asks for them, and the device or the host waits (`acquire`). Frames of our own are done when they are
//! handed out, so nothing is attached to them.
//!
//! # Trust
//! What a peer says about its memory is checked against the device, the driver and the descriptor before the driver sees it. What
//! an opaque descriptor holds, the driver alone knows: take those from programs of the same user. DMA-BUFs tell their size.

mod acquire;
mod create;
mod descriptor;
mod dma_buf;
mod error;
mod fences;
mod import;
mod memory;
mod shared;
mod support;
mod timeline;

pub use dma_buf::{DmaBuf, DmaBufUse};
pub use error::SharingProblem;
pub use fences::DmaBufAccess;
pub use shared::{SharedTexture, SharedTiling, SharingKind};
pub use support::SharingSupport;
pub use timeline::{PeerTimeline, SharedTimeline};

pub(crate) use acquire::{acquire, wait_for_others};
pub(crate) use create::{
    create_linear_texture, create_mappable_texture, create_scanout_texture, create_shared_texture,
    scanout_modifiers, share,
};
pub(crate) use descriptor::{export_sync_file, exported_semaphore, timeline_descriptor};
pub(crate) use dma_buf::{DmaBufImage, import_dma_buf};
pub(crate) use fences::Fences;
pub(crate) use import::import_texture;
pub(crate) use shared::Layout;
pub(crate) use support::{modifier_features, sharing_support};
pub(crate) use timeline::{create_shared_timeline, import_timeline, share_timeline};
