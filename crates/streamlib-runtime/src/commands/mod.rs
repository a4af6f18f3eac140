//! What each subcommand does.

pub(crate) mod doctor;
pub(crate) mod effect;
pub(crate) mod graph;
mod live;
pub(crate) mod play;
pub(crate) mod run;
pub(crate) mod sheet;
mod summary;
pub(crate) mod surfaces;

use std::error::Error;

use clap::CommandFactory;

use crate::cli::Cli;

/// What a subcommand comes back with; its error is for a person to read.
pub(crate) type Done = Result<(), Box<dyn Error>>;

/// Prints a completion script.
pub(crate) fn completions(shell: clap_complete::Shell) -> Done {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "streamlib", &mut script);
    crate::output::line(String::from_utf8_lossy(&script).trim_end());
    Ok(())
}
