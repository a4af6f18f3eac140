//! The clock that frames are stamped with.

use rustix::time::{ClockId, clock_gettime};
use streamlib_core::frame::Timestamp;

/// Now, on `CLOCK_MONOTONIC`.
pub(crate) fn now() -> Timestamp {
    let now = clock_gettime(ClockId::Monotonic);
    Timestamp(now.tv_sec * 1_000_000_000 + now.tv_nsec)
}
