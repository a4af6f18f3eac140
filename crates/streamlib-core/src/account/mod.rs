//! Accounts of a running graph: when each frame was where, what became of it, and how long everything took.
//!
//! Three hands, so that nothing on the frame path waits for a reader: [`FrameCounters`] are atomics that any thread bumps;
//! the [`Recorder`] belongs to the thread that delivers frames; a [`StatsReader`] takes a [`Stats`] at any time.

mod counters;
mod histogram;
mod passes;
mod rate;
mod reason;
mod recorder;
mod shown;
mod stats;
mod times;

pub use counters::{FrameCounters, NodeCounters};
pub use passes::PassTimes;
pub use reason::DropReason;
pub use recorder::{FrameRecord, Recorder, StatsReader, recorder};
pub use shown::{ShownBy, ShownFrame, ShownStats};
pub use stats::{Counts, Drops, NodeStats, PassStats, Stats, Summary};
pub use times::FrameTimes;

#[cfg(test)]
mod tests;
