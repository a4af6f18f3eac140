//! The works that are a graph's: what its nodes cost, and frames at a steady rate. Both on a live graph, as users run it.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use streamlib::format::Size;
use streamlib::graph::Graph;
use streamlib::shader::{CacheOptions, CompilerOptions};
use streamlib::vulkan::{DeviceChoice, DeviceOptions, Validation};
use streamlib::{
    LiveFrame, LiveGraph, LiveOptions, Loan, Pacing, RuntimeOptions, StreamRuntime, VideoInlet, VideoOutlet,
};
use streamlib_core::engine::Content;

use super::{frames, pace};
use crate::Fallible;
use crate::chain::EFFECTS;
use crate::peers::protocol::{Answer, Request};
use crate::rig::percentile;

const LIMIT: Duration = Duration::from_secs(60);
/// So few pixels that their work is nothing beside a node's own cost.
const TINY: Size = Size::new(16, 16);

/// A row of effects between an inlet and an outlet.
struct Row {
    /// Dropping it stops the graph.
    _live: LiveGraph,
    inlet: VideoInlet,
    outlet: VideoOutlet,
    loans: Vec<Loan>,
}

impl Row {
    /// Starts the row with pictures that are on the GPU from then on.
    fn start(
        runtime: &Arc<StreamRuntime>,
        text: &str,
        options: LiveOptions,
        pictures: &[Vec<u8>],
    ) -> Fallible<Self> {
        let live = runtime.start(&Graph::from_toml(text)?, options)?;
        let mut inlet = live.inlet("first").ok_or("the graph has no inlet")?;
        let outlet = live.outlet("last").ok_or("the graph has no outlet")?;
        let mut loans = Vec::new();
        for picture in pictures {
            let loan = inlet.loan().ok_or("the inlet lends no texture")?;
            inlet.write(&loan, picture)?;
            loans.push(loan);
        }
        Ok(Self { _live: live, inlet, outlet, loans })
    }

    /// Pushes a picture and waits until its frame is done.
    fn run(&mut self, frame: usize) -> Fallible<LiveFrame> {
        self.inlet.push(self.loans[frame % self.loans.len()].clone())?;
        self.outlet.wait(LIMIT).ok_or_else(|| "no frame came out of the graph".into())
    }
}

fn runtime(request: &Request) -> Fallible<Arc<StreamRuntime>> {
    let choice = DeviceChoice::Name(request.device.clone());
    let device = DeviceOptions { choice, validation: Validation::Off };
    let cache = CacheOptions::Disk(request.cache.join("streamlib"));
    let compiler = CompilerOptions { cache, ..CompilerOptions::default() };
    Ok(Arc::new(StreamRuntime::new(&RuntimeOptions { device, compiler })?))
}

/// A graph of these effects, each a line of TOML that says which.
fn graph(size: Size, effects: impl IntoIterator<Item = String>) -> String {
    let Size { width, height } = size;
    let mut text = format!("[nodes.first]\nsource = 'app:'\nsize = [{width}, {height}]\n");
    let mut before = "first".to_owned();
    let lossless = |from: &str| {
        format!("inputs = {{ input = {{ from = '{from}', delivery = 'lossless', bound = 4 }} }}\n")
    };
    for (index, effect) in effects.into_iter().enumerate() {
        // Between effects nothing can be lost.
        let link =
            if index == 0 { lossless("first") } else { format!("inputs = {{ input = '{before}' }}\n") };
        // Writing to a string does not fail.
        let _ = write!(text, "[nodes.n{index}]\n{effect}\n{link}");
        before = format!("n{index}");
    }
    text + "[nodes.last]\nsink = 'app:'\n" + &lossless(&before)
}

/// What each node of a row adds to the time of a frame.
pub(crate) fn nodes(request: &Request) -> Fallible<Answer> {
    let runtime = runtime(request)?;
    let picture = vec![vec![128; TINY.pixels() * 4]];
    let times = |nodes: u32| -> Fallible<Vec<u64>> {
        let pass = "hlsl = 'float4 main(float2 uv : TEXCOORD) : SV_Target { return tex2D(input, uv); }'";
        let text = graph(TINY, (0..nodes).map(|_| pass.to_owned()));
        // Fused, the nodes would be one.
        let options = LiveOptions { pacing: Pacing::Clock, fuse: false, ..LiveOptions::default() };
        let mut row = Row::start(&runtime, &text, options, &picture)?;
        let mut times = Vec::new();
        for frame in 0..request.warmup + request.frames {
            let start = Instant::now();
            row.run(frame)?;
            times.push(start.elapsed().as_nanos() as u64);
        }
        Ok(times.split_off(request.warmup))
    };
    // What the ends cost is not the nodes' cost.
    let mut ends = times(1)?;
    ends.sort_unstable();
    let ends = percentile(&ends, 0.5);
    let nodes = u64::from(request.nodes);
    let wall_ns = times(1 + request.nodes)?.iter().map(|time| time.saturating_sub(ends) / nodes).collect();
    let note = "effects of 16 x 16 pixels, not fused, GPU work included, ends taken off".to_owned();
    Ok(Answer { wall_ns, note, ..Answer::default() })
}

/// The chain at the request's rate.
pub(crate) fn paced(request: &Request) -> Fallible<Answer> {
    let runtime = runtime(request)?;
    let size = Size::new(request.width, request.height);
    let pictures = request.inputs.iter().map(std::fs::read).collect::<Result<Vec<_>, _>>()?;
    let text = graph(size, EFFECTS.map(|name| format!("effect = '{name}.hlsl'")));
    let base = request.effects.clone();
    let options = LiveOptions { base, pacing: Pacing::Clock, ..LiveOptions::default() };
    let mut row = Row::start(&runtime, &text, options, &pictures)?;
    let mut last = None;
    let mut answer = pace::measure(request, |frame| {
        last = Some(row.run(frame)?);
        Ok(())
    })?;
    let Some(Content::Texture(texture)) = last.map(|frame| frame.content) else {
        return Err("the last frame is no texture".into());
    };
    std::fs::write(&request.output, frames::read(runtime.gpu(), &texture.texture, size)?)?;
    "a live graph, fused to one kernel".clone_into(&mut answer.note);
    Ok(answer)
}
