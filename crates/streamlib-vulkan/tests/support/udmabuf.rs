//! DMA-BUFs that this program has mapped, as a camera's driver would have them.
#![allow(unsafe_code, reason = "asks the kernel for memory and maps it")]

use std::fs::{File, OpenOptions};
use std::io::{Error, Result};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr::NonNull;

/// `UDMABUF_CREATE` of `linux/udmabuf.h`.
const CREATE: u64 = 0x4018_7542;
/// `UDMABUF_FLAGS_CLOEXEC`.
const CLOSE_ON_EXEC: u32 = 1;

#[repr(C)]
struct Create {
    memory: u32,
    flags: u32,
    offset: u64,
    size: u64,
}

/// A DMA-BUF of the host's memory.
pub(crate) struct UdmaBuf {
    descriptor: OwnedFd,
    start: NonNull<u8>,
    bytes: usize,
}

impl UdmaBuf {
    /// Makes one of zeros; `bytes` are whole pages.
    pub(crate) fn new(bytes: usize) -> Result<Self> {
        let maker = OpenOptions::new().read(true).write(true).open("/dev/udmabuf")?;
        let flags = libc::MFD_ALLOW_SEALING | libc::MFD_CLOEXEC;
        // SAFETY: the name ends with a zero; the answer is checked.
        let raw = unsafe { libc::memfd_create(c"udmabuf".as_ptr(), flags) };
        if raw < 0 {
            return Err(Error::last_os_error());
        }
        // SAFETY: it is new.
        let memory = File::from(unsafe { OwnedFd::from_raw_fd(raw) });
        memory.set_len(bytes as u64)?;
        // SAFETY: takes numbers.
        if unsafe { libc::fcntl(raw, libc::F_ADD_SEALS, libc::F_SEAL_SHRINK) } < 0 {
            return Err(Error::last_os_error());
        }
        let wanted = Create { memory: raw as u32, flags: CLOSE_ON_EXEC, offset: 0, size: bytes as u64 };
        // SAFETY: the structure is what the call takes, and lives longer.
        let raw = unsafe { libc::ioctl(maker.as_raw_fd(), CREATE as _, &raw const wanted) };
        if raw < 0 {
            return Err(Error::last_os_error());
        }
        // SAFETY: it is new.
        let descriptor = unsafe { OwnedFd::from_raw_fd(raw) };
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new mapping of memory that is as large and stays so.
        let start = unsafe {
            libc::mmap(std::ptr::null_mut(), bytes, access, libc::MAP_SHARED, memory.as_raw_fd(), 0)
        };
        if start == libc::MAP_FAILED {
            return Err(Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).expect("not at zero");
        Ok(Self { descriptor, start, bytes })
    }

    /// The buffer, once more.
    pub(crate) fn descriptor(&self) -> OwnedFd {
        self.descriptor.try_clone().expect("a descriptor")
    }

    /// Its memory. The device does not use it: tests wait for what they submit.
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: mapped for as long as `self`, and borrowed from it.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.bytes) }
    }
}

impl Drop for UdmaBuf {
    fn drop(&mut self) {
        // SAFETY: mapped by `new`, unmapped once.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.bytes) };
    }
}
