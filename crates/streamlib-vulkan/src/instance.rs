//! The Vulkan instance, with validation and its messages.
#![allow(unsafe_code, reason = "creates and destroys the instance")]

use std::ffi::{CStr, c_char};
use std::sync::{Arc, OnceLock};

use ash::ext::debug_utils;
use ash::khr::{surface, wayland_surface, xcb_surface, xlib_surface};
use ash::prelude::VkResult;
use ash::{Entry, vk};

use crate::debug::{MessageCount, messenger_info};
use crate::endings;
use crate::error::VulkanError;
use crate::fault;

/// Whether the validation layer checks every call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Validation {
    /// As the environment variable `STREAMLIB_VALIDATION` says (`1` or `0`); without it, in debug builds only.
    #[default]
    Auto,
    /// Yes, where the layer is installed.
    On,
    /// Yes, where the layer is installed, and missing barriers are looked for too.
    Synchronization,
    /// No.
    Off,
}

impl Validation {
    fn is_on(self) -> bool {
        match self {
            Self::Auto => match std::env::var("STREAMLIB_VALIDATION").as_deref() {
                Ok("1") => true,
                Ok("0") => false,
                _ => cfg!(debug_assertions),
            },
            Self::On | Self::Synchronization => true,
            Self::Off => false,
        }
    }
}

const VALIDATION_LAYER: &CStr = c"VK_LAYER_KHRONOS_validation";

/// Makes a Vulkan call that needs no device.
pub(crate) fn call<T>(name: &'static str, call: impl FnOnce() -> VkResult<T>) -> Result<T, VulkanError> {
    endings::note_thread();
    fault::inject().map_or_else(call, Err).map_err(|result| VulkanError::from_result(name, result))
}

/// An instance, its messenger, and the loader that they came from.
pub(crate) struct Instance {
    messenger: Option<(debug_utils::Instance, vk::DebugUtilsMessengerEXT)>,
    raw: ash::Instance,
    messages: Box<MessageCount>,
    /// The version that both the loader and this crate know.
    api_version: u32,
    has_debug_utils: bool,
    window_systems: WindowSystems,
    entry: &'static Entry,
}

/// Window systems that the environment names, and the loader and some driver know. A layer of Mesa's connects to those that are
/// switched on, and complains on standard error where it cannot.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct WindowSystems {
    pub(crate) xlib: bool,
    pub(crate) xcb: bool,
    pub(crate) wayland: bool,
}

impl WindowSystems {
    pub(crate) const fn any(self) -> bool {
        self.xlib || self.xcb || self.wayland
    }

    /// Those that are among `has`, where there are surfaces at all.
    fn find(has: impl Fn(&CStr) -> bool) -> Self {
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let (x11, wayland) = (is_set("DISPLAY"), is_set("WAYLAND_DISPLAY") || is_set("WAYLAND_SOCKET"));
        let has = |name| has(surface::NAME) && has(name);
        Self {
            xlib: x11 && has(xlib_surface::NAME),
            xcb: x11 && has(xcb_surface::NAME),
            wayland: wayland && has(wayland_surface::NAME),
        }
    }

    /// The extensions that they take.
    fn extensions(self) -> impl Iterator<Item = *const c_char> {
        let all = [
            (self.any(), surface::NAME),
            (self.xlib, xlib_surface::NAME),
            (self.xcb, xcb_surface::NAME),
            (self.wayland, wayland_surface::NAME),
        ];
        all.into_iter().filter(|(has, _)| *has).map(|(_, name)| name.as_ptr())
    }
}

/// The system's Vulkan loader, loaded once, with a bare instance that is never destroyed. That keeps the drivers loaded as
/// well: an H100's refuses to start after it has been unloaded and loaded some dozens of times in one process.
fn loader() -> Result<&'static Entry, VulkanError> {
    static LOADER: OnceLock<Result<Entry, String>> = OnceLock::new();
    let loaded = LOADER.get_or_init(|| {
        endings::watch();
        // SAFETY: loading the system's Vulkan loader runs its initialisers, which are made for that.
        let entry = unsafe { Entry::load() }.map_err(|error| error.to_string())?;
        // SAFETY: the default structure asks for nothing (VUID-vkCreateInstance-pCreateInfo-parameter). A failure is met
        // again, and reported, by the instance that is wanted.
        let _kept = unsafe { entry.create_instance(&vk::InstanceCreateInfo::default(), None) };
        Ok(entry)
    });
    loaded.as_ref().map_err(|reason: &String| VulkanError::NoLoader { reason: reason.clone() })
}

/// The Vulkan version that the installed validation layer is of; `None` where there is no layer.
///
/// Version 1.3.239 (Debian 12) corrupts its own tables when one thread records while others create and destroy: the same
/// program, on the same driver, crashes with it in one run of four and not at all with 1.4.309. Programs of several threads
/// do without it.
#[must_use]
pub fn validation_layer() -> Option<(u32, u32, u32)> {
    let entry = loader().ok()?;
    // SAFETY: the entry points are loaded.
    let layers = unsafe { entry.enumerate_instance_layer_properties() }.ok()?;
    let layer = layers.iter().find(|layer| layer.layer_name_as_c_str() == Ok(VALIDATION_LAYER))?;
    let version = layer.spec_version;
    Some((vk::api_version_major(version), vk::api_version_minor(version), vk::api_version_patch(version)))
}

impl Instance {
    /// Loads the loader and creates an instance.
    pub(crate) fn new(validation: Validation) -> Result<Arc<Self>, VulkanError> {
        let entry = loader()?;
        // SAFETY: the entry points were just loaded.
        let loader_version =
            call("vkEnumerateInstanceVersion", || unsafe { entry.try_enumerate_instance_version() })?
                .unwrap_or(vk::API_VERSION_1_0);
        let api_version = loader_version.min(vk::API_VERSION_1_3);
        let layers = call("vkEnumerateInstanceLayerProperties", || {
            // SAFETY: as above.
            unsafe { entry.enumerate_instance_layer_properties() }
        })?;
        let has_layer = layers.iter().any(|layer| layer.layer_name_as_c_str() == Ok(VALIDATION_LAYER));
        if validation.is_on() && !has_layer {
            tracing::warn!(
                "Vulkan validation is on, but the layer is not installed: `apt install vulkan-validationlayers`"
            );
        }
        let validate = validation.is_on() && has_layer;
        let synchronization = validate && validation == Validation::Synchronization;
        let extensions = call("vkEnumerateInstanceExtensionProperties", || {
            // SAFETY: as above.
            unsafe { entry.enumerate_instance_extension_properties(None) }
        })?;
        let has = |name: &CStr| extensions.iter().any(|known| known.extension_name_as_c_str() == Ok(name));
        let (has_debug_utils, window_systems) = (has(debug_utils::NAME), WindowSystems::find(has));

        let mut enabled: Vec<_> = window_systems.extensions().collect();
        if has_debug_utils {
            enabled.push(debug_utils::NAME.as_ptr());
        }
        if synchronization {
            enabled.push(ash::ext::validation_features::NAME.as_ptr());
        }
        let application = vk::ApplicationInfo::default()
            .application_name(c"streamlib")
            .engine_name(c"streamlib")
            .api_version(api_version);
        let enabled_layers = if validate { vec![VALIDATION_LAYER.as_ptr()] } else { vec![] };
        let checks = [vk::ValidationFeatureEnableEXT::SYNCHRONIZATION_VALIDATION];
        let mut features = vk::ValidationFeaturesEXT::default().enabled_validation_features(&checks);
        let mut info = vk::InstanceCreateInfo::default()
            .application_info(&application)
            .enabled_layer_names(&enabled_layers)
            .enabled_extension_names(&enabled);
        if synchronization {
            info = info.push_next(&mut features);
        }
        // SAFETY: layers and extensions were found above (VUID-vkCreateInstance-ppEnabledExtensionNames-01388);
        // everything that `info` points to lives until the call returns.
        let raw =
            call("vkCreateInstance", || unsafe { entry.create_instance(&info, None) }).map_err(|error| {
                match error {
                    // The loader's way to say that it found no driver at all.
                    VulkanError::Call { result: vk::Result::ERROR_INCOMPATIBLE_DRIVER, .. } => {
                        VulkanError::NoDevice { found: vec![] }
                    }
                    other => other,
                }
            })?;
        fault::created("instance");
        let messages = Box::default();
        let mut instance =
            Self { messenger: None, raw, messages, api_version, has_debug_utils, window_systems, entry };
        if has_debug_utils {
            instance.create_messenger()?;
        }
        Ok(Arc::new(instance))
    }

    fn create_messenger(&mut self) -> Result<(), VulkanError> {
        let loader = debug_utils::Instance::new(self.entry, &self.raw);
        let info = messenger_info(&self.messages);
        // SAFETY: the extension is enabled; the box that `info` points to is freed after the messenger is destroyed.
        let messenger = call("vkCreateDebugUtilsMessengerEXT", || unsafe {
            loader.create_debug_utils_messenger(&info, None)
        })?;
        fault::created("messenger");
        self.messenger = Some((loader, messenger));
        Ok(())
    }

    pub(crate) fn raw(&self) -> &ash::Instance {
        &self.raw
    }

    pub(crate) fn entry(&self) -> &Entry {
        self.entry
    }

    pub(crate) fn api_version(&self) -> u32 {
        self.api_version
    }

    pub(crate) fn has_debug_utils(&self) -> bool {
        self.has_debug_utils
    }

    pub(crate) fn window_systems(&self) -> WindowSystems {
        self.window_systems
    }

    /// Warnings and errors of the validation layer so far.
    pub(crate) fn validation_messages(&self) -> u64 {
        self.messages.get()
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if let Some((loader, messenger)) = self.messenger.take() {
            // SAFETY: created by this instance, destroyed once.
            unsafe { loader.destroy_debug_utils_messenger(messenger, None) };
            fault::destroyed("messenger");
        }
        // SAFETY: every device keeps an `Arc` of this, so all children are gone (VUID-vkDestroyInstance-instance-00629).
        unsafe { self.raw.destroy_instance(None) };
        fault::destroyed("instance");
    }
}
