//! Memory that drivers share (DMA-BUF), made by the kernel for whoever may ask.

use std::ffi::c_ulong;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};

const HEAP: &str = "/dev/dma_heap/system";
const UDMABUF: &str = "/dev/udmabuf";

/// `DMA_HEAP_IOCTL_ALLOC` and `UDMABUF_CREATE`.
const HEAP_ALLOC: c_ulong = 0xc018_4800;
const UDMABUF_CREATE: c_ulong = 0x4018_7542;
/// `UDMABUF_FLAGS_CLOEXEC`.
const UDMABUF_CLOEXEC: u32 = 1;

/// `struct dma_heap_allocation_data`.
#[repr(C)]
struct HeapAllocation {
    length: u64,
    fd: u32,
    fd_flags: u32,
    heap_flags: u64,
}

/// `struct udmabuf_create`.
#[repr(C)]
struct UdmabufCreate {
    memory: u32,
    flags: u32,
    offset: u64,
    size: u64,
}

/// A DMA-BUF of zeros of the heap of system memory, of whole pages and at least `bytes`.
pub(crate) fn of_heap(bytes: usize) -> io::Result<OwnedFd> {
    let heap = OpenOptions::new().read(true).write(true).open(HEAP)?;
    let fd_flags = (libc::O_RDWR | libc::O_CLOEXEC) as u32;
    let mut wanted = HeapAllocation { length: bytes as u64, fd: 0, fd_flags, heap_flags: 0 };
    // SAFETY: the structure is what the request takes and is exclusively borrowed for the call.
    if unsafe { libc::ioctl(heap.as_raw_fd(), HEAP_ALLOC as _, &raw mut wanted) } == -1 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, so this is a new descriptor that nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(wanted.fd.cast_signed()) })
}

/// The same of a memory file.
pub(crate) fn of_udmabuf(bytes: usize) -> io::Result<OwnedFd> {
    let maker = OpenOptions::new().read(true).write(true).open(UDMABUF)?;
    // SAFETY: the name ends with a zero and lives beyond the call.
    let raw = unsafe { libc::memfd_create(c"camera".as_ptr(), libc::MFD_ALLOW_SEALING | libc::MFD_CLOEXEC) };
    if raw == -1 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, so this is a new descriptor that nobody else owns.
    let memory = File::from(unsafe { OwnedFd::from_raw_fd(raw) });
    let size = bytes.next_multiple_of(page_size()) as u64;
    memory.set_len(size)?;
    // SAFETY: takes numbers.
    if unsafe { libc::fcntl(raw, libc::F_ADD_SEALS, libc::F_SEAL_SHRINK) } == -1 {
        return Err(io::Error::last_os_error());
    }
    let wanted = UdmabufCreate { memory: raw.cast_unsigned(), flags: UDMABUF_CLOEXEC, offset: 0, size };
    // SAFETY: the structure is what the request takes, and lives beyond the call.
    match unsafe { libc::ioctl(maker.as_raw_fd(), UDMABUF_CREATE as _, &raw const wanted) } {
        -1 => Err(io::Error::last_os_error()),
        // SAFETY: the call succeeded, so this is a new descriptor that nobody else owns.
        fd => Ok(unsafe { OwnedFd::from_raw_fd(fd) }),
    }
}

fn page_size() -> usize {
    // SAFETY: takes a number.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(size).unwrap_or(4096)
}
