//! Memory for drivers to fill that is not their own.

use std::io;
use std::os::fd::OwnedFd;

use crate::sys::dma;

/// Allocates a DMA-BUF of at least `bytes`, for [`SharedCamera::open_into`](crate::SharedCamera::open_into): of the kernel's heap of
/// system memory (`/dev/dma_heap/system`), else of a memory file (`/dev/udmabuf`).
///
/// # Errors
///
/// When this user may use neither of the two, or memory runs out.
pub fn allocate_dma_memory(bytes: usize) -> io::Result<OwnedFd> {
    dma::of_heap(bytes).or_else(|heap| {
        let explained = |udmabuf: io::Error| {
            let why = format!("/dev/dma_heap/system: {heap}; /dev/udmabuf: {udmabuf}");
            io::Error::new(udmabuf.kind(), why)
        };
        dma::of_udmabuf(bytes).map_err(explained)
    })
}
