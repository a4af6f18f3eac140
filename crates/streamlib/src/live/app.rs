//! The program's own ends of a live graph: where it pushes frames in, and takes frames out.

use std::sync::Arc;
use std::time::{Duration, Instant};

use streamlib_core::account::{DropReason, NodeCounters};
use streamlib_core::engine::{Leased, TexturePool};
use streamlib_core::format::Size;
use streamlib_core::frame::{CameraModel, FrameMeta, Timestamp};
use streamlib_core::live::{Arrival, Clock, Push};
use streamlib_core::mailbox::{Listener, Receiver, SendError};
use streamlib_vulkan::{Texture, VulkanError, VulkanGpu};

use super::LiveFrame;
use super::clock::Monotonic;
use super::driver::Arrivals;
use super::pulse::Pulse;
use crate::runtime::StreamRuntime;

/// Textures of an inlet beside those that may wait: in the program's hands, shown, and under way.
pub(super) const INLET_TEXTURES: usize = 8;

/// Where the program pushes textures in: the source whose `source` is `app:`.
///
/// A texture is lent ([`loan`](Self::loan)), written on the GPU or from host memory, and pushed.
#[derive(Debug)]
pub struct VideoInlet {
    pub(super) runtime: Arc<StreamRuntime>,
    pub(super) size: Size,
    pub(super) pool: TexturePool<VulkanGpu>,
    pub(super) arrivals: Arrivals,
    pub(super) counters: Arc<NodeCounters>,
    pub(super) pulse: Arc<Pulse>,
    pub(super) pushed: u64,
}

/// A texture to write and push. It may be pushed more than once, as what stands in it stays.
#[derive(Clone, Debug)]
pub struct Loan(Arc<Leased<VulkanGpu>>);

impl Loan {
    /// The texture. Work that writes it is submitted before it is pushed.
    #[must_use]
    pub fn texture(&self) -> &Texture {
        &self.0.texture
    }
}

/// A frame that was not pushed.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// The graph has ended, or has no such source any more.
    #[error("the graph does not take frames of this source any more")]
    Closed,
    /// The engine has as many frames waiting as the link allows, and may not lose one.
    #[error("the engine is behind: push again later")]
    Full(Loan),
}

impl VideoInlet {
    /// Pixels of the textures.
    #[must_use]
    pub fn size(&self) -> Size {
        self.size
    }

    /// A texture that nobody reads; `None` while all are waiting, in use or lent.
    pub fn loan(&mut self) -> Option<Loan> {
        self.pool.take(None).map(Loan)
    }

    /// Copies RGBA pixels (8 bits each, rows tightly packed) into a lent texture, and waits until they are there.
    ///
    /// # Errors
    /// When the GPU fails.
    ///
    /// # Panics
    /// When `rgba` does not have four bytes for each pixel.
    pub fn write(&self, loan: &Loan, rgba: &[u8]) -> Result<(), VulkanError> {
        assert_eq!(rgba.len(), self.size.pixels() * 4, "four bytes for each pixel");
        self.runtime.write_texture(loan.texture(), |bytes| bytes.copy_from_slice(rgba))
    }

    /// Pushes a frame that is captured now.
    ///
    /// # Errors
    /// When the graph has ended, or the link is lossless and full.
    pub fn push(&mut self, frame: Loan) -> Result<(), PushError> {
        self.push_captured(frame, Monotonic.now(), None)
    }

    /// Pushes a frame that was captured at `captured` (`CLOCK_MONOTONIC`), perhaps by a known camera.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn push_captured(
        &mut self,
        frame: Loan,
        captured: Timestamp,
        camera: Option<CameraModel>,
    ) -> Result<(), PushError> {
        let meta = FrameMeta { captured, sequence: self.pushed, camera };
        let arrival = Arrival { push: Push::Texture(frame.0), meta, arrived: Monotonic.now() };
        self.counters.came_in();
        self.pulse.beat();
        match self.arrivals.send(arrival, Duration::ZERO) {
            Ok(displaced) => {
                self.pushed += 1;
                // A displaced frame went out when it was pushed: one of the two has.
                match displaced {
                    Some(_) => self.counters.dropped(DropReason::Displaced),
                    None => self.counters.went_out(),
                }
                Ok(())
            }
            Err(SendError::Full(Arrival { push: Push::Texture(texture), .. })) => {
                self.counters.dropped(DropReason::InletFull);
                Err(PushError::Full(Loan(texture)))
            }
            Err(_closed) => {
                self.counters.dropped(DropReason::Stopped);
                Err(PushError::Closed)
            }
        }
    }
}

impl Drop for VideoInlet {
    fn drop(&mut self) {
        self.pulse.end();
    }
}

/// Where the program takes frames out: the sink whose `sink` is `app:`. Frames are textures; whoever holds one keeps it from
/// being written again.
#[derive(Debug)]
pub struct VideoOutlet {
    pub(super) frames: Receiver<LiveFrame>,
    pub(super) listener: Listener,
    pub(super) counters: Arc<NodeCounters>,
}

impl VideoOutlet {
    /// The next frame in order; under `latest`, the newest. `None` when there is none now. No frame is given twice.
    pub fn take(&mut self) -> Option<LiveFrame> {
        let frame = self.frames.take();
        if frame.is_some() {
            self.counters.went_out();
        }
        frame
    }

    /// As [`take`](Self::take), waiting for a frame up to `limit`; `None` also when the graph has ended.
    pub fn wait(&mut self, limit: Duration) -> Option<LiveFrame> {
        let until = Instant::now() + limit;
        loop {
            if let Some(frame) = self.take() {
                return Some(frame);
            }
            if self.is_closed() || Instant::now() >= until {
                return None;
            }
            self.listener.wait(Some(until));
        }
    }

    /// Whether no frame will come any more.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.frames.is_closed()
    }
}

impl Drop for VideoOutlet {
    fn drop(&mut self) {
        // What the program has not taken, nobody will, and nothing more comes.
        self.frames.close();
        while self.frames.take().is_some() {
            self.counters.dropped(DropReason::Stopped);
        }
    }
}
