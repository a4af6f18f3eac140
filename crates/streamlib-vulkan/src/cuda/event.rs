//! Tells when a stream has come so far.
#![allow(unsafe_code, reason = "calls CUDA")]

use std::sync::Arc;

use super::driver::Context;
use super::error::CudaError;
use super::types::{CuEvent, EVENT_DISABLE_TIMING, NOT_READY, Stream};

/// An event of CUDA's.
pub(super) struct Event {
    raw: CuEvent,
    context: Arc<Context>,
}

// SAFETY: handles may be used from any thread.
unsafe impl Send for Event {}
// SAFETY: as above; CUDA synchronises its calls.
unsafe impl Sync for Event {}

impl Event {
    pub(super) fn new(context: &Arc<Context>) -> Result<Self, CudaError> {
        let raw = context.call(|driver, f| {
            let mut raw = std::ptr::null_mut();
            // SAFETY: the pointer is valid.
            let created = unsafe { (f.create_event)(&raw mut raw, EVENT_DISABLE_TIMING) };
            driver.check("cuEventCreate", created).map(|()| raw)
        })?;
        Ok(Self { raw, context: Arc::clone(context) })
    }

    /// Comes when `stream` has done what was put into it until now.
    pub(super) fn record(&self, stream: Stream) -> Result<(), CudaError> {
        self.context.call(|driver, f| {
            // SAFETY: the event is alive; the stream is the caller's promise to CUDA.
            driver.check("cuEventRecord", unsafe { (f.record_event)(self.raw, stream.raw()) })
        })
    }

    /// Whether it has come; true as well when it was never recorded.
    pub(super) fn has_come(&self) -> Result<bool, CudaError> {
        self.context.call(|driver, f| {
            // SAFETY: the event is alive.
            match unsafe { (f.query_event)(self.raw) } {
                NOT_READY => Ok(false),
                result => driver.check("cuEventQuery", result).map(|()| true),
            }
        })
    }

    /// Waits until it has come.
    pub(super) fn wait(&self) -> Result<(), CudaError> {
        self.context.call(|driver, f| {
            // SAFETY: the event is alive.
            driver.check("cuEventSynchronize", unsafe { (f.synchronize_event)(self.raw) })
        })
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        let _told = self.context.call(|_, f| {
            // SAFETY: created once, destroyed once.
            unsafe { (f.destroy_event)(self.raw) };
            Ok(())
        });
    }
}
