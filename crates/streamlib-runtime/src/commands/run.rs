//! `streamlib run`: a graph file.

use std::error::Error;

use streamlib::graph::{Graph, Node};
use streamlib::media::Quality;
use streamlib::{RunOptions, load_graph};

use super::{Done, summary};
use crate::cli::{RunArgs, RunningArgs, Setting};
use crate::output;
use crate::progress::Meter;

pub(crate) fn run(args: &RunArgs) -> Done {
    let (mut graph, base) = load_graph(&args.graph)?;
    redirect_sources(&mut graph, &args.sources)?;
    for (name, uri) in &args.sinks {
        match graph.nodes.get_mut(name) {
            Some(Node::Sink(sink)) => sink.uri = from_here(uri)?,
            _ => return Err(no_node("sink", name, graph.sinks().map(|(name, _)| name))),
        }
    }
    apply_settings(&mut graph, &args.running.settings)?;
    let title = graph.name.clone().unwrap_or_else(|| args.graph.display().to_string());
    execute(&graph, RunOptions { base, ..RunOptions::default() }, &title, &args.running)
}

/// Lets source nodes read from somewhere else.
pub(crate) fn redirect_sources(graph: &mut Graph, sources: &[(String, String)]) -> Done {
    for (name, uri) in sources {
        match graph.nodes.get_mut(name) {
            Some(Node::Source(source)) => {
                let uri = from_here(uri)?;
                // Size and rate belonged to the generated source that stood here.
                if !uri.starts_with("generate:") {
                    (source.size, source.fps) = (None, None);
                }
                source.uri = uri;
            }
            _ => return Err(no_node("source", name, graph.sources().map(|(name, _)| name))),
        }
    }
    Ok(())
}

/// Paths in a graph are relative to its file; those on the command line are relative to where the command runs.
fn from_here(uri: &str) -> Result<String, Box<dyn Error>> {
    if uri.starts_with("generate:") || uri.starts_with("camera:") {
        return Ok(uri.to_owned());
    }
    Ok(std::path::absolute(uri)?.to_string_lossy().into_owned())
}

fn no_node<'a>(kind: &str, name: &str, known: impl Iterator<Item = &'a str>) -> Box<dyn Error> {
    let known: Vec<_> = known.collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    format!("the graph has no {kind} `{name}`; it has: {known}").into()
}

/// Puts `--set` values into the graph. Whether they fit is checked with the effect's own types when it is planned.
pub(crate) fn apply_settings(graph: &mut Graph, settings: &[Setting]) -> Done {
    for setting in settings {
        let effects: Vec<String> = graph.effects().map(|(name, _)| name.to_owned()).collect();
        let name = match (&setting.node, effects.as_slice()) {
            (Some(name), _) => name,
            (None, [only]) => only,
            (None, _) => {
                let parameter = &setting.parameter;
                let advice = format!("write NODE.{parameter}=…; the effects are: {}", effects.join(", "));
                return Err(format!("`--set {parameter}` does not say of which effect: {advice}").into());
            }
        };
        match graph.nodes.get_mut(name) {
            Some(Node::Effect(effect)) => {
                effect.set.insert(setting.parameter.clone(), setting.value.clone());
            }
            _ => return Err(no_node("effect", name, effects.iter().map(String::as_str))),
        }
    }
    Ok(())
}

/// Runs a graph with a progress bar, and prints the report.
pub(crate) fn execute(graph: &Graph, options: RunOptions, title: &str, args: &RunningArgs) -> Done {
    let runtime = args.device.start()?;
    let quality = args.quality.map_or(options.quality, Quality::Quantizer);
    let options = RunOptions { frames: args.frames, quality, fuse: !args.no_fusion, ..options };
    let meter = Meter::new(title, !args.json && !args.quiet);
    let result = runtime.run_with(graph, &options, &mut |progress| meter.tell(progress));
    meter.finish();
    let report = result?;
    if args.json {
        output::json(&report);
    } else if !args.quiet {
        summary::print(&report);
    }
    Ok(())
}
