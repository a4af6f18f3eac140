//! The publisher's thread for its readers and its broker.

use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use streamlib_linux::peer::Peer;
use tracing::{debug, info, warn};

use super::Shared;
use super::buffers::Found;
use crate::access::Access;
use crate::broker::client::{self, Backoff};
use crate::broker::{ANSWER_TIME, Stop};
use crate::buffer::BufferId;
use crate::name::SurfaceName;
use crate::page::ReaderPage;
use crate::socket::{Connection, Received, Sent, wait};
use crate::wire::{Message, Refusal};

/// Readers that a surface can have. Each may hold [`LEASES`](crate::page::LEASES) slots of 64.
const MAX_READERS: usize = 256;
/// Readers that one user may have who is neither the publisher's nor root, so that nobody keeps others out.
const MAX_OF_STRANGER: usize = 16;
/// How long to wait before asking again for a name that somebody else has taken meanwhile.
const NAME_TAKEN_PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug)]
struct ReaderLink {
    connection: Connection,
    page: Arc<ReaderPage>,
    pid: u32,
    uid: u32,
}

/// How things stand with the broker.
#[derive(Debug)]
enum Broker {
    Registered(Connection),
    /// It has been asked, and should answer before this moment.
    Asked(Connection, Instant),
    /// There is none. Another one is looked for at this moment.
    Lost(Instant),
}

#[derive(Debug)]
pub(super) struct Service {
    shared: Arc<Shared>,
    name: SurfaceName,
    access: Access,
    path: PathBuf,
    broker: Broker,
    backoff: Backoff,
    readers: Vec<ReaderLink>,
}

impl Service {
    pub(super) fn new(
        shared: Arc<Shared>,
        name: SurfaceName,
        access: Access,
        path: PathBuf,
        connection: Connection,
    ) -> Self {
        let broker = Broker::Registered(connection);
        Self { shared, name, access, path, broker, backoff: Backoff::new(), readers: Vec::new() }
    }

    /// Answers until `stop`.
    pub(super) fn run(mut self, stop: &Stop) {
        loop {
            let (mut broker_calls, mut calling) = (false, Vec::new());
            if let Err(error) = self.listen(stop, &mut broker_calls, &mut calling) {
                warn!("surface {}: the system refused to wait for readers: {error}", self.name);
                crate::socket::pause(Duration::from_millis(100));
            }
            if stop.is_stopped() {
                return;
            }
            // Backwards, so that a reader who goes does not move those still to be answered.
            for index in calling.into_iter().rev() {
                self.answer(index);
            }
            self.attend_broker(broker_calls);
        }
    }

    /// Waits until somebody calls, or something is due.
    fn listen(&self, stop: &Stop, broker_calls: &mut bool, calling: &mut Vec<usize>) -> std::io::Result<()> {
        let (connection, due) = match &self.broker {
            Broker::Registered(connection) => (Some(connection), None),
            Broker::Asked(connection, due) => (Some(connection), Some(*due)),
            Broker::Lost(due) => (None, Some(*due)),
        };
        let mut polled = vec![PollFd::new(stop, PollFlags::IN)];
        polled.extend(self.readers.iter().map(|reader| PollFd::new(&reader.connection, PollFlags::IN)));
        polled.extend(connection.map(|connection| PollFd::new(connection, PollFlags::IN)));
        wait(&mut polled, due.map(|due| due.saturating_duration_since(Instant::now())))?;
        let readers = polled[1..].iter().take(self.readers.len());
        calling
            .extend(readers.enumerate().filter(|(_, reader)| !reader.revents().is_empty()).map(|(i, _)| i));
        *broker_calls = polled.get(1 + self.readers.len()).is_some_and(|broker| !broker.revents().is_empty());
        Ok(())
    }

    /// Answers one message of a reader, or lets it go.
    fn answer(&mut self, index: usize) {
        let reader = &self.readers[index];
        let stays = match reader.connection.receive() {
            Ok(Received::Message(Message::GetBuffer { id }, _)) => self.give_buffer(reader, id),
            Ok(Received::Message(Message::GetTimeline, _)) => self.give_timeline(reader),
            Ok(Received::Message(other, _)) => {
                warn!("surface {}: reader {} sent what no reader sends: {other:?}", self.name, reader.pid);
                false
            }
            Ok(Received::Nothing) => true,
            Ok(Received::Closed) => false,
            Err(error) => {
                warn!("surface {}: reader {} sent {error}", self.name, reader.pid);
                false
            }
        };
        if !stays {
            let gone = self.readers.swap_remove(index);
            debug!("surface {}: reader {} is gone", self.name, gone.pid);
            self.forget(&gone.page);
        }
    }

    /// Whether the reader could be answered.
    fn give_buffer(&self, reader: &ReaderLink, id: BufferId) -> bool {
        let found = self.shared.buffers.lock().unwrap_or_else(PoisonError::into_inner).find(id);
        let exported = match found {
            Found::Buffer(description, export) => match export() {
                Ok(file) => Some((description, file)),
                Err(error) => {
                    warn!("surface {}: buffer {} could not be exported: {error}", self.name, id.get());
                    None
                }
            },
            Found::Withdrawn => None,
            Found::Forged => {
                warn!(
                    "surface {}: reader {} asked for buffer {}, which never was",
                    self.name,
                    reader.pid,
                    id.get()
                );
                return false;
            }
        };
        match &exported {
            Some((description, file)) => {
                self.send(reader, &Message::Buffer { id, description: *description }, Some(file))
            }
            None => self.send(reader, &Message::NoBuffer { id }, None),
        }
    }

    /// The same for the timeline.
    fn give_timeline(&self, reader: &ReaderLink) -> bool {
        let exported = self.shared.timeline.get().and_then(|timeline| match (timeline.export)() {
            Ok(file) => Some((timeline.description, file)),
            Err(error) => {
                warn!("surface {}: its timeline could not be exported: {error}", self.name);
                None
            }
        });
        match &exported {
            Some((description, file)) => {
                self.send(reader, &Message::Timeline { description: *description }, Some(file))
            }
            None => self.send(reader, &Message::NoTimeline, None),
        }
    }

    /// Whether the message could be sent.
    fn send(&self, reader: &ReaderLink, message: &Message, file: Option<&OwnedFd>) -> bool {
        let files: Vec<_> = file.into_iter().map(AsFd::as_fd).collect();
        match reader.connection.send(message, &files) {
            Ok(Sent::Yes) => true,
            Ok(Sent::NoRoom) => {
                warn!("surface {}: reader {} does not read its answers", self.name, reader.pid);
                false
            }
            Ok(Sent::Closed) => false,
            Err(error) => {
                warn!("surface {}: reader {} could not be answered: {error}", self.name, reader.pid);
                false
            }
        }
    }

    /// From now on the leases of `page` count for nothing.
    fn forget(&self, page: &Arc<ReaderPage>) {
        let mut readers = self.shared.readers.lock().unwrap_or_else(PoisonError::into_inner);
        readers.retain(|reader| !Arc::ptr_eq(reader, page));
        drop(readers);
        self.shared.page.set_readers(self.readers.len());
    }

    /// Reads what the broker says, and looks for another one when it is time.
    fn attend_broker(&mut self, calls: bool) {
        match &self.broker {
            Broker::Registered(connection) | Broker::Asked(connection, _) if calls => {
                match connection.receive() {
                    Ok(Received::Message(message, files)) => self.hear(message, files),
                    Ok(Received::Nothing) => {}
                    Ok(Received::Closed) => self.lose("it is gone"),
                    Err(error) => self.lose(&format!("it sent {error}")),
                }
            }
            Broker::Asked(_, due) if Instant::now() >= *due => self.lose("it does not answer"),
            Broker::Lost(due) if Instant::now() >= *due => self.look_for_broker(),
            _ => {}
        }
    }

    fn hear(&mut self, message: Message, files: Vec<OwnedFd>) {
        match message {
            Message::Registered => {
                if let Broker::Asked(connection, _) =
                    std::mem::replace(&mut self.broker, Broker::Lost(Instant::now()))
                {
                    info!("surface {}: a broker knows it again", self.name);
                    self.broker = Broker::Registered(connection);
                    self.shared.is_registered.store(true, Ordering::Relaxed);
                    self.backoff = Backoff::new();
                } else {
                    self.lose("it answered what nobody asked");
                }
            }
            Message::Incoming { reader } => {
                for file in files {
                    self.welcome(file.into(), reader);
                }
            }
            Message::Refused(Refusal::NameTaken { owner }) => {
                self.lose(&format!("process {} has taken the name meanwhile", owner.pid));
                self.broker = Broker::Lost(Instant::now() + NAME_TAKEN_PAUSE);
            }
            other => self.lose(&format!("it sent what a broker does not: {other:?}")),
        }
    }

    /// Takes a reader in. A failure is the reader's, which finds its connection closed.
    pub(super) fn welcome(&mut self, connection: Connection, reader: Peer) {
        let Peer { pid, uid, .. } = reader;
        let is_stranger = uid != 0 && uid != rustix::process::geteuid().as_raw();
        let (limit, found) = if is_stranger {
            (MAX_OF_STRANGER, self.readers.iter().filter(|reader| reader.uid == uid).count())
        } else {
            (MAX_READERS, self.readers.len())
        };
        if found >= limit || self.readers.len() >= MAX_READERS {
            warn!("surface {}: reader {pid} of user {uid} is one too many", self.name);
            let refusal = Refusal::TooMany { limit: limit as u32 };
            let _told = connection.send(&Message::Refused(refusal), &[]);
            return;
        }
        let (page, file) = match ReaderPage::create() {
            Ok(page) => page,
            Err(error) => return warn!("surface {}: no page for reader {pid}: {error}", self.name),
        };
        let page = Arc::new(page);
        // Before the reader can take anything, its leases count; and before it can be told of others, so does it.
        self.shared.readers.lock().unwrap_or_else(PoisonError::into_inner).push(page.clone());
        self.shared.page.set_readers(self.readers.len() + 1);
        let files = [self.shared.page_file.as_fd(), file.as_fd()];
        match connection.send(&Message::Welcome, &files) {
            Ok(Sent::Yes) => {
                debug!("surface {}: reader {pid} is here", self.name);
                self.readers.push(ReaderLink { connection, page, pid, uid });
            }
            other => {
                warn!("surface {}: reader {pid} could not be welcomed: {other:?}", self.name);
                self.forget(&page);
            }
        }
    }

    fn lose(&mut self, why: &str) {
        debug!("surface {}: the broker is lost: {why}", self.name);
        self.shared.is_registered.store(false, Ordering::Relaxed);
        self.broker = Broker::Lost(Instant::now() + self.backoff.next());
    }

    fn look_for_broker(&mut self) {
        let asked = client::reach(&self.path).and_then(|connection| {
            client::ask_to_register(&connection, &self.name, self.access, self.shared.page_file.as_fd())
                .then_some(connection)
        });
        self.broker = match asked {
            Some(connection) => Broker::Asked(connection, Instant::now() + ANSWER_TIME),
            None => Broker::Lost(Instant::now() + self.backoff.next()),
        };
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.shared.is_registered.store(false, Ordering::Relaxed);
    }
}
