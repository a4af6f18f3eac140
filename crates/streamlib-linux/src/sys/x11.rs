//! What becomes of the process when its X server goes away: by itself, Xlib ends it.

use std::ffi::{CStr, c_int, c_void};
use std::sync::atomic::{AtomicBool, Ordering};

use raw_window_handle::{DisplayHandle, RawDisplayHandle};

/// Called when a connection is lost.
type ErrorHandler = unsafe extern "C" fn(*mut c_void) -> c_int;
type SetErrorHandler = unsafe extern "C" fn(Option<ErrorHandler>) -> Option<ErrorHandler>;
/// Called after that, with a value of the caller's.
type ExitHandler = unsafe extern "C" fn(*mut c_void, *mut c_void);
type SetExitHandler = unsafe extern "C" fn(*mut c_void, Option<ExitHandler>, *mut c_void);

/// Lets the process live on, and `is_lost` turn true, when the X server of this connection goes away. Whether that can be: the
/// library is of 2020 or later. Other window systems need nothing of the kind.
pub(crate) fn outlive_server(display: DisplayHandle<'_>, is_lost: &'static AtomicBool) -> bool {
    let RawDisplayHandle::Xlib(handle) = display.as_raw() else { return true };
    let Some(connection) = handle.display else { return false };
    // SAFETY: all texts end with a zero. The library is the one that made the connection, so it is loaded already and stays.
    let (set_error, set_exit) = unsafe {
        let library = libc::dlopen(c"libX11.so.6".as_ptr(), libc::RTLD_LAZY);
        if library.is_null() {
            return false;
        }
        let symbol = |name: &CStr| libc::dlsym(library, name.as_ptr());
        (symbol(c"XSetIOErrorHandler"), symbol(c"XSetIOErrorExitHandler"))
    };
    if set_error.is_null() || set_exit.is_null() {
        return false;
    }
    // SAFETY: `int (*XSetIOErrorHandler(int (*)(Display *)))(Display *)` and
    // `void XSetIOErrorExitHandler(Display *, void (*)(Display *, void *), void *)` have these types, and are not null.
    let (set_error, set_exit) = unsafe {
        (
            std::mem::transmute::<*mut c_void, SetErrorHandler>(set_error),
            std::mem::transmute::<*mut c_void, SetExitHandler>(set_exit),
        )
    };
    let data = std::ptr::from_ref(is_lost).cast_mut().cast();
    // SAFETY: the connection was lent, so it is there; the handlers take what they are given here, and the flag lives for ever.
    // The first one is the process's, and would end it by itself.
    unsafe {
        set_error(Some(take_notice));
        set_exit(connection.as_ptr(), Some(note_loss), data);
    }
    true
}

unsafe extern "C" fn take_notice(_display: *mut c_void) -> c_int {
    0
}

/// # Safety
/// `is_lost` is the flag that was given along with this handler.
unsafe extern "C" fn note_loss(_display: *mut c_void, is_lost: *mut c_void) {
    // SAFETY: as the caller promises; the flag is never written but atomically.
    unsafe { &*is_lost.cast::<AtomicBool>() }.store(true, Ordering::Release);
}
