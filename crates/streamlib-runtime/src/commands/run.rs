//! `streamlib run`: a graph file.

use std::error::Error;
use std::path::{Path, PathBuf};

use streamlib::graph::{Graph, Node};
use streamlib::media::Quality;
use streamlib::{RunOptions, load_graph};

use super::{Done, live, summary};
use crate::cli::{RunArgs, RunningArgs, Setting};
use crate::output;
use crate::progress::Meter;

/// A source or sink of the program that runs the graph.
const APP: &str = "app:";
/// What only a live graph has: sinks that only count frames, windows, screens, and surfaces.
const LIVE_ENDS: [&str; 4] = ["null:", "display:", "kms:", "surface:"];

/// A graph to run, and where it came from.
pub(crate) struct Job<'a> {
    pub(crate) graph: Graph,
    /// Folder that its paths are relative to.
    pub(crate) base: PathBuf,
    /// What people call it.
    pub(crate) title: &'a str,
    /// Its file, if it has one.
    pub(crate) file: Option<&'a Path>,
    /// Reads it anew, with the changes that the command line makes to it.
    pub(crate) read: &'a dyn Fn() -> Result<Graph, Box<dyn Error>>,
}

pub(crate) fn run(args: &RunArgs) -> Done {
    let (graph, base) = load(args)?;
    let title = graph.name.clone().unwrap_or_else(|| args.graph.display().to_string());
    let read = || load(args).map(|(graph, _)| graph);
    execute(Job { graph, base, title: &title, file: Some(&args.graph), read: &read }, &args.running)
}

/// The graph as the command line changes it, and the folder that its paths are relative to.
fn load(args: &RunArgs) -> Result<(Graph, PathBuf), Box<dyn Error>> {
    let (mut graph, base) = load_graph(&args.graph)?;
    redirect_sources(&mut graph, &args.sources)?;
    for (name, uri) in &args.sinks {
        match graph.nodes.get_mut(name) {
            Some(Node::Sink(sink)) => sink.uri = from_here(uri)?,
            _ => return Err(no_node("sink", name, graph.sinks().map(|(name, _)| name))),
        }
    }
    apply_settings(&mut graph, &args.running.settings)?;
    Ok((graph, base))
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
    let mut schemes = LIVE_ENDS.iter().chain(&["generate:", "camera:", APP]);
    if schemes.any(|scheme| uri.starts_with(scheme)) {
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

/// Runs a graph, and prints the report: live where that is asked for, or an end of the graph is only there live.
pub(crate) fn execute(job: Job<'_>, args: &RunningArgs) -> Done {
    check_ends(&job.graph)?;
    if args.live.is_live() || has_live_end(&job.graph) {
        return live::execute(&job, args);
    }
    args.live.refuse_pace()?;
    execute_offline(job, args)
}

/// Whether frames come or go as they come.
fn has_live_end(graph: &Graph) -> bool {
    let is_live = |uri: &str| LIVE_ENDS.iter().any(|scheme| uri.starts_with(scheme));
    graph.sources().any(|(_, source)| is_live(&source.uri))
        || graph.sinks().any(|(_, sink)| is_live(&sink.uri))
}

/// Refuses sources and sinks that have nobody at their other end.
fn check_ends(graph: &Graph) -> Done {
    if let Some((node, _)) = graph.sources().find(|(_, source)| source.uri == APP) {
        let advice = "name a file, a camera or a generated source instead";
        return Err(format!(
            "source `{node}` is `{APP}`: a program pushes its frames, and a command has none; {advice}"
        )
        .into());
    }
    if let Some((node, _)) = graph.sinks().find(|(_, sink)| sink.uri == APP) {
        let what = "a program takes its frames, and a command does not";
        return Err(format!("sink `{node}` is `{APP}`: {what}; name a file, or `null:`").into());
    }
    Ok(())
}

/// Runs a graph from beginning to end, with a progress bar.
fn execute_offline(job: Job<'_>, args: &RunningArgs) -> Done {
    let runtime = args.device.start(false)?;
    let defaults = RunOptions::default();
    let quality = args.quality.map_or(defaults.quality, Quality::Quantizer);
    let options =
        RunOptions { base: job.base, frames: args.frames, quality, fuse: !args.no_fusion, ..defaults };
    let meter = Meter::new(job.title, !args.json && !args.quiet);
    let result = runtime.run_with(&job.graph, &options, &mut |progress| meter.tell(progress));
    meter.finish();
    let report = result?;
    if args.json {
        output::json(&report);
    } else if !args.quiet {
        summary::print(&report);
    }
    Ok(())
}
