//! Which surfaces there are.

use std::ffi::c_int;

use streamlib_share::{SurfaceError, list};

use crate::pointers::place;
use crate::result::{OK, call, call_silently};
use crate::types::Surface;

/// See the header.
///
/// # Safety
/// `surfaces` and `count` are NULL or room for what they point to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn streamlib_list(surfaces: *mut *mut Surface, count: *mut usize) -> c_int {
    call(|| {
        // SAFETY: as the caller promises.
        let (surfaces, count) = unsafe { (place(surfaces, "surfaces")?, place(count, "count")?) };
        let mut found = match list(None) {
            Ok(found) => found,
            // No broker: nobody publishes anything.
            Err(SurfaceError::NoBroker { .. }) => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        found.sort_by(|a, b| a.name.cmp(&b.name));
        let found: Box<[Surface]> = found.iter().map(Surface::from).collect();
        count.write(found.len());
        surfaces.write(match found.len() {
            0 => std::ptr::null_mut(),
            _ => Box::into_raw(found).cast(),
        });
        Ok(OK)
    })
}

/// See the header.
///
/// # Safety
/// Both are from one call of [`streamlib_list`], and freed once; or `surfaces` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn streamlib_list_free(surfaces: *mut Surface, count: usize) {
    call_silently(|| {
        if !surfaces.is_null() {
            let surfaces = std::ptr::slice_from_raw_parts_mut(surfaces, count);
            // SAFETY: a box of so many, as the caller promises.
            drop(unsafe { Box::from_raw(surfaces) });
        }
    });
}
