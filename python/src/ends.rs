//! Where a graph's frames and messages come out: the ends of sinks and processors that the program holds.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use streamlib::frame::Timestamp;
use streamlib::{ProcessorEnd as CoreEnd, ProcessorOutputs, StreamRuntime, Taken, VideoOutlet};

use crate::error;
use crate::frame::{Frame, Message};
use crate::gate::{self, Kept, Slow, released};
use crate::live::now_ns;
use crate::value;

/// Where the program takes frames out: the end of a sink `app:`.
#[pyclass(frozen, module = "streamlib._streamlib")]
pub(crate) struct Outlet {
    runtime: Slow<Arc<StreamRuntime>>,
    outlet: Slow<Mutex<VideoOutlet>>,
}

impl Outlet {
    pub(crate) fn new(runtime: Arc<StreamRuntime>, outlet: VideoOutlet) -> Self {
        Self { runtime: Slow::new(runtime), outlet: Slow::new(Mutex::new(outlet)) }
    }
}

#[pymethods]
impl Outlet {
    #[getter]
    fn closed(&self, py: Python<'_>) -> PyResult<bool> {
        gate::enter(py, || {
            let outlet = self.outlet.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner);
            Ok(outlet.is_closed())
        })
    }

    fn take(&self, py: Python<'_>) -> PyResult<Option<Frame>> {
        gate::enter(py, || {
            let taken = self.outlet.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner).take();
            taken.map(|frame| Frame::new(py, &self.runtime, frame)).transpose()
        })
    }

    fn wait(&self, py: Python<'_>, seconds: f64) -> PyResult<Option<Frame>> {
        gate::enter(py, || {
            let outlet = &*self.outlet;
            let step = |slice: Duration| {
                let mut outlet = outlet.lock().unwrap_or_else(PoisonError::into_inner);
                match outlet.wait(slice) {
                    // Nothing more will come.
                    None if outlet.is_closed() => Some(None),
                    taken => taken.map(Some),
                }
            };
            let came = gate::wait(py, seconds, step)?.flatten();
            came.map(|frame| Frame::new(py, &self.runtime, frame)).transpose()
        })
    }
}

/// A processor's ends, in the program's own hands.
#[pyclass(frozen, module = "streamlib._streamlib")]
pub(crate) struct ProcessorEnd {
    runtime: Slow<Arc<StreamRuntime>>,
    end: Slow<Mutex<CoreEnd>>,
    /// By themselves: who sends does not wait for who waits.
    outputs: Kept<ProcessorOutputs>,
}

impl ProcessorEnd {
    pub(crate) fn new(runtime: Arc<StreamRuntime>, end: CoreEnd) -> Self {
        let outputs = Kept::new(end.outputs());
        Self { runtime: Slow::new(runtime), end: Slow::new(Mutex::new(end)), outputs }
    }
}

#[pymethods]
impl ProcessorEnd {
    #[getter]
    fn closed(&self, py: Python<'_>) -> PyResult<bool> {
        gate::enter(py, || {
            Ok(self.end.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner).is_closed())
        })
    }

    fn take(&self, py: Python<'_>, port: &str) -> PyResult<Option<Py<PyAny>>> {
        gate::enter(py, || {
            let taken = self.end.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner).take(port);
            match taken.map_err(|error| error::value(py, &error.to_string()))? {
                None => Ok(None),
                Some(Taken::Frame(frame)) => Frame::new(py, &self.runtime, frame)?.into_py_any(py).map(Some),
                Some(Taken::Data(message)) => Message::new(py, &message)?.into_py_any(py).map(Some),
            }
        })
    }

    fn wait(&self, py: Python<'_>, seconds: f64) -> PyResult<bool> {
        gate::enter(py, || {
            let end = &*self.end;
            let step = |slice: Duration| {
                let mut end = end.lock().unwrap_or_else(PoisonError::into_inner);
                end.wait(slice).then_some(())
            };
            Ok(gate::wait(py, seconds, step)?.is_some())
        })
    }

    #[pyo3(signature = (port, value, captured_ns = None))]
    fn send(
        &self,
        py: Python<'_>,
        port: &str,
        value: &Bound<'_, PyAny>,
        captured_ns: Option<i64>,
    ) -> PyResult<()> {
        gate::enter(py, || {
            let value = value::read(value)?;
            let captured = Timestamp(captured_ns.map_or_else(now_ns, Ok)?);
            if self.outputs.is_closed() {
                return Err(error::closed(py, "the graph has ended: what is sent would reach nobody"));
            }
            let sent = released(py, || self.outputs.send(port, value, captured));
            sent.map_err(|error| error::value(py, &error.to_string()))
        })
    }
}
