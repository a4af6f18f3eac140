//! Surfaces that a live graph reads, each on a thread of its own.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use streamlib_core::account::{DropReason, NodeCounters};
use streamlib_core::engine::{Leased, TexturePool};
use streamlib_core::format::{Size, TextureFormat};
use streamlib_core::frame::FrameMeta;
use streamlib_core::gpu::TextureDesc;
use streamlib_core::live::{Arrival, Clock, Push};
use streamlib_core::mailbox::{Bell, Listener, SendError};
use streamlib_shader::EffectSource;
use streamlib_share::{Acquired, BufferId, Reader, ReaderOptions, TimelineDescription};
use streamlib_vulkan::{
    DmaBufAccess, PeerTimeline, SharedTimeline, SharingProblem, Texture, VulkanError, VulkanGpu,
};

use super::awake::AwakeThreads;
use super::clock::{Monotonic, Role, prepare_thread};
use super::driver::Arrivals;
use super::event::{Events, LiveEvent};
use super::pulse::Pulse;
use crate::adapt::COPY;
use crate::eager::EffectRun;
use crate::runtime::StreamRuntime;
use crate::surface::{ReadOptions, SurfaceError, described};

/// A wait looks this often whether it is to stop.
const SLICE: Duration = Duration::from_millis(50);
/// How long the engine is given to let go of a frame, when this reader may hold no more.
const BUSY: Duration = Duration::from_micros(500);
/// A publisher that has gone is looked for this often.
const RETRY: Duration = Duration::from_millis(20);
/// So long a frame that the publisher's GPU works on is looked for without sleeping in any case: longer than an effect takes.
const WATCH: Duration = Duration::from_micros(100);
/// A frame that the publisher's GPU has not finished after this long has failed there, too.
const HUNG: Duration = Duration::from_secs(10);
/// A writer that has not finished a frame after this long hangs.
const FINISH: Duration = Duration::from_secs(1);
/// Buffers that are kept imported. A publisher has fewer, unless it changes its size all the time.
const IMPORTS: usize = 64;
/// Textures for frames that have to be scaled: shown, waiting, and under way.
const SCALED: usize = 6;

/// A surface that was opened, and what its first frame is.
pub(crate) struct SurfaceSource {
    reader: Reader,
    first: Option<Acquired>,
    pub(crate) size: Size,
    pub(crate) format: TextureFormat,
    /// So long a frame that the publisher's GPU works on is looked for without sleeping.
    watch: Duration,
}

impl SurfaceSource {
    /// Opens the surface, and waits for its first frame.
    pub(crate) fn open(options: &ReadOptions) -> Result<Self, SurfaceError> {
        let patience = options.patience;
        let mut reader =
            Reader::open(&options.name, &ReaderOptions { patience, ..ReaderOptions::default() })?;
        let Some(first) = reader.acquire(patience)? else {
            let (name, seconds) = (options.name.clone(), patience.as_secs());
            return Err(SurfaceError::Silent { name, seconds });
        };
        let (description, _memory) = reader.buffer(first.buffer())?;
        let shared = described(&options.name, &description, _memory)?;
        Ok(Self { size: shared.size, format: shared.format, reader, first: Some(first), watch: WATCH })
    }

    /// As [`LiveOptions::awake`](super::LiveOptions::awake).
    pub(crate) fn stay_awake(&mut self, awake: Duration) {
        self.reader.stay_awake(awake);
        self.watch = awake.clamp(WATCH, SLICE);
    }
}

impl std::fmt::Debug for SurfaceSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SurfaceSource({}, {}, {})", self.reader.name(), self.size, self.format.name())
    }
}

/// A surface that is being read. Dropping it lets go of the surface.
#[derive(Debug)]
pub(super) struct SurfaceThread {
    is_stopping: Arc<AtomicBool>,
    bell: Bell,
    thread: Option<JoinHandle<()>>,
}

/// What a surface's thread works with.
pub(super) struct SurfaceJob {
    pub(super) node: String,
    pub(super) source: SurfaceSource,
    /// How many frames to take at most.
    pub(super) frames: Option<u64>,
    pub(super) runtime: Arc<StreamRuntime>,
    pub(super) arrivals: Arrivals,
    pub(super) counters: Arc<NodeCounters>,
    pub(super) events: Arc<Events>,
    pub(super) pulse: Arc<Pulse>,
    pub(super) awake: Arc<AwakeThreads>,
}

impl SurfaceThread {
    pub(super) fn start(job: SurfaceJob) -> std::io::Result<Self> {
        let listener = Listener::new();
        let bell = listener.bell();
        let is_stopping = Arc::new(AtomicBool::new(false));
        let told = is_stopping.clone();
        let name = format!("source {}", job.node);
        let run = move || Worker::new(job, listener, told).run();
        let thread = std::thread::Builder::new().name(name).spawn(run)?;
        Ok(Self { is_stopping, bell, thread: Some(thread) })
    }

    /// Stops reading and waits for the thread.
    pub(super) fn stop(&mut self) {
        self.is_stopping.store(true, Ordering::Release);
        self.bell.ring();
        if let Some(thread) = self.thread.take() {
            // A panic has ended the source; the graph notices that it stalls.
            let _ = thread.join();
        }
    }
}

impl Drop for SurfaceThread {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A buffer of the surface as a texture of this device.
struct Imported {
    leased: Arc<Leased<VulkanGpu>>,
    /// Number of the frame that last came in it.
    last: u64,
}

struct Worker {
    job: SurfaceJob,
    listener: Listener,
    is_stopping: Arc<AtomicBool>,
    imports: BTreeMap<BufferId, Imported>,
    /// The publisher's, where it has one that this device can wait for.
    timeline: Option<PeerTimeline>,
    /// For frames that come in another size than the first; made when one does.
    scaled: Option<TexturePool<VulkanGpu>>,
    pushed: u64,
}

impl Worker {
    fn new(job: SurfaceJob, listener: Listener, is_stopping: Arc<AtomicBool>) -> Self {
        let imports = BTreeMap::new();
        Self { job, listener, is_stopping, imports, timeline: None, scaled: None, pushed: 0 }
    }

    fn run(mut self) {
        let node = self.job.node.clone();
        prepare_thread(&node, Role::Other, None);
        let _entered = self.job.awake.enter();
        self.read_early();
        let outcome = self.push_all();
        self.job.pulse.end();
        match outcome {
            Err(error) => self.job.events.tell(LiveEvent::SourceFailed { node, why: error.to_string() }),
            Ok(()) if self.is_stopping() => {}
            Ok(()) => self.job.events.tell(LiveEvent::SourceEnded { node }),
        }
    }

    fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::Acquire) || self.job.arrivals.is_closed()
    }

    fn push_all(&mut self) -> Result<(), SurfaceError> {
        while !self.is_stopping() && self.job.frames.is_none_or(|frames| self.pushed < frames) {
            let came = match self.job.source.first.take() {
                Some(first) => Ok(Some(first)),
                None => self.job.source.reader.acquire(SLICE),
            };
            let pushed = match came {
                Ok(Some(frame)) => self.await_done(&frame).and_then(|is_done| match is_done {
                    true => self.push(frame),
                    false => Ok(()),
                }),
                Ok(None) => Ok(()),
                Err(error) => Err(error.into()),
            };
            match pushed {
                Ok(()) => {}
                Err(SurfaceError::Share(streamlib_share::SurfaceError::TooManyLeases { .. })) => {
                    self.listener.wait(Some(Instant::now() + BUSY));
                }
                // A newer frame lies elsewhere by now.
                Err(SurfaceError::Share(streamlib_share::SurfaceError::NoBuffer { .. })) => {}
                Err(SurfaceError::Share(error)) if error.is_temporary() => self.find_again()?,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Takes frames before they are done, where the publisher lets this device wait for them.
    fn read_early(&mut self) {
        self.timeline = None;
        let reader = &mut self.job.source.reader;
        // Whatever keeps it from that: it gets frames when they are done.
        let Ok(Some((description, descriptor))) = reader.timeline() else { return };
        let TimelineDescription { device, driver } = description;
        let shared = SharedTimeline { descriptor, device, driver };
        match self.job.runtime.gpu().import_timeline(&self.job.node, shared) {
            Ok(timeline) => {
                self.timeline = Some(timeline);
                reader.read_early();
            }
            Err(error) => {
                tracing::debug!("frames of {} are taken when they are done: {error}", reader.name());
            }
        }
    }

    /// Waits until the publisher's GPU is done with the frame; `false` when the source is to stop first, or it never is.
    fn await_done(&self, frame: &Acquired) -> Result<bool, SurfaceError> {
        let (Some(timeline), Some(value)) = (&self.timeline, frame.done().map(u64::from)) else {
            return Ok(true);
        };
        let reader = &self.job.source.reader;
        let begun = Instant::now();
        let mut is_done = reader.watch(frame, self.job.source.watch, |value| timeline.reached(value))?;
        while !is_done && begun.elapsed() < HUNG && !self.is_stopping() {
            let was_alive = reader.is_publisher_alive();
            // What a publisher that has gone had done, it had done before.
            is_done = timeline.wait(value, if was_alive { SLICE } else { Duration::ZERO })?
                || reader.watch(frame, Duration::ZERO, |value| timeline.reached(value))?;
            if !is_done && !was_alive {
                let name = reader.name().clone();
                return Err(streamlib_share::SurfaceError::PublisherGone { name }.into());
            }
        }
        if !is_done {
            self.job.counters.came_in();
            self.job.counters.dropped(self.unfinished());
        }
        Ok(is_done)
    }

    /// Why a frame that was waited for is not taken.
    fn unfinished(&self) -> DropReason {
        if self.is_stopping() { DropReason::Stopped } else { DropReason::Unfinished }
    }

    /// Waits until somebody publishes the surface again. Meanwhile the source has stalled, which others notice.
    fn find_again(&mut self) -> Result<(), SurfaceError> {
        self.imports.clear();
        while !self.is_stopping() {
            match self.job.source.reader.reopen() {
                Ok(()) => {
                    self.read_early();
                    return Ok(());
                }
                Err(error) if error.is_temporary() => drop(self.listener.wait(Some(Instant::now() + RETRY))),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Forgets the buffer that has not been used for longest, where there are too many.
    fn forget(&mut self) {
        if self.imports.len() >= IMPORTS {
            let oldest = self.imports.iter().min_by_key(|(_, imported)| imported.last).map(|(id, _)| *id);
            oldest.map(|id| self.imports.remove(&id));
        }
    }

    fn push(&mut self, frame: Acquired) -> Result<(), SurfaceError> {
        self.job.counters.came_in();
        let arrived = Monotonic.now();
        let FrameMeta { captured, camera, .. } = *frame.meta();
        let meta = FrameMeta { captured, sequence: self.pushed, camera };
        let texture =
            self.texture(frame).inspect_err(|_| self.job.counters.dropped(DropReason::ConsumerFailed))?;
        let texture = match texture {
            Ok(texture) => texture,
            Err(reason) => {
                self.job.counters.dropped(reason);
                return Ok(());
            }
        };
        self.pushed += 1;
        let mut arrival = Arrival { push: Push::Texture(texture), meta, arrived };
        loop {
            self.job.pulse.beat();
            match self.job.arrivals.send(arrival, SLICE) {
                Ok(displaced) => {
                    // That one went out when it was sent: one of the two has.
                    match displaced {
                        Some(_) => self.job.counters.dropped(DropReason::Displaced),
                        None => self.job.counters.went_out(),
                    }
                    return Ok(());
                }
                Err(SendError::Full(back)) if !self.is_stopping() => arrival = back,
                Err(_over) => {
                    self.job.counters.dropped(DropReason::Stopped);
                    return Ok(());
                }
            }
        }
    }

    /// What the engine is to show: the buffer itself, or what it becomes in the size that the plan was made for.
    fn texture(
        &mut self,
        frame: Acquired,
    ) -> Result<Result<Arc<Leased<VulkanGpu>>, DropReason>, SurfaceError> {
        let id = frame.buffer();
        if !self.imports.contains_key(&id) {
            self.forget();
            let leased = Leased::new(self.import(id)?);
            self.imports.insert(id, Imported { leased, last: 0 });
        }
        let imported = self.imports.get_mut(&id).expect("it is there by now");
        imported.last = frame.number();
        let leased = imported.leased.clone();
        let texture = &leased.texture;
        if !self.is_finished(texture)? {
            return Ok(Err(self.unfinished()));
        }
        if (texture.size(), texture.format()) == (self.job.source.size, self.job.source.format) {
            // The publisher may write it again when the engine has done with it. A lock, only to be shared by threads.
            return Ok(Ok(leased.lend(Mutex::new(frame))));
        }
        let scaled = self.scale(texture);
        drop(frame);
        Ok(scaled?.ok_or(DropReason::NoFreeTexture))
    }

    /// Waits until whoever has written the frame has finished: a program may publish what its own GPU still draws. On this thread and
    /// not on the GPU, where a program that hangs would hold up everybody else's frames.
    fn is_finished(&self, texture: &Texture) -> Result<bool, SurfaceError> {
        let begun = Instant::now();
        loop {
            match self.job.runtime.gpu().wait_for_others(texture, DmaBufAccess::Read, SLICE) {
                Ok(()) => return Ok(true),
                Err(VulkanError::Sharing { problem: SharingProblem::InUse { .. }, .. }) => {
                    if begun.elapsed() >= FINISH || self.is_stopping() {
                        return Ok(false);
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn import(&mut self, id: BufferId) -> Result<Texture, SurfaceError> {
        let (description, descriptor) = self.job.source.reader.buffer(id)?;
        let name = self.job.source.reader.name().as_str();
        let shared = described(name, &description, descriptor)?;
        Ok(self.job.runtime.gpu().import_texture(&self.job.node, shared)?)
    }

    /// The publisher has changed its size or format: its frames are brought into those that the plan was made for, by one pass.
    fn scale(&mut self, from: &Texture) -> Result<Option<Arc<Leased<VulkanGpu>>>, SurfaceError> {
        let pool = match &mut self.scaled {
            Some(pool) => pool,
            none => {
                let SurfaceSource { size, format, .. } = self.job.source;
                let desc = TextureDesc { label: &self.job.node, size, format };
                none.insert(TexturePool::new(&**self.job.runtime.gpu(), &desc, SCALED)?)
            }
        };
        let Some(to) = pool.take(None) else { return Ok(None) };
        let effect = EffectSource::from_text("scale", COPY);
        let run = EffectRun { inputs: &[("input", from)], output: Some(&to.texture), ..EffectRun::default() };
        self.job.runtime.run_effect(&effect, &run).map_err(|error| self.changed(from, &error.to_string()))?;
        Ok(Some(to))
    }

    fn changed(&self, to: &Texture, why: &str) -> SurfaceError {
        let described = |size: Size, format: TextureFormat| format!("{size} {}", format.name());
        SurfaceError::Changed {
            name: self.job.source.reader.name().to_string(),
            from: described(self.job.source.size, self.job.source.format),
            to: format!("{}, which could not be scaled: {why}", described(to.size(), to.format())),
        }
    }
}
