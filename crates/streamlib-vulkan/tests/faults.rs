//! Every Vulkan call fails once, and nothing is left behind.
//!
//! The hook belongs to the process, so these tests take turns.

#[path = "conformance/steps.rs"]
mod steps;
mod support;
#[path = "support/vgem.rs"]
mod vgem;

use std::sync::{Mutex, MutexGuard, PoisonError};

use steps::{Kernels, LONG, buffer_of, download, kernel, pattern, texture};
use streamlib_core::format::{Size, TextureFormat};
use streamlib_core::gpu::{
    Command, Dispatch, Gpu, GpuError, HostBuffer, HostBufferUse, KernelDesc, TextureDesc,
};
use streamlib_vulkan::fault::{self, Fault};
use streamlib_vulkan::{
    DmaBuf, DmaBufAccess, DmaBufUse, Scaling, SharedTiling, SharingKind, VulkanError, VulkanGpu,
};

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
    let [upload, pass, copy] = commands;
    let mut recordings =
        [gpu.record("upload", &[upload])?, gpu.record("pass", &[pass])?, gpu.record("copy", &[copy])?];
    for _ in 0..2 {
        let other = gpu.create_texture(&desc("other"))?;
        gpu.rebind(&mut recordings[1], &input, &other)?;
        let value = gpu.submit(&mut [&mut recordings])?;
        gpu.wait(value, LONG)?;
        gpu.timestamps(&recordings[1], &mut Vec::new())?;
        gpu.calibrate()?;
    }
    // And what is still in flight when everything is dropped, a texture that is just being prepared among it.
    gpu.submit(&mut [&mut recordings])?;
    gpu.create_texture(&desc("late"))?;
    Ok(())
}

/// What it takes to hand a texture over, in each way that the device has.
fn share(format: TextureFormat) -> Result<(), VulkanError> {
    let gpu = &support::open()?;
    let sharing = gpu.report().sharing;
    let desc = TextureDesc { label: "shared", size: SIZE, format };
    for (kind, is_there) in
        [(SharingKind::OpaqueFd, sharing.opaque_fd), (SharingKind::DmaBuf, sharing.dma_buf_export)]
    {
        if !is_there {
            continue;
        }
        let shared = gpu.share(&gpu.create_shared_texture(&desc, Some(kind))?)?;
        if kind == SharingKind::DmaBuf {
            let copy = || shared.descriptor.try_clone().expect("a descriptor");
            let buffer = |format| DmaBuf {
                descriptor: copy(),
                size: SIZE,
                format,
                modifier: 0,
                offset: 0,
                row_pitch: shared.row_pitch,
            };
            if shared.tiling == SharedTiling::Modifier(0) {
                gpu.import_dma_buf("read", buffer(TextureFormat::Rgba8), DmaBufUse::Read)?;
                draw(gpu, vec![buffer(TextureFormat::Bgra8)])?;
            }
        }
        gpu.import_texture("theirs", shared)?;
    }
    Ok(())
}

/// What it takes to come after somebody who writes a buffer, where there is one who does.
fn come_after() -> Result<(), VulkanError> {
    let gpu = &support::open()?;
    let Ok(memory) = vgem::VgemBuf::new(4096) else { return Ok(()) };
    let sharing = gpu.report().sharing;
    if !sharing.dma_buf_import || !sharing.fences {
        return Ok(());
    }
    let (descriptor, format) = (memory.descriptor(), TextureFormat::Rgba8);
    let buffer = DmaBuf { descriptor, size: SIZE, format, modifier: 0, offset: 0, row_pitch: 256 };
    let texture = gpu.import_dma_buf("theirs", buffer, DmaBufUse::Read)?;
    let writing = memory.begin_writing();
    let acquired = gpu.acquire(&texture, DmaBufAccess::Read, LONG);
    assert!(writing.finish());
    acquired
}

/// What it takes to show a picture on a screen's buffers.
fn draw(gpu: &VulkanGpu, buffers: Vec<DmaBuf>) -> Result<(), VulkanError> {
    let picture =
        gpu.create_texture(&TextureDesc { label: "drawn", size: SIZE, format: TextureFormat::Rgba8 })?;
    let mut scanout = gpu.open_scanout(buffers, Scaling::Fit)?;
    for _ in 0..2 {
        let drawn = scanout.draw(0, &picture, ())?;
        scanout.wait(drawn.value, LONG)?;
    }
    scanout.draw(0, &picture, ())?;
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
fn a_failure_of_any_call_for_sharing_leaves_nothing_behind() {
    let _alone = alone();
    if support::gpu().is_none() {
        return;
    }
    each_call_fails(|| share(TextureFormat::Rgba8Srgb));
}

#[test]
fn a_failure_of_any_call_for_coming_after_others_leaves_nothing_behind() {
    let _alone = alone();
    if support::gpu().is_some() {
        each_call_fails(come_after);
    }
}

/// Plays again and again, each time with another call that fails, but for those that open the device, which another test looks at.
fn each_call_fails(play: impl Fn() -> Result<(), VulkanError>) {
    fault::arm(usize::MAX);
    support::open().expect("nothing fails");
    let before = fault::disarm();
    fault::arm(usize::MAX);
    play().expect("nothing fails");
    let calls = fault::disarm();
    assert!(fault::live_handles().is_empty(), "{:?}", fault::live_handles());
    for kind in [Fault::OutOfDeviceMemory, Fault::DeviceLost] {
        for n in before..calls {
            fault::arm_with(n, kind);
            let result = play();
            fault::disarm();
            let live = fault::live_handles();
            assert!(live.is_empty(), "{kind:?} in call {n} ({result:?}) leaves {live:?}");
        }
    }
    play().expect("the next device works");
}

#[test]
fn a_submission_that_fails_changes_nothing() {
    let _alone = alone();
    let Some(gpu) = support::gpu() else { return };
    let format = TextureFormat::Rgba8;
    let (code, texels) = (support::kernels().tint, pattern(SIZE.pixels() * 4));
    let tint = kernel(&gpu, "tint", &code, format);
    let mut failures = 0;
    for n in 0.. {
        let [image, other, output] = ["a", "b", "c"].map(|label| texture(&gpu, label, SIZE, format));
        let up = buffer_of(&gpu, &texels, HostBufferUse::Upload);
        let upload = [Command::Upload { from: &up, offset: 0, to: &other }];
        let pass = [Command::Dispatch(Dispatch {
            label: "tint",
            kernel: &tint,
            inputs: &[("input", &image)],
            outputs: &[("output", &output)],
            buffers: &[],
            threads: SIZE,
        })];
        let mut recordings = [&upload, &pass].map(|steps| gpu.record("part", steps).expect("a recording"));
        // What this leaves to do at the submission is among what fails.
        gpu.rebind(&mut recordings[1], &image, &other).expect("a new input");
        let last = gpu.submit(&mut []).expect("nothing");
        fault::arm(n);
        let first = gpu.submit(&mut [&mut recordings]);
        fault::disarm();
        let value = match first {
            Ok(value) => value,
            Err(_) => {
                failures += 1;
                up.write(&mut |memory| memory.copy_from_slice(&texels)).expect("not in use");
                gpu.set_uniforms(&mut recordings[0], 0, &[])
                    .expect_err("no dispatch, but not in flight either");
                gpu.submit(&mut [&mut recordings]).expect("nothing fails any more")
            }
        };
        assert_eq!(value, last + 1, "after a failure of call {n}");
        gpu.wait(value, LONG).expect("it ends");
        assert!(download(&gpu, &output, texels.len()) == texels, "after a failure of call {n}");
        if first.is_ok() {
            break;
        }
    }
    assert!(failures >= 1, "no call could fail");
    assert_eq!(gpu.validation_messages(), 0);
}

#[test]
fn a_wait_ends_when_another_thread_finds_the_device_lost() {
    let _alone = alone();
    let Some(gpu) = support::gpu() else { return };
    let next = gpu.submit(&mut []).expect("nothing") + 1;
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| gpu.wait(next, LONG));
        fault::arm_with(0, Fault::DeviceLost);
        // Whichever of the two threads is told first.
        let _told = gpu.submit(&mut []);
        let error = waiting.join().expect("no panic").expect_err("nothing was submitted");
        assert!(error.is_device_lost(), "{error}");
        fault::disarm();
    });
    assert!(gpu.reached(0).expect_err("the device is lost").is_device_lost());
    assert!(gpu.calibrate().expect_err("the device is lost").is_device_lost());
}
