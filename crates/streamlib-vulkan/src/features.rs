//! The optional features that kernels may need: what a device has is all switched on, and nothing else.
#![allow(unsafe_code, reason = "queries of physical devices")]

use std::ffi::CStr;

use ash::vk;

/// Extensions that only let SPIR-V carry remarks of the HLSL compiler.
const SPIRV_REMARKS: [(&CStr, &str); 2] = [
    (ash::google::hlsl_functionality1::NAME, "SPV_GOOGLE_hlsl_functionality1"),
    (ash::google::user_type::NAME, "SPV_GOOGLE_user_type"),
];

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
    robust_buffers: bool,
    robust_images: bool,
    /// SPIR-V extensions that the device takes beyond those of its Vulkan version.
    pub(crate) spirv_extensions: Vec<&'static str>,
    device_extensions: Vec<&'static CStr>,
}

impl Features {
    /// Asks a device of Vulkan 1.2 or later.
    pub(crate) fn query(
        instance: &ash::Instance,
        physical: vk::PhysicalDevice,
        api_version: u32,
        extensions: &[&CStr],
    ) -> Self {
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
        let mut properties = vk::PhysicalDeviceProperties2::default().push_next(&mut subgroup);
        // SAFETY: as above; the structure is core since 1.1.
        unsafe { instance.get_physical_device_properties2(physical, &mut properties) };
        let in_compute = subgroup.supported_stages.contains(vk::ShaderStageFlags::COMPUTE);
        let remarks = || SPIRV_REMARKS.iter().filter(|(name, _)| extensions.contains(name));
        let has = |flag: vk::Bool32| flag == vk::TRUE;
        Self {
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
            device_extensions: remarks().map(|(name, _)| *name).collect(),
        }
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
