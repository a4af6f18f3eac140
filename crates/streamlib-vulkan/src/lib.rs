//! The Vulkan backend: [`VulkanGpu`] meets `streamlib_core`'s `Gpu` on any device with Vulkan 1.2 and timeline semaphores.
//!
//! # Who validates
//! This crate checks everything that safe callers can get wrong (names, sizes, formats, offsets, handles of other
//! devices, host access in flight) before it calls Vulkan; every such mistake has its variant in [`VulkanError`]. The
//! content of kernels is looked over ([`SpirvProblem`]), not proved: SPIR-V from strangers must be validated and
//! hardened before. The Khronos validation layer checks this crate, in debug builds and tests.
//!
//! # Which errors exist
//! [`VulkanError`] for operations, with [`Shortfall`], [`BindingProblem`], [`CopyProblem`], [`RebindProblem`], [`SharingProblem`] and
//! [`SpirvProblem`] for details.
//! After [`VulkanError::DeviceLost`] every call on that device fails at once; a new [`VulkanGpu`] works.
//!
//! # Invariants
//! - Each handle has one owner (`handle`) that exists before the next call that can fail.
//! - What submitted work uses is destroyed after its timeline value (`timeline`, `retire`); the device is never idled.
//! - Images are in layout `GENERAL`, and zero, before anybody gets hold of them; those of others are in that layout too, and keep
//!   what they hold. Frames are computed on one queue.
//! - The frame path (uniforms, rebinding, submitting, waiting, timestamps, calibrating) allocates nothing and takes no lock;
//!   where two threads submit at the same moment, one lets the other's `vkQueueSubmit` pass.

mod buffer;
mod capability;
mod check;
mod clock;
mod commands;
mod conv;
pub mod cuda;
mod debug;
mod descriptors;
mod device;
mod encode;
mod endings;
mod error;
mod external;
#[cfg_attr(not(feature = "fault-injection"), allow(unreachable_pub, reason = "public with the feature"))]
#[doc(hidden)]
pub mod fault;
mod features;
mod gate;
mod gpu;
mod handle;
mod image;
mod instance;
mod kernel;
mod memory;
mod parts;
mod place;
mod places;
mod prepare;
mod program;
mod queue;
mod recording;
mod retire;
mod scanout;
mod screen;
mod select;
mod spirv;
mod submit;
mod surface;
mod swapchain;
mod texture;
mod timeline;

pub use buffer::HostBuffer;
pub use error::{BindingProblem, CopyProblem, RebindProblem, Shortfall, VulkanError, WindowProblem};
pub use external::{
    DmaBuf, DmaBufAccess, DmaBufUse, PeerTimeline, SharedTexture, SharedTiling, SharedTimeline, SharingKind,
    SharingProblem, SharingSupport,
};
pub use gpu::{DeviceOptions, VulkanGpu};
pub use instance::{Validation, validation_layer};
pub use kernel::Kernel;
pub use place::Scaling;
pub use recording::Recording;
pub use scanout::{Drawn, Scanout};
pub use screen::{Screen, ScreenOptions};
pub use select::{DeviceChoice, DeviceKind, DeviceReport, FormatSupport, list_devices};
pub use spirv::SpirvProblem;
pub use surface::WindowHandles;
pub use texture::Texture;
