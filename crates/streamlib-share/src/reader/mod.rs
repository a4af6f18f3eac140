//! Reading a surface.

mod acquired;
mod link;
mod pace;

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use streamlib_linux::peer::Peer;

use crate::broker::{self, ANSWER_TIME, client};
use crate::buffer::{BufferDescription, BufferId, TimelineDescription};
use crate::error::SurfaceError;
use crate::name::SurfaceName;
use crate::page::{Feed, LEASES, ReaderPage, SurfaceView};
use crate::socket::{Connection, Received, pause};
use crate::wire::Message;

pub use acquired::Acquired;
pub use link::FrameWaiter;
use link::{Link, Take};
use pace::Pace;

/// How often to look whether a publisher, a broker or a surface has come that was waited for: they do not say so themselves.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// A look at a driver's semaphore can take longer than what it would save. For so many times as long as one took, only what the
/// publisher says is looked for.
const APART: u32 = 4;

/// How a surface is opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReaderOptions {
    /// Where the broker's socket is, if not in the usual place ([`broker::socket_path`]).
    pub broker: Option<PathBuf>,
    /// How long to wait for the surface to come, if it is not there yet.
    pub patience: Duration,
    /// How long before and after a frame is expected [`Reader::acquire`] looks for it without sleeping. It costs a processor that
    /// share of the time, and saves the time that a thread needs to wake up. Zero is never, a second the most.
    pub awake: Duration,
}

/// Reads a surface of another process: the newest frame, when there is one that it has not had. It is let go of by dropping the
/// [`Acquired`]; four can be held at once.
#[derive(Debug)]
pub struct Reader {
    link: Arc<Link>,
    path: PathBuf,
    publisher: Peer,
    /// Number of the newest publication that was acquired.
    seen: u64,
    pace: Pace,
    awake: Duration,
    feed: Feed,
}

impl Reader {
    /// Opens the surface `name`. What is published from now on, and the newest frame that there is, can be acquired.
    ///
    /// # Errors
    /// When there is no broker, no such surface, this user may not open it, or its publisher is gone or does not answer.
    pub fn open(name: &str, options: &ReaderOptions) -> Result<Self, SurfaceError> {
        let name: SurfaceName = name.parse()?;
        let path = options.broker.clone().map_or_else(broker::socket_path, Ok)?;
        let patience = Instant::now() + options.patience;
        loop {
            match open(&path, &name) {
                Ok(opened) => return Ok(Self::new(opened, path, options.awake)),
                Err(error) if error.is_temporary() && Instant::now() < patience => pause(LOOK_AGAIN),
                Err(error) => return Err(error),
            }
        }
    }

    /// Opens the surface again, when its publisher was gone and is back. Frames that are still held stay so.
    ///
    /// # Errors
    /// As [`Reader::open`]; this reader stays as it was then.
    pub fn reopen(&mut self) -> Result<(), SurfaceError> {
        let opened = open(&self.path, &self.link.name)?;
        *self = Self::new(opened, std::mem::take(&mut self.path), self.awake);
        Ok(())
    }

    fn new((link, publisher): (Link, Peer), path: PathBuf, awake: Duration) -> Self {
        Self {
            link: Arc::new(link),
            path,
            publisher,
            seen: 0,
            pace: Pace::new(awake),
            awake,
            feed: Feed::Done,
        }
    }

    /// Sets how long before and after a frame is expected [`Reader::acquire`] looks for it without sleeping: [`ReaderOptions::awake`].
    pub fn stay_awake(&mut self, awake: Duration) {
        self.awake = awake;
        self.pace = Pace::new(awake);
    }

    /// Asks the publisher for the timeline that tells which frames are done: whose it is, and a descriptor of it, which is the
    /// caller's. None where frames are done when they are published.
    ///
    /// # Errors
    /// When the publisher is gone or does not answer.
    pub fn timeline(&mut self) -> Result<Option<(TimelineDescription, OwnedFd)>, SurfaceError> {
        self.link.ask(&Message::GetTimeline, |message, files| match message {
            Message::Timeline { description } => {
                let file = files.into_iter().next();
                let gone = || SurfaceError::PublisherGone { name: self.link.name.clone() };
                Ok(Ok(Some((description, file.ok_or_else(gone)?))))
            }
            Message::NoTimeline => Ok(Ok(None)),
            other => Ok(Err(other)),
        })
    }

    /// From now on frames that the publisher's GPU still works on are acquired, too: [`Acquired::done`] tells the value of the
    /// timeline that is to be waited for. A publisher that is killed never reaches it, so whoever waits looks after
    /// [`is_publisher_alive`](Self::is_publisher_alive).
    pub fn read_early(&mut self) {
        self.feed = Feed::Early;
    }

    /// Looks without sleeping, `limit` at most, until a frame is done: until its publisher says so, or `reached` says it of a value
    /// of the publisher's timeline. Whether it is done.
    ///
    /// # Errors
    /// Those of `reached`.
    pub fn watch<E>(
        &self,
        frame: &Acquired,
        limit: Duration,
        mut reached: impl FnMut(u64) -> Result<bool, E>,
    ) -> Result<bool, E> {
        let Some(value) = frame.done() else { return Ok(true) };
        let begun = Instant::now();
        let mut next_look = begun;
        // A semaphore of the driver's is at times some tens of microseconds late, and so at times is the publisher.
        while !self.link.is_finished(frame.number()) {
            let now = Instant::now();
            if now >= next_look {
                if reached(value.get())? {
                    break;
                }
                let looked = Instant::now();
                next_look = looked + (looked - now) * APART;
            }
            if begun.elapsed() >= limit {
                return Ok(false);
            }
            std::hint::spin_loop();
        }
        Ok(true)
    }

    /// The surface's name.
    #[must_use]
    pub fn name(&self) -> &SurfaceName {
        &self.link.name
    }

    /// Who publishes it, as the broker says.
    #[must_use]
    pub fn publisher(&self) -> Peer {
        self.publisher
    }

    /// Acquires the newest frame, if there is one that this reader has not had; waits for it, `timeout` at most. None when the
    /// time is up.
    ///
    /// # Errors
    /// When four frames are held already, or the publisher is gone: at the latest 100 ms after that, whatever `timeout` is.
    pub fn acquire(&mut self, timeout: Duration) -> Result<Option<Acquired>, SurfaceError> {
        let deadline = Instant::now().checked_add(timeout);
        loop {
            let bell = (self.feed, self.link.surface.bell(self.feed));
            match Link::take(&self.link, self.feed, self.seen) {
                Take::Taken(acquired) => {
                    self.seen = acquired.number();
                    self.pace.came(&acquired);
                    return Ok(Some(acquired));
                }
                Take::AllLeased => {
                    let name = self.link.name.clone();
                    return Err(SurfaceError::TooManyLeases { name, limit: LEASES });
                }
                Take::Nothing => {}
                // Frames come faster than they can be taken: one of the next will do.
                Take::Contended if deadline.is_some_and(|deadline| Instant::now() >= deadline) => {
                    return Ok(None);
                }
                Take::Contended => continue,
                Take::Nonsense => {
                    let what = "a frame that cannot be".to_owned();
                    return Err(SurfaceError::Protocol { peer: "the publisher", what });
                }
            }
            if let Some(window) = self.pace.window()
                && self.link.watch(bell, window, deadline)
            {
                continue;
            }
            if !self.link.wait(bell, deadline)? {
                return Ok(None);
            }
        }
    }

    /// Asks the publisher for a buffer: what it is, and a descriptor of it, which is the caller's. Frames in the same buffer need
    /// not ask again.
    ///
    /// # Errors
    /// When the buffer is no more, or the publisher is gone or does not answer.
    pub fn buffer(&mut self, id: BufferId) -> Result<(BufferDescription, OwnedFd), SurfaceError> {
        let name = || self.link.name.clone();
        self.link.ask(&Message::GetBuffer { id }, |message, files| match message {
            Message::Buffer { id: found, description } if found == id => {
                let file = files.into_iter().next();
                let gone = || SurfaceError::PublisherGone { name: name() };
                Ok(Ok((description, file.ok_or_else(gone)?)))
            }
            Message::NoBuffer { id: found } if found == id => {
                Err(SurfaceError::NoBuffer { name: name(), id })
            }
            other => Ok(Err(other)),
        })
    }

    /// Whether the publisher is there. It may still be stopped.
    #[must_use]
    pub fn is_publisher_alive(&self) -> bool {
        self.link.is_alive()
    }

    /// Something that waits for frames beside this reader, in another thread.
    #[must_use]
    pub fn waiter(&self) -> FrameWaiter {
        FrameWaiter::new(self.link.clone(), self.feed)
    }
}

/// Has the broker at `path` connect us, and takes the publisher's pages.
fn open(path: &Path, name: &SurfaceName) -> Result<(Link, Peer), SurfaceError> {
    let broker = client::connect_to_existing(path)?;
    let (publisher, socket) = match client::ask(path, &broker, &Message::Open { name: name.clone() })? {
        (Message::Opened { publisher }, files) => {
            let socket = files.into_iter().next();
            let socket = socket.ok_or_else(|| SurfaceError::PublisherGone { name: name.clone() })?;
            (publisher, Connection::from(socket))
        }
        (Message::Refused(refusal), _) => {
            let mut error = SurfaceError::of_refusal(name, refusal);
            if let SurfaceError::NoSuchSurface { there, .. } = &mut error {
                let known = client::list(path, &broker).unwrap_or_default();
                *there = known.into_iter().map(|entry| entry.name).collect();
            }
            return Err(error);
        }
        (other, _) => return Err(client::unexpected(&other)),
    };
    let gone = || SurfaceError::PublisherGone { name: name.clone() };
    let welcome = socket.receive_until(Instant::now() + ANSWER_TIME);
    match welcome.map_err(|error| SurfaceError::of_socket("the publisher", error))? {
        Received::Message(Message::Welcome, files) => {
            let [surface, page] = files.try_into().map_err(|_files| gone())?;
            let (surface, page) = (SurfaceView::open(&surface)?, ReaderPage::open(&page)?);
            Ok((Link::new(name.clone(), socket, surface, page), publisher))
        }
        Received::Message(Message::Refused(refusal), _) => Err(SurfaceError::of_refusal(name, refusal)),
        Received::Message(other, _) => {
            let what = format!("what no publisher sends: {other:?}");
            Err(SurfaceError::Protocol { peer: "the publisher", what })
        }
        Received::Nothing => Err(SurfaceError::PublisherSilent { name: name.clone() }),
        Received::Closed => Err(gone()),
    }
}

#[cfg(test)]
mod tests;
