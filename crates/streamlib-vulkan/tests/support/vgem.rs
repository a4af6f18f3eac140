//! DMA-BUFs of the driver vgem, to which a test attaches fences that it ends when it likes.
#![allow(unsafe_code, reason = "asks a driver for memory and maps it")]
#![allow(dead_code, reason = "each test binary uses its part")]

use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Result};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::ptr::NonNull;
use std::sync::Arc;

/// `DRM_IOCTL_VERSION`, `DRM_IOCTL_MODE_CREATE_DUMB`, `DRM_IOCTL_PRIME_HANDLE_TO_FD`.
const VERSION: u64 = 0xc040_6400;
const CREATE_DUMB: u64 = 0xc020_64b2;
const HANDLE_TO_FD: u64 = 0xc00c_642d;
/// `DRM_IOCTL_VGEM_FENCE_ATTACH`, `DRM_IOCTL_VGEM_FENCE_SIGNAL` of `drm/vgem_drm.h`.
const FENCE_ATTACH: u64 = 0xc010_6441;
const FENCE_SIGNAL: u64 = 0x4008_6442;
/// `VGEM_FENCE_WRITE`.
const WRITE: u32 = 1;
/// `DMA_BUF_IOCTL_EXPORT_SYNC_FILE`, `DMA_BUF_IOCTL_IMPORT_SYNC_FILE`, `DMA_BUF_SYNC_READ` of `linux/dma-buf.h`.
const EXPORT_SYNC_FILE: u64 = 0xc008_6202;
const IMPORT_SYNC_FILE: u64 = 0x4008_6203;
const SYNC_READ: u32 = 1;

#[repr(C)]
struct Version {
    numbers: [i32; 3],
    name_bytes: usize,
    name: *mut u8,
    date: [usize; 2],
    description: [usize; 2],
}

#[repr(C)]
struct CreateDumb {
    height: u32,
    width: u32,
    bits: u32,
    flags: u32,
    handle: u32,
    pitch: u32,
    size: u64,
}

#[repr(C)]
struct HandleToFd {
    handle: u32,
    flags: u32,
    fd: i32,
}

#[repr(C)]
struct FenceAttach {
    handle: u32,
    flags: u32,
    fence: u32,
    pad: u32,
}

#[repr(C)]
struct FenceSignal {
    fence: u32,
    flags: u32,
}

#[repr(C)]
struct SyncFile {
    flags: u32,
    fd: i32,
}

fn ask<T>(file: RawFd, request: u64, what: &mut T) -> Result<()> {
    // SAFETY: the structure is what the request takes, exclusively borrowed for the call.
    if unsafe { libc::ioctl(file, request as _, std::ptr::from_mut(what)) } == 0 {
        return Ok(());
    }
    Err(Error::last_os_error())
}

/// Memory of vgem's.
pub(crate) struct VgemBuf {
    card: Arc<File>,
    handle: u32,
    descriptor: OwnedFd,
    start: NonNull<u8>,
    bytes: usize,
}

/// Something that is under way with the memory. The kernel ends it after ten seconds.
pub(crate) struct Open {
    card: Arc<File>,
    fence: u32,
}

impl VgemBuf {
    /// Makes one of zeros; `bytes` are whole pages.
    pub(crate) fn new(bytes: usize) -> Result<Self> {
        let card = Arc::new(card()?);
        let rows = u32::try_from(bytes / 4096).expect("small");
        let (width, bits) = (1024, 32);
        let mut dumb = CreateDumb { height: rows, width, bits, flags: 0, handle: 0, pitch: 0, size: 0 };
        ask(card.as_raw_fd(), CREATE_DUMB, &mut dumb)?;
        assert_eq!((dumb.pitch, dumb.size), (4096, bytes as u64));
        let flags = (libc::O_CLOEXEC | libc::O_RDWR) as u32;
        let mut out = HandleToFd { handle: dumb.handle, flags, fd: -1 };
        ask(card.as_raw_fd(), HANDLE_TO_FD, &mut out)?;
        // SAFETY: it is new.
        let descriptor = unsafe { OwnedFd::from_raw_fd(out.fd) };
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new mapping of memory that is as large and stays so.
        let start = unsafe {
            libc::mmap(std::ptr::null_mut(), bytes, access, libc::MAP_SHARED, descriptor.as_raw_fd(), 0)
        };
        if start == libc::MAP_FAILED {
            return Err(Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).expect("not at zero");
        Ok(Self { card, handle: dumb.handle, descriptor, start, bytes })
    }

    /// The buffer, once more.
    pub(crate) fn descriptor(&self) -> OwnedFd {
        self.descriptor.try_clone().expect("a descriptor")
    }

    /// Somebody begins to write it.
    pub(crate) fn begin_writing(&self) -> Open {
        self.attach(WRITE)
    }

    /// Somebody begins to read it.
    pub(crate) fn begin_reading(&self) -> Open {
        self.attach(0)
    }

    /// What is written to it now, as a fence in a file.
    pub(crate) fn sync_file(&self) -> OwnedFd {
        let mut out = SyncFile { flags: SYNC_READ, fd: -1 };
        ask(self.descriptor.as_raw_fd(), EXPORT_SYNC_FILE, &mut out).expect("a fence");
        // SAFETY: it is new.
        unsafe { OwnedFd::from_raw_fd(out.fd) }
    }

    fn attach(&self, flags: u32) -> Open {
        let mut wanted = FenceAttach { handle: self.handle, flags, fence: 0, pad: 0 };
        ask(self.card.as_raw_fd(), FENCE_ATTACH, &mut wanted).expect("nothing else is under way");
        Open { card: Arc::clone(&self.card), fence: wanted.fence }
    }

    /// Its memory. What a device does with it meanwhile is the test's to know.
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: mapped for as long as `self`, and borrowed from it.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.bytes) }
    }
}

impl Drop for VgemBuf {
    fn drop(&mut self) {
        // SAFETY: mapped by `new`, unmapped once.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.bytes) };
    }
}

impl Open {
    /// It has finished; `false` where the kernel has ended it before.
    pub(crate) fn finish(self) -> bool {
        let mut wanted = FenceSignal { fence: self.fence, flags: 0 };
        match ask(self.card.as_raw_fd(), FENCE_SIGNAL, &mut wanted) {
            Ok(()) => true,
            Err(error) if error.raw_os_error() == Some(libc::ETIMEDOUT) => false,
            Err(error) => panic!("{error}"),
        }
    }
}

/// Lets somebody read a DMA-BUF until a fence ends, as drivers do.
pub(crate) fn read_until(buffer: &OwnedFd, fence: &OwnedFd) {
    let mut wanted = SyncFile { flags: SYNC_READ, fd: fence.as_raw_fd() };
    ask(buffer.as_raw_fd(), IMPORT_SYNC_FILE, &mut wanted).expect("attached");
}

/// Waits until a fence has ended.
pub(crate) fn wait_for(fence: &OwnedFd) {
    let mut asked = libc::pollfd { fd: fence.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one structure is there, exclusively borrowed for the call.
    assert_eq!(unsafe { libc::poll(&raw mut asked, 1, 60_000) }, 1, "it does not end");
}

/// The card of this driver.
fn card() -> Result<File> {
    for entry in std::fs::read_dir("/dev/dri")?.flatten() {
        if !entry.file_name().to_string_lossy().starts_with("card") {
            continue;
        }
        let Ok(card) = OpenOptions::new().read(true).write(true).open(entry.path()) else { continue };
        let mut name = [0; 32];
        let (name_bytes, start) = (name.len(), name.as_mut_ptr());
        let mut version =
            Version { numbers: [0; 3], name_bytes, name: start, date: [0; 2], description: [0; 2] };
        let answer = ask(card.as_raw_fd(), VERSION, &mut version);
        if answer.is_ok() && name.starts_with(b"vgem") {
            return Ok(card);
        }
    }
    Err(ErrorKind::NotFound.into())
}
