//! The other process.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use streamlib::format::Size;
use streamlib::shader::EffectSource;
use streamlib::vulkan::{
    DeviceOptions, PeerTimeline, SharedTexture, SharedTiling, SharedTimeline, SharingKind, Texture,
    Validation,
};
use streamlib::{EffectRun, RuntimeOptions, StreamRuntime};
use streamlib_core::gpu::Gpu;
use streamlib_linux::realtime::{Affinity, DeviceInterrupts};
use streamlib_share::{Acquired, BufferDescription, BufferKind, Reader, ReaderOptions, TimelineDescription};

use super::{Seen, Told};
use crate::{Fallible, device_choice};

/// Reads a surface and tells of it, for the benchmark that started it.
#[derive(Debug, Args)]
pub(crate) struct ReaderArgs {
    surface: String,
    /// `check` looks at every pixel, `count` at none.
    mode: String,
    seconds: f64,
    #[arg(long, default_value = "best")]
    device: String,
    #[arg(long)]
    awake_us: u64,
    #[arg(long)]
    out: PathBuf,
}

/// Compares the pixels of a block with its first one; what it answers is that one, or black where one differs.
const CHECK: &str = "
Texture2D<float4> input;
RWTexture2D<float4> output;
[numthreads(8, 8, 1)]
void main(uint3 id : SV_DispatchThreadID) {
    uint2 size, blocks;
    input.GetDimensions(size.x, size.y);
    output.GetDimensions(blocks.x, blocks.y);
    if (any(id.xy >= blocks)) return;
    uint2 from = id.xy * size / blocks, to = (id.xy + 1) * size / blocks;
    float4 first = input.Load(int3(0, 0, 0));
    bool same = true;
    for (uint y = from.y; y < to.y; ++y)
        for (uint x = from.x; x < to.x; ++x)
            same = same && all(input.Load(int3(x, y, 0)) == first);
    output[id.xy] = same ? first : float4(0, 0, 0, 0);
}";
/// So long a frame that the publisher's GPU works on is looked for without sleeping, as graphs do.
const WATCH: Duration = Duration::from_micros(100);
/// Blocks of a picture, each looked at by a thread.
const BLOCKS: Size = Size::new(480, 270);

pub(crate) fn read(args: &ReaderArgs) -> Fallible<()> {
    let device = DeviceOptions { choice: device_choice(&args.device), validation: Validation::Off };
    let runtime = Arc::new(StreamRuntime::new(&RuntimeOptions { device, ..RuntimeOptions::default() })?);
    let awake = Duration::from_micros(args.awake_us);
    let options = ReaderOptions { patience: Duration::from_secs(10), awake, ..ReaderOptions::default() };
    let mut reader = Reader::open(&args.surface, &options)?;
    let timeline = read_early(&runtime, &mut reader)?;
    let check = EffectSource::from_text("check", CHECK);
    let checked = runtime.create_texture(BLOCKS, streamlib::format::TextureFormat::Rgba8)?;
    let (mut told, mut imports) = (Told::default(), BTreeMap::new());
    // The first second does not count: buffers are imported and kernels built in it.
    let counts_from = Instant::now() + Duration::from_secs(1);
    let mut begun = None;
    let looks = args.mode == "check";
    let mut aside = Aside::new(&runtime, awake);
    loop {
        let Some(frame) = reader.acquire(Duration::from_secs(2))? else {
            return Err("no frame for two seconds".into());
        };
        let mut longest_look = Duration::ZERO;
        let mut look = |timeline: &PeerTimeline, value| {
            let begun = Instant::now();
            let is_reached = timeline.reached(value);
            longest_look = longest_look.max(begun.elapsed());
            is_reached
        };
        if let (Some(timeline), Some(value)) = (&timeline, frame.done().map(u64::from))
            && !reader.watch(&frame, awake.max(WATCH), |value| look(timeline, value))?
            && !timeline.wait(value, Duration::from_secs(2))?
        {
            return Err("a frame that is not done for two seconds".into());
        }
        let at_ns = streamlib_linux::realtime::monotonic_now().0;
        if begun.is_none() && Instant::now() > counts_from {
            told.seen.clear();
            begun = Some(Instant::now());
        }
        let sequence = frame.meta().sequence;
        if told.seen.last().is_some_and(|last| last.sequence >= sequence) {
            told.repeated += 1;
        }
        if looks {
            let texture = match imports.get(&frame.buffer()) {
                Some(texture) => texture,
                None => &*imports.entry(frame.buffer()).or_insert(import(&runtime, &mut reader, &frame)?),
            };
            let run =
                EffectRun { inputs: &[("input", texture)], output: Some(&checked), ..EffectRun::default() };
            runtime.run_effect(&check, &run)?;
            told.looked_at += 1;
            let is_whole = runtime
                .read_texture(&checked)?
                .read(|bytes| bytes.chunks(4).all(|p| p == wanted(sequence)))?;
            told.torn += u64::from(!is_whole);
        }
        let look_ns = longest_look.as_nanos() as u64;
        told.seen.push(Seen { sequence, published_ns: frame.published().0, at_ns, look_ns });
        drop(frame);
        aside.step();
        told.seconds = begun.map_or(0.0, |begun| begun.elapsed().as_secs_f64());
        if told.seconds > args.seconds {
            break;
        }
    }
    std::fs::write(&args.out, serde_json::to_string(&told)?)?;
    Ok(())
}

/// Keeps a thread that does not sleep off the CPUs that serve the GPU's interrupts, as graphs do.
struct Aside {
    known: Option<(DeviceInterrupts, Affinity)>,
    looked: Instant,
}

impl Aside {
    fn new(runtime: &StreamRuntime, awake: Duration) -> Self {
        let address = runtime.gpu().info().pci_address.as_deref().filter(|_| !awake.is_zero());
        let interrupts = address.and_then(|address| DeviceInterrupts::of_pci_device(address).ok());
        Self { known: interrupts.zip(Affinity::of_this_thread().ok()), looked: Instant::now() }
    }

    /// Looks once a second.
    fn step(&mut self) {
        let Some((interrupts, affinity)) = &mut self.known else { return };
        if self.looked.elapsed() < Duration::from_secs(1) {
            return;
        }
        if let Ok(busy) = interrupts.served_since()
            && !busy.is_empty()
        {
            let _as_it_was = affinity.keep_off(&busy);
        }
        self.looked = Instant::now();
    }
}

/// Takes frames before they are done, where the device can wait for the publisher's timeline: as graphs do that read a surface.
fn read_early(runtime: &StreamRuntime, reader: &mut Reader) -> Fallible<Option<PeerTimeline>> {
    let Some((TimelineDescription { device, driver }, descriptor)) = reader.timeline()? else {
        return Ok(None);
    };
    let shared = SharedTimeline { descriptor, device, driver };
    let timeline = runtime.gpu().import_timeline("published", shared)?;
    reader.read_early();
    Ok(Some(timeline))
}

/// What every pixel of a frame is.
fn wanted(sequence: u64) -> [u8; 4] {
    [sequence, sequence >> 8, sequence.wrapping_mul(37), sequence.wrapping_mul(101)]
        .map(|channel| channel as u8)
}

fn import(runtime: &StreamRuntime, reader: &mut Reader, frame: &Acquired) -> Fallible<Texture> {
    let (description, descriptor) = reader.buffer(frame.buffer())?;
    let BufferDescription { kind, size, format, allocation, tiling, offset, pitch, device, driver } =
        description;
    let (kind, tiling) = match (kind, tiling) {
        (BufferKind::Opaque, 0) => (SharingKind::OpaqueFd, SharedTiling::Optimal),
        (BufferKind::Opaque, _) => (SharingKind::OpaqueFd, SharedTiling::Linear),
        (_, modifier) => (SharingKind::DmaBuf, SharedTiling::Modifier(modifier)),
    };
    let format = format.texture_format().ok_or("an unknown format")?;
    let shared = SharedTexture {
        descriptor,
        kind,
        size,
        format,
        allocation,
        tiling,
        offset,
        row_pitch: pitch,
        device,
        driver,
    };
    Ok(runtime.gpu().import_texture("shared", shared)?)
}
