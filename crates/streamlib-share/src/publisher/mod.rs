//! Publishing a surface.

mod buffers;
mod rate;
mod service;
mod slots;

use std::fmt;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};

use streamlib_core::format::Size;
use streamlib_core::frame::FrameMeta;
use streamlib_core::sync::Mutex;

use crate::access::Access;
use crate::broker::{self, Stay, Stop};
use crate::buffer::{BufferDescription, BufferId, FormatCode, TimelineDescription};
use crate::clock;
use crate::error::SurfaceError;
use crate::lease;
use crate::name::SurfaceName;
use crate::page::{Feed, ReaderPage, Slot, SurfacePage};

use buffers::{Buffers, Export};
use rate::Rate;
use service::Service;
use slots::Slots;

/// How a surface is published.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PublisherOptions {
    /// Who may open it.
    pub access: Access,
    /// Where the broker's socket is, if not in the usual place ([`broker::socket_path`]).
    pub broker: Option<PathBuf>,
}

/// A buffer that a publisher has made known. Frames are published by it, and readers ask for it by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SharedBuffer {
    id: BufferId,
    size: Size,
    format: FormatCode,
}

impl SharedBuffer {
    /// Its name.
    #[must_use]
    pub fn id(&self) -> BufferId {
        self.id
    }
}

/// What a publisher has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PublisherStats {
    /// Frames published.
    pub published: u64,
    /// Frames that could not be, because readers held everything, and those that the program counted itself.
    pub dropped: u64,
    /// Readers connected now.
    pub readers: u64,
    /// Frames that readers have let go again, over the readers connected now.
    pub released: u64,
    /// Frames that readers never saw, because a newer one was there, over the readers connected now.
    pub skipped: u64,
}

/// What the publisher's thread and its service share.
#[derive(Debug)]
struct Shared {
    page: SurfacePage,
    page_file: OwnedFd,
    /// Those whose leases count. The service adds a reader before it tells it where the page is.
    readers: Mutex<Vec<Arc<ReaderPage>>>,
    buffers: Mutex<Buffers>,
    timeline: OnceLock<Timeline>,
    is_registered: AtomicBool,
}

/// Tells readers which frames are done.
struct Timeline {
    description: TimelineDescription,
    export: Export,
}

impl fmt::Debug for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.description.fmt(f)
    }
}

/// A frame that readers know of and that is not done: [`Publisher::finish`] says that it is.
#[derive(Debug)]
#[must_use = "readers without the timeline get the frame when it is finished"]
pub struct Announced(u64);

/// Publishes a surface: frame after frame, each in a buffer that the program has made known, for whoever may open it. `T` is what
/// must live as long as somebody may look at a frame, such as a lease of its texture.
///
/// Publishing waits for nobody. A frame's `T` is kept until it is neither the newest nor held by a reader, and dropped by a
/// later [`Publisher::publish`] or [`Publisher::reclaim`]; a reader can hold four, and four more may be
/// [used otherwise](Publisher::keeping_while). A service thread answers the readers, finds a new broker when the old one dies, and
/// becomes it if need be.
///
/// When the publisher is dropped its readers are told, and nothing is kept for them any longer.
#[derive(Debug)]
pub struct Publisher<T> {
    shared: Arc<Shared>,
    slots: Slots<T>,
    is_used: fn(&T) -> bool,
    rate: Rate,
    name: SurfaceName,
    stop: Stop,
    service: Option<JoinHandle<()>>,
    /// Dropped last, when the service has left the broker.
    _stay: Stay,
}

impl<T> Publisher<T> {
    /// Publishes a surface under `name`. There is nothing to see in it before the first [`Publisher::publish`].
    ///
    /// # Errors
    /// When the name is none or taken, there is no broker and this process cannot become one, or the system refuses.
    pub fn create(name: &str, options: &PublisherOptions) -> Result<Self, SurfaceError> {
        let name: SurfaceName = name.parse()?;
        let path = options.broker.clone().map_or_else(broker::socket_path, Ok)?;
        let (page, page_file) = SurfacePage::create()?;
        let stay = Stay::begin(&path);
        let connection = broker::client::register(&path, &name, options.access, page_file.as_fd())?;
        let shared = Arc::new(Shared {
            page,
            page_file,
            readers: Mutex::default(),
            buffers: Mutex::default(),
            timeline: OnceLock::new(),
            is_registered: AtomicBool::new(true),
        });
        let stop = Stop::new().map_err(|source| SurfaceError::System { action: "make an event", source })?;
        let service = Service::new(shared.clone(), name.clone(), options.access, path, connection);
        let stop_of_service = stop.clone();
        let service = thread::Builder::new()
            .name("streamlib-share".to_owned())
            .spawn(move || service.run(&stop_of_service))
            .map_err(|source| SurfaceError::System { action: "start a thread", source })?;
        let (slots, rate) = (Slots::new(), Rate::default());
        Ok(Self { shared, slots, is_used: |_| false, rate, name, stop, service: Some(service), _stay: stay })
    }

    /// The surface's name.
    #[must_use]
    pub fn name(&self) -> &SurfaceName {
        &self.name
    }

    /// Keeps frames that no reader holds any more for as long as `is_used` says so, four at most: a reader's device may still be at
    /// work. It is asked by [`publish`](Self::publish) and [`reclaim`](Self::reclaim), and must not wait.
    #[must_use]
    pub fn keeping_while(mut self, is_used: fn(&T) -> bool) -> Self {
        self.is_used = is_used;
        self
    }

    /// Makes a buffer known. `export` gives a new descriptor of it each time that a reader asks, on the service thread; the
    /// reader owns that one.
    pub fn add_buffer(
        &self,
        description: BufferDescription,
        export: impl Fn() -> io::Result<OwnedFd> + Send + Sync + 'static,
    ) -> SharedBuffer {
        let mut buffers = self.shared.buffers.lock().unwrap_or_else(PoisonError::into_inner);
        let id = buffers.add(description, Arc::new(export));
        SharedBuffer { id, size: description.size, format: description.format }
    }

    /// Withdraws a buffer: readers that ask for it are told that it is no more. Those that have it keep it.
    pub fn remove_buffer(&self, buffer: &SharedBuffer) {
        self.shared.buffers.lock().unwrap_or_else(PoisonError::into_inner).remove(buffer.id);
    }

    /// Offers a timeline that tells which frames are done, for [`Publisher::announce`]. `export` gives a new descriptor of it
    /// each time that a reader asks, on the service thread. The first that is offered counts.
    pub fn offer_timeline(
        &self,
        description: TimelineDescription,
        export: impl Fn() -> io::Result<OwnedFd> + Send + Sync + 'static,
    ) {
        let _first_counts = self.shared.timeline.set(Timeline { description, export: Arc::new(export) });
    }

    /// Makes the frame that lies in `buffer` the newest, and keeps `keep` as long as a reader may look at it. Its GPU work must
    /// be done. Never waits, and allocates nothing.
    ///
    /// Returns the publication's number, counted from 1.
    ///
    /// # Errors
    /// Gives `keep` back when readers hold every frame there can be. It counts as dropped.
    pub fn publish(&mut self, buffer: &SharedBuffer, meta: &FrameMeta, keep: T) -> Result<u64, T> {
        let announced = self.announce(buffer, meta, 0, keep)?;
        Ok(self.finish(announced))
    }

    /// Lets readers that have the timeline ([`Publisher::offer_timeline`]) know of the frame that will lie in `buffer` when the
    /// timeline has reached `done`. All others get it when it is [finished](Publisher::finish), which has to be before the next
    /// one is announced. Otherwise like [`publish`](Publisher::publish).
    ///
    /// # Errors
    /// As [`publish`](Publisher::publish).
    pub fn announce(
        &mut self,
        buffer: &SharedBuffer,
        meta: &FrameMeta,
        done: u64,
        keep: T,
    ) -> Result<Announced, T> {
        if self.slots.free().is_none() {
            self.reclaim();
        }
        let Some(index) = self.slots.free() else {
            self.count_dropped(1);
            return Err(keep);
        };
        let now = clock::now();
        let SharedBuffer { id, size, format } = *buffer;
        self.shared.page.write(index, Slot { buffer: id, size, format, meta: *meta, published: now, done });
        let word = self.slots.fill(index, keep);
        self.offer(word, Feed::Early);
        self.shared.page.count_published(self.rate.count(now));
        Ok(Announced(word))
    }

    /// Says that an announced frame is done, so that every reader gets it. Its number, counted from 1.
    pub fn finish(&mut self, Announced(word): Announced) -> u64 {
        self.shared.page.write_done(lease::slot(word), clock::now());
        self.slots.finish(word);
        self.offer(word, Feed::Done);
        lease::sequence(word)
    }

    fn offer(&mut self, word: u64, feed: Feed) {
        lease::offer(self.shared.page.newest(feed), word);
        self.shared.page.ring(feed);
        // A service that holds the list is never waited for: then somebody may be waiting, and nothing is given back this time.
        let is_waited_for = match self.shared.readers.try_lock() {
            Ok(readers) => {
                self.slots.reclaim(&readers, self.is_used);
                readers.iter().any(|reader| reader.is_waiting(feed))
            }
            Err(_held) => true,
        };
        if is_waited_for {
            self.shared.page.wake(feed);
        }
    }

    /// Drops what is kept for nobody any more. Never waits.
    pub fn reclaim(&mut self) {
        if let Ok(readers) = self.shared.readers.try_lock() {
            self.slots.reclaim(&readers, self.is_used);
        }
    }

    /// How many frames are kept: the newest, and those that readers hold.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.slots.len()
    }

    /// Counts frames that the program had and did not publish.
    pub fn count_dropped(&self, frames: u64) {
        self.shared.page.count_dropped(frames);
    }

    /// Readers connected now. Without any, publishing is only for those to come.
    #[must_use]
    pub fn readers(&self) -> usize {
        self.shared.page.counters().readers as usize
    }

    /// Whether a broker knows the surface now. Readers that are connected need none.
    #[must_use]
    pub fn is_registered(&self) -> bool {
        self.shared.is_registered.load(Ordering::Relaxed)
    }

    /// What has been counted.
    #[must_use]
    pub fn stats(&self) -> PublisherStats {
        let counters = self.shared.page.counters();
        let readers = self.shared.readers.lock().unwrap_or_else(PoisonError::into_inner);
        let (released, skipped) = readers
            .iter()
            .map(|reader| reader.counts())
            .fold((0_u64, 0_u64), |sum, one| (sum.0.wrapping_add(one.0), sum.1.wrapping_add(one.1)));
        PublisherStats {
            published: counters.published,
            dropped: counters.dropped,
            readers: counters.readers,
            released,
            skipped,
        }
    }
}

impl<T> Drop for Publisher<T> {
    fn drop(&mut self) {
        self.shared.page.close();
        self.stop.stop();
        if let Some(service) = self.service.take() {
            // A panic of the service has been reported by the thread itself.
            let _ended = service.join();
        }
    }
}

#[cfg(test)]
mod tests;
