//! NVIDIA's driver library, loaded once, and the context that everybody in the process shares on a device.
#![allow(unsafe_code, reason = "loads a library and calls it")]

use std::ffi::{CStr, c_int};
use std::sync::{Arc, OnceLock};

use libloading::Library;

use super::error::CudaError;
use super::types::{CuContext, CuDevice, CuResult, Functions, Uuid};

const LIBRARY: &str = "libcuda.so.1";

/// The loaded library. It stays for the life of the process, as CUDA keeps threads of its own.
pub(super) struct Driver {
    functions: Functions,
    _library: Library,
}

impl Driver {
    /// The driver, ready for use.
    pub(super) fn get() -> Result<&'static Self, CudaError> {
        static DRIVER: OnceLock<Result<Driver, CudaError>> = OnceLock::new();
        DRIVER.get_or_init(Self::load).as_ref().map_err(Clone::clone)
    }

    fn load() -> Result<Self, CudaError> {
        let missing = |error: libloading::Error| CudaError::NoDriver { reason: error.to_string() };
        // SAFETY: NVIDIA's library runs nothing at loading that other code could disturb.
        let library = unsafe { Library::new(LIBRARY) }.map_err(missing)?;
        macro_rules! symbol {
            ($name:literal) => {
                // SAFETY: the type is that of the function in `cuda.h`; the library is kept as long as the pointer.
                *unsafe { library.get(concat!($name, "\0").as_bytes()) }.map_err(missing)?
            };
        }
        let functions = Functions {
            init: symbol!("cuInit"),
            error_name: symbol!("cuGetErrorName"),
            device_count: symbol!("cuDeviceGetCount"),
            device: symbol!("cuDeviceGet"),
            device_uuid: symbol!("cuDeviceGetUuid"),
            retain_context: symbol!("cuDevicePrimaryCtxRetain"),
            release_context: symbol!("cuDevicePrimaryCtxRelease_v2"),
            push_context: symbol!("cuCtxPushCurrent_v2"),
            pop_context: symbol!("cuCtxPopCurrent_v2"),
            import_memory: symbol!("cuImportExternalMemory"),
            map_buffer: symbol!("cuExternalMemoryGetMappedBuffer"),
            destroy_memory: symbol!("cuDestroyExternalMemory"),
            free: symbol!("cuMemFree_v2"),
            import_semaphore: symbol!("cuImportExternalSemaphore"),
            destroy_semaphore: symbol!("cuDestroyExternalSemaphore"),
            wait_semaphores: symbol!("cuWaitExternalSemaphoresAsync"),
            create_event: symbol!("cuEventCreate"),
            record_event: symbol!("cuEventRecord"),
            query_event: symbol!("cuEventQuery"),
            synchronize_event: symbol!("cuEventSynchronize"),
            destroy_event: symbol!("cuEventDestroy_v2"),
            synchronize_stream: symbol!("cuStreamSynchronize"),
            copy_2d: symbol!("cuMemcpy2DAsync_v2"),
        };
        let driver = Self { functions, _library: library };
        // SAFETY: no flags are defined.
        driver.check("cuInit", unsafe { (functions.init)(0) })?;
        Ok(driver)
    }

    pub(super) fn functions(&self) -> &Functions {
        &self.functions
    }

    /// The error of a call that failed.
    pub(super) fn check(&self, function: &'static str, result: CuResult) -> Result<(), CudaError> {
        if result == 0 {
            return Ok(());
        }
        let mut name = std::ptr::null();
        // SAFETY: the pointer is written with a string of the library's own, or null.
        unsafe { (self.functions.error_name)(result, &raw mut name) };
        let name = if name.is_null() {
            format!("error {result}")
        } else {
            // SAFETY: a string that lives as long as the library.
            unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned()
        };
        Err(CudaError::Call { function, name })
    }
}

/// The primary context of a device: the one that torch, CuPy and others use as well.
pub(super) struct Context {
    raw: CuContext,
    device: CuDevice,
    driver: &'static Driver,
}

// SAFETY: contexts may be used from any thread; they are made current to a thread for each call.
unsafe impl Send for Context {}
// SAFETY: as above.
unsafe impl Sync for Context {}

impl Context {
    /// The context of the device with this UUID; `None` when CUDA does not see it.
    pub(super) fn of(uuid: [u8; 16]) -> Result<Option<Arc<Self>>, CudaError> {
        let driver = Driver::get()?;
        let f = driver.functions();
        let mut count = 0;
        // SAFETY: the pointer is valid, and so in all calls below.
        driver.check("cuDeviceGetCount", unsafe { (f.device_count)(&raw mut count) })?;
        for index in 0..count {
            let mut device = 0;
            // SAFETY: `index` is below the count.
            driver.check("cuDeviceGet", unsafe { (f.device)(&raw mut device, index) })?;
            let mut found = Uuid([0; 16]);
            // SAFETY: the device is valid.
            driver.check("cuDeviceGetUuid", unsafe { (f.device_uuid)(&raw mut found, device) })?;
            if found.0 != uuid {
                continue;
            }
            let mut raw = std::ptr::null_mut();
            // SAFETY: the device is valid; the context is released on drop.
            let retained = unsafe { (f.retain_context)(&raw mut raw, device) };
            driver.check("cuDevicePrimaryCtxRetain", retained)?;
            return Ok(Some(Arc::new(Self { raw, device, driver })));
        }
        Ok(None)
    }

    /// CUDA's number of the device, as DLPack names it.
    pub(super) fn device(&self) -> c_int {
        self.device
    }

    /// Makes calls with the context current to this thread, and what was current before afterwards.
    pub(super) fn call<T>(
        &self,
        calls: impl FnOnce(&'static Driver, &Functions) -> Result<T, CudaError>,
    ) -> Result<T, CudaError> {
        let f = self.driver.functions();
        // SAFETY: the context is retained.
        self.driver.check("cuCtxPushCurrent", unsafe { (f.push_context)(self.raw) })?;
        let outcome = calls(self.driver, f);
        let mut popped = std::ptr::null_mut();
        // SAFETY: pops what was pushed.
        let result = unsafe { (f.pop_context)(&raw mut popped) };
        outcome.and_then(|value| self.driver.check("cuCtxPopCurrent", result).map(|()| value))
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: retained once, released once. A failure at the end of the process has no consequence.
        let _told = unsafe { (self.driver.functions().release_context)(self.device) };
    }
}
