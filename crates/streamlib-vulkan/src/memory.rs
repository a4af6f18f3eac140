//! Device memory, shared out by an allocator, and buffers that the host has mapped.
#![allow(unsafe_code, reason = "binds memory and hands out mapped slices")]

use std::ptr::NonNull;
use std::sync::{Arc, PoisonError};

use ash::vk;
use gpu_allocator::vulkan::{
    Allocation, AllocationCreateDesc, AllocationScheme, Allocator, AllocatorCreateDesc,
};
use gpu_allocator::{AllocationError, AllocationSizes, MemoryLocation};
use streamlib_core::sync::Mutex;

use crate::device::Device;
use crate::error::VulkanError;
use crate::fault;
use crate::handle::Owned;

const MIB: u64 = 1 << 20;

/// The allocator of a device.
pub(crate) struct MemoryPool {
    /// Frees its blocks before the device goes.
    allocator: Mutex<Allocator>,
    device: Arc<Device>,
}

impl MemoryPool {
    pub(crate) fn new(device: &Arc<Device>) -> Result<Arc<Self>, VulkanError> {
        // Small blocks at first, so that a small graph does not reserve a quarter of a gigabyte.
        let sizes = AllocationSizes::new(32 * MIB, 8 * MIB)
            .with_max_device_memblock_size(256 * MIB)
            .with_max_host_memblock_size(64 * MIB);
        let allocator = Allocator::new(&AllocatorCreateDesc {
            instance: device.instance().raw().clone(),
            device: device.raw().clone(),
            physical_device: device.physical(),
            debug_settings: gpu_allocator::AllocatorDebugSettings::default(),
            buffer_device_address: false,
            allocation_sizes: sizes,
        })
        .map_err(|error| failure(&error, "preparing", "device memory"))?;
        Ok(Arc::new(Self { allocator: Mutex::new(allocator), device: Arc::clone(device) }))
    }

    fn allocate(self: &Arc<Self>, request: &AllocationCreateDesc<'_>) -> Result<Memory, VulkanError> {
        self.device.check_lost()?;
        if let Some(result) = fault::inject() {
            return Err(self.device.failed("vkAllocateMemory", result));
        }
        let allocation = self
            .allocator
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .allocate(request)
            .map_err(|error| failure(&error, "allocating", request.name))?;
        fault::created("memory");
        Ok(Memory { allocation, pool: Arc::clone(self) })
    }

    /// Allocates memory for `image` and binds it.
    pub(crate) fn back_image(
        self: &Arc<Self>,
        image: &Owned<vk::Image>,
        label: &str,
    ) -> Result<Memory, VulkanError> {
        let device = self.device.raw();
        let mut dedicated = vk::MemoryDedicatedRequirements::default();
        let mut requirements = vk::MemoryRequirements2::default().push_next(&mut dedicated);
        let info = vk::ImageMemoryRequirementsInfo2::default().image(image.raw());
        // SAFETY: the image is alive and of this device.
        unsafe { device.get_image_memory_requirements2(&info, &mut requirements) };
        let requirements = requirements.memory_requirements;
        let own = dedicated.requires_dedicated_allocation | dedicated.prefers_dedicated_allocation;
        let memory = self.allocate(&AllocationCreateDesc {
            name: label,
            requirements,
            location: MemoryLocation::GpuOnly,
            linear: false,
            allocation_scheme: if own == vk::TRUE {
                AllocationScheme::DedicatedImage(image.raw())
            } else {
                AllocationScheme::GpuAllocatorManaged
            },
        })?;
        // SAFETY: the memory was allocated for these requirements, at an offset that meets them
        // (VUID-vkBindImageMemory-memory-01047, -memoryOffset-01048), and the image has none yet (-image-07460).
        self.device.call("vkBindImageMemory", || unsafe {
            device.bind_image_memory(image.raw(), memory.allocation.memory(), memory.allocation.offset())
        })?;
        Ok(memory)
    }
}

/// A piece of device memory, freed on drop.
pub(crate) struct Memory {
    allocation: Allocation,
    pool: Arc<MemoryPool>,
}

impl Drop for Memory {
    fn drop(&mut self) {
        let allocation = std::mem::take(&mut self.allocation);
        let mut allocator = self.pool.allocator.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = allocator.free(allocation) {
            tracing::error!("the allocator refused to free memory: {error}");
        }
        fault::destroyed("memory");
    }
}

/// A buffer whose memory the host has mapped for as long as it lives, coherently.
pub(crate) struct MappedBuffer {
    buffer: Owned<vk::Buffer>,
    start: NonNull<u8>,
    bytes: usize,
    /// After the buffer, which is destroyed first.
    _memory: Memory,
}

// SAFETY: `start` points to memory that belongs to this value and stays mapped; access goes through unsafe functions
// whose callers see to it that it is not raced.
unsafe impl Send for MappedBuffer {}
// SAFETY: as above.
unsafe impl Sync for MappedBuffer {}

impl MappedBuffer {
    /// Creates a buffer of `bytes` (at least 1) zeros.
    pub(crate) fn new(
        pool: &Arc<MemoryPool>,
        label: &str,
        bytes: usize,
        usage: vk::BufferUsageFlags,
        location: MemoryLocation,
    ) -> Result<Self, VulkanError> {
        let device = &pool.device;
        let info = vk::BufferCreateInfo::default().size(bytes as u64).usage(usage);
        let buffer = Owned::new(device, "vkCreateBuffer", |raw| {
            // SAFETY: size and usage are not zero (VUID-VkBufferCreateInfo-size-00912, -usage-requiredbitmask).
            unsafe { raw.create_buffer(&info, None) }
        })?
        .named(label);
        // SAFETY: the buffer is alive and of this device.
        let requirements = unsafe { device.raw().get_buffer_memory_requirements(buffer.raw()) };
        let memory = pool.allocate(&AllocationCreateDesc {
            name: label,
            requirements,
            location,
            linear: true,
            allocation_scheme: AllocationScheme::GpuAllocatorManaged,
        })?;
        // SAFETY: as for images (VUID-vkBindBufferMemory-memory-01035, -memoryOffset-01036, -buffer-07459).
        device.call("vkBindBufferMemory", || unsafe {
            let allocation = &memory.allocation;
            device.raw().bind_buffer_memory(buffer.raw(), allocation.memory(), allocation.offset())
        })?;
        let start = memory
            .allocation
            .mapped_ptr()
            .ok_or(VulkanError::Call { name: "vkMapMemory", result: vk::Result::ERROR_MEMORY_MAP_FAILED })?;
        // SAFETY: the mapping holds at least `bytes` bytes, and nothing uses them yet.
        unsafe { start.cast::<u8>().write_bytes(0, bytes) };
        Ok(Self { buffer, start: start.cast(), bytes, _memory: memory })
    }

    pub(crate) fn raw(&self) -> vk::Buffer {
        self.buffer.raw()
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes
    }

    /// The mapped bytes.
    ///
    /// # Safety
    /// While the slice lives, nothing writes them, neither host nor device.
    pub(crate) unsafe fn bytes(&self) -> &[u8] {
        // SAFETY: mapped and initialised by `new`; not written, as the caller promises.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.bytes) }
    }

    /// The mapped bytes, to be written.
    ///
    /// # Safety
    /// While the slice lives, nothing else reads or writes them, neither host nor device.
    #[allow(
        clippy::mut_from_ref,
        reason = "the caller promises exclusive access, which `&self` cannot express"
    )]
    pub(crate) unsafe fn bytes_mut(&self) -> &mut [u8] {
        // SAFETY: mapped and initialised by `new`; exclusive, as the caller promises.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.bytes) }
    }
}

fn failure(error: &AllocationError, doing: &'static str, label: &str) -> VulkanError {
    tracing::debug!("memory allocator, {doing} `{label}`: {error}");
    VulkanError::OutOfMemory { doing, label: label.to_owned() }
}
