//! Textures that CUDA reaches as well: the same memory for both, so that a frame becomes a tensor without a copy by the CPU.
//!
//! A [`CudaTexture`] lies row by row in memory that both have (`VK_KHR_external_memory_fd`), and submissions that write it tell
//! CUDA by a timeline that both have (`VK_KHR_external_semaphore_fd`): what is not done within 100 microseconds a stream waits for on the
//! GPU, and no thread on the CPU.
//! Effects may write such a texture like any other; a texture of the engine's takes one pass to get there, because its
//! texels are tiled.
//!
//! NVIDIA's driver is loaded when it is first asked for. Where it is not there, that is an error to show, and nothing else.

mod driver;
mod error;
mod event;
mod link;
mod memory;
mod texture;
mod types;

pub use error::CudaError;
pub use link::CudaLink;
pub use texture::CudaTexture;
pub use types::Stream;
