//! Commands that are recorded once and submitted any number of times.
#![allow(unsafe_code, reason = "allocates and submits command buffers, reads queries")]

use std::sync::Arc;
use std::sync::atomic::Ordering;

use ash::vk;
use streamlib_core::gpu::{Command, HostAccessError};

use crate::VulkanGpu;
use crate::buffer::HostBuffer;
use crate::check::{self, Step};
use crate::descriptors::{DescriptorSets, UniformSlab};
use crate::device::Device;
use crate::encode::Encoder;
use crate::error::VulkanError;
use crate::gate::Claims;
use crate::handle::Owned;
use crate::kernel::Kernel;
use crate::memory::MemoryPool;
use crate::retire::RetireQueue;
use crate::texture::Texture;
use crate::timeline::Timeline;

/// Steps that can be submitted any number of times, one submission at a time.
pub struct Recording {
    /// Always there until drop.
    parts: Option<Parts>,
    label: String,
    /// Timeline value of the last submission; 0 before the first.
    pending: u64,
    device: Arc<Device>,
    timeline: Arc<Timeline>,
    retired: Arc<RetireQueue<Parts>>,
}

/// What must live until the last submission has finished, in the order in which it is destroyed.
pub(crate) struct Parts {
    /// Owns both command buffers.
    _commands: Owned<vk::CommandPool>,
    /// Prepares textures that no submission has touched, then the steps.
    buffers: [vk::CommandBuffer; 2],
    _descriptors: DescriptorSets,
    queries: Option<Owned<vk::QueryPool>>,
    slab: UniformSlab,
    /// Number of steps.
    steps: usize,
    /// Each once.
    textures: Vec<Texture>,
    /// Each once.
    host_buffers: Vec<HostBuffer>,
    _kernels: Vec<Kernel>,
}

impl Recording {
    pub(crate) fn new(
        (device, pool, timeline): (&Arc<Device>, &Arc<MemoryPool>, &Arc<Timeline>),
        retired: &Arc<RetireQueue<Parts>>,
        label: &str,
        commands: &[Command<'_, VulkanGpu>],
    ) -> Result<Self, VulkanError> {
        let steps =
            commands.iter().map(|command| check::step(device, command)).collect::<Result<Vec<_>, _>>()?;
        let parts = Parts::new(device, pool, label, &steps)?;
        Ok(Self {
            parts: Some(parts),
            label: label.to_owned(),
            pending: 0,
            device: Arc::clone(device),
            timeline: Arc::clone(timeline),
            retired: Arc::clone(retired),
        })
    }

    fn check_finished(&self) -> Result<(), VulkanError> {
        if self.timeline.reached(self.pending)? {
            return Ok(());
        }
        Err(VulkanError::StillInFlight { recording: self.label.clone(), value: self.pending })
    }

    pub(crate) fn belongs_to(&self, device: &Arc<Device>) -> Result<(), VulkanError> {
        if Arc::ptr_eq(&self.device, device) {
            Ok(())
        } else {
            let label = self.label.clone();
            Err(VulkanError::ForeignHandle { label })
        }
    }

    pub(crate) fn set_uniforms(&mut self, pass: usize, block: &[u8]) -> Result<(), VulkanError> {
        self.device.check_lost()?;
        self.check_finished()?;
        let Some(parts) = &mut self.parts else {
            return Ok(());
        };
        // SAFETY: the last submission has finished.
        if unsafe { parts.slab.write(pass, block) } {
            return Ok(());
        }
        Err(VulkanError::Uniforms {
            recording: self.label.clone(),
            pass,
            bytes: block.len(),
            sizes: parts.slab.sizes().collect(),
        })
    }

    /// Allocates nothing and takes no lock but the queue's; only the first submission that uses a texture does more.
    pub(crate) fn submit(&mut self) -> Result<u64, VulkanError> {
        self.device.check_lost()?;
        self.check_finished()?;
        let Some(parts) = &self.parts else {
            return Ok(self.pending);
        };
        let mut queue = self.timeline.queue();
        let is_fresh = |texture: &&Texture| texture.0.fresh.load(Ordering::Acquire);
        let has_fresh = parts.textures.iter().any(|texture| is_fresh(&texture));
        if has_fresh {
            // SAFETY: neither command buffer is pending, and `&mut self` keeps others away from the pool.
            let encoder = unsafe { Encoder::begin(&self.device, parts.buffers[0]) }?;
            encoder.initialise(parts.textures.iter().filter(is_fresh));
            encoder.end()?;
        }
        let claims = Claims::take(&parts.host_buffers).map_err(|buffer| VulkanError::HostAccess {
            buffer: buffer.0.label.clone(),
            source: HostAccessError,
        })?;
        let first = usize::from(!has_fresh);
        // SAFETY: the command buffers are executable and not pending; `parts` owns them and all that they use, and drop
        // keeps it alive until the value is reached.
        let value = unsafe { queue.submit(&parts.buffers[first..]) }?;
        claims.submitted(value);
        if has_fresh {
            for texture in &parts.textures {
                texture.0.fresh.store(false, Ordering::Release);
            }
        }
        self.pending = value;
        Ok(value)
    }

    pub(crate) fn times(&self, into: &mut Vec<u64>) -> Result<(), VulkanError> {
        into.clear();
        self.device.check_lost()?;
        self.check_finished()?;
        let parts = self.parts.as_ref().filter(|_| self.pending > 0);
        let Some((parts, queries)) = parts.and_then(|parts| Some((parts, parts.queries.as_ref()?))) else {
            return Ok(());
        };
        let mut start = [0_u64];
        into.resize(parts.steps, 0);
        self.device.call("vkGetQueryPoolResults", || {
            let (pool, flags) = (queries.raw(), vk::QueryResultFlags::TYPE_64);
            let raw = self.device.raw();
            // SAFETY: the pool has a query more than there are steps (VUID-vkGetQueryPoolResults-firstQuery-09436,
            // -firstQuery-09437), all written by the last submission, which has finished.
            unsafe {
                raw.get_query_pool_results(pool, 0, &mut start, flags)?;
                if into.is_empty() {
                    return Ok(());
                }
                raw.get_query_pool_results(pool, 1, into, flags)
            }
        })?;
        let bits = self.device.timestamp_bits();
        let mask = if bits >= 64 { u64::MAX } else { (1 << bits) - 1 };
        let period_ns = f64::from(self.device.limits().timestamp_period);
        let [mut before] = start;
        for time in into {
            let ticks = time.wrapping_sub(before) & mask;
            before = std::mem::replace(time, (ticks as f64 * period_ns) as u64);
        }
        Ok(())
    }
}

impl Parts {
    fn new(
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
        let info = vk::CommandPoolCreateInfo::default()
            .queue_family_index(device.queue_family())
            .flags(vk::CommandPoolCreateFlags::RESET_COMMAND_BUFFER);
        let commands = Owned::new(device, "vkCreateCommandPool", |raw| {
            // SAFETY: the family exists (VUID-vkCreateCommandPool-queueFamilyIndex-01937).
            unsafe { raw.create_command_pool(&info, None) }
        })?
        .named(label);
        let info = vk::CommandBufferAllocateInfo::default()
            .command_pool(commands.raw())
            .level(vk::CommandBufferLevel::PRIMARY)
            .command_buffer_count(2);
        // SAFETY: the pool is alive and used by this thread only (VUID-vkAllocateCommandBuffers-pAllocateInfo-parameter).
        let buffers = device
            .call("vkAllocateCommandBuffers", || unsafe { device.raw().allocate_command_buffers(&info) })?;
        let buffers = [buffers[0], buffers[1]];
        for buffer in buffers {
            device.name(buffer, label);
        }
        // SAFETY: the command buffer is new, and so is its pool.
        let encoder = unsafe { Encoder::begin(device, buffers[1]) }?;
        encoder.steps(steps, &descriptors.sets, queries.as_ref().map(Owned::raw));
        encoder.end()?;

        let (textures, host_buffers) = resources(steps);
        Ok(Self {
            _commands: commands,
            buffers,
            _descriptors: descriptors,
            queries,
            slab,
            steps: steps.len(),
            textures,
            host_buffers,
            _kernels: passes.iter().map(|pass| pass.kernel.clone()).collect(),
        })
    }
}

fn queries(device: &Arc<Device>, steps: usize) -> Result<Option<Owned<vk::QueryPool>>, VulkanError> {
    if device.timestamp_bits() == 0 {
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

/// Every texture and every buffer of the steps, once.
fn resources(steps: &[Step<'_>]) -> (Vec<Texture>, Vec<HostBuffer>) {
    let mut textures: Vec<Texture> = Vec::new();
    let mut buffers: Vec<HostBuffer> = Vec::new();
    let mut add_texture = |texture: &Texture| {
        if !textures.iter().any(|known| Arc::ptr_eq(&known.0, &texture.0)) {
            textures.push(texture.clone());
        }
    };
    let mut add_buffer = |buffer: &HostBuffer| {
        if !buffers.iter().any(|known| Arc::ptr_eq(&known.0, &buffer.0)) {
            buffers.push(buffer.clone());
        }
    };
    for step in steps {
        match step {
            Step::Upload { from: buffer, to: texture, .. }
            | Step::Download { from: texture, to: buffer, .. } => {
                add_texture(texture);
                add_buffer(buffer);
            }
            Step::Clear { texture, .. } => add_texture(texture),
            Step::Dispatch(pass) => {
                pass.inputs.iter().chain(&pass.outputs).for_each(|texture| add_texture(texture));
                pass.buffers.iter().for_each(|buffer| add_buffer(buffer));
            }
        }
    }
    (textures, buffers)
}

impl Drop for Recording {
    fn drop(&mut self) {
        let Some(parts) = self.parts.take() else { return };
        // When the timeline cannot be read, the parts wait with the rest until the device is dropped.
        if !self.timeline.reached(self.pending).unwrap_or(false) {
            self.retired.push(self.pending, parts);
        }
    }
}

impl std::fmt::Debug for Recording {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Recording({:?}, last submission {})", self.label, self.pending)
    }
}
