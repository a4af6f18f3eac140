//! When a reader's next frame is expected, so that it need not be asleep when it comes.

use std::time::{Duration, Instant};

use super::Acquired;

/// Frames further apart than this have no pace to wait for awake, and nobody stays awake for longer.
const LONGEST: Duration = Duration::from_secs(1);

/// How regularly frames come.
#[derive(Debug)]
pub(super) struct Pace {
    /// How long before and after a frame is expected its reader stays awake.
    awake: Duration,
    /// Number and capture time, in nanoseconds, of the newest frame.
    last: Option<(u64, i64)>,
    expected: Option<Instant>,
}

impl Pace {
    pub(super) fn new(awake: Duration) -> Self {
        Self { awake: awake.min(LONGEST), last: None, expected: None }
    }

    /// A frame was acquired: the next one comes as long after it as they were captured one after the other.
    pub(super) fn came(&mut self, frame: &Acquired) {
        if self.awake.is_zero() {
            return;
        }
        let (number, captured) = (frame.number(), frame.meta().captured.0);
        let last = self.last.replace((number, captured));
        self.expected = last.and_then(|(before, at)| {
            let apart = u64::try_from(captured.checked_sub(at)?).ok()?;
            let apart =
                Duration::from_nanos(apart / number.checked_sub(before).filter(|frames| *frames > 0)?);
            (apart <= LONGEST).then(|| Instant::now() + apart)
        });
    }

    /// From when until when to be awake for the next frame, if that is known and not over.
    pub(super) fn window(&self) -> Option<(Instant, Instant)> {
        let expected = self.expected?;
        let until = expected + self.awake;
        (Instant::now() < until).then(|| (expected.checked_sub(self.awake).unwrap_or(expected), until))
    }
}
