//! `cargo run -p xtask -- tidy`: the repository's own rules, checked on every tracked file.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command speaks on its terminal")]

mod rules;
mod tree;

use std::process::ExitCode;

use tree::{Tree, TreeError};

/// What one rule found: an error fails the run, a note only informs.
#[derive(Debug, PartialEq, Eq)]
enum Finding {
    Error(String),
    Note(String),
}

fn tidy() -> Result<Vec<Finding>, TreeError> {
    let tree = Tree::of_repository()?;
    let rules = [
        rules::dependencies::check,
        rules::manifests::check,
        rules::sizes::check,
        rules::text::check,
        rules::unsafe_code::check,
        rules::effects::check,
        rules::locks::check,
    ];
    Ok(rules.iter().flat_map(|rule| rule(&tree)).collect())
}

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() != Some("tidy") {
        eprintln!("usage: cargo run -p xtask -- tidy");
        return ExitCode::from(2);
    }
    let findings = match tidy() {
        Ok(findings) => findings,
        Err(error) => {
            eprintln!("tidy: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut errors = 0;
    for finding in &findings {
        match finding {
            Finding::Note(text) => println!("note: {text}"),
            Finding::Error(text) => {
                println!("error: {text}");
                errors += 1;
            }
        }
    }
    println!("tidy: errors: {errors}, notes: {}", findings.len() - errors);
    if errors == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
