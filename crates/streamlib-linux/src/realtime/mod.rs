//! Threads that keep time: clocks, sleeping to a deadline, priority and place.

mod clock;
mod thread;

pub use clock::{Slept, monotonic_now, sleep_until, thread_cpu_time};
pub use thread::{ThreadOutcome, ThreadRefusal, ThreadRequest, prepare_thread};
