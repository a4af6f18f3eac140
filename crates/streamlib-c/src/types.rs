//! The structures of the header, field by field, and what they are here.

use std::ffi::c_char;

use streamlib_core::format::Size;
use streamlib_core::frame::{CameraModel, FrameMeta, Timestamp};
use streamlib_share::{
    Access, Acquired, BufferDescription, BufferKind, FormatCode, MAX_NAME_BYTES, PublisherStats, SurfaceInfo,
};

use crate::result::Failure;

/// `streamlib_buffer`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the header describes the fields")]
pub struct Buffer {
    pub kind: u32,
    pub format: u32,
    pub width: u32,
    pub height: u32,
    pub allocation: u64,
    pub tiling: u64,
    pub offset: u64,
    pub pitch: u64,
    pub device_uuid: [u8; 16],
    pub driver_uuid: [u8; 16],
}

const KINDS: [BufferKind; 3] = [BufferKind::Opaque, BufferKind::DmaBuf, BufferKind::Memory];

impl From<&BufferDescription> for Buffer {
    fn from(description: &BufferDescription) -> Self {
        Self {
            kind: description.kind as u32,
            format: description.format.0,
            width: description.size.width,
            height: description.size.height,
            allocation: description.allocation,
            tiling: description.tiling,
            offset: description.offset,
            pitch: description.pitch,
            device_uuid: description.device,
            driver_uuid: description.driver,
        }
    }
}

impl Buffer {
    pub(crate) fn description(&self) -> Result<BufferDescription, Failure> {
        let wrong =
            |argument, found: u32, wanted| Failure::Argument { argument, found: found.into(), wanted };
        let kind = KINDS.into_iter().find(|kind| *kind as u32 == self.kind).ok_or_else(|| {
            wrong(
                "buffer->kind",
                self.kind,
                "it is STREAMLIB_OPAQUE_FD, STREAMLIB_DMA_BUF or STREAMLIB_MEMORY",
            )
        })?;
        for (argument, found) in [("buffer->width", self.width), ("buffer->height", self.height)] {
            if found == 0 {
                return Err(wrong(argument, found, "a buffer is at least one pixel wide and high"));
            }
        }
        if self.format == 0 {
            return Err(wrong("buffer->format", self.format, "it is STREAMLIB_RGBA8 or another of its like"));
        }
        Ok(BufferDescription {
            kind,
            size: Size::new(self.width, self.height),
            format: FormatCode(self.format),
            allocation: self.allocation,
            tiling: self.tiling,
            offset: self.offset,
            pitch: self.pitch,
            device: self.device_uuid,
            driver: self.driver_uuid,
        })
    }
}

/// `streamlib_meta`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs, reason = "the header describes the fields")]
pub struct Meta {
    pub captured_ns: i64,
    pub sequence: u64,
    pub has_camera: i32,
    pub intrinsics: [f32; 4],
    pub world_from_camera: [f32; 16],
}

impl From<&FrameMeta> for Meta {
    fn from(meta: &FrameMeta) -> Self {
        let mut pose = [0.0; 16];
        if let Some(camera) = &meta.camera {
            pose.copy_from_slice(camera.world_from_camera.as_flattened());
        }
        Self {
            captured_ns: meta.captured.0,
            sequence: meta.sequence,
            has_camera: meta.camera.is_some().into(),
            intrinsics: meta.camera.map_or([0.0; 4], |camera| camera.intrinsics),
            world_from_camera: pose,
        }
    }
}

impl From<&Meta> for FrameMeta {
    fn from(meta: &Meta) -> Self {
        let mut world_from_camera = [[0.0; 4]; 4];
        world_from_camera.as_flattened_mut().copy_from_slice(&meta.world_from_camera);
        let camera = CameraModel { intrinsics: meta.intrinsics, world_from_camera };
        Self {
            captured: Timestamp(meta.captured_ns),
            sequence: meta.sequence,
            camera: (meta.has_camera != 0).then_some(camera),
        }
    }
}

/// `streamlib_frame`.
#[repr(C)]
#[derive(Debug)]
#[allow(missing_docs, reason = "the header describes the fields")]
pub struct Frame {
    pub lease: *mut Acquired,
    pub number: u64,
    pub buffer: u64,
    pub width: u32,
    pub height: u32,
    pub format: u32,
    pub published_ns: i64,
    pub skipped: u64,
    pub meta: Meta,
}

impl Frame {
    /// The frame as C sees it; `lease` is handed over.
    pub(crate) fn new(acquired: &Acquired, lease: *mut Acquired) -> Self {
        Self {
            lease,
            number: acquired.number(),
            buffer: acquired.buffer().get(),
            width: acquired.size().width,
            height: acquired.size().height,
            format: acquired.format().0,
            published_ns: acquired.published().0,
            skipped: acquired.skipped(),
            meta: acquired.meta().into(),
        }
    }
}

/// `STREAMLIB_ACCESS_…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
#[allow(missing_docs, reason = "the header describes them")]
pub enum AccessKind {
    User = 0,
    Group = 1,
    Everyone = 2,
}

/// Who may open a surface, of the arguments of `streamlib_publisher_create`.
pub(crate) fn access(kind: u32, group: u32) -> Result<Access, Failure> {
    const USER: u32 = AccessKind::User as u32;
    const GROUP: u32 = AccessKind::Group as u32;
    const EVERYONE: u32 = AccessKind::Everyone as u32;
    match kind {
        USER => Ok(Access::SameUser),
        GROUP => Ok(Access::Group(group)),
        EVERYONE => Ok(Access::Everyone),
        other => Err(Failure::Argument {
            argument: "access",
            found: other.into(),
            wanted: "it is STREAMLIB_ACCESS_USER, STREAMLIB_ACCESS_GROUP or STREAMLIB_ACCESS_EVERYONE",
        }),
    }
}

/// `streamlib_stats`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the header describes the fields")]
pub struct Stats {
    pub published: u64,
    pub dropped: u64,
    pub readers: u64,
    pub released: u64,
    pub skipped: u64,
}

impl From<PublisherStats> for Stats {
    fn from(stats: PublisherStats) -> Self {
        let PublisherStats { published, dropped, readers, released, skipped } = stats;
        Self { published, dropped, readers, released, skipped }
    }
}

/// `streamlib_surface`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "the header describes the fields")]
pub struct Surface {
    pub name: [c_char; MAX_NAME_BYTES + 1],
    pub pid: u32,
    pub uid: u32,
    pub width: u32,
    pub height: u32,
    pub format: u32,
    pub rate: f64,
    pub readers: u64,
    pub published: u64,
    pub dropped: u64,
    pub newest_age_ns: i64,
}

impl From<&SurfaceInfo> for Surface {
    fn from(info: &SurfaceInfo) -> Self {
        let mut name = [0; MAX_NAME_BYTES + 1];
        // The last byte stays 0.
        let bytes = info.name.as_str().bytes().take(MAX_NAME_BYTES);
        name.iter_mut().zip(bytes).for_each(|(to, from)| *to = from as c_char);
        let age = info.newest_age.map(|age| i64::try_from(age.as_nanos()).unwrap_or(i64::MAX));
        Self {
            name,
            pid: info.publisher.pid,
            uid: info.publisher.uid,
            width: info.size.map_or(0, |size| size.width),
            height: info.size.map_or(0, |size| size.height),
            format: info.size.map_or(0, |_| info.format.0),
            rate: info.rate,
            readers: info.readers,
            published: info.published,
            dropped: info.dropped,
            newest_age_ns: age.unwrap_or(-1),
        }
    }
}
