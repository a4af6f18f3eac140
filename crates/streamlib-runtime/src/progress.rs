//! Progress of a run, and stopping it with Ctrl-C.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use streamlib::{Flow, Progress};

/// Signals that come this close together are one.
const SAME_WISH: Duration = Duration::from_millis(500);
const KNOWN: &str = "{msg} [{bar:32}] {pos}/{len} frames  {per_sec}  {eta} left";
const UNKNOWN: &str = "{msg} {spinner} {pos} frames  {per_sec}";

/// A bar on standard error when that is a terminal, and the answer to Ctrl-C.
pub(crate) struct Meter {
    bar: ProgressBar,
    stop: Arc<AtomicBool>,
}

impl Meter {
    pub(crate) fn new(title: &str, visible: bool) -> Self {
        let target = if visible { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target).with_message(title.to_owned());
        bar.set_style(ProgressStyle::with_template(UNKNOWN).expect("a fixed template"));
        let stop = Arc::new(AtomicBool::new(false));
        let flag = stop.clone();
        // The first Ctrl-C finishes the files; a later one ends the process. Some callers signal the process and its group,
        // so that one wish arrives twice.
        let mut first: Option<Instant> = None;
        let handler = move || {
            flag.store(true, Ordering::SeqCst);
            if first.get_or_insert_with(Instant::now).elapsed() > SAME_WISH {
                std::process::exit(130);
            }
        };
        if let Err(error) = ctrlc::set_handler(handler) {
            tracing::debug!("Ctrl-C ends the process at once: {error}");
        }
        Self { bar, stop }
    }

    pub(crate) fn tell(&self, progress: Progress) -> Flow {
        if let Some(total) = progress.total
            && self.bar.length() != Some(total)
        {
            self.bar.set_length(total);
            self.bar.set_style(
                ProgressStyle::with_template(KNOWN).expect("a fixed template").progress_chars("=> "),
            );
        }
        self.bar.set_position(progress.frame);
        if self.stop.load(Ordering::SeqCst) { Flow::Stop } else { Flow::Continue }
    }

    /// Lets `print` write to standard error, above the bar.
    pub(crate) fn suspend(&self, print: impl FnOnce()) {
        self.bar.suspend(print);
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
