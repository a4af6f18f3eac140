//! What every call from Python goes through, and what becomes of the core's objects when Python lets go of them.

use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use pyo3::marker::Ungil;
use pyo3::prelude::*;

use crate::error;

/// Waits come back this often to look for signals.
const SLICE: Duration = Duration::from_millis(50);

/// This process is a copy that `fork` made of another: the GPU, its memory and all threads are the other's.
static FORKED: AtomicBool = AtomicBool::new(false);
/// The interpreter is about to end.
static CLOSING: AtomicBool = AtomicBool::new(false);
/// How often a thread of the core was seen in the interpreter.
static ENTRIES: AtomicU64 = AtomicU64::new(0);
/// Threads of Python's that have let go of the interpreter in here, and will want it back.
static AWAY: Mutex<usize> = Mutex::new(0);
static CAME_BACK: Condvar = Condvar::new();

/// Runs what a call from Python asks for: not in a forked process, and with panics as exceptions.
pub(crate) fn enter<T>(py: Python<'_>, work: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    note_thread();
    if is_forked() {
        return Err(error::forked(py));
    }
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(error::panicked(py, &*panic)))
}

/// Threads that Python made have no name that Rust knows of; those of the core all have one.
fn note_thread() {
    thread_local! {
        static IS_CORE: bool = std::thread::current().name().is_some_and(|name| name != "main");
    }
    if IS_CORE.with(|is_core| *is_core) {
        ENTRIES.fetch_add(1, Ordering::Relaxed);
    }
}

pub(crate) fn entries() -> u64 {
    ENTRIES.load(Ordering::Relaxed)
}

pub(crate) fn note_fork() {
    FORKED.store(true, Ordering::Relaxed);
}

pub(crate) fn is_forked() -> bool {
    FORKED.load(Ordering::Relaxed)
}

/// From now on nobody lets go of the interpreter any more: it might be gone afterwards.
pub(crate) fn note_closing() {
    CLOSING.store(true, Ordering::SeqCst);
}

pub(crate) fn is_closing() -> bool {
    CLOSING.load(Ordering::SeqCst)
}

/// Runs work without the interpreter, so that other threads of Python's go on meanwhile.
pub(crate) fn released<T: Ungil>(py: Python<'_>, work: impl FnOnce() -> T + Ungil) -> T {
    if is_closing() {
        return work();
    }
    let _away = Away::leave();
    py.detach(work)
}

/// A thread that is away; back when it is dropped, with the interpreter in hand.
struct Away;

impl Away {
    fn leave() -> Self {
        *AWAY.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Self
    }
}

impl Drop for Away {
    fn drop(&mut self) {
        *AWAY.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        CAME_BACK.notify_all();
    }
}

/// Waits until all threads have come back, `limit` at most. Called without the interpreter.
pub(crate) fn await_all(limit: Duration) {
    let away = AWAY.lock().unwrap_or_else(PoisonError::into_inner);
    let waited = CAME_BACK.wait_timeout_while(away, limit, |away| *away > 0);
    drop(waited.unwrap_or_else(PoisonError::into_inner));
}

/// Waits for `seconds` at most, in slices that `step` waits for and answers when something has come. Signals are looked for
/// between them.
pub(crate) fn wait<T: Send>(
    py: Python<'_>,
    seconds: f64,
    mut step: impl FnMut(Duration) -> Option<T> + Send,
) -> PyResult<Option<T>> {
    if seconds.is_nan() {
        return Err(error::value(py, "a time to wait is a number of seconds, and not NaN"));
    }
    // More than the clock can hold is forever.
    let limit = Duration::try_from_secs_f64(seconds.max(0.0)).ok();
    let until = limit.and_then(|limit| Instant::now().checked_add(limit));
    loop {
        let left = until.map_or(SLICE, |until| until.saturating_duration_since(Instant::now()));
        let slice = if is_closing() { Duration::ZERO } else { left.min(SLICE) };
        let came = if slice.is_zero() { step(slice) } else { released(py, || step(slice)) };
        if came.is_some() {
            return Ok(came);
        }
        py.check_signals()?;
        if is_closing() || until.is_some_and(|until| Instant::now() >= until) {
            return Ok(None);
        }
    }
}

/// Something of the core's. In a forked process it is left alone when it is let go of: it belongs to another.
pub(crate) struct Kept<T>(Option<T>);

impl<T> Kept<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Some(value))
    }
}

impl<T> Deref for Kept<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("it is there until drop")
    }
}

impl<T> Drop for Kept<T> {
    fn drop(&mut self) {
        if is_forked() {
            std::mem::forget(self.0.take());
        }
    }
}

/// Something of the core's that waits for threads or the GPU when it goes; others use the interpreter meanwhile.
pub(crate) struct Slow<T: Send>(Kept<T>);

impl<T: Send> Slow<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Kept::new(value))
    }
}

impl<T: Send> Deref for Slow<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Send> Drop for Slow<T> {
    fn drop(&mut self) {
        if is_forked() {
            return;
        }
        let Some(value) = self.0.0.take() else { return };
        note_thread();
        // Where the interpreter cannot be had, it is dropped all the same, with the closure.
        let dropping = AssertUnwindSafe(|| Python::try_attach(|py| released(py, move || drop(value))));
        let _panicked = catch_unwind(dropping);
    }
}
