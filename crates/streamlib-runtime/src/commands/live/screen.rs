//! What a person sees while a graph runs live.

use std::cell::RefCell;
use std::fmt::Display;

use console::Term;
use streamlib::{Flow, LiveEvent, LiveGraph, LiveReport, Progress};

use crate::cli::RunningArgs;
use crate::live_view::LiveView;
use crate::output;
use crate::progress::Meter;

/// A progress line or the accounts, on standard error, and what is said above them.
pub(super) struct Screen {
    meter: Meter,
    view: Option<RefCell<LiveView<Term>>>,
    frames: Option<u64>,
    quiet: bool,
}

impl Screen {
    pub(super) fn new(title: &str, args: &RunningArgs) -> Self {
        let shows_stats = args.live.stats;
        let meter = Meter::new(title, !shows_stats && !args.json && !args.quiet);
        let view = shows_stats.then(|| RefCell::new(LiveView::on_stderr()));
        Self { meter, view, frames: args.frames, quiet: args.quiet }
    }

    /// Shows the accounts; whether the user wants to go on.
    pub(super) fn show(&mut self, live: &LiveGraph, notices: &[String]) -> Flow {
        if let Some(view) = &self.view {
            view.borrow_mut().show(&live.stats(), notices);
        }
        self.meter.tell(Progress { frame: live.frames(), total: self.frames })
    }

    /// Says what the user did or is to know now, unless nothing is to be said.
    pub(super) fn remark(&self, text: impl Display) {
        if !self.quiet {
            self.say(text);
        }
    }

    /// Says what happened in the graph, unless the accounts do.
    pub(super) fn event(&self, event: &LiveEvent) {
        match event {
            _ if self.view.is_some() => {}
            event if event.is_failure() => self.say(format_args!("error: {event}")),
            event => self.remark(event),
        }
    }

    /// Says what is to be known in any case.
    pub(super) fn say(&self, text: impl Display) {
        match &self.view {
            Some(view) => view.borrow_mut().say(text),
            None => self.meter.suspend(|| output::remark(text)),
        }
    }

    /// Leaves the last accounts and all `notices` there.
    pub(super) fn finish(&mut self, report: &LiveReport, notices: &[String]) {
        self.clear();
        if let Some(view) = self.view.take() {
            view.into_inner().finish(&report.stats, notices);
        }
    }

    /// Takes the progress line away.
    pub(super) fn clear(&self) {
        self.meter.finish();
    }
}
