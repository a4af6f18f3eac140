//! `_streamlib`: the Rust core for the Python package, which wraps it. Programs use `streamlib`.
//!
//! Threads of the core never enter the interpreter: Python takes frames, nobody hands it any. Whatever may wait or compute
//! lets go of the interpreter meanwhile (`gate::released`).
#![allow(clippy::result_large_err, reason = "errors become exceptions at once, and are rare")]

mod array;
mod command;
mod dlpack;
mod effect;
mod ends;
mod error;
mod frame;
mod gate;
mod inlet;
mod interpreter;
mod knobs;
mod live;
mod mapped;
mod memory;
mod offline;
mod runtime;
mod shutdown;
mod texture;
mod value;

use pyo3::prelude::*;

/// The Rust core. Private: programs use `streamlib`, whose modules are made of this.
#[pymodule]
fn _streamlib(module: &Bound<'_, PyModule>) -> PyResult<()> {
    interpreter::refuse_others(module.py())?;
    error::add_to(module)?;
    module.add_class::<effect::Diagnostic>()?;
    module.add_class::<effect::Parameter>()?;
    module.add_class::<effect::Interface>()?;
    module.add_class::<runtime::Runtime>()?;
    module.add_class::<live::LiveGraph>()?;
    module.add_class::<live::Applied>()?;
    module.add_class::<knobs::Knobs>()?;
    module.add_class::<inlet::Inlet>()?;
    module.add_class::<ends::Outlet>()?;
    module.add_class::<ends::ProcessorEnd>()?;
    module.add_class::<frame::Frame>()?;
    module.add_class::<frame::Message>()?;
    module.add_class::<texture::Texture>()?;
    module.add_class::<mapped::Mapped>()?;
    command::add_to(module)?;
    shutdown::watch(module)
}
