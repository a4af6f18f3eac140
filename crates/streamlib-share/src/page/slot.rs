//! What a surface page says of one frame.

use std::num::NonZeroU64;

use streamlib_core::format::Size;
use streamlib_core::frame::{CameraModel, FrameMeta, Timestamp};

use crate::buffer::{BufferId, FormatCode};

/// 64-bit words of a slot.
pub(super) const SLOT_WORDS: usize = 32;
/// Words of a slot that are used.
const USED: usize = 17;
/// The word that tells when the frame was published.
pub(super) const PUBLISHED: usize = 3;

/// A frame in a slot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Slot {
    pub(crate) buffer: BufferId,
    pub(crate) size: Size,
    pub(crate) format: FormatCode,
    pub(crate) meta: FrameMeta,
    pub(crate) published: Timestamp,
    /// Value of the publisher's timeline that tells that the frame is done; 0 if it was when it was published.
    pub(crate) done: u64,
}

fn join(low: u32, high: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

fn split(word: u64) -> (u32, u32) {
    (word as u32, (word >> 32) as u32)
}

impl Slot {
    pub(super) fn to_words(self) -> [u64; USED] {
        let mut words = [0; USED];
        words[0] = self.buffer.get();
        words[1] = self.meta.sequence;
        words[2] = self.meta.captured.0 as u64;
        words[PUBLISHED] = self.published.0 as u64;
        words[4] = join(self.size.width, self.size.height);
        words[5] = join(self.format.0, self.meta.camera.is_some().into());
        words[6] = self.done;
        if let Some(camera) = self.meta.camera {
            let numbers = camera.intrinsics.into_iter().chain(camera.world_from_camera.into_iter().flatten());
            for (index, number) in numbers.enumerate() {
                words[7 + index / 2] |= u64::from(number.to_bits()) << (32 * (index % 2));
            }
        }
        words
    }

    /// The frame that these words tell of; none if there cannot be such a one.
    pub(super) fn from_words(word: impl Fn(usize) -> u64) -> Option<Self> {
        let (format, has_camera) = split(word(5));
        let (width, height) = split(word(4));
        let number = |index: usize| {
            let (low, high) = split(word(7 + index / 2));
            f32::from_bits(if index.is_multiple_of(2) { low } else { high })
        };
        let camera = (has_camera != 0).then(|| CameraModel {
            intrinsics: std::array::from_fn(number),
            world_from_camera: std::array::from_fn(|row| {
                std::array::from_fn(|column| number(4 + 4 * row + column))
            }),
        });
        Some(Self {
            buffer: BufferId(NonZeroU64::new(word(0))?),
            size: Size::new(width, height),
            format: FormatCode(format),
            meta: FrameMeta { captured: Timestamp(word(2) as i64), sequence: word(1), camera },
            published: Timestamp(word(PUBLISHED) as i64),
            done: word(6),
        })
    }
}
