//! The soak itself.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use serde::Serialize;
use streamlib::format::Size;
use streamlib::graph::{Graph, Node};
use streamlib::{Applied, LiveGraph, LiveOptions, RunError, StreamRuntime};

use super::edits::{Editor, Proposal, is_file, needed};
use super::ends::{ToPusher, ToTaker, push_all, take_all};
use super::shared::{Shared, die_if_hung, tell, turn_knobs};
use super::watch::{Account, Held};
use super::{Results, SoakArgs, nodes};
use crate::Fallible;

/// So long after the last push everything has been delivered, or is lost.
const QUIET: Duration = Duration::from_secs(30);
/// The graph is brought to rest and counted so often.
const COUNT: Duration = Duration::from_secs(10);
const MINUTE: Duration = Duration::from_secs(60);
/// Sources never stall: whoever pushes waits for a slow device.
const PATIENCE: Duration = Duration::from_secs(3600);

/// How things stood.
#[derive(Serialize)]
pub(super) struct Minute {
    seconds: f64,
    frames: u64,
    edits: u64,
    refused: u64,
    dropped: u64,
    held: Held,
}

pub(super) fn soak(runtime: &Arc<StreamRuntime>, args: &SoakArgs, size: Size) -> Fallible<Results> {
    let folder = tempfile::tempdir()?;
    nodes::film(&folder.path().join("film.y4m"))?;
    let options = LiveOptions {
        base: folder.path().to_owned(),
        patience: PATIENCE,
        processors: nodes::processors(),
        ..LiveOptions::default()
    };
    let base = nodes::graph(size)?;
    let live = runtime.start(&base, options)?;
    let shared = Shared::new();
    let (to_pusher, pushes) = channel();
    let (to_taker, takes) = channel();
    let (alive, end) = channel::<()>();
    let results = std::thread::scope(|scope| {
        let (watched, seed) = (&shared, args.seed);
        scope.spawn(move || tell(watched, "pusher", push_all(&pushes, seed)));
        scope.spawn(move || tell(watched, "taker", take_all(&takes, seed)));
        scope.spawn(|| turn_knobs(&live, &shared));
        scope.spawn(move || {
            while let Err(std::sync::mpsc::RecvTimeoutError::Timeout) =
                end.recv_timeout(Duration::from_secs(1))
            {
                die_if_hung(watched);
            }
        });
        let soak = Soak {
            runtime,
            live: &live,
            shared: &shared,
            base,
            folder: folder.path(),
            editor: Editor::new(args.seed, size),
            first_frames: BTreeMap::new(),
            to_pusher,
            to_taker,
            drops: BTreeMap::new(),
            edits: BTreeMap::new(),
            refused: 0,
            longest_edit: Duration::ZERO,
            minutes: Vec::new(),
        };
        let results = soak.run(Duration::from_secs_f64(args.minutes * 60.0));
        shared.is_over.store(true, Ordering::Release);
        drop(alive);
        results
    });
    let mut results = results?;
    match live.stop() {
        Ok(report) => {
            // Those that are to fail do; others are told of, and are accounted for like all.
            let unwanted = report.failures.iter().filter(|failure| !failure.contains(nodes::ENOUGH));
            results.failures.extend(unwanted.cloned());
        }
        Err(error) => results.faults.push(format!("the graph failed: {error}")),
    }
    results.seconds = shared.started.elapsed().as_secs_f64();
    Ok(results)
}

struct Soak<'a> {
    runtime: &'a StreamRuntime,
    live: &'a LiveGraph,
    shared: &'a Shared,
    base: Graph,
    folder: &'a std::path::Path,
    editor: Editor,
    /// By sink and processor, the frames that ran before it was there.
    first_frames: BTreeMap<String, u64>,
    to_pusher: Sender<ToPusher>,
    to_taker: Sender<ToTaker>,
    /// By node that is or was, how many were dropped there.
    drops: BTreeMap<String, u64>,
    edits: BTreeMap<&'static str, u64>,
    refused: u64,
    longest_edit: Duration,
    minutes: Vec<Minute>,
}

impl Soak<'_> {
    fn run(mut self, length: Duration) -> Fallible<Results> {
        let (base, end) = (self.base.clone(), self.shared.started + length);
        self.follow(&Graph::default(), &base, 0)?;
        let mut quarter = None;
        let mut next_minute = self.shared.started;
        while !self.shared.is_faulty() {
            let now = Instant::now();
            if now >= next_minute || now >= end {
                next_minute += MINUTE.min(length / 4);
                self.apply_base()?;
                self.count()?;
                let minute = self.minute()?;
                if quarter.is_none() && now >= self.shared.started + length / 4 {
                    quarter = Some(minute.held);
                }
                self.minutes.push(minute);
                if now >= end {
                    break;
                }
            } else {
                self.count()?;
            }
            let until = (now + COUNT).min(next_minute).min(end);
            while Instant::now() < until && !self.shared.is_faulty() {
                let wait = Duration::from_millis(self.editor.dice.below(200) as u64);
                if self.live.wait(wait) {
                    let (events, graph) = (self.live.events(), self.live.graph().to_toml());
                    self.shared.fault(format!("the graph ended by itself: {events:?}\n{graph}"));
                    break;
                }
                let proposal = self.editor.propose(&self.live.graph());
                self.make(&proposal)?;
                // Events that nobody asks for would only be kept.
                drop(self.live.events());
            }
        }
        self.finish(quarter)
    }

    fn finish(self, quarter: Option<Held>) -> Fallible<Results> {
        let end = self.minutes.last().map(|minute| minute.held);
        if let (Some(quarter), Some(end)) = (&quarter, &end) {
            end.growth_since(quarter).into_iter().for_each(|what| self.shared.fault(what));
        }
        let faults = self.shared.take_faults();
        Ok(Results {
            device: streamlib_core::gpu::Gpu::info(&**self.runtime.gpu()).name.clone(),
            command: std::env::args().skip(1).collect::<Vec<_>>().join(" "),
            seconds: 0.0,
            frames: self.live.stats().graph.frames_in,
            edits: self.edits.values().sum(),
            refused: self.refused,
            edits_by_kind: self.edits,
            settings: self.shared.settings.load(Ordering::Relaxed),
            longest_edit_ms: self.longest_edit.as_secs_f64() * 1e3,
            dropped: self.drops.values().sum(),
            validation_messages: self.runtime.gpu().validation_messages(),
            quarter,
            end,
            minutes: self.minutes,
            failures: Vec::new(),
            faults,
        })
    }

    /// A change begins, under the eyes of whoever looks for hung ones.
    fn begin_change(&mut self) -> Instant {
        self.note_drops();
        let began = Instant::now();
        let since_start = (began - self.shared.started).as_millis() as u64;
        self.shared.edit_began_ms.store(since_start.max(1), Ordering::Release);
        began
    }

    fn end_change(&mut self, began: Instant) {
        self.shared.edit_began_ms.store(0, Ordering::Release);
        self.longest_edit = self.longest_edit.max(began.elapsed());
    }

    fn make(&mut self, proposal: &Proposal) -> Fallible<()> {
        let Proposal { what, edits, must_be_refused } = proposal;
        *self.edits.entry(what).or_default() += 1;
        if self.editor.dice.percent(3) {
            self.forget_an_outlet()?;
        }
        let before = self.live.graph();
        let began = self.begin_change();
        let made = self.live.apply(edits);
        self.end_change(began);
        match made {
            Ok(_) if *must_be_refused => self.shared.fault(format!("a wrong edit was made: {edits:?}")),
            Ok(Applied { first_frame, .. }) => {
                self.follow(&before, &self.live.graph(), first_frame.unwrap_or_default())?;
            }
            // A file takes frames of the size that it began with, and a codec none that are too small.
            Err(RunError::SinkSize { .. } | RunError::Create { .. }) => self.refused += 1,
            Err(error) if *must_be_refused && !matches!(error, RunError::Ended | RunError::Stuck(_)) => {
                self.refused += 1;
                if !self.live.graph().nodes.keys().eq(before.nodes.keys()) {
                    self.shared.fault(format!("a refused edit changed the graph: {edits:?}"));
                }
            }
            Err(error) => {
                let graph = before.to_toml();
                self.shared.fault(format!("an edit was refused ({what}): {error}\n{edits:?}\nof\n{graph}"));
            }
        }
        Ok(())
    }

    /// Back to the graph that everything began with, so that measurements can be compared.
    fn apply_base(&mut self) -> Fallible<()> {
        let (before, base) = (self.live.graph(), self.base.clone());
        let began = self.begin_change();
        let made = self.live.change_to(&base);
        self.end_change(began);
        match made {
            Ok(applied) => self.follow(&before, &base, applied.first_frame.unwrap_or_default()),
            Err(error) => {
                self.shared.fault(format!("the first graph was refused: {error}"));
                Ok(())
            }
        }
    }

    /// Hands the ends of what is new to the threads that serve them, and puts away what is over.
    fn follow(&mut self, before: &Graph, now: &Graph, first_frame: u64) -> Fallible<()> {
        for (name, node) in &now.nodes {
            match node {
                Node::Source(_) => {
                    if let Some(inlet) = self.live.inlet(name) {
                        self.to_pusher.send(ToPusher::Add(name.clone(), inlet))?;
                    } else if matches!(node, Node::Source(source) if source.uri == "app:")
                        && !before.nodes.contains_key(name)
                        && needed(now).contains(name.as_str())
                    {
                        self.shared.fault(format!("source {name} has no inlet"));
                    }
                }
                Node::Sink(_) | Node::Processor(_) => {
                    if let Some(outlet) = self.live.outlet(name) {
                        self.to_taker.send(ToTaker::Add(name.clone(), outlet))?;
                    } else if matches!(node, Node::Sink(sink) if sink.uri == "app:")
                        && !before.nodes.contains_key(name)
                    {
                        self.shared.fault(format!("sink {name} has no outlet"));
                    }
                    self.first_frames.entry(name.clone()).or_insert(first_frame);
                }
                Node::Effect(_) => {}
            }
        }
        self.first_frames.retain(|name, _| now.nodes.contains_key(name));
        for (_, node) in before.nodes.iter().filter(|(name, _)| !now.nodes.contains_key(*name)) {
            if let (true, Node::Sink(sink)) = (is_file(node), node) {
                // It is whole by now, or the report says why not.
                let _gone = std::fs::remove_file(self.folder.join(&sink.uri));
            }
        }
        Ok(())
    }

    /// Lets go of an outlet that stays in the graph.
    fn forget_an_outlet(&mut self) -> Fallible<()> {
        let graph = self.live.graph();
        let outlets: Vec<_> =
            graph.sinks().filter(|(name, sink)| sink.uri == "app:" && *name != "main").collect();
        if let Some((name, _)) = self.editor.dice.pick(&outlets) {
            self.to_taker.send(ToTaker::Forget((*name).to_owned()))?;
        }
        Ok(())
    }

    fn note_drops(&mut self) {
        let stats = self.live.stats();
        self.drops.insert(String::new(), stats.graph.dropped.total());
        for node in stats.nodes {
            self.drops.insert(node.name, node.counts.dropped.total());
        }
    }

    /// Lets everything come to rest, and looks whether every frame is accounted for.
    fn count(&mut self) -> Fallible<()> {
        let (reply, pushed) = channel();
        self.to_pusher.send(ToPusher::Pause(reply))?;
        let pushed = pushed.recv()?;
        let graph = self.live.graph();
        let deadline = Instant::now() + QUIET;
        loop {
            let (reply, seen) = channel();
            // First the counts: what is seen afterwards may only be more.
            let stats = self.live.stats();
            self.to_taker.send(ToTaker::Drain(reply))?;
            let seen = seen.recv()?;
            let first_frames = &self.first_frames;
            let account =
                Account { graph: &graph, stats: &stats, first_frames, pushed: &pushed, seen: &seen };
            let gaps = account.gaps();
            if gaps.is_empty() {
                break;
            }
            if Instant::now() >= deadline || self.live.wait(Duration::from_millis(5)) {
                let graph = graph.to_toml();
                gaps.into_iter().for_each(|gap| self.shared.fault(format!("unaccounted: {gap}")));
                self.shared.fault(format!("that was in this graph:\n{graph}"));
                break;
            }
        }
        let messages = self.runtime.gpu().validation_messages();
        if messages > 0 {
            self.shared.fault(format!("the validation layer spoke {messages} times: see above"));
        }
        self.note_drops();
        self.to_taker.send(ToTaker::Resume)?;
        self.to_pusher.send(ToPusher::Resume)?;
        Ok(())
    }

    fn minute(&self) -> Fallible<Minute> {
        let minute = Minute {
            seconds: self.shared.started.elapsed().as_secs_f64(),
            frames: self.live.stats().graph.frames_in,
            edits: self.edits.values().sum(),
            refused: self.refused,
            dropped: self.drops.values().sum(),
            held: Held::now()?,
        };
        let Minute { seconds, frames, edits, refused, dropped, held } = &minute;
        println!(
            "{:>6.1} min: {frames:>8} frames, {edits:>6} edits, {refused:>5} refused, {dropped:>7} dropped, \
             {:>7} KiB, {} descriptors, {} threads",
            seconds / 60.0,
            held.rss_kib,
            held.descriptors,
            held.threads
        );
        Ok(minute)
    }
}
