//! What others still do with a DMA-BUF, as the kernel knows it: fences, which drivers attach to it and which end by themselves.
#![allow(unsafe_code, reason = "asks the kernel about a descriptor")]

use std::io::{Error, ErrorKind, Result};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::{Duration, Instant};

/// `DMA_BUF_IOCTL_EXPORT_SYNC_FILE` of `linux/dma-buf.h`, there since Linux 6.0.
const EXPORT_SYNC_FILE: u64 = 0xc008_6202;
/// `DMA_BUF_SYNC_READ` and `DMA_BUF_SYNC_WRITE`.
const SYNC_READ: u32 = 1;
const SYNC_WRITE: u32 = 2;

/// `struct dma_buf_export_sync_file`.
#[repr(C)]
struct ExportSyncFile {
    flags: u32,
    fd: i32,
}

/// What is to be done with a DMA-BUF, which says whom it has to come after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DmaBufAccess {
    /// Reading: those who write it.
    Read,
    /// Writing: those who write or read it.
    Write,
}

/// A DMA-BUF, to be asked for its fences.
#[derive(Debug)]
pub(crate) struct Fences(OwnedFd);

impl Fences {
    /// Those of the buffer that the descriptor is of, which stays the caller's.
    pub(super) fn of(descriptor: BorrowedFd<'_>) -> Result<Self> {
        descriptor.try_clone_to_owned().map(Self)
    }

    /// Waits until all whom `access` has to come after have finished, for `limit` at most; whether they have. Without time, one
    /// system call that does not wait.
    pub(super) fn wait(&self, access: DmaBufAccess, limit: Duration) -> Result<bool> {
        let events = match access {
            DmaBufAccess::Read => libc::POLLIN,
            DmaBufAccess::Write => libc::POLLOUT,
        };
        let begun = Instant::now();
        loop {
            let left = limit.saturating_sub(begun.elapsed());
            // Rounded up: a shorter wait would only be repeated.
            let milliseconds = i32::try_from(left.as_micros().div_ceil(1000)).unwrap_or(i32::MAX);
            let mut asked = libc::pollfd { fd: self.0.as_fd().as_raw_fd(), events, revents: 0 };
            // SAFETY: one structure is there, exclusively borrowed for the call.
            match unsafe { libc::poll(&raw mut asked, 1, milliseconds) } {
                0 if begun.elapsed() >= limit => return Ok(false),
                0 => {}
                -1 => {
                    let error = Error::last_os_error();
                    if error.kind() != ErrorKind::Interrupted {
                        return Err(error);
                    }
                }
                _ => return Ok(true),
            }
        }
    }

    /// All that `access` has to come after and that is under way now, as one fence in a file of its own. `None` where the kernel has
    /// no such files, or none left.
    pub(super) fn sync_file(&self, access: DmaBufAccess) -> Option<OwnedFd> {
        let flags = match access {
            DmaBufAccess::Read => SYNC_READ,
            DmaBufAccess::Write => SYNC_WRITE,
        };
        let mut wanted = ExportSyncFile { flags, fd: -1 };
        // SAFETY: the structure is what the request takes, exclusively borrowed for the call.
        let answer = unsafe { libc::ioctl(self.0.as_raw_fd(), EXPORT_SYNC_FILE as _, &raw mut wanted) };
        // SAFETY: the call succeeded, so this is a new descriptor that nobody else owns.
        (answer == 0).then(|| unsafe { OwnedFd::from_raw_fd(wanted.fd) })
    }
}
