//! Publishing a surface.

use std::collections::BTreeMap;
use std::ffi::{c_char, c_int};
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, MutexGuard, PoisonError};

use rustix::time::{ClockId, clock_gettime};
use streamlib_core::frame::{FrameMeta, Timestamp};
use streamlib_core::sync::Mutex;
use streamlib_share::{BufferDescription, Publisher, PublisherOptions, SharedBuffer};

use crate::pointers::{hand_over, name, place, read, take_back};
use crate::result::{Failure, OK, call, call_silently};
use crate::types::{Buffer, Meta, Stats, access};

/// States of a buffer: nobody uses it; the program writes it; it is published, and may be looked at.
const FREE: u8 = 0;
const TAKEN: u8 = 1;
const OUT: u8 = 2;

/// `streamlib_publisher`.
#[derive(Debug)]
pub struct Publishing(Mutex<Canvases>);

impl Publishing {
    /// What a panic has left half done is a buffer that is never free again, at worst.
    fn lock(&self) -> MutexGuard<'_, Canvases> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A publisher with buffers that the program writes in turn.
#[derive(Debug)]
struct Canvases {
    publisher: Publisher<Shown>,
    buffers: BTreeMap<u64, Canvas>,
}

#[derive(Debug)]
struct Canvas {
    shared: SharedBuffer,
    state: Arc<AtomicU8>,
}

/// A frame that may be looked at: its buffer is free when this is dropped.
#[derive(Debug)]
struct Shown(Arc<AtomicU8>);

impl Drop for Shown {
    fn drop(&mut self) {
        self.0.store(FREE, Ordering::Release);
    }
}

impl Canvases {
    fn add(&mut self, description: BufferDescription, descriptor: BorrowedFd<'_>) -> Result<u64, Failure> {
        let duplicate = |source| Failure::System { action: "duplicate the descriptor `fd`", source };
        let ours = descriptor.try_clone_to_owned().map_err(duplicate)?;
        let shared = self.publisher.add_buffer(description, move || ours.try_clone());
        let id = shared.id().get();
        self.buffers.insert(id, Canvas { shared, state: Arc::new(AtomicU8::new(FREE)) });
        Ok(id)
    }

    fn remove(&mut self, id: u64) -> Result<(), Failure> {
        let canvas = self.buffers.remove(&id).ok_or(Failure::UnknownBuffer(id))?;
        self.publisher.remove_buffer(&canvas.shared);
        Ok(())
    }

    fn take(&mut self) -> Result<u64, Failure> {
        self.publisher.reclaim();
        let is_free = |canvas: &Canvas| canvas.state.load(Ordering::Acquire) == FREE;
        let found = self.buffers.iter().find(|(_, canvas)| is_free(canvas));
        let (id, canvas) = found.ok_or(Failure::NoFreeBuffer { buffers: self.buffers.len() })?;
        canvas.state.store(TAKEN, Ordering::Relaxed);
        Ok(*id)
    }

    fn taken(&self, id: u64) -> Result<&Canvas, Failure> {
        let canvas = self.buffers.get(&id).ok_or(Failure::UnknownBuffer(id))?;
        let is_taken = canvas.state.load(Ordering::Relaxed) == TAKEN;
        is_taken.then_some(canvas).ok_or(Failure::NotTaken(id))
    }

    fn publish(&mut self, id: u64, meta: &FrameMeta) -> Result<u64, Failure> {
        let canvas = self.taken(id)?;
        canvas.state.store(OUT, Ordering::Relaxed);
        let (shared, shown) = (canvas.shared, Shown(canvas.state.clone()));
        self.publisher.publish(&shared, meta, shown).map_err(|_dropped| Failure::AllHeld)
    }
}

/// Captured now, without a sequence number.
fn now() -> FrameMeta {
    let now = clock_gettime(ClockId::Monotonic);
    FrameMeta { captured: Timestamp(now.tv_sec * 1_000_000_000 + now.tv_nsec), ..FrameMeta::default() }
}

/// See the header.
///
/// # Safety
/// `name` is NULL or a text that ends with a zero, `publisher` NULL or room for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn streamlib_publisher_create(
    name: *const c_char,
    access: u32,
    group: u32,
    publisher: *mut *mut Publishing,
) -> c_int {
    call(|| {
        // SAFETY: as the caller promises.
        let (name, place) = unsafe { (self::name(name)?, place(publisher, "publisher")?) };
        let access = self::access(access, group)?;
        let publisher = Publisher::create(name, &PublisherOptions { access, ..PublisherOptions::default() })?;
        let canvases = Canvases { publisher, buffers: BTreeMap::new() };
        place.write(hand_over(Publishing(Mutex::new(canvases))));
        Ok(OK)
    })
}

/// See the header.
///
/// # Safety
/// `publisher` is NULL or an open publisher, `buffer` NULL or a buffer, `id` NULL or room for one. `fd` is not closed meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn streamlib_publisher_add_buffer(
    publisher: *mut Publishing,
    buffer: *const Buffer,
    fd: c_int,
    id: *mut u64,
) -> c_int {
    call(|| {
        // SAFETY: as the caller promises.
        let (publisher, buffer, id) =
            unsafe { (read(publisher, "publisher")?, read(buffer, "buffer")?, place(id, "id")?) };
        let description = buffer.description()?;
        if fd < 0 {
            let wanted = "it is to be an open descriptor of the buffer's memory";
            return Err(Failure::Argument { argument: "fd", found: fd.into(), wanted });
        }
        // SAFETY: it is not -1, and used in this call only. If it is not open, the system says so.
        let descriptor = unsafe { BorrowedFd::borrow_raw(fd) };
        id.write(publisher.lock().add(description, descriptor)?);
        Ok(OK)
    })
}

/// See the header.
///
/// # Safety
/// `publisher` is NULL or an open publisher.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn streamlib_publisher_remove_buffer(publisher: *mut Publishing, id: u64) -> c_int {
    call(|| {
        // SAFETY: as the caller promises.
        let publisher = unsafe { read(publisher, "publisher") }?;
        publisher.lock().remove(id)?;
        Ok(OK)
    })
}

/// See the header.
///
/// # Safety
/// `publisher` is NULL or an open publisher, `id` NULL or room for one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn streamlib_publisher_take(publisher: *mut Publishing, id: *mut u64) -> c_int {
    call(|| {
        // SAFETY: as the caller promises.
        let (publisher, id) = unsafe { (read(publisher, "publisher")?, place(id, "id")?) };
        id.write(publisher.lock().take()?);
        Ok(OK)
    })
}

/// See the header.
///
/// # Safety
/// `publisher` is NULL or an open publisher, `meta` NULL or a meta, `number` NULL or room for one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn streamlib_publisher_publish(
    publisher: *mut Publishing,
    id: u64,
    meta: *const Meta,
    number: *mut u64,
) -> c_int {
    call(|| {
        // SAFETY: as the caller promises. That `meta` and `number` are NULL is no mistake.
        let (publisher, meta, place) =
            unsafe { (read(publisher, "publisher")?, meta.as_ref(), place(number, "number")) };
        let meta = meta.map_or_else(now, FrameMeta::from);
        let number = publisher.lock().publish(id, &meta)?;
        if let Ok(place) = place {
            place.write(number);
        }
        Ok(OK)
    })
}

/// See the header.
///
/// # Safety
/// `publisher` is NULL or an open publisher.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn streamlib_publisher_give_back(publisher: *mut Publishing, id: u64) -> c_int {
    call(|| {
        // SAFETY: as the caller promises.
        let publisher = unsafe { read(publisher, "publisher") }?;
        publisher.lock().taken(id)?.state.store(FREE, Ordering::Relaxed);
        Ok(OK)
    })
}

/// See the header.
///
/// # Safety
/// `publisher` is NULL or an open publisher, `stats` NULL or room for them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn streamlib_publisher_stats(publisher: *mut Publishing, stats: *mut Stats) -> c_int {
    call(|| {
        // SAFETY: as the caller promises.
        let (publisher, stats) = unsafe { (read(publisher, "publisher")?, place(stats, "stats")?) };
        stats.write(publisher.lock().publisher.stats().into());
        Ok(OK)
    })
}

/// See the header.
///
/// # Safety
/// `publisher` is NULL or an open publisher.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn streamlib_publisher_count_dropped(publisher: *mut Publishing, frames: u64) -> c_int {
    call(|| {
        // SAFETY: as the caller promises.
        let publisher = unsafe { read(publisher, "publisher") }?;
        publisher.lock().publisher.count_dropped(frames);
        Ok(OK)
    })
}

/// See the header.
///
/// # Safety
/// `publisher` is NULL or an open publisher, which nobody uses any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn streamlib_publisher_close(publisher: *mut Publishing) {
    // SAFETY: as the caller promises.
    call_silently(|| drop(unsafe { take_back(publisher) }));
}
