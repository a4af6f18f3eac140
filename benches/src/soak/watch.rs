//! What a process holds, and whether every frame is accounted for.

use std::collections::BTreeMap;

use serde::Serialize;
use streamlib::account::{Counts, Stats};
use streamlib::graph::{Graph, Node};

use super::ends::{Pushed, Seen};
use crate::Fallible;

/// What the process holds.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Held {
    pub(super) rss_kib: u64,
    pub(super) descriptors: u64,
    pub(super) threads: u64,
}

impl Held {
    pub(super) fn now() -> Fallible<Self> {
        let status = std::fs::read_to_string("/proc/self/status")?;
        let field = |name: &str| -> Fallible<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|line| line.split_whitespace().next());
            Ok(number.ok_or_else(|| format!("/proc/self/status has no {name}"))?.parse()?)
        };
        // Those of a driver's own queues, called PROGRAM:QUEUE, come and go as it likes.
        let names = std::fs::read_dir("/proc/self/task")?
            .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
        let threads = names.filter(|name| !name.contains(':')).count() as u64;
        let descriptors = std::fs::read_dir("/proc/self/fd")?.count() as u64;
        Ok(Self { rss_kib: field("VmRSS:")?, descriptors, threads })
    }

    /// What of this is more than `before` allows.
    pub(super) fn growth_since(&self, before: &Self) -> Vec<String> {
        let mut grown = Vec::new();
        let allowed = before.rss_kib + before.rss_kib / 20 + 8 * 1024;
        if self.rss_kib > allowed {
            grown.push(format!(
                "memory grew: {} KiB resident at the end, {} after the first quarter, {allowed} allowed",
                self.rss_kib, before.rss_kib
            ));
        }
        for (what, now, before) in [
            ("file descriptors", self.descriptors, before.descriptors),
            ("threads", self.threads, before.threads),
        ] {
            if now > before {
                grown.push(format!("{what} grew: {now} at the end, {before} after the first quarter"));
            }
        }
        grown
    }
}

/// What the ends of the graph have seen of it, while nothing is under way.
pub(super) struct Account<'a> {
    pub(super) graph: &'a Graph,
    pub(super) stats: &'a Stats,
    /// Frames of the graph before the first that each sink and processor could get.
    pub(super) first_frames: &'a BTreeMap<String, u64>,
    pub(super) pushed: &'a BTreeMap<String, Pushed>,
    pub(super) seen: &'a BTreeMap<String, Seen>,
}

impl Account<'_> {
    /// What is not accounted for; nothing once the graph is quiet.
    pub(super) fn gaps(&self) -> Vec<String> {
        let mut gaps = Vec::new();
        let graph = &self.stats.graph;
        let mut expect = |what: String, found: u64, wanted: u64, counts: &Counts| {
            if found != wanted {
                gaps.push(format!("{what}: {found}, and not {wanted}; {counts:?}"));
            }
        };
        expect("graph: frames out and dropped, of those in".into(), gone(graph), graph.frames_in, graph);
        let cam = self.pushed.get("cam").copied().unwrap_or_default();
        expect("graph: frames in, of those pushed".into(), graph.frames_in, cam.taken, graph);
        expect("graph: frames recorded".into(), self.stats.frames, graph.frames_out, graph);
        for node in &self.stats.nodes {
            let (name, counts) = (&node.name, &node.counts);
            match self.graph.nodes.get(name) {
                Some(Node::Source(source)) if source.uri == "app:" => {
                    let pushed = self.pushed.get(name).copied().unwrap_or_default();
                    expect(
                        format!("source {name}: frames in, of those pushed"),
                        counts.frames_in,
                        pushed.asked,
                        counts,
                    );
                    expect(
                        format!("source {name}: frames out and dropped"),
                        gone(counts),
                        pushed.asked,
                        counts,
                    );
                }
                // A file's thread may have read the next picture already.
                Some(Node::Source(_)) => {
                    let gone = gone(counts);
                    let waiting = counts.frames_in.saturating_sub(gone).min(1);
                    expect(
                        format!("source {name}: frames out and dropped"),
                        gone + waiting,
                        counts.frames_in,
                        counts,
                    );
                }
                Some(Node::Sink(_) | Node::Processor(_)) => {
                    let wanted = graph.frames_in - self.first_frames.get(name).copied().unwrap_or_default();
                    expect(
                        format!("{name}: frames in, of the graph's since it is there"),
                        counts.frames_in,
                        wanted,
                        counts,
                    );
                    expect(format!("{name}: frames out and dropped"), gone(counts), wanted, counts);
                    if let Some(seen) = self.seen.get(name) {
                        expect(
                            format!("{name}: frames seen, of those out"),
                            seen.frames,
                            counts.frames_out,
                            counts,
                        );
                        let lost = seen.skipped.saturating_sub(counts.dropped.total());
                        expect(format!("{name}: numbers skipped beyond those dropped"), lost, 0, counts);
                        expect(format!("{name}: frames out of order"), seen.disordered, 0, counts);
                    }
                }
                Some(Node::Effect(_)) | None => {}
            }
        }
        let main = self.seen.get("main").copied().unwrap_or_default();
        expect("main: frames seen, and none may be lost".into(), main.frames, graph.frames_in, graph);
        expect("main: numbers skipped".into(), main.skipped, 0, graph);
        gaps
    }
}

fn gone(counts: &Counts) -> u64 {
    counts.frames_out + counts.dropped.total()
}
