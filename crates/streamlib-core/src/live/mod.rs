//! A plan at work on frames that come when they come.
//!
//! Two hands share the work. The [`FrameLoop`] takes what sources pushed and submits one piece of GPU work per frame; it
//! allocates nothing, takes no lock, and makes no system call but the submission and, where the other hand sleeps, its wake-up.
//! The [`Deliverer`], on a thread of its own, waits for the GPU, hands finished frames to consumers, gives memory back to
//! sources, and drops what the loop is done with. Neither knows who the sources and consumers are. The loop lies in a
//! [`LoopCell`], so that the source whose frame is due can submit it itself.
//!
//! A new plan is built elsewhere and handed to the loop as a [`Swap`], which it makes at a frame boundary: what stands in the
//! textures of both plans, the frames that wait at sources that stay, and the count of frames go on.

mod cell;
mod consumer;
mod deliver;
mod device_clock;
mod frame;
mod frame_loop;
mod input;
mod shared;
mod swap;
mod traced;

pub use cell::{LoopCell, Ran};
pub use consumer::{AtOnce, Consumer, Destination};
pub use deliver::{Deliver, DeliverCommand, Deliverer, Returns};
pub use frame::Frame;
pub use frame_loop::{FrameLoop, Step};
pub use input::{Arrival, Input, Push};
pub use shared::{Handover, handover};
pub use swap::{Pace, ParameterSet, Swap};
pub use traced::TracedPlan;

use crate::frame::Timestamp;

/// The clock of captures and deliveries: `CLOCK_MONOTONIC` where frames are live.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// Now.
    fn now(&self) -> Timestamp;

    /// Lets the calling thread sleep until about `at`; it may wake up earlier.
    fn sleep_until(&self, at: Timestamp) {
        let nanoseconds = at.0.saturating_sub(self.now().0).max(0).unsigned_abs();
        std::thread::park_timeout(std::time::Duration::from_nanos(nanoseconds));
    }
}

#[cfg(test)]
mod tests;
