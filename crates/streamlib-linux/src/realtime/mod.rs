//! Threads that keep time: clocks, sleeping to a deadline, priority and place.

mod affinity;
mod clock;
mod interrupts;
mod thread;

pub use affinity::Affinity;
pub use clock::{Slept, monotonic_now, sleep_until, thread_cpu_time};
pub use interrupts::DeviceInterrupts;
pub use thread::{ThreadOutcome, ThreadRefusal, ThreadRequest, prepare_thread};
