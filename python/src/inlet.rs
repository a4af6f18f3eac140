//! Where a graph's frames come in: the program's end of a source `app:`.

use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use streamlib::frame::Timestamp;
use streamlib::{Loan, PushError, StreamRuntime, VideoInlet};

use crate::array;
use crate::error;
use crate::gate::{self, Slow, released};
use crate::live::now_ns;
use crate::texture::Texture;

/// Where the program pushes frames in: the end of a source `app:`.
#[pyclass(frozen, module = "streamlib._streamlib")]
pub(crate) struct Inlet {
    runtime: Slow<Arc<StreamRuntime>>,
    inlet: Slow<Mutex<VideoInlet>>,
    size: (u32, u32),
}

impl Inlet {
    pub(crate) fn new(runtime: Arc<StreamRuntime>, inlet: VideoInlet) -> Self {
        let size = inlet.size().into();
        Self { runtime: Slow::new(runtime), inlet: Slow::new(Mutex::new(inlet)), size }
    }

    /// Writes a frame into a lent texture.
    fn fill(&self, py: Python<'_>, frame: &Bound<'_, PyAny>, loan: &Loan) -> PyResult<()> {
        if let Ok(texture) = frame.cast::<Texture>() {
            let texture = texture.get().on(py, &self.runtime)?;
            let copied = released(py, || self.runtime.copy_texture(&texture, loan.texture()));
            return copied.map_err(|error| error::of_eager(py, &error));
        }
        let texture = loan.texture();
        let given = array::texels(frame, texture.size(), texture.format())?;
        let bytes = given.borrow();
        let written = released(py, || self.runtime.write_texture(texture, |to| bytes.copy_to(to)));
        written.map_err(|error| error::of_gpu(py, &error))
    }
}

#[pymethods]
impl Inlet {
    #[getter]
    fn size(&self) -> (u32, u32) {
        self.size
    }

    #[pyo3(signature = (frame, captured_ns = None))]
    fn push(&self, py: Python<'_>, frame: &Bound<'_, PyAny>, captured_ns: Option<i64>) -> PyResult<bool> {
        gate::enter(py, || {
            let lock = || self.inlet.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner);
            // The time of the call, and not that of the copy's end.
            let captured = Timestamp(captured_ns.map_or_else(now_ns, Ok)?);
            let Some(loan) = lock().loan() else { return Ok(false) };
            self.fill(py, frame, &loan)?;
            let inlet = &*self.inlet;
            // It submits the frame, where this source sets the pace.
            let pushed = released(py, || {
                inlet.lock().unwrap_or_else(PoisonError::into_inner).push_captured(loan, captured, None)
            });
            match pushed {
                Ok(()) => Ok(true),
                Err(PushError::Full(_)) => Ok(false),
                Err(ended @ PushError::Closed) => Err(error::closed(py, &ended.to_string())),
            }
        })
    }
}
