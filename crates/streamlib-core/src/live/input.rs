//! Where sources push their frames.

use std::sync::Arc;

use crate::engine::{Engine, Leased, Slot, Upload};
use crate::frame::{FrameMeta, Timestamp};
use crate::gpu::Gpu;
use crate::mailbox::Receiver;

/// What a source pushes.
#[derive(Debug)]
pub enum Push<G: Gpu> {
    /// A picture in host memory of the engine's.
    Picture(Upload<G>),
    /// A texture.
    Texture(Arc<Leased<G>>),
}

/// A frame at an inlet.
#[derive(Debug)]
pub struct Arrival<G: Gpu> {
    /// Pixels.
    pub push: Push<G>,
    /// What the frame is.
    pub meta: FrameMeta,
    /// When it was pushed.
    pub arrived: Timestamp,
}

/// The engine's end of a source.
#[derive(Debug)]
pub struct Input<G: Gpu> {
    /// What the source pushed, under the delivery policy of its readers. Its bell is the frame loop's.
    pub arrivals: Receiver<Arrival<G>>,
}

impl<G: Gpu> Arrival<G> {
    /// Makes it the frame of its source. A texture is shown; a picture is uploaded before the frame in `slot` runs.
    pub(super) fn bring_in(self, source: usize, engine: &mut Engine<G>, slot: &mut Slot<G>) {
        match self.push {
            Push::Picture(upload) => slot.feed(upload),
            Push::Texture(texture) => engine.show(source, &texture),
        }
    }
}
