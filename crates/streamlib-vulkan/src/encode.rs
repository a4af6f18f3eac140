//! Writes commands into a command buffer.
#![allow(unsafe_code, reason = "records commands")]

use std::ffi::CStr;

use ash::vk;

use crate::device::Device;
use crate::error::VulkanError;
use crate::image::WHOLE;
use crate::place::{Area, Placed};
use crate::program::{Op, Program, Scope};
use crate::texture::Texture;

/// Where images are whenever a command runs.
const LAYOUT: vk::ImageLayout = vk::ImageLayout::GENERAL;

/// What becomes of an image that a texture was drawn into.
#[derive(Clone, Copy, Debug)]
pub(crate) enum After {
    /// A window shows it.
    Presented,
    /// It goes to this queue family, outside of the device.
    Released { to: u32 },
}

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

    /// Gives a texture that no submission has touched its layout, and zeros.
    pub(crate) fn initialise(&self, texture: &Texture) {
        let clear = vk::ClearColorValue { float32: [0.0; 4] };
        let image = texture.0.image.raw();
        let barrier = vk::ImageMemoryBarrier::default()
            .dst_access_mask(vk::AccessFlags::TRANSFER_WRITE)
            .old_layout(vk::ImageLayout::UNDEFINED)
            .new_layout(LAYOUT)
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
            self.device.raw().cmd_clear_color_image(self.raw, image, LAYOUT, &clear, &[WHOLE]);
        }
    }

    /// Takes an image over from `owner`, a queue family outside of the device, as it is: in the layout that it has there.
    pub(crate) fn acquire(&self, image: vk::Image, owner: u32) {
        let barrier = vk::ImageMemoryBarrier::default()
            .dst_access_mask(vk::AccessFlags::MEMORY_READ | vk::AccessFlags::MEMORY_WRITE)
            .old_layout(LAYOUT)
            .new_layout(LAYOUT)
            .src_queue_family_index(owner)
            .dst_queue_family_index(self.device.queue_family())
            .image(image)
            .subresource_range(WHOLE);
        // SAFETY: the image is alive and one whose memory was imported; its owner has it in this layout, as the protocol says
        // (VUID-VkImageMemoryBarrier-oldLayout-01197); one of the families is outside of the device (-image-09117, -09118).
        unsafe {
            self.device.raw().cmd_pipeline_barrier(
                self.raw,
                vk::PipelineStageFlags::TOP_OF_PIPE,
                vk::PipelineStageFlags::ALL_COMMANDS,
                vk::DependencyFlags::empty(),
                &[],
                &[],
                &[barrier],
            );
        }
    }

    /// Scales a texture into an image that is shown, whatever stood there before, and gets it ready for what comes after.
    pub(crate) fn draw_into(
        &self,
        image: vk::Image,
        texture: &Texture,
        (placed, filter): (&Placed, vk::Filter),
        after: After,
    ) {
        let there = vk::ImageLayout::TRANSFER_DST_OPTIMAL;
        let written = (vk::PipelineStageFlags::TRANSFER, vk::AccessFlags::TRANSFER_WRITE);
        let taken = (vk::PipelineStageFlags::TRANSFER, vk::AccessFlags::empty());
        self.change(image, (vk::ImageLayout::UNDEFINED, taken), (there, written));
        if placed.has_bars {
            let black = vk::ClearColorValue { float32: [0.0, 0.0, 0.0, 1.0] };
            // SAFETY: the image is in that layout (VUID-vkCmdClearColorImage-imageLayout-00004), and was made for transfers
            // (-image-00002).
            unsafe { self.device.raw().cmd_clear_color_image(self.raw, image, there, &black, &[WHOLE]) };
            self.barrier(written, written);
        }
        let layers = vk::ImageSubresourceLayers::default()
            .aspect_mask(vk::ImageAspectFlags::COLOR)
            .mip_level(0)
            .layer_count(1);
        let corners = |[left, top, right, bottom]: Area| {
            let corner = |x: u32, y: u32, z| vk::Offset3D { x: x as i32, y: y as i32, z };
            [corner(left, top, 0), corner(right, bottom, 1)]
        };
        let region = vk::ImageBlit::default()
            .src_subresource(layers)
            .src_offsets(corners(placed.from))
            .dst_subresource(layers)
            .dst_offsets(corners(placed.to));
        let from = texture.0.image.raw();
        // SAFETY: the areas lie in their images (VUID-vkCmdBlitImage-pRegions-00215, -00216), the formats can be blitted and
        // filtered, as was found before (-srcImage-01999, -dstImage-02000, -filter-02001), both hold colour (-srcImage-00229),
        // the layouts are those that the images are in (-srcImageLayout-00221, -dstImageLayout-00226), and the queue has
        // graphics (-commandBuffer-cmdpool).
        unsafe {
            self.device.raw().cmd_blit_image(self.raw, from, LAYOUT, image, there, &[region], filter);
        }
        let shown = (vk::PipelineStageFlags::BOTTOM_OF_PIPE, vk::AccessFlags::empty());
        match after {
            After::Presented => {
                self.change(image, (there, written), (vk::ImageLayout::PRESENT_SRC_KHR, shown));
            }
            After::Released { to } => self.release(image, (there, written), to),
        }
    }

    /// Gives an image to `owner`, a queue family outside of the device, in the layout that it has there.
    fn release(&self, image: vk::Image, (old, (stages, written)): (vk::ImageLayout, Scope), owner: u32) {
        let barrier = vk::ImageMemoryBarrier::default()
            .src_access_mask(written)
            .old_layout(old)
            .new_layout(LAYOUT)
            .src_queue_family_index(self.device.queue_family())
            .dst_queue_family_index(owner)
            .image(image)
            .subresource_range(WHOLE);
        // SAFETY: the image is alive and in its old layout (VUID-VkImageMemoryBarrier-oldLayout-01197), and its memory was
        // imported; one of the families is outside of the device (-image-09117, -09118).
        unsafe {
            self.device.raw().cmd_pipeline_barrier(
                self.raw,
                stages,
                vk::PipelineStageFlags::BOTTOM_OF_PIPE,
                vk::DependencyFlags::empty(),
                &[],
                &[],
                &[barrier],
            );
        }
    }

    /// Brings an image from one layout to another, between the work of two scopes.
    fn change(
        &self,
        image: vk::Image,
        (old, (from_stages, from)): (vk::ImageLayout, Scope),
        (new, (to_stages, to)): (vk::ImageLayout, Scope),
    ) {
        let barrier = vk::ImageMemoryBarrier::default()
            .src_access_mask(from)
            .dst_access_mask(to)
            .old_layout(old)
            .new_layout(new)
            .src_queue_family_index(vk::QUEUE_FAMILY_IGNORED)
            .dst_queue_family_index(vk::QUEUE_FAMILY_IGNORED)
            .image(image)
            .subresource_range(WHOLE);
        // SAFETY: the image is alive and in its old layout, or that is `UNDEFINED` (VUID-VkImageMemoryBarrier-oldLayout-01197);
        // the stages support the accesses (VUID-vkCmdPipelineBarrier-srcAccessMask-02815, -dstAccessMask-02816).
        unsafe {
            self.device.raw().cmd_pipeline_barrier(
                self.raw,
                from_stages,
                to_stages,
                vk::DependencyFlags::empty(),
                &[],
                &[],
                &[barrier],
            );
        }
    }

    /// Writes all of `program`; its timestamps go to `queries`. Allocates nothing.
    pub(crate) fn write(&self, program: &Program, queries: Option<vk::QueryPool>) {
        for op in program.ops() {
            match op {
                Op::Barrier(before, after) => self.barrier(*before, *after),
                Op::ResetQueries(_) | Op::Timestamp(_) | Op::CopyQueries(..) => self.query(op, queries),
                Op::BeginLabel(label) => self.begin_label(label),
                Op::EndLabel => self.end_label(),
                Op::Dispatch { .. } => self.dispatch(op),
                Op::Upload { .. } | Op::Download { .. } | Op::Clear { .. } => self.transfer(op),
            }
        }
    }

    fn dispatch(&self, op: &Op) {
        let Op::Dispatch { pipeline, layout, set, groups: [x, y] } = *op else { return };
        let point = vk::PipelineBindPoint::COMPUTE;
        // SAFETY: pipeline, layout and set fit each other (VUID-vkCmdBindDescriptorSets-pDescriptorSets-00358,
        // VUID-vkCmdDispatch-None-08600), textures are in the layout that the set names (-None-09600), and the group counts
        // are within limits (VUID-vkCmdDispatch-groupCountX-00386, -00387).
        unsafe {
            let device = self.device.raw();
            device.cmd_bind_pipeline(self.raw, point, pipeline);
            device.cmd_bind_descriptor_sets(self.raw, point, layout, 0, &[set], &[]);
            device.cmd_dispatch(self.raw, x, y, 1);
        }
    }

    fn transfer(&self, op: &Op) {
        let device = self.device.raw();
        // SAFETY: offsets and sizes were checked against buffer and texture (VUID-vkCmdCopyBufferToImage-pRegions-00171,
        // VUID-vkCmdCopyImageToBuffer-pRegions-00183, VUID-VkBufferImageCopy-bufferOffset-07975), usages too (-00174,
        // -00191, -00186); images are in `GENERAL` from the start (-dstImageLayout-00180, -srcImageLayout-00189).
        unsafe {
            match op {
                Op::Upload { from, to, region } => {
                    device.cmd_copy_buffer_to_image(self.raw, *from, *to, LAYOUT, &[*region]);
                }
                Op::Download { from, to, region } => {
                    device.cmd_copy_image_to_buffer(self.raw, *from, LAYOUT, *to, &[*region]);
                }
                Op::Clear { image, color } => {
                    device.cmd_clear_color_image(self.raw, *image, LAYOUT, color, &[WHOLE]);
                }
                _ => {}
            }
        }
    }

    fn barrier(&self, (from_stages, from): Scope, (to_stages, to): Scope) {
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

    fn query(&self, op: &Op, queries: Option<vk::QueryPool>) {
        let Some(pool) = queries else { return };
        let device = self.device.raw();
        match *op {
            Op::ResetQueries(count) => {
                // SAFETY: the pool has this many queries (VUID-vkCmdResetQueryPool-firstQuery-09437), outside a render pass.
                unsafe { device.cmd_reset_query_pool(self.raw, pool, 0, count) };
            }
            Op::Timestamp(query) => {
                // At the bottom of the pipe, so that one pass ends where the next begins.
                let stage = vk::PipelineStageFlags::BOTTOM_OF_PIPE;
                // SAFETY: the family has timestamps (VUID-vkCmdWriteTimestamp-timestampValidBits-00829), and the query was
                // reset before (-None-00830).
                unsafe { device.cmd_write_timestamp(self.raw, stage, pool, query) };
            }
            Op::CopyQueries(count, buffer) => {
                let flags = vk::QueryResultFlags::TYPE_64 | vk::QueryResultFlags::WAIT;
                // SAFETY: the pool has this many queries, each written before (VUID-vkCmdCopyQueryPoolResults-firstQuery-09437),
                // and the buffer has eight bytes for each (-dstBuffer-00824) and may be copied to (-dstBuffer-00825).
                unsafe { device.cmd_copy_query_pool_results(self.raw, pool, 0, count, buffer, 0, 8, flags) };
            }
            _ => {}
        }
    }

    fn begin_label(&self, label: &CStr) {
        if let Some(debug) = self.device.debug() {
            let info = vk::DebugUtilsLabelEXT::default().label_name(label);
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
