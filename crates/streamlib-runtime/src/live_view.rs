//! The accounts of a running graph, on standard error: a table that is redrawn in place on a terminal, and a line a second
//! anywhere else.

mod lines;
mod table;

use std::io::{self, IsTerminal, Write};

use console::Term;
use streamlib::account::Stats;

use lines::Lines;

/// Wide enough for everything; a narrower window cuts it.
const WIDTH: usize = 80;
const LINE_EVERY_NS: i64 = 1_000_000_000;

/// Shows the accounts of one run.
#[derive(Debug)]
pub(crate) struct LiveView<W> {
    out: W,
    mode: Mode<W>,
}

#[derive(Debug)]
enum Mode<W> {
    Table {
        colour: bool,
        /// Rows and columns of the window, which may change meanwhile.
        size: fn(&W) -> Option<(u16, u16)>,
        /// Lines that stand there already.
        drawn: usize,
    },
    Lines {
        lines: Lines,
        /// When the last line was due, on the accounts' clock.
        last_ns: Option<i64>,
    },
}

impl LiveView<Term> {
    /// On standard error, as suits what it leads to.
    pub(crate) fn on_stderr() -> Self {
        let term = Term::stderr();
        if !io::stderr().is_terminal() {
            return Self::lines(term);
        }
        let colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self::table(term, colour, Term::size_checked)
    }
}

impl<W: Write> LiveView<W> {
    fn table(out: W, colour: bool, size: fn(&W) -> Option<(u16, u16)>) -> Self {
        Self { out, mode: Mode::Table { colour, size, drawn: 0 } }
    }

    fn lines(out: W) -> Self {
        Self { out, mode: Mode::Lines { lines: Lines::default(), last_ns: None } }
    }

    /// Shows the accounts as they are now, and `notices`: all that a user should know, oldest first. Call it as often as a
    /// table should change; lines come once a second all the same.
    ///
    /// A reader that has gone away is no error.
    pub(crate) fn show(&mut self, stats: &Stats, notices: &[String]) {
        match &mut self.mode {
            Mode::Table { colour, size, drawn } => {
                let (rows, columns) = size(&self.out).unwrap_or((u16::MAX, u16::MAX));
                let width = WIDTH.min(columns.into());
                let mut lines = table::render(stats, notices, width, *colour);
                // What scrolls out of the window cannot be drawn over.
                table::fit(&mut lines, usize::from(rows.max(2)) - 1);
                let _ = redraw(&mut self.out, &lines, *drawn);
                *drawn = lines.len();
            }
            Mode::Lines { lines, last_ns } => {
                if last_ns.is_some_and(|last| stats.at.0 < last.saturating_add(LINE_EVERY_NS)) {
                    return;
                }
                *last_ns = Some(stats.at.0);
                let _ = lines.next(stats, notices).iter().try_for_each(|line| writeln!(self.out, "{line}"));
            }
        }
    }

    /// Prints a text of its own, such as diagnostics, above the table that comes next.
    pub(crate) fn say(&mut self, text: impl std::fmt::Display) {
        let clear = match &mut self.mode {
            Mode::Table { drawn, .. } => clear(std::mem::take(drawn)),
            Mode::Lines { .. } => String::new(),
        };
        let _ = writeln!(self.out, "{clear}{text}").and_then(|()| self.out.flush());
    }

    /// Shows the last accounts of the run, whenever the ones before were shown, and leaves them there.
    pub(crate) fn finish(mut self, stats: &Stats, notices: &[String]) {
        if let Mode::Lines { last_ns, .. } = &mut self.mode {
            *last_ns = None;
        }
        self.show(stats, notices);
    }
}

/// The accounts as lines of plain text.
pub(crate) fn table_lines(stats: &Stats) -> Vec<String> {
    table::render(stats, &[], WIDTH, false)
}

/// Takes the last `drawn` lines away.
fn clear(drawn: usize) -> String {
    if drawn > 0 { format!("\x1b[{drawn}A\r\x1b[J") } else { String::new() }
}

/// Draws over the last `drawn` lines, line by line, so that nothing flickers.
fn redraw(out: &mut impl Write, lines: &[String], drawn: usize) -> io::Result<()> {
    let mut text = String::new();
    if drawn > 0 {
        text.push_str(&format!("\x1b[{drawn}A"));
    }
    for line in lines {
        text.push_str(&format!("\r{line}\x1b[K\n"));
    }
    text.push_str("\x1b[J");
    out.write_all(text.as_bytes())?;
    out.flush()
}

#[cfg(test)]
mod tests;
