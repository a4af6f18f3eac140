//! Every Vulkan call fails once, and nothing is left behind.
//!
//! The hook belongs to the process, so these tests take turns.

#[path = "conformance/steps.rs"]
mod steps;
mod support;

use std::sync::{Mutex, MutexGuard, PoisonError};

use steps::{Kernels, LONG, buffer_of, download, pattern, submit_and_wait, texture};
use streamlib_core::format::{Size, TextureFormat};
use streamlib_core::gpu::{
    Command, Dispatch, Gpu, GpuError, HostBuffer, HostBufferUse, KernelDesc, TextureDesc,
};
use streamlib_vulkan::fault::{self, Fault};
use streamlib_vulkan::{VulkanError, VulkanGpu};

static TURN: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

const SIZE: Size = Size::new(16, 16);

/// Everything that a frame takes, from opening the device to its times.
fn play(kernels: &Kernels) -> Result<(), VulkanError> {
    let gpu = support::open()?;
    let result = frames(&gpu, kernels);
    if result.as_ref().is_err_and(GpuError::is_device_lost) {
        // Nothing hangs, and everything says the same.
        let lost = |error: VulkanError| assert!(error.is_device_lost(), "{error}");
        lost(gpu.wait(1000, LONG).expect_err("waited on a lost device"));
        let desc = TextureDesc { label: "late", size: SIZE, format: TextureFormat::Rgba8 };
        lost(gpu.create_texture(&desc).expect_err("created on a lost device"));
    }
    result
}

fn frames(gpu: &VulkanGpu, kernels: &Kernels) -> Result<(), VulkanError> {
    let format = TextureFormat::Rgba8Srgb;
    let desc = |label| TextureDesc { label, size: SIZE, format };
    let (input, output) = (gpu.create_texture(&desc("in"))?, gpu.create_texture(&desc("out"))?);
    let bytes = SIZE.pixels() * 4;
    let up = gpu.create_host_buffer("up", bytes, HostBufferUse::Upload)?;
    let down = gpu.create_host_buffer("down", bytes, HostBufferUse::Readback)?;
    let _written = up.write(&mut |memory| memory.copy_from_slice(&pattern(bytes)));
    let tint = gpu.create_kernel(&KernelDesc {
        label: "tint",
        spirv: &kernels.tint.spirv,
        interface: &kernels.tint.interface,
        outputs: &[("output", format)],
    })?;
    let dispatch = Dispatch {
        label: "tint",
        kernel: &tint,
        inputs: &[("input", &input)],
        outputs: &[("output", &output)],
        buffers: &[],
        threads: SIZE,
    };
    let commands = [
        Command::Upload { from: &up, offset: 0, to: &input },
        Command::Dispatch(dispatch),
        Command::Download { from: &output, to: &down, offset: 0 },
    ];
    let mut recording = gpu.record("frame", &commands)?;
    for _ in 0..2 {
        let value = gpu.submit_one(&mut recording)?;
        gpu.wait(value, LONG)?;
    }
    gpu.times(&recording, &mut Vec::new())?;
    // And one that is still in flight when everything is dropped.
    gpu.submit_one(&mut recording)?;
    Ok(())
}

#[test]
fn a_failure_of_any_call_leaves_nothing_behind_and_a_new_device_works() {
    let _alone = alone();
    if support::gpu().is_none() {
        return;
    }
    let kernels = support::kernels();
    assert!(fault::live_handles().is_empty(), "{:?}", fault::live_handles());
    fault::arm(usize::MAX);
    play(&kernels).expect("nothing fails");
    let calls = fault::disarm();
    assert!(calls > 40, "the hook sees only {calls} calls");
    assert!(fault::live_handles().is_empty(), "{:?}", fault::live_handles());
    for kind in [Fault::OutOfDeviceMemory, Fault::DeviceLost, Fault::InitializationFailed] {
        for n in 0..calls {
            fault::arm_with(n, kind);
            let result = play(&kernels);
            fault::disarm();
            let live = fault::live_handles();
            assert!(live.is_empty(), "{kind:?} in call {n} ({result:?}) leaves {live:?}");
        }
    }
    play(&kernels).expect("the next device works");
}

#[test]
fn a_submission_that_fails_changes_nothing() {
    let _alone = alone();
    let Some(gpu) = support::gpu() else { return };
    let mut failures = 0;
    for n in 0.. {
        // New textures, so that their first use is among what fails.
        let image = texture(&gpu, "image", SIZE, TextureFormat::Rgba8);
        let texels = pattern(SIZE.pixels() * 4);
        let up = buffer_of(&gpu, &texels, HostBufferUse::Upload);
        let upload = [Command::Upload { from: &up, offset: 0, to: &image }];
        let mut recording = gpu.record("upload", &upload).expect("a recording");
        fault::arm(n);
        let first = gpu.submit_one(&mut recording);
        fault::disarm();
        if first.is_err() {
            failures += 1;
            up.write(&mut |memory| memory.copy_from_slice(&texels)).expect("not in use");
            gpu.set_uniforms(&mut recording, 0, &[]).expect_err("no dispatch, but not in flight either");
            submit_and_wait(&gpu, &mut recording);
        }
        assert!(download(&gpu, &image, texels.len()) == texels, "after a failure of call {n}");
        if first.is_ok() {
            break;
        }
    }
    assert!(failures >= 3, "only {failures} calls could fail");
    assert_eq!(gpu.validation_messages(), 0);
}
