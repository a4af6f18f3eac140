//! Writes checked steps into a command buffer.
#![allow(unsafe_code, reason = "records commands")]

use ash::vk;

use crate::check::{Pass, Step};
use crate::conv;
use crate::debug::c_label;
use crate::device::Device;
use crate::error::VulkanError;
use crate::hazard::Hazards;
use crate::texture::{Texture, WHOLE};

/// Stages and accesses that steps use.
const STEP_STAGES: vk::PipelineStageFlags = vk::PipelineStageFlags::from_raw(
    vk::PipelineStageFlags::COMPUTE_SHADER.as_raw() | vk::PipelineStageFlags::TRANSFER.as_raw(),
);
const STEP_WRITES: vk::AccessFlags = vk::AccessFlags::from_raw(
    vk::AccessFlags::SHADER_WRITE.as_raw() | vk::AccessFlags::TRANSFER_WRITE.as_raw(),
);
const STEP_ACCESSES: vk::AccessFlags = vk::AccessFlags::from_raw(
    STEP_WRITES.as_raw() | vk::AccessFlags::SHADER_READ.as_raw() | vk::AccessFlags::TRANSFER_READ.as_raw(),
);

/// A command buffer between its begin and its end.
pub(crate) struct Encoder<'a> {
    device: &'a Device,
    raw: vk::CommandBuffer,
}

impl<'a> Encoder<'a> {
    /// Begins a command buffer.
    ///
    /// # Safety
    /// It is not pending, its pool allows resets, and nobody else uses the pool meanwhile.
    pub(crate) unsafe fn begin(device: &'a Device, raw: vk::CommandBuffer) -> Result<Self, VulkanError> {
        // A recording that failed half-way may have left it in any state.
        // SAFETY: as the caller promises (VUID-vkResetCommandBuffer-commandBuffer-00045, -00046).
        device.call("vkResetCommandBuffer", || unsafe {
            device.raw().reset_command_buffer(raw, vk::CommandBufferResetFlags::empty())
        })?;
        let info = vk::CommandBufferBeginInfo::default();
        // SAFETY: as the caller promises (VUID-vkBeginCommandBuffer-commandBuffer-00049, -00050).
        device.call("vkBeginCommandBuffer", || unsafe { device.raw().begin_command_buffer(raw, &info) })?;
        Ok(Self { device, raw })
    }

    /// Ends it.
    pub(crate) fn end(self) -> Result<(), VulkanError> {
        // SAFETY: it is recording, outside any scope (VUID-vkEndCommandBuffer-commandBuffer-00059).
        self.device.call("vkEndCommandBuffer", || unsafe { self.device.raw().end_command_buffer(self.raw) })
    }

    /// Gives textures that no submission has touched their layout, and zeros: no program sees another's memory.
    pub(crate) fn initialise<'t>(&self, textures: impl Iterator<Item = &'t Texture>) {
        let clear = vk::ClearColorValue { float32: [0.0; 4] };
        for texture in textures {
            let image = texture.0.image.raw();
            let barrier = vk::ImageMemoryBarrier::default()
                .dst_access_mask(vk::AccessFlags::TRANSFER_WRITE)
                .old_layout(vk::ImageLayout::UNDEFINED)
                .new_layout(vk::ImageLayout::GENERAL)
                .src_queue_family_index(vk::QUEUE_FAMILY_IGNORED)
                .dst_queue_family_index(vk::QUEUE_FAMILY_IGNORED)
                .image(image)
                .subresource_range(WHOLE);
            // SAFETY: the image is alive; no submission has used it, so `UNDEFINED` is true
            // (VUID-VkImageMemoryBarrier-oldLayout-01197); clearing needs TRANSFER_DST, which it has
            // (VUID-vkCmdClearColorImage-image-00002).
            unsafe {
                self.device.raw().cmd_pipeline_barrier(
                    self.raw,
                    vk::PipelineStageFlags::TOP_OF_PIPE,
                    vk::PipelineStageFlags::TRANSFER,
                    vk::DependencyFlags::empty(),
                    &[],
                    &[],
                    &[barrier],
                );
                let layout = vk::ImageLayout::GENERAL;
                self.device.raw().cmd_clear_color_image(self.raw, image, layout, &clear, &[WHOLE]);
            }
        }
    }

    /// Records all steps, with the barriers between them and a timestamp before each and after the last.
    pub(crate) fn steps(
        &self,
        steps: &[Step<'_>],
        sets: &[vk::DescriptorSet],
        queries: Option<vk::QueryPool>,
    ) {
        let all = vk::PipelineStageFlags::ALL_COMMANDS;
        let (read, write) = (vk::AccessFlags::MEMORY_READ, vk::AccessFlags::MEMORY_WRITE);
        // Earlier submissions may use the same textures.
        self.barrier((all, write), (all, read | write));
        if let Some(pool) = queries {
            // SAFETY: the pool has this many queries (VUID-vkCmdResetQueryPool-firstQuery-09437), outside a render pass.
            unsafe {
                self.device.raw().cmd_reset_query_pool(self.raw, pool, 0, steps.len() as u32 + 1);
            };
        }
        self.timestamp(queries, 0);
        let mut sets = sets.iter();
        let mut hazards = Hazards::default();
        for (index, step) in (1..).zip(steps) {
            let (reads, writes) = accesses(step);
            if hazards.step(&reads, &writes) {
                self.barrier((STEP_STAGES, STEP_WRITES), (STEP_STAGES, STEP_ACCESSES));
            }
            self.begin_label(&step.label());
            match step {
                Step::Dispatch(pass) => {
                    if let Some(set) = sets.next() {
                        self.dispatch(pass, *set);
                    }
                }
                other => self.transfer(other),
            }
            self.end_label();
            self.timestamp(queries, index);
        }
        // Signalling the semaphore makes writes available to the device only; the host needs this.
        let host = vk::AccessFlags::HOST_READ;
        self.barrier(
            (vk::PipelineStageFlags::TRANSFER, vk::AccessFlags::TRANSFER_WRITE),
            (vk::PipelineStageFlags::HOST, host),
        );
    }

    fn dispatch(&self, pass: &Pass<'_>, set: vk::DescriptorSet) {
        let kernel = &pass.kernel.0;
        let [x, y] = pass.groups;
        let point = vk::PipelineBindPoint::COMPUTE;
        // SAFETY: pipeline, layout and set fit each other (VUID-vkCmdBindDescriptorSets-pDescriptorSets-00358,
        // VUID-vkCmdDispatch-None-08600), textures are in the layout that the set names by the time this runs
        // (-None-09600), and the group counts are within limits (VUID-vkCmdDispatch-groupCountX-00386, -00387).
        unsafe {
            let device = self.device.raw();
            device.cmd_bind_pipeline(self.raw, point, pass.pipeline);
            device.cmd_bind_descriptor_sets(self.raw, point, kernel.layout.raw(), 0, &[set], &[]);
            device.cmd_dispatch(self.raw, x, y, 1);
        }
    }

    fn transfer(&self, step: &Step<'_>) {
        let layout = vk::ImageLayout::GENERAL;
        let device = self.device.raw();
        // SAFETY: offsets and sizes were checked against buffer and texture (VUID-vkCmdCopyBufferToImage-pRegions-00171,
        // VUID-vkCmdCopyImageToBuffer-pRegions-00183, VUID-VkBufferImageCopy-bufferOffset-07975), usages too (-00174,
        // -00191, -00186); images are in `GENERAL` by the time this runs (-dstImageLayout-00180, -srcImageLayout-00189).
        unsafe {
            match step {
                Step::Upload { from, offset, to } => {
                    let (source, target) = (from.0.memory.raw(), to.0.image.raw());
                    device.cmd_copy_buffer_to_image(self.raw, source, target, layout, &[region(*offset, to)]);
                }
                Step::Download { from, to, offset } => {
                    let (source, target) = (from.0.image.raw(), to.0.memory.raw());
                    device.cmd_copy_image_to_buffer(
                        self.raw,
                        source,
                        layout,
                        target,
                        &[region(*offset, from)],
                    );
                }
                Step::Clear { texture, color } => {
                    let value = conv::clear_value(texture.format(), *color);
                    device.cmd_clear_color_image(self.raw, texture.0.image.raw(), layout, &value, &[WHOLE]);
                }
                Step::Dispatch(_) => {}
            }
        }
    }

    fn barrier(
        &self,
        (from_stages, from): (vk::PipelineStageFlags, vk::AccessFlags),
        (to_stages, to): (vk::PipelineStageFlags, vk::AccessFlags),
    ) {
        let barrier = vk::MemoryBarrier::default().src_access_mask(from).dst_access_mask(to);
        // SAFETY: the stages support the accesses (VUID-vkCmdPipelineBarrier-srcAccessMask-02815, -dstAccessMask-02816),
        // and the queue family supports the stages (-srcStageMask-06461, -dstStageMask-06462).
        unsafe {
            self.device.raw().cmd_pipeline_barrier(
                self.raw,
                from_stages,
                to_stages,
                vk::DependencyFlags::empty(),
                &[barrier],
                &[],
                &[],
            );
        }
    }

    fn timestamp(&self, queries: Option<vk::QueryPool>, query: u32) {
        if let Some(pool) = queries {
            // At the bottom of the pipe, so that one pass ends where the next begins.
            let stage = vk::PipelineStageFlags::BOTTOM_OF_PIPE;
            // SAFETY: the family has timestamps (VUID-vkCmdWriteTimestamp-timestampValidBits-00829), and the query was
            // reset before (-None-00830).
            unsafe {
                self.device.raw().cmd_write_timestamp(self.raw, stage, pool, query);
            };
        }
    }

    fn begin_label(&self, label: &str) {
        if let Some(debug) = self.device.debug() {
            let name = c_label(label);
            let info = vk::DebugUtilsLabelEXT::default().label_name(&name);
            // SAFETY: the buffer is recording, and each label is ended by `end_label`.
            unsafe { debug.cmd_begin_debug_utils_label(self.raw, &info) };
        }
    }

    fn end_label(&self) {
        if let Some(debug) = self.device.debug() {
            // SAFETY: follows a `begin_label` (VUID-vkCmdEndDebugUtilsLabelEXT-commandBuffer-01912).
            unsafe { debug.cmd_end_debug_utils_label(self.raw) };
        }
    }
}

/// What a step reads and writes.
fn accesses(step: &Step<'_>) -> (Vec<u64>, Vec<u64>) {
    use vk::Handle;
    let image = |texture: &Texture| texture.0.image.raw().as_raw();
    let buffer = |buffer: &crate::HostBuffer| buffer.0.memory.raw().as_raw();
    match step {
        Step::Upload { from, to, .. } => (vec![buffer(from)], vec![image(to)]),
        Step::Download { from, to, .. } => (vec![image(from)], vec![buffer(to)]),
        Step::Clear { texture, .. } => (vec![], vec![image(texture)]),
        Step::Dispatch(pass) => (
            pass.inputs.iter().map(|texture| image(texture)).collect(),
            pass.outputs.iter().map(|texture| image(texture)).collect(),
        ),
    }
}

/// The whole of a texture, tightly packed from `offset` on.
fn region(offset: usize, texture: &Texture) -> vk::BufferImageCopy {
    vk::BufferImageCopy::default()
        .buffer_offset(offset as u64)
        .image_subresource(vk::ImageSubresourceLayers {
            aspect_mask: vk::ImageAspectFlags::COLOR,
            mip_level: 0,
            base_array_layer: 0,
            layer_count: 1,
        })
        .image_extent(vk::Extent3D { width: texture.size().width, height: texture.size().height, depth: 1 })
}
