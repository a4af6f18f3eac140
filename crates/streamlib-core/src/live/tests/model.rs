//! What must be in each frame.

use super::picture::Seen;
use super::plans::Spec;
use crate::live::Frame;
use crate::testing::CpuGpu;

/// What each frame must look like, by its number.
#[derive(Debug, Default)]
pub(super) struct Expected {
    frames: Vec<(Seen, u64)>,
}

impl Expected {
    pub(super) fn add(&mut self, seen: Seen, generation: u64) {
        self.frames.push((seen, generation));
    }

    pub(super) fn len(&self) -> u64 {
        self.frames.len() as u64
    }

    pub(super) fn generation(&self, sequence: u64) -> u64 {
        self.frames[sequence as usize].1
    }

    pub(super) fn seen(&self, sequence: u64) -> Seen {
        self.frames[sequence as usize].0
    }

    pub(super) fn check(&self, frame: &Frame<CpuGpu>, seen: Seen) {
        assert_eq!(seen, self.seen(frame.meta.sequence), "frame {}", frame.meta.sequence);
        let times = frame.times;
        assert_eq!(times.captured, frame.meta.captured);
        assert!(times.submitted <= times.delivered);
    }
}

/// A set of parameters on its way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Set {
    pub(super) generation: u64,
    pub(super) amounts: (u8, u8),
}

/// Which parameters hold.
#[derive(Debug)]
pub(super) struct Values {
    pub(super) generation: u64,
    pub(super) amounts: (u8, u8),
    mail: Option<Set>,
    early: Option<Set>,
}

impl Values {
    pub(super) fn new(spec: &Spec) -> Self {
        Self { generation: 0, amounts: spec.amounts, mail: None, early: None }
    }

    pub(super) fn send(&mut self, set: Set) {
        self.mail = Some(set);
    }

    /// A plan takes over.
    pub(super) fn adopt(&mut self, generation: u64, spec: &Spec) {
        (self.generation, self.amounts) = (generation, spec.amounts);
    }

    /// A frame begins.
    pub(super) fn take(&mut self) {
        let early = self.early.take_if(|set| set.generation <= self.generation);
        for set in early.into_iter().chain(self.mail.take()) {
            if set.generation == self.generation {
                self.amounts = set.amounts;
            } else if set.generation > self.generation {
                self.early = Some(set);
            }
        }
    }
}
