//! Which of its inputs a video device shows, for tests.
#![allow(unsafe_code, reason = "an ioctl that capture itself has no use for")]

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd as _;
use std::path::Path;

/// `VIDIOC_S_INPUT`.
const S_INPUT: u64 = 0xc004_5627;

/// Another input than the first, as long as this lives.
pub(crate) struct OtherInput(File);

impl OtherInput {
    pub(crate) fn select(device: &Path, input: i32) -> io::Result<Self> {
        let other = Self(OpenOptions::new().read(true).write(true).open(device)?);
        other.set(input).map(|()| other)
    }

    fn set(&self, mut input: i32) -> io::Result<()> {
        // SAFETY: the call reads and writes one integer, which is exclusively borrowed for it.
        match unsafe { libc::ioctl(self.0.as_raw_fd(), S_INPUT as _, &raw mut input) } {
            -1 => Err(io::Error::last_os_error()),
            _ => Ok(()),
        }
    }
}

impl Drop for OtherInput {
    fn drop(&mut self) {
        let _refused = self.set(0);
    }
}
