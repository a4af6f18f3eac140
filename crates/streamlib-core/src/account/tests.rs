//! The accounts of made-up frames.

use std::thread;
use std::time::Duration;

use super::*;
use crate::frame::Timestamp;

const MS: i64 = 1_000_000;

/// A frame of a 10 ms source that takes `latency` ms from capture to delivery.
fn frame(number: i64, latency: i64) -> FrameTimes {
    let captured = Timestamp(number * 10 * MS);
    let after = |milliseconds: i64| Timestamp(captured.0 + milliseconds * MS);
    FrameTimes {
        captured,
        arrived: after(1),
        submitted: after(2),
        gpu_begin: Some(after(2)),
        gpu_end: Some(after(3)),
        delivered: after(latency),
    }
}

fn record(recorder: &mut Recorder, times: FrameTimes) {
    recorder.record(&FrameRecord { times, frame_cpu_ns: Some(50_000), pass_ns: &[100_000, 250_000] });
}

fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() <= expected * 1e-3, "{found} instead of {expected}");
}

#[test]
fn quantiles_mean_and_maximum_are_those_of_the_recorded_frames() {
    let (mut recorder, reader) = recorder(FrameCounters::default(), PassTimes::new(["blur", "tint"]), None);
    (0..1_000).for_each(|n| record(&mut recorder, frame(n, 4 + n)));
    let stats = reader.read(Timestamp(0));
    assert_eq!((stats.frames, stats.latency.count), (1_000, 1_000));
    let quantiles =
        [stats.latency.p50_us, stats.latency.p90_us, stats.latency.p99_us, stats.latency.p99_9_us];
    for (found, expected) in quantiles.into_iter().zip([503e3, 903e3, 993e3, 1002e3]) {
        close(found, expected);
    }
    assert_eq!((stats.latency.max_us, stats.latency.mean_us), (1003e3, 503.5e3));
    assert_eq!((stats.capture_to_submit.mean_us, stats.submit_to_gpu_end.max_us), (2e3, 1e3));
    assert_eq!((stats.frame_cpu.mean_us, stats.frame_cpu.count), (50.0, 1_000));
    let passes: Vec<_> = stats.passes.iter().map(|pass| (pass.name.as_str(), pass.gpu.mean_us)).collect();
    assert_eq!(passes, [("blur", 100.0), ("tint", 250.0)]);
}

#[test]
fn jitter_is_measured_against_the_wanted_interval_or_else_against_the_source() {
    for (interval, expected) in [(None, 1e3), (Some(Duration::from_millis(14)), 3e3)] {
        let (mut recorder, reader) = recorder(FrameCounters::default(), PassTimes::default(), interval);
        // Delivered 11 ms apart; captured 10 ms apart.
        (0..10).for_each(|n| record(&mut recorder, frame(n, 4 + n)));
        let jitter = reader.read(Timestamp(0)).jitter;
        assert_eq!((jitter.count, jitter.mean_us), (9, expected));
    }
}

#[test]
fn the_slowest_and_the_impossible_are_told_apart() {
    let (mut recorder, reader) = recorder(FrameCounters::default(), PassTimes::default(), None);
    record(&mut recorder, frame(0, 300_000));
    record(&mut recorder, frame(1, -5));
    let times = FrameTimes { captured: Timestamp(i64::MIN), delivered: Timestamp(i64::MAX), ..frame(2, 4) };
    record(&mut recorder, times);
    let latency = reader.read(Timestamp(0)).latency;
    assert_eq!((latency.count, latency.negative), (2, 1));
    assert_eq!(latency.max_us, i64::MAX as f64 / 1e3);
    close(latency.p50_us, 60e6);
}

#[test]
fn every_thread_counts_on_the_same_counters_and_nodes_keep_theirs_when_the_graph_changes() {
    let counters = FrameCounters::new(["camera", "screen"]);
    let counting: Vec<_> = (0..4)
        .map(|_| {
            let counters = counters.clone();
            thread::spawn(move || {
                let camera = counters.node(0).unwrap();
                for _ in 0..1_000 {
                    camera.came_in();
                    camera.dropped(DropReason::Displaced);
                    counters.graph().missed_deadline();
                }
            })
        })
        .collect();
    counting.into_iter().for_each(|thread| thread.join().unwrap());
    let (mut recorder, reader) = recorder(counters.clone(), PassTimes::new(["old"]), None);
    record(&mut recorder, frame(0, 4));

    let changed = counters.for_nodes(["file", "camera"]);
    changed.named("file").unwrap().dropped(DropReason::InletFull);
    counters.node(0).unwrap().went_out();
    recorder.change(changed, PassTimes::new(["new", "newer"]));
    record(&mut recorder, frame(1, 4));

    let stats = reader.read(Timestamp(0));
    assert_eq!(stats.frames, 2);
    let names: Vec<_> = stats.passes.iter().map(|pass| (pass.name.as_str(), pass.gpu.count)).collect();
    assert_eq!(names, [("new", 1), ("newer", 1)]);
    let camera = &stats.nodes[1];
    assert_eq!(
        (camera.name.as_str(), camera.counts.frames_in, camera.counts.frames_out),
        ("camera", 4_000, 1)
    );
    assert_eq!(camera.counts.dropped.of(DropReason::Displaced), 4_000);
    let drops: Vec<_> = stats.drops().iter().collect();
    assert_eq!(drops, [(DropReason::Displaced, 4_000), (DropReason::InletFull, 1)]);
    assert_eq!((stats.drops().total(), stats.deadline_misses()), (4_001, 4_000));
}

#[test]
fn frames_that_a_window_system_took_and_never_showed_were_replaced_and_are_no_drops() {
    let counters = FrameCounters::new(["window"]);
    let (mut recorder, reader) = recorder(counters.clone(), PassTimes::new(["pass"]), None);
    let window = counters.named("window").unwrap();
    window.dropped(DropReason::Displaced);
    for _ in 0..3 {
        window.went_out();
    }
    window.never_shown();
    window.never_shown();
    window.shown(ShownBy::Presented, ShownFrame::default(), None);
    record(&mut recorder, frame(0, 4));

    let stats = reader.read(Timestamp(0));
    let shown = stats.nodes[0].shown.unwrap();
    assert_eq!((shown.by, shown.frames, shown.missed, shown.replaced), (ShownBy::Presented, 1, 0, 3));
    assert_eq!((stats.nodes[0].counts.frames_out, stats.drops().total()), (3, 1));
}

#[test]
fn a_snapshot_is_data_that_survives_being_written_and_read() {
    let counters = FrameCounters::new(["camera"]);
    counters.node(0).unwrap().dropped(DropReason::NoFreeTexture);
    let (mut recorder, reader) = recorder(counters, PassTimes::new(["blur"]), None);
    (0..7).for_each(|n| record(&mut recorder, frame(n, 4)));
    let stats = reader.read(Timestamp(64 * MS));
    assert!((stats.fps - 100.0).abs() < 1e-9);
    let text = serde_json::to_string(&stats).unwrap();
    assert!(text.contains(r#""dropped":{"no_free_texture":1}"#), "{text}");
    assert_eq!(serde_json::from_str::<Stats>(&text).unwrap(), stats);
}

#[test]
fn every_reason_is_listed_once_and_has_its_own_text() {
    let texts: std::collections::BTreeSet<_> = DropReason::ALL.iter().map(|reason| reason.text()).collect();
    assert_eq!(texts.len(), DropReason::ALL.len());
    for (index, reason) in DropReason::ALL.into_iter().enumerate() {
        assert_eq!(reason as usize, index, "{reason}");
    }
}
