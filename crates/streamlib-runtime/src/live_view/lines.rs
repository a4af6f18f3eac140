//! The accounts as lines of a log: one each time, and what is new about drops and notices.

use std::collections::BTreeMap;

use console::truncate_str;
use streamlib::account::{DropReason, Stats};

use super::WIDTH;
use super::table::{drop_line, drops, milliseconds, plain};

/// Comes first, and says what the numbers are.
const LEGEND: &str = "frames/s, latency in ms (p50 p99 p99.9 max), jitter (p99), deadlines, drops";

/// What was told already.
#[derive(Debug, Default)]
pub(super) struct Lines {
    legend: bool,
    drops: BTreeMap<(String, DropReason), u64>,
    notices: usize,
}

impl Lines {
    pub(super) fn next(&mut self, stats: &Stats, notices: &[String]) -> Vec<String> {
        let (latency, ms) = (&stats.latency, milliseconds);
        let mut lines = Vec::new();
        if !std::mem::replace(&mut self.legend, true) {
            lines.push(LEGEND.to_owned());
        }
        lines.push(format!(
            "{:.1} fps  latency {} {} {} {}  jitter {}  missed {}  dropped {}",
            stats.fps,
            ms(latency.p50_us),
            ms(latency.p99_us),
            ms(latency.p99_9_us),
            ms(latency.max_us),
            ms(stats.jitter.p99_us),
            stats.deadline_misses(),
            stats.drops().total(),
        ));
        for (place, reason, count) in drops(stats) {
            if self.drops.insert((place.to_owned(), reason), count) != Some(count) {
                lines.push(format!("  {}", drop_line(place, reason, count)));
            }
        }
        let new = notices.iter().skip(self.notices);
        lines.extend(new.map(|notice| format!("  ! {}", plain(notice))));
        self.notices = self.notices.max(notices.len());
        lines.iter().map(|line| truncate_str(line, WIDTH, "…").into_owned()).collect()
    }
}
