//! Checks commands before anything is recorded, and looks up what their names mean.

use std::sync::Arc;

use ash::vk;
use streamlib_core::format::Size;
use streamlib_core::gpu::{Command, Dispatch, HostBuffer as _, HostBufferUse};

use crate::VulkanGpu;
use crate::buffer::HostBuffer;
use crate::device::Device;
use crate::error::{BindingProblem, CopyProblem, VulkanError};
use crate::external::SharingProblem;
use crate::kernel::Kernel;
use crate::texture::Texture;

/// A checked command: everything that it refers to exists, fits and belongs to this device.
pub(crate) enum Step<'a> {
    Upload { from: &'a HostBuffer, offset: usize, to: &'a Texture },
    Dispatch(Pass<'a>),
    Download { from: &'a Texture, to: &'a HostBuffer, offset: usize },
    Clear { texture: &'a Texture, color: [f32; 4] },
}

/// A checked dispatch: bindings in the order of the kernel's interface.
pub(crate) struct Pass<'a> {
    pub(crate) label: &'a str,
    pub(crate) kernel: &'a Kernel,
    pub(crate) pipeline: vk::Pipeline,
    pub(crate) inputs: Vec<&'a Texture>,
    pub(crate) outputs: Vec<&'a Texture>,
    pub(crate) buffers: Vec<&'a HostBuffer>,
    pub(crate) groups: [u32; 2],
}

impl Step<'_> {
    /// What it is called in timings and debuggers.
    pub(crate) fn label(&self) -> String {
        match self {
            Self::Upload { to, .. } => format!("upload {}", to.0.label),
            Self::Dispatch(pass) => pass.label.to_owned(),
            Self::Download { from, .. } => format!("download {}", from.0.label),
            Self::Clear { texture, .. } => format!("clear {}", texture.0.label),
        }
    }
}

/// Checks one command.
pub(crate) fn step<'a>(
    device: &Arc<Device>,
    command: &'a Command<'a, VulkanGpu>,
) -> Result<Step<'a>, VulkanError> {
    match command {
        Command::Upload { from, offset, to } => {
            own_texture(device, to)?;
            check_written(to)?;
            own_buffer(device, from)?;
            check_copy(from, *offset, to, HostBufferUse::Upload)?;
            Ok(Step::Upload { from, offset: *offset, to })
        }
        Command::Download { from, to, offset } => {
            own_texture(device, from)?;
            own_buffer(device, to)?;
            check_copy(to, *offset, from, HostBufferUse::Readback)?;
            Ok(Step::Download { from, to, offset: *offset })
        }
        Command::Clear { texture, color } => {
            own_texture(device, texture)?;
            check_written(texture)?;
            Ok(Step::Clear { texture, color: *color })
        }
        Command::Dispatch(dispatch) => pass(device, dispatch).map(Step::Dispatch),
    }
}

fn pass<'a>(device: &Arc<Device>, dispatch: &Dispatch<'a, VulkanGpu>) -> Result<Pass<'a>, VulkanError> {
    let kernel = dispatch.kernel;
    own(device, &kernel.0.device, &kernel.0.label)?;
    let interface = &kernel.0.interface;
    let ports =
        |slots: &'a [streamlib_core::interface::TextureSlot]| slots.iter().map(|slot| slot.name.as_str());
    let inputs = bind(kernel, "input", ports(&interface.inputs), dispatch.inputs)?;
    let outputs = bind(kernel, "output", ports(&interface.outputs), dispatch.outputs)?;
    let names = interface.buffers.iter().map(|slot| slot.name.as_str());
    let buffers = bind(kernel, "buffer", names, dispatch.buffers)?;

    for texture in inputs.iter().chain(&outputs) {
        own_texture(device, texture)?;
    }
    for (index, (slot, texture)) in interface.outputs.iter().zip(&outputs).enumerate() {
        let elsewhere = inputs.iter().chain(&outputs[..index]);
        if elsewhere.into_iter().any(|other| Arc::ptr_eq(&other.0, &texture.0)) {
            let texture = texture.0.label.clone();
            return Err(problem(kernel, &slot.name, BindingProblem::Aliased { texture }));
        }
        check_written(texture)?;
        let (built_for, found) = (kernel.0.output_formats[index], texture.format());
        if built_for.is_srgb() != found.is_srgb() {
            return Err(problem(kernel, &slot.name, BindingProblem::Encoding { built_for, found }));
        }
    }
    for (slot, buffer) in interface.buffers.iter().zip(&buffers) {
        own_buffer(device, buffer)?;
        let (needed, found) = (HostBufferUse::Parameters, buffer.0.usage);
        if found != needed {
            let buffer = buffer.0.label.clone();
            return Err(problem(kernel, &slot.name, BindingProblem::BufferUse { buffer, needed, found }));
        }
    }
    let groups = groups(device, dispatch.label, kernel.0.group_pixels(), dispatch.threads)?;
    let mut local = interface.inputs.iter().zip(&inputs).filter(|(slot, _)| slot.is_local);
    let inputs_match =
        local.all(|(_, input)| outputs.first().is_some_and(|output| input.size() == output.size()));
    let pipeline = kernel.0.pipeline(inputs_match)?;
    Ok(Pass { label: dispatch.label, kernel, pipeline, inputs, outputs, buffers, groups })
}

/// Finds what is bound to each of `names`, in their order.
fn bind<'a, T>(
    kernel: &Kernel,
    kind: &'static str,
    names: impl Iterator<Item = &'a str> + Clone,
    bound: &[(&'a str, &'a T)],
) -> Result<Vec<&'a T>, VulkanError> {
    for (index, (name, _)) in bound.iter().enumerate() {
        if !names.clone().any(|known| known == *name) {
            let known = names.map(str::to_owned).collect();
            return Err(problem(kernel, name, BindingProblem::Unknown { kind, known }));
        }
        if bound[..index].iter().any(|(earlier, _)| earlier == name) {
            return Err(problem(kernel, name, BindingProblem::Repeated));
        }
    }
    names
        .map(|name| {
            let found = bound.iter().find(|(bound, _)| *bound == name);
            found.map(|(_, resource)| *resource).ok_or_else(|| problem(kernel, name, BindingProblem::Missing))
        })
        .collect()
}

fn groups(device: &Device, label: &str, group: [u32; 2], threads: Size) -> Result<[u32; 2], VulkanError> {
    let limits = device.limits().max_compute_work_group_count;
    let groups = [threads.width.div_ceil(group[0]), threads.height.div_ceil(group[1])];
    for (axis, (asked, limit)) in groups.into_iter().zip(limits).enumerate() {
        if asked == 0 || asked > limit {
            return Err(VulkanError::Limit {
                label: label.to_owned(),
                what: ["a number of thread groups in x", "a number of thread groups in y"][axis],
                asked: asked.into(),
                limit: limit.into(),
            });
        }
    }
    Ok(groups)
}

fn check_copy(
    buffer: &HostBuffer,
    offset: usize,
    texture: &Texture,
    needed: HostBufferUse,
) -> Result<(), VulkanError> {
    let refuse = |problem| {
        Err(VulkanError::Copy { buffer: buffer.0.label.clone(), texture: texture.0.label.clone(), problem })
    };
    if buffer.0.usage != needed {
        let found = buffer.0.usage;
        return refuse(CopyProblem::BufferUse { needed, found });
    }
    if !offset.is_multiple_of(16) {
        return refuse(CopyProblem::Offset(offset));
    }
    let available = buffer.len().saturating_sub(offset);
    if available < texture.bytes() {
        return refuse(CopyProblem::Size {
            size: texture.size(),
            format: texture.format(),
            needed: texture.bytes(),
            available,
        });
    }
    Ok(())
}

pub(crate) fn own_texture(device: &Arc<Device>, texture: &Texture) -> Result<(), VulkanError> {
    own(device, &texture.0.device, &texture.0.label)
}

fn check_written(texture: &Texture) -> Result<(), VulkanError> {
    if texture.is_read_only() {
        let problem = SharingProblem::ReadOnly;
        return Err(VulkanError::Sharing { label: texture.0.label.clone(), problem });
    }
    Ok(())
}

fn own_buffer(device: &Arc<Device>, buffer: &HostBuffer) -> Result<(), VulkanError> {
    own(device, &buffer.0.device, &buffer.0.label)
}

/// A handle of another device means nothing to this one (the `-commonparent` VUIDs).
fn own(device: &Arc<Device>, owner: &Arc<Device>, label: &str) -> Result<(), VulkanError> {
    if Arc::ptr_eq(device, owner) {
        Ok(())
    } else {
        let label = label.to_owned();
        Err(VulkanError::ForeignHandle { label })
    }
}

fn problem(kernel: &Kernel, name: &str, problem: BindingProblem) -> VulkanError {
    VulkanError::Binding { kernel: kernel.0.label.clone(), name: name.to_owned(), problem }
}
