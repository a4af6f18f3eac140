//! Surfaces: textures that other processes of this machine may open by name, as sources and sinks of a graph.

mod description;
mod error;
mod options;

#[cfg(target_os = "linux")]
pub(crate) use description::{describe, described};
pub use error::SurfaceError;
pub(crate) use options::{Access, PublishOptions, ReadOptions, SURFACE};
