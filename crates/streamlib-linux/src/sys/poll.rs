//! Waiting for a descriptor.

use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

/// What waiting came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readiness {
    /// There is something to take.
    Ready,
    /// The time has passed.
    TimedOut,
    /// Nothing will come: the device is gone or does not work.
    Dead,
}

/// Waits until there is something to take, `timeout` at most. A signal ends the wait early.
pub(crate) fn wait_readable(descriptor: &impl AsFd, timeout: Duration) -> io::Result<Readiness> {
    wait(descriptor, libc::POLLIN, timeout).map(|(readiness, _)| readiness)
}

/// As [`wait_readable`]. What is urgent ends the wait, too; the second value says whether something is.
pub(super) fn wait_readable_or_urgent(
    descriptor: &impl AsFd,
    timeout: Duration,
) -> io::Result<(Readiness, bool)> {
    wait(descriptor, libc::POLLIN | libc::POLLPRI, timeout)
}

fn wait(descriptor: &impl AsFd, events: i16, timeout: Duration) -> io::Result<(Readiness, bool)> {
    // Rounded up, so that a wait of half a millisecond does not spin.
    let milliseconds = timeout.as_nanos().div_ceil(1_000_000).try_into().unwrap_or(i32::MAX);
    let fd = descriptor.as_fd().as_raw_fd();
    let mut poll = libc::pollfd { fd, events, revents: 0 };
    // SAFETY: one initialised pollfd, exclusively borrowed for the call.
    let ready = unsafe { libc::poll(&raw mut poll, 1, milliseconds) };
    let readiness = match ready {
        -1 => return Err(io::Error::last_os_error()),
        0 => Readiness::TimedOut,
        _ if poll.revents & libc::POLLIN != 0 => Readiness::Ready,
        // Nothing to take yet. A device that is gone calls everything urgent besides.
        _ if poll.revents == libc::POLLPRI => Readiness::TimedOut,
        _ => Readiness::Dead,
    };
    Ok((readiness, poll.revents & libc::POLLPRI != 0))
}
