//! Capture buffers: the driver's own, mapped into this process or exported as DMA-BUF, and others that it is handed as such.

use std::ffi::c_ulong;
use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};

use libc::timeval;

use super::abi::planes::{BufferPlane, MAX_PLANES, descriptor};
use super::abi::{self, Buffer, ExportBuffer, Plain as _, Request, RequestBuffers};
use super::device::Device;

/// One memory of a buffer, mapped for reading.
#[derive(Debug)]
struct Mapping {
    start: NonNull<u8>,
    length: usize,
}

// SAFETY: the mapping belongs to this value alone, and any thread may read and unmap it.
unsafe impl Send for Mapping {}
// SAFETY: what is shared is only read.
unsafe impl Sync for Mapping {}

impl Mapping {
    fn new(device: &Device, plane: &BufferPlane) -> io::Result<Self> {
        let length = plane.length as usize;
        // SAFETY: a new mapping at an address of the kernel's choice; nothing that exists is replaced.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                length,
                libc::PROT_READ,
                libc::MAP_SHARED,
                device.file().as_raw_fd(),
                plane.offset().into(),
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
        // SAFETY: this range was mapped by `new`, is unmapped once, and no slice of it outlives the borrow in `bytes`.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.length) };
    }
}

/// One memory of a buffer, as a DMA-BUF.
#[derive(Debug)]
pub(crate) struct Exported {
    pub(crate) fd: OwnedFd,
    /// Bytes.
    pub(crate) length: usize,
}

/// A buffer that the driver has filled and that is this process's until it is queued again. There is one value for each time
/// that a buffer is dequeued, and it goes back to the queue that it came from.
#[derive(Debug)]
pub(crate) struct Filled {
    index: u32,
    /// Of each memory, where in it the data begins, and where it ends.
    data: [(usize, usize); MAX_PLANES],
    pub(crate) flags: u32,
    pub(crate) timestamp: timeval,
    pub(crate) sequence: u32,
}

impl Filled {
    pub(crate) fn index(&self) -> usize {
        self.index as usize
    }

    /// Where the data begins and ends in a memory.
    pub(crate) fn data(&self, memory: usize) -> (usize, usize) {
        self.data.get(memory).copied().unwrap_or_default()
    }
}

/// A device that streams into buffers. Streaming ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Queue {
    /// `VIDEO_CAPTURE` or `VIDEO_CAPTURE_MPLANE`.
    kind: u32,
    /// `MEMORY_MMAP` or `MEMORY_DMABUF`.
    memory: u32,
    /// How many buffers there are.
    count: u32,
    /// The memories of each buffer; none where they were exported or handed over.
    mappings: Vec<Vec<Mapping>>,
    /// Those that were handed over.
    handed: Vec<Vec<Exported>>,
    /// A bit for each buffer that is the driver's, or about to be.
    queued: AtomicU64,
    device: Device,
}

/// Buffers that there can be at most: a bit each.
const MOST_BUFFERS: u32 = u64::BITS;

impl Queue {
    /// Asks for `count` buffers (the driver may give another number), maps and queues all of them, and starts streaming.
    pub(crate) fn start(device: Device, kind: u32, count: u32) -> io::Result<Self> {
        let mut queue = Self::request(device, (kind, abi::MEMORY_MMAP), count)?;
        for index in 0..queue.count {
            let planes = queue.memories(index)?;
            let mappings = planes.iter().map(|plane| Mapping::new(&queue.device, plane));
            queue.mappings.push(mappings.collect::<io::Result<_>>()?);
            queue.queue(index)?;
        }
        queue.stream()?;
        Ok(queue)
    }

    /// As `start`, with the memories of every buffer exported and not mapped. The second value is `None` when the driver
    /// exports nothing; nothing streams then.
    pub(crate) fn start_exported(
        device: Device,
        kind: u32,
        count: u32,
    ) -> io::Result<(Self, Option<Vec<Vec<Exported>>>)> {
        let queue = Self::request(device, (kind, abi::MEMORY_MMAP), count)?;
        let mut buffers = Vec::new();
        for index in 0..queue.count {
            let mut memories = Vec::new();
            for (plane, memory) in queue.memories(index)?.iter().enumerate() {
                match queue.export(index, plane as u32) {
                    Ok(fd) => memories.push(Exported { fd, length: memory.length as usize }),
                    Err(error) if matches!(error.raw_os_error(), Some(libc::ENOTTY | libc::EINVAL)) => {
                        return Ok((queue, None));
                    }
                    Err(error) => return Err(error),
                }
            }
            buffers.push(memories);
            queue.queue(index)?;
        }
        queue.stream()?;
        Ok((queue, Some(buffers)))
    }

    /// As `start`, with buffers whose memories `allocate` makes, each of as many bytes as it is asked for. `None` when the driver
    /// takes no buffers of others.
    pub(crate) fn start_handed(
        device: Device,
        kind: u32,
        count: u32,
        sizes: &[usize],
        allocate: &mut dyn FnMut(usize) -> io::Result<OwnedFd>,
    ) -> io::Result<Option<(Self, Vec<Vec<Exported>>)>> {
        let mut queue = match Self::request(device, (kind, abi::MEMORY_DMABUF), count) {
            Err(error) if matches!(error.raw_os_error(), Some(libc::ENOTTY | libc::EINVAL)) => {
                return Ok(None);
            }
            requested => requested?,
        };
        let mut buffers = Vec::new();
        for index in 0..queue.count {
            let memory = |&length: &usize| Ok(Exported { fd: allocate(length)?, length });
            let handed: Vec<Exported> = sizes.iter().map(memory).collect::<io::Result<_>>()?;
            let copies = handed
                .iter()
                .map(|memory| Ok(Exported { fd: memory.fd.try_clone()?, length: memory.length }));
            buffers.push(copies.collect::<io::Result<_>>()?);
            queue.handed.push(handed);
            queue.queue(index)?;
        }
        queue.stream()?;
        Ok(Some((queue, buffers)))
    }

    /// Ends the stream and begins it anew, with the buffers that there are. Those that are held come later, as ever.
    pub(crate) fn restart(&self) -> io::Result<()> {
        self.device.call(&abi::STREAMOFF, &mut (self.kind as i32))?;
        // Whoever gives a buffer back meanwhile has set its bit before: it is queued here or there, and the second is refused.
        let ours = self.queued.load(Ordering::Acquire);
        for index in (0..self.count).filter(|index| ours & 1 << index != 0) {
            match self.call(&abi::QBUF, index) {
                Err(error) if error.raw_os_error() != Some(libc::EINVAL) => return Err(error),
                _ => {}
            }
        }
        self.stream()
    }

    pub(crate) fn device(&self) -> &Device {
        &self.device
    }

    /// Dequeues the oldest filled buffer, one of those that there are. Fails with [`io::ErrorKind::WouldBlock`] when none is filled.
    pub(crate) fn dequeue(&self) -> io::Result<Filled> {
        let (buffer, planes) = self.call(&abi::DQBUF, 0)?;
        if buffer.index >= self.count {
            return Err(io::ErrorKind::InvalidData.into());
        }
        self.queued.fetch_and(!(1 << buffer.index), Ordering::AcqRel);
        let data = planes.map(|plane| {
            let end = plane.bytes_used.min(plane.length) as usize;
            (end.min(plane.data_offset as usize), end)
        });
        let Buffer { index, flags, timestamp, sequence, .. } = buffer;
        Ok(Filled { index, data, flags, timestamp, sequence })
    }

    /// What a memory of a filled buffer holds; nothing where it was exported.
    pub(crate) fn bytes<'a>(&'a self, filled: &'a Filled, memory: usize) -> &'a [u8] {
        let mapping = self.mappings.get(filled.index()).and_then(|memories| memories.get(memory));
        let Some(mapping) = mapping else { return &[] };
        let (begin, end) = filled.data(memory);
        let end = end.min(mapping.length);
        // SAFETY: `end` bytes from `start` are mapped as long as `self`. The driver does not write to the buffer between
        // DQBUF and QBUF, for which `requeue` takes `filled`, and that is borrowed as long as the bytes are.
        let used = unsafe { std::slice::from_raw_parts(mapping.start.as_ptr(), end) };
        &used[begin.min(end)..]
    }

    /// Gives a buffer back to the driver.
    #[expect(clippy::needless_pass_by_value, reason = "who has given it back has it no more")]
    pub(crate) fn requeue(&self, filled: Filled) -> io::Result<()> {
        self.queue(filled.index)
    }

    fn queue(&self, index: u32) -> io::Result<()> {
        self.queued.fetch_or(1 << index, Ordering::AcqRel);
        self.call(&abi::QBUF, index).map(drop)
    }

    fn stream(&self) -> io::Result<()> {
        self.device.call(&abi::STREAMON, &mut (self.kind as i32))
    }

    fn request(device: Device, (kind, memory): (u32, u32), count: u32) -> io::Result<Self> {
        let mut request = RequestBuffers { count, kind, memory, ..RequestBuffers::zeroed() };
        device.call(&abi::REQBUFS, &mut request)?;
        let (mappings, handed, queued) = (Vec::new(), Vec::new(), AtomicU64::new(0));
        Ok(Self { kind, memory, count: request.count.min(MOST_BUFFERS), mappings, handed, queued, device })
    }

    /// The memories of a buffer.
    fn memories(&self, index: u32) -> io::Result<Vec<BufferPlane>> {
        let (buffer, planes) = self.call(&abi::QUERYBUF, index)?;
        let count = if self.kind == abi::VIDEO_CAPTURE_MPLANE { buffer.length as usize } else { 1 };
        Ok(planes.into_iter().take(count).collect())
    }

    fn export(&self, index: u32, plane: u32) -> io::Result<OwnedFd> {
        // Importers map it for writing, even where they only read.
        let flags = (libc::O_RDWR | libc::O_CLOEXEC) as u32;
        let mut export = ExportBuffer { kind: self.kind, index, plane, flags, ..ExportBuffer::zeroed() };
        self.device.call(&abi::EXPBUF, &mut export)?;
        // SAFETY: the call succeeded, so this is a new descriptor that nobody else owns.
        Ok(unsafe { OwnedFd::from_raw_fd(export.fd) })
    }

    /// Makes a call about the buffer `index`. What it says of its memory or memories is in the second value.
    fn call(&self, request: &Request<Buffer>, index: u32) -> io::Result<(Buffer, [BufferPlane; MAX_PLANES])> {
        let mut planes = [BufferPlane::zeroed(); MAX_PLANES];
        let handed = self.handed.get(index as usize).map_or(&[][..], Vec::as_slice);
        for (plane, memory) in planes.iter_mut().zip(handed) {
            (plane.m, plane.length) = (descriptor(memory.fd.as_raw_fd()), memory.length as u32);
        }
        let mut buffer = Buffer { index, kind: self.kind, memory: self.memory, ..Buffer::zeroed() };
        if self.kind == abi::VIDEO_CAPTURE_MPLANE {
            // The kernel writes to at most `length` planes, which outlive the call.
            buffer.m = (&raw mut planes).expose_provenance() as c_ulong;
            buffer.length = if handed.is_empty() { MAX_PLANES } else { handed.len() } as u32;
            self.device.call(request, &mut buffer)?;
        } else {
            (buffer.m, buffer.length) = (planes[0].m, planes[0].length);
            self.device.call(request, &mut buffer)?;
            let Buffer { bytes_used, length, m, .. } = buffer;
            planes[0] = BufferPlane { bytes_used, length, m, ..BufferPlane::zeroed() };
        }
        Ok((buffer, planes))
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // A device that is gone cannot be stopped, and need not be.
        let _ = self.device.call(&abi::STREAMOFF, &mut (self.kind as i32));
    }
}
