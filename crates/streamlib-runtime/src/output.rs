//! What the command prints. Results go to standard output, everything else to standard error.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is the one place that prints")]

use std::error::Error;
use std::io::{IsTerminal, Write};

use serde::Serialize;

/// Prints a line of the result. A reader that has gone away (`| head`) is no error.
pub(crate) fn line(text: impl std::fmt::Display) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// Prints a result for machines.
pub(crate) fn json(value: &impl Serialize) {
    let text = serde_json::to_string_pretty(value).expect("reports are plain data");
    line(text);
}

/// Prints a remark that is no result.
pub(crate) fn remark(text: impl std::fmt::Display) {
    eprintln!("{text}");
}

/// Prints why the command failed.
pub(crate) fn error(error: &dyn Error) {
    let head = if std::io::stderr().is_terminal() { "\x1b[1;31merror\x1b[0m" } else { "error" };
    eprintln!("{head}: {error}");
}
