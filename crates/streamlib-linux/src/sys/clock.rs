//! Clocks, and sleeping by them.

use std::io;

use streamlib_core::frame::Timestamp;

const SECOND_NS: i64 = 1_000_000_000;

/// CPU time of the calling thread.
pub(crate) fn thread_cpu_time() -> Timestamp {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is exclusively borrowed for the call. With this clock it cannot fail on Linux.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut now) };
    Timestamp(now.tv_sec * SECOND_NS + now.tv_nsec)
}

/// Sleeps until `deadline` on `CLOCK_MONOTONIC`. A signal ends it early.
pub(crate) fn sleep_until(deadline: Timestamp) {
    let at = deadline.0.max(0);
    let at = libc::timespec { tv_sec: at / SECOND_NS, tv_nsec: at % SECOND_NS };
    // SAFETY: `at` is borrowed for the call and holds nanoseconds below a second; no remainder is asked for.
    unsafe {
        libc::clock_nanosleep(libc::CLOCK_MONOTONIC, libc::TIMER_ABSTIME, &raw const at, std::ptr::null_mut())
    };
}

/// How late, in nanoseconds, the kernel may wake the calling thread to save power; it does not matter under `SCHED_FIFO`.
pub(crate) fn set_timer_slack(nanoseconds: u32) -> io::Result<()> {
    // SAFETY: takes a number and touches no memory of this process.
    match unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, libc::c_ulong::from(nanoseconds)) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}
