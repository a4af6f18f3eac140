//! `streamlib play`: a chain of effects over one input.

use std::path::PathBuf;

use streamlib::graph::Source;
use streamlib::play_graph;

use super::Done;
use super::run::{self, Job};
use crate::cli::PlayArgs;

pub(crate) fn play(args: &PlayArgs) -> Done {
    let generated = args.input.starts_with("generate:") || args.input.ends_with(".hlsl");
    let (source_size, scaled) = if generated { (args.size, None) } else { (None, args.size) };
    let source = Source { uri: args.input.clone(), size: source_size, fps: args.fps, frames: None };
    let mut graph = play_graph(source, &args.effects, scaled, &args.output);
    run::apply_settings(&mut graph, &args.running.settings)?;
    let read = || Ok(graph.clone());
    let (base, title) = (PathBuf::new(), args.input.as_str());
    run::execute(Job { graph: graph.clone(), base, title, file: None, read: &read }, &args.running)
}
