//! What can go wrong, in words that say what to do.

use std::time::Duration;

use ash::vk;
use streamlib_core::format::{Size, TextureFormat};
use streamlib_core::gpu::{GpuError, HostAccessError, HostBufferUse};

use crate::external::SharingProblem;
use crate::spirv::SpirvProblem;

/// An operation of this backend failed. The operation left nothing behind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VulkanError {
    /// There is no Vulkan on this machine.
    #[error(
        "the Vulkan loader cannot be loaded ({reason}): install it, on Debian with `apt install libvulkan1`"
    )]
    NoLoader {
        /// What the dynamic linker said.
        reason: String,
    },
    /// No device, or none that is good enough.
    #[error(
        "no usable Vulkan device{}: install a driver, `apt install mesa-vulkan-drivers` for most GPUs and for the CPU",
        found_devices(found)
    )]
    NoDevice {
        /// Devices that exist, each with the reason why it cannot be used.
        found: Vec<String>,
    },
    /// The device that was asked for does not exist.
    #[error("there is no Vulkan device {asked}{}: choose one of these", found_devices(found))]
    NoSuchDevice {
        /// Index or part of a name.
        asked: String,
        /// Names of the devices that exist, by index.
        found: Vec<String>,
    },
    /// The device lacks something.
    #[error("{device} lacks {shortfall}: choose another device or update its driver")]
    MissingFeature {
        /// Device.
        device: String,
        /// What it lacks.
        shortfall: Shortfall,
    },
    /// The device cannot store textures of this format.
    #[error("{device} cannot use {} textures for {usage}: choose another format", format.name())]
    UnsupportedFormat {
        /// Device.
        device: String,
        /// Format asked for.
        format: TextureFormat,
        /// What the device cannot do with it.
        usage: &'static str,
    },
    /// Something is larger than the device allows.
    #[error("`{label}` asks for {what} of {asked}; the device allows 1 to {limit}")]
    Limit {
        /// Object.
        label: String,
        /// Which quantity.
        what: &'static str,
        /// Value asked for.
        asked: u64,
        /// Greatest allowed.
        limit: u64,
    },
    /// Memory ran out.
    #[error(
        "out of memory while {doing} `{label}`: use smaller or fewer textures, or fewer frames in flight"
    )]
    OutOfMemory {
        /// Activity.
        doing: &'static str,
        /// Object.
        label: String,
    },
    /// The device is gone.
    #[error("the device was lost (driver reset, unplugged, or a kernel that ran too long): create a new one")]
    DeviceLost,
    /// Code that is not SPIR-V, or does not match its interface.
    #[error("kernel `{kernel}`: {problem}")]
    Spirv {
        /// Kernel.
        kernel: String,
        /// What is wrong.
        problem: SpirvProblem,
    },
    /// A kernel's binding is wrong.
    #[error("kernel `{kernel}`, `{name}`: {problem}")]
    Binding {
        /// Kernel.
        kernel: String,
        /// Name in the kernel's source.
        name: String,
        /// What is wrong.
        problem: BindingProblem,
    },
    /// A copy between buffer and texture is wrong.
    #[error("copy between buffer `{buffer}` and texture `{texture}`: {problem}")]
    Copy {
        /// Buffer.
        buffer: String,
        /// Texture.
        texture: String,
        /// What is wrong.
        problem: CopyProblem,
    },
    /// A handle of one device was given to another.
    #[error("`{label}` belongs to another device: create it with the device that uses it")]
    ForeignHandle {
        /// Object.
        label: String,
    },
    /// There is no such dispatch in the recording, or its uniform block is smaller.
    #[error(
        "recording `{recording}`: dispatch {pass} cannot take {bytes} bytes of uniforms; {}",
        pass_sizes(sizes)
    )]
    Uniforms {
        /// Recording.
        recording: String,
        /// Index among dispatches.
        pass: usize,
        /// Bytes given.
        bytes: usize,
        /// Uniform block sizes of the dispatches that exist, in bytes.
        sizes: Vec<usize>,
    },
    /// A texture of a recording cannot be bound anew.
    #[error("recording `{recording}`, in the place of texture `{recorded}`: {problem}")]
    Rebind {
        /// Recording.
        recording: String,
        /// The texture that names the place.
        recorded: String,
        /// What is wrong.
        problem: RebindProblem,
    },
    /// The recording's last submission has not finished.
    #[error("recording `{recording}` is still in flight: wait for timeline value {value} first")]
    StillInFlight {
        /// Recording.
        recording: String,
        /// Value to wait for.
        value: u64,
    },
    /// A host buffer is open.
    #[error("buffer `{buffer}` is open: let the closure return before submitting work that uses it")]
    HostAccess {
        /// Buffer.
        buffer: String,
        /// The contract's error.
        #[source]
        source: HostAccessError,
    },
    /// The timeline did not get there in time.
    #[error(
        "timeline value {value} was not reached within {timeout:?}: the device is busy, or a kernel never ends"
    )]
    Timeout {
        /// Value waited for.
        value: u64,
        /// How long.
        timeout: Duration,
    },
    /// A window that cannot be shown in.
    #[error("{device} cannot show frames in the window: {problem}")]
    Window {
        /// Device.
        device: String,
        /// Why.
        problem: WindowProblem,
    },
    /// A texture cannot go to others, or come from them.
    #[error("texture `{label}` cannot be shared: {problem}")]
    Sharing {
        /// Texture.
        label: String,
        /// Why.
        problem: SharingProblem,
    },
    /// Any other failure of a Vulkan call.
    #[error("{name} failed: {result}")]
    Call {
        /// Function.
        name: &'static str,
        /// Result code.
        result: vk::Result,
    },
}

/// What a device lacks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Shortfall {
    /// Too old.
    #[error("Vulkan {}.{} (it has {}.{})", needed.0, needed.1, found.0, found.1)]
    ApiVersion {
        /// Major and minor version needed.
        needed: (u32, u32),
        /// What the driver has.
        found: (u32, u32),
    },
    /// A Vulkan feature.
    #[error("the feature `{0}`")]
    Feature(&'static str),
    /// A queue for compute work.
    #[error("a queue family with compute")]
    ComputeQueue,
    /// A SPIR-V capability.
    #[error("what the kernel's code declares to need: {0}")]
    Capability(String),
    /// A SPIR-V extension.
    #[error("the SPIR-V extension {0}")]
    SpirvExtension(String),
}

/// Why a window cannot be shown in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WindowProblem {
    /// No `VK_KHR_swapchain`, or no window system that the loader knows.
    #[error("its driver has no swapchains: take another device, or write a file")]
    NoSwapchain,
    /// Another window system.
    #[error("its driver knows no windows of {0}: take another device, or write a file")]
    System(&'static str),
    /// A device for computing.
    #[error("its queue reaches no screen: take the device that the screen is connected to, or write a file")]
    Queue,
    /// No 8-bit format in which values are shown as they are.
    #[error("the window takes no 8-bit sRGB pictures: take another device, or write a file")]
    Format,
    /// The window was not there any more.
    #[error("its handle cannot be had ({0}): open it anew")]
    Handle(String),
    /// It went away.
    #[error("it is gone, or its window system is: open it anew")]
    Lost,
}

/// What is wrong with a binding.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BindingProblem {
    /// Not bound.
    #[error("nothing is bound; every input, output and buffer must be")]
    Missing,
    /// No such name.
    #[error("the kernel has no such {kind}; it has: {}", list(known))]
    Unknown {
        /// `input`, `output` or `buffer`.
        kind: &'static str,
        /// Names that exist.
        known: Vec<String>,
    },
    /// Bound twice.
    #[error("bound twice")]
    Repeated,
    /// The texture is read and written, or written twice, by one dispatch.
    #[error("texture `{texture}` is bound to another port of the same dispatch: use a second texture")]
    Aliased {
        /// Texture.
        texture: String,
    },
    /// The kernel was built for another way of storing colour.
    #[error("the kernel was built for {} and the texture is {}: build the kernel for that format", built_for.name(), found.name())]
    Encoding {
        /// Format given when the kernel was built.
        built_for: TextureFormat,
        /// Format of the texture.
        found: TextureFormat,
    },
    /// A kernel that cannot encode sRGB itself has an sRGB output.
    #[error("a compute kernel cannot write {}: give it a linear format such as rgba16float, or write the effect in pixel form", format.name())]
    SrgbOutput {
        /// Format asked for.
        format: TextureFormat,
    },
    /// The buffer was created for something else.
    #[error("buffer `{buffer}` was created for {found:?}, not for {needed:?}")]
    BufferUse {
        /// Buffer.
        buffer: String,
        /// Use needed.
        needed: HostBufferUse,
        /// Use given when it was created.
        found: HostBufferUse,
    },
}

/// What is wrong with a copy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CopyProblem {
    /// Offset not aligned.
    #[error("offset {0} is no multiple of 16")]
    Offset(usize),
    /// Buffer too small.
    #[error("{size} texels of {} take {needed} bytes; the buffer has {available} from the offset on", format.name())]
    Size {
        /// Texture size.
        size: Size,
        /// Texture format.
        format: TextureFormat,
        /// Bytes needed.
        needed: usize,
        /// Bytes there.
        available: usize,
    },
    /// The buffer was created for something else.
    #[error("the buffer was created for {found:?}, not for {needed:?}")]
    BufferUse {
        /// Use needed.
        needed: HostBufferUse,
        /// Use given when it was created.
        found: HostBufferUse,
    },
}

/// Why a texture cannot be bound anew.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RebindProblem {
    /// No step names it.
    #[error(
        "nothing was recorded with it: name a texture of a dispatch, as it was when the recording was made"
    )]
    NotRecorded,
    /// A copy or a clear names it.
    #[error("a copy or a clear was recorded with it: put that into a recording of its own")]
    Copied,
    /// Another size or format.
    #[error("it is {} of {}, the new one {} of {}: create one of the same size and format",
        recorded.0, recorded.1.name(), found.0, found.1.name())]
    Shape {
        /// Size and format of the texture that the recording was made with.
        recorded: (Size, TextureFormat),
        /// Those of the new one.
        found: (Size, TextureFormat),
    },
    /// A dispatch writes the place.
    #[error("it is written there, and the new one was imported to be read only: copy it first")]
    ReadOnly,
    /// The new texture already stands in the recording.
    #[error("the new one stands in the place of `{recorded}` already: use another texture")]
    Elsewhere {
        /// The texture that names that place.
        recorded: String,
    },
}

impl GpuError for VulkanError {
    fn is_device_lost(&self) -> bool {
        matches!(self, Self::DeviceLost)
    }
}

impl VulkanError {
    /// The error for a result code, where nothing more is known.
    pub(crate) fn from_result(name: &'static str, result: vk::Result) -> Self {
        match result {
            vk::Result::ERROR_DEVICE_LOST => Self::DeviceLost,
            vk::Result::ERROR_OUT_OF_DEVICE_MEMORY | vk::Result::ERROR_OUT_OF_HOST_MEMORY => {
                Self::OutOfMemory { doing: "calling", label: name.to_owned() }
            }
            result => Self::Call { name, result },
        }
    }
}

fn found_devices(found: &[String]) -> String {
    if found.is_empty() {
        " (none was found)".to_owned()
    } else {
        let numbered: Vec<String> = found.iter().enumerate().map(|(i, f)| format!("{i}: {f}")).collect();
        format!(" (found {})", numbered.join("; "))
    }
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn pass_sizes(sizes: &[usize]) -> String {
    let sizes: Vec<String> = sizes.iter().map(usize::to_string).collect();
    format!("blocks of its dispatches, in bytes: {}", list(&sizes))
}
