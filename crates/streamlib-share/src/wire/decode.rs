//! Reading messages that may come from anybody.

use std::num::NonZeroU64;

use streamlib_core::format::Size;
use streamlib_linux::peer::Peer;

use super::{Entry, MAGIC, MAX_ENTRIES, Message, Refusal, VERSION, WireError};
use crate::access::Access;
use crate::buffer::{BufferDescription, BufferId, BufferKind, FormatCode, TimelineDescription};
use crate::name::SurfaceName;

impl Message {
    /// The message that a packet holds.
    pub(crate) fn decode(packet: &[u8]) -> Result<Self, WireError> {
        let mut input = Input(packet);
        if input.array().map_err(|_| WireError::NoHead)? != MAGIC {
            return Err(WireError::NoHead);
        }
        let version = input.u16().map_err(|_| WireError::NoHead)?;
        let kind = input.u16().map_err(|_| WireError::NoHead)?;
        if version != VERSION {
            return Err(WireError::Version { found: version });
        }
        let message = match kind {
            1 => Self::Register { name: input.name()?, access: input.access()? },
            2 => Self::Registered,
            3 => Self::Open { name: input.name()? },
            4 => Self::Opened { publisher: input.peer()? },
            5 => Self::Incoming { reader: input.peer()? },
            6 => Self::List { after: if input.flag("a cursor")? { Some(input.name()?) } else { None } },
            7 => {
                let more = input.flag("an end")?;
                Self::Surfaces { entries: input.entries()?, more }
            }
            8 => Self::Refused(input.refusal()?),
            9 => Self::Welcome,
            10 => Self::GetBuffer { id: input.id()? },
            11 => Self::Buffer { id: input.id()?, description: input.description()? },
            12 => Self::NoBuffer { id: input.id()? },
            13 => Self::GetTimeline,
            14 => {
                let (device, driver) = (input.array()?, input.array()?);
                Self::Timeline { description: TimelineDescription { device, driver } }
            }
            15 => Self::NoTimeline,
            unknown => return Err(WireError::UnknownKind(unknown)),
        };
        match input.0.len() {
            0 => Ok(message),
            rest => Err(WireError::TooLong(rest)),
        }
    }
}

struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn bytes(&mut self, count: usize) -> Result<&'a [u8], WireError> {
        let (bytes, rest) = self.0.split_at_checked(count).ok_or(WireError::TooShort)?;
        self.0 = rest;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let (array, rest) = self.0.split_first_chunk().ok_or(WireError::TooShort)?;
        self.0 = rest;
        Ok(*array)
    }

    fn u8(&mut self) -> Result<u8, WireError> {
        self.array().map(u8::from_le_bytes)
    }

    fn u16(&mut self) -> Result<u16, WireError> {
        self.array().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Result<u32, WireError> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, WireError> {
        self.array().map(u64::from_le_bytes)
    }

    fn flag(&mut self, field: &'static str) -> Result<bool, WireError> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(WireError::BadField { field }),
        }
    }

    fn name(&mut self) -> Result<SurfaceName, WireError> {
        let bad = WireError::BadField { field: "a name" };
        let length = self.u8()?.into();
        let text = std::str::from_utf8(self.bytes(length)?).map_err(|_| bad)?;
        text.parse().map_err(|_| bad)
    }

    fn peer(&mut self) -> Result<Peer, WireError> {
        Ok(Peer { pid: self.u32()?, uid: self.u32()?, gid: self.u32()? })
    }

    fn id(&mut self) -> Result<BufferId, WireError> {
        NonZeroU64::new(self.u64()?).map(BufferId).ok_or(WireError::BadField { field: "a buffer" })
    }

    fn access(&mut self) -> Result<Access, WireError> {
        match (self.u8()?, self.u32()?) {
            (0, 0) => Ok(Access::SameUser),
            (1, group) => Ok(Access::Group(group)),
            (2, 0) => Ok(Access::Everyone),
            _ => Err(WireError::BadField { field: "an access rule" }),
        }
    }

    fn entries(&mut self) -> Result<Vec<Entry>, WireError> {
        let count = usize::from(self.u8()?);
        if count > MAX_ENTRIES {
            return Err(WireError::BadField { field: "a number of entries" });
        }
        (0..count).map(|_| self.entry()).collect()
    }

    fn entry(&mut self) -> Result<Entry, WireError> {
        Ok(Entry {
            name: self.name()?,
            publisher: self.peer()?,
            width: self.u32()?,
            height: self.u32()?,
            format: self.u32()?,
            rate_mhz: self.u64()?,
            readers: self.u64()?,
            published: self.u64()?,
            dropped: self.u64()?,
            newest_ns: self.u64()?,
        })
    }

    fn refusal(&mut self) -> Result<Refusal, WireError> {
        Ok(match self.u8()? {
            1 => Refusal::NameTaken { owner: self.peer()? },
            2 => Refusal::NoSuchSurface,
            3 => Refusal::NotPermitted,
            4 => Refusal::TooMany { limit: self.u32()? },
            5 => Refusal::BadPage,
            6 => Refusal::PublisherSilent,
            7 => Refusal::Version { known: self.u16()? },
            8 => Refusal::Malformed,
            _ => return Err(WireError::BadField { field: "a refusal" }),
        })
    }

    fn description(&mut self) -> Result<BufferDescription, WireError> {
        Ok(BufferDescription {
            kind: BufferKind::from_code(self.u8()?)
                .ok_or(WireError::BadField { field: "a kind of memory" })?,
            size: Size::new(self.u32()?, self.u32()?),
            format: FormatCode(self.u32()?),
            allocation: self.u64()?,
            tiling: self.u64()?,
            offset: self.u64()?,
            pitch: self.u64()?,
            device: self.array()?,
            driver: self.array()?,
        })
    }
}
