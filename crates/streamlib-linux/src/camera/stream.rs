//! What reading from a camera has in common, whoever reads its buffers.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use streamlib_core::frame::Timestamp;

use super::capture::CameraOptions;
use super::codes::PixelCode;
use super::counter::{Content, Counter};
use super::error::CameraError;
use super::list::stream_kind;
use super::negotiate::Node;
use super::places::SetFormat;
use crate::sys::abi::{self, Capability, Event, EventSubscription, Plain as _};
use crate::sys::{Device, Filled, Queue, Readiness, monotonic_now};

/// An open camera whose format is set.
pub(super) struct Ready {
    pub(super) device: Device,
    /// `VIDEO_CAPTURE` or `VIDEO_CAPTURE_MPLANE`.
    pub(super) kind: u32,
    pub(super) code: PixelCode,
    pub(super) set: SetFormat,
    frame_rate: Option<(u32, u32)>,
}

impl Ready {
    /// Opens the camera at `path`, and sets the best of its formats that are `usable`.
    pub(super) fn open(
        path: &Path,
        options: &CameraOptions,
        usable: impl Fn(&PixelCode) -> bool,
    ) -> Result<Self, CameraError> {
        let failed = |action| move |source| CameraError::of(path, action, source);
        let device = Device::open(path).map_err(failed("open"))?;
        let mut capability = Capability::zeroed();
        device.call(&abi::QUERYCAP, &mut capability).map_err(failed("say what it can do"))?;
        let Some(kind) = stream_kind(&capability) else {
            let found = "a V4L2 node that does not stream captured video";
            return Err(CameraError::NotACamera { path: path.to_owned(), found });
        };
        let node = Node { path, device: &device, kind };
        let (code, set) = node.set_best(options, usable)?;
        if let Some(rate) = options.frame_rate {
            node.set_frame_rate(rate).map_err(failed("set the frame rate"))?;
        }
        let frame_rate = node.frame_rate();
        subscribe_to_changes(&device);
        Ok(Self { device, kind, code, set, frame_rate })
    }

    /// What is known of the camera before it streams.
    pub(super) fn described(&self, path: &Path) -> Described {
        Described { path: path.to_owned(), pixel_format: self.code.fourcc, frame_rate: self.frame_rate }
    }
}

/// What is known of a camera that streams, and never changes.
#[derive(Debug)]
pub(super) struct Described {
    pub(super) path: PathBuf,
    pub(super) pixel_format: [u8; 4],
    /// Frames per second as a fraction.
    pub(super) frame_rate: Option<(u32, u32)>,
}

/// A camera that streams.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) camera: Described,
    pub(super) queue: Arc<Queue>,
    pub(super) counter: Counter,
    /// Bytes that each memory of a whole picture holds at least.
    needed: Vec<usize>,
}

impl Stream {
    pub(super) fn new(camera: Described, queue: Queue, needed: Vec<usize>) -> Self {
        Self { camera, queue: Arc::new(queue), counter: Counter::default(), needed }
    }

    /// Waits for a buffer with a picture, until `timeout` after `begun`. The picture is not counted yet; one that is
    /// damaged or short is, and its buffer is back with the driver.
    pub(super) fn next(&mut self, begun: Instant, timeout: Duration) -> Result<Filled, CameraError> {
        loop {
            let left = timeout.saturating_sub(begun.elapsed());
            let (readiness, has_event) = match self.queue.device().wait(left) {
                Ok(ready) => ready,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(CameraError::of(&self.camera.path, "wait for a picture", error)),
            };
            if has_event && self.has_changed() {
                return Err(CameraError::Changed { path: self.camera.path.clone() });
            }
            if has_event && readiness != Readiness::Dead {
                continue;
            }
            if readiness == Readiness::TimedOut {
                return Err(CameraError::Stalled { path: self.camera.path.clone(), waited: begun.elapsed() });
            }
            match self.queue.dequeue() {
                Ok(filled) => match self.content(&filled) {
                    Content::Whole => return Ok(filled),
                    // The next one may be whole.
                    content => self.settle(filled, content)?,
                },
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && readiness == Readiness::Ready => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Err(CameraError::Unplugged { path: self.camera.path.clone() });
                }
                Err(error) => return Err(CameraError::of(&self.camera.path, "deliver a picture", error)),
            }
        }
    }

    /// Ends the stream and begins it anew. Buffers that are held stay so.
    pub(super) fn restart(&mut self) -> Result<(), CameraError> {
        let restarted = self.queue.restart();
        // The driver counts from 0 again.
        self.counter.begin_anew();
        restarted.map_err(|source| CameraError::of(&self.camera.path, "stream again", source))
    }

    /// Takes the events that there are: whether one says that pictures have another size now.
    fn has_changed(&self) -> bool {
        let mut has_changed = false;
        loop {
            let mut event = Event::zeroed();
            if self.queue.device().call(&abi::DQEVENT, &mut event).is_err() {
                return has_changed;
            }
            has_changed |=
                event.kind == abi::EVENT_SOURCE_CHANGE && event.changes & abi::SOURCE_CHANGED_RESOLUTION != 0;
        }
    }

    /// Counts what a buffer held, and gives it back to the driver.
    pub(super) fn settle(&mut self, filled: Filled, content: Content) -> Result<(), CameraError> {
        self.counter.count(filled.sequence, content);
        let requeued = self.queue.requeue(filled);
        requeued.map_err(|source| CameraError::of(&self.camera.path, "take a buffer back", source))
    }

    fn content(&self, filled: &Filled) -> Content {
        let long_enough = |(memory, needed): (usize, &usize)| {
            let (begin, end) = filled.data(memory);
            end - begin >= *needed
        };
        if filled.flags & abi::BUFFER_ERROR != 0 {
            Content::Damaged
        } else if self.needed.iter().enumerate().all(long_enough) {
            Content::Whole
        } else {
            Content::Short
        }
    }
}

/// Asks to be told when the pictures of the input that is shown change their size. A camera where they never do refuses.
fn subscribe_to_changes(device: &Device) {
    let mut input = 0;
    // Not every driver has inputs to choose from.
    let _one_input = device.call(&abi::G_INPUT, &mut input);
    let (kind, id) = (abi::EVENT_SOURCE_CHANGE, input.cast_unsigned());
    let mut changes = EventSubscription { kind, id, ..EventSubscription::zeroed() };
    let _refused = device.call(&abi::SUBSCRIBE_EVENT, &mut changes);
}

/// The driver's capture time; where it has none on `CLOCK_MONOTONIC`, now.
pub(super) fn timestamp(filled: &Filled) -> Timestamp {
    stamped(filled.flags, filled.timestamp)
}

fn stamped(flags: u32, time: libc::timeval) -> Timestamp {
    if flags & abi::BUFFER_TIMESTAMP_MASK != abi::BUFFER_TIMESTAMP_MONOTONIC {
        return monotonic_now();
    }
    Timestamp(time.tv_sec * 1_000_000_000 + time.tv_usec * 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_on_another_clock_is_replaced_by_now() {
        let time = libc::timeval { tv_sec: 3, tv_usec: 25 };
        assert_eq!(stamped(abi::BUFFER_TIMESTAMP_MONOTONIC, time), Timestamp(3_000_025_000));
        let before = monotonic_now();
        assert!(stamped(0, time) >= before);
    }
}
