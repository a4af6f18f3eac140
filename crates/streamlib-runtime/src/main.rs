//! The `streamlib` command.

mod cli;
mod commands;
mod live_view;
mod output;
mod progress;

use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

use cli::{Cli, Command};

/// Bad input and missing parts end with this; so do wrong arguments, by clap's own choice.
const BAD_INPUT: u8 = 2;

fn main() -> ExitCode {
    let cli = Cli::parse();
    start_log(cli.verbose);
    let done = match cli.command {
        Command::Play(args) => commands::play::play(&args),
        Command::Run(args) => commands::run::run(&args),
        Command::Graph(args) => commands::graph::graph(&args),
        Command::Effect(args) => commands::effect::effect(&args),
        Command::Sheet(args) => commands::sheet::sheet(&args),
        Command::Doctor(args) => commands::doctor::doctor(&args),
        Command::Completions { shell } => commands::completions(shell),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::error(&*error);
            ExitCode::from(BAD_INPUT)
        }
    }
}

/// Log lines go to standard error; `RUST_LOG` overrules `-v`.
fn start_log(verbose: u8) {
    // The window library warns of much that nobody has to act on.
    let level = ["warn,winit=error", "info", "debug", "trace"][usize::from(verbose.min(3))];
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .without_time()
        .init();
}
