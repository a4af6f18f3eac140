//! The deliver thread's work: waits for frames and hands them to whoever takes them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_queue::ArrayQueue;

use super::Clock;
use super::consumer::{Consumer, Consumers};
use super::device_clock::DeviceClock;
use super::frame::Frame;
use super::shared::{Handover, Work};
use super::swap::Swap;
use super::traced::{Traced, TracedPlan};
use crate::account::{DropReason, FrameCounters, FrameRecord, FrameTimes, PassTimes, Recorder};
use crate::engine::{Content, Delivery, Home, Slot, Upload};
use crate::frame::Timestamp;
use crate::gpu::Gpu;
use crate::mailbox::{Bell, Receiver};
use crate::trace::TraceSender;

/// No pace is so slow that anybody would stay awake for longer.
const LONGEST_AWAKE: Duration = Duration::from_secs(1);
/// How long the deliverer waits for a frame that nobody has submitted yet, before it looks whether it is to stop.
const IDLE: Duration = Duration::from_millis(50);
/// The same while frames wait for room at a consumer's, which nobody tells of.
const ROOM: Duration = Duration::from_millis(1);
/// How long lossless consumers have for what waits for them when the graph is stopped.
const HURRY: Duration = Duration::from_millis(500);
/// So often the device's clock is compared with the host's.
const COMPARISON_NS: i64 = 1_000_000_000;

/// Where a source gets its uploads back.
#[derive(Debug)]
pub struct Returns<G: Gpu> {
    /// Empty uploads.
    pub empties: Arc<ArrayQueue<Upload<G>>>,
    /// Wakes the source.
    pub bell: Bell,
}

/// Something for the deliverer to know before the plan that needs it runs.
#[derive(Debug)]
pub enum DeliverCommand<G: Gpu> {
    /// The outlet with that tag has a consumer.
    Consume(u64, Consumer<G>),
    /// The source with that tag wants its uploads back.
    Return(u64, Returns<G>),
    /// The next plan's accounts, to be opened when that generation runs.
    Account(u64, FrameCounters, PassTimes),
    /// What a trace calls the parts of the plan of that generation, from when it runs.
    Trace(u64, TracedPlan),
}

/// What a step came to.
#[derive(Debug)]
pub enum Deliver<E> {
    /// Something was delivered, or a plan put away.
    Done,
    /// There was nothing to do for a while.
    Idle,
    /// All work is done and no more will come.
    Closed,
    /// A frame did not finish.
    Failed(E),
}

/// Hands finished frames on.
#[derive(Debug)]
pub struct Deliverer<G: Gpu> {
    gpu: Arc<G>,
    clock: Arc<dyn Clock>,
    handover: Arc<Handover<G>>,
    commands: Receiver<DeliverCommand<G>>,
    consumers: Consumers<G>,
    returns: BTreeMap<u64, Returns<G>>,
    /// Accounts of plans to come, by generation.
    accounts: BTreeMap<u64, (FrameCounters, PassTimes)>,
    counters: FrameCounters,
    recorder: Recorder,
    traced: Option<Traced>,
    /// How long before and after a frame is expected the thread stays awake for it, nanoseconds; 0 for not at all.
    awake_ns: i64,
    /// When the newest frame was captured, and when the next one is expected to be.
    last_captured: Option<Timestamp>,
    expected: Option<Timestamp>,
    /// A frame is late when it is delivered so long after its capture.
    deadline_ns: Option<i64>,
    /// A frame that takes the GPU longer has failed.
    limit: Duration,
    /// When all was done but what consumers have no room for.
    done: Option<Timestamp>,
    device_clock: DeviceClock,
    /// When the clocks were compared last.
    compared: Option<Timestamp>,
    timestamps: Vec<u64>,
    pass_ns: Vec<u64>,
}

impl<G: Gpu> Deliverer<G> {
    /// A deliverer of what comes through `handover`. Frames count in `counters` and go into `recorder`.
    #[must_use]
    pub fn new(
        (gpu, clock): (Arc<G>, Arc<dyn Clock>),
        handover: Arc<Handover<G>>,
        commands: Receiver<DeliverCommand<G>>,
        (counters, recorder): (FrameCounters, Recorder),
        deadline_ns: Option<i64>,
        limit: Duration,
    ) -> Self {
        Self {
            gpu,
            clock,
            handover,
            commands,
            consumers: Consumers::new(),
            returns: BTreeMap::new(),
            accounts: BTreeMap::new(),
            counters,
            recorder,
            traced: None,
            awake_ns: 0,
            last_captured: None,
            expected: None,
            deadline_ns,
            limit,
            done: None,
            device_clock: DeviceClock::default(),
            compared: None,
            timestamps: Vec::new(),
            pass_ns: Vec::new(),
        }
    }

    /// Writes what happens into a trace, too; `first` names the parts of the plan that runs first.
    #[must_use]
    pub fn with_trace(mut self, trace: TraceSender, first: &TracedPlan) -> Self {
        self.traced = Some(Traced::new(trace, first, &self.counters));
        self
    }

    /// Stays awake for frames that come at a steady pace: from `awake` before one is expected until it is done, or that long
    /// after; a second at most. It costs a processor that share of the time, and saves the time that a thread needs to wake up.
    #[must_use]
    pub fn with_awake(mut self, awake: Duration) -> Self {
        self.awake_ns = awake.min(LONGEST_AWAKE).as_nanos() as i64;
        self
    }

    /// Does the next piece of work, or waits for it a while. When all is done, lossless consumers have the limit of a frame to
    /// take what waits for them.
    pub fn step(&mut self) -> Deliver<G::Error> {
        let step = self.work();
        if matches!(step, Deliver::Closed | Deliver::Failed(_))
            && let Some(traced) = &mut self.traced
        {
            traced.drops(self.clock.now());
        }
        step
    }

    fn work(&mut self) -> Deliver<G::Error> {
        self.take_commands();
        if self.send_backlog() {
            return Deliver::Done;
        }
        match self.handover.pop() {
            Some(Work::Frame { slot, home, arrived, submitted }) => self
                .deliver(slot, &home, (arrived, submitted))
                .map_or_else(Deliver::Failed, |()| Deliver::Done),
            Some(Work::Replaced { replaced, by }) => {
                self.put_away(replaced, by);
                Deliver::Done
            }
            // Closing comes after the last piece of work, so nothing is missed between the two looks.
            None if self.handover.is_closed() && self.handover.is_empty() => self.close(),
            None => self.await_work(),
        }
    }

    fn close(&mut self) -> Deliver<G::Error> {
        let now = self.clock.now();
        let since = *self.done.get_or_insert(now);
        let grace = if self.handover.is_hurried() { HURRY.min(self.limit) } else { self.limit };
        if self.consumers.have_backlog() && i128::from(now.0 - since.0) < grace.as_nanos() as i128 {
            std::thread::park_timeout(ROOM);
            return Deliver::Idle;
        }
        self.consumers.stop();
        Deliver::Closed
    }

    fn await_work(&mut self) -> Deliver<G::Error> {
        self.recorder.catch_up();
        if !self.stay_awake() {
            self.handover.await_work(if self.consumers.have_backlog() { ROOM } else { IDLE });
        }
        if self.handover.is_empty() { Deliver::Idle } else { Deliver::Done }
    }

    /// Sleeps until shortly before the next frame is expected, and then looks for it without sleeping; whether it came.
    fn stay_awake(&mut self) -> bool {
        let Some(expected) = self.expected.take() else { return false };
        let now = self.clock.now();
        // After a longer while than a pace has, the thread had better see what else there is.
        if expected.0 - now.0 > IDLE.as_nanos() as i64 {
            return false;
        }
        self.clock.sleep_until(Timestamp(expected.0 - self.awake_ns));
        while self.clock.now().0 < expected.0 + self.awake_ns {
            if !self.handover.is_empty() {
                return true;
            }
            std::hint::spin_loop();
        }
        false
    }

    /// Looks without sleeping until the frame is done, for a while.
    fn watch(&mut self, value: u64, captured: Timestamp) -> Result<(), G::Error> {
        if self.awake_ns == 0 {
            return Ok(());
        }
        let until = self.clock.now().0 + self.awake_ns;
        while !self.gpu.reached(value)? && self.clock.now().0 < until {
            std::hint::spin_loop();
        }
        // As long after this frame as this one was after the last.
        let last = self.last_captured.replace(captured);
        self.expected = last.map(|last| Timestamp(captured.0 + (captured.0 - last.0)));
        Ok(())
    }

    fn send_backlog(&mut self) -> bool {
        let has_sent = self.consumers.send();
        self.handover.hold_up(self.consumers.are_behind());
        has_sent
    }

    fn take_commands(&mut self) {
        while let Some(command) = self.commands.take() {
            match command {
                DeliverCommand::Consume(tag, consumer) => self.consumers.add(tag, consumer),
                DeliverCommand::Return(tag, returns) => drop(self.returns.insert(tag, returns)),
                DeliverCommand::Account(generation, counters, passes) => {
                    self.accounts.insert(generation, (counters, passes));
                }
                DeliverCommand::Trace(generation, plan) => {
                    if let Some(traced) = &mut self.traced {
                        traced.expect(generation, plan);
                    }
                }
            }
        }
    }

    fn deliver(
        &mut self,
        mut slot: Box<Slot<G>>,
        home: &Home<G>,
        (arrived, submitted): (Timestamp, Timestamp),
    ) -> Result<(), G::Error> {
        self.counters.graph().came_in();
        self.announce(&slot, (arrived, submitted));
        self.watch(slot.value(), slot.meta().captured)?;
        if let Err(error) = slot.wait(&self.gpu, self.limit) {
            self.counters.graph().dropped(DropReason::GpuFailed);
            return Err(error);
        }
        let delivered = self.clock.now();
        self.consumers.finish();
        slot.timestamps(&self.gpu, &mut self.timestamps)?;
        if self.compared.is_none() {
            self.compare_clocks(delivered)?;
        }
        let on_host = |ns: Option<&u64>| self.device_clock.to_host(*ns?);
        let (gpu_begin, gpu_end) = (on_host(self.timestamps.first()), on_host(self.timestamps.last()));
        let meta = *slot.meta();
        let captured = meta.captured;
        let times = FrameTimes { captured, arrived, submitted, gpu_begin, gpu_end, delivered };
        for delivery in slot.deliveries() {
            match delivery {
                Delivery::Ready(tag, content) => {
                    self.consumers.give(tag, Frame { meta, times, content, given: None });
                }
                Delivery::Missed(tag) => self.consumers.miss(tag),
            }
        }
        // Before the slot comes home, so that no frame is submitted that would wait as well.
        self.handover.hold_up(self.consumers.are_behind());
        for upload in slot.uploads() {
            if let Some(returns) = self.returns.get(&upload.tag()) {
                let _fits = returns.empties.push(upload);
                returns.bell.ring();
            }
        }
        slot.release();
        let _fits = home.push(slot);
        self.handover.slot_came_home();
        self.record(times);
        if let Some(traced) = &mut self.traced {
            let consumers = &self.consumers;
            let waiting = |tag| consumers.waiting(tag);
            traced.frame(meta.sequence, times, waiting);
            traced.passes(meta.sequence, &self.timestamps, self.device_clock);
        }
        // Takes its time, which no frame is to wait for.
        self.compare_clocks(delivered)
    }

    /// Tells those who want to know of frames that are not done.
    fn announce(&mut self, slot: &Slot<G>, (arrived, submitted): (Timestamp, Timestamp)) {
        let meta = *slot.meta();
        for (tag, texture) in slot.textures() {
            let frame = || {
                let (captured, delivered) = (meta.captured, submitted);
                let times =
                    FrameTimes { captured, arrived, submitted, gpu_begin: None, gpu_end: None, delivered };
                Frame { meta, times, content: Content::Texture(texture.clone()), given: None }
            };
            self.consumers.announce(tag, frame, slot.value());
        }
    }

    fn record(&mut self, times: FrameTimes) {
        let graph = self.counters.graph();
        graph.went_out();
        if self.deadline_ns.is_some_and(|deadline| times.delivered.0 - times.captured.0 > deadline) {
            graph.missed_deadline();
        }
        self.pass_ns.clear();
        self.pass_ns.extend(self.timestamps.windows(2).map(|ends| ends[1].saturating_sub(ends[0])));
        self.recorder.record(&FrameRecord { times, frame_cpu_ns: None, pass_ns: &self.pass_ns });
    }

    /// Compares the clocks if that was not done for a while.
    fn compare_clocks(&mut self, now: Timestamp) -> Result<(), G::Error> {
        if self.compared.is_none_or(|compared| now.0 - compared.0 >= COMPARISON_NS) {
            if let Some(calibration) = self.gpu.calibrate()? {
                self.device_clock.compare(calibration);
            }
            self.compared = Some(now);
        }
        Ok(())
    }

    /// Frames of the replaced plan have all been delivered.
    fn put_away(&mut self, replaced: Box<Swap<G>>, by: u64) {
        // Commands that came with the plan that now runs are here by now.
        self.take_commands();
        for tag in &replaced.ending {
            self.consumers.remove(*tag);
            self.returns.remove(tag);
        }
        drop(replaced);
        self.handover.hold_up(self.consumers.are_behind());
        while let Some((&generation, _)) = self.accounts.first_key_value().filter(|(g, _)| **g <= by) {
            if let Some((counters, passes)) = self.accounts.remove(&generation) {
                self.counters = counters.clone();
                drop(self.recorder.change(counters, passes));
            }
        }
        if let Some(traced) = &mut self.traced {
            traced.swap(self.clock.now(), by, &self.counters);
        }
    }
}
