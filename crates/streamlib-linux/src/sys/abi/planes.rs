//! Of pictures whose planes lie in memories of their own (`V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE`).

use std::ffi::c_ulong;
use std::mem::size_of;

use super::{BOTH_WAYS, Plain, Request};

/// `VIDEO_MAX_PLANES`.
pub(crate) const MAX_PLANES: usize = 8;

plain!(FormatPlanes BufferPlane);

/// `struct v4l2_plane_pix_format`.
#[repr(C, packed)]
#[derive(Clone, Copy)]
pub(crate) struct PlaneFormat {
    pub(crate) size_image: u32,
    pub(crate) bytes_per_line: u32,
    pub(crate) reserved: [u16; 6],
}

/// `struct v4l2_pix_format_mplane`.
#[repr(C, packed)]
#[derive(Clone, Copy)]
pub(crate) struct PixFormatPlanes {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) fourcc: u32,
    pub(crate) field: u32,
    pub(crate) colorspace: u32,
    pub(crate) planes: [PlaneFormat; MAX_PLANES],
    pub(crate) plane_count: u8,
    pub(crate) flags: u8,
    pub(crate) ycbcr_encoding: u8,
    pub(crate) quantization: u8,
    pub(crate) transfer_function: u8,
    pub(crate) reserved: [u8; 7],
}

/// `struct v4l2_format` with its `pix_mp` member.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct FormatPlanes {
    pub(crate) kind: u32,
    pub(crate) align: [c_ulong; 0],
    pub(crate) pix: PixFormatPlanes,
    pub(crate) rest: [u8; 200 - size_of::<PixFormatPlanes>()],
}

/// `struct v4l2_plane`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(in crate::sys) struct BufferPlane {
    pub(in crate::sys) bytes_used: u32,
    pub(in crate::sys) length: u32,
    pub(in crate::sys) m: c_ulong,
    pub(in crate::sys) data_offset: u32,
    pub(in crate::sys) reserved: [u32; 11],
}

impl BufferPlane {
    /// The member `mem_offset` of the union `m`.
    pub(in crate::sys) fn offset(&self) -> u32 {
        let bytes = self.m.to_ne_bytes();
        u32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
    }
}

/// The union `m` with its member `fd`.
pub(in crate::sys) fn descriptor(fd: i32) -> c_ulong {
    let mut bytes = [0; size_of::<c_ulong>()];
    bytes[..size_of::<i32>()].copy_from_slice(&fd.to_ne_bytes());
    c_ulong::from_ne_bytes(bytes)
}

pub(crate) const G_FMT: Request<FormatPlanes> = Request::new(BOTH_WAYS, 4);
pub(crate) const S_FMT: Request<FormatPlanes> = Request::new(BOTH_WAYS, 5);

// What a C compiler makes of the header on a 64-bit machine.
#[cfg(target_pointer_width = "64")]
const _: () = {
    use std::mem::offset_of;

    assert!(G_FMT.code == super::G_FMT.code && S_FMT.code == super::S_FMT.code);
    assert!(size_of::<PlaneFormat>() == 20 && size_of::<PixFormatPlanes>() == 192);
    assert!(offset_of!(PixFormatPlanes, plane_count) == 180 && offset_of!(FormatPlanes, pix) == 8);
    assert!(size_of::<BufferPlane>() == 64 && offset_of!(BufferPlane, data_offset) == 16);
};
