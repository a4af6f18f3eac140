//! Where a frame was, when.

use serde::{Deserialize, Serialize};

use crate::frame::Timestamp;

/// The times of one frame, all on the clock of its capture (`CLOCK_MONOTONIC` for a live one).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameTimes {
    /// The source saw it.
    pub captured: Timestamp,
    /// It reached the engine's inlet.
    pub arrived: Timestamp,
    /// Its work was handed to the GPU.
    pub submitted: Timestamp,
    /// The GPU began with it, where the device can tell.
    pub gpu_begin: Option<Timestamp>,
    /// The GPU was done with it, where the device can tell.
    pub gpu_end: Option<Timestamp>,
    /// It was handed to its consumers.
    pub delivered: Timestamp,
}
