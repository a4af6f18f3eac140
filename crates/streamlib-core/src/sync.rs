//! The standard library's locks, which a test can count.
//!
//! With the feature `count-locks` each thread counts how often it takes one (`locks_taken`), so that a test can prove
//! that the frame path takes none. Without it these are the standard library's locks and nothing else.

use std::sync::{
    LockResult, MutexGuard, RwLockReadGuard, RwLockWriteGuard, TryLockResult, WaitTimeoutResult,
};
use std::time::Duration;

#[cfg(feature = "count-locks")]
mod count {
    use std::cell::Cell;

    thread_local! {
        static TAKEN: Cell<u64> = const { Cell::new(0) };
    }

    /// How many locks this thread has taken or tried to take, waits on a [`Condvar`](super::Condvar) among them.
    #[must_use]
    pub fn locks_taken() -> u64 {
        TAKEN.get()
    }

    pub(super) fn note() {
        // A thread that is ending has no counter any more.
        let _ending = TAKEN.try_with(|taken| taken.set(taken.get() + 1));
    }
}

#[cfg(feature = "count-locks")]
pub use count::locks_taken;
#[cfg(feature = "count-locks")]
use count::note;

#[cfg(not(feature = "count-locks"))]
fn note() {}

/// [`std::sync::Mutex`].
#[derive(Debug, Default)]
pub struct Mutex<T>(std::sync::Mutex<T>);

impl<T> Mutex<T> {
    /// As [`std::sync::Mutex::new`].
    pub const fn new(value: T) -> Self {
        Self(std::sync::Mutex::new(value))
    }

    /// As [`std::sync::Mutex::lock`].
    ///
    /// # Errors
    /// When a thread panicked while it held the lock.
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        note();
        self.0.lock()
    }

    /// As [`std::sync::Mutex::try_lock`].
    ///
    /// # Errors
    /// When the lock is held, or a thread panicked while it held it.
    pub fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
        note();
        self.0.try_lock()
    }
}

/// [`std::sync::RwLock`].
#[derive(Debug, Default)]
pub struct RwLock<T>(std::sync::RwLock<T>);

impl<T> RwLock<T> {
    /// As [`std::sync::RwLock::new`].
    pub const fn new(value: T) -> Self {
        Self(std::sync::RwLock::new(value))
    }

    /// As [`std::sync::RwLock::read`].
    ///
    /// # Errors
    /// When a thread panicked while it held the lock for writing.
    pub fn read(&self) -> LockResult<RwLockReadGuard<'_, T>> {
        note();
        self.0.read()
    }

    /// As [`std::sync::RwLock::write`].
    ///
    /// # Errors
    /// When a thread panicked while it held the lock for writing.
    pub fn write(&self) -> LockResult<RwLockWriteGuard<'_, T>> {
        note();
        self.0.write()
    }
}

/// [`std::sync::Condvar`].
#[derive(Debug, Default)]
pub struct Condvar(std::sync::Condvar);

impl Condvar {
    /// As [`std::sync::Condvar::new`].
    #[must_use]
    pub const fn new() -> Self {
        Self(std::sync::Condvar::new())
    }

    /// As [`std::sync::Condvar::notify_all`].
    pub fn notify_all(&self) {
        self.0.notify_all();
    }

    /// As [`std::sync::Condvar::wait_timeout`].
    ///
    /// # Errors
    /// When a thread panicked while it held the lock.
    pub fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        timeout: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        note();
        self.0.wait_timeout(guard, timeout)
    }
}

#[cfg(all(test, feature = "count-locks"))]
mod tests {
    use super::*;

    #[test]
    fn each_thread_counts_the_locks_that_it_takes() {
        let (mutex, rw_lock, bell) = (Mutex::new(()), RwLock::new(()), Condvar::new());
        let before = locks_taken();
        let guard = mutex.lock().unwrap();
        assert!(mutex.try_lock().is_err());
        drop(bell.wait_timeout(guard, Duration::ZERO).unwrap());
        drop(rw_lock.write().unwrap());
        drop(rw_lock.read().unwrap());
        std::thread::scope(|scope| {
            scope.spawn(|| drop(mutex.lock().unwrap()));
        });
        assert_eq!(locks_taken() - before, 5);
    }
}
