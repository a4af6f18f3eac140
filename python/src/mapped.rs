//! Host views: texels in mapped memory, for NumPy to look at in place.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::prelude::*;
use pyo3::types::PyDict;
use streamlib::format::Size;

use crate::array::Layout;
use crate::error;
use crate::gate;
use crate::memory::HostTexels;

/// Texels in mapped host memory, read-only. Arrays made of it keep the memory for as long as they live.
#[pyclass(frozen, module = "streamlib._streamlib")]
pub(crate) struct Mapped {
    texels: Arc<HostTexels>,
    size: Size,
    layout: Layout,
    is_closed: AtomicBool,
}

impl Mapped {
    pub(crate) fn new(texels: Arc<HostTexels>, size: Size, layout: Layout) -> Self {
        Self { texels, size, layout, is_closed: AtomicBool::new(false) }
    }
}

#[pymethods]
impl Mapped {
    #[getter]
    fn __array_interface__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        gate::enter(py, || {
            if self.is_closed.load(Ordering::Relaxed) {
                return Err(error::closed(
                    py,
                    "the view was closed at the end of its `with`: map the texture again",
                ));
            }
            interface(py, &self.texels, self.size, self.layout)
        })
    }

    fn __enter__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        gate::enter(slf.py(), || numpy(slf.py())?.call_method1("asarray", (slf,)))
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, _exception: &Bound<'_, PyAny>) {
        self.is_closed.store(true, Ordering::Relaxed);
    }

    fn __repr__(&self) -> String {
        format!("<Mapped {} {}>", self.size, self.layout.name)
    }
}

/// What NumPy asks of an object to see its memory as an array.
pub(crate) fn interface<'py>(
    py: Python<'py>,
    texels: &HostTexels,
    size: Size,
    layout: Layout,
) -> PyResult<Bound<'py, PyDict>> {
    let told = PyDict::new(py);
    told.set_item("version", 3)?;
    told.set_item("shape", layout.shape(size))?;
    told.set_item("typestr", layout.spelled)?;
    told.set_item("data", (texels.start() as usize, true))?;
    told.set_item("strides", py.None())?;
    Ok(told)
}

pub(crate) fn numpy(py: Python<'_>) -> PyResult<Bound<'_, PyModule>> {
    py.import("numpy")
}
