//! Frames from one process to another: how long after the GPU has finished a frame another process may start on it, whether every
//! frame arrives whole, and how many there are when both go as fast as they can.

mod check;
mod peers;
mod reader;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use serde::{Deserialize, Serialize};
use streamlib::graph::Graph;
use streamlib::vulkan::{DeviceOptions, Validation};
use streamlib::{LiveOptions, Pacing, RuntimeOptions, StreamRuntime};
use streamlib_core::gpu::Gpu;

use crate::{Fallible, device_choice, file_stem};

pub(crate) use reader::{ReaderArgs, read};

/// Time the hand-off of frames to another process.
#[derive(Debug, Args)]
pub(crate) struct ShareArgs {
    /// GPU to use: its number in `./x doctor`, a part of its name, or `best`.
    #[arg(long, default_value = "best")]
    device: String,
    /// Size of the frames.
    #[arg(long, default_value = "3840x2160")]
    size: String,
    /// Frames a second of the paced run.
    #[arg(long, default_value_t = 60.0)]
    fps: f64,
    /// Seconds of the paced run.
    #[arg(long, default_value_t = 60.0)]
    seconds: f64,
    /// Seconds of the run as fast as both go.
    #[arg(long, default_value_t = 5.0)]
    free_seconds: f64,
    /// How long before and after a frame is expected both processes await it without sleeping, microseconds.
    #[arg(long, default_value_t = 2000)]
    awake_us: u64,
    /// Python that has the packages of other programs that hand frames over; they are left out without it.
    #[arg(long)]
    peers_python: Option<PathBuf>,
    /// Folder of their programs.
    #[arg(long, default_value = "benches/peers")]
    peers: PathBuf,
    /// Seconds of the run of each.
    #[arg(long, default_value_t = 20.0)]
    peer_seconds: f64,
    /// Folder that the results are written to.
    #[arg(long, default_value = "docs/benchmarks")]
    out: PathBuf,
}

/// Draws the number of its frame into every pixel, spread over the channels.
const PATTERN: &str = "
float4 main(float2 uv : TEXCOORD) : SV_Target {
    uint n = uint(frame_number);
    return float4(n & 255, (n >> 8) & 255, (n * 37) & 255, (n * 101) & 255) / 255.0;
}";

/// An effect behind it, as graphs have one.
const COPY: &str = "float4 main(float2 uv : TEXCOORD) : SV_Target { return tex2D(input, uv); }";

/// What the other process tells of one frame.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Seen {
    /// Number of the frame at its publisher.
    sequence: u64,
    /// When it was published, on the monotonic clock.
    published_ns: i64,
    /// When the reader knew of it.
    told_ns: i64,
    /// When the reader could begin.
    at_ns: i64,
    /// The longest that the driver took to say whether the GPU is done.
    look_ns: u64,
}

/// What the other process tells at its end.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Told {
    seen: Vec<Seen>,
    /// Frames with pixels of more than one frame, or of another than they were said to be.
    torn: u64,
    /// Frames that came again, or after a later one.
    repeated: u64,
    /// Frames whose pixels were looked at.
    looked_at: u64,
    seconds: f64,
}

/// When the GPU had finished a frame, and when its publisher knew.
struct End {
    gpu_ns: i64,
    noticed_ns: i64,
}

#[derive(Serialize)]
struct Results {
    device: String,
    command: String,
    size: String,
    fps: f64,
    published: u64,
    read: u64,
    /// Frames that the reader was too late for.
    missed: u64,
    torn: u64,
    repeated: u64,
    looked_at: u64,
    /// From the end of the GPU's work on a frame, as the device's own clock has it, until its publisher has noticed.
    gpu_done_to_publisher_us: Percentiles,
    /// From the call that announces it, which may come before the GPU is done, until the other process may start.
    published_to_reader_us: Percentiles,
    /// All of it: from the end of the GPU's work until the other process may start.
    gpu_done_to_reader_us: Percentiles,
    free_frames_per_second: f64,
    /// Others in the same run, at the same size and rate.
    peers: Vec<peers::Peer>,
}

#[derive(Debug, Serialize)]
struct Percentiles {
    least: f64,
    p50: f64,
    p99: f64,
    p99_9: f64,
    max: f64,
}

impl Percentiles {
    fn of(mut times: Vec<f64>) -> Self {
        times.sort_by(f64::total_cmp);
        let at = |share: f64| match times.len() {
            0 => f64::NAN,
            count => times[((count as f64 * share).ceil() as usize).clamp(1, count) - 1],
        };
        Self { least: at(0.0), p50: at(0.5), p99: at(0.99), p99_9: at(0.999), max: at(1.0) }
    }
}

pub(crate) fn run(args: &ShareArgs) -> Fallible<()> {
    let device = DeviceOptions { choice: device_choice(&args.device), validation: Validation::Off };
    let runtime = Arc::new(StreamRuntime::new(&RuntimeOptions { device, ..RuntimeOptions::default() })?);
    let name = runtime.gpu().info().name.clone();
    println!("device: {name}");
    let folder = tempfile::tempdir()?;
    let bench = Bench { runtime, args, folder: folder.path() };
    std::fs::write(folder.path().join("pattern.hlsl"), PATTERN)?;
    std::fs::write(folder.path().join("copy.hlsl"), COPY)?;

    let (told, ends) = bench.play(Pacing::Clock, args.seconds, "check")?;
    let handed = told.seen.iter().map(|seen| (seen.at_ns - seen.published_ns) as f64 / 1e3);
    let handed = Percentiles::of(handed.collect());
    let noticed =
        Percentiles::of(ends.values().map(|end| (end.noticed_ns - end.gpu_ns) as f64 / 1e3).collect());
    let after_gpu = |seen: &[Seen]| {
        let times =
            seen.iter().filter_map(|seen| Some((seen.at_ns - ends.get(&seen.sequence)?.gpu_ns) as f64 / 1e3));
        Percentiles::of(times.collect())
    };
    let times = after_gpu(&told.seen);
    let looks = Percentiles::of(told.seen.iter().map(|seen| seen.look_ns as f64 / 1e3).collect());
    let known = Percentiles::of(
        told.seen.iter().map(|seen| (seen.told_ns - seen.published_ns) as f64 / 1e3).collect(),
    );
    // A run that gets slower shows it here; a thread that is held up at the end of every frame is told by the quickest.
    let tenths = told.seen.chunks(told.seen.len().div_ceil(10).max(1)).map(after_gpu);
    let tenths: Vec<_> =
        tenths.map(|tenth| format!("{:.1} ({:.1}, {:.1})", tenth.p50, tenth.least, tenth.p99_9)).collect();
    let first = told.seen.first().map_or(0, |seen| seen.sequence);
    let published = told.seen.last().map_or(0, |seen| seen.sequence + 1 - first);
    let read = told.seen.len() as u64;
    println!(
        "paced: {published} frames, {read} read, {} torn, {} repeated, {} looked at; GPU done to reader p50 {:.1} us, p99 {:.1}, \
         p99.9 {:.1}, max {:.1}; to publisher p50 {:.1}, p99.9 {:.1}; from its announcement \
         p50 {:.1}, p99.9 {:.1}; known of after p50 {:.1}, p99.9 {:.1}; longest look at the semaphore in each frame \
         p50 {:.1}, p99.9 {:.1}; p50 (least and p99.9) of each tenth of the run: {}",
        told.torn,
        told.repeated,
        told.looked_at,
        times.p50,
        times.p99,
        times.p99_9,
        times.max,
        noticed.p50,
        noticed.p99_9,
        handed.p50,
        handed.p99_9,
        known.p50,
        known.p99_9,
        looks.p50,
        looks.p99_9,
        tenths.join(", ")
    );
    let (free, _) = bench.play(Pacing::Free, args.free_seconds, "count")?;
    let free_frames_per_second = free.seen.len() as f64 / free.seconds;
    println!("as fast as both go: {free_frames_per_second:.0} frames a second reach the other process");

    let peers = match &args.peers_python {
        Some(python) => peers::run(args, python, folder.path())?,
        None => Vec::new(),
    };

    let results = Results {
        device: name.clone(),
        command: std::env::args().skip(1).collect::<Vec<_>>().join(" "),
        size: args.size.clone(),
        fps: args.fps,
        published,
        read,
        missed: published - read,
        torn: told.torn + free.torn,
        repeated: told.repeated + free.repeated,
        looked_at: told.looked_at,
        gpu_done_to_publisher_us: noticed,
        published_to_reader_us: handed,
        gpu_done_to_reader_us: times,
        free_frames_per_second,
        peers,
    };
    std::fs::create_dir_all(&args.out)?;
    let path = args.out.join(format!("share-{}.json", file_stem(&name)));
    std::fs::write(&path, serde_json::to_string_pretty(&results)? + "\n")?;
    println!("wrote {}", path.display());
    Ok(())
}

struct Bench<'a> {
    runtime: Arc<StreamRuntime>,
    args: &'a ShareArgs,
    folder: &'a Path,
}

impl Bench<'_> {
    /// Publishes frames to another process; what that tells, and when the GPU had finished each.
    fn play(&self, pacing: Pacing, seconds: f64, mode: &str) -> Fallible<(Told, BTreeMap<u64, End>)> {
        let (width, height) = self.args.size.split_once('x').ok_or("a size is WIDTHxHEIGHT")?;
        let surface = format!("bench-{}", std::process::id());
        let clock =
            if mode == "check" { "[nodes.clock]\nsink = 'app:'\ninputs = { input = 'copy' }\n" } else { "" };
        let graph = Graph::from_toml(&format!(
            "[nodes.pattern]\nsource = '{}'\nsize = [{width}, {height}]\nfps = {:?}\n\
             [nodes.copy]\neffect = '{}'\ninputs = {{ input = 'pattern' }}\n\
             [nodes.out]\nsink = 'surface:{surface}'\ninputs = {{ input = 'copy' }}\n{clock}",
            self.folder.join("pattern.hlsl").display(),
            self.args.fps,
            self.folder.join("copy.hlsl").display()
        ))?;
        let awake = Duration::from_micros(self.args.awake_us);
        let live = self.runtime.start(&graph, LiveOptions { awake, pacing, ..LiveOptions::default() })?;
        let mut outlet = live.outlet("clock");
        let answer = self.folder.join("seen.json");
        let mut reader = Command::new(std::env::current_exe()?)
            .args(["share-reader", &surface, mode, &seconds.to_string(), "--device", &self.args.device])
            .args(["--awake-us", &self.args.awake_us.to_string()])
            .args(["--out".as_ref(), answer.as_os_str()])
            .spawn()?;
        let mut ends = BTreeMap::new();
        let until = Instant::now() + Duration::from_secs_f64(seconds + 60.0);
        while reader.try_wait()?.is_none() && Instant::now() < until {
            let Some(outlet) = &mut outlet else {
                live.wait(Duration::from_millis(10));
                continue;
            };
            if let Some(frame) = outlet.wait(Duration::from_millis(20))
                && let Some(end) = frame.times.gpu_end
            {
                let noticed_ns = frame.times.delivered.0;
                ends.insert(frame.meta.sequence, End { gpu_ns: end.0, noticed_ns });
            }
        }
        reader.kill()?;
        let status = reader.wait()?;
        live.stop()?;
        if !status.success() {
            return Err(format!("the reader ended with {status}").into());
        }
        Ok((serde_json::from_slice(&std::fs::read(answer)?)?, ends))
    }
}
