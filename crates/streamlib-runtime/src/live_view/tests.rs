//! The view of made-up accounts.

use console::{measure_text_width, strip_ansi_codes};
use streamlib::account::{Counts, DropReason, NodeStats, PassStats, ShownBy, ShownStats, Stats, Summary};
use streamlib::frame::Timestamp;

use super::*;

fn summary(p50_us: f64) -> Summary {
    let [p90_us, p99_us, p99_9_us, max_us] = [1.1, 1.5, 2.0, 3.0].map(|factor| p50_us * factor);
    Summary { count: 1_000, p50_us, p90_us, p99_us, p99_9_us, max_us, mean_us: p50_us, negative: 0 }
}

fn stats(seconds: f64) -> Stats {
    let node = |name: &str, drops: u64| {
        let dropped = [(DropReason::Displaced, drops)].into_iter().collect();
        let counts = Counts { frames_in: 1_000, frames_out: 1_000 - drops, deadline_misses: 0, dropped };
        NodeStats { name: name.to_owned(), counts, shown: None }
    };
    Stats {
        at: Timestamp((seconds * 1e9) as i64),
        frames: 993,
        fps: 59.94,
        nodes: vec![node("camera", 7), node("screen", 0)],
        latency: summary(8_312.0),
        jitter: summary(21.0),
        passes: vec![PassStats { name: "blur".to_owned(), gpu: summary(330.0) }],
        ..Stats::default()
    }
}

/// The same with two windows and two screens.
fn shown(mut stats: Stats) -> Stats {
    let screens = [
        ("screen", ShownBy::PageFlip, 2),
        ("window", ShownBy::HandedOver, 0),
        ("wall", ShownBy::PageFlip, 0),
        ("other", ShownBy::Presented, 1),
    ];
    for (name, by, missed) in screens {
        let shown = ShownStats { by, frames: 990, missed, replaced: 3, latency: summary(20_000.0) };
        let (name, counts) =
            (name.to_owned(), Counts { frames_in: 993, frames_out: 990, ..Counts::default() });
        stats.nodes.retain(|node| node.name != name);
        stats.nodes.push(NodeStats { name, counts, shown: Some(shown) });
    }
    stats
}

/// Accounts that are as wide as they come.
fn wide() -> Stats {
    let mut stats = stats(1.0);
    (stats.frames, stats.fps) = (u64::MAX / 2, 1e9);
    let huge = Summary { negative: u64::MAX, ..summary(1e16) };
    (stats.latency, stats.jitter) = (huge, huge);
    let dropped = DropReason::ALL.into_iter().map(|reason| (reason, 1 << 50)).collect();
    let name = "a name 長い名前 that\x1b[2J is far\n too long for a table of eighty columns".to_owned();
    let counts = Counts { frames_in: 1 << 60, frames_out: 1 << 60, deadline_misses: 1 << 60, dropped };
    let shown = ShownStats {
        by: ShownBy::HandedOver,
        frames: 1 << 60,
        missed: 1 << 60,
        replaced: 1 << 60,
        latency: huge,
    };
    stats.nodes.push(NodeStats { name: name.clone(), counts, shown: Some(shown) });
    stats.passes.push(PassStats { name, gpu: huge });
    stats
}

fn notices(count: usize) -> Vec<String> {
    (1..=count).map(|n| format!("notice {n}: {}", "and so on\n".repeat(12))).collect()
}

fn plain_table(stats: &Stats) -> Vec<String> {
    table::render(stats, &notices(1), WIDTH, false)
}

#[test]
fn the_table_tells_rate_times_counts_and_reasons() {
    let lines = plain_table(&stats(1.0));
    let expected = [
        "59.9 frames/s  993 frames  0 deadlines missed  7 dropped",
        "milliseconds                   p50       p99     p99.9       max",
        "latency                       8.31      12.5      16.6      24.9",
        "jitter                       0.021     0.032     0.042     0.063",
        "GPU blur                     0.330     0.495     0.660     0.990",
        "node                            in       out    missed   dropped",
        "camera                        1000       993         0         7",
        "screen                        1000      1000         0         0",
        "dropped 7 at camera: displaced by a newer frame",
    ];
    assert_eq!(lines[..expected.len()], expected);
    assert!(lines[expected.len()].starts_with("! notice 1: and so on and so on"), "{lines:?}");
}

#[test]
fn the_table_tells_when_frames_were_seen_and_how_that_is_known() {
    let lines = plain_table(&shown(stats(1.0)));
    let expected = [
        "capture to page flip           p50       p99     shown    missed  replaced",
        "screen                        20.0      30.0       990         2         3",
        "wall                          20.0      30.0       990         0         3",
        "capture to presentation        p50       p99     shown    missed  replaced",
        "other                         20.0      30.0       990         1         3",
        "capture to hand-over           p50       p99     shown    missed  replaced",
        "window                        20.0      30.0       990         -         3",
    ];
    let start = lines.iter().position(|line| line == expected[0]).expect("screens");
    assert_eq!(lines[start..start + expected.len()], expected);
}

#[test]
fn nothing_is_wider_than_eighty_columns_or_moves_the_cursor() {
    let lines = plain_table(&wide()).into_iter().chain(Lines::default().next(&wide(), &notices(3)));
    for line in lines {
        assert!(measure_text_width(&line) <= WIDTH && !line.contains(char::is_control), "{line:?}");
    }
}

#[test]
fn colours_change_no_text_and_are_absent_when_they_are_unwanted() {
    for stats in [stats(1.0), wide()] {
        let coloured = table::render(&stats, &notices(1), WIDTH, true);
        let bare: Vec<_> = coloured.iter().map(|line| strip_ansi_codes(line).into_owned()).collect();
        assert_eq!(bare, plain_table(&stats));
        assert_ne!(coloured, bare);
    }
}

#[test]
fn a_table_is_drawn_over_the_one_before_and_stays_within_the_window() {
    let mut out = Vec::new();
    let mut view = LiveView::table(&mut out, false, |_| Some((6, 40)));
    view.show(&stats(1.0), &[]);
    view.finish(&stats(1.1), &[]);
    let text = String::from_utf8(out).unwrap();
    assert_eq!(text.matches('\n').count(), 10, "{text:?}");
    assert_eq!(text.matches("\x1b[5A").count(), 1, "{text:?}");
    assert!(text.contains("… more than this window shows"));
    assert!(
        strip_ansi_codes(&text).lines().all(|line| measure_text_width(line.trim_start_matches('\r')) <= 40)
    );
}

#[test]
fn what_is_said_stands_above_the_next_table() {
    let mut out = Vec::new();
    let mut view = LiveView::table(&mut out, false, |_| Some((60, 80)));
    view.show(&stats(1.0), &[]);
    let drawn = table_lines(&stats(1.0)).len();
    view.say("bad  tint.hlsl\ntint.hlsl:3:10: error");
    view.show(&stats(1.1), &[]);
    let text = String::from_utf8(out).unwrap();
    let said = format!("\x1b[{drawn}A\r\x1b[Jbad  tint.hlsl\ntint.hlsl:3:10: error\n\r59.9 frames/s");
    assert!(text.contains(&said), "{text:?}");
}

#[test]
fn lines_come_once_a_second_and_repeat_no_drop_and_no_notice() {
    let mut out = Vec::new();
    let mut view = LiveView::lines(&mut out);
    for tenth in 0..25 {
        let seen = if tenth < 15 { 1 } else { 2 };
        view.show(&stats(f64::from(tenth) / 10.0), &notices(seen));
    }
    view.finish(&stats(2.5), &notices(2));
    let text = String::from_utf8(out).unwrap();
    let rate = "59.9 fps  latency 8.31 12.5 16.6 24.9  jitter 0.032  missed 0  dropped 7";
    assert_eq!(text.lines().filter(|line| *line == rate).count(), 4, "{text}");
    assert!(text.starts_with("frames/s, latency in ms (p50 p99 p99.9 max)"), "{text}");
    for once in ["dropped 7 at camera: displaced", "notice 1", "notice 2"] {
        assert_eq!(text.matches(once).count(), 1, "{once} in {text}");
    }
}

#[test]
fn standard_error_gets_a_table_only_where_it_is_a_terminal() {
    let view = LiveView::on_stderr();
    assert_eq!(matches!(view.mode, Mode::Table { .. }), io::stderr().is_terminal());
}
