//! Reading a surface.

use std::ffi::{c_char, c_int};
use std::num::NonZeroU64;
use std::os::fd::{IntoRawFd as _, OwnedFd};
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use streamlib_core::sync::Mutex;
use streamlib_share::{Acquired, BufferDescription, Reader, ReaderOptions};

use crate::pointers::{hand_over, name, place, read, take_back};
use crate::result::{Failure, OK, TIMEOUT, call, call_silently};
use crate::types::{Buffer, Frame};

/// `streamlib_reader`.
#[derive(Debug)]
pub struct Reading(Mutex<Viewer>);

impl Reading {
    /// A reader is as it should be also after a panic: what it holds is written in one step.
    fn lock(&self) -> MutexGuard<'_, Viewer> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A reader, and what it can ask for.
#[derive(Debug)]
struct Viewer {
    reader: Reader,
    /// The last buffer that a frame lay in. There is none beyond, and who asks for one all the same is shown out.
    last_buffer: u64,
}

impl Viewer {
    fn acquire(&mut self, timeout: Duration) -> Result<Option<Acquired>, Failure> {
        let acquired = self.reader.acquire(timeout)?;
        let buffer = acquired.as_ref().map_or(0, |acquired| acquired.buffer().get());
        self.last_buffer = self.last_buffer.max(buffer);
        Ok(acquired)
    }

    fn buffer(&mut self, id: u64) -> Result<(BufferDescription, OwnedFd), Failure> {
        let known = NonZeroU64::new(id).filter(|id| id.get() <= self.last_buffer);
        Ok(self.reader.buffer(known.ok_or(Failure::UnseenBuffer(id))?.into())?)
    }

    fn reopen(&mut self) -> Result<(), Failure> {
        self.reader.reopen()?;
        self.last_buffer = 0;
        Ok(())
    }
}

/// Below 0 is for ever, which is 292 million years here.
fn timeout(milliseconds: i64) -> Duration {
    Duration::from_millis(u64::try_from(milliseconds).unwrap_or(i64::MAX as u64))
}

/// See the header.
///
/// # Safety
/// `name` is NULL or a text that ends with a zero, `reader` NULL or room for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn streamlib_reader_open(
    name: *const c_char,
    timeout_ms: i64,
    reader: *mut *mut Reading,
) -> c_int {
    call(|| {
        // SAFETY: as the caller promises.
        let (name, place) = unsafe { (self::name(name)?, place(reader, "reader")?) };
        let options = ReaderOptions { patience: timeout(timeout_ms), ..ReaderOptions::default() };
        let opened = Reader::open(name, &options)?;
        place.write(hand_over(Reading(Mutex::new(Viewer { reader: opened, last_buffer: 0 }))));
        Ok(OK)
    })
}

/// See the header.
///
/// # Safety
/// `reader` is NULL or an open reader, `frame` NULL or room for a frame.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn streamlib_reader_acquire(
    reader: *mut Reading,
    timeout_ms: i64,
    frame: *mut Frame,
) -> c_int {
    call(|| {
        // SAFETY: as the caller promises.
        let (reader, place) = unsafe { (read(reader, "reader")?, place(frame, "frame")?) };
        let Some(acquired) = reader.lock().acquire(timeout(timeout_ms))? else { return Ok(TIMEOUT) };
        let mut frame = Frame::new(&acquired, std::ptr::null_mut());
        frame.lease = hand_over(acquired);
        place.write(frame);
        Ok(OK)
    })
}

/// See the header.
///
/// # Safety
/// `reader` is NULL or an open reader.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn streamlib_reader_stay_awake(reader: *mut Reading, awake_ns: i64) -> c_int {
    call(|| {
        // SAFETY: as the caller promises.
        let reader = unsafe { read(reader, "reader") }?;
        let nanoseconds = u64::try_from(awake_ns).map_err(|_| Failure::Argument {
            argument: "awake_ns",
            found: awake_ns,
            wanted: "it is a time in nanoseconds, or 0",
        })?;
        reader.lock().reader.stay_awake(Duration::from_nanos(nanoseconds));
        Ok(OK)
    })
}

/// See the header.
///
/// # Safety
/// `reader` is NULL or an open reader; `buffer` and `fd` are NULL or room for what they point to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn streamlib_reader_buffer(
    reader: *mut Reading,
    id: u64,
    buffer: *mut Buffer,
    fd: *mut c_int,
) -> c_int {
    call(|| {
        // SAFETY: as the caller promises.
        let reader = unsafe { read(reader, "reader") }?;
        let (description, descriptor) = reader.lock().buffer(id)?;
        // SAFETY: as the caller promises. That they are NULL is no mistake.
        let (buffer, fd) = unsafe { (place(buffer, "buffer"), place(fd, "fd")) };
        if let Ok(buffer) = buffer {
            buffer.write(Buffer::from(&description));
        }
        if let Ok(fd) = fd {
            fd.write(descriptor.into_raw_fd());
        }
        Ok(OK)
    })
}

/// See the header.
///
/// # Safety
/// `reader` is NULL or an open reader.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn streamlib_reader_reopen(reader: *mut Reading) -> c_int {
    call(|| {
        // SAFETY: as the caller promises.
        let reader = unsafe { read(reader, "reader") }?;
        reader.lock().reopen()?;
        Ok(OK)
    })
}

/// See the header.
///
/// # Safety
/// `reader` is NULL or an open reader, which nobody uses any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn streamlib_reader_close(reader: *mut Reading) {
    // SAFETY: as the caller promises.
    call_silently(|| drop(unsafe { take_back(reader) }));
}

/// See the header.
///
/// # Safety
/// `frame` is NULL or points to a frame, which is not copied to be released twice.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn streamlib_frame_release(frame: *mut Frame) {
    call_silently(|| {
        // SAFETY: as the caller promises.
        let Some(frame) = (unsafe { frame.as_mut() }) else { return };
        let lease: *mut Acquired = std::mem::replace(&mut frame.lease, std::ptr::null_mut());
        // SAFETY: it is from `streamlib_reader_acquire`, and forgotten just now.
        drop(unsafe { take_back(lease) });
    });
}
