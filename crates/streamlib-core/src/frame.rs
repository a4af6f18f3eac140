//! What a frame says about itself.

use serde::{Deserialize, Serialize};

/// Nanoseconds. For a live frame, on `CLOCK_MONOTONIC`; for one from a file, since the file's first frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// From `ticks` of a clock with `timescale` ticks a second, rounded to the nearest nanosecond.
    #[must_use]
    pub fn from_ticks(ticks: i64, timescale: u32) -> Self {
        let scale = i128::from(timescale.max(1));
        let nanos = i128::from(ticks) * 1_000_000_000;
        let half = if nanos < 0 { -scale / 2 } else { scale / 2 };
        Self(((nanos + half) / scale) as i64)
    }

    /// As ticks of a clock with `timescale` ticks a second, rounded to the nearest tick.
    #[must_use]
    pub fn to_ticks(self, timescale: u32) -> i64 {
        let scaled = i128::from(self.0) * i128::from(timescale);
        let half = if scaled < 0 { -500_000_000 } else { 500_000_000 };
        ((scaled + half) / 1_000_000_000) as i64
    }

    /// In seconds.
    #[must_use]
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1e9
    }
}

/// A pinhole camera: where a frame was seen from.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CameraModel {
    /// Focal lengths and principal point `fx, fy, cx, cy`, in pixels of the frame.
    pub intrinsics: [f32; 4],
    /// Row-major pose, `world_from_camera`; translation in metres.
    pub world_from_camera: [[f32; 4]; 4],
}

/// What travels with a texture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FrameMeta {
    /// When the frame was captured, or its presentation time in a file.
    pub captured: Timestamp,
    /// Counts the frames of one source from 0; a gap is a lost frame.
    pub sequence: u64,
    /// The camera that saw it, when known.
    pub camera: Option<CameraModel>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_survive_the_round_trip_through_nanoseconds() {
        for timescale in [1, 600, 12_800, 30_000, 90_000, 1_000_000] {
            for ticks in [-3, 0, 1, 1001, 123_456_789] {
                assert_eq!(Timestamp::from_ticks(ticks, timescale).to_ticks(timescale), ticks);
            }
        }
    }
}
