//! CUDA's driver interface, as far as it is used here. Layouts as in NVIDIA's `cuda.h` of CUDA 11.2 and later.

use std::ffi::{c_char, c_int, c_uint, c_void};

/// A stream of CUDA's: work in it runs in order. A number as DLPack and CUDA's array interface write it: 1 is the legacy default
/// stream, 2 the default stream of the thread, anything greater a handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream(pub u64);

impl Stream {
    /// The default stream that synchronises with all others of the context.
    pub const LEGACY: Self = Self(1);

    pub(super) fn raw(self) -> *mut c_void {
        self.0 as *mut c_void
    }
}

pub(super) type CuResult = c_int;
pub(super) type CuDevice = c_int;
pub(super) type CuContext = *mut c_void;
pub(super) type CuStream = *mut c_void;
pub(super) type CuEvent = *mut c_void;
pub(super) type CuExternalMemory = *mut c_void;
pub(super) type CuExternalSemaphore = *mut c_void;
pub(super) type CuDevicePtr = u64;

/// `CU_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD`.
pub(super) const MEMORY_OPAQUE_FD: c_uint = 1;
/// `CUDA_EXTERNAL_MEMORY_DEDICATED`.
pub(super) const MEMORY_DEDICATED: c_uint = 1;
/// `CU_EXTERNAL_SEMAPHORE_HANDLE_TYPE_TIMELINE_SEMAPHORE_FD`.
pub(super) const SEMAPHORE_TIMELINE_FD: c_uint = 9;
/// `CU_EVENT_DISABLE_TIMING`.
pub(super) const EVENT_DISABLE_TIMING: c_uint = 2;
/// `CUDA_ERROR_NOT_READY`.
pub(super) const NOT_READY: CuResult = 600;
/// `CU_MEMORYTYPE_DEVICE`.
pub(super) const MEMORY_TYPE_DEVICE: c_uint = 2;

/// A handle in a union whose largest member is two pointers.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Descriptor {
    pub(super) fd: c_int,
    rest: [u64; 1],
}

impl Descriptor {
    pub(super) fn new(fd: c_int) -> Self {
        Self { fd, rest: [0] }
    }
}

/// `CUDA_EXTERNAL_MEMORY_HANDLE_DESC`.
#[repr(C)]
pub(super) struct MemoryHandleDesc {
    pub(super) kind: c_uint,
    pub(super) handle: Descriptor,
    pub(super) size: u64,
    pub(super) flags: c_uint,
    pub(super) reserved: [c_uint; 16],
}

/// `CUDA_EXTERNAL_MEMORY_BUFFER_DESC`.
#[repr(C)]
pub(super) struct MemoryBufferDesc {
    pub(super) offset: u64,
    pub(super) size: u64,
    pub(super) flags: c_uint,
    pub(super) reserved: [c_uint; 16],
}

/// `CUDA_EXTERNAL_SEMAPHORE_HANDLE_DESC`.
#[repr(C)]
pub(super) struct SemaphoreHandleDesc {
    pub(super) kind: c_uint,
    pub(super) handle: Descriptor,
    pub(super) flags: c_uint,
    pub(super) reserved: [c_uint; 16],
}

/// `CUDA_EXTERNAL_SEMAPHORE_WAIT_PARAMS`.
#[repr(C)]
pub(super) struct SemaphoreWaitParams {
    pub(super) value: u64,
    pub(super) sync: u64,
    pub(super) mutex: [u64; 2],
    pub(super) inner_reserved: [c_uint; 10],
    pub(super) flags: c_uint,
    pub(super) reserved: [c_uint; 16],
}

/// `CUDA_MEMCPY2D`.
#[repr(C)]
pub(super) struct Memcpy2d {
    pub(super) src_x_bytes: usize,
    pub(super) src_y: usize,
    pub(super) src_kind: c_uint,
    pub(super) src_host: *const c_void,
    pub(super) src_device: CuDevicePtr,
    pub(super) src_array: *mut c_void,
    pub(super) src_pitch: usize,
    pub(super) dst_x_bytes: usize,
    pub(super) dst_y: usize,
    pub(super) dst_kind: c_uint,
    pub(super) dst_host: *mut c_void,
    pub(super) dst_device: CuDevicePtr,
    pub(super) dst_array: *mut c_void,
    pub(super) dst_pitch: usize,
    pub(super) width_bytes: usize,
    pub(super) height: usize,
}

/// `CUuuid`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Uuid(pub(super) [u8; 16]);

// What the layouts must come to on a 64-bit machine.
const _: () = assert!(size_of::<MemoryHandleDesc>() == 104);
const _: () = assert!(size_of::<MemoryBufferDesc>() == 88);
const _: () = assert!(size_of::<SemaphoreHandleDesc>() == 96);
const _: () = assert!(size_of::<SemaphoreWaitParams>() == 144);
const _: () = assert!(size_of::<Memcpy2d>() == 128);

/// The functions, as the driver exports them.
#[derive(Clone, Copy)]
pub(super) struct Functions {
    pub(super) init: unsafe extern "C" fn(c_uint) -> CuResult,
    pub(super) error_name: unsafe extern "C" fn(CuResult, *mut *const c_char) -> CuResult,
    pub(super) device_count: unsafe extern "C" fn(*mut c_int) -> CuResult,
    pub(super) device: unsafe extern "C" fn(*mut CuDevice, c_int) -> CuResult,
    pub(super) device_uuid: unsafe extern "C" fn(*mut Uuid, CuDevice) -> CuResult,
    pub(super) retain_context: unsafe extern "C" fn(*mut CuContext, CuDevice) -> CuResult,
    pub(super) release_context: unsafe extern "C" fn(CuDevice) -> CuResult,
    pub(super) push_context: unsafe extern "C" fn(CuContext) -> CuResult,
    pub(super) pop_context: unsafe extern "C" fn(*mut CuContext) -> CuResult,
    pub(super) import_memory:
        unsafe extern "C" fn(*mut CuExternalMemory, *const MemoryHandleDesc) -> CuResult,
    pub(super) map_buffer:
        unsafe extern "C" fn(*mut CuDevicePtr, CuExternalMemory, *const MemoryBufferDesc) -> CuResult,
    pub(super) destroy_memory: unsafe extern "C" fn(CuExternalMemory) -> CuResult,
    pub(super) free: unsafe extern "C" fn(CuDevicePtr) -> CuResult,
    pub(super) import_semaphore:
        unsafe extern "C" fn(*mut CuExternalSemaphore, *const SemaphoreHandleDesc) -> CuResult,
    pub(super) destroy_semaphore: unsafe extern "C" fn(CuExternalSemaphore) -> CuResult,
    pub(super) wait_semaphores: unsafe extern "C" fn(
        *const CuExternalSemaphore,
        *const SemaphoreWaitParams,
        c_uint,
        CuStream,
    ) -> CuResult,
    pub(super) create_event: unsafe extern "C" fn(*mut CuEvent, c_uint) -> CuResult,
    pub(super) record_event: unsafe extern "C" fn(CuEvent, CuStream) -> CuResult,
    pub(super) query_event: unsafe extern "C" fn(CuEvent) -> CuResult,
    pub(super) synchronize_event: unsafe extern "C" fn(CuEvent) -> CuResult,
    pub(super) destroy_event: unsafe extern "C" fn(CuEvent) -> CuResult,
    pub(super) synchronize_stream: unsafe extern "C" fn(CuStream) -> CuResult,
    pub(super) copy_2d: unsafe extern "C" fn(*const Memcpy2d, CuStream) -> CuResult,
}
