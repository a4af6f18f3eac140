//! Structures, constants and request codes of `<linux/videodev2.h>`, as far as capture needs them.
//!
//! Written by hand, so that building needs no kernel headers. The assertions below compare them with the values that
//! the header gives: a request code holds the size of its structure and the direction of the call.

use std::ffi::c_ulong;
use std::marker::PhantomData;
use std::mem::size_of;

use libc::timeval;

/// `V4L2_BUF_TYPE_VIDEO_CAPTURE` and `V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE`.
pub(crate) const VIDEO_CAPTURE: u32 = 1;
pub(crate) const VIDEO_CAPTURE_MPLANE: u32 = 9;
/// `V4L2_MEMORY_MMAP` and `V4L2_MEMORY_DMABUF`.
pub(crate) const MEMORY_MMAP: u32 = 1;
pub(crate) const MEMORY_DMABUF: u32 = 4;

/// `V4L2_CAP_*`.
pub(crate) const CAP_VIDEO_CAPTURE: u32 = 0x0000_0001;
pub(crate) const CAP_VIDEO_CAPTURE_MPLANE: u32 = 0x0000_1000;
pub(crate) const CAP_VIDEO_M2M: u32 = 0x0000_8000;
pub(crate) const CAP_STREAMING: u32 = 0x0400_0000;
pub(crate) const CAP_DEVICE_CAPS: u32 = 0x8000_0000;

/// `V4L2_CAP_TIMEPERFRAME` of the capture parameters.
pub(crate) const CAP_TIME_PER_FRAME: u32 = 0x1000;

/// `V4L2_FRMSIZE_TYPE_DISCRETE` and `V4L2_FRMIVAL_TYPE_DISCRETE`; the other types give ranges.
pub(crate) const DISCRETE: u32 = 1;

/// `V4L2_FIELD_NONE`: progressive. The `INTERLACED` ones also deliver whole pictures.
pub(crate) const FIELD_NONE: u32 = 1;
pub(crate) const FIELDS_OF_WHOLE_PICTURES: [u32; 4] = [FIELD_NONE, 4, 8, 9];

/// `V4L2_BUF_FLAG_ERROR`: the data may be damaged.
pub(crate) const BUFFER_ERROR: u32 = 0x0000_0040;
pub(crate) const BUFFER_TIMESTAMP_MASK: u32 = 0x0000_e000;
pub(crate) const BUFFER_TIMESTAMP_MONOTONIC: u32 = 0x0000_2000;

/// `V4L2_PIX_FMT_PRIV_MAGIC`: the caller knows the fields behind `priv`.
pub(crate) const PRIV_MAGIC: u32 = 0xfeed_cafe;

/// `V4L2_EVENT_SOURCE_CHANGE`, and `V4L2_EVENT_SRC_CH_RESOLUTION` among what has changed.
pub(crate) const EVENT_SOURCE_CHANGE: u32 = 5;
pub(crate) const SOURCE_CHANGED_RESOLUTION: u32 = 1;

/// `V4L2_COLORSPACE_*`, `V4L2_YCBCR_ENC_*`, `V4L2_QUANTIZATION_*`.
pub(crate) const COLORSPACE_REC709: u32 = 3;
pub(crate) const COLORSPACE_JPEG: u32 = 7;
pub(crate) const COLORSPACE_DCI_P3: u32 = 12;
pub(crate) const YCBCR_DEFAULT: u32 = 0;
pub(crate) const YCBCR_709: u32 = 2;
pub(crate) const YCBCR_XV709: u32 = 4;
pub(crate) const QUANTIZATION_FULL: u32 = 1;
pub(crate) const QUANTIZATION_LIMITED: u32 = 2;

/// Plain data that the kernel reads and writes.
///
/// # Safety
///
/// The type is `repr(C)`, and every bit pattern is a valid value of it, zeros included.
pub(crate) unsafe trait Plain: Copy {
    /// All zeros, which is what the kernel asks of unused fields.
    fn zeroed() -> Self {
        // SAFETY: zeros are a valid value, as the trait demands.
        unsafe { std::mem::zeroed() }
    }
}

macro_rules! plain {
    ($($name:ident)*) => {
        // SAFETY: repr(C), and built of integers and arrays of integers only.
        $(unsafe impl Plain for $name {})*
    };
}

// Below the macro, which they use.
pub(crate) mod controls;
pub(crate) mod planes;

plain!(Capability FormatDescription FrameSize FrameInterval Format StreamParameters RequestBuffers i32);
plain!(Buffer ExportBuffer EventSubscription Event);

/// `struct v4l2_capability`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Capability {
    pub(crate) driver: [u8; 16],
    pub(crate) card: [u8; 32],
    pub(crate) bus_info: [u8; 32],
    pub(crate) version: u32,
    pub(crate) capabilities: u32,
    pub(crate) device_caps: u32,
    pub(crate) reserved: [u32; 3],
}

/// `struct v4l2_fmtdesc`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct FormatDescription {
    pub(crate) index: u32,
    pub(crate) kind: u32,
    pub(crate) flags: u32,
    pub(crate) description: [u8; 32],
    pub(crate) fourcc: u32,
    pub(crate) mbus_code: u32,
    pub(crate) reserved: [u32; 3],
}

/// `struct v4l2_frmsizeenum`. `size` is (width, height), or (min, max, step) of the width and then of the height.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct FrameSize {
    pub(crate) index: u32,
    pub(crate) fourcc: u32,
    pub(crate) kind: u32,
    pub(crate) size: [u32; 6],
    pub(crate) reserved: [u32; 2],
}

/// `struct v4l2_fract`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Fraction {
    pub(crate) numerator: u32,
    pub(crate) denominator: u32,
}

/// `struct v4l2_frmivalenum`. `interval` is one, or the least, the greatest and the step.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct FrameInterval {
    pub(crate) index: u32,
    pub(crate) fourcc: u32,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) kind: u32,
    pub(crate) interval: [Fraction; 3],
    pub(crate) reserved: [u32; 2],
}

/// `struct v4l2_pix_format`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct PixFormat {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) fourcc: u32,
    pub(crate) field: u32,
    pub(crate) bytes_per_line: u32,
    pub(crate) size_image: u32,
    pub(crate) colorspace: u32,
    pub(crate) private: u32,
    pub(crate) flags: u32,
    pub(crate) ycbcr_encoding: u32,
    pub(crate) quantization: u32,
    pub(crate) transfer_function: u32,
}

/// `struct v4l2_format` with its `pix` member; the union holds pointers elsewhere, hence the alignment.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Format {
    pub(crate) kind: u32,
    pub(crate) align: [c_ulong; 0],
    pub(crate) pix: PixFormat,
    pub(crate) rest: [u8; 200 - size_of::<PixFormat>()],
}

/// `struct v4l2_streamparm` with its `capture` member.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct StreamParameters {
    pub(crate) kind: u32,
    pub(crate) capability: u32,
    pub(crate) capture_mode: u32,
    pub(crate) time_per_frame: Fraction,
    pub(crate) extended_mode: u32,
    pub(crate) read_buffers: u32,
    pub(crate) reserved: [u32; 4],
    pub(crate) rest: [u8; 160],
}

/// `struct v4l2_requestbuffers`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct RequestBuffers {
    pub(crate) count: u32,
    pub(crate) kind: u32,
    pub(crate) memory: u32,
    pub(crate) capabilities: u32,
    pub(crate) flags: u8,
    pub(crate) reserved: [u8; 3],
}

/// `struct v4l2_buffer`. `m` is an offset for mappings or, for several planes, the address of their array of `length`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Buffer {
    pub(super) index: u32,
    pub(super) kind: u32,
    pub(super) bytes_used: u32,
    pub(super) flags: u32,
    pub(super) field: u32,
    pub(super) timestamp: timeval,
    pub(super) timecode: [u32; 4],
    pub(super) sequence: u32,
    pub(super) memory: u32,
    pub(super) m: c_ulong,
    pub(super) length: u32,
    pub(super) reserved: [u32; 2],
}

/// `struct v4l2_exportbuffer`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct ExportBuffer {
    pub(super) kind: u32,
    pub(super) index: u32,
    pub(super) plane: u32,
    pub(super) flags: u32,
    pub(super) fd: i32,
    pub(super) reserved: [u32; 11],
}

/// `struct v4l2_event_subscription`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct EventSubscription {
    pub(crate) kind: u32,
    pub(crate) id: u32,
    pub(crate) flags: u32,
    pub(crate) reserved: [u32; 5],
}

/// `struct v4l2_event`. The union begins with what has changed, of a change of the source.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Event {
    pub(crate) kind: u32,
    pub(crate) align: [u64; 0],
    pub(crate) changes: u32,
    pub(crate) rest: [u32; 15],
    pub(crate) pending: u32,
    pub(crate) sequence: u32,
    pub(crate) timestamp: libc::timespec,
    pub(crate) id: u32,
    pub(crate) reserved: [u32; 8],
}

/// The code of an ioctl whose argument is a `T`; made in this module only.
pub(crate) struct Request<T> {
    code: u32,
    argument: PhantomData<T>,
}

impl<T: Plain> Request<T> {
    const WRITE: u32 = 1;
    const READ: u32 = 2;

    /// As the kernel's `_IOC` macro, for type `V`.
    const fn new(direction: u32, number: u32) -> Self {
        let code = direction << 30 | (size_of::<T>() as u32) << 16 | (b'V' as u32) << 8 | number;
        Self { code, argument: PhantomData }
    }

    pub(super) const fn code(&self) -> u32 {
        self.code
    }
}

const BOTH_WAYS: u32 = Request::<i32>::READ | Request::<i32>::WRITE;

pub(crate) const QUERYCAP: Request<Capability> = Request::new(Request::<i32>::READ, 0);
pub(crate) const ENUM_FMT: Request<FormatDescription> = Request::new(BOTH_WAYS, 2);
pub(crate) const G_FMT: Request<Format> = Request::new(BOTH_WAYS, 4);
pub(crate) const S_FMT: Request<Format> = Request::new(BOTH_WAYS, 5);
pub(crate) const REQBUFS: Request<RequestBuffers> = Request::new(BOTH_WAYS, 8);
// These hold addresses or descriptors, so only `queue` makes such calls.
pub(super) const QUERYBUF: Request<Buffer> = Request::new(BOTH_WAYS, 9);
pub(super) const QBUF: Request<Buffer> = Request::new(BOTH_WAYS, 15);
pub(super) const EXPBUF: Request<ExportBuffer> = Request::new(BOTH_WAYS, 16);
pub(super) const DQBUF: Request<Buffer> = Request::new(BOTH_WAYS, 17);
pub(crate) const STREAMON: Request<i32> = Request::new(Request::<i32>::WRITE, 18);
pub(crate) const STREAMOFF: Request<i32> = Request::new(Request::<i32>::WRITE, 19);
pub(crate) const G_PARM: Request<StreamParameters> = Request::new(BOTH_WAYS, 21);
pub(crate) const S_PARM: Request<StreamParameters> = Request::new(BOTH_WAYS, 22);
pub(crate) const G_INPUT: Request<i32> = Request::new(Request::<i32>::READ, 38);
pub(crate) const ENUM_FRAMESIZES: Request<FrameSize> = Request::new(BOTH_WAYS, 74);
pub(crate) const ENUM_FRAMEINTERVALS: Request<FrameInterval> = Request::new(BOTH_WAYS, 75);
pub(crate) const DQEVENT: Request<Event> = Request::new(Request::<i32>::READ, 89);
pub(crate) const SUBSCRIBE_EVENT: Request<EventSubscription> = Request::new(Request::<i32>::WRITE, 90);

// What a C compiler makes of the header on a 64-bit machine.
#[cfg(target_pointer_width = "64")]
const _: () = {
    use std::mem::offset_of;

    assert!(QUERYCAP.code == 0x8068_5600);
    assert!(ENUM_FMT.code == 0xc040_5602);
    assert!(G_FMT.code == 0xc0d0_5604 && S_FMT.code == 0xc0d0_5605);
    assert!(REQBUFS.code == 0xc014_5608);
    assert!(EXPBUF.code == 0xc040_5610);
    assert!(QUERYBUF.code == 0xc058_5609 && QBUF.code == 0xc058_560f && DQBUF.code == 0xc058_5611);
    assert!(STREAMON.code == 0x4004_5612 && STREAMOFF.code == 0x4004_5613);
    assert!(G_PARM.code == 0xc0cc_5615 && S_PARM.code == 0xc0cc_5616);
    assert!(ENUM_FRAMESIZES.code == 0xc02c_564a && ENUM_FRAMEINTERVALS.code == 0xc034_564b);

    assert!(G_INPUT.code == 0x8004_5626);
    assert!(DQEVENT.code == 0x8088_5659 && SUBSCRIBE_EVENT.code == 0x4020_565a);
    assert!(offset_of!(Event, changes) == 8 && offset_of!(Event, pending) == 72);
    assert!(offset_of!(Format, pix) == 8 && size_of::<PixFormat>() == 48);
    assert!(offset_of!(Buffer, timestamp) == 24 && offset_of!(Buffer, sequence) == 56);
    assert!(offset_of!(Buffer, memory) == 60 && offset_of!(Buffer, m) == 64);
    assert!(offset_of!(Buffer, length) == 72);
};
