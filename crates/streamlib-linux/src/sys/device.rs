//! An open V4L2 node.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use streamlib_core::frame::Timestamp;

use super::abi::{Plain, Request};
use super::poll::{Readiness, wait_readable_or_urgent};

/// An open V4L2 node, in non-blocking mode.
#[derive(Debug)]
pub(crate) struct Device {
    file: File,
}

impl Device {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).custom_flags(libc::O_NONBLOCK).open(path)?;
        Ok(Self { file })
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Makes the call, again as long as signals interrupt it; the kernel's answer is in `argument`.
    pub(crate) fn call<T: Plain>(&self, request: &Request<T>, argument: &mut T) -> io::Result<()> {
        retrying(|| {
            // SAFETY: the descriptor is open as long as `self`. The request code holds the size of `T`, so the kernel
            // touches no byte beyond `argument`, which is exclusively borrowed and for which every bit pattern is valid.
            // Where an argument holds addresses, only `queue` can make the call, and answers for what is there.
            unsafe { libc::ioctl(self.file.as_raw_fd(), request.code() as _, std::ptr::from_mut(argument)) }
        })
        .map(drop)
    }

    /// Waits until a buffer can be dequeued, `timeout` at most; also until there is an event that was subscribed to, which the second
    /// value says.
    pub(crate) fn wait(&self, timeout: Duration) -> io::Result<(Readiness, bool)> {
        wait_readable_or_urgent(&self.file, timeout)
    }
}

/// Repeats a call that returns -1 and sets `errno` until no signal interrupts it.
fn retrying(mut call: impl FnMut() -> i32) -> io::Result<i32> {
    loop {
        match call() {
            -1 => {
                let error = io::Error::last_os_error();
                if error.kind() != io::ErrorKind::Interrupted {
                    return Err(error);
                }
            }
            value => return Ok(value),
        }
    }
}

/// Now, on `CLOCK_MONOTONIC`.
pub(crate) fn monotonic_now() -> Timestamp {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is exclusively borrowed for the call. With this clock it cannot fail on Linux.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    Timestamp(now.tv_sec * 1_000_000_000 + now.tv_nsec)
}
