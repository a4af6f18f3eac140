//! The contract that GPU backends meet: just what the engine needs, and no general graphics abstraction.
//!
//! A capability that only one backend has is reached through that backend's own crate.

use std::time::Duration;

use crate::format::{Size, TextureFormat};
use crate::interface::Interface;

/// What a GPU is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceInfo {
    /// The driver's name for the device.
    pub name: String,
    /// Whether it is a CPU in disguise.
    pub is_cpu: bool,
    /// Greatest width and height of a texture.
    pub max_texture_size: u32,
    /// Its address on a PCI bus, as Linux writes it: `0000:17:00.0`. None where it is on no such bus or the driver does not tell.
    pub pci_address: Option<String>,
}

/// A texture to create.
#[derive(Clone, Copy, Debug)]
pub struct TextureDesc<'a> {
    /// Name for debuggers and error messages.
    pub label: &'a str,
    /// Width and height, at least 1 each.
    pub size: Size,
    /// Texel format.
    pub format: TextureFormat,
}

/// Who is to open a texture of this process. What serves one of these serves those before it, not as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sharing {
    /// The same device in another process. It lies as the device works on it best.
    #[default]
    Device,
    /// Other devices, too: screens, encoders, other APIs. It lies in a way that has a name.
    Devices,
    /// Programs without a GPU, too: row by row, in memory that can be mapped.
    Programs,
}

/// A kernel to build: code for one backend and what can be bound to it.
#[derive(Clone, Copy, Debug)]
pub struct KernelDesc<'a> {
    /// Name for debuggers and error messages.
    pub label: &'a str,
    /// SPIR-V words; the entry point is `main`.
    pub spirv: &'a [u32],
    /// Reflection of that code.
    pub interface: &'a Interface,
    /// Format of the textures that will be bound as outputs, by output name; decides sRGB encoding.
    pub outputs: &'a [(&'a str, TextureFormat)],
}

/// What host memory that the GPU can reach is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostBufferUse {
    /// Written by the host, copied to textures.
    Upload,
    /// Copied from textures, read by the host (cached memory where the device has it).
    Readback,
    /// Written by the host, bound to kernels as a buffer parameter.
    Parameters,
}

/// Host memory that the GPU can reach.
///
/// The GPU may use it only while no closure has it open, and a closure may open it only while no submitted work uses
/// it; both are checked, so safe code cannot race with the GPU.
pub trait HostBuffer: Send + Sync {
    /// Size in bytes.
    fn len(&self) -> usize;

    /// Whether the size is zero.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Opens the memory for reading.
    ///
    /// # Errors
    /// When submitted work that uses it has not finished.
    fn read(&self, with: &mut dyn FnMut(&[u8])) -> Result<(), HostAccessError>;

    /// Opens the memory for writing. It may be write-combined: write in order, never read.
    ///
    /// # Errors
    /// When submitted work that uses it has not finished.
    fn write(&self, with: &mut dyn FnMut(&mut [u8])) -> Result<(), HostAccessError>;
}

/// One moment on two clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calibration {
    /// The device's clock, in nanoseconds.
    pub device_ns: u64,
    /// `CLOCK_MONOTONIC`, in nanoseconds.
    pub host_ns: i64,
    /// The two may be this far apart.
    pub uncertainty_ns: u64,
}

impl Calibration {
    /// A moment on the device's clock as one on the host's.
    #[must_use]
    pub const fn to_host(&self, device_ns: u64) -> i64 {
        self.host_ns.wrapping_add(device_ns.wrapping_sub(self.device_ns) as i64)
    }
}

/// Host memory was opened while the GPU used it, or the other way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the buffer is in use by submitted work: wait for its timeline value first")]
pub struct HostAccessError;

/// One step of a recording. Steps run in order; the backend puts the barriers between them.
#[derive(Debug)]
pub enum Command<'a, G: Gpu> {
    /// Copies tightly packed texels from host memory into the whole of a texture.
    Upload {
        /// Source.
        from: &'a G::HostBuffer,
        /// First byte, a multiple of 16.
        offset: usize,
        /// Destination.
        to: &'a G::Texture,
    },
    /// Runs a kernel.
    Dispatch(Dispatch<'a, G>),
    /// Copies the whole of a texture into host memory, tightly packed.
    Download {
        /// Source.
        from: &'a G::Texture,
        /// Destination.
        to: &'a G::HostBuffer,
        /// First byte, a multiple of 16.
        offset: usize,
    },
    /// Fills a texture with one colour.
    Clear {
        /// Which.
        texture: &'a G::Texture,
        /// Red, green, blue, alpha.
        color: [f32; 4],
    },
}

/// One run of a kernel over a grid of threads.
#[derive(Debug)]
pub struct Dispatch<'a, G: Gpu> {
    /// Name of the pass in timings and debuggers.
    pub label: &'a str,
    /// What runs.
    pub kernel: &'a G::Kernel,
    /// Input textures by port name; every input of the kernel must be there.
    pub inputs: &'a [(&'a str, &'a G::Texture)],
    /// Output textures by port name; every output of the kernel must be there.
    pub outputs: &'a [(&'a str, &'a G::Texture)],
    /// Buffers by name; every buffer of the kernel must be there.
    pub buffers: &'a [(&'a str, &'a G::HostBuffer)],
    /// Threads in x and y, usually the output's size; the backend rounds up to whole groups.
    pub threads: Size,
}

/// A GPU that the engine can run on.
///
/// A failed call leaves nothing behind and nothing changed. All methods may be called from any thread. Textures, kernels
/// and buffers are reference-counted handles; what a submitted recording uses lives until that work has finished, however
/// early the handles are dropped.
pub trait Gpu: Send + Sync + Sized + std::fmt::Debug + 'static {
    /// An image in GPU memory. Cloning gives another handle to the same image.
    type Texture: Clone + Send + Sync + std::fmt::Debug;
    /// Host memory that the GPU can reach. Cloning gives another handle to the same memory.
    type HostBuffer: HostBuffer + Clone + std::fmt::Debug;
    /// Compiled code, ready to be recorded. Cloning gives another handle.
    type Kernel: Clone + Send + Sync + std::fmt::Debug;
    /// Steps that can be submitted any number of times.
    type Recording: Send + std::fmt::Debug;
    /// What can go wrong.
    type Error: GpuError;

    /// What this GPU is.
    fn info(&self) -> &DeviceInfo;

    /// Creates a texture with undefined contents.
    ///
    /// # Errors
    /// When the size or format is not supported, or memory runs out.
    fn create_texture(&self, desc: &TextureDesc<'_>) -> Result<Self::Texture, Self::Error>;

    /// Creates a texture as [`create_texture`](Self::create_texture) does, in memory that other processes may open as well.
    /// How they do is the backend's affair.
    ///
    /// # Errors
    /// As [`create_texture`](Self::create_texture), and when the device does not share textures of that size and format in that
    /// way.
    fn create_shared_texture(
        &self,
        desc: &TextureDesc<'_>,
        sharing: Sharing,
    ) -> Result<Self::Texture, Self::Error>;

    /// As [`create_texture`](Self::create_texture), for a screen that shows it where it lies. Its texels lie in one of the ways
    /// `layouts`, whichever the device likes best; the numbers are what device and screen call them.
    ///
    /// # Errors
    /// As [`create_texture`](Self::create_texture), and when the device writes none of these.
    fn create_scanout_texture(
        &self,
        desc: &TextureDesc<'_>,
        layouts: &[u64],
    ) -> Result<Self::Texture, Self::Error>;

    /// Allocates mapped host memory of `bytes` (at least 1) bytes.
    ///
    /// # Errors
    /// When memory runs out.
    fn create_host_buffer(
        &self,
        label: &str,
        bytes: usize,
        usage: HostBufferUse,
    ) -> Result<Self::HostBuffer, Self::Error>;

    /// Builds a kernel.
    ///
    /// # Errors
    /// When the code needs what the device lacks, or the driver refuses it.
    fn create_kernel(&self, desc: &KernelDesc<'_>) -> Result<Self::Kernel, Self::Error>;

    /// Records steps once, to be submitted many times.
    ///
    /// # Errors
    /// When a name is missing or unknown, a size does not fit, or memory runs out.
    fn record(&self, label: &str, commands: &[Command<'_, Self>]) -> Result<Self::Recording, Self::Error>;

    /// Sets the uniform block of the `pass`-th dispatch (counted among dispatches only) for the next submission. A shorter
    /// slice sets the start of the block.
    ///
    /// # Errors
    /// When the recording is still in flight or has no such dispatch.
    fn set_uniforms(
        &self,
        recording: &mut Self::Recording,
        pass: usize,
        block: &[u8],
    ) -> Result<(), Self::Error>;

    /// Puts `texture` where `recorded` stood when the recording was made, in every dispatch, from the next submission on.
    /// `recorded` stays the name of these places, however often they are bound anew.
    ///
    /// # Errors
    /// When the recording is still in flight, no dispatch was recorded with `recorded`, a copy or a clear was, the size or
    /// format differs, or `texture` stands elsewhere in the recording.
    fn rebind(
        &self,
        recording: &mut Self::Recording,
        recorded: &Self::Texture,
        texture: &Self::Texture,
    ) -> Result<(), Self::Error>;

    /// Submits recordings as one piece of work, in order; the answer is the timeline value that will be reached when all have
    /// finished. Values grow by one with every submission. Allocates nothing, and blocks on no lock.
    ///
    /// # Errors
    /// When a recording is still in flight, a host buffer of one is open, or the device is lost. Nothing is submitted then.
    fn submit(&self, batches: &mut [&mut [Self::Recording]]) -> Result<u64, Self::Error>;

    /// Submits one recording, as [`submit`](Self::submit).
    ///
    /// # Errors
    /// As [`submit`](Self::submit).
    fn submit_one(&self, recording: &mut Self::Recording) -> Result<u64, Self::Error> {
        self.submit(&mut [std::slice::from_mut(recording)])
    }

    /// Blocks until the timeline has reached `value`, which may belong to a submission that is still to come.
    ///
    /// # Errors
    /// When `timeout` passes first, or the device is lost.
    fn wait(&self, value: u64, timeout: Duration) -> Result<(), Self::Error>;

    /// Whether the timeline has reached `value`.
    ///
    /// # Errors
    /// When the device is lost.
    fn reached(&self, value: u64) -> Result<bool, Self::Error>;

    /// Replaces the contents of `into` by the moments of the last finished submission, in nanoseconds on the device's clock:
    /// the beginning of the first step, then the end of each; empty when the device has no timestamps.
    ///
    /// # Errors
    /// When the recording is still in flight or the device is lost.
    fn timestamps(&self, recording: &Self::Recording, into: &mut Vec<u64>) -> Result<(), Self::Error>;

    /// What the device's clock and `CLOCK_MONOTONIC` show at the same moment; `None` when the device cannot tell.
    ///
    /// # Errors
    /// When the device is lost.
    fn calibrate(&self) -> Result<Option<Calibration>, Self::Error>;

    /// Replaces the contents of `into` by the GPU times in nanoseconds of the last finished submission, one per step of the
    /// recording; empty when the device has no timestamps.
    ///
    /// # Errors
    /// When the recording is still in flight or the device is lost.
    fn times(&self, recording: &Self::Recording, into: &mut Vec<u64>) -> Result<(), Self::Error> {
        self.timestamps(recording, into)?;
        for index in 1..into.len() {
            into[index - 1] = into[index].wrapping_sub(into[index - 1]);
        }
        into.pop();
        Ok(())
    }
}

/// What every backend's error can say about itself.
pub trait GpuError: std::error::Error + Send + Sync + 'static {
    /// Whether the device is gone and only a new one helps.
    fn is_device_lost(&self) -> bool;
}
