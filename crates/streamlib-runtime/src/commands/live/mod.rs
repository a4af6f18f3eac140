//! `--live`: a graph in real time.

mod report;
mod screen;
mod watch;

use std::sync::Arc;
use std::time::{Duration, Instant};

use streamlib::graph::{Node, Sink};
use streamlib::media::Quality;
use streamlib::{Flow, LiveEvent, LiveGraph, LiveOptions};

use super::Done;
use super::run::Job;
use crate::cli::RunningArgs;
use crate::output;
use screen::Screen;
use watch::Watcher;

/// So often the command looks at what has happened, and at the files that it watches.
const LOOK: Duration = Duration::from_millis(100);

/// Runs a graph live, and prints the report.
pub(crate) fn execute(job: &Job<'_>, args: &RunningArgs) -> Done {
    let watcher = args.live.watch.then(|| Watcher::new(job)).transpose()?;
    let runtime = Arc::new(args.device.start(args.live.watch)?);
    let defaults = LiveOptions::default();
    let options = LiveOptions {
        base: job.base.clone(),
        pacing: args.live.pacing(),
        fuse: !args.no_fusion,
        quality: args.quality.map_or(defaults.quality, Quality::Quantizer),
        frames: args.frames,
        trace: args.live.trace.clone(),
        awake: args.live.awake.unwrap_or(defaults.awake),
        ..defaults
    };
    // Before any file is begun, so that Ctrl-C always ends them well.
    let mut screen = Screen::new(job.title, args);
    let live = runtime.start(&job.graph, options)?;
    screen.remark(format_args!("running {} live; Ctrl-C stops it", job.title));
    let mut story = Story::default();
    drive(&live, watcher, args.live.duration, &mut screen, &mut story);
    let mut report = live.stop().inspect_err(|_| screen.clear())?;
    screen.finish(&report, &[story.notices, report.notices.clone()].concat());
    if args.json {
        report.notices.splice(..0, story.told);
        output::json(&report);
    } else if !args.quiet {
        report::print(&report, args.live.stats);
    }
    report::failure(&report)
}

/// What happened while the graph ran.
#[derive(Default)]
struct Story {
    /// In the graph.
    notices: Vec<String>,
    /// In the graph, and to its files.
    told: Vec<String>,
    /// Sinks whose windows were closed, and what they asked for.
    closed: Vec<(String, String)>,
}

/// Until the graph has ended, or is to.
fn drive(
    live: &LiveGraph,
    mut watcher: Option<Watcher<'_>>,
    duration: Option<Duration>,
    screen: &mut Screen,
    story: &mut Story,
) {
    let until = duration.and_then(|duration| Instant::now().checked_add(duration));
    loop {
        let left = until.map_or(LOOK, |until| until.saturating_duration_since(Instant::now()).min(LOOK));
        let has_ended = live.wait(left);
        for event in live.events() {
            story.hear(&event, live, screen);
        }
        if story.saw_the_last_window_close(live) {
            return;
        }
        let flow = screen.show(live, &story.notices);
        if has_ended || flow == Flow::Stop || until.is_some_and(|until| Instant::now() >= until) {
            return;
        }
        if let Some(told) = watcher.as_mut().and_then(|watcher| watcher.look(live, screen)) {
            story.told.push(told);
        }
    }
}

impl Story {
    /// Whether all that the graph ran for was windows, and they are closed.
    fn saw_the_last_window_close(&self, live: &LiveGraph) -> bool {
        let is_closed = |(node, sink): (&str, &Sink)| {
            self.closed.iter().any(|(name, uri)| name == node && *uri == sink.uri)
        };
        !self.closed.is_empty() && live.graph().sinks().all(is_closed)
    }

    fn hear(&mut self, event: &LiveEvent, live: &LiveGraph, screen: &Screen) {
        if let LiveEvent::WindowClosed { node } = event
            && let Some(Node::Sink(sink)) = live.graph().nodes.get(node)
        {
            self.closed.push((node.clone(), sink.uri.clone()));
        }
        // Who asked for another plan tells of it.
        if !matches!(event, LiveEvent::PlanChanged { .. }) {
            screen.event(event);
            self.notices.push(event.to_string());
            self.told.push(event.to_string());
        }
    }
}
