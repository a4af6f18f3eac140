//! The exceptions, and which of the core's errors become which.

use std::any::Any;

use pyo3::exceptions::{PyException, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple, PyType};
use streamlib::graph::GraphError;
use streamlib::shader::CompileError;
use streamlib::vulkan::VulkanError;
use streamlib::{EagerError, RunError, StartError};

use crate::effect::Diagnostic;

/// The exception classes.
struct Classes {
    base: Py<PyType>,
    compile: Py<PyType>,
    graph: Py<PyType>,
    device: Py<PyType>,
    closed: Py<PyType>,
    forked: Py<PyType>,
}

static CLASSES: PyOnceLock<Classes> = PyOnceLock::new();

pub(crate) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let classes = CLASSES.get_or_try_init(py, || Classes::new(py))?;
    let Classes { base, compile, graph, device, closed, forked } = classes;
    for class in [base, compile, graph, device, closed, forked] {
        module.add(class.bind(py).name()?, class)?;
    }
    Ok(())
}

impl Classes {
    fn new(py: Python<'_>) -> PyResult<Self> {
        let exception = py.get_type::<PyException>();
        let base = class(py, "StreamlibError", &[exception], "What streamlib raises.")?;
        let make = |name, doc| class(py, name, &[base.bind(py).clone()], doc).map(Some);
        let of_value = [base.bind(py).clone(), py.get_type::<PyValueError>()];
        let graph = class(py, "GraphError", &of_value, "A graph, link, parameter or value is wrong.")?;
        let compile = make("CompileError", "HLSL does not compile; `diagnostics` say where and why.")?;
        let device = make("DeviceError", "There is no usable GPU or compiler, or it failed.")?;
        let closed = make("ClosedError", "It was used after its close, stop or end.")?;
        let forked = make("ForkedError", "It was used in a process that fork() made.")?;
        let there = |class: Option<Py<PyType>>| class.expect("just made");
        let (compile, device) = (there(compile), there(device));
        Ok(Self { compile, graph, device, closed: there(closed), forked: there(forked), base })
    }
}

fn class(py: Python<'_>, name: &str, bases: &[Bound<'_, PyType>], doc: &str) -> PyResult<Py<PyType>> {
    let body = PyDict::new(py);
    body.set_item("__module__", "streamlib")?;
    body.set_item("__doc__", doc)?;
    let made = py.get_type::<PyType>().call1((name, PyTuple::new(py, bases)?, body))?;
    Ok(made.cast_into::<PyType>()?.unbind())
}

fn raise(py: Python<'_>, which: impl Fn(&Classes) -> &Py<PyType>, text: &str) -> PyErr {
    match CLASSES.get_or_try_init(py, || Classes::new(py)) {
        Ok(classes) => PyErr::from_type(which(classes).bind(py).clone(), (text.to_owned(),)),
        Err(error) => error,
    }
}

/// A value, name or shape that is wrong.
pub(crate) fn value(py: Python<'_>, text: &str) -> PyErr {
    raise(py, |classes| &classes.graph, text)
}

/// The device refused or failed.
pub(crate) fn device(py: Python<'_>, text: &str) -> PyErr {
    raise(py, |classes| &classes.device, text)
}

/// Something that was used after its end.
pub(crate) fn closed(py: Python<'_>, text: &str) -> PyErr {
    raise(py, |classes| &classes.closed, text)
}

pub(crate) fn forked(py: Python<'_>) -> PyErr {
    let text = "this process was made by fork(), and a GPU cannot be shared that way: start processes with \
                multiprocessing.get_context(\"spawn\"), and make the runtime in the new process";
    raise(py, |classes| &classes.forked, text)
}

/// A mistake of streamlib's own.
pub(crate) fn panicked(py: Python<'_>, panic: &(dyn Any + Send)) -> PyErr {
    let told = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let told = told.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    let text = format!("streamlib made a mistake of its own; please report it with what was called: {told}");
    raise(py, |classes| &classes.base, &text)
}

pub(crate) fn of_compile(py: Python<'_>, error: &CompileError, text: &str) -> PyErr {
    let raised = raise(py, |classes| &classes.compile, text);
    let diagnostics: Vec<Diagnostic> = error.diagnostics().iter().map(Diagnostic::from).collect();
    match raised.value(py).setattr("diagnostics", diagnostics) {
        Ok(()) => raised,
        Err(error) => error,
    }
}

pub(crate) fn of_graph(py: Python<'_>, error: &GraphError) -> PyErr {
    value(py, &error.to_string())
}

pub(crate) fn of_start(py: Python<'_>, error: &StartError) -> PyErr {
    device(py, &error.to_string())
}

pub(crate) fn of_gpu(py: Python<'_>, error: &VulkanError) -> PyErr {
    match error {
        // Asked for by the caller, and too large or unknown to the device.
        VulkanError::Limit { .. } | VulkanError::UnsupportedFormat { .. } => value(py, &error.to_string()),
        _ => device(py, &error.to_string()),
    }
}

pub(crate) fn of_run(py: Python<'_>, error: &RunError) -> PyErr {
    let text = error.to_string();
    match error {
        RunError::Compile { error, .. } => of_compile(py, error, &text),
        RunError::Gpu(error) => of_gpu(py, error),
        RunError::Engine(_) | RunError::Thread(_) | RunError::Stuck(_) => device(py, &text),
        RunError::Ended => closed(py, &text),
        _ => value(py, &text),
    }
}

pub(crate) fn of_eager(py: Python<'_>, error: &EagerError) -> PyErr {
    let text = error.to_string();
    match error {
        EagerError::Compile(error) => of_compile(py, error, &text),
        EagerError::Gpu(error) => of_gpu(py, error),
        _ => value(py, &text),
    }
}
