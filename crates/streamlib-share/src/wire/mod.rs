//! The messages between programs, the broker, publishers and readers: a parser and a writer, and no socket.
//!
//! A message is one packet of a `SOCK_SEQPACKET` socket: `slsh`, the version and the kind (16 bits each, little-endian like
//! everything), and a body whose length its contents determine, to the byte. Descriptors travel beside it; how many, the kind
//! determines.

mod decode;
mod encode;

use streamlib_linux::peer::Peer;

use crate::access::Access;
use crate::buffer::{BufferDescription, BufferId, TimelineDescription};
use crate::name::SurfaceName;

/// The only version there is.
pub(crate) const VERSION: u16 = 2;
/// Most bytes of a message.
pub(crate) const MAX_MESSAGE: usize = 4096;
/// Most descriptors of a message.
pub(crate) const MAX_DESCRIPTORS: usize = 2;
/// Most entries of one [`Message::Surfaces`].
pub(crate) const MAX_ENTRIES: usize = 16;

const MAGIC: [u8; 4] = *b"slsh";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    /// Program to broker: here is a surface, and its page.
    Register { name: SurfaceName, access: Access },
    /// Broker to program: it is known now.
    Registered,
    /// Program to broker: connect me to the publisher of this surface.
    Open { name: SurfaceName },
    /// Broker to program: here is the connection.
    Opened { publisher: Peer },
    /// Broker to publisher: here is the connection to a reader.
    Incoming { reader: Peer },
    /// Program to broker: which surfaces are there, after this name?
    List { after: Option<SurfaceName> },
    /// Broker to program: these, and perhaps more.
    Surfaces { entries: Vec<Entry>, more: bool },
    /// Broker to program: no.
    Refused(Refusal),
    /// Publisher to reader: here are the surface's page and yours.
    Welcome,
    /// Reader to publisher: I need this buffer.
    GetBuffer { id: BufferId },
    /// Publisher to reader: here it is.
    Buffer { id: BufferId, description: BufferDescription },
    /// Publisher to reader: it is no more.
    NoBuffer { id: BufferId },
    /// Reader to publisher: which timeline tells that a frame is done?
    GetTimeline,
    /// Publisher to reader: this one.
    Timeline { description: TimelineDescription },
    /// Publisher to reader: there is none; frames are done when they are published.
    NoTimeline,
}

/// Why the broker does not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Another publisher has the name.
    NameTaken {
        owner: Peer,
    },
    NoSuchSurface,
    NotPermitted,
    /// The user has this many connections already.
    TooMany {
        limit: u32,
    },
    /// The page that came with the surface is none.
    BadPage,
    /// The publisher does not take the connection.
    PublisherSilent,
    /// The message was of another version than this one.
    Version {
        known: u16,
    },
    /// The message made no sense.
    Malformed,
}

/// One surface, as the broker sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: SurfaceName,
    pub(crate) publisher: Peer,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) format: u32,
    /// Frames in 1,000 seconds.
    pub(crate) rate_mhz: u64,
    pub(crate) readers: u64,
    pub(crate) published: u64,
    pub(crate) dropped: u64,
    /// When the newest frame was published, on `CLOCK_MONOTONIC`; 0 if there is none.
    pub(crate) newest_ns: u64,
}

/// Why a packet is no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WireError {
    #[error("a message of version {found}, and this side speaks {}", VERSION)]
    Version { found: u16 },
    #[error("a message without its head")]
    NoHead,
    #[error("a message of an unknown kind, {0}")]
    UnknownKind(u16),
    #[error("a message that ends too early")]
    TooShort,
    #[error("a message with {0} bytes too many")]
    TooLong(usize),
    #[error("a message with {field} that cannot be")]
    BadField { field: &'static str },
}

impl Message {
    /// How many descriptors travel with it.
    pub(crate) fn descriptors(&self) -> usize {
        match self {
            Self::Register { .. }
            | Self::Opened { .. }
            | Self::Incoming { .. }
            | Self::Buffer { .. }
            | Self::Timeline { .. } => 1,
            Self::Welcome => 2,
            Self::Registered
            | Self::Open { .. }
            | Self::List { .. }
            | Self::Surfaces { .. }
            | Self::Refused(_)
            | Self::GetBuffer { .. }
            | Self::NoBuffer { .. }
            | Self::GetTimeline
            | Self::NoTimeline => 0,
        }
    }

    fn kind(&self) -> u16 {
        match self {
            Self::Register { .. } => 1,
            Self::Registered => 2,
            Self::Open { .. } => 3,
            Self::Opened { .. } => 4,
            Self::Incoming { .. } => 5,
            Self::List { .. } => 6,
            Self::Surfaces { .. } => 7,
            Self::Refused(_) => 8,
            Self::Welcome => 9,
            Self::GetBuffer { .. } => 10,
            Self::Buffer { .. } => 11,
            Self::NoBuffer { .. } => 12,
            Self::GetTimeline => 13,
            Self::Timeline { .. } => 14,
            Self::NoTimeline => 15,
        }
    }
}

#[cfg(test)]
mod tests;
