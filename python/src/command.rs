//! The `streamlib` command, and the compiler that the package carries.

use std::ffi::OsString;

use pyo3::prelude::*;
use pyo3::wrap_pyfunction;
use streamlib::shader::CompilerOptions;

use crate::gate::{self, released};

pub(crate) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(main, module)?)?;
    module.add_function(wrap_pyfunction!(doctor, module)?)?;
    module.add_function(wrap_pyfunction!(version, module)?)?;
    module.add_function(wrap_pyfunction!(interpreter_entries, module)?)
}

/// How effects are compiled: with the DXC of the package, unless the user says otherwise or it has none.
pub(crate) fn compiler(py: Python<'_>) -> PyResult<CompilerOptions> {
    let is_stated = std::env::var_os("STREAMLIB_DXC").is_some_and(|path| !path.is_empty());
    let module: std::path::PathBuf = py.import("streamlib._streamlib")?.getattr("__file__")?.extract()?;
    let carried = module.parent().map(|folder| folder.join("_dxc/libdxcompiler.so"));
    let dxc = carried.filter(|path| !is_stated && path.is_file());
    Ok(CompilerOptions { dxc, ..CompilerOptions::default() })
}

/// The `streamlib` command; its exit code.
#[pyfunction]
fn main(py: Python<'_>, arguments: Vec<OsString>) -> PyResult<u8> {
    gate::enter(py, || {
        let compiler = compiler(py)?;
        Ok(released(py, || streamlib_runtime::run(arguments, compiler)))
    })
}

/// What this machine has and lacks, for people to read.
#[pyfunction]
fn doctor(py: Python<'_>) -> PyResult<String> {
    gate::enter(py, || {
        let compiler = compiler(py)?;
        Ok(released(py, || streamlib_runtime::doctor(compiler)))
    })
}

/// The version of the core.
#[pyfunction]
#[pyo3(name = "__version__")]
fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// How often a thread of the core was seen in the interpreter since the module was imported.
#[pyfunction]
fn interpreter_entries() -> u64 {
    gate::entries()
}
