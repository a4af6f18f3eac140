//! Pointers from C.

use std::ffi::{CStr, c_char};
use std::mem::MaybeUninit;

use streamlib_share::{BadName, SurfaceError};

use crate::result::Failure;

/// What `pointer` points to, to be read.
///
/// # Safety
/// It is NULL, or points to a `T` that nobody writes during `'a`.
pub(crate) unsafe fn read<'a, T>(pointer: *const T, name: &'static str) -> Result<&'a T, Failure> {
    // SAFETY: as the caller promises.
    unsafe { pointer.as_ref() }.ok_or(Failure::Null(name))
}

/// The place that `pointer` points to, to be written.
///
/// # Safety
/// It is NULL, or points to room for a `T` that nobody else uses during `'a`.
pub(crate) unsafe fn place<'a, T>(
    pointer: *mut T,
    name: &'static str,
) -> Result<&'a mut MaybeUninit<T>, Failure> {
    // SAFETY: as the caller promises; what lies there need not be a `T` yet.
    unsafe { pointer.cast::<MaybeUninit<T>>().as_mut() }.ok_or(Failure::Null(name))
}

/// The name that `pointer` points to. Whether it can be one, is found out later.
///
/// # Safety
/// It is NULL, or points to bytes that end with a zero and that nobody writes during `'a`.
pub(crate) unsafe fn name<'a>(pointer: *const c_char) -> Result<&'a str, Failure> {
    if pointer.is_null() {
        return Err(Failure::Null("name"));
    }
    // SAFETY: as the caller promises.
    let name = unsafe { CStr::from_ptr(pointer) };
    name.to_str()
        .map_err(|_| SurfaceError::from(BadName(name.to_string_lossy().chars().take(64).collect())).into())
}

/// Hands a value to C, which gives it back to [`take_back`].
pub(crate) fn hand_over<T>(value: T) -> *mut T {
    Box::into_raw(Box::new(value))
}

/// Takes back what was handed over; nothing for NULL.
///
/// # Safety
/// It is NULL, or from [`hand_over`] and taken back once.
pub(crate) unsafe fn take_back<T>(pointer: *mut T) -> Option<Box<T>> {
    // SAFETY: as the caller promises.
    (!pointer.is_null()).then(|| unsafe { Box::from_raw(pointer) })
}
