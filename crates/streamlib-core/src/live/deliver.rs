//! The deliver thread's work: waits for frames and hands them to whoever takes them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_queue::ArrayQueue;

use super::Clock;
use super::consumer::{Consumer, Consumers};
use super::frame::Frame;
use super::shared::{Handover, Work};
use super::swap::Swap;
use crate::account::{DropReason, FrameCounters, FrameRecord, FrameTimes, PassTimes, Recorder};
use crate::engine::{Delivery, Home, Slot, Upload};
use crate::frame::Timestamp;
use crate::gpu::{Calibration, Gpu};
use crate::mailbox::{Bell, Receiver};

/// How long the deliverer waits for a frame that nobody has submitted yet, before it looks whether it is to stop.
const IDLE: Duration = Duration::from_millis(50);
/// The same while frames wait for room at a consumer's, which nobody tells of.
const ROOM: Duration = Duration::from_millis(1);
/// Device and host clocks drift apart by some parts in a million: so often they are compared.
const CALIBRATION_NS: i64 = 1_000_000_000;

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
    /// A frame is late when it is delivered so long after its capture.
    deadline_ns: Option<i64>,
    /// A frame that takes the GPU longer has failed.
    limit: Duration,
    /// The timeline value that the next submission will have, or an older one.
    next_value: u64,
    /// When all was done but what consumers have no room for.
    done: Option<Timestamp>,
    calibration: Option<Calibration>,
    calibrated: Timestamp,
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
        let next_value = gpu.submitted() + 1;
        let calibrated = Timestamp(i64::MIN / 2);
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
            deadline_ns,
            limit,
            next_value,
            done: None,
            calibration: None,
            calibrated,
            timestamps: Vec::new(),
            pass_ns: Vec::new(),
        }
    }

    /// Does the next piece of work, or waits for it a while. When all is done, lossless consumers have the limit of a frame to
    /// take what waits for them.
    pub fn step(&mut self) -> Deliver<G::Error> {
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
            None => self.await_submission(),
        }
    }

    fn close(&mut self) -> Deliver<G::Error> {
        let now = self.clock.now();
        let since = *self.done.get_or_insert(now);
        if self.consumers.have_backlog() && i128::from(now.0 - since.0) < self.limit.as_nanos() as i128 {
            // Nothing more is submitted here, so this is a pause.
            let _over = self.gpu.wait(self.gpu.submitted() + 1, ROOM);
            return Deliver::Idle;
        }
        self.consumers.stop();
        Deliver::Closed
    }

    /// The frame loop wakes nobody: the end of its submission's work does.
    fn await_submission(&mut self) -> Deliver<G::Error> {
        let limit = if self.consumers.have_backlog() { ROOM } else { IDLE };
        if self.gpu.wait(self.next_value, limit).is_err() {
            return Deliver::Idle;
        }
        self.next_value += 1;
        // The submission may have been that of the frame that is just being handed over, or somebody else's.
        while self.handover.is_empty() && self.handover.is_submitting() {
            std::thread::yield_now();
        }
        Deliver::Done
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
        if let Err(error) = slot.wait(&self.gpu, self.limit) {
            self.counters.graph().dropped(DropReason::GpuFailed);
            return Err(error);
        }
        self.next_value = self.next_value.max(slot.value() + 1);
        let delivered = self.clock.now();
        slot.timestamps(&self.gpu, &mut self.timestamps)?;
        self.calibrate(delivered)?;
        let on_host = |ns: Option<&u64>| Some(Timestamp(self.calibration?.to_host(*ns?)));
        let (gpu_begin, gpu_end) = (on_host(self.timestamps.first()), on_host(self.timestamps.last()));
        let meta = *slot.meta();
        let captured = meta.captured;
        let times = FrameTimes { captured, arrived, submitted, gpu_begin, gpu_end, delivered };
        for delivery in slot.deliveries() {
            match delivery {
                Delivery::Ready(tag, content) => {
                    self.consumers.give(tag, Frame { meta, times, content, given: None })
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
        Ok(())
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

    fn calibrate(&mut self, now: Timestamp) -> Result<(), G::Error> {
        if now.0 - self.calibrated.0 >= CALIBRATION_NS {
            self.calibration = self.gpu.calibrate()?;
            self.calibrated = now;
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
        self.handover.put_away();
        while let Some((&generation, _)) = self.accounts.first_key_value().filter(|(g, _)| **g <= by) {
            if let Some((counters, passes)) = self.accounts.remove(&generation) {
                self.counters = counters.clone();
                drop(self.recorder.change(counters, passes));
            }
        }
    }
}
