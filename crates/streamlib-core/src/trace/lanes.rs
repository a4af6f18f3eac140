//! Slices of one track that overlap go to lanes of their own, as a viewer shows a lane's slices nested or not at all.

use crate::frame::Timestamp;

/// Lanes of a track at most; more slices at once than this are cut short in the picture, not in the numbers.
pub(super) const LANES: usize = 8;

/// When each lane of a track is free again.
#[derive(Debug, Default)]
pub(super) struct Lanes(Vec<Timestamp>);

impl Lanes {
    /// The lane for a slice, and whether it is used for the first time.
    pub(super) fn place(&mut self, begin: Timestamp, end: Timestamp) -> (usize, bool) {
        let free = self.0.iter().position(|busy_until| *busy_until <= begin);
        match free {
            Some(lane) => {
                self.0[lane] = end;
                (lane, false)
            }
            None if self.0.len() < LANES => {
                self.0.push(end);
                (self.0.len() - 1, true)
            }
            None => (LANES - 1, false),
        }
    }
}
