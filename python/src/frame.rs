//! What graphs give: frames and messages.

use std::sync::Arc;

use pyo3::prelude::*;
use streamlib::{DataMessage, LiveFrame, StreamRuntime};

use crate::texture::Texture;
use crate::value;

/// A finished frame. Whoever holds its texture keeps that from being written again.
#[pyclass(frozen, get_all, module = "streamlib._streamlib")]
pub(crate) struct Frame {
    texture: Py<Texture>,
    sequence: u64,
    captured_ns: i64,
    width: u32,
    height: u32,
}

impl Frame {
    pub(crate) fn new(py: Python<'_>, runtime: &Arc<StreamRuntime>, frame: LiveFrame) -> PyResult<Self> {
        let meta = frame.meta;
        let texture = Texture::of_frame(runtime.clone(), frame);
        let size = texture.size();
        Ok(Self {
            texture: Py::new(py, texture)?,
            sequence: meta.sequence,
            captured_ns: meta.captured.0,
            width: size.width,
            height: size.height,
        })
    }
}

#[pymethods]
impl Frame {
    fn __repr__(&self) -> String {
        format!("<Frame {} {}x{}>", self.sequence, self.width, self.height)
    }
}

/// A value that a processor sent.
#[pyclass(frozen, get_all, module = "streamlib._streamlib")]
pub(crate) struct Message {
    value: Py<PyAny>,
    captured_ns: i64,
}

impl Message {
    pub(crate) fn new(py: Python<'_>, message: &DataMessage) -> PyResult<Self> {
        let value = value::write(py, &message.value)?.unbind();
        Ok(Self { value, captured_ns: message.captured.0 })
    }
}

#[pymethods]
impl Message {
    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("<Message {}>", self.value.bind(py).repr()?))
    }
}
