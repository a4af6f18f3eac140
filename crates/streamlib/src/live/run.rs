//! The threads of a live graph, from its start to its end.

use std::num::NonZeroU16;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use streamlib_core::account::{PassTimes, Stats, StatsReader, recorder};
use streamlib_core::engine::host_bytes;
use streamlib_core::gpu::Gpu;
use streamlib_core::graph::Graph;
use streamlib_core::live::{Clock, Deliver, Deliverer, FrameLoop, Step, handover};
use streamlib_core::mailbox::{self, Listener, Policy};
use streamlib_vulkan::VulkanGpu;

use super::LiveReport;
use super::build::build;
use super::clock::{Monotonic, Role, prepare_thread};
use super::control::{Control, Works};
use super::driver::Driver;
use super::event::{Events, LiveEvent};
use super::options::LiveOptions;
use super::route::Routes;
use super::stage::{Stage, Values};
use super::system::AwakeThreads;
use super::trace::{TraceFile, TraceThread};
use super::values::Knobs;
use crate::error::RunError;
use crate::runtime::StreamRuntime;

/// What a frame may take, unless it is said, on a GPU and where a CPU does its work.
const FRAME_LIMIT: Duration = Duration::from_secs(10);
const CPU_FRAME_LIMIT: Duration = Duration::from_secs(60);
/// The frame loop looks this often whether it is to stop, when nothing else happens.
const SLICE: Duration = Duration::from_millis(100);
/// What consumers hold comes back without a bell: so soon it is looked for.
const RETRY: Duration = Duration::from_millis(1);
/// Sources are looked after this often, and so are drawn numbers.
const WATCH: Duration = Duration::from_millis(200);
/// So often it is looked who serves the GPU's interrupts.
const ASIDE: Duration = Duration::from_secs(1);
/// Commands that may wait for the deliverer.
const COMMANDS: NonZeroU16 = NonZeroU16::new(1024).expect("not zero");

/// The threads that every live graph has.
#[derive(Debug)]
pub(super) struct Threads {
    frames: Option<JoinHandle<()>>,
    deliveries: Option<JoinHandle<()>>,
    watch: Option<JoinHandle<()>>,
    trace: Option<TraceThread>,
    state: Arc<RunState>,
    stats: StatsReader,
    started: Instant,
    /// Of the process, before the graph ran.
    host_bytes: u64,
}

/// What the threads and their keeper share.
#[derive(Debug, Default)]
struct RunState {
    has_ended: Mutex<bool>,
    ended: Condvar,
    /// Why the GPU failed, if it did.
    failure: Mutex<Option<RunError>>,
}

pub(super) fn start(
    runtime: &Arc<StreamRuntime>,
    graph: &Graph,
    options: LiveOptions,
) -> Result<(Arc<Control>, Threads), RunError> {
    let (started, host_bytes) = (Instant::now(), host_bytes());
    let built = build(runtime, &options, graph, &Stage::default())?;
    let (interval_ns, deadline) = (built.pace.interval_ns(), options.deadline);
    let deadline_ns = deadline.map(|limit| limit.as_nanos().try_into().unwrap_or(i64::MAX)).or(interval_ns);

    let counts_cpu = options.counts_cpu;
    let listener = Listener::new();
    let bell = listener.bell();
    let (swaps, next_swaps) = mailbox::with_bell(Policy::Lossless { bound: NonZeroU16::MIN }, bell.clone());
    let (parameters, next_parameters) = mailbox::new(Policy::Latest);
    let (commands, next_commands) = mailbox::new(Policy::Lossless { bound: COMMANDS });
    let handover = handover::<VulkanGpu>(bell.clone());
    let swapped = Listener::new();
    handover.tell_swaps(swapped.bell());
    let events = Arc::new(Events::default());
    let awake = AwakeThreads::new(runtime.gpu().info(), options.awake);
    let control = Arc::new(Control {
        runtime: runtime.clone(),
        options,
        events: events.clone(),
        routes: Routes::default(),
        knobs: Knobs::new(Values::default(), parameters),
        works: Mutex::new(Works {
            stage: Stage::default(),
            swaps,
            commands,
            swapped,
            finished: Vec::new(),
            leaving: Vec::new(),
        }),
        driver: Driver::new(bell, counts_cpu),
        handover: handover.clone(),
        awake: awake.clone(),
    });
    let mut works = control.works();
    let trace = control.options.trace.as_deref().map(TraceFile::create).transpose()?;
    let installed = control.install(&works, built, graph)?;
    for command in installed.commands {
        // There is room for all of a first plan, or the send says so.
        works.commands.send(command).map_err(|_| RunError::Ended)?;
    }
    control.knobs.replace(installed.values, || Ok::<_, RunError>(()))?;
    let _nothing_ran = installed.stage.replace(&mut works.stage);
    control.routes.follow(graph, installed.processors);

    let state = Arc::new(RunState::default());
    let gpu = runtime.gpu().clone();
    let counters = works.stage.counters.clone();
    let labels = installed.swap.engine.plan().passes.iter().map(|pass| pass.label.clone());
    let interval = interval_ns.map(|ns| Duration::from_nanos(ns.unsigned_abs()));
    let (recorder, stats) = recorder(counters.clone(), PassTimes::new(labels), interval);
    let clock: Arc<dyn Clock> = Arc::new(Monotonic);
    let limit = control.options.frame_limit;
    let limit = limit.unwrap_or(if gpu.info().is_cpu { CPU_FRAME_LIMIT } else { FRAME_LIMIT });
    let mut deliverer = Deliverer::new(
        (gpu, clock.clone()),
        handover.clone(),
        next_commands,
        (counters, recorder),
        deadline_ns,
        limit,
    );
    deliverer = deliverer.with_awake(control.options.awake);
    let mut tracing = None;
    if let Some(file) = trace {
        let (sender, thread) = file.start(installed.traced.names.clone())?;
        deliverer = deliverer.with_trace(sender, &installed.traced);
        tracing = Some(thread);
    }
    let frame_loop = FrameLoop::new(clock, handover, installed.swap, next_swaps, next_parameters);
    let frame_loop = frame_loop.with_limit(control.options.frames);
    control.driver.cell.put(Box::new(frame_loop));
    drop(works);

    let spawn = |name: &str| std::thread::Builder::new().name(name.to_owned());
    let (shared, told, driver) = (state.clone(), events.clone(), control.driver.clone());
    let deliver = move || deliver_all(deliverer, &shared, &told, &driver, &awake);
    let deliveries = spawn("deliver").spawn(deliver).map_err(RunError::Thread)?;
    let (shared, told) = (state.clone(), events);
    let (cpu, driver) = (control.options.frame_cpu, control.driver.clone());
    let submit = move || submit_all(&driver, listener, &shared, &told, cpu);
    let frames = spawn("frame").spawn(submit).map_err(RunError::Thread)?;
    let (shared, watched, read) = (state.clone(), Arc::downgrade(&control), stats.clone());
    let watch = move || {
        let mut aside = Instant::now();
        while !shared.wait(WATCH) {
            let Some(control) = watched.upgrade() else { break };
            control.watch_sources();
            control.tell_overlays(&read);
            if aside.elapsed() >= ASIDE {
                control.awake.step_aside();
                aside = Instant::now();
            }
        }
    };
    let watch = spawn("watch").spawn(watch).map_err(RunError::Thread)?;
    let (frames, deliveries, watch) = (Some(frames), Some(deliveries), Some(watch));
    Ok((control, Threads { frames, deliveries, watch, trace: tracing, state, stats, started, host_bytes }))
}

impl Control {
    fn watch_sources(&self) {
        // While the graph is being changed there is time to look again later.
        let Ok(works) = self.works.try_lock() else { return };
        let moving = works.stage.sources.iter().filter(|(_, source)| source.can_stall());
        moving.for_each(|(node, source)| source.pulse.watch(node, self.options.patience, &self.events));
    }

    /// Lets effects that draw numbers know them.
    fn tell_overlays(&self, stats: &StatsReader) {
        let Ok(mut works) = self.works.try_lock() else { return };
        if works.stage.overlays.is_empty() {
            return;
        }
        let stats = stats.read(Monotonic.now());
        let settings: Vec<_> =
            works.stage.overlays.iter_mut().flat_map(|overlay| overlay.settings(&stats)).collect();
        if let Err(error) = self.knobs.set(&settings) {
            tracing::debug!("numbers are not drawn: {error}");
        }
    }
}

/// Runs frames until the clock source ends, so many have run, or the graph is stopped. Sources that set the pace run theirs
/// themselves; this thread runs what time sets the pace of, and sees to swaps and to what could not be run at once.
fn submit_all(
    driver: &Driver,
    mut listener: Listener,
    state: &RunState,
    events: &Events,
    cpu: Option<usize>,
) {
    tell_refusals("frame", prepare_thread("frame", Role::Frames, cpu), events);
    while !driver.is_stopping.load(Ordering::Acquire) {
        let now = Instant::now();
        match driver.run() {
            Some(Step::Wait(until)) => {
                let until = until.map(|until| Monotonic.instant(until));
                listener.wait(Some(until.unwrap_or(now + SLICE).min(now + SLICE)));
            }
            Some(Step::Ended) => break,
            Some(Step::Failed(error)) => {
                state.fail(error.into(), events);
                break;
            }
            // Consumers or the GPU are behind, or a source runs its frame.
            Some(Step::Busy | Step::Submitted) | None => drop(listener.wait(Some(now + RETRY))),
        }
    }
    driver.is_stopping.store(true, Ordering::Release);
    // Dropping the loop ends the deliverer. A source that steps it brings it back at once.
    while driver.cell.take().is_none() {
        // A yield would not let it run where its thread has a lower priority than this one.
        std::thread::park_timeout(RETRY);
    }
    if let Some(error) = driver.take_failure() {
        state.fail(error.into(), events);
    }
    state.end();
}

fn deliver_all(
    mut deliverer: Deliverer<VulkanGpu>,
    state: &RunState,
    events: &Events,
    driver: &Driver,
    awake: &Arc<AwakeThreads>,
) {
    tell_refusals("deliver", prepare_thread("deliver", Role::Deliveries, None), events);
    let _entered = awake.enter();
    loop {
        match deliverer.step() {
            Deliver::Done | Deliver::Idle => {}
            Deliver::Closed => break,
            Deliver::Failed(error) => {
                state.fail(error.into(), events);
                driver.is_stopping.store(true, Ordering::Release);
                driver.bell.ring();
                break;
            }
        }
    }
}

fn tell_refusals(thread: &str, refused: Vec<String>, events: &Events) {
    for why in refused {
        events.tell(LiveEvent::ThreadRefused { thread: thread.to_owned(), why });
    }
}

impl RunState {
    fn end(&self) {
        *self.has_ended.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.ended.notify_all();
    }

    fn wait(&self, limit: Duration) -> bool {
        let has_ended = self.has_ended.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.ended.wait_timeout_while(has_ended, limit, |ended| !*ended);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn fail(&self, error: RunError, events: &Events) {
        events.tell(LiveEvent::GpuFailed { why: error.to_string() });
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }
}

impl Threads {
    pub(super) fn stats(&self) -> Stats {
        self.stats.read(Monotonic.now())
    }

    pub(super) fn frames(&self) -> u64 {
        self.stats.frames()
    }

    pub(super) fn wait(&self, limit: Duration) -> bool {
        self.state.wait(limit)
    }

    /// Stops everything and puts it to rest; a second time there is nothing to stop.
    pub(super) fn stop(&mut self, control: &Control) -> Result<LiveReport, RunError> {
        control.handover.hurry();
        control.driver.is_stopping.store(true, Ordering::Release);
        control.driver.bell.ring();
        let _panicked = self.frames.take().map(JoinHandle::join);
        self.state.end();
        // The frame loop is gone, so the deliverer ends with the last frame under way, and with it all consumers.
        for thread in [self.deliveries.take(), self.watch.take()].into_iter().flatten() {
            let _panicked = thread.join();
        }
        let mut works = control.works();
        control.routes.close();
        for source in works.stage.sources.values_mut() {
            if let Some(thread) = &mut source.thread {
                thread.stop();
            }
        }
        for ended in std::mem::take(&mut works.leaving) {
            control.put_to_rest(&mut works, ended);
        }
        let mut written = std::mem::take(&mut works.finished);
        for consumer in works.stage.consumers.values_mut() {
            written.extend(consumer.sink.as_mut().and_then(super::sink::SinkThread::join));
        }
        for processor in works.stage.processors.values_mut() {
            processor.work.end();
        }
        let (sinks, told): (Vec<_>, Vec<_>) = written.into_iter().unzip();
        let mut notices: Vec<String> = told.into_iter().flatten().collect();
        // The deliverer is gone, so the trace has come to its end.
        notices.extend(self.trace.take().and_then(TraceThread::join));
        notices.extend(control.events.take().iter().map(ToString::to_string));
        if let Some(error) = self.state.failure.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Err(error);
        }
        Ok(LiveReport {
            device: control.runtime.gpu().info().name.clone(),
            seconds: self.started.elapsed().as_secs_f64(),
            stats: self.stats(),
            sinks,
            notices,
            failures: control.events.failures(),
            host_bytes: host_bytes() - self.host_bytes,
            submit_cpu_us_per_frame: control.driver.cpu_us_per_frame(),
        })
    }
}
