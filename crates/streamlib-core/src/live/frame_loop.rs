//! The frame thread's work: one submission per frame.

use std::cmp::Ordering;
use std::sync::Arc;

use super::Clock;
use super::input::Arrival;
use super::shared::{Handover, Work};
use super::swap::{Pace, ParameterSet, Swap};
use crate::engine::{EngineError, Slot};
use crate::frame::{FrameMeta, Timestamp};
use crate::gpu::Gpu;
use crate::mailbox::Receiver;

/// What a step came to.
#[derive(Debug)]
pub enum Step<E> {
    /// A frame was submitted; there may be more to do at once.
    Submitted,
    /// Nothing is due before that time, unless the bell rings.
    Wait(Option<Timestamp>),
    /// Something is due, but consumers or the GPU are behind: the bell rings, or it is worth a look soon.
    Busy,
    /// The source that set the pace has ended, or the one that the graph ends with.
    Ended,
    /// The GPU failed.
    Failed(E),
}

/// Submits frames.
#[derive(Debug)]
pub struct FrameLoop<G: Gpu> {
    clock: Arc<dyn Clock>,
    handover: Arc<Handover<G>>,
    /// What runs. A swap exchanges it.
    now: Box<Swap<G>>,
    swaps: Receiver<Box<Swap<G>>>,
    parameters: Receiver<ParameterSet>,
    /// Parameters of a plan that is still to come.
    early: Option<ParameterSet>,
    /// When the next frame is due, where time sets the pace.
    next_due: Option<Timestamp>,
    /// When the source that sets the pace last gave a frame.
    last_arrival: Timestamp,
    slot: Option<Box<Slot<G>>>,
    /// The number of frames after which the loop ends.
    limit: Option<u64>,
}

impl<G: Gpu> FrameLoop<G> {
    /// A loop that runs `first`, takes over from it what `swaps` brings, and sets what `parameters` brings. The bell of both
    /// mailboxes is the one that the loop's thread listens to.
    #[must_use]
    pub fn new(
        clock: Arc<dyn Clock>,
        handover: Arc<Handover<G>>,
        first: Box<Swap<G>>,
        swaps: Receiver<Box<Swap<G>>>,
        parameters: Receiver<ParameterSet>,
    ) -> Self {
        let last_arrival = clock.now();
        handover.note_swap(first.generation, 0);
        Self {
            clock,
            handover,
            now: first,
            swaps,
            parameters,
            early: None,
            next_due: None,
            last_arrival,
            slot: None,
            limit: None,
        }
    }

    /// The same loop, ending after so many frames.
    #[must_use]
    pub fn with_limit(mut self, limit: Option<u64>) -> Self {
        self.limit = limit;
        self
    }

    /// Submits a frame if one is due.
    pub fn step(&mut self) -> Step<EngineError<G::Error>> {
        self.take_swap();
        self.take_parameters();
        if self.limit.is_some_and(|limit| self.now.engine.frames() >= limit) {
            return Step::Ended;
        }
        let now = self.clock.now();
        let due = match self.due(now) {
            Ok(due) => due,
            Err(step) => return step,
        };
        if !self.has_what_it_needs() {
            return Step::Busy;
        }
        let Some(slot) = self.slot.take() else { return Step::Busy };
        match due {
            Due::Arrival(source) => {
                let arrival = self.now.inputs[source].as_mut().and_then(|input| input.arrivals.take());
                let Some(arrival) = arrival else {
                    self.slot = Some(slot);
                    return Step::Wait(None);
                };
                self.next_due = None;
                let step = self.submit(slot, arrival.meta.captured, Some((source, arrival)));
                // Patience counts from here: the source is not to blame for the time that the submission took.
                self.last_arrival = self.clock.now();
                step
            }
            Due::Time => {
                self.schedule(now);
                self.submit(slot, now, None)
            }
        }
    }

    /// Whether a frame is due, and why; else what to do instead.
    fn due(&self, now: Timestamp) -> Result<Due, Step<EngineError<G::Error>>> {
        if !matches!(self.now.pace, Pace::Source { .. })
            && self.now.ends_with.is_some_and(|last| self.has_ended(last))
        {
            return Err(Step::Ended);
        }
        match self.now.pace {
            Pace::Free => Ok(Due::Time),
            Pace::Every(_) => match self.next_due.filter(|due| now < *due) {
                Some(due) => Err(Step::Wait(Some(due))),
                None => Ok(Due::Time),
            },
            Pace::Source { source, patience_ns, .. } => {
                if self.has_ended(source) {
                    return Err(Step::Ended);
                }
                if self.now.inputs[source].as_ref().is_some_and(|input| !input.arrivals.is_empty()) {
                    return Ok(Due::Arrival(source));
                }
                let patient_until = Timestamp(self.last_arrival.0.saturating_add(patience_ns));
                let due = self.next_due.unwrap_or(patient_until).max(patient_until);
                if now < due { Err(Step::Wait(Some(due))) } else { Ok(Due::Time) }
            }
        }
    }

    /// Whether nothing will come of a source any more, and all that came has run.
    fn has_ended(&self, source: usize) -> bool {
        self.now.inputs[source].as_ref().is_none_or(|input| input.arrivals.is_closed())
    }

    /// Whether there is a slot, room, and something for every consumer that frames wait for.
    fn has_what_it_needs(&mut self) -> bool {
        if !self.has_slot() {
            self.handover.want_slot();
            // One may have come home in between.
            if !self.has_slot() {
                return false;
            }
        }
        let engine = &mut self.now.engine;
        let mut waiting = self.now.waits_for.iter().enumerate().filter(|(_, waits)| **waits);
        self.handover.has_room()
            && !self.handover.is_held_up()
            && waiting.all(|(outlet, _)| engine.can_deliver(outlet))
    }

    /// Whether a slot is free, and no more frames are under way than there are slots: after a swap those of the plan before count
    /// as well, since outlets have textures for so many and no more.
    fn has_slot(&mut self) -> bool {
        if self.slot.is_none() {
            self.slot = self.now.engine.take_slot();
        }
        self.slot.is_some() && self.handover.under_way() < self.now.engine.plan().slots as usize
    }

    /// The next frame is due an interval after this one was; frames that could not be run in time are not made up for.
    fn schedule(&mut self, now: Timestamp) {
        let Some(interval) = self.now.pace.interval_ns() else { return };
        let interval = interval.max(1);
        let due = self.next_due.unwrap_or(now);
        let late = (now.0 - due.0) / interval;
        self.next_due = Some(Timestamp(due.0 + (late + 1) * interval));
    }

    fn submit(
        &mut self,
        mut slot: Box<Slot<G>>,
        captured: Timestamp,
        paced_by: Option<(usize, Arrival<G>)>,
    ) -> Step<EngineError<G::Error>> {
        let Swap { engine, inputs, .. } = &mut *self.now;
        let sequence = engine.frames();
        let mut meta = FrameMeta { captured, sequence, camera: None };
        let mut arrived = captured;
        let pacer = paced_by.as_ref().map(|(source, _)| *source);
        if let Some((source, arrival)) = paced_by {
            (meta.camera, arrived) = (arrival.meta.camera, arrival.arrived);
            arrival.bring_in(source, engine, &mut slot);
        }
        for (source, input) in inputs.iter_mut().enumerate().filter(|(source, _)| Some(*source) != pacer) {
            if let Some(arrival) = input.as_mut().and_then(|input| input.arrivals.take()) {
                arrival.bring_in(source, engine, &mut slot);
            }
        }
        let submitted = engine.submit(slot, &meta, |_| true);
        match submitted {
            Ok(slot) => {
                let (home, submitted) = (engine.home(), self.clock.now());
                self.handover.push(Work::Frame { slot, home, arrived, submitted });
                Step::Submitted
            }
            Err(error) => Step::Failed(error),
        }
    }

    fn take_swap(&mut self) {
        if !self.handover.has_room() {
            return;
        }
        let Some(mut next) = self.swaps.take() else { return };
        if let Some(slot) = self.slot.take() {
            self.now.engine.put_back(slot);
        }
        next.engine.take_over(&mut self.now.engine);
        for (input, old) in next.inputs.iter_mut().zip(&next.keep) {
            if let Some(old) = old {
                *input = self.now.inputs[*old].take();
            }
        }
        let mut replaced = std::mem::replace(&mut self.now, next);
        // What ends goes with the plan that ends.
        std::mem::swap(&mut replaced.ending, &mut self.now.ending);
        if replaced.pace != self.now.pace {
            self.next_due = None;
            self.last_arrival = self.clock.now();
        }
        self.handover.note_swap(self.now.generation, self.now.engine.frames());
        self.handover.push(Work::Replaced { replaced, by: self.now.generation });
    }

    fn take_parameters(&mut self) {
        let generation = self.now.generation;
        // Those that came early came before those that come now.
        let early = self.early.take_if(|set| set.generation <= generation);
        for set in [early, self.parameters.take()].into_iter().flatten() {
            match set.generation.cmp(&generation) {
                // Those of an older plan are in this one already.
                Ordering::Less => {}
                Ordering::Equal => self.now.engine.set_parameters(set.values),
                Ordering::Greater => self.early = Some(set),
            }
        }
    }

    /// Generation of the plan that runs.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.now.generation
    }
}

enum Due {
    Arrival(usize),
    Time,
}

impl<G: Gpu> Drop for FrameLoop<G> {
    fn drop(&mut self) {
        self.handover.close();
    }
}
