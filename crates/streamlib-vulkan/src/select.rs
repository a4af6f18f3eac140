//! Which devices there are, what they can do, and which one to take.
#![allow(unsafe_code, reason = "queries of physical devices")]

use std::ffi::CStr;
use std::sync::Arc;

use ash::vk;
use streamlib_core::format::TextureFormat;

use crate::conv;
use crate::error::{Shortfall, VulkanError};
use crate::external::{SharingSupport, sharing_support};
use crate::features::Features;
use crate::instance::{Instance, Validation, call};

/// Which device to use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum DeviceChoice {
    /// The best usable one: discrete before integrated before virtual; a CPU only when there is no other.
    #[default]
    Best,
    /// By place in [`list_devices`].
    Index(usize),
    /// The first whose name contains this, in any case.
    Name(String),
}

/// What kind of hardware a device is, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeviceKind {
    /// A GPU with its own memory.
    Discrete,
    /// A GPU that shares memory with the CPU.
    Integrated,
    /// A GPU of a virtual machine.
    Virtual,
    /// Something that the driver does not name.
    Other,
    /// A software renderer.
    Cpu,
}

/// What a device can do with one texture format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FormatSupport {
    /// Format.
    pub format: TextureFormat,
    /// Kernels can write it (sRGB formats through their linear twin).
    pub storage: bool,
    /// Kernels can sample it with filtering.
    pub sampled: bool,
}

/// What a device is and can do, for people who look for the reason why something does not work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceReport {
    /// The driver's name for the device.
    pub name: String,
    /// Kind of hardware.
    pub kind: DeviceKind,
    /// Driver name and version.
    pub driver: String,
    /// Vulkan major, minor and patch version.
    pub api_version: (u32, u32, u32),
    /// Its address on a PCI bus, as Linux writes it: `0000:17:00.0`. None where it is on no such bus or the driver does not tell.
    pub pci_address: Option<String>,
    /// Whether it has timeline semaphores, which streamlib needs.
    pub timeline: bool,
    /// What it can do with each texture format.
    pub formats: Vec<FormatSupport>,
    /// Whether it can time passes.
    pub timestamps: bool,
    /// Bytes of memory that is the device's own.
    pub memory_bytes: u64,
    /// Extensions for sharing memory that it has.
    pub external_memory: Vec<String>,
    /// Ways in which it shares textures.
    pub sharing: SharingSupport,
    /// Whether streamlib can use it, and why not.
    pub usable: Result<(), Shortfall>,
}

/// A physical device and everything that was asked of it.
pub(crate) struct Candidate {
    pub(crate) physical: vk::PhysicalDevice,
    pub(crate) queue_family: u32,
    /// Queues that the family has.
    pub(crate) queues: u32,
    /// Whether the family has graphics.
    pub(crate) has_graphics: bool,
    /// Valid bits of a timestamp; 0 when there are none.
    pub(crate) timestamp_bits: u32,
    pub(crate) limits: vk::PhysicalDeviceLimits,
    pub(crate) features: Features,
    pub(crate) report: DeviceReport,
}

/// Every Vulkan device of this machine.
///
/// # Errors
/// When there is no Vulkan at all.
pub fn list_devices() -> Result<Vec<DeviceReport>, VulkanError> {
    let instance = Instance::new(Validation::Off)?;
    Ok(candidates(&instance)?.into_iter().map(|c| c.report).collect())
}

/// Takes the device that `choice` means.
pub(crate) fn select(instance: &Arc<Instance>, choice: &DeviceChoice) -> Result<Candidate, VulkanError> {
    let mut all = candidates(instance)?;
    let index = match choice {
        DeviceChoice::Index(index) => Some(*index),
        DeviceChoice::Name(part) => {
            let part = part.to_lowercase();
            all.iter().position(|c| c.report.name.to_lowercase().contains(&part))
        }
        DeviceChoice::Best => {
            let usable = all.iter().enumerate().filter(|(_, c)| c.report.usable.is_ok());
            let Some((index, _)) = usable.min_by_key(|(_, c)| c.report.kind) else {
                let reason = |c: &Candidate| match &c.report.usable {
                    Ok(()) => c.report.name.clone(),
                    Err(shortfall) => format!("{} lacks {shortfall}", c.report.name),
                };
                let found = all.iter().map(reason).collect();
                return Err(VulkanError::NoDevice { found });
            };
            Some(index)
        }
    };
    match index {
        Some(index) if index < all.len() => {
            let chosen = all.swap_remove(index);
            match &chosen.report.usable {
                Ok(()) => Ok(chosen),
                Err(shortfall) => Err(VulkanError::MissingFeature {
                    device: chosen.report.name.clone(),
                    shortfall: shortfall.clone(),
                }),
            }
        }
        _ => Err(VulkanError::NoSuchDevice {
            asked: match choice {
                DeviceChoice::Index(index) => index.to_string(),
                DeviceChoice::Name(name) => format!("named `{name}`"),
                DeviceChoice::Best => "at all".to_owned(),
            },
            found: all.into_iter().map(|c| c.report.name).collect(),
        }),
    }
}

fn candidates(instance: &Instance) -> Result<Vec<Candidate>, VulkanError> {
    // SAFETY: the instance is alive.
    let devices =
        call("vkEnumeratePhysicalDevices", || unsafe { instance.raw().enumerate_physical_devices() })?;
    devices.into_iter().map(|physical| examine(instance, physical)).collect()
}

fn examine(instance: &Instance, physical: vk::PhysicalDevice) -> Result<Candidate, VulkanError> {
    let raw = instance.raw();
    // SAFETY: `physical` was enumerated from this instance.
    let plain = unsafe { raw.get_physical_device_properties(physical) };
    let api_version = plain.api_version.min(instance.api_version());
    // SAFETY: as above.
    let extensions = call("vkEnumerateDeviceExtensionProperties", || unsafe {
        raw.enumerate_device_extension_properties(physical)
    })?;
    let extensions: Vec<&CStr> =
        extensions.iter().filter_map(|extension| extension.extension_name_as_c_str().ok()).collect();
    // SAFETY: as above.
    let families = unsafe { raw.get_physical_device_queue_family_properties(physical) };
    let with_compute =
        || (0u32..).zip(&families).filter(|(_, family)| family.queue_flags.contains(vk::QueueFlags::COMPUTE));
    let family =
        with_compute().find(|(_, family)| family.timestamp_valid_bits > 0).or_else(|| with_compute().next());
    let (queue_family, timestamp_bits) = family.map_or((0, 0), |(i, f)| (i, f.timestamp_valid_bits));
    let queues = family.map_or(0, |(_, family)| family.queue_count);
    let has_graphics =
        family.is_some_and(|(_, family)| family.queue_flags.contains(vk::QueueFlags::GRAPHICS));
    // SAFETY: as above.
    let memory = unsafe { raw.get_physical_device_memory_properties(physical) };
    let local = |heap: &&vk::MemoryHeap| heap.flags.contains(vk::MemoryHeapFlags::DEVICE_LOCAL);

    let version = (vk::api_version_major(api_version), vk::api_version_minor(api_version));
    let is_modern = version >= (1, 2);
    let features = if is_modern {
        Features::query(instance, physical, api_version, &extensions)?
    } else {
        Features::default()
    };
    let formats = formats(raw, physical);
    let usable = if !is_modern {
        let needed = (1, 2);
        Err(Shortfall::ApiVersion { needed, found: version })
    } else if family.is_none() {
        Err(Shortfall::ComputeQueue)
    } else if !features.timeline {
        Err(Shortfall::Feature("timelineSemaphore"))
    } else if !features.write_without_format {
        Err(Shortfall::Feature("shaderStorageImageWriteWithoutFormat"))
    } else {
        Ok(())
    };
    let name = plain
        .device_name_as_c_str()
        .map_or_else(|_| "unnamed device".to_owned(), |name| name.to_string_lossy().into_owned());
    let report = DeviceReport {
        name,
        kind: match plain.device_type {
            vk::PhysicalDeviceType::DISCRETE_GPU => DeviceKind::Discrete,
            vk::PhysicalDeviceType::INTEGRATED_GPU => DeviceKind::Integrated,
            vk::PhysicalDeviceType::VIRTUAL_GPU => DeviceKind::Virtual,
            vk::PhysicalDeviceType::CPU => DeviceKind::Cpu,
            _ => DeviceKind::Other,
        },
        driver: if is_modern { driver(raw, physical) } else { String::new() },
        api_version: (version.0, version.1, vk::api_version_patch(plain.api_version)),
        pci_address: (is_modern && extensions.contains(&ash::ext::pci_bus_info::NAME))
            .then(|| pci_address(raw, physical)),
        timeline: features.timeline,
        formats,
        timestamps: timestamp_bits > 0,
        memory_bytes: memory.memory_heaps_as_slice().iter().filter(local).map(|heap| heap.size).sum(),
        external_memory: extensions
            .iter()
            .map(|name| name.to_string_lossy())
            .filter(|name| name.contains("external_") || name.contains("image_drm_format_modifier"))
            .map(std::borrow::Cow::into_owned)
            .collect(),
        sharing: sharing_support((raw, physical, features.exchange)),
        usable,
    };
    let limits = plain.limits;
    Ok(Candidate { physical, queue_family, queues, has_graphics, timestamp_bits, limits, features, report })
}

/// Name and version of the driver of a Vulkan 1.2 device.
fn driver(instance: &ash::Instance, physical: vk::PhysicalDevice) -> String {
    let mut driver = vk::PhysicalDeviceDriverProperties::default();
    let mut properties = vk::PhysicalDeviceProperties2::default().push_next(&mut driver);
    // SAFETY: `physical` belongs to `instance`, and the chained structure is core since 1.2.
    unsafe { instance.get_physical_device_properties2(physical, &mut properties) };
    let text = |name: Result<&CStr, _>| {
        name.map_or_else(|_| String::new(), |n: &CStr| n.to_string_lossy().into_owned())
    };
    let name = text(driver.driver_name_as_c_str());
    let info = text(driver.driver_info_as_c_str());
    format!("{name} {info}").trim().to_owned()
}

/// Where a device is whose extensions have `VK_EXT_pci_bus_info`.
fn pci_address(instance: &ash::Instance, physical: vk::PhysicalDevice) -> String {
    let mut pci = vk::PhysicalDevicePCIBusInfoPropertiesEXT::default();
    let mut properties = vk::PhysicalDeviceProperties2::default().push_next(&mut pci);
    // SAFETY: `physical` belongs to `instance` and has the extension of the chained structure.
    unsafe { instance.get_physical_device_properties2(physical, &mut properties) };
    let vk::PhysicalDevicePCIBusInfoPropertiesEXT { pci_domain, pci_bus, pci_device, pci_function, .. } = pci;
    format!("{pci_domain:04x}:{pci_bus:02x}:{pci_device:02x}.{pci_function}")
}

/// What kernels and copies need of an image of a storage format.
const STORAGE: vk::FormatFeatureFlags = vk::FormatFeatureFlags::from_raw(
    vk::FormatFeatureFlags::STORAGE_IMAGE.as_raw()
        | vk::FormatFeatureFlags::TRANSFER_SRC.as_raw()
        | vk::FormatFeatureFlags::TRANSFER_DST.as_raw(),
);
/// What samplers need.
const SAMPLED: vk::FormatFeatureFlags = vk::FormatFeatureFlags::from_raw(
    vk::FormatFeatureFlags::SAMPLED_IMAGE.as_raw()
        | vk::FormatFeatureFlags::SAMPLED_IMAGE_FILTER_LINEAR.as_raw(),
);

fn formats(instance: &ash::Instance, physical: vk::PhysicalDevice) -> Vec<FormatSupport> {
    let features = |format| {
        // SAFETY: `physical` belongs to `instance`.
        let properties = unsafe { instance.get_physical_device_format_properties(physical, format) };
        properties.optimal_tiling_features
    };
    let support = |format: TextureFormat| FormatSupport {
        format,
        storage: features(conv::storage_format(format)).contains(STORAGE),
        sampled: features(conv::sampled_format(format)).contains(SAMPLED),
    };
    TextureFormat::ALL.into_iter().map(support).collect()
}
