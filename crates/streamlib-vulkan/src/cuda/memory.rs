//! Memory and timelines of Vulkan's, imported into CUDA.
#![allow(unsafe_code, reason = "calls CUDA")]

use std::os::fd::{AsRawFd, IntoRawFd, OwnedFd};
use std::sync::Arc;

use super::driver::Context;
use super::error::CudaError;
use super::types::{
    CuDevicePtr, CuExternalMemory, CuExternalSemaphore, Descriptor, MEMORY_DEDICATED, MEMORY_OPAQUE_FD,
    MemoryBufferDesc, MemoryHandleDesc, SEMAPHORE_TIMELINE_FD, SemaphoreHandleDesc, SemaphoreWaitParams,
    Stream,
};

/// An allocation of Vulkan's as CUDA sees it. It stays allocated as long as either side has it.
pub(super) struct ImportedMemory {
    raw: CuExternalMemory,
    pointer: CuDevicePtr,
    context: Arc<Context>,
}

// SAFETY: handles may be used from any thread.
unsafe impl Send for ImportedMemory {}
// SAFETY: as above; nothing here changes after creation.
unsafe impl Sync for ImportedMemory {}

impl ImportedMemory {
    /// Imports a dedicated allocation of `bytes`.
    pub(super) fn new(context: &Arc<Context>, fd: OwnedFd, bytes: u64) -> Result<Self, CudaError> {
        context.call(|driver, f| {
            let desc = MemoryHandleDesc {
                kind: MEMORY_OPAQUE_FD,
                handle: Descriptor::new(fd.as_raw_fd()),
                size: bytes,
                flags: MEMORY_DEDICATED,
                reserved: [0; 16],
            };
            let mut raw = std::ptr::null_mut();
            // SAFETY: the descriptor is open and of this kind; both pointers are valid.
            let imported = unsafe { (f.import_memory)(&raw mut raw, &raw const desc) };
            driver.check("cuImportExternalMemory", imported)?;
            // CUDA owns it from here on.
            let _taken_over = fd.into_raw_fd();
            let mut memory = Self { raw, pointer: 0, context: Arc::clone(context) };
            let desc = MemoryBufferDesc { offset: 0, size: bytes, flags: 0, reserved: [0; 16] };
            let pointer = &raw mut memory.pointer;
            // SAFETY: the memory is imported, and as large.
            let mapped = unsafe { (f.map_buffer)(pointer, raw, &raw const desc) };
            driver.check("cuExternalMemoryGetMappedBuffer", mapped)?;
            Ok(memory)
        })
    }

    pub(super) fn pointer(&self) -> CuDevicePtr {
        self.pointer
    }
}

impl Drop for ImportedMemory {
    fn drop(&mut self) {
        let _told = self.context.call(|_, f| {
            if self.pointer != 0 {
                // SAFETY: mapped buffers are freed like allocations, before their memory.
                unsafe { (f.free)(self.pointer) };
            }
            // SAFETY: imported once, destroyed once.
            unsafe { (f.destroy_memory)(self.raw) };
            Ok(())
        });
    }
}

/// A timeline of Vulkan's that streams wait for.
pub(super) struct ImportedTimeline {
    raw: CuExternalSemaphore,
    context: Arc<Context>,
}

// SAFETY: handles may be used from any thread.
unsafe impl Send for ImportedTimeline {}
// SAFETY: as above.
unsafe impl Sync for ImportedTimeline {}

impl ImportedTimeline {
    pub(super) fn new(context: &Arc<Context>, fd: OwnedFd) -> Result<Self, CudaError> {
        context.call(|driver, f| {
            let desc = SemaphoreHandleDesc {
                kind: SEMAPHORE_TIMELINE_FD,
                handle: Descriptor::new(fd.as_raw_fd()),
                flags: 0,
                reserved: [0; 16],
            };
            let mut raw = std::ptr::null_mut();
            // SAFETY: the descriptor is open and of this kind; both pointers are valid.
            let imported = unsafe { (f.import_semaphore)(&raw mut raw, &raw const desc) };
            driver.check("cuImportExternalSemaphore", imported)?;
            let _taken_over = fd.into_raw_fd();
            Ok(Self { raw, context: Arc::clone(context) })
        })
    }

    /// What is put into `stream` from now on runs after the timeline has reached `value`.
    pub(super) fn wait(&self, value: u64, stream: Stream) -> Result<(), CudaError> {
        self.context.call(|driver, f| {
            let params = SemaphoreWaitParams {
                value,
                sync: 0,
                mutex: [0; 2],
                inner_reserved: [0; 10],
                flags: 0,
                reserved: [0; 16],
            };
            // SAFETY: one semaphore and its parameters; the stream is the caller's promise to CUDA.
            let told =
                unsafe { (f.wait_semaphores)(&raw const self.raw, &raw const params, 1, stream.raw()) };
            driver.check("cuWaitExternalSemaphoresAsync", told)
        })
    }
}

impl Drop for ImportedTimeline {
    fn drop(&mut self) {
        let _told = self.context.call(|_, f| {
            // SAFETY: imported once, destroyed once.
            unsafe { (f.destroy_semaphore)(self.raw) };
            Ok(())
        });
    }
}
