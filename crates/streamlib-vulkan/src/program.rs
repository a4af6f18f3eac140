//! What a recording's command buffer holds, as data: made once from checked steps, written as often as needed.

use std::ffi::CString;

use ash::vk;

use crate::check::{Pass, Step};
use crate::conv;
use crate::debug::c_label;
use crate::texture::Texture;
use streamlib_core::hazard::Hazards;

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

/// Stages and accesses of one side of a barrier.
pub(crate) type Scope = (vk::PipelineStageFlags, vk::AccessFlags);

/// One command. Whoever keeps it keeps the owners of its handles.
pub(crate) enum Op {
    /// What came before, then what comes after.
    Barrier(Scope, Scope),
    /// Resets this many queries.
    ResetQueries(u32),
    /// Writes this query.
    Timestamp(u32),
    /// Copies this many queries into a buffer, each eight bytes.
    CopyQueries(u32, vk::Buffer),
    /// Begins a region for debuggers.
    BeginLabel(CString),
    EndLabel,
    Dispatch {
        pipeline: vk::Pipeline,
        layout: vk::PipelineLayout,
        set: vk::DescriptorSet,
        groups: [u32; 2],
    },
    Upload {
        from: vk::Buffer,
        to: vk::Image,
        region: vk::BufferImageCopy,
    },
    Download {
        from: vk::Image,
        to: vk::Buffer,
        region: vk::BufferImageCopy,
    },
    Clear {
        image: vk::Image,
        color: vk::ClearColorValue,
    },
}

/// The commands of a recording.
pub(crate) struct Program(Vec<Op>);

impl Program {
    /// All steps, with the barriers between them, a timestamp before the first and one after each, where the device has
    /// them, and labels, where a debugger may want them. `sets` belong to the dispatches, in order; timestamps are copied to
    /// `times` where they are not to be asked for.
    pub(crate) fn new(
        steps: &[Step<'_>],
        sets: &[vk::DescriptorSet],
        (has_timestamps, times, has_labels): (bool, Option<vk::Buffer>, bool),
    ) -> Self {
        let mut ops = Vec::new();
        let all = vk::PipelineStageFlags::ALL_COMMANDS;
        let (read, write) = (vk::AccessFlags::MEMORY_READ, vk::AccessFlags::MEMORY_WRITE);
        // Earlier work may use the same textures.
        ops.push(Op::Barrier((all, write), (all, read | write)));
        if has_timestamps {
            ops.extend([Op::ResetQueries(steps.len() as u32 + 1), Op::Timestamp(0)]);
        }
        let mut sets = sets.iter();
        let mut hazards = Hazards::default();
        for (index, step) in (1..).zip(steps) {
            let (reads, writes) = accesses(step);
            if hazards.step(&reads, &writes).is_some() {
                ops.push(Op::Barrier((STEP_STAGES, STEP_WRITES), (STEP_STAGES, STEP_ACCESSES)));
            }
            if has_labels {
                ops.push(Op::BeginLabel(c_label(&step.label())));
            }
            match step {
                Step::Dispatch(pass) => ops.extend(sets.next().map(|set| dispatch(pass, *set))),
                Step::Upload { from, offset, to } => {
                    let region = region(*offset, to);
                    ops.push(Op::Upload { from: from.0.memory.raw(), to: to.0.image.raw(), region });
                }
                Step::Download { from, to, offset } => {
                    let region = region(*offset, from);
                    ops.push(Op::Download { from: from.0.image.raw(), to: to.0.memory.raw(), region });
                }
                Step::Clear { texture, color } => {
                    let color = conv::clear_value(texture.format(), *color);
                    ops.push(Op::Clear { image: texture.0.image.raw(), color });
                }
            }
            if has_labels {
                ops.push(Op::EndLabel);
            }
            if has_timestamps {
                ops.push(Op::Timestamp(index));
            }
        }
        ops.extend(times.map(|buffer| Op::CopyQueries(steps.len() as u32 + 1, buffer)));
        // Signalling the semaphore makes writes available to the device only; the host needs this.
        let copied = (vk::PipelineStageFlags::TRANSFER, vk::AccessFlags::TRANSFER_WRITE);
        ops.push(Op::Barrier(copied, (vk::PipelineStageFlags::HOST, vk::AccessFlags::HOST_READ)));
        Self(ops)
    }

    pub(crate) fn ops(&self) -> &[Op] {
        &self.0
    }
}

fn dispatch(pass: &Pass<'_>, set: vk::DescriptorSet) -> Op {
    let layout = pass.kernel.0.layout.raw();
    Op::Dispatch { pipeline: pass.pipeline, layout, set, groups: pass.groups }
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
