//! Clocks, and sleeping to a deadline.

use std::sync::atomic::{AtomicBool, Ordering};

use streamlib_core::frame::Timestamp;

use crate::sys;

/// A sleeper looks at its flag this often, nanoseconds: a thread ends within 20 ms, and fifty glances a second cost nothing.
const GLANCE_NS: i64 = 20_000_000;

/// Now, on `CLOCK_MONOTONIC`: the clock of live frames.
#[must_use]
pub fn monotonic_now() -> Timestamp {
    sys::monotonic_now()
}

/// CPU time that the calling thread has used, nanoseconds.
#[must_use]
pub fn thread_cpu_time() -> u64 {
    sys::clock::thread_cpu_time().0.try_into().unwrap_or(0)
}

/// Why a sleep ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slept {
    /// The deadline has come.
    ToDeadline,
    /// The flag was set.
    Stopped,
}

/// Sleeps until `deadline` on `CLOCK_MONOTONIC`, or until `stop` is set, which is seen within 20 ms. It never ends early
/// otherwise, and a deadline that has passed is no sleep.
pub fn sleep_until(deadline: Timestamp, stop: &AtomicBool) -> Slept {
    loop {
        if stop.load(Ordering::Acquire) {
            return Slept::Stopped;
        }
        let now = monotonic_now();
        if now >= deadline {
            return Slept::ToDeadline;
        }
        sys::clock::sleep_until(deadline.min(Timestamp(now.0.saturating_add(GLANCE_NS))));
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    const MS: i64 = 1_000_000;

    #[test]
    fn a_sleep_ends_at_its_deadline_and_not_before() {
        let stop = AtomicBool::new(false);
        for milliseconds in [-1_000_000, 0, 3, 50] {
            let deadline = Timestamp(monotonic_now().0 + milliseconds * MS);
            assert_eq!(sleep_until(deadline, &stop), Slept::ToDeadline);
            assert!(monotonic_now() >= deadline);
        }
        assert_eq!(sleep_until(Timestamp(i64::MIN), &stop), Slept::ToDeadline);
    }

    #[test]
    fn a_sleep_for_ever_ends_when_the_flag_is_set() {
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            let sleeping = scope.spawn(|| sleep_until(Timestamp(i64::MAX), &stop));
            stop.store(true, Ordering::Release);
            assert_eq!(sleeping.join().unwrap(), Slept::Stopped);
        });
    }

    #[test]
    fn cpu_time_passes_while_a_thread_works_and_not_while_it_sleeps() {
        let stop = AtomicBool::new(false);
        let (start, asleep) = (thread_cpu_time(), monotonic_now());
        sleep_until(Timestamp(asleep.0 + 100 * MS), &stop);
        let slept = thread_cpu_time() - start;
        assert!(slept < 100 * MS as u64, "slept for 100 ms and used {slept} ns of CPU");
        let working = thread_cpu_time();
        while thread_cpu_time() < working + MS as u64 {}
    }
}
