//! What an effect's text declares, and what the compiler says of it.

use pyo3::prelude::*;
use streamlib::interface;
use streamlib::shader;

use crate::value;

/// One remark about a place in a source.
#[pyclass(frozen, get_all, module = "streamlib._streamlib")]
pub(crate) struct Diagnostic {
    file: String,
    line: u32,
    column: u32,
    severity: String,
    message: String,
    suggestion: Option<String>,
    /// As compilers print it: with the line and a caret.
    text: String,
}

impl From<&shader::Diagnostic> for Diagnostic {
    fn from(found: &shader::Diagnostic) -> Self {
        Self {
            file: found.file.clone(),
            line: found.line,
            column: found.column,
            severity: found.severity.to_string(),
            message: found.message.clone(),
            suggestion: found.suggestion.clone(),
            text: found.to_string(),
        }
    }
}

#[pymethods]
impl Diagnostic {
    fn __str__(&self) -> &str {
        &self.text
    }

    fn __repr__(&self) -> String {
        let Self { severity, file, line, column, message, .. } = self;
        format!("<Diagnostic {severity} {file}:{line}:{column}: {message}>")
    }
}

/// A parameter or a buffer of an effect.
#[pyclass(frozen, get_all, module = "streamlib._streamlib")]
pub(crate) struct Parameter {
    name: String,
    r#type: String,
    default: Py<PyAny>,
}

#[pymethods]
impl Parameter {
    fn __repr__(&self) -> String {
        format!("<Parameter {} {}>", self.r#type, self.name)
    }
}

/// What an effect's text declares.
#[pyclass(frozen, get_all, module = "streamlib._streamlib")]
pub(crate) struct Interface {
    inputs: Vec<String>,
    parameters: Vec<Py<Parameter>>,
}

impl Interface {
    pub(crate) fn of(py: Python<'_>, found: &interface::Interface) -> PyResult<Self> {
        let parameters = found.parameters.iter().map(|parameter| {
            let default = value::write(py, &parameter.default_value())?.unbind();
            let (name, ty) = (parameter.name.clone(), parameter.ty.to_string());
            Py::new(py, Parameter { name, r#type: ty, default })
        });
        let buffers = found.buffers.iter().map(|buffer| {
            let columns = if buffer.columns > 1 { buffer.columns.to_string() } else { String::new() };
            let ty = format!("buffer of {}{columns}", buffer.scalar.name());
            Py::new(py, Parameter { name: buffer.name.clone(), r#type: ty, default: py.None() })
        });
        let parameters = parameters.chain(buffers).collect::<PyResult<_>>()?;
        Ok(Self { inputs: found.inputs.iter().map(|slot| slot.name.clone()).collect(), parameters })
    }
}
