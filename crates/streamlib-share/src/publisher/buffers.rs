//! The buffers of a surface, by their names.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::num::NonZeroU64;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use crate::buffer::{BufferDescription, BufferId};

/// Gives a descriptor of a buffer, whenever a reader asks for it.
pub(super) type Export = Arc<dyn Fn() -> io::Result<OwnedFd> + Send + Sync>;

/// What a reader's question for a buffer comes to.
pub(super) enum Found {
    Buffer(BufferDescription, Export),
    /// There was one, and it is withdrawn.
    Withdrawn,
    /// There never was one: whoever asks has made the name up.
    Forged,
}

#[derive(Default)]
pub(super) struct Buffers {
    known: BTreeMap<BufferId, (BufferDescription, Export)>,
    last: u64,
}

impl fmt::Debug for Buffers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.known.keys()).finish()
    }
}

impl Buffers {
    pub(super) fn add(&mut self, description: BufferDescription, export: Export) -> BufferId {
        self.last += 1;
        // A number for every nanosecond lasts for 500 years.
        let id = BufferId(NonZeroU64::new(self.last).expect("buffers are counted from 1"));
        self.known.insert(id, (description, export));
        id
    }

    pub(super) fn remove(&mut self, id: BufferId) {
        self.known.remove(&id);
    }

    pub(super) fn find(&self, id: BufferId) -> Found {
        match self.known.get(&id) {
            Some((description, export)) => Found::Buffer(*description, export.clone()),
            None if id.get() <= self.last => Found::Withdrawn,
            None => Found::Forged,
        }
    }
}
