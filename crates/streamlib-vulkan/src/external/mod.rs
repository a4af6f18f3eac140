//! Memory and timelines that another API on the same device may have as well, handed out as file descriptors.

mod descriptor;
mod texture;

pub(crate) use descriptor::timeline_descriptor;
pub(crate) use texture::create_linear_texture;
