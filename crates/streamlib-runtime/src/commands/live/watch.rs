//! `--watch`: the graph and its programs, read anew when they are saved.
//!
//! Files are looked at by name, so that it does not matter whether an editor writes them in place or renames another file over
//! them. That costs a system call per file and look; there are few files.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use streamlib::graph::Graph;
use streamlib::{LiveGraph, RunError, program_files};

use super::screen::Screen;
use crate::commands::run::Job;

/// What tells that a file was written: when, and its length; none while there is no file.
type Stamp = Option<(SystemTime, u64)>;

pub(super) struct Watcher<'a> {
    base: PathBuf,
    graph_file: Option<&'a Path>,
    read: &'a dyn Fn() -> Result<Graph, Box<dyn Error>>,
    files: BTreeMap<PathBuf, Watched>,
}

/// A file that is watched.
struct Watched {
    /// Nodes that it belongs to.
    nodes: BTreeSet<String>,
    /// As it was read.
    used: Stamp,
    /// As it was seen last.
    seen: Stamp,
}

impl<'a> Watcher<'a> {
    pub(super) fn new(job: &Job<'a>) -> Result<Self, Box<dyn Error>> {
        let (base, graph_file, read) = (job.base.clone(), job.file, job.read);
        let mut watcher = Self { base, graph_file, read, files: BTreeMap::new() };
        watcher.add(&job.graph);
        if watcher.files.is_empty() {
            return Err("there is nothing to watch: no effect and no source is an HLSL file".into());
        }
        Ok(watcher)
    }

    /// Watches the files of a graph, too.
    fn add(&mut self, graph: &Graph) {
        let mut add = |path: PathBuf, node: Option<&String>| {
            let watched = self.files.entry(path).or_insert_with_key(|path| {
                let stamp = stamp(path);
                Watched { nodes: BTreeSet::new(), used: stamp, seen: stamp }
            });
            watched.nodes.extend(node.cloned());
        };
        if let Some(path) = self.graph_file {
            add(path.to_owned(), None);
        }
        for (node, files) in program_files(graph, &self.base) {
            files.into_iter().for_each(|path| add(path, Some(&node)));
        }
    }

    /// Reloads the graph if something was saved, but not since the last look: editors write files in pieces. Gives what it
    /// came to, for the report.
    pub(super) fn look(&mut self, live: &LiveGraph, screen: &Screen) -> Option<String> {
        let mut is_settled = true;
        for (path, file) in &mut self.files {
            let now = stamp(path);
            is_settled &= std::mem::replace(&mut file.seen, now) == now;
        }
        let is_saved = self.files.values().any(|file| file.seen != file.used);
        (is_settled && is_saved).then(|| self.reload(live, screen))
    }

    fn reload(&mut self, live: &LiveGraph, screen: &Screen) -> String {
        let start = Instant::now();
        let mut nodes = BTreeSet::new();
        let mut changed = Vec::new();
        for (path, file) in self.files.iter_mut().filter(|(_, file)| file.seen != file.used) {
            file.used = file.seen;
            nodes.extend(file.nodes.iter().cloned());
            changed.push(path.display().to_string());
        }
        match self.change(live, &mut nodes) {
            Ok(first_frame) => {
                let names: Vec<_> = nodes.into_iter().collect();
                let what = if names.is_empty() { "the graph".to_owned() } else { names.join(", ") };
                let took = start.elapsed().as_secs_f64() * 1e3;
                let when =
                    first_frame.map_or("the next frame on".to_owned(), |frame| format!("frame {frame}"));
                let told = format!("reloaded {what} in {took:.0} ms, {when}");
                screen.remark(&told);
                told
            }
            Err(error) => {
                screen.say(format_args!(
                    "bad  {}\n{}\nwhat ran before runs on",
                    changed.join(", "),
                    told(&*error)
                ));
                format!("not reloaded: {error}")
            }
        }
    }

    /// Changes what runs; `nodes` gets those that differ in the graph itself.
    fn change(
        &mut self,
        live: &LiveGraph,
        nodes: &mut BTreeSet<String>,
    ) -> Result<Option<u64>, Box<dyn Error>> {
        let graph = (self.read)()?;
        let before = live.graph();
        let names = before.nodes.keys().chain(graph.nodes.keys());
        nodes.extend(names.filter(|name| before.nodes.get(*name) != graph.nodes.get(*name)).cloned());
        // Files of the graph before are watched on until this one runs: one may be gone only for a moment.
        self.add(&graph);
        let applied = live.change_to(&graph)?;
        let files = program_files(&graph, &self.base);
        self.files.retain(|path, file| {
            file.nodes.retain(|node| files.get(node).is_some_and(|files| files.contains(path)));
            !file.nodes.is_empty() || self.graph_file.is_some_and(|file| file == path)
        });
        Ok(applied.first_frame)
    }
}

/// Diagnostics stand for themselves, as where effects are checked.
fn told(error: &(dyn Error + 'static)) -> String {
    match error.downcast_ref() {
        Some(RunError::Compile { error, .. }) => error.to_string(),
        _ => format!("error: {error}"),
    }
}

fn stamp(path: &Path) -> Stamp {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}
