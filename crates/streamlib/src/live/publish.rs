//! Surfaces that a live graph publishes, each on a thread of its own.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use streamlib_core::account::{DropReason, NodeCounters};
use streamlib_core::engine::{Content, Leased};
use streamlib_core::mailbox::{Listener, Receiver};
use streamlib_share::{Access, Publisher, PublisherOptions, SharedBuffer};
use streamlib_vulkan::{VulkanError, VulkanGpu};

use super::LiveFrame;
use super::clock::{Role, prepare_thread};
use super::event::{Events, LiveEvent};
use crate::surface::{Access as Wanted, PublishOptions, SurfaceError, describe};

/// While readers hold frames, nobody says when they let go of them: so often the thread looks.
const LOOK: Duration = Duration::from_millis(5);
/// A texture that has not been published for so many frames is forgotten: its plan has probably been replaced.
const FORGET: u64 = 600;

/// A surface that can be opened, with no frame yet.
pub(super) struct Publication {
    publisher: Publisher<LiveFrame>,
    /// Those that readers may ask for, by the texture's id.
    buffers: BTreeMap<u64, Offered>,
    gpu: Arc<VulkanGpu>,
    published: u64,
    pub(super) listener: Listener,
}

struct Offered {
    buffer: SharedBuffer,
    /// Number of the frame that it was last published with.
    last: u64,
}

/// What a surface's thread works with.
pub(super) struct PublishJob {
    pub(super) node: String,
    pub(super) publication: Publication,
    pub(super) frames: Receiver<LiveFrame>,
    pub(super) counters: Arc<NodeCounters>,
    pub(super) events: Arc<Events>,
}

/// Registers the surface that `options` asks for.
pub(super) fn open(gpu: &Arc<VulkanGpu>, options: &PublishOptions) -> Result<Publication, SurfaceError> {
    let access = match options.access {
        Wanted::User => Access::SameUser,
        Wanted::Group(group) => Access::Group(group),
        Wanted::Everyone => Access::Everyone,
    };
    let publisher =
        Publisher::create(&options.name, &PublisherOptions { access, ..PublisherOptions::default() })?;
    let (gpu, listener) = (gpu.clone(), Listener::new());
    Ok(Publication { publisher, buffers: BTreeMap::new(), gpu, published: 0, listener })
}

impl Publication {
    /// Lets readers have a frame; `false` when they hold so many that there is no place for it.
    fn publish(&mut self, leased: &Arc<Leased<VulkanGpu>>, frame: LiveFrame) -> Result<bool, VulkanError> {
        let buffer = self.offer(leased)?;
        let meta = frame.meta;
        let is_published = self.publisher.publish(&buffer, &meta, frame).is_ok();
        self.published += 1;
        Ok(is_published)
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

impl PublishJob {
    /// Publishes frames until there are none any more.
    pub(super) fn run(mut self, is_unwanted: &AtomicBool) {
        prepare_thread(&self.node, Role::Other, None);
        let Err(error) = self.publish_all(is_unwanted) else { return };
        self.frames.close();
        while self.frames.take().is_some() {
            self.counters.dropped(DropReason::ConsumerFailed);
        }
        // The surface is gone when its end is heard of.
        drop(self.publication);
        self.events.tell(LiveEvent::SinkFailed { node: self.node, why: error.to_string() });
    }

    fn publish_all(&mut self, is_unwanted: &AtomicBool) -> Result<(), VulkanError> {
        while !is_unwanted.load(Ordering::Acquire) {
            self.publication.publisher.reclaim();
            let Some(frame) = self.frames.take() else {
                if self.frames.is_closed() {
                    break;
                }
                // The newest frame is kept in any case.
                let are_held = self.publication.publisher.kept() > 1;
                self.publication.listener.wait(are_held.then(|| Instant::now() + LOOK));
                continue;
            };
            let Content::Texture(leased) = &frame.content else { continue };
            let leased = leased.clone();
            let published = self.publication.publish(&leased, frame).inspect_err(|_| {
                self.counters.dropped(DropReason::ConsumerFailed);
            })?;
            if published {
                self.counters.went_out();
            } else {
                self.counters.dropped(DropReason::NoFreeTexture);
            }
        }
        Ok(())
    }
}

impl std::fmt::Debug for Publication {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Publication({:?})", self.publisher.name())
    }
}
