//! The accounts as a table.

use console::{Alignment, Color, Style, pad_str, truncate_str};
use streamlib::account::{DropReason, ShownBy, Stats, Summary};

const NAME: usize = 24;
const NUMBER: usize = 10;

/// The table, line by line, none wider than `width` columns.
pub(super) fn render(stats: &Stats, notices: &[String], width: usize, colour: bool) -> Vec<String> {
    let mut table = Table { lines: Vec::new(), width, colour };
    table.head(stats);
    table.times(stats);
    table.nodes(stats);
    table.screens(stats);
    table.drops(stats);
    for notice in notices {
        table.line(&format!("! {notice}"), Some(Color::Yellow));
    }
    table.lines
}

/// Cuts a table down to `rows` lines, and says so.
pub(super) fn fit(lines: &mut Vec<String>, rows: usize) {
    if lines.len() > rows {
        lines.truncate(rows.saturating_sub(1));
        lines.push("… more than this window shows".to_owned());
    }
}

struct Table {
    lines: Vec<String>,
    width: usize,
    colour: bool,
}

impl Table {
    fn line(&mut self, text: &str, color: Option<Color>) {
        let style = color.map_or_else(Style::new, |color| Style::new().fg(color));
        self.styled(text, style);
    }

    fn heading(&mut self, name: &str, columns: &[&str]) {
        self.styled(&row(name, columns.iter().map(|column| (*column).to_owned())), Style::new().dim());
    }

    fn styled(&mut self, text: &str, style: Style) {
        let text = plain(text);
        let text = truncate_str(&text, self.width, "…");
        self.lines.push(style.force_styling(self.colour).apply_to(text.trim_end()).to_string());
    }

    fn head(&mut self, stats: &Stats) {
        let (missed, dropped) = (stats.deadline_misses(), stats.drops().total());
        let text = format!(
            "{:.1} frames/s  {} frames  {missed} deadlines missed  {dropped} dropped",
            stats.fps, stats.frames
        );
        self.styled(&text, Style::new().bold());
    }

    fn times(&mut self, stats: &Stats) {
        self.heading("milliseconds", &["p50", "p99", "p99.9", "max"]);
        for (name, summary) in [
            ("latency", &stats.latency),
            ("  capture to submit", &stats.capture_to_submit),
            ("  submit to GPU end", &stats.submit_to_gpu_end),
            ("jitter", &stats.jitter),
            ("CPU per frame", &stats.frame_cpu),
        ] {
            self.summary(name, summary);
        }
        for pass in &stats.passes {
            self.summary(&format!("GPU {}", pass.name), &pass.gpu);
        }
    }

    /// Nothing for what the device cannot tell.
    fn summary(&mut self, name: &str, summary: &Summary) {
        if summary.count > 0 {
            let times = [summary.p50_us, summary.p99_us, summary.p99_9_us, summary.max_us];
            self.line(&row(name, times.map(milliseconds)), None);
        }
        if summary.negative > 0 {
            let text =
                format!("! {} {}: below zero, so clocks disagree", summary.negative, name.trim_start());
            self.line(&text, Some(Color::Yellow));
        }
    }

    fn nodes(&mut self, stats: &Stats) {
        if stats.nodes.is_empty() {
            return;
        }
        self.heading("node", &["in", "out", "missed", "dropped"]);
        for node in &stats.nodes {
            let counts = &node.counts;
            let dropped = counts.dropped.total();
            let numbers = [counts.frames_in, counts.frames_out, counts.deadline_misses, dropped];
            let bad = dropped > 0 || counts.deadline_misses > 0;
            self.line(&row(&node.name, numbers.map(|n| n.to_string())), bad.then_some(Color::Red));
        }
    }

    /// When frames were seen, by how that is known: moments of different kinds cannot be compared.
    fn screens(&mut self, stats: &Stats) {
        for by in [ShownBy::PageFlip, ShownBy::Presented, ShownBy::HandedOver] {
            let shown = stats.nodes.iter().filter_map(|node| Some((&node.name, node.shown?)));
            let mut shown = shown.filter(|(_, shown)| shown.by == by).peekable();
            if shown.peek().is_some() {
                let heading = format!("capture to {}", by.text());
                self.heading(&heading, &["p50", "p99", "shown", "missed", "replaced"]);
            }
            for (name, shown) in shown {
                let times = [shown.latency.p50_us, shown.latency.p99_us].map(milliseconds);
                // What a window system has taken it may show late, or never: nobody tells.
                let missed = if by.tells_missed() { shown.missed.to_string() } else { "-".to_owned() };
                let counts = [shown.frames.to_string(), missed, shown.replaced.to_string()];
                self.line(&row(name, times.into_iter().chain(counts)), None);
            }
        }
    }

    fn drops(&mut self, stats: &Stats) {
        for (place, reason, count) in drops(stats) {
            self.line(&drop_line(place, reason, count), Some(Color::Red));
        }
    }
}

/// Every place and reason of drops.
pub(super) fn drops(stats: &Stats) -> impl Iterator<Item = (&str, DropReason, u64)> {
    let nodes = stats.nodes.iter().map(|node| (node.name.as_str(), &node.counts));
    let places = std::iter::once(("graph", &stats.graph)).chain(nodes);
    places
        .flat_map(|(place, counts)| counts.dropped.iter().map(move |(reason, count)| (place, reason, count)))
}

pub(super) fn drop_line(place: &str, reason: DropReason, count: u64) -> String {
    format!("dropped {count} at {}: {reason}", truncate_str(&plain(place), NAME, "…"))
}

fn row(name: &str, numbers: impl IntoIterator<Item = String>) -> String {
    let mut text = pad_str(&plain(name), NAME, Alignment::Left, Some("…")).into_owned();
    for number in numbers {
        text.push_str(&pad_str(&number, NUMBER, Alignment::Right, None));
    }
    text
}

/// Text that moves no cursor, wherever it came from.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// In milliseconds, to three digits.
pub(super) fn milliseconds(us: f64) -> String {
    let ms = us / 1e3;
    match ms {
        ..1.0 => format!("{ms:.3}"),
        ..10.0 => format!("{ms:.2}"),
        ..100.0 => format!("{ms:.1}"),
        ..1_000_000.0 => format!("{ms:.0}"),
        _ => "> 1000 s".to_owned(),
    }
}
