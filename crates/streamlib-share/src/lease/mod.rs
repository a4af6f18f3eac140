//! How a reader holds a frame that the publisher would like to overwrite, without either waiting for the other.

mod protocol;
mod sync;

pub(crate) use protocol::{Hold, hold, is_held, offer, release};

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a model is a test")]
mod model;

/// Bits of a word that name the slot; the rest is the sequence number.
const SLOT_BITS: u32 = 8;

/// Names a publication: its sequence number, counted from 1, and the slot that it lies in.
pub(crate) const fn word(sequence: u64, slot: usize) -> u64 {
    sequence << SLOT_BITS | slot as u64
}

/// The sequence number of a publication.
pub(crate) const fn sequence(word: u64) -> u64 {
    word >> SLOT_BITS
}

/// The slot of a publication. A word that came from another process may name one that does not exist.
pub(crate) const fn slot(word: u64) -> usize {
    (word & ((1 << SLOT_BITS) - 1)) as usize
}
