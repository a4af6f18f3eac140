//! The optional features that kernels may need: what a device has is all switched on, and nothing else.
#![allow(unsafe_code, reason = "queries of physical devices")]

use std::ffi::CStr;

use ash::vk;

use crate::error::VulkanError;
use crate::instance::{Instance, call};

/// Extensions that only let SPIR-V carry remarks of the HLSL compiler.
const SPIRV_REMARKS: [(&CStr, &str); 2] = [
    (ash::google::hlsl_functionality1::NAME, "SPV_GOOGLE_hlsl_functionality1"),
    (ash::google::user_type::NAME, "SPV_GOOGLE_user_type"),
];

/// What DMA-BUFs need beyond memory as file descriptors. Without modifiers nobody could say how their rows lie.
const DMA_BUF: [&CStr; 2] =
    [ash::ext::external_memory_dma_buf::NAME, ash::ext::image_drm_format_modifier::NAME];

/// Ways in which memory and semaphores go to others and come from them, beyond Vulkan 1.2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Exchange {
    /// Memory as file descriptors.
    pub(crate) memory: bool,
    /// Semaphores as file descriptors.
    pub(crate) semaphores: bool,
    /// Timelines as opaque descriptors, both ways.
    pub(crate) timelines: bool,
    /// Semaphores as files with one fence of the kernel's, both ways.
    pub(crate) sync_files: bool,
    /// Memory as DMA-BUFs, with format modifiers.
    pub(crate) dma_buf: bool,
    /// Images come from drivers of other kinds too, not from Vulkan alone.
    pub(crate) foreign: bool,
}

/// The extension through which the device's clock and the host's are compared: one, under its old name or its new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Calibrating {
    /// `VK_KHR_calibrated_timestamps`.
    Khr,
    /// `VK_EXT_calibrated_timestamps`.
    Ext,
}

/// Features of a device that matter here.
#[derive(Clone, Debug, Default)]
pub(crate) struct Features {
    pub(crate) api_version: u32,
    pub(crate) timeline: bool,
    pub(crate) write_without_format: bool,
    pub(crate) read_without_format: bool,
    pub(crate) extended_formats: bool,
    pub(crate) gather_extended: bool,
    pub(crate) int8: bool,
    pub(crate) int16: bool,
    pub(crate) int64: bool,
    pub(crate) float16: bool,
    pub(crate) float64: bool,
    /// Subgroup operations in compute kernels.
    pub(crate) subgroup: vk::SubgroupFeatureFlags,
    /// A texture in a descriptor set can be replaced while the set is bound in a recorded command buffer, and such sets may
    /// hold as much as others.
    pub(crate) update_after_bind: bool,
    /// Textures can be shown in windows.
    pub(crate) swapchain: bool,
    /// The device's clock can be compared with `CLOCK_MONOTONIC`.
    pub(crate) calibrating: Option<Calibrating>,
    /// How memory and timelines can be shared.
    pub(crate) exchange: Exchange,
    robust_buffers: bool,
    robust_images: bool,
    /// SPIR-V extensions that the device takes beyond those of its Vulkan version.
    pub(crate) spirv_extensions: Vec<&'static str>,
    device_extensions: Vec<&'static CStr>,
}

impl Features {
    /// Asks a device of Vulkan 1.2 or later.
    pub(crate) fn query(
        owner: &Instance,
        physical: vk::PhysicalDevice,
        api_version: u32,
        extensions: &[&CStr],
    ) -> Result<Self, VulkanError> {
        let instance = owner.raw();
        let is_1_3 = api_version >= vk::API_VERSION_1_3;
        let mut v12 = vk::PhysicalDeviceVulkan12Features::default();
        let mut v13 = vk::PhysicalDeviceVulkan13Features::default();
        let mut chain = vk::PhysicalDeviceFeatures2::default().push_next(&mut v12);
        if is_1_3 {
            chain = chain.push_next(&mut v13);
        }
        // SAFETY: `physical` belongs to `instance`, and the chain holds structures of the device's version only.
        unsafe { instance.get_physical_device_features2(physical, &mut chain) };
        let core = chain.features;
        let mut subgroup = vk::PhysicalDeviceSubgroupProperties::default();
        let mut limits_1_2 = vk::PhysicalDeviceVulkan12Properties::default();
        let mut properties =
            vk::PhysicalDeviceProperties2::default().push_next(&mut subgroup).push_next(&mut limits_1_2);
        // SAFETY: as above; the structures are core since 1.1 and 1.2.
        unsafe { instance.get_physical_device_properties2(physical, &mut properties) };
        let limits = properties.properties.limits;
        let in_compute = subgroup.supported_stages.contains(vk::ShaderStageFlags::COMPUTE);
        let remarks = || SPIRV_REMARKS.iter().filter(|(name, _)| extensions.contains(name));
        let has = |flag: vk::Bool32| flag == vk::TRUE;
        let calibrating = calibrating(owner, physical, extensions)?;
        let mut device_extensions: Vec<&'static CStr> = remarks().map(|(name, _)| *name).collect();
        device_extensions.extend(calibrating.map(Calibrating::name));
        let swapchain = owner.window_systems().any() && extensions.contains(&ash::khr::swapchain::NAME);
        device_extensions.extend(swapchain.then_some(ash::khr::swapchain::NAME));
        let exchange = Exchange::find(instance, physical, extensions);
        device_extensions.extend(exchange.extensions());
        Ok(Self {
            api_version,
            timeline: has(v12.timeline_semaphore),
            write_without_format: has(core.shader_storage_image_write_without_format),
            read_without_format: has(core.shader_storage_image_read_without_format),
            extended_formats: has(core.shader_storage_image_extended_formats),
            gather_extended: has(core.shader_image_gather_extended),
            int8: has(v12.shader_int8),
            int16: has(core.shader_int16),
            int64: has(core.shader_int64),
            float16: has(v12.shader_float16),
            float64: has(core.shader_float64),
            subgroup: if in_compute {
                subgroup.supported_operations
            } else {
                vk::SubgroupFeatureFlags::empty()
            },
            robust_buffers: has(core.robust_buffer_access),
            robust_images: is_1_3 && has(v13.robust_image_access),
            spirv_extensions: remarks().map(|(_, spirv)| *spirv).collect(),
            device_extensions,
            update_after_bind: has(v12.descriptor_binding_sampled_image_update_after_bind)
                && has(v12.descriptor_binding_storage_image_update_after_bind)
                && allows_as_much(&limits_1_2, &limits),
            swapchain,
            calibrating,
            exchange,
        })
    }

    /// Calls `create` with everything switched on that the device has. Robust access is among it: a kernel that reads
    /// beyond its buffer gets zeros or its own data, never another program's.
    pub(crate) fn enable<T>(&self, create: impl FnOnce(vk::DeviceCreateInfo<'_>) -> T) -> T {
        let core = vk::PhysicalDeviceFeatures::default()
            .shader_storage_image_write_without_format(self.write_without_format)
            .shader_storage_image_read_without_format(self.read_without_format)
            .shader_storage_image_extended_formats(self.extended_formats)
            .shader_image_gather_extended(self.gather_extended)
            .shader_int16(self.int16)
            .shader_int64(self.int64)
            .shader_float64(self.float64)
            .robust_buffer_access(self.robust_buffers);
        let mut v12 = vk::PhysicalDeviceVulkan12Features::default()
            .timeline_semaphore(self.timeline)
            .descriptor_binding_sampled_image_update_after_bind(self.update_after_bind)
            .descriptor_binding_storage_image_update_after_bind(self.update_after_bind)
            .shader_int8(self.int8)
            .shader_float16(self.float16);
        let mut v13 = vk::PhysicalDeviceVulkan13Features::default().robust_image_access(self.robust_images);
        let extensions: Vec<_> = self.device_extensions.iter().map(|name| name.as_ptr()).collect();
        let mut chain = vk::PhysicalDeviceFeatures2::default().features(core).push_next(&mut v12);
        if self.api_version >= vk::API_VERSION_1_3 {
            chain = chain.push_next(&mut v13);
        }
        let info = vk::DeviceCreateInfo::default().enabled_extension_names(&extensions).push_next(&mut chain);
        create(info)
    }
}

impl Exchange {
    fn find(instance: &ash::Instance, physical: vk::PhysicalDevice, extensions: &[&CStr]) -> Self {
        let has = |name: &CStr| extensions.contains(&name);
        let memory = has(ash::khr::external_memory_fd::NAME);
        let semaphores = has(ash::khr::external_semaphore_fd::NAME);
        let both = |kind, handle| semaphores && goes_both_ways(instance, physical, kind, handle);
        Self {
            memory,
            semaphores,
            timelines: both(vk::SemaphoreType::TIMELINE, vk::ExternalSemaphoreHandleTypeFlags::OPAQUE_FD),
            sync_files: both(vk::SemaphoreType::BINARY, vk::ExternalSemaphoreHandleTypeFlags::SYNC_FD),
            dma_buf: memory && DMA_BUF.iter().all(|name| has(name)),
            foreign: has(ash::ext::queue_family_foreign::NAME),
        }
    }

    fn extensions(self) -> impl Iterator<Item = &'static CStr> {
        let [dma_buf, modifiers] = DMA_BUF;
        let all = [
            (self.memory, ash::khr::external_memory_fd::NAME),
            (self.semaphores, ash::khr::external_semaphore_fd::NAME),
            (self.dma_buf, dma_buf),
            (self.dma_buf, modifiers),
            (self.foreign, ash::ext::queue_family_foreign::NAME),
        ];
        all.into_iter().filter(|(has, _)| *has).map(|(_, name)| name)
    }

    /// Whether both memory and timelines can be handed to another API.
    pub(crate) const fn is_whole(self) -> bool {
        self.memory && self.semaphores
    }
}

/// Whether semaphores of that type come from such handles and become them.
fn goes_both_ways(
    instance: &ash::Instance,
    physical: vk::PhysicalDevice,
    kind: vk::SemaphoreType,
    handle: vk::ExternalSemaphoreHandleTypeFlags,
) -> bool {
    let mut kind = vk::SemaphoreTypeCreateInfo::default().semaphore_type(kind);
    let info = vk::PhysicalDeviceExternalSemaphoreInfo::default().handle_type(handle).push_next(&mut kind);
    let mut found = vk::ExternalSemaphoreProperties::default();
    // SAFETY: `physical` belongs to `instance` and is of Vulkan 1.2; all structures are core since then.
    unsafe { instance.get_physical_device_external_semaphore_properties(physical, &info, &mut found) };
    let both = vk::ExternalSemaphoreFeatureFlags::EXPORTABLE | vk::ExternalSemaphoreFeatureFlags::IMPORTABLE;
    found.external_semaphore_features.contains(both)
}

impl Calibrating {
    const fn name(self) -> &'static CStr {
        match self {
            Self::Khr => ash::khr::calibrated_timestamps::NAME,
            Self::Ext => ash::ext::calibrated_timestamps::NAME,
        }
    }
}

/// Whether sets that can be updated after binding may hold what other sets may: Vulkan says so, and kernels are checked
/// against the limits of other sets only.
fn allows_as_much(
    update_after_bind: &vk::PhysicalDeviceVulkan12Properties<'_>,
    plain: &vk::PhysicalDeviceLimits,
) -> bool {
    let limits = [
        (
            update_after_bind.max_per_stage_descriptor_update_after_bind_sampled_images,
            plain.max_per_stage_descriptor_sampled_images,
        ),
        (
            update_after_bind.max_per_stage_descriptor_update_after_bind_storage_images,
            plain.max_per_stage_descriptor_storage_images,
        ),
        (
            update_after_bind.max_per_stage_descriptor_update_after_bind_samplers,
            plain.max_per_stage_descriptor_samplers,
        ),
        (
            update_after_bind.max_per_stage_descriptor_update_after_bind_storage_buffers,
            plain.max_per_stage_descriptor_storage_buffers,
        ),
        (update_after_bind.max_per_stage_descriptor_update_after_bind_uniform_buffers, 1),
        (update_after_bind.max_per_stage_update_after_bind_resources, plain.max_per_stage_resources),
    ];
    limits.iter().all(|(found, needed)| found >= needed)
}

/// How the device's clock can be compared with `CLOCK_MONOTONIC`, if at all.
fn calibrating(
    instance: &Instance,
    physical: vk::PhysicalDevice,
    extensions: &[&CStr],
) -> Result<Option<Calibrating>, VulkanError> {
    // The old name first: validation layers of before 2023 do not know the new one, and drivers have both.
    let known = [Calibrating::Ext, Calibrating::Khr];
    let found = known.into_iter().find(|extension| extensions.contains(&extension.name()));
    let Some(found) = found else { return Ok(None) };
    // SAFETY: `physical` belongs to `instance` and has the extension.
    let domains = call("vkGetPhysicalDeviceCalibrateableTimeDomainsKHR", || unsafe {
        match found {
            Calibrating::Khr => {
                ash::khr::calibrated_timestamps::Instance::new(instance.entry(), instance.raw())
                    .get_physical_device_calibrateable_time_domains(physical)
            }
            Calibrating::Ext => {
                ash::ext::calibrated_timestamps::Instance::new(instance.entry(), instance.raw())
                    .get_physical_device_calibrateable_time_domains(physical)
            }
        }
    })?;
    let needed = [vk::TimeDomainKHR::DEVICE, vk::TimeDomainKHR::CLOCK_MONOTONIC];
    Ok(needed.iter().all(|domain| domains.contains(domain)).then_some(found))
}
