//! Compute pipelines.
#![allow(unsafe_code, reason = "creates pipelines")]

use std::sync::{Arc, OnceLock};

use ash::vk;
use streamlib_core::format::TextureFormat;
use streamlib_core::gpu::KernelDesc;
use streamlib_core::interface::{EffectForm, Interface, SamplerSlot};

use crate::conv;
use crate::descriptors::Rebinding;
use crate::device::Device;
use crate::error::{BindingProblem, VulkanError};
use crate::handle::Owned;
use crate::spirv::{self, Refusal};

/// Compiled code and the layout of what it is given. Cloning gives another handle.
#[derive(Clone)]
pub struct Kernel(pub(crate) Arc<KernelInner>);

/// Fields in the order in which they are destroyed.
pub(crate) struct KernelInner {
    /// For inputs of any size.
    sampling: OnceLock<Owned<vk::Pipeline>>,
    /// For local inputs of the output's size.
    loading: OnceLock<Owned<vk::Pipeline>>,
    module: Owned<vk::ShaderModule>,
    pub(crate) layout: Owned<vk::PipelineLayout>,
    pub(crate) set_layout: Owned<vk::DescriptorSetLayout>,
    _samplers: Vec<Owned<vk::Sampler>>,
    pub(crate) label: String,
    pub(crate) interface: Interface,
    /// Format of each output, in the interface's order.
    pub(crate) output_formats: Vec<TextureFormat>,
    /// Threads of a group in x and y.
    group: [u32; 2],
    /// Pixels of a thread in x and y.
    pixels: [u32; 2],
    pub(crate) device: Arc<Device>,
}

/// Group size of pixel effects on GPUs. Measured on an H100 with a 4K sepia, four pixels a thread: 16 × 8, 16 × 16 and 8 × 16
/// took 28.3 µs, 32 × 4 29.2; one pixel a thread, 16 × 16 took 36.1 and 8 × 8 more than 80. 128 threads are what Vulkan
/// promises.
const GPU_GROUP: [u32; 2] = [16, 8];

/// Group size of pixel effects on CPUs. Measured on lavapipe 22.3 with a 1080p sepia that loads, two cores, best of the runs:
/// 128 × 1 took 9.5 ms, 32 × 8 10.0, 16 × 16 11.5, 64 × 2 11.5, 32 × 4 11.5.
const CPU_GROUP: [u32; 2] = [128, 1];

/// Rows of pixels of one thread. Measured on an H100 at 4K with one, two, four and eight rows: sepia took 36.1, 29.4, 28.4 and
/// 30.0 µs, blend_alpha 43.6, 38.5, 38.7 and 39.3, sharpen 121, 109, 103 and 100.
const ROWS: u32 = 4;

/// The same for kernels of local inputs with more than [`LONG_CODE`] words: what is equal for all pixels is computed once a
/// thread. Eight fused effects took 51.0, 39.9, 35.1 and 32.3 µs, where a copy takes 27.5. A CPU gains less (lavapipe at
/// 1080p: 52, 47.5 and 44.5 ms of CPU time with one, four and eight rows), and building would take long there.
const ROWS_OF_LONG_CODE: u32 = 8;

/// Words of SPIR-V: one effect that ships has about 1,100, the eight fused ones 3,600.
const LONG_CODE: usize = 2048;

impl Kernel {
    /// Whether there are other handles of it: recordings, or whoever keeps one.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    pub(crate) fn new(device: &Arc<Device>, desc: &KernelDesc<'_>) -> Result<Self, VulkanError> {
        let interface = desc.interface;
        spirv::check(desc.spirv, device.features(), interface).map_err(|refusal| match refusal {
            Refusal::Problem(problem) => VulkanError::Spirv { kernel: desc.label.to_owned(), problem },
            Refusal::Shortfall(shortfall) => {
                VulkanError::MissingFeature { device: device.report().name.clone(), shortfall }
            }
        })?;
        check_limits(device, desc)?;
        let output_formats = output_formats(desc)?;
        let group = group_size(device, desc)?;
        let mut words = desc.spirv.to_vec();
        if interface.group_size_is_free {
            spirv::set_group_size(&mut words, [group[0], group[1], 1]);
        }

        let samplers =
            interface.samplers.iter().map(|slot| sampler(device, slot)).collect::<Result<Vec<_>, _>>()?;
        let set_layout = set_layout(device, interface, &samplers)?.named(desc.label);
        let set_layouts = [set_layout.raw()];
        let layout_info = vk::PipelineLayoutCreateInfo::default().set_layouts(&set_layouts);
        let layout = Owned::new(device, "vkCreatePipelineLayout", |raw| {
            // SAFETY: the set layout is alive (VUID-VkPipelineLayoutCreateInfo-pSetLayouts-parameter).
            unsafe { raw.create_pipeline_layout(&layout_info, None) }
        })?
        .named(desc.label);
        let module_info = vk::ShaderModuleCreateInfo::default().code(&words);
        let module = Owned::new(device, "vkCreateShaderModule", |raw| {
            // SAFETY: the code is SPIR-V of capabilities that the device has (VUID-VkShaderModuleCreateInfo-pCode-08737,
            // -08740); that it is valid beyond that is what the contract asks of the caller.
            unsafe { raw.create_shader_module(&module_info, None) }
        })?;
        let kernel = KernelInner {
            sampling: OnceLock::new(),
            loading: OnceLock::new(),
            module,
            layout,
            set_layout,
            _samplers: samplers,
            label: desc.label.to_owned(),
            interface: interface.clone(),
            output_formats,
            group,
            pixels: pixels_per_thread(device, desc),
            device: Arc::clone(device),
        };
        // The likely one, so that a failure shows here.
        kernel.pipeline(true)?;
        Ok(Self(Arc::new(kernel)))
    }
}

impl KernelInner {
    /// The pipeline for a dispatch, built when it is first needed. `inputs_match` says that every local input has the size of
    /// the output.
    pub(crate) fn pipeline(&self, inputs_match: bool) -> Result<vk::Pipeline, VulkanError> {
        let loads = inputs_match && self.interface.loads_constant.is_some();
        let place = if loads { &self.loading } else { &self.sampling };
        if let Some(pipeline) = place.get() {
            return Ok(pipeline.raw());
        }
        let encode_srgb = self.output_formats.iter().any(|format| format.is_srgb());
        let constants = [
            (self.interface.encode_srgb_constant, u32::from(encode_srgb)),
            (self.interface.rows_constant, self.pixels[1]),
            (self.interface.loads_constant, u32::from(loads)),
        ];
        let constants =
            constants.into_iter().filter_map(|(id, value)| Some((id?, value))).collect::<Vec<_>>();
        let built = pipeline(&self.device, &self.module, &self.layout, &constants)?.named(&self.label);
        // Another thread may have been faster; then this one is destroyed.
        Ok(place.get_or_init(|| built).raw())
    }

    /// Pixels of a group in x and y.
    pub(crate) fn group_pixels(&self) -> [u32; 2] {
        [self.group[0] * self.pixels[0], self.group[1] * self.pixels[1]]
    }

    /// Bytes of the uniform block.
    pub(crate) fn block_bytes(&self) -> usize {
        self.interface.uniforms.map_or(0, |block| block.size as usize)
    }
}

impl std::fmt::Debug for Kernel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Kernel({:?})", self.0.label)
    }
}

fn check_limits(device: &Device, desc: &KernelDesc<'_>) -> Result<(), VulkanError> {
    let limits = device.limits();
    let interface = desc.interface;
    let quantities = [
        ("inputs", interface.inputs.len(), limits.max_per_stage_descriptor_sampled_images),
        ("outputs", interface.outputs.len(), limits.max_per_stage_descriptor_storage_images),
        ("samplers", interface.samplers.len(), limits.max_per_stage_descriptor_samplers),
        ("buffers", interface.buffers.len(), limits.max_per_stage_descriptor_storage_buffers),
        (
            "bytes of parameters",
            interface.uniforms.map_or(0, |block| block.size as usize),
            limits.max_uniform_buffer_range,
        ),
    ];
    for (what, asked, limit) in quantities {
        if asked > limit as usize {
            return Err(VulkanError::Limit {
                label: desc.label.to_owned(),
                what,
                asked: asked as u64,
                limit: limit.into(),
            });
        }
    }
    Ok(())
}

fn output_formats(desc: &KernelDesc<'_>) -> Result<Vec<TextureFormat>, VulkanError> {
    let binding = |name: &str, problem| VulkanError::Binding {
        kernel: desc.label.to_owned(),
        name: name.to_owned(),
        problem,
    };
    let slots = &desc.interface.outputs;
    for (name, _) in desc.outputs {
        if !slots.iter().any(|slot| slot.name == *name) {
            let known = slots.iter().map(|slot| slot.name.clone()).collect();
            return Err(binding(name, BindingProblem::Unknown { kind: "output", known }));
        }
    }
    let format_of = |name: &str| {
        let (_, format) = desc
            .outputs
            .iter()
            .find(|(output, _)| *output == name)
            .ok_or_else(|| binding(name, BindingProblem::Missing))?;
        let can_encode =
            desc.interface.form == EffectForm::Pixel && desc.interface.encode_srgb_constant.is_some();
        if format.is_srgb() && !can_encode {
            return Err(binding(name, BindingProblem::SrgbOutput { format: *format }));
        }
        Ok(*format)
    };
    slots.iter().map(|slot| format_of(&slot.name)).collect()
}

fn group_size(device: &Device, desc: &KernelDesc<'_>) -> Result<[u32; 2], VulkanError> {
    let limits = device.limits();
    let size = if desc.interface.group_size_is_free {
        let [x, y] = if device.is_cpu() { CPU_GROUP } else { GPU_GROUP };
        [x, y, 1]
    } else {
        desc.interface.group_size
    };
    let limit_error = |what, asked: u64, limit: u32| VulkanError::Limit {
        label: desc.label.to_owned(),
        what,
        asked,
        limit: limit.into(),
    };
    for (asked, limit) in size.into_iter().zip(limits.max_compute_work_group_size) {
        if asked == 0 || asked > limit {
            return Err(limit_error("a group size", asked.into(), limit));
        }
    }
    let threads: u64 = size.into_iter().map(u64::from).product();
    if threads > u64::from(limits.max_compute_work_group_invocations) {
        let limit = limits.max_compute_work_group_invocations;
        return Err(limit_error("threads in a group", threads, limit));
    }
    Ok([size[0], size[1]])
}

/// Pixels of a thread in x and y.
fn pixels_per_thread(device: &Device, desc: &KernelDesc<'_>) -> [u32; 2] {
    let KernelDesc { interface, spirv, .. } = desc;
    if interface.rows_constant.is_none() {
        return interface.pixels_per_thread;
    }
    let is_local = interface.inputs.iter().all(|slot| slot.is_local);
    let rows = match (is_local, spirv.len() > LONG_CODE) {
        // Building takes as many times as long where the loop is unrolled, and a CPU gains little.
        (false, _) if device.is_cpu() => 1,
        (true, true) if !device.is_cpu() => ROWS_OF_LONG_CODE,
        _ => ROWS,
    };
    [1, rows]
}

fn sampler(device: &Arc<Device>, slot: &SamplerSlot) -> Result<Owned<vk::Sampler>, VulkanError> {
    let (filter, address) = (conv::filter(slot.filter), conv::address_mode(slot.address));
    let info = vk::SamplerCreateInfo::default()
        .mag_filter(filter)
        .min_filter(filter)
        .mipmap_mode(vk::SamplerMipmapMode::NEAREST)
        .address_mode_u(address)
        .address_mode_v(address)
        .address_mode_w(address)
        .border_color(vk::BorderColor::FLOAT_TRANSPARENT_BLACK);
    let sampler = Owned::new(device, "vkCreateSampler", |raw| {
        // SAFETY: no optional feature is used.
        unsafe { raw.create_sampler(&info, None) }
    })?;
    Ok(sampler.named(&slot.name))
}

fn set_layout(
    device: &Arc<Device>,
    interface: &Interface,
    samplers: &[Owned<vk::Sampler>],
) -> Result<Owned<vk::DescriptorSetLayout>, VulkanError> {
    let of = |binding: u32, kind: vk::DescriptorType| {
        vk::DescriptorSetLayoutBinding::default()
            .binding(binding)
            .descriptor_type(kind)
            .descriptor_count(1)
            .stage_flags(vk::ShaderStageFlags::COMPUTE)
    };
    let raw_samplers: Vec<_> = samplers.iter().map(|sampler| [sampler.raw()]).collect();
    let mut bindings = Vec::new();
    for slot in &interface.inputs {
        bindings.push(of(slot.binding, vk::DescriptorType::SAMPLED_IMAGE));
    }
    for slot in &interface.outputs {
        bindings.push(of(slot.binding, vk::DescriptorType::STORAGE_IMAGE));
    }
    for slot in &interface.buffers {
        bindings.push(of(slot.binding, vk::DescriptorType::STORAGE_BUFFER));
    }
    if let Some(block) = &interface.uniforms {
        bindings.push(of(block.binding, vk::DescriptorType::UNIFORM_BUFFER));
    }
    for (slot, sampler) in interface.samplers.iter().zip(&raw_samplers) {
        bindings.push(of(slot.binding, vk::DescriptorType::SAMPLER).immutable_samplers(sampler));
    }
    let rebinding = Rebinding::of(device);
    let flags: Vec<_> = bindings.iter().map(|binding| rebinding.binding(binding.descriptor_type)).collect();
    let mut flags = vk::DescriptorSetLayoutBindingFlagsCreateInfo::default().binding_flags(&flags);
    let info = vk::DescriptorSetLayoutCreateInfo::default()
        .flags(rebinding.layout)
        .bindings(&bindings)
        .push_next(&mut flags);
    Owned::new(device, "vkCreateDescriptorSetLayout", |raw| {
        // SAFETY: bindings are distinct (VUID-VkDescriptorSetLayoutCreateInfo-binding-00279), as `spirv::check` found;
        // the samplers live as long as the layout; updates after binding are allowed where the device has them
        // (VUID-VkDescriptorSetLayoutBindingFlagsCreateInfo-descriptorBindingSampledImageUpdateAfterBind-03006,
        // -descriptorBindingStorageImageUpdateAfterBind-03007).
        unsafe { raw.create_descriptor_set_layout(&info, None) }
    })
}

fn pipeline(
    device: &Arc<Device>,
    module: &Owned<vk::ShaderModule>,
    layout: &Owned<vk::PipelineLayout>,
    constants: &[(u32, u32)],
) -> Result<Owned<vk::Pipeline>, VulkanError> {
    // Numbers and booleans take four bytes each (VUID-VkSpecializationMapEntry-constantID-00776).
    let data: Vec<u8> = constants.iter().flat_map(|(_, value)| value.to_ne_bytes()).collect();
    let entries: Vec<_> = (0..)
        .step_by(4)
        .zip(constants)
        .map(|(offset, (id, _))| vk::SpecializationMapEntry { constant_id: *id, offset, size: 4 })
        .collect();
    let specialization = vk::SpecializationInfo::default().map_entries(&entries).data(&data);
    let stage = vk::PipelineShaderStageCreateInfo::default()
        .stage(vk::ShaderStageFlags::COMPUTE)
        .module(module.raw())
        .name(c"main")
        .specialization_info(&specialization);
    let info = vk::ComputePipelineCreateInfo::default().stage(stage).layout(layout.raw());
    Owned::new(device, "vkCreateComputePipelines", |raw| {
        // SAFETY: the entry point exists (VUID-VkPipelineShaderStageCreateInfo-pName-00707) and its resources are in the
        // layout (VUID-VkComputePipelineCreateInfo-layout-07988), as `spirv::check` found.
        match unsafe { raw.create_compute_pipelines(vk::PipelineCache::null(), &[info], None) } {
            Ok(pipelines) => pipelines.first().copied().ok_or(vk::Result::ERROR_UNKNOWN),
            // The one pipeline that was asked for does not exist then.
            Err((_, result)) => Err(result),
        }
    })
}
