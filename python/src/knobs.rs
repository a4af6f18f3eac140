//! Parameters by name, to be set from any thread at any time.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::exceptions::PyAttributeError;
use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use streamlib::Knob;

use crate::error;
use crate::gate::{self, Kept, released};
use crate::value;

/// Parameters by name as attributes: `knobs.radius = 0.1` acts on the next frame.
#[pyclass(frozen, module = "streamlib._streamlib")]
pub(crate) struct Knobs {
    /// The graph was stopped.
    is_over: Arc<AtomicBool>,
    knobs: Kept<BTreeMap<String, Mutex<Knob>>>,
}

impl Knobs {
    pub(crate) fn new(is_over: Arc<AtomicBool>, knobs: BTreeMap<String, Knob>) -> Self {
        let knobs = knobs.into_iter().map(|(name, knob)| (name, Mutex::new(knob)));
        Self { is_over, knobs: Kept::new(knobs.collect()) }
    }

    fn knob(&self, name: &str) -> PyResult<&Mutex<Knob>> {
        self.knobs.get(name).ok_or_else(|| {
            let known: Vec<_> = self.knobs.keys().map(String::as_str).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            PyAttributeError::new_err(format!("there is no parameter `{name}`; there are: {known}"))
        })
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }
}

#[pymethods]
impl Knobs {
    fn __getattr__(&self, py: Python<'_>, name: &str) -> PyResult<Py<PyAny>> {
        gate::enter(py, || {
            let knob = self.knob(name)?;
            let value = knob.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner).value();
            let value = value.filter(|_| !self.is_over()).ok_or_else(|| over(py))?;
            Ok(value::write(py, &value)?.unbind())
        })
    }

    fn __setattr__(&self, py: Python<'_>, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
        gate::enter(py, || {
            let knob = self.knob(name)?;
            if self.is_over() {
                return Err(over(py));
            }
            let value = value::read(value)?;
            let mut knob = knob.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner);
            let knob = &mut *knob;
            let set = match knob.try_set(&value) {
                Ok(false) => released(py, || knob.set(&value)),
                set => set.map(drop),
            };
            set.map_err(|error| error::of_graph(py, &error))
        })
    }

    fn __dir__(&self) -> Vec<&str> {
        self.knobs.keys().map(String::as_str).collect()
    }
}

fn over(py: Python<'_>) -> PyErr {
    error::closed(py, "the graph has ended: its parameters are no more")
}
