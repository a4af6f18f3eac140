//! Host memory that the GPU can reach.
#![allow(unsafe_code, reason = "opens mapped memory")]

use std::sync::Arc;

use gpu_allocator::MemoryLocation;
use streamlib_core::gpu::{HostAccessError, HostBuffer as Contract, HostBufferUse};

use crate::conv;
use crate::device::Device;
use crate::error::VulkanError;
use crate::gate::Gate;
use crate::memory::{MappedBuffer, MemoryPool};
use crate::timeline::Timeline;

/// Host memory that the GPU can reach, mapped for as long as it lives. Cloning gives another handle.
#[derive(Clone)]
pub struct HostBuffer(pub(crate) Arc<HostBufferInner>);

pub(crate) struct HostBufferInner {
    pub(crate) memory: MappedBuffer,
    pub(crate) gate: Gate,
    pub(crate) label: String,
    pub(crate) usage: HostBufferUse,
    timeline: Arc<Timeline>,
    pub(crate) device: Arc<Device>,
}

impl HostBuffer {
    pub(crate) fn new(
        pool: &Arc<MemoryPool>,
        timeline: &Arc<Timeline>,
        device: &Arc<Device>,
        label: &str,
        (bytes, usage): (usize, HostBufferUse),
    ) -> Result<Self, VulkanError> {
        let limit = match usage {
            HostBufferUse::Parameters => u64::from(device.limits().max_storage_buffer_range),
            // Half of the address space is beyond any machine, and safe to round up.
            HostBufferUse::Upload | HostBufferUse::Readback => i64::MAX as u64,
        };
        if bytes == 0 || bytes as u64 > limit {
            return Err(VulkanError::Limit {
                label: label.to_owned(),
                what: "a buffer size",
                asked: bytes as u64,
                limit,
            });
        }
        let location = match usage {
            HostBufferUse::Readback => MemoryLocation::GpuToCpu,
            HostBufferUse::Upload | HostBufferUse::Parameters => MemoryLocation::CpuToGpu,
        };
        let memory = MappedBuffer::new(pool, label, bytes, conv::buffer_usage(usage), location)?;
        Ok(Self(Arc::new(HostBufferInner {
            memory,
            gate: Gate::new(),
            label: label.to_owned(),
            usage,
            timeline: Arc::clone(timeline),
            device: Arc::clone(device),
        })))
    }
}

impl Contract for HostBuffer {
    fn len(&self) -> usize {
        self.0.memory.len()
    }

    fn read(&self, with: &mut dyn FnMut(&[u8])) -> Result<(), HostAccessError> {
        let _open = self.0.gate.open_for_reading(&self.0.timeline)?;
        // SAFETY: the gate keeps writers and submissions out while `_open` lives, and the slice does not outlive it.
        with(unsafe { self.0.memory.bytes() });
        Ok(())
    }

    fn write(&self, with: &mut dyn FnMut(&mut [u8])) -> Result<(), HostAccessError> {
        let _open = self.0.gate.open_for_writing(&self.0.timeline)?;
        // SAFETY: the gate keeps everyone else out while `_open` lives, and the slice does not outlive it.
        with(unsafe { self.0.memory.bytes_mut() });
        Ok(())
    }
}

impl std::fmt::Debug for HostBuffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let HostBufferInner { label, usage, memory, .. } = &*self.0;
        write!(f, "HostBuffer({label:?}, {} bytes, {usage:?})", memory.len())
    }
}
