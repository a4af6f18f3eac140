//! Consumers that the tests drive, and what each of them must get.

use std::collections::VecDeque;
use std::sync::Arc;

use super::model::Expected;
use super::picture::see;
use super::plans::SinkSpec;
use crate::account::{DropReason, NodeCounters};
use crate::live::{Consumer, Destination, Frame};
use crate::mailbox::{self, Policy, Receiver};
use crate::testing::CpuGpu;

/// A consumer.
pub(super) struct Taker {
    pub(super) spec: SinkSpec,
    /// Takes without letting go of what it holds.
    pub(super) is_greedy: bool,
    /// Did not take what waited for it before the end.
    pub(super) gives_up: bool,
    /// `None` when it has died.
    receiver: Option<Receiver<Frame<CpuGpu>>>,
    counters: Arc<NodeCounters>,
    held: VecDeque<Frame<CpuGpu>>,
    /// Frames that must be in its mailbox, and those that must wait for room there.
    waiting: VecDeque<u64>,
    backlog: VecDeque<u64>,
    /// Whether its last plan was put away.
    pub(super) has_left: bool,
    /// What became of the frames that ran while it was in the plan.
    pub(super) got: Vec<u64>,
    displaced: u64,
    missed: u64,
    failed: u64,
    stopped: u64,
    discarded: u64,
    pub(super) due: u64,
}

impl Taker {
    pub(super) fn new(spec: SinkSpec, is_greedy: bool) -> (Self, Consumer<CpuGpu>) {
        let (frames, receiver) = mailbox::new(spec.policy);
        let counters = Arc::new(NodeCounters::default());
        let taker = Self {
            spec,
            is_greedy,
            gives_up: false,
            receiver: Some(receiver),
            counters: counters.clone(),
            held: VecDeque::new(),
            waiting: VecDeque::new(),
            backlog: VecDeque::new(),
            has_left: false,
            got: Vec::new(),
            displaced: 0,
            missed: 0,
            failed: 0,
            stopped: 0,
            discarded: 0,
            due: 0,
        };
        (taker, Consumer { frames: Destination::Mailbox(frames), counters, in_hand: None })
    }

    /// A frame of its plan was delivered.
    pub(super) fn given(&mut self, sequence: u64, is_ready: bool) {
        if is_ready {
            self.backlog.push_back(sequence);
            self.send();
        } else {
            self.missed += 1;
        }
    }

    /// Frames that wait for room get it; whether any did.
    pub(super) fn send(&mut self) -> bool {
        let before = self.backlog.len();
        if self.receiver.is_none() {
            self.failed += self.backlog.drain(..).count() as u64;
            return before > 0;
        }
        let bound = self.spec.policy.bound();
        while !(self.backlog.is_empty() || self.spec.is_lossless() && self.waiting.len() == bound) {
            if self.waiting.len() == bound {
                self.waiting.pop_front();
                self.displaced += 1;
            }
            self.waiting.extend(self.backlog.pop_front());
        }
        self.backlog.len() < before
    }

    /// Whether the deliverer could send what waits for room.
    pub(super) fn could_get(&self) -> bool {
        self.is_behind() && (self.receiver.is_none() || self.waiting.len() < self.spec.policy.bound())
    }

    pub(super) fn is_behind(&self) -> bool {
        !self.backlog.is_empty()
    }

    /// How many frames out of `is_it` the consumer keeps from being used again.
    pub(super) fn keeps(&self, is_it: impl Fn(u64) -> bool) -> usize {
        let held = self.held.iter().map(|frame| frame.meta.sequence);
        held.chain(self.waiting.iter().copied())
            .chain(self.backlog.iter().copied())
            .filter(|s| is_it(*s))
            .count()
    }

    /// Takes a frame, if one waits, and looks at it.
    pub(super) fn take(&mut self, expected: &Expected) -> Option<u64> {
        if !self.is_greedy && self.held.len() >= self.spec.holds {
            self.let_go(expected);
        }
        let frame = self.receiver.as_mut()?.take();
        assert_eq!(
            frame.as_ref().map(|frame| frame.meta.sequence),
            self.waiting.pop_front(),
            "{:?}",
            self.spec
        );
        let frame = frame?;
        let sequence = frame.meta.sequence;
        assert!(self.got.last().is_none_or(|last| *last < sequence), "twice or out of order");
        expected.check(&frame, see(&frame.content));
        self.got.push(sequence);
        self.held.push_back(frame);
        Some(sequence)
    }

    /// Takes and lets go until nothing waits.
    pub(super) fn drain(&mut self, expected: &Expected) -> Vec<u64> {
        let taken = std::iter::from_fn(|| self.take(expected)).collect();
        self.let_go_of_all(expected);
        taken
    }

    /// Lets go of the oldest frame; what is in it is still what it was.
    pub(super) fn let_go(&mut self, expected: &Expected) {
        if let Some(frame) = self.held.pop_front() {
            expected.check(&frame, see(&frame.content));
        }
    }

    pub(super) fn let_go_of_all(&mut self, expected: &Expected) {
        while !self.held.is_empty() {
            self.let_go(expected);
        }
    }

    pub(super) fn check_held(&self, expected: &Expected) {
        self.held.iter().for_each(|frame| expected.check(frame, see(&frame.content)));
    }

    /// Goes, with all that it has.
    pub(super) fn die(&mut self) {
        self.receiver = None;
        self.discarded += self.waiting.drain(..).count() as u64;
        self.held.clear();
    }

    /// What still waits for room is given up.
    pub(super) fn stop(&mut self) {
        self.stopped += self.backlog.drain(..).count() as u64;
    }

    pub(super) fn is_closed(&self) -> bool {
        self.receiver.as_ref().is_none_or(Receiver::is_closed)
    }

    /// It hears that no more will come when its last frame has come, and not before.
    pub(super) fn check_presence(&self) {
        if let Some(receiver) = &self.receiver {
            let is_over = self.has_left && self.backlog.is_empty() && self.waiting.is_empty();
            assert_eq!(receiver.is_closed(), is_over);
        }
    }

    /// After everything has stopped and was taken: each frame has one fate, and the accounts tell it.
    pub(super) fn check(&self) {
        assert!(self.waiting.is_empty() && self.backlog.is_empty());
        let lost = [self.displaced, self.missed, self.failed, self.stopped, self.discarded];
        assert_eq!(
            self.got.len() as u64 + lost.iter().sum::<u64>(),
            self.due,
            "each frame has one fate: {lost:?}"
        );
        let counts = self.counters.counts();
        assert_eq!(counts.frames_in, self.due);
        let reasons = [
            (DropReason::Displaced, self.displaced),
            (DropReason::NoFreeTexture, self.missed),
            (DropReason::ConsumerFailed, self.failed),
            (DropReason::Stopped, self.stopped),
        ];
        for (reason, count) in reasons {
            assert_eq!(counts.dropped.of(reason), count, "{reason}");
        }
        assert_eq!(counts.dropped.total(), reasons.iter().map(|(_, count)| count).sum::<u64>());
        if self.spec.is_lossless() && self.receiver.is_some() && !self.gives_up {
            assert_eq!(lost, [0; 5]);
        }
        if !self.is_greedy {
            assert_eq!(self.missed, 0, "it held no more than it may: {:?}", self.spec);
        }
        if self.spec.policy == Policy::Latest && self.receiver.is_some() && !self.is_greedy && self.due > 0 {
            assert!(!self.got.is_empty(), "the newest is never displaced");
        }
    }
}
