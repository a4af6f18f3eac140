//! How many frames came, and how many did not.

/// Frames that a camera captured since the first one, and that were not handed out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LostFrames {
    /// Never arrived: the driver's numbers have a gap, since the reader was late or the driver had no buffer.
    pub missed: u64,
    /// Arrived, and the driver says that the data is damaged, or it is no picture that can be decoded.
    pub damaged: u64,
    /// Arrived with fewer bytes than a picture has.
    pub short: u64,
}

impl LostFrames {
    /// All of them.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.missed + self.damaged + self.short
    }
}

/// What a buffer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Whole,
    Damaged,
    Short,
}

/// Follows the driver's frame numbers, which wrap at 2³².
#[derive(Debug, Default)]
pub(super) struct Counter {
    /// Number of the last whole picture.
    pub(super) sequence: u64,
    /// The driver's number of the last buffer, and that number without wrapping.
    last: Option<(u32, u64)>,
    /// What the first frame of a stream that goes on is called.
    begins: Option<u64>,
    pub(super) lost: LostFrames,
}

impl Counter {
    /// The driver may count from 0 again: the next frame follows the last one, whatever its number.
    pub(super) fn begin_anew(&mut self) {
        self.begins = self.last.take().map(|(_, sequence)| sequence + 1);
    }

    pub(super) fn count(&mut self, number: u32, content: Content) {
        let sequence = match self.last {
            None => self.begins.take().unwrap_or(u64::from(number)),
            Some((last, sequence)) => {
                // A driver that does not count repeats its number: each buffer then is the next frame.
                let step = u64::from(number.wrapping_sub(last)).max(1);
                self.lost.missed += step - 1;
                sequence + step
            }
        };
        self.last = Some((number, sequence));
        match content {
            Content::Whole => self.sequence = sequence,
            Content::Damaged => self.lost.damaged += 1,
            Content::Short => self.lost.short += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(numbers: &[(u32, Content)]) -> (u64, [u64; 3]) {
        let mut counter = Counter::default();
        numbers.iter().for_each(|(number, content)| counter.count(*number, *content));
        let LostFrames { missed, damaged, short } = counter.lost;
        assert_eq!(counter.lost.total(), missed + damaged + short);
        (counter.sequence, [missed, damaged, short])
    }

    #[test]
    fn a_stream_that_begins_anew_goes_on_with_the_numbers_that_were() {
        for number in [0, 3, 100] {
            let mut counter = Counter::default();
            counter.count(7, Content::Whole);
            counter.begin_anew();
            counter.count(number, Content::Whole);
            counter.count(number + 2, Content::Whole);
            assert_eq!((counter.sequence, counter.lost.missed), (10, 1));
        }
    }

    #[test]
    fn gaps_and_pictures_that_are_not_whole_are_lost_frames() {
        use Content::{Damaged, Short, Whole};
        assert_eq!(counted(&[(0, Whole), (1, Whole), (2, Whole)]), (2, [0; 3]));
        assert_eq!(counted(&[(5, Whole), (6, Whole), (9, Whole)]), (9, [2, 0, 0]));
        assert_eq!(counted(&[(0, Whole), (1, Damaged), (2, Whole), (4, Short)]), (2, [1, 1, 1]));
    }

    #[test]
    fn numbers_that_wrap_or_stand_still_go_on_counting() {
        use Content::Whole;
        assert_eq!(counted(&[(u32::MAX, Whole), (0, Whole)]), (1 << 32, [0; 3]));
        assert_eq!(counted(&[(0, Whole), (0, Whole), (0, Whole)]), (2, [0; 3]));
    }
}
