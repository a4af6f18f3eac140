//! A window as Vulkan sees it: what its system shows, and how.
#![allow(unsafe_code, reason = "creates and queries surfaces")]

use std::sync::Arc;

use ash::khr;
use ash::vk;
use raw_window_handle::{HasDisplayHandle, HasWindowHandle, RawDisplayHandle, RawWindowHandle};
use streamlib_core::format::Size;

use crate::device::Device;
use crate::error::{VulkanError, WindowProblem};
use crate::fault;

/// A window that can be shown in: it and the connection to its window system are there for as long as this value is.
pub trait WindowHandles: HasWindowHandle + HasDisplayHandle + Send + Sync {}

impl<W: HasWindowHandle + HasDisplayHandle + Send + Sync> WindowHandles for W {}

/// A surface. The window lives at least as long.
pub(crate) struct Surface {
    raw: vk::SurfaceKHR,
    loader: khr::surface::Instance,
    is_wayland: bool,
    device: Arc<Device>,
    _window: Arc<dyn WindowHandles>,
}

impl Surface {
    /// Makes a window one that `device` can show in.
    pub(crate) fn new(device: &Arc<Device>, window: Arc<dyn WindowHandles>) -> Result<Self, VulkanError> {
        let refused = |problem| Err(VulkanError::Window { device: device.report().name.clone(), problem });
        if !device.features().swapchain {
            return refused(WindowProblem::NoSwapchain);
        }
        if !device.can_blit() {
            return refused(WindowProblem::Queue);
        }
        let raw = create(device, &*window)?;
        fault::created("surface");
        let loader = khr::surface::Instance::new(device.instance().entry(), device.instance().raw());
        let handle = window.window_handle().map(|handle| handle.as_raw());
        let is_wayland = matches!(handle, Ok(RawWindowHandle::Wayland(_)));
        let surface = Self { raw, loader, is_wayland, device: Arc::clone(device), _window: window };
        let family = device.queue_family();
        let is_supported = device.call("vkGetPhysicalDeviceSurfaceSupportKHR", || {
            // SAFETY: the family exists (VUID-vkGetPhysicalDeviceSurfaceSupportKHR-queueFamilyIndex-01269), and device and
            // surface belong to one instance (-commonparent).
            unsafe {
                surface.loader.get_physical_device_surface_support(device.physical(), family, surface.raw)
            }
        })?;
        if is_supported { Ok(surface) } else { refused(WindowProblem::Queue) }
    }

    pub(crate) fn raw(&self) -> vk::SurfaceKHR {
        self.raw
    }

    /// What the window takes at this moment.
    pub(crate) fn capabilities(&self) -> Result<vk::SurfaceCapabilitiesKHR, VulkanError> {
        self.device.call("vkGetPhysicalDeviceSurfaceCapabilitiesKHR", || {
            // SAFETY: the device supports the surface, as `new` has found
            // (VUID-vkGetPhysicalDeviceSurfaceCapabilitiesKHR-surface-06211).
            unsafe { self.loader.get_physical_device_surface_capabilities(self.device.physical(), self.raw) }
        })
    }

    /// A format that takes values as textures hold them.
    pub(crate) fn format(&self) -> Result<vk::SurfaceFormatKHR, VulkanError> {
        let formats = self.device.call("vkGetPhysicalDeviceSurfaceFormatsKHR", || {
            // SAFETY: as above (VUID-vkGetPhysicalDeviceSurfaceFormatsKHR-surface-06525).
            unsafe { self.loader.get_physical_device_surface_formats(self.device.physical(), self.raw) }
        })?;
        // A blit into an sRGB format would encode what is encoded already.
        let known = [vk::Format::B8G8R8A8_UNORM, vk::Format::R8G8B8A8_UNORM];
        let is_fit = |found: &&vk::SurfaceFormatKHR| {
            known.contains(&found.format)
                && found.color_space == vk::ColorSpaceKHR::SRGB_NONLINEAR
                && self.device.format_features(found.format).contains(vk::FormatFeatureFlags::BLIT_DST)
        };
        formats.iter().find(is_fit).copied().ok_or_else(|| VulkanError::Window {
            device: self.device.report().name.clone(),
            problem: WindowProblem::Format,
        })
    }

    /// How pictures are to follow each other: `FIFO`, which every device has, waits for the screen; the others let a new
    /// picture take the place of one that waits.
    ///
    /// On Wayland none of them tears, and with `FIFO` Mesa's drivers show nothing, and return from nothing, for as long as the
    /// window is hidden: the engine's queue must not wait for that.
    pub(crate) fn mode(&self, waits_for_screen: bool) -> Result<vk::PresentModeKHR, VulkanError> {
        let modes = self.device.call("vkGetPhysicalDeviceSurfacePresentModesKHR", || {
            // SAFETY: as above (VUID-vkGetPhysicalDeviceSurfacePresentModesKHR-surface-06525).
            unsafe { self.loader.get_physical_device_surface_present_modes(self.device.physical(), self.raw) }
        })?;
        let wanted: &[_] = match (waits_for_screen, self.is_wayland) {
            (false, _) => &[vk::PresentModeKHR::MAILBOX, vk::PresentModeKHR::IMMEDIATE],
            (true, true) => &[vk::PresentModeKHR::MAILBOX],
            (true, false) => &[],
        };
        let found = wanted.iter().find(|mode| modes.contains(mode));
        Ok(found.copied().unwrap_or(vk::PresentModeKHR::FIFO))
    }
}

impl Drop for Surface {
    fn drop(&mut self) {
        // SAFETY: created by `new`; swapchains are dropped before (VUID-vkDestroySurfaceKHR-surface-01266), and the window still
        // exists.
        unsafe { self.loader.destroy_surface(self.raw, None) };
        fault::destroyed("surface");
    }
}

fn create(device: &Device, window: &dyn WindowHandles) -> Result<vk::SurfaceKHR, VulkanError> {
    let refused = |problem| VulkanError::Window { device: device.report().name.clone(), problem };
    let gone = |error: raw_window_handle::HandleError| refused(WindowProblem::Handle(error.to_string()));
    let window_handle = window.window_handle().map_err(gone)?;
    let display_handle = window.display_handle().map_err(gone)?;
    let instance = device.instance();
    let (entry, raw, systems) = (instance.entry(), instance.raw(), instance.window_systems());
    let without = |system| Err(refused(WindowProblem::System(system)));
    match (window_handle.as_raw(), display_handle.as_raw()) {
        (RawWindowHandle::Xlib(window), RawDisplayHandle::Xlib(display)) => {
            let Some(connection) = display.display.filter(|_| systems.xlib) else { return without("X11") };
            let info =
                vk::XlibSurfaceCreateInfoKHR::default().dpy(connection.as_ptr().cast()).window(window.window);
            let loader = khr::xlib_surface::Instance::new(entry, raw);
            // SAFETY: the handles were lent for longer than the call, so that they are valid
            // (VUID-VkXlibSurfaceCreateInfoKHR-dpy-01313, -window-01314); the owner of the window lives as long as the surface.
            device.call("vkCreateXlibSurfaceKHR", || unsafe { loader.create_xlib_surface(&info, None) })
        }
        (RawWindowHandle::Xcb(window), RawDisplayHandle::Xcb(display)) => {
            let Some(connection) = display.connection.filter(|_| systems.xcb) else { return without("X11") };
            let info = vk::XcbSurfaceCreateInfoKHR::default()
                .connection(connection.as_ptr().cast())
                .window(window.window.get());
            let loader = khr::xcb_surface::Instance::new(entry, raw);
            // SAFETY: as above (VUID-VkXcbSurfaceCreateInfoKHR-connection-01310, -window-01311).
            device.call("vkCreateXcbSurfaceKHR", || unsafe { loader.create_xcb_surface(&info, None) })
        }
        (RawWindowHandle::Wayland(window), RawDisplayHandle::Wayland(display)) if systems.wayland => {
            let info = vk::WaylandSurfaceCreateInfoKHR::default()
                .display(display.display.as_ptr().cast())
                .surface(window.surface.as_ptr().cast());
            let loader = khr::wayland_surface::Instance::new(entry, raw);
            // SAFETY: as above (VUID-VkWaylandSurfaceCreateInfoKHR-display-01304, -surface-01305).
            device.call("vkCreateWaylandSurfaceKHR", || unsafe { loader.create_wayland_surface(&info, None) })
        }
        (RawWindowHandle::Wayland(_), _) => without("Wayland"),
        (..) => without("this kind"),
    }
}

/// The size that pictures for a window need, within what its system allows; `None` for a window without area.
pub(crate) fn extent(capabilities: &vk::SurfaceCapabilitiesKHR, window: Size) -> Option<vk::Extent2D> {
    let (least, greatest) = (capabilities.min_image_extent, capabilities.max_image_extent);
    let extent = match capabilities.current_extent {
        // The window takes the size of what is shown in it.
        vk::Extent2D { width: u32::MAX, .. } => vk::Extent2D {
            width: window.width.max(least.width).min(greatest.width),
            height: window.height.max(least.height).min(greatest.height),
        },
        known => known,
    };
    (window.width > 0 && window.height > 0 && extent.width > 0 && extent.height > 0).then_some(extent)
}
