//! The end of the interpreter, and copies of it that `fork` makes.

use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyDict};

use crate::gate::{self, released};
use crate::live;

/// Threads that wait in here come back in a fraction of this.
const PATIENCE: Duration = Duration::from_secs(2);

/// Has the interpreter call when it ends and when it was forked.
pub(crate) fn watch(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let end = PyCFunction::new_closure(py, None, None, |arguments, _| close(arguments.py()))?;
    py.import("atexit")?.call_method1("register", (end,))?;
    let forked = PyCFunction::new_closure(py, None, None, |_, _| gate::note_fork())?;
    let hooks = PyDict::new(py);
    hooks.set_item("after_in_child", forked)?;
    py.import("os")?.call_method("register_at_fork", (), Some(&hooks))?;
    Ok(())
}

/// Stops all graphs, and waits until no thread is without the interpreter that will want it back: it would never get it.
fn close(py: Python<'_>) {
    if gate::is_forked() {
        return;
    }
    released(py, live::stop_all);
    gate::note_closing();
    py.detach(|| gate::await_all(PATIENCE));
}
