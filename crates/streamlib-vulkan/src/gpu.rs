//! The contract of `streamlib-core`, met by Vulkan.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use streamlib_core::format::{Size, TextureFormat};
use streamlib_core::gpu::{
    Calibration, Command, DeviceInfo, Gpu, HostBufferUse, KernelDesc, Sharing, TextureDesc,
};

use crate::buffer::HostBuffer;
use crate::check;
use crate::device::Device;
use crate::error::VulkanError;
use crate::external::{
    self, DmaBuf, DmaBufAccess, DmaBufUse, PeerTimeline, SharedTexture, SharedTimeline, SharingKind,
};
use crate::instance::{Instance, Validation};
use crate::kernel::Kernel;
use crate::memory::MemoryPool;
use crate::parts::Parts;
use crate::place::Scaling;
use crate::prepare::Preparations;
use crate::queue::Queue;
use crate::recording::Recording;
use crate::retire::RetireQueue;
use crate::scanout::Scanout;
use crate::screen::{Screen, ScreenOptions};
use crate::select::{DeviceChoice, DeviceKind, DeviceReport, select};
use crate::submit::submit;
use crate::surface::WindowHandles;
use crate::texture::Texture;
use crate::timeline::Timeline;

/// Which device to open, and how.
#[derive(Clone, Debug, Default)]
pub struct DeviceOptions {
    /// Which device.
    pub choice: DeviceChoice,
    /// Whether the validation layer checks every call.
    pub validation: Validation,
}

/// A Vulkan device with one queue, and one more for windows where it has it.
///
/// Dropping it waits for what was submitted; handles that still exist stay valid but can no longer be submitted. What was
/// dropped while in use is destroyed later: when something is created, recorded or dropped in use, never by the frame path.
pub struct VulkanGpu {
    info: DeviceInfo,
    retired: Arc<RetireQueue<Parts>>,
    preparations: Arc<Preparations>,
    timeline: Arc<Timeline>,
    /// Reaches the same values, for other processes to wait for, once one may want to. Nothing here waits for it, since they
    /// could make it reach any.
    produced: OnceLock<Arc<Timeline>>,
    queue: Arc<Queue>,
    /// The same one where the device has no second.
    window_queue: Arc<Queue>,
    memory: Arc<MemoryPool>,
    device: Arc<Device>,
}

impl VulkanGpu {
    /// Opens a device.
    ///
    /// # Errors
    /// When there is no Vulkan, no such device, or the device lacks something that streamlib needs.
    pub fn new(options: &DeviceOptions) -> Result<Self, VulkanError> {
        let instance = Instance::new(options.validation)?;
        let chosen = select(&instance, &options.choice)?;
        let device = Device::new(&instance, chosen)?;
        let memory = MemoryPool::new(&device)?;
        let timeline = Timeline::new(&device, "timeline")?;
        let queue = Queue::new(&device, device.queue());
        let second = device.window_queue().map(|raw| Queue::new(&device, raw));
        let window_queue = second.unwrap_or_else(|| Arc::clone(&queue));
        let preparations = Arc::new(Preparations::new(&device, &queue)?);
        let report = device.report();
        let info = DeviceInfo {
            name: report.name.clone(),
            is_cpu: report.kind == DeviceKind::Cpu,
            max_texture_size: device.limits().max_image_dimension2_d,
            pci_address: report.pci_address.clone(),
        };
        if info.is_cpu {
            tracing::info!(device = info.name, "no GPU is in use: Vulkan runs on the CPU, many times slower");
        }
        let retired = Arc::new(RetireQueue::new());
        let produced = OnceLock::new();
        Ok(Self { info, retired, preparations, timeline, produced, queue, window_queue, memory, device })
    }

    /// A screen that shows textures of this device in a window.
    ///
    /// # Errors
    /// When the device cannot show in that window, or memory runs out.
    pub fn open_screen<H>(
        &self,
        window: Arc<dyn WindowHandles>,
        options: ScreenOptions,
    ) -> Result<Screen<H>, VulkanError> {
        self.device.check_lost()?;
        Screen::new(&self.device, &self.window_queue, &self.timeline, window, options)
    }

    /// Takes the buffers of a screen, to draw textures of this device into them. They are of 32-bit formats and not read here.
    ///
    /// # Errors
    /// When a buffer is no such DMA-BUF, the device cannot draw into it, or memory runs out. The descriptors are closed then.
    pub fn open_scanout<H>(&self, buffers: Vec<DmaBuf>, scaling: Scaling) -> Result<Scanout<H>, VulkanError> {
        self.device.check_lost()?;
        Scanout::new(&self.device, (&self.window_queue, &self.timeline), buffers, scaling)
    }

    /// Creates a texture of zeros whose memory can be handed out, as `kind` or, if that is left open, as what the device does
    /// best. In every other way it is a texture like those of [`create_texture`](Gpu::create_texture).
    ///
    /// # Errors
    /// When the size or format is not supported, the device hands out no such textures, or memory runs out.
    pub fn create_shared_texture(
        &self,
        desc: &TextureDesc<'_>,
        kind: Option<SharingKind>,
    ) -> Result<Texture, VulkanError> {
        self.collect();
        external::create_shared_texture(&self.device, &self.preparations, desc, kind)
    }

    /// Those of the format modifiers `modifiers`, which a screen shows, with which this device writes textures of that format and
    /// size: [`create_scanout_texture`](Gpu::create_scanout_texture) makes such. None where it hands out no DMA-BUFs.
    #[must_use]
    pub fn scanout_modifiers(&self, format: TextureFormat, size: Size, modifiers: &[u64]) -> Vec<u64> {
        external::scanout_modifiers(&self.device, (format, size), modifiers)
    }

    /// What another process needs to have a texture of [`create_shared_texture`](Self::create_shared_texture) as well, with a
    /// descriptor of its own each time.
    ///
    /// The memory stays for as long as anybody has the descriptor or the texture. The texture is in layout `GENERAL` on all
    /// sides and no barrier is owed to the others; what it holds at which moment is for the sides to agree upon: read only what was
    /// waited for ([`wait`](Gpu::wait)) before it was announced, and write only when all who read have said that they are done.
    ///
    /// # Errors
    /// When it was created otherwise, or the device is lost.
    pub fn share(&self, texture: &Texture) -> Result<SharedTexture, VulkanError> {
        check::own_texture(&self.device, texture)?;
        external::share(&self.preparations, texture)
    }

    /// Makes a texture of what another process has handed out. It holds what the other has written, and may be read and written
    /// like any other texture. The answer does not wait for the GPU.
    ///
    /// # Errors
    /// When anything that was said about it cannot be true or does not fit this device, or the driver refuses the memory. The
    /// descriptor is closed then.
    pub fn import_texture(&self, label: &str, shared: SharedTexture) -> Result<Texture, VulkanError> {
        self.collect();
        external::import_texture(&self.device, &self.preparations, label, shared)
    }

    /// What another process needs to wait by itself for what is submitted here from now on, with a descriptor of its own each
    /// time: a timeline that reaches the value of each submission ([`submit`](Gpu::submit)) when that is done. None where the
    /// device shares no timelines.
    ///
    /// # Errors
    /// When the device is lost.
    pub fn share_timeline(&self) -> Result<Option<SharedTimeline>, VulkanError> {
        self.device.check_lost()?;
        if self.produced.get().is_none()
            && let Some(timeline) = external::create_shared_timeline(&self.device)?
        {
            // Another thread may have been faster.
            let _first_counts = self.produced.set(timeline);
        }
        self.produced.get().map(|timeline| external::share_timeline(&self.device, timeline)).transpose()
    }

    /// Takes the timeline of another process.
    ///
    /// # Errors
    /// When it is none of this device, or the driver refuses it. The descriptor is closed then.
    pub fn import_timeline(&self, label: &str, shared: SharedTimeline) -> Result<PeerTimeline, VulkanError> {
        self.device.check_lost()?;
        external::import_timeline(&self.device, label, shared)
    }

    /// Makes a texture of one plane of a buffer that some driver has allocated, such as a camera's. It keeps what it holds,
    /// and shows what is written there later.
    ///
    /// # Errors
    /// When the buffer is smaller than was said, or no DMA-BUF; when the device does not take such images, or memory runs out.
    /// The descriptor is closed then.
    pub fn import_dma_buf(
        &self,
        label: &str,
        buffer: DmaBuf,
        purpose: DmaBufUse,
    ) -> Result<Texture, VulkanError> {
        self.collect();
        external::import_dma_buf(&self.device, &self.preparations, label, (buffer, purpose))
    }

    /// Lets what is submitted from now on come after what others still do with a DMA-BUF: the drivers of whoever gave it, or was
    /// given it, attach fences to it for as long as they work on it. The device waits where it can: then this does not, and
    /// everything on its queue waits along, so that it is for buffers of those who can be relied on to finish. Elsewhere this thread
    /// waits, for `limit` at most. One system call when nothing is under way, none for a texture that nobody else has as a DMA-BUF.
    ///
    /// # Errors
    /// [`SharingProblem::InUse`](crate::SharingProblem::InUse) after `limit`; when the device is lost, or refuses.
    pub fn acquire(
        &self,
        texture: &Texture,
        access: DmaBufAccess,
        limit: Duration,
    ) -> Result<(), VulkanError> {
        check::own_texture(&self.device, texture)?;
        self.device.check_lost()?;
        self.preparations.collect();
        external::acquire(&self.device, &self.preparations, texture, (access, limit))
    }

    /// Waits on this thread, for `limit` at most, until others have finished with a DMA-BUF, so that nothing else waits for somebody
    /// who may hang. Otherwise as [`acquire`](Self::acquire).
    ///
    /// # Errors
    /// [`SharingProblem::InUse`](crate::SharingProblem::InUse) after `limit`.
    pub fn wait_for_others(
        &self,
        texture: &Texture,
        access: DmaBufAccess,
        limit: Duration,
    ) -> Result<(), VulkanError> {
        check::own_texture(&self.device, texture)?;
        external::wait_for_others(texture, access, limit)
    }

    /// Warnings and errors of the validation layer so far; 0 when it is off.
    #[must_use]
    pub fn validation_messages(&self) -> u64 {
        self.device.instance().validation_messages()
    }

    /// What the device is and can do.
    #[must_use]
    pub fn report(&self) -> &DeviceReport {
        self.device.report()
    }

    /// Submits recordings, and lets `shared` reach a value with them, which is the answer.
    pub(crate) fn submit_shared(
        &self,
        shared: &Timeline,
        recordings: &mut [Recording],
    ) -> Result<u64, VulkanError> {
        submit(&self.device, &self.queue, (&self.timeline, Some(shared)), &mut [recordings])
    }

    pub(crate) fn device(&self) -> &Arc<Device> {
        &self.device
    }

    pub(crate) fn preparations(&self) -> &Preparations {
        &self.preparations
    }

    /// Destroys what was dropped while in use and is no longer.
    fn collect(&self) {
        self.retired.collect(&self.timeline);
        self.preparations.collect();
    }
}

impl Gpu for VulkanGpu {
    type Texture = Texture;
    type HostBuffer = HostBuffer;
    type Kernel = Kernel;
    type Recording = Recording;
    type Error = VulkanError;

    fn info(&self) -> &DeviceInfo {
        &self.info
    }

    fn create_texture(&self, desc: &TextureDesc<'_>) -> Result<Texture, VulkanError> {
        self.collect();
        Texture::new(&self.device, &self.memory, &self.preparations, desc)
    }

    fn create_shared_texture(
        &self,
        desc: &TextureDesc<'_>,
        sharing: Sharing,
    ) -> Result<Texture, VulkanError> {
        match sharing {
            Sharing::Device => Self::create_shared_texture(self, desc, None),
            Sharing::Devices => Self::create_shared_texture(self, desc, Some(SharingKind::DmaBuf)),
            Sharing::Programs => {
                self.collect();
                external::create_mappable_texture(&self.device, &self.preparations, desc)
            }
        }
    }

    fn create_scanout_texture(
        &self,
        desc: &TextureDesc<'_>,
        layouts: &[u64],
    ) -> Result<Texture, VulkanError> {
        self.collect();
        external::create_scanout_texture(&self.device, &self.preparations, desc, layouts)
    }

    fn create_host_buffer(
        &self,
        label: &str,
        bytes: usize,
        usage: HostBufferUse,
    ) -> Result<HostBuffer, VulkanError> {
        self.collect();
        HostBuffer::new(&self.memory, &self.timeline, &self.device, label, (bytes, usage))
    }

    fn create_kernel(&self, desc: &KernelDesc<'_>) -> Result<Kernel, VulkanError> {
        Kernel::new(&self.device, desc)
    }

    fn record(&self, label: &str, commands: &[Command<'_, Self>]) -> Result<Recording, VulkanError> {
        self.collect();
        let base = (&self.device, &self.memory, &self.timeline);
        Recording::new(base, &self.retired, label, commands)
    }

    fn set_uniforms(&self, recording: &mut Recording, pass: usize, block: &[u8]) -> Result<(), VulkanError> {
        recording.belongs_to(&self.device)?;
        recording.set_uniforms(pass, block)
    }

    fn rebind(
        &self,
        recording: &mut Recording,
        recorded: &Texture,
        texture: &Texture,
    ) -> Result<(), VulkanError> {
        recording.belongs_to(&self.device)?;
        recording.rebind(recorded, texture)
    }

    fn submit(&self, batches: &mut [&mut [Recording]]) -> Result<u64, VulkanError> {
        let produced = self.produced.get().map(Arc::as_ref);
        submit(&self.device, &self.queue, (&self.timeline, produced), batches)
    }

    fn wait(&self, value: u64, timeout: Duration) -> Result<(), VulkanError> {
        self.timeline.wait(value, timeout)
    }

    fn reached(&self, value: u64) -> Result<bool, VulkanError> {
        self.device.check_lost()?;
        self.timeline.reached(value)
    }

    fn timestamps(&self, recording: &Recording, into: &mut Vec<u64>) -> Result<(), VulkanError> {
        recording.belongs_to(&self.device)?;
        recording.timestamps(into)
    }

    fn calibrate(&self) -> Result<Option<Calibration>, VulkanError> {
        self.device.check_lost()?;
        self.device.clock().map_or(Ok(None), |clock| clock.calibrate(&self.device))
    }
}

impl Drop for VulkanGpu {
    fn drop(&mut self) {
        let produced = self.produced.get().is_none_or(|produced| produced.drain());
        if self.timeline.drain() && self.preparations.drain() && produced {
            self.retired.clear();
            self.preparations.clear();
        } else {
            tracing::error!(
                "a kernel on {} never ended: its memory is not freed, because the device may still write to it",
                self.info.name
            );
            // Recordings that are dropped later go into the queue, too.
            std::mem::forget(Arc::clone(&self.retired));
            std::mem::forget(Arc::clone(&self.preparations));
        }
    }
}

impl std::fmt::Debug for VulkanGpu {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "VulkanGpu({:?})", self.info.name)
    }
}
