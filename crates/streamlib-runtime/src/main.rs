//! The `streamlib` command.

use std::process::ExitCode;

use streamlib::shader::CompilerOptions;

fn main() -> ExitCode {
    ExitCode::from(streamlib_runtime::run(std::env::args_os(), CompilerOptions::default()))
}
