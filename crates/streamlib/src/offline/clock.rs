//! What sets the pace of an offline run.

use streamlib_core::engine::Upload;
use streamlib_core::frame::Timestamp;
use streamlib_vulkan::VulkanGpu;

use crate::error::RunError;
use crate::feeds::ReadAhead;
use crate::stages::Stages;

/// Gives the time of every frame until there are no more.
pub(super) struct Clock {
    pace: Pace,
    /// Frames given.
    given: u64,
    /// Frames to give at most.
    limit: Option<u64>,
    /// Frames that the source itself has, when known.
    known: Option<u64>,
}

enum Pace {
    /// The pictures of a source.
    Pictures(ReadAhead),
    /// So many frames a second.
    Rate(f64),
}

/// One frame to run.
pub(super) struct Tick {
    pub(super) captured: Timestamp,
    /// The clock source's picture.
    pub(super) upload: Option<Upload<VulkanGpu>>,
}

impl Clock {
    pub(super) fn of_source(reader: ReadAhead, known: Option<u64>, limit: Option<u64>) -> Self {
        Self { pace: Pace::Pictures(reader), given: 0, limit, known }
    }

    pub(super) fn of_rate(fps: f64, frames: u64) -> Self {
        Self { pace: Pace::Rate(fps), given: 0, limit: Some(frames), known: None }
    }

    /// How many frames there will be, when known.
    pub(super) fn total(&self) -> Option<u64> {
        match (self.limit, self.known) {
            (Some(limit), Some(known)) => Some(limit.min(known)),
            (limit, known) => limit.or(known),
        }
    }

    pub(super) fn tick(&mut self) -> Result<Option<Tick>, RunError> {
        if self.limit.is_some_and(|limit| self.given >= limit) {
            return Ok(None);
        }
        let number = self.given;
        self.given += 1;
        match &mut self.pace {
            Pace::Rate(fps) => {
                let captured = Timestamp((number as f64 * 1e9 / *fps).round() as i64);
                Ok(Some(Tick { captured, upload: None }))
            }
            Pace::Pictures(reader) => match reader.next_picture()? {
                Some(read) => Ok(Some(Tick { captured: read.timestamp, upload: read.upload })),
                None if number == 0 => Err(RunError::Empty(reader.node.clone())),
                None => Ok(None),
            },
        }
    }

    /// Lets memory of the clock source be read into again.
    pub(super) fn give_back(&self, upload: Upload<VulkanGpu>) {
        if let Pace::Pictures(reader) = &self.pace {
            reader.give_back(upload);
        }
    }

    /// Stops reading: node, pictures received, times.
    pub(super) fn finish(self) -> Option<(String, u64, Stages)> {
        match self.pace {
            Pace::Pictures(reader) => {
                // What was read ahead of a limit was not asked for.
                let (node, received) = (reader.node.clone(), reader.received);
                Some((node, received, reader.finish()))
            }
            Pace::Rate(_) => None,
        }
    }
}
