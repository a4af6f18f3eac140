//! The report of a live graph.

use streamlib::LiveReport;

use crate::commands::{Done, summary};
use crate::live_view;
use crate::output::{line, remark};

/// Prints it for people; accounts and notices only where the screen has not shown them.
pub(super) fn print(report: &LiveReport, has_shown_accounts: bool) {
    report.sinks.iter().for_each(summary::print_sink);
    let frames = report.stats.frames;
    line(format_args!("{frames} frame(s) in {:.2} s on {}", report.seconds, report.device));
    if report.host_bytes == 0 && frames > 0 {
        line("none of them went through host memory");
    }
    if !has_shown_accounts {
        live_view::table_lines(&report.stats).iter().for_each(line);
        report.notices.iter().for_each(|notice| remark(format_args!("note: {notice}")));
    }
}

/// Parts that failed fail the command, though the graph went on without them.
pub(super) fn failure(report: &LiveReport) -> Done {
    match report.failures.as_slice() {
        [] => Ok(()),
        failures => Err(format!("the graph ran on without a part of it: {}", failures.join("; ")).into()),
    }
}
