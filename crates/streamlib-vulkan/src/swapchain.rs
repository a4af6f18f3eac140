//! The pictures that a window shows in turn.
#![allow(unsafe_code, reason = "creates swapchains, takes and shows their images")]

use std::sync::Arc;
use std::time::Duration;

use ash::khr;
use ash::vk;

use crate::device::Device;
use crate::error::VulkanError;
use crate::fault;
use crate::handle::Owned;
use crate::surface::Surface;

/// What a swapchain is made for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChainDesc {
    pub(crate) format: vk::SurfaceFormatKHR,
    pub(crate) mode: vk::PresentModeKHR,
    pub(crate) extent: vk::Extent2D,
}

/// A swapchain and what goes with its images. Fields in the order in which they are destroyed.
///
/// Whoever drops it has seen to it that nothing submitted uses it, and that the screen does not wait for its semaphores.
pub(crate) struct Chain {
    /// By image: signalled when it may be shown. Free again when the image has been taken once more.
    drawn: Vec<Owned<vk::Semaphore>>,
    images: Vec<vk::Image>,
    /// By image: whether it was shown.
    shown: Vec<bool>,
    raw: RawChain,
    pub(crate) extent: vk::Extent2D,
}

struct RawChain {
    raw: vk::SwapchainKHR,
    loader: khr::swapchain::Device,
    device: Arc<Device>,
}

/// What became of a call that the window's state can refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer<T> {
    /// Done; whether another swapchain would suit the window better.
    Done(T, bool),
    /// The swapchain does not fit the window any more.
    OutOfDate,
    /// Nothing is free yet.
    NotYet,
}

impl Chain {
    /// A swapchain in the place of `old`, which can show nothing new from then on, also when this fails.
    pub(crate) fn new(
        device: &Arc<Device>,
        surface: &Surface,
        capabilities: &vk::SurfaceCapabilitiesKHR,
        desc: ChainDesc,
        old: Option<&Self>,
    ) -> Result<Self, VulkanError> {
        let most = if capabilities.max_image_count == 0 { u32::MAX } else { capabilities.max_image_count };
        let alphas = [vk::CompositeAlphaFlagsKHR::OPAQUE, vk::CompositeAlphaFlagsKHR::INHERIT];
        let supported = capabilities.supported_composite_alpha;
        let alpha = alphas.into_iter().find(|alpha| supported.contains(*alpha));
        let info = vk::SwapchainCreateInfoKHR::default()
            .surface(surface.raw())
            .min_image_count((capabilities.min_image_count + 1).min(most))
            .image_format(desc.format.format)
            .image_color_space(desc.format.color_space)
            .image_extent(desc.extent)
            .image_array_layers(1)
            .image_usage(vk::ImageUsageFlags::TRANSFER_DST)
            .image_sharing_mode(vk::SharingMode::EXCLUSIVE)
            .pre_transform(capabilities.current_transform)
            .composite_alpha(alpha.unwrap_or(vk::CompositeAlphaFlagsKHR::PRE_MULTIPLIED))
            .present_mode(desc.mode)
            .clipped(true)
            .old_swapchain(old.map_or(vk::SwapchainKHR::null(), |old| old.raw.raw));
        let loader = khr::swapchain::Device::new(device.instance().raw(), device.raw());
        let raw = device.call("vkCreateSwapchainKHR", || {
            // SAFETY: the device supports the surface (VUID-VkSwapchainCreateInfoKHR-surface-01270); count, extent, usage,
            // format, transform and mode are among what it said it takes (-presentMode-02839, -pNext-07781, -imageUsage-01276,
            // -imageFormat-01273, -preTransform-01279, -presentMode-01281); `old` is of the same surface
            // (-oldSwapchain-01933), and this thread alone uses both.
            unsafe { loader.create_swapchain(&info, None) }
        })?;
        fault::created("swapchain");
        let raw = RawChain { raw, loader, device: Arc::clone(device) };
        // SAFETY: the swapchain is alive (VUID-vkGetSwapchainImagesKHR-swapchain-parameter).
        let images =
            device.call("vkGetSwapchainImagesKHR", || unsafe { raw.loader.get_swapchain_images(raw.raw) })?;
        let drawn = images.iter().map(|_| semaphore(device, "drawn")).collect::<Result<Vec<_>, _>>()?;
        let shown = vec![false; images.len()];
        Ok(Self { drawn, images, shown, raw, extent: desc.extent })
    }

    /// Takes an image to draw; `taken` is signalled when the screen has let go of it.
    ///
    /// # Safety
    /// `taken` is unsignalled, and nothing waits for it or is to signal it.
    pub(crate) unsafe fn take(
        &self,
        taken: vk::Semaphore,
        limit: Duration,
    ) -> Result<Answer<usize>, VulkanError> {
        let nanoseconds = u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX - 1);
        let RawChain { raw, loader, device } = &self.raw;
        device.call("vkAcquireNextImageKHR", || {
            // SAFETY: the semaphore as the caller promises (VUID-vkAcquireNextImageKHR-semaphore-01286, -01779); it and the
            // swapchain are used by this thread only. A limit that is not "for ever" lets it fail where too many images are
            // taken (-surface-07783).
            let taken = unsafe { loader.acquire_next_image(*raw, nanoseconds, taken, vk::Fence::null()) };
            match taken {
                Ok((image, is_suboptimal)) => Ok(Answer::Done(image as usize, is_suboptimal)),
                Err(vk::Result::NOT_READY | vk::Result::TIMEOUT) => Ok(Answer::NotYet),
                Err(vk::Result::ERROR_OUT_OF_DATE_KHR) => Ok(Answer::OutOfDate),
                Err(result) => Err(result),
            }
        })
    }

    pub(crate) fn image(&self, index: usize) -> vk::Image {
        self.images[index]
    }

    /// What the drawing of an image has to signal.
    pub(crate) fn drawn(&self, index: usize) -> vk::Semaphore {
        self.drawn[index].raw()
    }

    /// Whether an image was shown before. When it has been taken once more, the screen is past everything that was shown
    /// before it was shown.
    pub(crate) fn was_shown(&self, index: usize) -> bool {
        self.shown[index]
    }

    /// Shows an image when it is drawn.
    ///
    /// # Safety
    /// The caller holds the claim to `queue`; the image was taken, and what was submitted signals its semaphore and leaves it in
    /// the layout for showing.
    pub(crate) unsafe fn show(&mut self, index: usize, queue: vk::Queue) -> Result<Answer<()>, VulkanError> {
        let RawChain { raw, loader, device } = &self.raw;
        let (semaphores, chains, images) = ([self.drawn[index].raw()], [*raw], [index as u32]);
        let info = vk::PresentInfoKHR::default()
            .wait_semaphores(&semaphores)
            .swapchains(&chains)
            .image_indices(&images);
        self.shown[index] = true;
        device.call("vkQueuePresentKHR", || {
            // SAFETY: as the caller promises (VUID-vkQueuePresentKHR-pWaitSemaphores-03268,
            // VUID-VkPresentInfoKHR-pImageIndices-01430); the claim is the external synchronisation of the queue.
            match unsafe { loader.queue_present(queue, &info) } {
                Ok(is_suboptimal) => Ok(Answer::Done((), is_suboptimal)),
                Err(vk::Result::ERROR_OUT_OF_DATE_KHR) => Ok(Answer::OutOfDate),
                Err(result) => Err(result),
            }
        })
    }
}

impl Drop for RawChain {
    fn drop(&mut self) {
        // SAFETY: the holder has seen to it that its images are not in use (VUID-vkDestroySwapchainKHR-swapchain-01282).
        unsafe { self.loader.destroy_swapchain(self.raw, None) };
        fault::destroyed("swapchain");
    }
}

/// A semaphore of two states.
pub(crate) fn semaphore(device: &Arc<Device>, label: &str) -> Result<Owned<vk::Semaphore>, VulkanError> {
    let info = vk::SemaphoreCreateInfo::default();
    let semaphore = Owned::new(device, "vkCreateSemaphore", |raw| {
        // SAFETY: the default structure is valid (VUID-vkCreateSemaphore-pCreateInfo-parameter).
        unsafe { raw.create_semaphore(&info, None) }
    })?;
    Ok(semaphore.named(label))
}
