//! The programs' side of the broker.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect as connect_socket, socket_with};
use streamlib_linux::peer::Peer;
use tracing::debug;

use super::ANSWER_TIME;
use super::host::host;
use super::listener::address;
use crate::access::Access;
use crate::error::{BrokerError, SurfaceError};
use crate::name::SurfaceName;
use crate::socket::{Connection, Received, Sent, pause};
use crate::wire::{Entry, Message, Refusal};

/// Longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// Pauses that grow, each of a random length, so that programs that have lost the same broker do not come all at once.
#[derive(Debug)]
pub(crate) struct Backoff {
    longest: Duration,
}

impl Backoff {
    pub(crate) fn new() -> Self {
        Self { longest: Duration::from_millis(8) }
    }

    /// How long to wait before the next attempt.
    pub(crate) fn next(&mut self) -> Duration {
        let dice = RandomState::new().build_hasher().finish();
        let longest = self.longest.as_micros() as u64;
        self.longest = (self.longest * 2).min(LONGEST_PAUSE);
        Duration::from_micros(1 + dice % longest)
    }
}

/// Connects to the broker at `path`. None if nobody listens there, or nobody yet.
fn connect(path: &Path) -> Result<Option<Connection>, SurfaceError> {
    let address = address(path)?;
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)
        .map_err(SurfaceError::system("make a socket"))?;
    match connect_socket(&socket, &address) {
        Ok(()) => {}
        Err(Errno::NOENT | Errno::CONNREFUSED) => return Ok(None),
        // More wait to be accepted than may.
        Err(Errno::AGAIN) => return Err(SurfaceError::BrokerSilent { path: path.to_owned() }),
        Err(error) => return Err(BrokerError::system(path, "connect to the broker")(error).into()),
    }
    let peer =
        Peer::of(&socket).map_err(|source| SurfaceError::System { action: "name the broker", source })?;
    if peer.uid != 0 && peer.uid != rustix::process::geteuid().as_raw() {
        return Err(SurfaceError::UntrustedBroker { path: path.to_owned(), uid: peer.uid });
    }
    Ok(Some(socket.into()))
}

/// Connects to the broker at `path`, for somebody who wants to know what there is.
pub(crate) fn connect_to_existing(path: &Path) -> Result<Connection, SurfaceError> {
    connect(path)?.ok_or_else(|| SurfaceError::NoBroker { path: path.to_owned() })
}

/// Connects to the broker at `path`, or makes this process the broker and connects then. None if that did not succeed yet.
pub(crate) fn reach(path: &Path) -> Option<Connection> {
    match connect_or_host(path) {
        Ok(connection) => connection,
        Err(error) => {
            debug!("{}: no broker yet: {error}", path.display());
            None
        }
    }
}

fn connect_or_host(path: &Path) -> Result<Option<Connection>, SurfaceError> {
    if let Some(connection) = connect(path)? {
        return Ok(Some(connection));
    }
    host(path)?;
    connect(path)
}

/// Sends the wish to be registered; whether it could be sent.
pub(crate) fn ask_to_register(
    broker: &Connection,
    name: &SurfaceName,
    access: Access,
    page: BorrowedFd<'_>,
) -> bool {
    let message = Message::Register { name: name.clone(), access };
    matches!(broker.send(&message, &[page]), Ok(Sent::Yes))
}

/// Registers a surface with the broker at `path`, which this process becomes if nobody is.
pub(crate) fn register(
    path: &Path,
    name: &SurfaceName,
    access: Access,
    page: BorrowedFd<'_>,
) -> Result<Connection, SurfaceError> {
    let deadline = Instant::now() + ANSWER_TIME;
    let mut backoff = Backoff::new();
    loop {
        let reached = match connect_or_host(path) {
            Err(SurfaceError::BrokerSilent { .. }) => None,
            reached => reached?,
        };
        // A broker that was about to end when we came hangs up, and there is another one soon.
        if let Some(broker) = reached
            && ask_to_register(&broker, name, access, page)
            && let Some((answer, _)) = receive(path, &broker, deadline)?
        {
            return match answer {
                Message::Registered => Ok(broker),
                Message::Refused(refusal) => Err(SurfaceError::of_refusal(name, refusal)),
                other => Err(unexpected(&other)),
            };
        }
        if Instant::now() >= deadline {
            return Err(SurfaceError::BrokerSilent { path: path.to_owned() });
        }
        pause(backoff.next());
    }
}

/// The broker's next message; none if it is gone.
fn receive(
    path: &Path,
    broker: &Connection,
    deadline: Instant,
) -> Result<Option<(Message, Vec<OwnedFd>)>, SurfaceError> {
    match broker.receive_until(deadline).map_err(|error| SurfaceError::of_socket("the broker", error))? {
        Received::Message(message, files) => Ok(Some((message, files))),
        Received::Closed => Ok(None),
        Received::Nothing => Err(SurfaceError::BrokerSilent { path: path.to_owned() }),
    }
}

/// Asks the broker something.
pub(crate) fn ask(
    path: &Path,
    broker: &Connection,
    question: &Message,
) -> Result<(Message, Vec<OwnedFd>), SurfaceError> {
    let gone = || SurfaceError::NoBroker { path: path.to_owned() };
    let sent = broker.send(question, &[]);
    match sent.map_err(|source| SurfaceError::System { action: "send to the broker", source })? {
        Sent::Yes => {}
        Sent::NoRoom => return Err(SurfaceError::BrokerSilent { path: path.to_owned() }),
        Sent::Closed => return Err(gone()),
    }
    receive(path, broker, Instant::now() + ANSWER_TIME)?.ok_or_else(gone)
}

/// The surfaces that the broker shows us, by name.
pub(crate) fn list(path: &Path, broker: &Connection) -> Result<Vec<Entry>, SurfaceError> {
    let mut all: Vec<Entry> = Vec::new();
    loop {
        let after = all.last().map(|entry| entry.name.clone());
        let (answer, _) = ask(path, broker, &Message::List { after: after.clone() })?;
        let (entries, more) = match answer {
            Message::Surfaces { entries, more } => (entries, more),
            Message::Refused(Refusal::TooMany { limit }) => return Err(SurfaceError::TooMany { limit }),
            Message::Refused(Refusal::Version { known }) => {
                return Err(SurfaceError::Version { found: known });
            }
            other => return Err(unexpected(&other)),
        };
        // A list that does not get on would never end.
        let gets_on =
            entries.first().is_some_and(|entry| after.as_ref().is_none_or(|last| entry.name > *last));
        if !gets_on || !entries.is_sorted_by(|a, b| a.name < b.name) {
            return Ok(all);
        }
        all.extend(entries);
        if !more {
            return Ok(all);
        }
    }
}

/// The error for an answer that is none to what was asked.
pub(crate) fn unexpected(answer: &Message) -> SurfaceError {
    SurfaceError::Protocol { peer: "the broker", what: format!("an answer to another question ({answer:?})") }
}
