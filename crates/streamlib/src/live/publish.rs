//! Surfaces that a live graph publishes, on the thread that delivers its frames: publishing waits for nobody, and a thread more would
//! cost each frame the time to wake it.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use streamlib_core::account::DropReason;
use streamlib_core::engine::{Content, Leased};
use streamlib_core::live::AtOnce;
use streamlib_share::{Access, Announced, Publisher, PublisherOptions, SharedBuffer, TimelineDescription};
use streamlib_vulkan::{DmaBufAccess, SharedTimeline, SharingProblem, VulkanError, VulkanGpu};

use super::LiveFrame;
use super::event::{Events, LiveEvent};
use crate::surface::{Access as Wanted, PublishOptions, SurfaceError, describe};

/// A texture that has not been published for so many frames is forgotten: its plan has probably been replaced.
const FORGET: u64 = 600;

/// A surface that a graph publishes.
pub(super) struct Publication {
    node: String,
    publisher: Publisher<Published>,
    /// Those that readers may ask for, by the texture's id.
    buffers: BTreeMap<u64, Offered>,
    gpu: Arc<VulkanGpu>,
    published: u64,
    /// Where its failure is told, once its graph is about to run.
    events: Option<Arc<Events>>,
    has_failed: bool,
    /// Whether readers have the GPU's timeline, and may know of frames that are not done.
    is_early: bool,
    /// A frame that readers know of and that is not done.
    announced: Option<Announced>,
}

/// A frame that readers look at.
struct Published {
    frame: LiveFrame,
    gpu: Arc<VulkanGpu>,
}

struct Offered {
    buffer: SharedBuffer,
    /// Number of the frame that it was last published with.
    last: u64,
}

/// Registers the surface that `options` asks for. There is no frame in it yet.
pub(super) fn open(
    node: &str,
    gpu: &Arc<VulkanGpu>,
    options: &PublishOptions,
) -> Result<Publication, SurfaceError> {
    let access = match options.access {
        Wanted::User => Access::SameUser,
        Wanted::Group(group) => Access::Group(group),
        Wanted::Everyone => Access::Everyone,
    };
    let publisher =
        Publisher::create(&options.name, &PublisherOptions { access, ..PublisherOptions::default() })?
            .keeping_while(Published::is_read);
    let is_early = offer_timeline(&publisher, gpu)?;
    Ok(Publication {
        node: node.to_owned(),
        publisher,
        buffers: BTreeMap::new(),
        gpu: gpu.clone(),
        published: 0,
        events: None,
        has_failed: false,
        is_early,
        announced: None,
    })
}

/// Offers readers the timeline of the GPU, so that they see for themselves when a frame is done; whether there is one.
fn offer_timeline(publisher: &Publisher<Published>, gpu: &Arc<VulkanGpu>) -> Result<bool, SurfaceError> {
    let Some(SharedTimeline { device, driver, .. }) = gpu.share_timeline()? else { return Ok(false) };
    let gpu = gpu.clone();
    publisher.offer_timeline(TimelineDescription { device, driver }, move || {
        let shared = gpu.share_timeline().map_err(io::Error::other)?;
        shared.map(|shared| shared.descriptor).ok_or_else(|| io::ErrorKind::Unsupported.into())
    });
    Ok(true)
}

impl Published {
    /// Whether the device of a reader, which may have let go of the frame, still reads it. Others' drivers say so of DMA-BUFs only.
    fn is_read(&self) -> bool {
        let Content::Texture(leased) = &self.frame.content else { return false };
        let looked = self.gpu.wait_for_others(&leased.texture, DmaBufAccess::Write, Duration::ZERO);
        matches!(looked, Err(VulkanError::Sharing { problem: SharingProblem::InUse { .. }, .. }))
    }
}

impl Publication {
    /// The same, telling of its failure there.
    pub(super) fn with_events(mut self, events: &Arc<Events>) -> Self {
        self.events = Some(events.clone());
        self
    }

    /// Lets readers have a frame; `false` when they hold so many that there is no place for it.
    fn publish(&mut self, leased: &Arc<Leased<VulkanGpu>>, frame: LiveFrame) -> Result<bool, VulkanError> {
        let buffer = self.offer(leased)?;
        let meta = frame.meta;
        let published = Published { frame, gpu: self.gpu.clone() };
        let is_published = self.publisher.publish(&buffer, &meta, published).is_ok();
        self.published += 1;
        Ok(is_published)
    }

    /// Lets early readers know of a frame; `false` as [`publish`](Self::publish).
    fn announce(
        &mut self,
        leased: &Arc<Leased<VulkanGpu>>,
        frame: LiveFrame,
        value: u64,
    ) -> Result<bool, VulkanError> {
        let buffer = self.offer(leased)?;
        let meta = frame.meta;
        let published = Published { frame, gpu: self.gpu.clone() };
        self.announced = self.publisher.announce(&buffer, &meta, value, published).ok();
        self.published += u64::from(self.announced.is_some());
        Ok(self.announced.is_some())
    }

    /// The texture as readers know it.
    fn offer(&mut self, leased: &Arc<Leased<VulkanGpu>>) -> Result<SharedBuffer, VulkanError> {
        if let Some(offered) = self.buffers.get_mut(&leased.id()) {
            offered.last = self.published;
            return Ok(offered.buffer);
        }
        self.forget();
        let texture = leased.texture.clone();
        let (description, descriptor) = describe(self.gpu.share(&texture)?);
        drop(descriptor);
        // A handle of the texture and none of the lease: being known to readers does not keep it from being written.
        let gpu = self.gpu.clone();
        let export = move || gpu.share(&texture).map(|shared| shared.descriptor).map_err(io::Error::other);
        let buffer = self.publisher.add_buffer(description, export);
        self.buffers.insert(leased.id(), Offered { buffer, last: self.published });
        Ok(buffer)
    }

    fn forget(&mut self) {
        let oldest = self.published.saturating_sub(FORGET);
        let publisher = &self.publisher;
        self.buffers.retain(|_, offered| {
            let is_used = offered.last >= oldest;
            if !is_used {
                publisher.remove_buffer(&offered.buffer);
            }
            is_used
        });
    }
}

impl AtOnce<VulkanGpu> for Publication {
    fn take(&mut self, frame: LiveFrame) -> Result<(), DropReason> {
        let Content::Texture(leased) = &frame.content else { return Err(DropReason::ConsumerFailed) };
        if self.has_failed {
            return Err(DropReason::ConsumerFailed);
        }
        let leased = leased.clone();
        match self.publish(&leased, frame) {
            Ok(true) => Ok(()),
            Ok(false) => Err(DropReason::NoFreeTexture),
            Err(error) => {
                self.has_failed = true;
                let why = error.to_string();
                if let Some(events) = &self.events {
                    events.tell(LiveEvent::SinkFailed { node: self.node.clone(), why });
                }
                Err(DropReason::ConsumerFailed)
            }
        }
    }

    fn wants_early(&self) -> bool {
        self.is_early && !self.has_failed
    }

    /// A failure comes again, and is told, when the frame is done.
    fn announce(&mut self, frame: LiveFrame, value: u64) -> bool {
        let Content::Texture(leased) = &frame.content else { return false };
        let leased = leased.clone();
        self.announce(&leased, frame, value).unwrap_or(false)
    }

    fn finish(&mut self) -> Result<(), DropReason> {
        if let Some(announced) = self.announced.take() {
            self.publisher.finish(announced);
        }
        Ok(())
    }

    fn let_go(&mut self) {
        self.publisher.reclaim();
    }
}

impl std::fmt::Debug for Publication {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Publication({:?})", self.publisher.name())
    }
}
