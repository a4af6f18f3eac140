//! Effects replaced in a running graph: how long from new text to its first frame, and that no frame is lost or wrong.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde::Serialize;
use streamlib::frame::Timestamp;
use streamlib::graph::{Edit, Effect, EffectText, Graph, Link, Node};
use streamlib::{BuildTimes, LiveGraph, LiveOptions, Loan, VideoInlet, VideoOutlet};
use streamlib_core::engine::Content;

use super::{Bed, Frames};
use crate::Fallible;
use crate::rig::percentile;

#[derive(Serialize)]
pub(super) struct Replaced {
    replacements: u32,
    frames_pushed: u64,
    frames_seen: u64,
    /// Frames that came twice, out of order, or never.
    frames_lost: u64,
    dropped: u64,
    deadline_misses: u64,
    /// Milliseconds from the call with new text to the frame boundary at which it runs.
    cold: Spread,
    /// Of that: from text to SPIR-V, and from SPIR-V to the device's own code.
    cold_compile: Spread,
    cold_kernels: Spread,
    /// The same with text that has run before.
    cached: Spread,
}

/// Nanoseconds of each replacement.
#[derive(Default)]
struct Times {
    cold: Vec<u64>,
    compile: Vec<u64>,
    kernels: Vec<u64>,
    cached: Vec<u64>,
}

#[derive(Serialize)]
struct Spread {
    p50_ms: f64,
    p99_ms: f64,
    max_ms: f64,
}

impl Spread {
    fn of(mut nanoseconds: Vec<u64>) -> Self {
        nanoseconds.sort_unstable();
        let ms = |share: f64| percentile(&nanoseconds, share) as f64 / 1e6;
        Self { p50_ms: ms(0.5), p99_ms: ms(0.99), max_ms: ms(1.0) }
    }
}

pub(super) fn measure(bed: &Bed<'_>) -> Fallible<Replaced> {
    let mut graph: Graph = super::paced::graph(bed)?;
    if let Some(Node::Sink(sink)) = graph.nodes.get_mut("out") {
        sink.uri = "app:".into();
        sink.input =
            Some(Link::from_node("vignette").with_delivery(streamlib::graph::Delivery::Every { bound: 16 }));
    }
    let live = bed.runtime.start(&graph, LiveOptions::default())?;
    let mut inlet = live.inlet("camera").ok_or("the graph has a camera")?;
    let mut outlet = live.outlet("out").ok_or("the graph has an outlet")?;
    let frames = Frames::new(&mut inlet)?;
    let stop = AtomicBool::new(false);
    let (pushed, seen, times) = std::thread::scope(|scope| {
        let pusher = scope.spawn(|| push(&mut inlet, &frames, bed.args.fps, &stop));
        let watcher = scope.spawn(|| watch(&mut outlet, &stop));
        let times = replace_all(&live, &graph, bed.args.replacements);
        stop.store(true, Ordering::Release);
        let pushed = pusher.join().unwrap_or_default();
        (pushed, watcher.join().unwrap_or_default(), times)
    });
    let Times { cold, compile, kernels, cached } = times?;
    let report = live.stop()?;
    let (seen, lost) = seen;
    let result = Replaced {
        replacements: bed.args.replacements,
        frames_pushed: pushed,
        frames_seen: seen,
        frames_lost: lost,
        dropped: report.stats.drops().total(),
        deadline_misses: report.stats.deadline_misses(),
        cold: Spread::of(cold),
        cold_compile: Spread::of(compile),
        cold_kernels: Spread::of(kernels),
        cached: Spread::of(cached),
    };
    println!(
        "replace: {} times, {pushed} frames pushed, {seen} seen, {lost} lost, {} dropped; new text p50 {:.1} ms p99 {:.1} (compiler {:.1}, driver {:.1}), \
         known text p50 {:.2} ms p99 {:.2}",
        bed.args.replacements,
        result.dropped,
        result.cold.p50_ms,
        result.cold.p99_ms,
        result.cold_compile.p50_ms,
        result.cold_kernels.p50_ms,
        result.cached.p50_ms,
        result.cached.p99_ms
    );
    Ok(result)
}

/// Pushes frames on time until it is to stop; how many.
fn push(inlet: &mut VideoInlet, frames: &Frames, fps: f64, stop: &AtomicBool) -> u64 {
    let start = streamlib_linux::realtime::monotonic_now();
    let mut number = 0;
    while !stop.load(Ordering::Acquire) {
        let due = Timestamp(start.0 + ((number + 1) as f64 * 1e9 / fps) as i64);
        streamlib_linux::realtime::sleep_until(due, stop);
        let frame: Loan = frames.get(number);
        if inlet.push(frame).is_err() {
            break;
        }
        number += 1;
    }
    number
}

/// Takes every frame; how many came, and how many numbers were skipped or came again.
fn watch(outlet: &mut VideoOutlet, stop: &AtomicBool) -> (u64, u64) {
    let (mut seen, mut lost, mut next) = (0, 0, 0);
    loop {
        match outlet.wait(Duration::from_millis(200)) {
            Some(frame) => {
                debug_assert!(matches!(frame.content, Content::Texture(_)));
                lost += frame.meta.sequence.abs_diff(next);
                next = frame.meta.sequence + 1;
                seen += 1;
            }
            None if stop.load(Ordering::Acquire) => return (seen, lost),
            None => {}
        }
    }
}

/// Replaces the middle effect by new text, and then again by text that was there before. Nanoseconds of each.
fn replace_all(live: &LiveGraph, graph: &Graph, replacements: u32) -> Fallible<Times> {
    let Some(Node::Effect(old)) = graph.nodes.get("sepia") else {
        return Err("the graph has a sepia".into());
    };
    // A number that no earlier run had: the disk cache must not know the text.
    let salt = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_nanos();
    let mut times = Times::default();
    let text = |number: u32| {
        format!(
            "// {salt}.{number}\nfloat strength = 0.7;\nfloat4 main(float2 uv : TEXCOORD) : SV_Target {{\n    float4 c = \
             tex2D(input, uv);\n    float3 s = mul(float3x3(0.393, 0.769, 0.189, 0.349, 0.686, 0.168, 0.272, 0.534, \
             0.131), c.rgb);\n    return float4(lerp(c.rgb, s, strength * {:.4}), c.a);\n}}\n",
            f64::from(number % 1000) / 1000.0
        )
    };
    let replace = |number: u32| -> Fallible<(u64, BuildTimes)> {
        let effect = Effect { inputs: old.inputs.clone(), ..Effect::new(EffectText::Inline(text(number))) };
        let edit = Edit::Replace { name: "sepia".into(), node: Node::Effect(effect) };
        let start = Instant::now();
        let applied = live.apply(&[edit])?;
        Ok((start.elapsed().as_nanos() as u64, applied.build))
    };
    for number in 0..replacements / 2 {
        let (total, build) = replace(number)?;
        times.cold.push(total);
        times.compile.push(build.compile.as_nanos() as u64);
        times.kernels.push(build.kernels.as_nanos() as u64);
        times.cached.push(replace(number.saturating_sub(1))?.0);
    }
    // The first one that was known was the new one itself.
    times.cached.remove(0);
    Ok(times)
}
