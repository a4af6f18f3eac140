//! The other process.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use streamlib::vulkan::{
    DeviceOptions, PeerTimeline, SharedTexture, SharedTiling, SharedTimeline, SharingKind, Texture,
    Validation,
};
use streamlib::{RuntimeOptions, StreamRuntime};
use streamlib_core::gpu::Gpu;
use streamlib_linux::realtime::{Affinity, DeviceInterrupts, monotonic_now};
use streamlib_share::{Acquired, BufferDescription, BufferKind, Reader, ReaderOptions, TimelineDescription};

use super::check::{Checker, Handed};
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

/// So long a frame that the publisher's GPU works on is looked for without sleeping, as graphs do.
const WATCH: Duration = Duration::from_micros(100);

pub(crate) fn read(args: &ReaderArgs) -> Fallible<()> {
    let device = DeviceOptions { choice: device_choice(&args.device), validation: Validation::Off };
    let runtime = Arc::new(StreamRuntime::new(&RuntimeOptions { device, ..RuntimeOptions::default() })?);
    let awake = Duration::from_micros(args.awake_us);
    let options = ReaderOptions { patience: Duration::from_secs(10), awake, ..ReaderOptions::default() };
    let mut reader = Reader::open(&args.surface, &options)?;
    let timeline = read_early(&runtime, &mut reader)?;
    let checker = (args.mode == "check").then(|| Checker::start(&runtime)).transpose()?;
    let (mut told, mut known) = (Told::default(), BTreeSet::new());
    // The first second does not count: buffers are imported and kernels built in it.
    let counts_from = Instant::now() + Duration::from_secs(1);
    let mut begun = None;
    let mut aside = Aside::new(&runtime, awake);
    loop {
        let Some(frame) = reader.acquire(Duration::from_secs(2))? else {
            return Err("no frame for two seconds".into());
        };
        let told_ns = monotonic_now().0;
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
        let at_ns = monotonic_now().0;
        if begun.is_none() && Instant::now() > counts_from {
            told.seen.clear();
            begun = Some(Instant::now());
        }
        let sequence = frame.meta().sequence;
        if told.seen.last().is_some_and(|last| last.sequence >= sequence) {
            told.repeated += 1;
        }
        let (published_ns, look_ns) = (frame.published().0, longest_look.as_nanos() as u64);
        told.seen.push(Seen { sequence, published_ns, told_ns, at_ns, look_ns });
        if let Some(checker) = &checker {
            let is_new = known.insert(frame.buffer());
            let texture = is_new.then(|| import(&runtime, &mut reader, &frame)).transpose()?;
            checker.look(Handed { frame, texture });
        }
        aside.step();
        told.seconds = begun.map_or(0.0, |begun| begun.elapsed().as_secs_f64());
        if told.seconds > args.seconds {
            break;
        }
    }
    if let Some(checker) = checker {
        (told.looked_at, told.torn) = checker.end()?;
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
