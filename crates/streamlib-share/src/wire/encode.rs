//! Writing messages.

use streamlib_linux::peer::Peer;

use super::{Entry, MAGIC, Message, Refusal, VERSION};
use crate::access::Access;
use crate::buffer::BufferDescription;
use crate::name::SurfaceName;

impl Message {
    /// As bytes of a packet.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Writer(Vec::with_capacity(128));
        out.0.extend(MAGIC);
        out.u16(VERSION);
        out.u16(self.kind());
        match self {
            Self::Register { name, access } => {
                out.name(name);
                out.access(*access);
            }
            Self::Open { name } => out.name(name),
            Self::Opened { publisher: peer } | Self::Incoming { reader: peer } => out.peer(peer),
            Self::List { after } => {
                out.u8(after.is_some().into());
                after.iter().for_each(|name| out.name(name));
            }
            Self::Surfaces { entries, more } => {
                out.u8((*more).into());
                out.u8(entries.len() as u8);
                entries.iter().for_each(|entry| out.entry(entry));
            }
            Self::Refused(refusal) => out.refusal(refusal),
            Self::GetBuffer { id } | Self::NoBuffer { id } => out.u64(id.get()),
            Self::Buffer { id, description } => {
                out.u64(id.get());
                out.description(description);
            }
            Self::Timeline { description } => {
                out.0.extend(description.device);
                out.0.extend(description.driver);
            }
            Self::Registered | Self::Welcome | Self::GetTimeline | Self::NoTimeline => {}
        }
        out.0
    }
}

struct Writer(Vec<u8>);

impl Writer {
    fn u8(&mut self, value: u8) {
        self.0.push(value);
    }

    fn u16(&mut self, value: u16) {
        self.0.extend(value.to_le_bytes());
    }

    fn u32(&mut self, value: u32) {
        self.0.extend(value.to_le_bytes());
    }

    fn u64(&mut self, value: u64) {
        self.0.extend(value.to_le_bytes());
    }

    fn name(&mut self, name: &SurfaceName) {
        self.u8(name.as_str().len() as u8);
        self.0.extend(name.as_str().as_bytes());
    }

    fn peer(&mut self, peer: &Peer) {
        for number in [peer.pid, peer.uid, peer.gid] {
            self.u32(number);
        }
    }

    fn access(&mut self, access: Access) {
        let (code, group) = match access {
            Access::SameUser => (0, 0),
            Access::Group(group) => (1, group),
            Access::Everyone => (2, 0),
        };
        self.u8(code);
        self.u32(group);
    }

    fn entry(&mut self, entry: &Entry) {
        self.name(&entry.name);
        self.peer(&entry.publisher);
        for number in [entry.width, entry.height, entry.format] {
            self.u32(number);
        }
        for number in [entry.rate_mhz, entry.readers, entry.published, entry.dropped, entry.newest_ns] {
            self.u64(number);
        }
    }

    fn refusal(&mut self, refusal: &Refusal) {
        match refusal {
            Refusal::NameTaken { owner } => {
                self.u8(1);
                self.peer(owner);
            }
            Refusal::NoSuchSurface => self.u8(2),
            Refusal::NotPermitted => self.u8(3),
            Refusal::TooMany { limit } => {
                self.u8(4);
                self.u32(*limit);
            }
            Refusal::BadPage => self.u8(5),
            Refusal::PublisherSilent => self.u8(6),
            Refusal::Version { known } => {
                self.u8(7);
                self.u16(*known);
            }
            Refusal::Malformed => self.u8(8),
        }
    }

    fn description(&mut self, description: &BufferDescription) {
        self.u8(description.kind as u8);
        for number in [description.size.width, description.size.height, description.format.0] {
            self.u32(number);
        }
        for number in [description.allocation, description.tiling, description.offset, description.pitch] {
            self.u64(number);
        }
        self.0.extend(description.device);
        self.0.extend(description.driver);
    }
}
