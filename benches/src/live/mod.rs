//! Live graphs: latency and jitter at a steady pace, effects replaced while frames run, and what a node costs.

mod nodes;
mod paced;
mod replace;

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use serde::Serialize;
use streamlib::account::Summary;
use streamlib::format::Size;
use streamlib::vulkan::{DeviceOptions, Validation};
use streamlib::{Loan, RuntimeOptions, StreamRuntime, VideoInlet};
use streamlib_core::gpu::Gpu;

use crate::{Fallible, device_choice, file_stem};

/// Time live graphs: a paced run, effects replaced in a running graph, and the cost of each node.
#[derive(Debug, Args)]
pub(crate) struct LiveArgs {
    /// What to measure; everything when not stated.
    #[arg(value_enum)]
    cases: Vec<Case>,
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
    #[arg(long, default_value_t = 300.0)]
    seconds: f64,
    /// How long before and after a frame of the paced run is expected its delivery is awaited without sleeping, microseconds.
    #[arg(long, default_value_t = 400)]
    awake_us: u64,
    /// Effects replaced, each with text that was never seen before and again with text that was.
    #[arg(long, default_value_t = 1000)]
    replacements: u32,
    /// Folder that the results are written to.
    #[arg(long, default_value = "docs/benchmarks")]
    out: PathBuf,
    /// Folder of the effects.
    #[arg(long, default_value = "effects")]
    effects: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Case {
    /// A three-effect graph at a steady pace.
    Paced,
    /// Effects replaced in a running graph.
    Replace,
    /// Graphs of 10 and 50 nodes.
    Nodes,
}

/// Everything measured in one run.
#[derive(Serialize)]
struct Results {
    device: String,
    command: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    paced: Option<paced::Paced>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replace: Option<replace::Replaced>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nodes: Option<Vec<nodes::NodeCost>>,
}

/// What every case works with.
struct Bed<'a> {
    runtime: Arc<StreamRuntime>,
    args: &'a LiveArgs,
    size: Size,
}

pub(crate) fn run(args: &LiveArgs) -> Fallible<()> {
    let (width, height) = args.size.split_once('x').ok_or("a size is WIDTHxHEIGHT")?;
    let size = Size::new(width.parse()?, height.parse()?);
    let device = DeviceOptions { choice: device_choice(&args.device), validation: Validation::Off };
    let runtime = Arc::new(StreamRuntime::new(&RuntimeOptions { device, ..RuntimeOptions::default() })?);
    let name = runtime.gpu().info().name.clone();
    println!("device: {name}");
    let bed = Bed { runtime, args, size };
    let wants = |case| args.cases.is_empty() || args.cases.contains(&case);
    let mut results = Results {
        device: name.clone(),
        command: std::env::args().skip(1).collect::<Vec<_>>().join(" "),
        paced: None,
        replace: None,
        nodes: None,
    };
    if wants(Case::Nodes) {
        results.nodes = Some(nodes::measure(&bed)?);
    }
    if wants(Case::Replace) {
        results.replace = Some(replace::measure(&bed)?);
    }
    if wants(Case::Paced) {
        results.paced = Some(paced::measure(&bed)?);
    }
    std::fs::create_dir_all(&args.out)?;
    let path = args.out.join(format!("live-{}.json", file_stem(&name)));
    std::fs::write(&path, serde_json::to_string_pretty(&results)? + "\n")?;
    println!("wrote {}", path.display());
    Ok(())
}

/// Frames that a source has ready: noise, several of them, so that no cache holds them all.
pub(crate) struct Frames(Vec<Loan>);

impl Frames {
    pub(crate) fn new(inlet: &mut VideoInlet) -> Fallible<Self> {
        let size = inlet.size();
        let mut state = 0x9E37_79B9_u32;
        let mut frames = Vec::new();
        while let Some(loan) = inlet.loan() {
            let mut pixels = vec![0; size.pixels() * 4];
            for texel in pixels.chunks_exact_mut(4) {
                // xorshift32: any sequence without visible pattern will do.
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                texel.copy_from_slice(&(state | 0xFF00_0000).to_le_bytes());
            }
            inlet.write(&loan, &pixels)?;
            frames.push(loan);
        }
        Ok(Self(frames))
    }

    pub(crate) fn get(&self, number: u64) -> Loan {
        self.0[(number % self.0.len() as u64) as usize].clone()
    }
}

fn line(what: &str, times: &Summary) -> String {
    let Summary { p50_us, p99_us, p99_9_us, max_us, .. } = times;
    format!("{what:<28} p50 {p50_us:>9.1} us  p99 {p99_us:>9.1}  p99.9 {p99_9_us:>9.1}  max {max_us:>9.1}")
}
