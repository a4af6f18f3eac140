//! Memory files that processes map together, as atomics.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64};

/// 32-bit words at the beginning of a mapping, before the 64-bit ones.
pub(crate) const HEAD_WORDS: usize = 16;

/// Bytes of a mapping with `words` 64-bit words.
pub(crate) const fn bytes(words: usize) -> usize {
    HEAD_WORDS * size_of::<u32>() + words * size_of::<u64>()
}

/// A file, mapped and shared: sixteen 32-bit words, then 64-bit ones.
#[derive(Debug)]
pub(crate) struct Mapping {
    start: NonNull<u8>,
    words: usize,
}

// SAFETY: the mapping belongs to this value alone, any thread may unmap it, and it is looked at as atomics only.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps the first `bytes(words)` bytes of `file`, for reading and, if asked for, writing.
    ///
    /// The caller has made sure that the file has these bytes and cannot lose them: a read of what a file has lost would
    /// end the process.
    pub(crate) fn new(file: BorrowedFd<'_>, words: usize, writable: bool) -> io::Result<Self> {
        let access = if writable { libc::PROT_READ | libc::PROT_WRITE } else { libc::PROT_READ };
        // SAFETY: a new mapping at an address of the kernel's choice; nothing that exists is replaced.
        let start = unsafe {
            libc::mmap(std::ptr::null_mut(), bytes(words), access, libc::MAP_SHARED, file.as_raw_fd(), 0)
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { start, words })
    }

    /// The 32-bit words. If the mapping is not writable, the caller only loads from them, relaxed.
    pub(crate) fn head(&self) -> &[AtomicU32; HEAD_WORDS] {
        // SAFETY: these bytes are mapped as long as `self`, aligned to a page, and every bit pattern is valid. Every process
        // that maps them uses atomics of the same size at the same places. Relaxed loads are allowed on read-only memory.
        unsafe { self.start.cast().as_ref() }
    }

    /// The 64-bit words. If the mapping is not writable, the caller only loads from them, relaxed.
    pub(crate) fn words(&self) -> &[AtomicU64] {
        // SAFETY: `words` words from the 64th byte of a page on are mapped, and aligned; the rest as in `head`.
        unsafe {
            std::slice::from_raw_parts(
                self.start.cast::<AtomicU32>().add(HEAD_WORDS).cast().as_ptr(),
                self.words,
            )
        }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: this range was mapped by `new` and is unmapped once; no slice of it outlives `self`.
        unsafe { libc::munmap(self.start.as_ptr().cast(), bytes(self.words)) };
    }
}
