//! What a DMA-BUF holds, for tests.
#![allow(unsafe_code, reason = "mmap, as an importer does")]

use std::os::fd::{AsFd, AsRawFd as _};

/// A copy of the first `bytes` bytes of the DMA-BUF, which nobody writes to meanwhile.
pub(crate) fn copied(memory: &impl AsFd, bytes: usize) -> Vec<u8> {
    let fd = memory.as_fd().as_raw_fd();
    // SAFETY: a new mapping at an address of the kernel's choice; nothing that exists is replaced.
    let start = unsafe { libc::mmap(std::ptr::null_mut(), bytes, libc::PROT_READ, libc::MAP_SHARED, fd, 0) };
    assert_ne!(start, libc::MAP_FAILED, "{}", std::io::Error::last_os_error());
    // SAFETY: `bytes` bytes are mapped there, and the caller says that nobody writes to them.
    let copy = unsafe { std::slice::from_raw_parts(start.cast::<u8>(), bytes) }.to_vec();
    // SAFETY: this range was mapped above, and no slice of it is left.
    unsafe { libc::munmap(start, bytes) };
    copy
}
