//! Sources that the tests drive, and what must become of each of their frames.

use std::collections::VecDeque;
use std::sync::Arc;

use crossbeam_queue::ArrayQueue;

use super::picture::{fill, numbered};
use crate::engine::{Engine, TexturePool, Upload};
use crate::frame::{FrameMeta, Timestamp};
use crate::gpu::Gpu;
use crate::live::{Arrival, Input, Push, Returns};
use crate::mailbox::{self, Bell, Policy, SendError, Sender};
use crate::testing::{CpuGpu, CpuTexture};

/// Pictures or textures of a source.
const MEMORY: usize = 8;

/// What a source pushes from.
pub(super) enum Memory<G: Gpu> {
    Uploads(Arc<ArrayQueue<Upload<G>>>),
    Textures(TexturePool<G>),
}

/// One life of a source: a source that ended and came back is another.
pub(super) struct Source<G: Gpu> {
    pub(super) tag: u64,
    policy: Policy,
    /// `None` when it has ended.
    arrivals: Option<Sender<Arrival<G>>>,
    memory: Memory<G>,
    /// Number of the next frame.
    pub(super) next: u64,
    /// Frames that must be waiting.
    waiting: VecDeque<u64>,
    /// What became of the others.
    pub(super) ran: Vec<u64>,
    pub(super) displaced: Vec<u64>,
    pub(super) discarded: Vec<u64>,
    first: u64,
}

/// What became of a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pushed {
    Waits,
    Refused,
    /// All memory is under way or waiting.
    NoMemory,
    /// The source, or the graph, has ended.
    Closed,
}

impl<G: Gpu<Texture = CpuTexture>> Source<G> {
    /// A source of the engine's plan, with the engine's end of it.
    pub(super) fn new(
        engine: &Engine<G>,
        place: usize,
        (tag, first): (u64, u64),
        policy: Policy,
        bell: Bell,
    ) -> (Self, Input<G>) {
        let memory = if engine.plan().sources[place].pictures.is_some() {
            let empties = ArrayQueue::new(MEMORY);
            for upload in engine.uploads(place, tag, MEMORY).expect("memory") {
                assert!(empties.push(upload).is_ok());
            }
            Memory::Uploads(Arc::new(empties))
        } else {
            Memory::Textures(engine.textures(place, MEMORY).expect("memory"))
        };
        let (arrivals, receiver) = mailbox::with_bell(policy, bell);
        let source = Self {
            tag,
            policy,
            arrivals: Some(arrivals),
            memory,
            next: first,
            waiting: VecDeque::new(),
            ran: Vec::new(),
            displaced: Vec::new(),
            discarded: Vec::new(),
            first,
        };
        (source, Input { arrivals: receiver })
    }

    /// Where its uploads come home; none for a source of textures.
    pub(super) fn returns(&self, bell: Bell) -> Option<Returns<G>> {
        match &self.memory {
            Memory::Uploads(empties) => Some(Returns { empties: empties.clone(), bell }),
            Memory::Textures(_) => None,
        }
    }

    pub(super) fn push(&mut self, captured: Timestamp) -> Pushed {
        let number = self.next;
        let Some(arrivals) = &mut self.arrivals else { return Pushed::Closed };
        let push = match &mut self.memory {
            Memory::Uploads(empties) => empties.pop().map(|mut upload| {
                upload.fill(&numbered(number)).expect("nobody else uses an upload that is at home");
                Push::Picture(upload)
            }),
            Memory::Textures(pool) => pool.take(None).map(|texture| {
                fill(&texture.texture, number);
                Push::Texture(texture)
            }),
        };
        let Some(push) = push else { return Pushed::NoMemory };
        let meta = FrameMeta { captured, sequence: number, camera: None };
        let sent = arrivals.send(Arrival { push, meta, arrived: captured });
        let (back, outcome) = match sent {
            Ok(displaced) => {
                self.next += 1;
                self.waiting.push_back(number);
                (displaced, Pushed::Waits)
            }
            Err(SendError::Full(back)) => (Some(back), Pushed::Refused),
            Err(SendError::Closed(back)) => (Some(back), Pushed::Closed),
        };
        if let Some(Arrival { push: Push::Picture(upload), meta, .. }) = back {
            self.came_back(upload);
            if outcome == Pushed::Waits {
                assert_eq!(self.displaced_by_model(), Some(meta.sequence));
            }
        } else if let Some(Arrival { meta, .. }) = back
            && outcome == Pushed::Waits
        {
            assert_eq!(self.displaced_by_model(), Some(meta.sequence));
        }
        outcome
    }

    fn came_back(&self, upload: Upload<G>) {
        if let Memory::Uploads(empties) = &self.memory {
            assert!(empties.push(upload).is_ok(), "there are no more than there were");
        }
    }

    fn displaced_by_model(&mut self) -> Option<u64> {
        let oldest = self.waiting.pop_front();
        self.displaced.extend(oldest);
        oldest
    }

    /// As [`push`](Self::push), where the model of what waits is known to be right.
    pub(super) fn push_checked(&mut self, captured: Timestamp) -> Pushed {
        let (was_full, displaced) = (self.waiting.len() == self.policy.bound(), self.displaced.len());
        let is_lossless = matches!(self.policy, Policy::Lossless { .. });
        let outcome = self.push(captured);
        match outcome {
            Pushed::Waits => {
                assert!(!(was_full && is_lossless));
                assert_eq!(self.displaced.len() - displaced, usize::from(was_full));
            }
            Pushed::Refused => assert!(was_full && is_lossless),
            Pushed::NoMemory | Pushed::Closed => {}
        }
        outcome
    }

    /// No more frames will come.
    pub(super) fn end(&mut self) {
        self.arrivals = None;
    }

    pub(super) fn has_ended(&self) -> bool {
        self.arrivals.is_none()
    }

    pub(super) fn waits(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// The oldest waiting frame runs.
    pub(super) fn run(&mut self) -> Option<u64> {
        let frame = self.waiting.pop_front();
        self.ran.extend(frame);
        frame
    }

    /// The engine's end is gone.
    pub(super) fn discard(&mut self) {
        self.discarded.extend(self.waiting.drain(..));
    }

    /// After everything has stopped: each frame has one fate, and all memory is back.
    pub(super) fn check(&mut self) {
        assert!(self.ran.is_sorted_by(|a, b| a < b));
        let mut fates = [&self.ran[..], &self.displaced, &self.discarded].concat();
        fates.sort_unstable();
        assert_eq!(fates, (self.first..self.next).collect::<Vec<_>>(), "each frame has one fate");
        match &mut self.memory {
            // Those that waited at the engine's end went with it.
            Memory::Uploads(empties) => assert_eq!(empties.len() + self.discarded.len(), MEMORY),
            Memory::Textures(pool) => {
                let free: Vec<_> = std::iter::from_fn(|| pool.take(None)).collect();
                assert_eq!(free.len(), MEMORY);
            }
        }
    }
}

/// What the single-threaded tests drive.
pub(super) type CpuSource = Source<CpuGpu>;
