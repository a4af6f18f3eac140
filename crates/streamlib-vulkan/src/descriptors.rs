//! Descriptor sets of a recording, and the slab that its uniform blocks lie in.
#![allow(unsafe_code, reason = "allocates and writes descriptor sets")]

use std::sync::Arc;

use ash::vk;
use gpu_allocator::MemoryLocation;
use streamlib_core::gpu::HostBuffer as _;

use crate::check::Pass;
use crate::device::Device;
use crate::error::VulkanError;
use crate::handle::Owned;
use crate::memory::{MappedBuffer, MemoryPool};
use crate::texture::Texture;

/// What the layout and the pool of a set need so that its textures can be bound anew while it is bound in a recorded
/// command buffer. Devices that lack this write the command buffer again instead.
pub(crate) struct Rebinding {
    pub(crate) layout: vk::DescriptorSetLayoutCreateFlags,
    pool: vk::DescriptorPoolCreateFlags,
}

impl Rebinding {
    pub(crate) fn of(device: &Device) -> Self {
        if device.features().update_after_bind {
            let layout = vk::DescriptorSetLayoutCreateFlags::UPDATE_AFTER_BIND_POOL;
            Self { layout, pool: vk::DescriptorPoolCreateFlags::UPDATE_AFTER_BIND }
        } else {
            Self {
                layout: vk::DescriptorSetLayoutCreateFlags::empty(),
                pool: vk::DescriptorPoolCreateFlags::empty(),
            }
        }
    }

    /// Flags of a binding of this kind: textures only are bound anew.
    pub(crate) fn binding(&self, kind: vk::DescriptorType) -> vk::DescriptorBindingFlags {
        let is_image = matches!(kind, vk::DescriptorType::SAMPLED_IMAGE | vk::DescriptorType::STORAGE_IMAGE);
        if is_image && !self.layout.is_empty() {
            vk::DescriptorBindingFlags::UPDATE_AFTER_BIND
        } else {
            vk::DescriptorBindingFlags::empty()
        }
    }
}

/// Where a dispatch finds one of its textures.
pub(crate) struct ImageSlot {
    set: vk::DescriptorSet,
    binding: u32,
    kind: vk::DescriptorType,
}

impl ImageSlot {
    /// The slots of a dispatch, each with the texture that it was recorded with.
    pub(crate) fn of_pass<'a>(
        pass: &'a Pass<'_>,
        set: vk::DescriptorSet,
    ) -> impl Iterator<Item = (Self, &'a Texture)> {
        let interface = &pass.kernel.0.interface;
        let inputs = interface.inputs.iter().zip(&pass.inputs);
        let outputs = interface.outputs.iter().zip(&pass.outputs);
        let slot = move |binding, kind| Self { set, binding, kind };
        let inputs = inputs
            .map(move |(port, texture)| (slot(port.binding, vk::DescriptorType::SAMPLED_IMAGE), *texture));
        let outputs = outputs
            .map(move |(port, texture)| (slot(port.binding, vk::DescriptorType::STORAGE_IMAGE), *texture));
        inputs.chain(outputs)
    }

    /// Whether the dispatch writes the texture.
    pub(crate) fn is_output(&self) -> bool {
        self.kind == vk::DescriptorType::STORAGE_IMAGE
    }

    /// Writes the descriptor. Allocates nothing.
    ///
    /// # Safety
    /// Of an output, the texture is not read only. No submitted work uses the set; a command buffer in which it is bound is not submitted before it is written again,
    /// unless the layout allows updates after binding. The texture lives as long as the set is used.
    pub(crate) unsafe fn bind(&self, device: &Device, texture: &Texture) {
        let view = match &texture.0.storage {
            Some(storage) if self.is_output() => storage,
            _ => &texture.0.sampled,
        };
        let image = [vk::DescriptorImageInfo::default()
            .image_view(view.raw())
            .image_layout(vk::ImageLayout::GENERAL)];
        let write = vk::WriteDescriptorSet::default()
            .dst_set(self.set)
            .dst_binding(self.binding)
            .descriptor_type(self.kind)
            .image_info(&image);
        // SAFETY: the type is that of the layout (VUID-VkWriteDescriptorSet-descriptorType-00319), the view has the usage
        // (-00336, -00339); the set is not in use (VUID-vkUpdateDescriptorSets-None-03047), as the caller promises.
        unsafe { device.raw().update_descriptor_sets(&[write], &[]) }
    }
}

/// The uniform blocks of a recording's dispatches, side by side in mapped memory.
pub(crate) struct UniformSlab {
    /// None when no dispatch has uniforms.
    memory: Option<MappedBuffer>,
    /// Start and length in bytes, by dispatch.
    blocks: Vec<(usize, usize)>,
}

impl UniformSlab {
    /// Lays out the blocks of `passes` and fills them with the kernels' defaults.
    pub(crate) fn new(
        device: &Device,
        pool: &Arc<MemoryPool>,
        label: &str,
        passes: &[&Pass<'_>],
    ) -> Result<Self, VulkanError> {
        let alignment = device.limits().min_uniform_buffer_offset_alignment.max(1) as usize;
        let mut end = 0;
        let mut place = |bytes: usize| {
            let start = end;
            end += bytes.next_multiple_of(alignment);
            (start, bytes)
        };
        let blocks: Vec<_> = passes.iter().map(|pass| place(pass.kernel.0.block_bytes())).collect();
        let memory = if end == 0 {
            None
        } else {
            let usage = vk::BufferUsageFlags::UNIFORM_BUFFER;
            Some(MappedBuffer::new(pool, label, end, usage, MemoryLocation::CpuToGpu)?)
        };
        let mut slab = Self { memory, blocks };
        for (index, pass) in passes.iter().enumerate() {
            // SAFETY: the slab is new, so no submitted work reads it.
            unsafe { slab.write(index, &pass.kernel.0.interface.default_block()) };
        }
        Ok(slab)
    }

    /// Sizes of the blocks in bytes.
    pub(crate) fn sizes(&self) -> impl Iterator<Item = usize> + '_ {
        self.blocks.iter().map(|(_, length)| *length)
    }

    /// Writes the start of a dispatch's block. False when there is no such dispatch or the bytes do not fit.
    ///
    /// # Safety
    /// No submitted work reads the slab.
    pub(crate) unsafe fn write(&mut self, pass: usize, bytes: &[u8]) -> bool {
        let Some(&(start, length)) = self.blocks.get(pass) else {
            return false;
        };
        if bytes.len() > length {
            return false;
        }
        if let (Some(memory), false) = (&self.memory, bytes.is_empty()) {
            // SAFETY: the device does not read, as the caller promises, and `&mut self` keeps the host out.
            let slab = unsafe { memory.bytes_mut() };
            slab[start..start + bytes.len()].copy_from_slice(bytes);
        }
        true
    }
}

/// One descriptor set per dispatch.
pub(crate) struct DescriptorSets {
    /// None when there are no dispatches. Freeing it frees the sets.
    _pool: Option<Owned<vk::DescriptorPool>>,
    pub(crate) sets: Vec<vk::DescriptorSet>,
}

impl DescriptorSets {
    pub(crate) fn new(
        device: &Arc<Device>,
        label: &str,
        passes: &[&Pass<'_>],
        slab: &UniformSlab,
    ) -> Result<Self, VulkanError> {
        if passes.is_empty() {
            let sets = Vec::new();
            return Ok(Self { _pool: None, sets });
        }
        let pool = pool(device, passes)?.named(label);
        let layouts: Vec<_> = passes.iter().map(|pass| pass.kernel.0.set_layout.raw()).collect();
        let info = vk::DescriptorSetAllocateInfo::default().descriptor_pool(pool.raw()).set_layouts(&layouts);
        // SAFETY: the pool was made for these sets and is not shared (VUID-vkAllocateDescriptorSets-pAllocateInfo-00075).
        let sets = device
            .call("vkAllocateDescriptorSets", || unsafe { device.raw().allocate_descriptor_sets(&info) })?;
        for (index, (pass, set)) in passes.iter().zip(&sets).enumerate() {
            write(device, pass, *set, slab.memory.as_ref().zip(slab.blocks.get(index)));
        }
        Ok(Self { _pool: Some(pool), sets })
    }
}

fn pool(device: &Arc<Device>, passes: &[&Pass<'_>]) -> Result<Owned<vk::DescriptorPool>, VulkanError> {
    let total = |count: fn(&Pass<'_>) -> usize| passes.iter().map(|pass| count(pass)).sum::<usize>();
    let sizes: Vec<_> = [
        (vk::DescriptorType::SAMPLED_IMAGE, total(|pass| pass.inputs.len())),
        (vk::DescriptorType::STORAGE_IMAGE, total(|pass| pass.outputs.len())),
        (vk::DescriptorType::STORAGE_BUFFER, total(|pass| pass.buffers.len())),
        (vk::DescriptorType::SAMPLER, total(|pass| pass.kernel.0.interface.samplers.len())),
        (
            vk::DescriptorType::UNIFORM_BUFFER,
            total(|pass| usize::from(pass.kernel.0.interface.uniforms.is_some())),
        ),
    ]
    .into_iter()
    .filter(|(_, count)| *count > 0)
    .map(|(kind, count)| vk::DescriptorPoolSize { ty: kind, descriptor_count: count as u32 })
    .collect();
    let info = vk::DescriptorPoolCreateInfo::default()
        .flags(Rebinding::of(device).pool)
        .max_sets(passes.len() as u32)
        .pool_sizes(&sizes);
    Owned::new(device, "vkCreateDescriptorPool", |raw| {
        // SAFETY: sets and counts are not zero (VUID-VkDescriptorPoolCreateInfo-descriptorPoolOverallocation-09227,
        // VUID-VkDescriptorPoolSize-descriptorCount-00302).
        unsafe { raw.create_descriptor_pool(&info, None) }
    })
}

fn write(
    device: &Device,
    pass: &Pass<'_>,
    set: vk::DescriptorSet,
    block: Option<(&MappedBuffer, &(usize, usize))>,
) {
    for (slot, texture) in ImageSlot::of_pass(pass, set) {
        // SAFETY: the set is new; the recording keeps the texture as long as the set.
        unsafe { slot.bind(device, texture) };
    }
    let interface = &pass.kernel.0.interface;
    let of = |binding: u32, kind: vk::DescriptorType| {
        vk::WriteDescriptorSet::default()
            .dst_set(set)
            .dst_binding(binding)
            .descriptor_type(kind)
            .descriptor_count(1)
    };
    let range = |buffer: vk::Buffer, offset: usize, bytes: usize| {
        [vk::DescriptorBufferInfo { buffer, offset: offset as u64, range: bytes as u64 }]
    };
    let buffers: Vec<_> =
        pass.buffers.iter().map(|buffer| range(buffer.0.memory.raw(), 0, buffer.len())).collect();
    let uniforms = block.map(|(slab, (start, length))| range(slab.raw(), *start, *length));

    let mut writes = Vec::new();
    for (slot, info) in interface.buffers.iter().zip(&buffers) {
        writes.push(of(slot.binding, vk::DescriptorType::STORAGE_BUFFER).buffer_info(info));
    }
    if let (Some(slot), Some(info)) = (&interface.uniforms, &uniforms) {
        writes.push(of(slot.binding, vk::DescriptorType::UNIFORM_BUFFER).buffer_info(info));
    }
    // SAFETY: bindings and types are those of the set's layout (VUID-VkWriteDescriptorSet-descriptorType-00319),
    // buffers have the usage (-00330, -00331) and live as long as the recording; the set is not in use
    // (VUID-vkUpdateDescriptorSets-None-03047).
    unsafe { device.raw().update_descriptor_sets(&writes, &[]) }
}
