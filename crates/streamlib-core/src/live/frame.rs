//! A frame as consumers get it.

use std::sync::Arc;

use crate::account::FrameTimes;
use crate::engine::Content;
use crate::frame::FrameMeta;
use crate::gpu::Gpu;

/// A finished frame. Whoever holds it keeps its memory from being used again.
#[derive(Debug)]
pub struct Frame<G: Gpu> {
    /// What it is.
    pub meta: FrameMeta,
    /// Where it was, when.
    pub times: FrameTimes,
    /// The texture, or the picture in host memory.
    pub content: Content<G>,
    /// Tells how many frames a consumer holds.
    pub(super) given: Option<Arc<()>>,
}

impl<G: Gpu> Clone for Frame<G> {
    fn clone(&self) -> Self {
        Self { meta: self.meta, times: self.times, content: self.content.clone(), given: self.given.clone() }
    }
}
