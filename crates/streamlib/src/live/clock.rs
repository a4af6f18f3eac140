//! The clock of live frames, and the threads that serve them.

use std::time::Instant;

use streamlib_core::frame::Timestamp;
use streamlib_core::live::Clock;

/// `CLOCK_MONOTONIC`.
#[derive(Debug)]
pub(crate) struct Monotonic;

#[cfg(target_os = "linux")]
impl Clock for Monotonic {
    fn now(&self) -> Timestamp {
        streamlib_linux::realtime::monotonic_now()
    }
}

#[cfg(not(target_os = "linux"))]
impl Clock for Monotonic {
    fn now(&self) -> Timestamp {
        static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
        let elapsed = START.get_or_init(Instant::now).elapsed();
        Timestamp(elapsed.as_nanos().try_into().unwrap_or(i64::MAX))
    }
}

impl Monotonic {
    /// A moment of this clock as one to wait for.
    pub(crate) fn instant(&self, at: Timestamp) -> Instant {
        let from_now = (at.0 - self.now().0).max(0);
        Instant::now() + std::time::Duration::from_nanos(from_now as u64)
    }
}

/// CPU time of the calling thread, nanoseconds.
#[cfg(target_os = "linux")]
pub(crate) fn thread_cpu_ns() -> u64 {
    streamlib_linux::realtime::thread_cpu_time()
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn thread_cpu_ns() -> u64 {
    0
}

/// What a thread is for; the first two are raised to real-time priority where the system lets them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Frames,
    Deliveries,
    Other,
}

/// Readies the calling thread for its role; what the system refused, for people.
#[cfg(target_os = "linux")]
pub(crate) fn prepare_thread(name: &str, role: Role, cpu: Option<usize>) -> Vec<String> {
    use streamlib_linux::realtime::{ThreadRequest, prepare_thread};
    let priority = match role {
        Role::Frames => Some(60),
        Role::Deliveries => Some(59),
        Role::Other => None,
    };
    let outcome = prepare_thread(&ThreadRequest { name: name.to_owned(), priority, cpu });
    outcome.refused.iter().map(ToString::to_string).collect()
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn prepare_thread(_: &str, _: Role, _: Option<usize>) -> Vec<String> {
    Vec::new()
}
