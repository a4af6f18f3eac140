//! Those who take frames, as the deliverer sees them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::frame::Frame;
use crate::account::{DropReason, NodeCounters};
use crate::gpu::Gpu;
use crate::mailbox::{SendError, Sender};

/// Somebody who has a frame as soon as it is there, on the deliverer's own thread, and never makes that wait.
pub trait AtOnce<G: Gpu>: Send + std::fmt::Debug {
    /// Takes a frame, or says why it is dropped.
    ///
    /// # Errors
    /// When there is no place for it, or the consumer does not work any more.
    fn take(&mut self, frame: Frame<G>) -> Result<(), DropReason>;

    /// Whether it is told of frames that are not done.
    fn wants_early(&self) -> bool {
        false
    }

    /// Is told of a frame whose GPU work is done when the timeline reaches `value`; only what it was submitted with is known of
    /// its times. What comes next is [`finish`](Self::finish), before anybody else has the frame, unless the GPU fails. Whether it
    /// keeps the frame.
    fn announce(&mut self, _frame: Frame<G>, _value: u64) -> bool {
        false
    }

    /// The frame that was announced is done.
    ///
    /// # Errors
    /// As [`take`](Self::take).
    fn finish(&mut self) -> Result<(), DropReason> {
        Ok(())
    }

    /// Lets go of frames that it holds for nobody any more: there was no texture left for another one.
    fn let_go(&mut self);
}

/// Where the frames of an outlet go.
#[derive(Debug)]
pub enum Destination<G: Gpu> {
    /// Nowhere: they are counted.
    Count,
    /// To a thread of the consumer's, under its delivery policy.
    Mailbox(Sender<Frame<G>>),
    /// To the consumer itself.
    AtOnce(Box<dyn AtOnce<G>>),
}

/// Somebody who takes the frames of an outlet.
#[derive(Debug)]
pub struct Consumer<G: Gpu> {
    /// Where they go.
    pub frames: Destination<G>,
    /// Its account.
    pub counters: Arc<NodeCounters>,
    /// Frames that it may hold at once, beside those that wait for it. While it holds more it gets none, so that others who
    /// take the same texture get theirs. None where frames wait for it.
    pub in_hand: Option<usize>,
}

/// The consumers of the plan that runs, and those of earlier ones that have not taken all of their frames.
#[derive(Debug)]
pub(super) struct Consumers<G: Gpu> {
    present: BTreeMap<u64, Waiting<G>>,
    leaving: Vec<Waiting<G>>,
}

/// A consumer and the frames that its mailbox has no room for: a lossless one may lose none of those that were under way when
/// it filled, and plans that take over from each other have frames of their own.
#[derive(Debug)]
struct Waiting<G: Gpu> {
    consumer: Consumer<G>,
    backlog: VecDeque<Frame<G>>,
    /// What it knows already of the frame that is about to be given.
    early: Early,
    /// Held by each frame that was given to it.
    given: Arc<()>,
}

/// What a consumer knows of a frame before it is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Early {
    #[default]
    Nothing,
    /// That it will be done.
    Announced,
    /// That it is done: it has had the frame.
    Finished,
}

impl<G: Gpu> Consumers<G> {
    pub(super) fn new() -> Self {
        Self { present: BTreeMap::new(), leaving: Vec::new() }
    }

    pub(super) fn add(&mut self, tag: u64, consumer: Consumer<G>) {
        self.remove(tag);
        self.present.insert(
            tag,
            Waiting { consumer, backlog: VecDeque::new(), early: Early::Nothing, given: Arc::default() },
        );
    }

    /// The consumer gets no more frames; those that wait for it stay until it takes them.
    pub(super) fn remove(&mut self, tag: u64) {
        let removed = self.present.remove(&tag);
        self.leaving.extend(removed.filter(|waiting| !waiting.backlog.is_empty()));
    }

    /// How many frames wait for a consumer, those that its mailbox has no room for among them.
    pub(super) fn waiting(&self, tag: u64) -> Option<usize> {
        self.present.get(&tag).map(Waiting::waiting)
    }

    /// Tells the consumer of a frame that is done when the timeline reaches `value`, if it wants that and may have the frame.
    pub(super) fn announce(&mut self, tag: u64, frame: impl FnOnce() -> Frame<G>, value: u64) {
        if let Some(waiting) = self.present.get_mut(&tag)
            && let Destination::AtOnce(taker) = &waiting.consumer.frames
            && taker.wants_early()
            && waiting.has_room()
            && let Destination::AtOnce(taker) = &mut waiting.consumer.frames
        {
            let given = Some(waiting.given.clone());
            if taker.announce(Frame { given, ..frame() }, value) {
                waiting.early = Early::Announced;
            }
        }
    }

    /// The frame is done that was announced. Those who wait for it know it from here on, before anybody is woken up.
    pub(super) fn finish(&mut self) {
        for waiting in self.present.values_mut().filter(|waiting| waiting.early == Early::Announced) {
            waiting.early = Early::Finished;
            let Consumer { frames, counters, .. } = &mut waiting.consumer;
            counters.came_in();
            if let Destination::AtOnce(taker) = frames {
                match taker.finish() {
                    Ok(()) => counters.went_out(),
                    Err(reason) => counters.dropped(reason),
                }
            }
        }
    }

    pub(super) fn give(&mut self, tag: u64, mut frame: Frame<G>) {
        if let Some(waiting) = self.present.get_mut(&tag) {
            if std::mem::take(&mut waiting.early) == Early::Finished {
                return;
            }
            waiting.consumer.counters.came_in();
            if !waiting.has_room() {
                waiting.consumer.counters.dropped(DropReason::NoFreeTexture);
                return;
            }
            frame.given = Some(waiting.given.clone());
            waiting.backlog.push_back(frame);
            waiting.send();
        }
    }

    /// A frame had nothing for the consumer.
    pub(super) fn miss(&mut self, tag: u64) {
        if let Some(Waiting { consumer, .. }) = self.present.get_mut(&tag) {
            consumer.counters.came_in();
            consumer.counters.dropped(DropReason::NoFreeTexture);
            if let Destination::AtOnce(taker) = &mut consumer.frames {
                taker.let_go();
            }
        }
    }

    /// Sends what waits and there is room for now; whether that is anything.
    pub(super) fn send(&mut self) -> bool {
        let all = self.present.values_mut().chain(&mut self.leaving);
        let is_some = all.fold(false, |is_some, waiting| waiting.send() | is_some);
        self.leaving.retain(|waiting| !waiting.backlog.is_empty());
        is_some
    }

    /// Whether frames wait for room at consumers of the plan that runs.
    pub(super) fn are_behind(&self) -> bool {
        self.present.values().any(|waiting| !waiting.backlog.is_empty())
    }

    /// Whether frames wait for room at any consumer.
    pub(super) fn have_backlog(&self) -> bool {
        self.are_behind() || !self.leaving.is_empty()
    }

    /// Gives up what waits for room.
    pub(super) fn stop(&mut self) {
        for waiting in self.present.values_mut().chain(&mut self.leaving) {
            let counters = &waiting.consumer.counters;
            waiting.backlog.drain(..).for_each(|_| counters.dropped(DropReason::Stopped));
        }
        self.leaving.clear();
    }
}

impl<G: Gpu> Waiting<G> {
    fn waiting(&self) -> usize {
        let sent = match &self.consumer.frames {
            Destination::Mailbox(frames) => frames.len(),
            Destination::Count | Destination::AtOnce(_) => 0,
        };
        sent + self.backlog.len()
    }

    /// Frames that the consumer has taken and still holds.
    fn in_hand(&self) -> usize {
        (Arc::strong_count(&self.given) - 1).saturating_sub(self.waiting())
    }

    /// Whether it may have another frame, if need be after it has let go of some.
    fn has_room(&mut self) -> bool {
        let holds_too_many =
            |waiting: &Self| waiting.consumer.in_hand.is_some_and(|limit| waiting.in_hand() > limit);
        if holds_too_many(self)
            && let Destination::AtOnce(taker) = &mut self.consumer.frames
        {
            taker.let_go();
        }
        !holds_too_many(self)
    }

    fn send(&mut self) -> bool {
        let Consumer { frames, counters, .. } = &mut self.consumer;
        let before = self.backlog.len();
        let frames = match frames {
            Destination::Mailbox(frames) => frames,
            Destination::Count => {
                self.backlog.drain(..).for_each(|_| counters.went_out());
                return before > 0;
            }
            Destination::AtOnce(taker) => {
                self.backlog.drain(..).for_each(|frame| match taker.take(frame) {
                    Ok(()) => counters.went_out(),
                    Err(reason) => counters.dropped(reason),
                });
                return before > 0;
            }
        };
        while let Some(frame) = self.backlog.pop_front() {
            match frames.send(frame) {
                Ok(None) => {}
                Ok(Some(_displaced)) => counters.dropped(DropReason::Displaced),
                Err(SendError::Full(frame)) => {
                    self.backlog.push_front(frame);
                    break;
                }
                Err(SendError::Closed(_)) => counters.dropped(DropReason::ConsumerFailed),
            }
        }
        self.backlog.len() < before
    }
}
