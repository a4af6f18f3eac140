//! Opens the device that tests run on, and describes the kernels that they run.
#![allow(clippy::print_stdout, reason = "a skipped test says so")]
#![allow(dead_code, reason = "each test binary uses its part")]

use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use streamlib_core::interface::{
    AddressMode, BufferSlot, EffectForm, Filter, Interface, Parameter, ParameterType, SamplerSlot, Scalar,
    TextureSlot, UniformBlock,
};
use streamlib_vulkan::{DeviceOptions, Validation, VulkanError, VulkanGpu};

use crate::steps::{Code, Kernels};

/// The best device of this machine with all of validation on, or a word about why there is none.
pub(crate) fn gpu() -> Option<VulkanGpu> {
    found().inspect_err(|why| println!("SKIPPED: {why}")).ok()
}

/// The same, one for all tests of a file, which take turns: where the machine is emulated, opening one takes half a second.
pub(crate) fn gpu_in_turn() -> Option<MutexGuard<'static, VulkanGpu>> {
    static GPU: LazyLock<Result<Mutex<VulkanGpu>, String>> = LazyLock::new(|| found().map(Mutex::new));
    let gpu = GPU.as_ref().inspect_err(|why| println!("SKIPPED: {why}")).ok()?;
    Some(gpu.lock().unwrap_or_else(PoisonError::into_inner))
}

fn found() -> Result<VulkanGpu, String> {
    open().map_err(|error| match error {
        VulkanError::NoLoader { .. } | VulkanError::NoDevice { .. } => error.to_string(),
        error => panic!("{error}"),
    })
}

pub(crate) fn open() -> Result<VulkanGpu, VulkanError> {
    VulkanGpu::new(&DeviceOptions { validation: Validation::Synchronization, ..DeviceOptions::default() })
}

/// `CLOCK_MONOTONIC` in nanoseconds.
#[allow(unsafe_code, reason = "the standard library does not show this clock's values")]
pub(crate) fn monotonic_ns() -> i64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is there to be written.
    let answer = unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    assert_eq!(answer, 0, "there is no such clock");
    now.tv_sec * 1_000_000_000 + now.tv_nsec
}

/// The kernels, assembled from the texts beside them with `spirv-as --target-env vulkan1.2`.
pub(crate) fn kernels() -> Kernels {
    Kernels {
        tint: Code { spirv: words(include_bytes!("../kernels/tint.spv")), interface: tint() },
        palette: Code { spirv: words(include_bytes!("../kernels/palette.spv")), interface: palette() },
    }
}

fn words(bytes: &[u8]) -> Vec<u32> {
    let word = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().expect("four bytes"));
    bytes.chunks_exact(4).map(word).collect()
}

fn interface(form: EffectForm, group: u32) -> Interface {
    Interface {
        form,
        description: String::new(),
        group_size: [group, group, 1],
        group_size_is_free: form == EffectForm::Pixel,
        pixels_per_thread: [1, 1],
        rows_constant: None,
        loads_constant: None,
        encode_srgb_constant: None,
        inputs: vec![],
        outputs: vec![],
        samplers: vec![],
        buffers: vec![],
        uniforms: None,
        parameters: vec![],
        frame_uniforms: vec![],
    }
}

fn slot(name: &str, binding: u32) -> TextureSlot {
    let name = name.to_owned();
    TextureSlot { name, binding, is_local: false }
}

fn tint() -> Interface {
    let ty = ParameterType {
        scalar: Scalar::Float,
        rows: 1,
        columns: 4,
        matrix_stride: 0,
        rows_are_contiguous: false,
        array: None,
        array_stride: 0,
    };
    Interface {
        pixels_per_thread: [1, 1],
        rows_constant: None,
        loads_constant: None,
        encode_srgb_constant: Some(0),
        inputs: vec![slot("input", 0)],
        outputs: vec![slot("output", 1)],
        samplers: vec![SamplerSlot {
            name: "nearest".to_owned(),
            binding: 2,
            filter: Filter::Nearest,
            address: AddressMode::Clamp,
        }],
        uniforms: Some(UniformBlock { binding: 3, size: 16 }),
        parameters: vec![Parameter {
            name: "tint".to_owned(),
            ty,
            offset: 0,
            default: vec![1.0; 4],
            min: None,
            max: None,
            description: None,
        }],
        ..interface(EffectForm::Pixel, 8)
    }
}

fn palette() -> Interface {
    Interface {
        outputs: vec![slot("output", 0)],
        buffers: vec![BufferSlot {
            name: "palette".to_owned(),
            binding: 1,
            scalar: Scalar::Float,
            columns: 4,
            stride: 16,
            description: None,
        }],
        ..interface(EffectForm::Compute, 4)
    }
}
