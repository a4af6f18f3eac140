//! What a recording owns on the device.
#![allow(unsafe_code, reason = "records command buffers, reads queries")]

use std::sync::Arc;

use ash::vk;
use gpu_allocator::MemoryLocation;

use crate::buffer::HostBuffer;
use crate::check::Step;
use crate::commands::Commands;
use crate::descriptors::{DescriptorSets, UniformSlab};
use crate::device::Device;
use crate::encode::Encoder;
use crate::error::{RebindProblem, VulkanError};
use crate::handle::Owned;
use crate::kernel::Kernel;
use crate::memory::{MappedBuffer, MemoryPool};
use crate::places::Places;
use crate::program::Program;
use crate::texture::Texture;

/// What must live until the last submission has finished, in the order in which it is destroyed.
pub(crate) struct Parts {
    commands: Commands,
    /// What `commands` holds, unless it must be written again first.
    program: Program,
    is_stale: bool,
    _descriptors: DescriptorSets,
    queries: Option<Owned<vk::QueryPool>>,
    /// Where each submission copies its timestamps to.
    times: Option<MappedBuffer>,
    pub(crate) slab: UniformSlab,
    /// Number of steps.
    steps: usize,
    places: Places,
    /// Each once.
    pub(crate) host_buffers: Vec<HostBuffer>,
    _kernels: Vec<Kernel>,
    device: Arc<Device>,
}

impl Parts {
    pub(crate) fn new(
        device: &Arc<Device>,
        pool: &Arc<MemoryPool>,
        label: &str,
        steps: &[Step<'_>],
    ) -> Result<Self, VulkanError> {
        let passes: Vec<_> = steps
            .iter()
            .filter_map(|step| match step {
                Step::Dispatch(pass) => Some(pass),
                _ => None,
            })
            .collect();
        let slab = UniformSlab::new(device, pool, label, &passes)?;
        let descriptors = DescriptorSets::new(device, label, &passes, &slab)?;
        let queries = queries(device, steps.len())?;
        let times = times(device, pool, label, steps.len())?;
        let wanted = (queries.is_some(), times.as_ref().map(MappedBuffer::raw), device.debug().is_some());
        let program = Program::new(steps, &descriptors.sets, wanted);
        let mut parts = Self {
            commands: Commands::new(device, label)?,
            program,
            is_stale: true,
            places: Places::new(steps, &descriptors.sets),
            _descriptors: descriptors,
            queries,
            times,
            slab,
            steps: steps.len(),
            host_buffers: host_buffers(steps),
            _kernels: passes.iter().map(|pass| pass.kernel.clone()).collect(),
            device: Arc::clone(device),
        };
        // SAFETY: nothing was submitted.
        unsafe { parts.write() }?;
        Ok(parts)
    }

    /// Writes the command buffer where it must be. Allocates nothing.
    ///
    /// # Safety
    /// The command buffer is not pending.
    pub(crate) unsafe fn write(&mut self) -> Result<(), VulkanError> {
        if !self.is_stale {
            return Ok(());
        }
        // SAFETY: not pending, as the caller promises; `&mut self` keeps others away from the pool.
        let encoder = unsafe { Encoder::begin(&self.device, self.commands.raw()) }?;
        encoder.write(&self.program, self.queries.as_ref().map(Owned::raw));
        encoder.end()?;
        self.is_stale = false;
        Ok(())
    }

    /// The command buffer: executable after [`write`](Self::write), until something is bound anew.
    pub(crate) fn commands(&self) -> vk::CommandBuffer {
        self.commands.raw()
    }

    /// Puts `texture` where `recorded` stood. Allocates nothing.
    ///
    /// # Safety
    /// The command buffer is not pending.
    pub(crate) unsafe fn rebind(
        &mut self,
        recorded: &Texture,
        texture: &Texture,
    ) -> Result<(), RebindProblem> {
        // SAFETY: the sets are used by the command buffer only, which is not pending; where the update makes it invalid
        // (VUID-vkQueueSubmit-pCommandBuffers-00070), it is written again before the next submission.
        unsafe { self.places.rebind(&self.device, recorded, texture) }?;
        self.is_stale |= !self.device.features().update_after_bind;
        Ok(())
    }

    /// Reads the timestamps of the last submission, in nanoseconds; none when the device has none.
    ///
    /// # Safety
    /// The recording was submitted, and the last submission has finished.
    pub(crate) unsafe fn timestamps(&self, into: &mut Vec<u64>) -> Result<(), VulkanError> {
        let (Some(queries), Some(clock)) = (&self.queries, self.device.clock()) else { return Ok(()) };
        into.resize(self.steps + 1, 0);
        if let Some(times) = &self.times {
            // SAFETY: the last submission, which writes it, has finished, as the caller promises; nothing else writes it.
            let bytes = unsafe { times.bytes() };
            for (into, bytes) in into.iter_mut().zip(bytes.as_chunks().0) {
                *into = u64::from_ne_bytes(*bytes);
            }
            clock.in_nanoseconds(into);
            return Ok(());
        }
        let read = self.device.call("vkGetQueryPoolResults", || {
            // SAFETY: the pool has a query more than there are steps (VUID-vkGetQueryPoolResults-firstQuery-09436,
            // -firstQuery-09437), all written by the last submission, which has finished, as the caller promises.
            unsafe {
                let (raw, flags) = (self.device.raw(), vk::QueryResultFlags::TYPE_64);
                raw.get_query_pool_results(queries.raw(), 0, into, flags)
            }
        });
        if read.is_err() {
            into.clear();
        }
        clock.in_nanoseconds(into);
        read
    }
}

fn queries(device: &Arc<Device>, steps: usize) -> Result<Option<Owned<vk::QueryPool>>, VulkanError> {
    if device.clock().is_none() {
        return Ok(None);
    }
    let info =
        vk::QueryPoolCreateInfo::default().query_type(vk::QueryType::TIMESTAMP).query_count(steps as u32 + 1);
    Owned::new(device, "vkCreateQueryPool", |raw| {
        // SAFETY: the count is not zero (VUID-VkQueryPoolCreateInfo-queryCount-02763).
        unsafe { raw.create_query_pool(&info, None) }
    })
    .map(Some)
}

/// Where timestamps are copied to, on a device that is a CPU. Asking such a device for them waits until its queue has run dry:
/// for a frame that is under way, and for ever when frames are submitted as fast as they are done.
fn times(
    device: &Arc<Device>,
    pool: &Arc<MemoryPool>,
    label: &str,
    steps: usize,
) -> Result<Option<MappedBuffer>, VulkanError> {
    if device.clock().is_none() || !device.is_cpu() {
        return Ok(None);
    }
    let usage = vk::BufferUsageFlags::TRANSFER_DST;
    MappedBuffer::new(pool, label, (steps + 1) * size_of::<u64>(), usage, MemoryLocation::GpuToCpu).map(Some)
}

/// Every buffer of the steps, once.
fn host_buffers(steps: &[Step<'_>]) -> Vec<HostBuffer> {
    let mut buffers: Vec<HostBuffer> = Vec::new();
    let mut add = |buffer: &HostBuffer| {
        if !buffers.iter().any(|known| Arc::ptr_eq(&known.0, &buffer.0)) {
            buffers.push(buffer.clone());
        }
    };
    for step in steps {
        match step {
            Step::Upload { from: buffer, .. } | Step::Download { to: buffer, .. } => add(buffer),
            Step::Clear { .. } => {}
            Step::Dispatch(pass) => pass.buffers.iter().for_each(|buffer| add(buffer)),
        }
    }
    buffers
}
