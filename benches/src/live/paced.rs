//! A three-effect graph at a steady pace: the program pushes textures on time, and frames are counted where they come out.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use serde::Serialize;
use streamlib::LiveOptions;
use streamlib::account::{Stats, Summary};
use streamlib::frame::Timestamp;
use streamlib::graph::Graph;

use super::{Bed, Frames, line};
use crate::Fallible;

#[derive(Serialize)]
pub(super) struct Paced {
    size: String,
    fps: f64,
    frames: u64,
    /// From the push of a frame to its delivery.
    frame_in_to_ready: Summary,
    /// From the push to the submission.
    frame_in_to_submit: Summary,
    /// From the submission to the end of the GPU's work, on one clock.
    submit_to_gpu_end: Summary,
    /// Of deliveries: how far intervals are from the nominal one.
    jitter: Summary,
    /// GPU time of each pass.
    passes: Vec<(String, Summary)>,
    deadline_misses: u64,
    dropped: u64,
    /// How long before and after a frame is expected its delivery is awaited without sleeping, microseconds.
    awake_us: u64,
    /// CPU time of submitting a frame, on the thread that did it.
    submit_cpu_us_per_frame: f64,
    /// What the system refused that would make frames steadier.
    notices: Vec<String>,
}

pub(super) fn graph(bed: &Bed<'_>) -> Fallible<Graph> {
    let folder = std::path::absolute(&bed.args.effects)?;
    let effect = |name: &str| folder.join(format!("{name}.hlsl")).display().to_string();
    let (width, height) = (bed.size.width, bed.size.height);
    let text = format!(
        "[nodes.camera]\nsource = 'app:'\nsize = [{width}, {height}]\nfps = {:?}\n\
         [nodes.contrast]\neffect = '{}'\ninputs = {{ input = 'camera' }}\n\
         [nodes.sepia]\neffect = '{}'\ninputs = {{ input = 'contrast' }}\n\
         [nodes.vignette]\neffect = '{}'\ninputs = {{ input = 'sepia' }}\n\
         [nodes.out]\nsink = 'null:'\ninputs = {{ input = 'vignette' }}\n",
        bed.args.fps,
        effect("contrast"),
        effect("sepia"),
        effect("vignette")
    );
    Ok(Graph::from_toml(&text)?)
}

pub(super) fn measure(bed: &Bed<'_>) -> Fallible<Paced> {
    let awake = Duration::from_micros(bed.args.awake_us);
    let options = LiveOptions { awake, counts_cpu: true, ..LiveOptions::default() };
    let live = bed.runtime.start(&graph(bed)?, options)?;
    let mut inlet = live.inlet("camera").ok_or("the graph has a camera")?;
    let frames = Frames::new(&mut inlet)?;
    let interval_ns = 1e9 / bed.args.fps;
    let total = (bed.args.seconds * bed.args.fps) as u64;
    let (start, never) = (streamlib_linux::realtime::monotonic_now(), AtomicBool::new(false));
    for number in 0..total {
        let due = Timestamp(start.0 + ((number + 1) as f64 * interval_ns) as i64);
        streamlib_linux::realtime::sleep_until(due, &never);
        inlet.push(frames.get(number))?;
        if number > 0 && number.is_multiple_of((10.0 * bed.args.fps) as u64) {
            let Stats { frames, latency, .. } = live.stats();
            println!("  {frames:>6} of {total}: {}", line("in to ready", &latency));
        }
    }
    // The last frame is delivered within an interval on anything that keeps up.
    streamlib_linux::realtime::sleep_until(
        Timestamp(start.0 + ((total + 8) as f64 * interval_ns) as i64),
        &never,
    );
    let report = live.stop()?;
    let stats = report.stats;
    println!("{}", line("paced: frame in to ready", &stats.latency));
    println!("{}", line("paced: jitter", &stats.jitter));
    println!(
        "paced: {} frames, {} deadline misses, {} dropped, {:.1} us of CPU a frame to submit it",
        stats.frames,
        stats.deadline_misses(),
        stats.drops().total(),
        report.submit_cpu_us_per_frame.unwrap_or_default()
    );
    Ok(Paced {
        size: bed.size.to_string(),
        fps: bed.args.fps,
        frames: stats.frames,
        deadline_misses: stats.deadline_misses(),
        dropped: stats.drops().total(),
        frame_in_to_ready: stats.latency,
        frame_in_to_submit: stats.capture_to_submit,
        submit_to_gpu_end: stats.submit_to_gpu_end,
        jitter: stats.jitter,
        passes: stats.passes.into_iter().map(|pass| (pass.name, pass.gpu)).collect(),
        awake_us: bed.args.awake_us,
        submit_cpu_us_per_frame: report.submit_cpu_us_per_frame.unwrap_or_default(),
        notices: report.notices,
    })
}
