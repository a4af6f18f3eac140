//! A run's report for people.

use streamlib::{Report, SinkReport};

use crate::output::{line, remark};

pub(super) fn print(report: &Report) {
    report.sinks.iter().for_each(print_sink);
    let stopped = if report.interrupted { ", stopped early" } else { "" };
    line(format_args!(
        "{} in, {} out, {} dropped; {:.2} s, {:.1} frames/s on {}{stopped}",
        report.frames_in,
        report.frames_out,
        report.frames_dropped,
        report.seconds,
        report.frames_per_second,
        report.device,
    ));
    line(format_args!("{:<36} {:>7} {:>10} {:>10} {:>10}", "stage", "count", "p50 ms", "p99 ms", "max ms"));
    for stage in &report.stages {
        let ms = |us: f64| us / 1e3;
        line(format_args!(
            "{:<36} {:>7} {:>10.3} {:>10.3} {:>10.3}",
            stage.stage,
            stage.count,
            ms(stage.p50_us),
            ms(stage.p99_us),
            ms(stage.max_us),
        ));
    }
    report.notices.iter().for_each(|notice| remark(format_args!("note: {notice}")));
}

/// What a sink wrote.
pub(super) fn print_sink(sink: &SinkReport) {
    let size = sink.bytes as f64 / 1e6;
    let frames = sink.frames;
    let length = format!("{}, {frames} frame(s), {:.2} s, {size:.1} MB", sink.size, sink.duration_s);
    line(format_args!("wrote {} ({length})", sink.paths.join(" … ")));
}
