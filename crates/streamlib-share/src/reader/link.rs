//! What a reader and the frames that it holds share.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering, fence};
use std::time::{Duration, Instant};

use super::Acquired;
use crate::broker::ANSWER_TIME;
use crate::clock;
use crate::error::SurfaceError;
use crate::lease::{self, Hold};
use crate::name::SurfaceName;
use crate::page::{Feed, LEASES, ReaderPage, SurfaceView};
use crate::socket::{Connection, Received, Sent};
use crate::wire::Message;

/// How often to look whether the publisher still lives: its death wakes nobody. It takes a system call, too many for somebody who
/// asks for frames all the time.
const LOOK_FOR_LIFE: Duration = Duration::from_millis(50);

/// A connection to a publisher.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) name: SurfaceName,
    pub(super) socket: Connection,
    pub(super) surface: SurfaceView,
    page: ReaderPage,
    /// Which of the page's leases are in use. The page itself may be written by the publisher, and is not believed.
    leased: [AtomicBool; LEASES],
    /// When it was last made sure that the publisher lives, in nanoseconds on `CLOCK_MONOTONIC`.
    looked_ns: AtomicI64,
}

/// What taking a frame came to.
#[derive(Debug)]
pub(super) enum Take {
    Taken(Acquired),
    Nothing,
    Contended,
    /// Both leases are in use.
    AllLeased,
    /// The publisher's page makes no sense.
    Nonsense,
}

impl Link {
    pub(super) fn new(name: SurfaceName, socket: Connection, surface: SurfaceView, page: ReaderPage) -> Self {
        let looked_ns = AtomicI64::new(clock::now().0);
        Self { name, socket, surface, page, leased: Default::default(), looked_ns }
    }

    /// Takes the newest frame of `feed`, if it is newer than `seen`.
    pub(super) fn take(this: &Arc<Self>, feed: Feed, seen: u64) -> Take {
        let is_free = |leased: &AtomicBool| !leased.swap(true, Ordering::Acquire);
        let Some(index) = this.leased.iter().position(is_free) else { return Take::AllLeased };
        let newest = || this.surface.newest(feed);
        let held = lease::hold(newest, this.page.lease(index), lease::sequence, seen);
        let Hold::Held(word) = held else {
            this.leased[index].store(false, Ordering::Release);
            return if held == Hold::Nothing { Take::Nothing } else { Take::Contended };
        };
        match this.surface.slot(word) {
            Some(slot) => Take::Taken(Acquired::new(this.clone(), (index, word), (slot, feed), seen)),
            None => {
                this.release(index, 0);
                Take::Nonsense
            }
        }
    }

    /// Lets the frame under lease `index` go; `skipped` frames before it were never seen.
    pub(super) fn release(&self, index: usize, skipped: u64) {
        self.page.count(1, skipped);
        lease::release(self.page.lease(index));
        self.leased[index].store(false, Ordering::Release);
    }

    /// Whether the publisher has said that the publication of that number, or a later one, is done.
    pub(super) fn is_finished(&self, number: u64) -> bool {
        let is_finished = lease::sequence(self.surface.newest(Feed::Done)) >= number;
        // What the publisher did before it said so is seen from now on.
        fence(Ordering::Acquire);
        is_finished
    }

    pub(super) fn is_alive(&self) -> bool {
        !self.surface.is_closed() && !self.socket.is_hung_up()
    }

    /// Sleeps until the first of these times, and then looks until the other without sleeping whether the bell, which stood at
    /// `bell`, is rung; whether it was.
    pub(super) fn watch(
        &self,
        (feed, bell): (Feed, u32),
        (from, until): (Instant, Instant),
        deadline: Option<Instant>,
    ) -> bool {
        let until = deadline.map_or(until, |deadline| deadline.min(until));
        while self.surface.bell(feed) == bell && !self.surface.is_closed() {
            let now = Instant::now();
            if now >= until {
                return false;
            }
            match from.min(until).checked_duration_since(now) {
                Some(asleep) if !asleep.is_zero() => self.sleep((feed, bell), asleep),
                _ => std::hint::spin_loop(),
            }
        }
        true
    }

    /// Waits until the bell, which stood at `bell`, is rung; it may end early.
    fn sleep(&self, (feed, bell): (Feed, u32), timeout: Duration) {
        self.page.will_wait(feed);
        self.surface.wait(feed, bell, timeout);
        self.page.has_waited(feed);
    }

    /// Waits until the bell, which stood at `bell`, is rung, or it is time to look whether it was. False when `deadline` has
    /// passed; none is never.
    pub(super) fn wait(
        &self,
        (feed, bell): (Feed, u32),
        deadline: Option<Instant>,
    ) -> Result<bool, SurfaceError> {
        let left =
            deadline.map_or(LOOK_FOR_LIFE, |deadline| deadline.saturating_duration_since(Instant::now()));
        // Nobody rings for a publisher that has ended.
        if !left.is_zero() && !self.surface.is_closed() {
            self.sleep((feed, bell), left.min(LOOK_FOR_LIFE));
        }
        // Whatever was rung is looked at first, also if it was the publisher's last. But a bell that never rests does not keep
        // anybody longer than agreed.
        if !left.is_zero() && self.surface.bell(feed) != bell {
            return Ok(true);
        }
        if self.is_found_dead() {
            return Err(SurfaceError::PublisherGone { name: self.name.clone() });
        }
        Ok(!left.is_zero())
    }

    /// Whether the publisher has ended, as far as is known without looking too often.
    fn is_found_dead(&self) -> bool {
        if self.surface.is_closed() {
            return true;
        }
        let (now, looked) = (clock::now().0, self.looked_ns.load(Ordering::Relaxed));
        if now.saturating_sub(looked) < LOOK_FOR_LIFE.as_nanos() as i64 {
            return false;
        }
        self.looked_ns.store(now, Ordering::Relaxed);
        self.socket.is_hung_up()
    }

    /// Asks the publisher something. `answer` takes the answer, or gives back what is none.
    pub(super) fn ask<T>(
        &self,
        question: &Message,
        mut answer: impl FnMut(Message, Vec<OwnedFd>) -> Result<Result<T, Message>, SurfaceError>,
    ) -> Result<T, SurfaceError> {
        let name = || self.name.clone();
        let sent = self.socket.send(question, &[]);
        match sent.map_err(|source| SurfaceError::System { action: "send to the publisher", source })? {
            Sent::Yes => {}
            Sent::NoRoom => return Err(SurfaceError::PublisherSilent { name: name() }),
            Sent::Closed => return Err(SurfaceError::PublisherGone { name: name() }),
        }
        let deadline = Instant::now() + ANSWER_TIME;
        loop {
            let (message, files) = self.receive(deadline)?;
            match answer(message, files)? {
                Ok(answered) => return Ok(answered),
                // The answer to a question that was given up.
                Err(
                    Message::Buffer { .. }
                    | Message::NoBuffer { .. }
                    | Message::Timeline { .. }
                    | Message::NoTimeline,
                ) => {}
                Err(other) => {
                    let what = format!("what no publisher sends: {other:?}");
                    return Err(SurfaceError::Protocol { peer: "the publisher", what });
                }
            }
        }
    }

    /// The publisher's next message.
    pub(super) fn receive(&self, deadline: Instant) -> Result<(Message, Vec<OwnedFd>), SurfaceError> {
        let received = self.socket.receive_until(deadline);
        match received.map_err(|error| SurfaceError::of_socket("the publisher", error))? {
            Received::Message(message, files) => Ok((message, files)),
            Received::Nothing => Err(SurfaceError::PublisherSilent { name: self.name.clone() }),
            Received::Closed => Err(SurfaceError::PublisherGone { name: self.name.clone() }),
        }
    }
}

/// Waits for frames of a reader, in any thread.
#[derive(Clone, Debug)]
pub struct FrameWaiter {
    link: Arc<Link>,
    feed: Feed,
}

impl FrameWaiter {
    pub(super) fn new(link: Arc<Link>, feed: Feed) -> Self {
        Self { link, feed }
    }

    /// Number of the newest publication; 0 if there is none.
    #[must_use]
    pub fn newest(&self) -> u64 {
        lease::sequence(self.link.surface.newest(self.feed))
    }

    /// Waits until something newer than the publication `seen` is there, `timeout` at most; whether it is.
    ///
    /// # Errors
    /// When the publisher is gone: at the latest 100 ms after that.
    pub fn wait(&self, seen: u64, timeout: Duration) -> Result<bool, SurfaceError> {
        let deadline = Instant::now().checked_add(timeout);
        loop {
            let bell = self.link.surface.bell(self.feed);
            if self.newest() > seen {
                return Ok(true);
            }
            if !self.link.wait((self.feed, bell), deadline)? {
                return Ok(false);
            }
        }
    }
}
