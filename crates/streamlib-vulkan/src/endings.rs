//! Keeps the ends of threads and the ends of devices apart.
//!
//! A driver hears of the end of a thread that has used it: a destructor of its thread-specific values runs then. NVIDIA's (580.159)
//! takes a lock in it and asks for one that `vkDestroyDevice` holds. That waits for a thread of the driver's to end, which asks for the
//! first lock: none of the three goes on. So a thread that has used Vulkan through this crate ends before a device is destroyed, or
//! after it.
//!
//! Destructors run in the order in which their keys were made, and once more where one has set its value again; glibc and musl do it
//! so, while POSIX leaves the order open. The key here is made before a driver is loaded: its destructor opens the thread's end, and
//! when it is called again, the driver's have run.
#![allow(unsafe_code, reason = "hears of the end of threads")]

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;
use std::sync::{MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use streamlib_core::sync::{Condvar, Mutex};

/// How long a device waits for threads that end: it takes them far less, unless they wait for whoever destroys the device.
const PATIENCE: Duration = Duration::from_secs(1);

/// Where a thread is, as far as this module knows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Unknown,
    Noted,
    Ending,
}

thread_local! {
    static STAGE: Cell<Stage> = const { Cell::new(Stage::Unknown) };
}

static KEY: OnceLock<Option<libc::pthread_key_t>> = OnceLock::new();
/// Threads whose ends are under way.
static ENDING: Mutex<usize> = Mutex::new(0);
static ENDED: Condvar = Condvar::new();

/// To be called before a driver is loaded.
pub(crate) fn watch() {
    KEY.get_or_init(|| {
        let mut key = 0;
        // SAFETY: `key` is there to be written. The destructor is part of this library, which stays loaded while threads run that have
        // used it, as it does for Rust's own thread-local values.
        let answer = unsafe { libc::pthread_key_create(&raw mut key, Some(ends)) };
        if answer != 0 {
            tracing::warn!("the ends of threads go unnoticed: this process has no thread-specific key left");
        }
        (answer == 0).then_some(key)
    });
}

/// Sees to it that the end of this thread is noticed.
pub(crate) fn note_thread() {
    if STAGE.get() == Stage::Unknown {
        STAGE.set(Stage::Noted);
        set_value();
    }
}

/// No thread that has used Vulkan through this crate ends while this is held, unless it has been at it for [`PATIENCE`].
pub(crate) fn hold_off() -> MutexGuard<'static, usize> {
    let mut ending = ENDING.lock().unwrap_or_else(PoisonError::into_inner);
    let end = Instant::now() + PATIENCE;
    // Whoever destroys a device at its own end cannot wait for that.
    while *ending > 0 && STAGE.get() != Stage::Ending {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        ending = ENDED.wait_timeout(ending, left).unwrap_or_else(PoisonError::into_inner).0;
    }
    ending
}

/// Has [`ends`] called at the end of this thread.
fn set_value() -> bool {
    let Some(key) = KEY.get().copied().flatten() else { return false };
    // SAFETY: the key was made and is never deleted; the value is not null, and nobody follows it.
    unsafe { libc::pthread_setspecific(key, ptr::dangling::<c_void>()) == 0 }
}

unsafe extern "C" fn ends(_: *mut c_void) {
    let mut ending = ENDING.lock().unwrap_or_else(PoisonError::into_inner);
    if STAGE.get() == Stage::Ending {
        *ending -= 1;
        ENDED.notify_all();
    } else if set_value() {
        STAGE.set(Stage::Ending);
        *ending += 1;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

    use super::*;

    /// Long enough for what nothing holds up to happen.
    const SHORT: Duration = Duration::from_millis(100);

    /// What a driver does when a thread ends: says so, and waits until it is let go.
    struct Driver {
        ends: SyncSender<()>,
        go: Receiver<()>,
    }

    unsafe extern "C" fn driver_hears(driver: *mut c_void) {
        // SAFETY: `uses_driver` has put it there, for this call alone.
        let driver = unsafe { Box::from_raw(driver.cast::<Driver>()) };
        driver.ends.send(()).expect("the test waits");
        driver.go.recv().expect("the test lets it go");
    }

    /// Uses the driver as a thread of this crate's does.
    fn uses_driver(driver: Driver) {
        static KEY: OnceLock<libc::pthread_key_t> = OnceLock::new();
        let key = *KEY.get_or_init(|| {
            let mut key = 0;
            // SAFETY: `key` is there to be written.
            assert_eq!(unsafe { libc::pthread_key_create(&raw mut key, Some(driver_hears)) }, 0);
            key
        });
        // SAFETY: the key was made and is never deleted.
        assert_eq!(unsafe { libc::pthread_setspecific(key, Box::into_raw(Box::new(driver)).cast()) }, 0);
        note_thread();
    }

    fn driver() -> (Driver, Receiver<()>, SyncSender<()>) {
        let ((ends, ended), (let_go, go)) = (sync_channel(1), sync_channel(1));
        (Driver { ends, go }, ended, let_go)
    }

    #[test]
    fn a_device_is_destroyed_when_threads_that_end_have_ended() {
        watch();
        let (there, ended, let_go) = driver();
        let thread = std::thread::spawn(move || uses_driver(there));
        ended.recv().expect("it ends");
        let (destroys, destroyed) = sync_channel(1);
        let destroyer = std::thread::spawn(move || {
            let _held = hold_off();
            destroys.send(()).expect("the test waits");
        });
        destroyed.recv_timeout(SHORT).expect_err("the driver has not heard all of the thread's end");
        let_go.send(()).expect("it waits");
        destroyed.recv().expect("nothing holds it up");
        thread.join().expect("no panic");
        destroyer.join().expect("no panic");
    }

    #[test]
    fn a_thread_ends_when_a_device_has_been_destroyed() {
        watch();
        let (there, ended, let_go) = driver();
        let held = hold_off();
        let thread = std::thread::spawn(move || uses_driver(there));
        ended.recv_timeout(SHORT).expect_err("the driver is not to hear of it yet");
        drop(held);
        ended.recv().expect("nothing holds it up");
        let_go.send(()).expect("it waits");
        thread.join().expect("no panic");
    }

    #[test]
    fn a_thread_may_destroy_a_device_at_its_own_end() {
        unsafe extern "C" fn destroys(_: *mut c_void) {
            drop(hold_off());
        }
        watch();
        let mut key = 0;
        // SAFETY: `key` is there to be written.
        assert_eq!(unsafe { libc::pthread_key_create(&raw mut key, Some(destroys)) }, 0);
        let thread = std::thread::spawn(move || {
            note_thread();
            // SAFETY: the key was made and is never deleted; nobody follows the value.
            assert_eq!(unsafe { libc::pthread_setspecific(key, ptr::dangling::<c_void>()) }, 0);
        });
        thread.join().expect("no panic");
    }
}
