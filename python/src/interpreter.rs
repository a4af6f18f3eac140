//! Which interpreter imports the module.
#![allow(unsafe_code, reason = "PyO3 has no safe call for it")]

use pyo3::exceptions::PyImportError;
use pyo3::ffi;
use pyo3::prelude::*;

/// The module's state is one for the process: interpreters beside the main one would mix their objects in it. (CPython itself
/// refuses this from 3.12 on.)
pub(crate) fn refuse_others(_py: Python<'_>) -> PyResult<()> {
    // SAFETY: the interpreter is in hand, as the argument proves, so there is a current one, and it is not null.
    let number = unsafe { ffi::PyInterpreterState_GetID(ffi::PyInterpreterState_Get()) };
    if number == 0 {
        return Ok(());
    }
    let text = "streamlib works in the main interpreter only, not in subinterpreters: import it there, or start a process with \
                multiprocessing.get_context(\"spawn\")";
    Err(PyImportError::new_err(text))
}
