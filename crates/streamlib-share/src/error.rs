//! Why a surface is not to be had.

use std::io;
use std::path::{Path, PathBuf};

use streamlib_linux::peer::Peer;
use streamlib_linux::shared::PageError;

use crate::buffer::BufferId;
use crate::name::{BadName, SurfaceName};
use crate::socket::SocketError;
use crate::wire::{Refusal, VERSION, WireError};

/// Why a surface could not be published, opened, listed or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SurfaceError {
    /// The name cannot be one.
    #[error(transparent)]
    BadName(#[from] BadName),
    /// Nobody brokers surfaces here: no program of this user publishes any, and no `streamlib broker` runs.
    #[error("{}: no broker listens there, so nobody publishes surfaces; start the program that does, or `streamlib broker`", path.display())]
    NoBroker {
        /// Where one was looked for.
        path: PathBuf,
    },
    /// Somebody listens where the broker should, and is neither root nor this user.
    #[error("{}: the broker there belongs to user {uid}, which could show you anything; set STREAMLIB_BROKER to another place", path.display())]
    UntrustedBroker {
        /// Where it listens.
        path: PathBuf,
        /// Whose it is.
        uid: u32,
    },
    /// The broker does not answer.
    #[error("{}: the broker there does not answer; its process may be stopped or busy", path.display())]
    BrokerSilent {
        /// Where it listens.
        path: PathBuf,
    },
    /// There is neither a broker, nor can this process become one.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// There is no such surface, or none that this user may see.
    #[error("there is no surface {name}; {}", those(there))]
    NoSuchSurface {
        /// The name that was asked for.
        name: SurfaceName,
        /// Those that there are.
        there: Vec<SurfaceName>,
    },
    /// Another process publishes under this name.
    #[error("the surface {name} is published by process {} of user {} already; choose another name", owner.pid, owner.uid)]
    NameTaken {
        /// The name.
        name: SurfaceName,
        /// Who has it.
        owner: Peer,
    },
    /// The publisher does not let this user in.
    #[error("user {uid} may not open the surface {name}; its publisher can allow a group, or everyone")]
    NotPermitted {
        /// The name that was asked for.
        name: SurfaceName,
        /// The user who asked.
        uid: u32,
    },
    /// There are too many connections or readers.
    #[error("there are {limit} of this kind already, which is the most; close some")]
    TooMany {
        /// How many are allowed.
        limit: u32,
    },
    /// The publisher has ended, or has let this reader go. [`Reader::reopen`](crate::Reader::reopen) finds its successor.
    #[error("the publisher of the surface {name} is gone; open it again when it is back")]
    PublisherGone {
        /// The surface.
        name: SurfaceName,
    },
    /// The publisher is there and does not answer.
    #[error("the publisher of the surface {name} does not answer; its process may be stopped")]
    PublisherSilent {
        /// The surface.
        name: SurfaceName,
    },
    /// The publisher has withdrawn the buffer: a newer frame lies in another one.
    #[error("the surface {name} has no buffer {} any more; take a newer frame", id.get())]
    NoBuffer {
        /// The surface.
        name: SurfaceName,
        /// The buffer that was asked for.
        id: BufferId,
    },
    /// This reader holds as many frames as it may.
    #[error("this reader of the surface {name} holds {limit} frames, which is the most; drop one first")]
    TooManyLeases {
        /// The surface.
        name: SurfaceName,
        /// How many frames a reader may hold.
        limit: usize,
    },
    /// The other side is of another version.
    #[error(
        "the other side speaks version {found} of the protocol, and this one {}; install the same version",
        VERSION
    )]
    Version {
        /// Its version.
        found: u16,
    },
    /// The other side broke the rules.
    #[error("{peer} sent {what}; the connection is closed")]
    Protocol {
        /// Who.
        peer: &'static str,
        /// What.
        what: String,
    },
    /// A shared page could not be made, or the other side's is none.
    #[error(transparent)]
    Page(#[from] PageError),
    /// The system refused.
    #[error("the system refused to {action}: {source}")]
    System {
        /// What was asked of it.
        action: &'static str,
        /// Its answer.
        source: io::Error,
    },
}

fn those(there: &[SurfaceName]) -> String {
    let names: Vec<&str> = there.iter().take(20).map(SurfaceName::as_str).collect();
    match there.len() {
        0 => "there are none".to_owned(),
        1..=20 => format!("there are {}", names.join(", ")),
        more => format!("there are {} and {} more", names.join(", "), more - names.len()),
    }
}

impl SurfaceError {
    pub(crate) fn system(action: &'static str) -> impl FnOnce(rustix::io::Errno) -> Self {
        move |source| Self::System { action, source: source.into() }
    }

    /// The error for what came from `peer` and was no message.
    pub(crate) fn of_socket(peer: &'static str, error: SocketError) -> Self {
        match error {
            SocketError::Wire(WireError::Version { found }) => Self::Version { found },
            SocketError::System(source) => Self::System { action: "receive a message", source },
            error => Self::Protocol { peer, what: error.to_string() },
        }
    }

    /// The error for the broker's no to a question about `name`.
    pub(crate) fn of_refusal(name: &SurfaceName, refusal: Refusal) -> Self {
        let name = name.clone();
        match refusal {
            Refusal::NameTaken { owner } => Self::NameTaken { name, owner },
            Refusal::NoSuchSurface => Self::NoSuchSurface { name, there: Vec::new() },
            Refusal::NotPermitted => Self::NotPermitted { name, uid: rustix::process::geteuid().as_raw() },
            Refusal::TooMany { limit } => Self::TooMany { limit },
            Refusal::PublisherSilent => Self::PublisherSilent { name },
            Refusal::Version { known } => Self::Version { found: known },
            Refusal::BadPage => {
                Self::Protocol { peer: "this process", what: "a page that is none".to_owned() }
            }
            Refusal::Malformed => {
                Self::Protocol { peer: "this process", what: "a malformed message".to_owned() }
            }
        }
    }

    /// Whether the same call may succeed a moment later, when a publisher or a broker has come back.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        matches!(
            self,
            Self::NoBroker { .. }
                | Self::BrokerSilent { .. }
                | Self::NoSuchSurface { .. }
                | Self::PublisherGone { .. }
                | Self::PublisherSilent { .. }
        )
    }
}

/// Why this process cannot listen as the broker, or reach one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BrokerError {
    /// The directory for the socket is not this user's alone.
    #[error("{}: {found}; it must be a directory of user {uid} with mode 0700: remove it, or set STREAMLIB_BROKER", path.display())]
    UnsafeDirectory {
        /// The directory.
        path: PathBuf,
        /// What is wrong with it.
        found: String,
        /// Whose it should be.
        uid: u32,
    },
    /// The path is no place for a socket.
    #[error("{}: {found}; choose another path for STREAMLIB_BROKER", path.display())]
    BadPath {
        /// The path.
        path: PathBuf,
        /// What is wrong with it.
        found: &'static str,
    },
    /// Nobody is the broker, and this user may not become it.
    #[error("{}: no broker listens there, and user {uid} may not; start `streamlib broker` as a user who may, or set STREAMLIB_BROKER to a place of your own", path.display())]
    NotPermitted {
        /// Where it would listen.
        path: PathBuf,
        /// The user of this process.
        uid: u32,
    },
    /// Somebody is the broker already.
    #[error("{}: a broker listens there already", path.display())]
    AlreadyRunning {
        /// Where it listens.
        path: PathBuf,
    },
    /// The system refused.
    #[error("{}: the system refused to {action}: {source}", path.display())]
    System {
        /// The path in question.
        path: PathBuf,
        /// What was asked of the system.
        action: &'static str,
        /// Its answer.
        source: io::Error,
    },
}

impl BrokerError {
    pub(crate) fn system(path: &Path, action: &'static str) -> impl FnOnce(rustix::io::Errno) -> Self {
        move |source| Self::System { path: path.to_owned(), action, source: source.into() }
    }
}
