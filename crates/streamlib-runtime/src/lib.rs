//! The `streamlib` command, for whoever starts it: its own program, or the Python package.

mod cli;
mod commands;
mod live_view;
mod output;
mod progress;

use std::ffi::OsString;
use std::sync::OnceLock;

use clap::Parser;
use streamlib::shader::CompilerOptions;
use streamlib::{Doctor, Explanation};
use tracing_subscriber::EnvFilter;

use cli::{Cli, Command};

/// Bad input and missing parts end with this; so do wrong arguments, by clap's own choice.
const BAD_INPUT: u8 = 2;

/// How effects are compiled, where that is not as usual. A process runs one command.
static COMPILER: OnceLock<CompilerOptions> = OnceLock::new();

/// Runs the command with these arguments, of which the first is its name; the answer is its exit code. Only the first command
/// of a process decides how effects are compiled.
pub fn run(arguments: impl IntoIterator<Item = OsString>, compiler: CompilerOptions) -> u8 {
    let _decided_before = COMPILER.set(compiler);
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(told) => {
            // Help and the version come as errors, too. A reader that has gone away is none.
            let _ = told.print();
            return told.exit_code().try_into().unwrap_or(BAD_INPUT);
        }
    };
    start_log(cli.verbose);
    let done = match cli.command {
        Command::Play(args) => commands::play::play(&args),
        Command::Run(args) => commands::run::run(&args),
        Command::Graph(args) => commands::graph::graph(&args),
        Command::Effect(args) => commands::effect::effect(&args),
        Command::Sheet(args) => commands::sheet::sheet(&args),
        Command::Surfaces(args) => commands::surfaces::surfaces(&args),
        Command::Watch(args) => commands::surfaces::watch(&args),
        Command::Broker(args) => commands::surfaces::broker(&args),
        Command::Doctor(args) => commands::doctor::doctor(&args),
        Command::Completions { shell } => commands::completions(shell),
    };
    match done {
        Ok(()) => 0,
        Err(error) => {
            output::error(&*error);
            BAD_INPUT
        }
    }
}

/// What the machine has and lacks, as `streamlib doctor` prints it.
#[must_use]
pub fn doctor(compiler: CompilerOptions) -> String {
    commands::doctor::text(&Doctor::examine_with(compiler))
}

/// What a graph becomes on a device, as `streamlib graph explain` prints it.
#[must_use]
pub fn explanation(explanation: &Explanation) -> String {
    commands::graph::text(explanation)
}

pub(crate) fn compiler() -> CompilerOptions {
    COMPILER.get().cloned().unwrap_or_default()
}

/// Log lines go to standard error; `RUST_LOG` overrules `-v`. A process has one log, which the first command starts.
fn start_log(verbose: u8) {
    // The window library warns of much that nobody has to act on.
    let level = ["warn,winit=error", "info", "debug", "trace"][usize::from(verbose.min(3))];
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let _started_before = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .without_time()
        .try_init();
}
