//! Parameter values and plain data, between Python and Rust.

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use serde::Serialize;
use serde_json::Value as Json;
use streamlib::expression::Expression;
use streamlib::value::Value;

use crate::error;

/// Lists within lists, at most: an array of matrices has three.
const DEPTH: usize = 8;

/// Reads a parameter value.
pub(crate) fn read(value: &Bound<'_, PyAny>) -> PyResult<Value> {
    read_within(value, DEPTH)
}

fn read_within(value: &Bound<'_, PyAny>, depth: usize) -> PyResult<Value> {
    let py = value.py();
    if let Ok(number) = value.cast_exact::<PyFloat>() {
        return number.extract().map(Value::Float);
    }
    if let Ok(flag) = value.cast::<PyBool>() {
        return Ok(Value::Bool(flag.is_true()));
    }
    if let Ok(number) = value.cast::<PyInt>() {
        let too_large = |_| error::value(py, "a whole number of a parameter has 64 bits at most");
        return number.extract().map(Value::Int).map_err(too_large);
    }
    if let Ok(text) = value.cast::<PyString>() {
        let parsed = Expression::parse(text.to_str()?);
        return parsed.map(Value::Expression).map_err(|error| error::value(py, &error.to_string()));
    }
    if value.len().is_ok() {
        if depth == 0 {
            return Err(error::value(py, "a value has lists within lists without an end"));
        }
        let items = value.try_iter()?.map(|item| read_within(&item?, depth - 1));
        return Ok(Value::List(items.collect::<PyResult<_>>()?));
    }
    value.extract().map(Value::Float).map_err(|_| {
        let kind = value.get_type().name().map(|name| name.to_string()).unwrap_or_default();
        error::value(py, &format!("a {kind} is no value of a parameter: give a number, a flag, or a list"))
    })
}

/// A parameter value as Python's.
pub(crate) fn write<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    match value {
        Value::Bool(flag) => flag.into_bound_py_any(py),
        Value::Int(number) => number.into_bound_py_any(py),
        Value::Float(number) => number.into_bound_py_any(py),
        Value::Expression(expression) => expression.to_string().into_bound_py_any(py),
        Value::List(items) => {
            let items = items.iter().map(|item| write(py, item)).collect::<PyResult<Vec<_>>>()?;
            items.into_bound_py_any(py)
        }
    }
}

/// Plain data of the core's as dictionaries and lists.
pub(crate) fn plain<'py>(py: Python<'py>, data: &impl Serialize) -> PyResult<Bound<'py, PyAny>> {
    json(py, &serde_json::to_value(data).expect("reports are plain data"))
}

pub(crate) fn json<'py>(py: Python<'py>, data: &Json) -> PyResult<Bound<'py, PyAny>> {
    match data {
        Json::Null => Ok(py.None().into_bound(py)),
        Json::Bool(flag) => flag.into_bound_py_any(py),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(whole), _) => whole.into_bound_py_any(py),
            (None, Some(whole)) => whole.into_bound_py_any(py),
            (None, None) => number.as_f64().into_bound_py_any(py),
        },
        Json::String(text) => text.into_bound_py_any(py),
        Json::Array(items) => {
            let list = PyList::empty(py);
            items.iter().try_for_each(|item| list.append(json(py, item)?))?;
            Ok(list.into_any())
        }
        Json::Object(entries) => {
            let dict = PyDict::new(py);
            entries.iter().try_for_each(|(key, value)| dict.set_item(key, json(py, value)?))?;
            Ok(dict.into_any())
        }
    }
}

/// Triples and pairs of a mapping, as Rust's own.
pub(crate) fn settings(items: &Bound<'_, PyAny>) -> PyResult<Vec<(String, String, Value)>> {
    let setting = |item: PyResult<Bound<'_, PyAny>>| {
        let item = item?;
        let item = item.cast::<PyTuple>().map_err(|_| {
            error::value(items.py(), "a setting is a tuple of a node, a parameter and a value")
        })?;
        let (node, parameter, value): (String, String, Bound<'_, PyAny>) = item.extract()?;
        Ok((node, parameter, read(&value)?))
    };
    items.try_iter()?.map(setting).collect()
}
