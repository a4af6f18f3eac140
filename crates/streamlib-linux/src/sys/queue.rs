//! Capture buffers that the driver owns and this process maps.

use std::io;
use std::os::fd::AsRawFd;
use std::ptr::NonNull;

use super::abi::{self, Buffer, Plain as _, RequestBuffers};
use super::device::Device;

/// One buffer of the driver, mapped for reading.
#[derive(Debug)]
struct Mapping {
    start: NonNull<u8>,
    length: usize,
}

// SAFETY: the mapping belongs to this value alone, and any thread may read and unmap it.
unsafe impl Send for Mapping {}

impl Mapping {
    fn new(device: &Device, buffer: &Buffer) -> io::Result<Self> {
        let length = buffer.length as usize;
        // SAFETY: a new mapping at an address of the kernel's choice; nothing that exists is replaced.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                length,
                libc::PROT_READ,
                libc::MAP_SHARED,
                device.file().as_raw_fd(),
                buffer.offset.into(),
            )
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { start, length })
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: this range was mapped by `new`, is unmapped once, and no slice of it outlives the borrow in `take`.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.length) };
    }
}

/// A device that streams into mapped buffers. Streaming ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Queue {
    buffers: Vec<Mapping>,
    device: Device,
}

impl Queue {
    /// Asks for `count` buffers (the driver may give another number), queues all of them and starts streaming.
    pub(crate) fn start(device: Device, count: u32) -> io::Result<Self> {
        let mut request = RequestBuffers {
            count,
            kind: abi::VIDEO_CAPTURE,
            memory: abi::MEMORY_MMAP,
            ..RequestBuffers::zeroed()
        };
        device.call(&abi::REQBUFS, &mut request)?;
        let mut queue = Self { buffers: Vec::new(), device };
        for index in 0..request.count {
            let mut buffer = Self::buffer(index);
            queue.device.call(&abi::QUERYBUF, &mut buffer)?;
            queue.buffers.push(Mapping::new(&queue.device, &buffer)?);
            queue.device.call(&abi::QBUF, &mut Self::buffer(index))?;
        }
        queue.device.call(&abi::STREAMON, &mut (abi::VIDEO_CAPTURE as i32))?;
        Ok(queue)
    }

    pub(crate) fn device(&self) -> &Device {
        &self.device
    }

    /// Dequeues the oldest filled buffer, shows it with its bytes to `look`, and gives it back to the driver.
    ///
    /// Fails with [`io::ErrorKind::WouldBlock`] when none is filled.
    pub(crate) fn take<R>(&mut self, look: impl FnOnce(&Buffer, &[u8]) -> R) -> io::Result<R> {
        let mut buffer = Self::buffer(0);
        self.device.call(&abi::DQBUF, &mut buffer)?;
        let mapping = self.buffers.get(buffer.index as usize).ok_or(io::ErrorKind::InvalidData)?;
        let used = mapping.length.min(buffer.bytes_used as usize);
        // SAFETY: `used` bytes from `start` are mapped. Between DQBUF and QBUF the driver does not write to the buffer,
        // and the slice ends with the call of `look`, before QBUF.
        let seen = look(&buffer, unsafe { std::slice::from_raw_parts(mapping.start.as_ptr(), used) });
        self.device.call(&abi::QBUF, &mut Self::buffer(buffer.index))?;
        Ok(seen)
    }

    fn buffer(index: u32) -> Buffer {
        Buffer { index, kind: abi::VIDEO_CAPTURE, memory: abi::MEMORY_MMAP, ..Buffer::zeroed() }
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // A device that is gone cannot be stopped, and need not be.
        let _ = self.device.call(&abi::STREAMOFF, &mut (abi::VIDEO_CAPTURE as i32));
    }
}
