//! DMA-BUFs that others have not finished with: fences of the kernel's, which the driver vgem lets a test end.
#![cfg(target_os = "linux")]
#![allow(clippy::print_stdout, reason = "standard output is where skips are counted")]

#[path = "conformance/steps.rs"]
mod steps;
mod support;
#[path = "support/vgem.rs"]
mod vgem;

use std::ops::Deref;
use std::time::Duration;

use steps::{LONG, buffer_of, contents, download, pattern, run};
use streamlib_core::format::{Size, TextureFormat};
use streamlib_core::gpu::{Command, Gpu, HostBufferUse, TextureDesc};
use streamlib_vulkan::{
    DmaBuf, DmaBufAccess, DmaBufUse, Scaling, SharingKind, SharingProblem, Texture, VulkanError, VulkanGpu,
};
use vgem::{VgemBuf, read_until, wait_for};

/// Rows of pages.
const SIZE: Size = Size::new(1024, 16);
const FORMAT: TextureFormat = TextureFormat::Rgba8;
const BYTES: usize = 1024 * 16 * 4;
/// Long enough for work that nothing holds up to be over.
const SHORT: Duration = Duration::from_millis(300);

/// A device that takes DMA-BUFs, and memory with fences, or a word about why there is none.
fn parts<G: Deref<Target = VulkanGpu>>(gpu: Option<G>) -> Option<(G, VgemBuf)> {
    let gpu = gpu?;
    if !gpu.report().sharing.dma_buf_import {
        println!("SKIPPED: {} takes no DMA-BUFs", gpu.report().name);
        return None;
    }
    match VgemBuf::new(BYTES) {
        Ok(memory) => Some((gpu, memory)),
        Err(why) => {
            println!("SKIPPED: there is no driver vgem: {why}");
            None
        }
    }
}

/// As [`parts`], of a device that waits for fences by itself.
fn waiting_parts<G: Deref<Target = VulkanGpu>>(gpu: Option<G>) -> Option<(G, VgemBuf)> {
    let parts = parts(gpu)?;
    if !parts.0.report().sharing.fences {
        println!("SKIPPED: {} waits for no fences", parts.0.report().name);
        return None;
    }
    Some(parts)
}

fn import(gpu: &VulkanGpu, memory: &VgemBuf, purpose: DmaBufUse) -> Texture {
    gpu.import_dma_buf("theirs", plane(memory, FORMAT), purpose).expect("imported")
}

fn plane(memory: &VgemBuf, format: TextureFormat) -> DmaBuf {
    let descriptor = memory.descriptor();
    DmaBuf { descriptor, size: SIZE, format, modifier: 0, offset: 0, row_pitch: 4096 }
}

/// Refused because of what others do with it.
fn is_in_use(result: Result<(), VulkanError>, asked: DmaBufAccess) -> bool {
    match result {
        Ok(()) => false,
        Err(VulkanError::Sharing { problem: SharingProblem::InUse { access, .. }, .. }) => access == asked,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn what_is_submitted_after_acquiring_reads_what_the_writer_has_written_in_the_end() {
    let Some((gpu, mut memory)) = waiting_parts(support::gpu_in_turn()) else { return };
    let gpu = &*gpu;
    let texture = import(gpu, &memory, DmaBufUse::Read);
    let to = gpu.create_host_buffer("down", BYTES, HostBufferUse::Readback).expect("a buffer");
    let download = Command::Download { from: &texture, to: &to, offset: 0 };
    let mut recording = gpu.record("read", &[download]).expect("a recording");
    let all = pattern(BYTES);
    for turn in 0..3u8 {
        let writing = memory.begin_writing();
        gpu.acquire(&texture, DmaBufAccess::Read, Duration::ZERO).expect("the device waits");
        let value = gpu.submit_one(&mut recording).expect("a submission");
        let early = gpu.wait(value, SHORT).expect_err("somebody still writes");
        assert!(matches!(early, VulkanError::Timeout { .. }), "{early}");
        let written: Vec<_> = all.iter().map(|byte| byte.wrapping_add(turn)).collect();
        memory.bytes_mut().copy_from_slice(&written);
        assert!(writing.finish());
        gpu.wait(value, LONG).expect("it ends");
        assert!(contents::<VulkanGpu>(&to) == written, "turn {turn}");
        // What is over is waited for no more.
        gpu.acquire(&texture, DmaBufAccess::Read, Duration::ZERO).expect("nobody writes");
    }
    assert_eq!(gpu.validation_messages(), 0);
}

#[test]
fn a_thread_waits_for_a_writer_for_as_long_as_it_likes_and_the_device_goes_on() {
    let Some((gpu, mut memory)) = parts(support::gpu_in_turn()) else { return };
    let gpu = &*gpu;
    let texture = import(gpu, &memory, DmaBufUse::Full);
    let written = pattern(BYTES);
    let writing = memory.begin_writing();
    for access in [DmaBufAccess::Read, DmaBufAccess::Write] {
        for limit in [Duration::ZERO, Duration::from_millis(30)] {
            assert!(is_in_use(gpu.wait_for_others(&texture, access, limit), access));
        }
    }
    let error = gpu.wait_for_others(&texture, DmaBufAccess::Read, Duration::ZERO).expect_err("as before");
    assert!(
        error.to_string().contains("`theirs`") && error.to_string().contains("writes it still"),
        "{error}"
    );
    // Others are not held up.
    let own = steps::texture(gpu, "own", SIZE, FORMAT);
    let up = buffer_of(gpu, &written, HostBufferUse::Upload);
    run(gpu, &[Command::Upload { from: &up, offset: 0, to: &own }]);
    assert!(download(gpu, &own, BYTES) == written);
    memory.bytes_mut().copy_from_slice(&written);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| gpu.wait_for_others(&texture, DmaBufAccess::Read, LONG));
        assert!(writing.finish());
        waiting.join().expect("no panic").expect("it has finished");
    });
    assert!(download(gpu, &texture, BYTES) == written);
    assert_eq!(gpu.validation_messages(), 0);
}

#[test]
fn readers_hold_up_who_writes_and_nobody_who_reads() {
    let Some((gpu, memory)) = parts(support::gpu_in_turn()) else { return };
    let gpu = &*gpu;
    let texture = import(gpu, &memory, DmaBufUse::Full);
    let reading = memory.begin_reading();
    gpu.wait_for_others(&texture, DmaBufAccess::Read, Duration::ZERO).expect("nobody writes");
    gpu.acquire(&texture, DmaBufAccess::Read, Duration::ZERO).expect("nobody writes");
    let refused = gpu.wait_for_others(&texture, DmaBufAccess::Write, Duration::ZERO);
    assert!(is_in_use(refused, DmaBufAccess::Write));
    assert!(reading.finish());
    gpu.wait_for_others(&texture, DmaBufAccess::Write, Duration::ZERO).expect("nobody reads");
    assert_eq!(gpu.validation_messages(), 0);
}

#[test]
fn what_was_handed_out_is_written_after_its_readers_have_finished() {
    let Some((gpu, memory)) = waiting_parts(support::gpu_in_turn()) else { return };
    let gpu = &*gpu;
    let desc = TextureDesc { label: "ours", size: SIZE, format: FORMAT };
    let plain = gpu.create_texture(&desc).expect("a texture");
    gpu.acquire(&plain, DmaBufAccess::Write, Duration::ZERO).expect("nobody else has it");
    if !gpu.report().sharing.dma_buf_export {
        println!("SKIPPED: {} hands out no DMA-BUFs", gpu.report().name);
        return;
    }
    let ours = gpu.create_shared_texture(&desc, Some(SharingKind::DmaBuf)).expect("a texture");
    gpu.acquire(&ours, DmaBufAccess::Write, Duration::ZERO).expect("nobody else has it");
    let shared = gpu.share(&ours).expect("handed out");
    gpu.acquire(&ours, DmaBufAccess::Write, Duration::ZERO).expect("nobody reads");
    // Some fence; another driver would attach one of its own.
    let reading = memory.begin_writing();
    read_until(&shared.descriptor, &memory.sync_file());
    let refused = gpu.wait_for_others(&ours, DmaBufAccess::Write, Duration::ZERO);
    assert!(is_in_use(refused, DmaBufAccess::Write));
    gpu.wait_for_others(&ours, DmaBufAccess::Read, Duration::ZERO).expect("nobody writes");
    gpu.acquire(&ours, DmaBufAccess::Write, Duration::ZERO).expect("the device waits");
    let clear = Command::Clear { texture: &ours, color: [1.0; 4] };
    let mut recording = gpu.record("write", &[clear]).expect("a recording");
    let value = gpu.submit_one(&mut recording).expect("a submission");
    gpu.wait(value, SHORT).expect_err("somebody still reads");
    assert!(reading.finish());
    gpu.wait(value, LONG).expect("it ends");
    assert!(download(gpu, &ours, BYTES) == [255; BYTES]);
    assert_eq!(gpu.validation_messages(), 0);
}

#[test]
fn a_writer_that_never_finishes_is_ended_by_the_kernel_and_disturbs_only_who_acquired() {
    let Some((gpu, memory)) = waiting_parts(support::gpu().map(Box::new)) else { return };
    let gpu = &*gpu;
    let Some(other) = support::gpu_in_turn() else { return };
    let other = &*other;
    let texture = import(gpu, &memory, DmaBufUse::Read);
    let writing = memory.begin_writing();
    gpu.acquire(&texture, DmaBufAccess::Read, Duration::ZERO).expect("the device waits");
    let to = gpu.create_host_buffer("down", BYTES, HostBufferUse::Readback).expect("a buffer");
    let command = Command::Download { from: &texture, to: &to, offset: 0 };
    let mut recording = gpu.record("read", &[command]).expect("a recording");
    let value = gpu.submit_one(&mut recording).expect("a submission");
    let own = steps::texture(other, "own", SIZE, FORMAT);
    run(other, &[Command::Clear { texture: &own, color: [1.0; 4] }]);
    assert!(download(other, &own, BYTES) == [255; BYTES]);
    gpu.wait(value, LONG).expect("the kernel has ended it");
    assert!(!writing.finish(), "it was ended before");
    gpu.acquire(&texture, DmaBufAccess::Read, Duration::ZERO).expect("nobody writes");
    assert_eq!(gpu.validation_messages() + other.validation_messages(), 0);
}

#[test]
fn a_device_is_given_up_while_it_waits_for_somebody() {
    let Some((gpu, memory)) = waiting_parts(support::gpu().map(Box::new)) else { return };
    let texture = import(&gpu, &memory, DmaBufUse::Read);
    let writing = memory.begin_writing();
    gpu.acquire(&texture, DmaBufAccess::Read, Duration::ZERO).expect("the device waits");
    std::thread::scope(|scope| {
        scope.spawn(|| drop((texture, gpu)));
        assert!(writing.finish());
    });
}

#[test]
fn a_picture_for_a_screen_comes_with_a_fence_or_is_waited_for() {
    let Some((gpu, mut memory)) = parts(support::gpu_in_turn()) else { return };
    let gpu = &*gpu;
    let format = TextureFormat::Bgra8;
    let mut scanout = gpu.open_scanout(vec![plane(&memory, format)], Scaling::Fit).expect("opened");
    let picture = steps::texture(gpu, "picture", SIZE, FORMAT);
    for number in 0..3u8 {
        run(gpu, &[Command::Clear { texture: &picture, color: [1.0, 0.0, f32::from(number % 2), 1.0] }]);
        let drawn = scanout.draw(0, &picture, ()).expect("submitted");
        match &drawn.fence {
            Some(fence) => wait_for(fence),
            None => scanout.wait(drawn.value, LONG).expect("drawn"),
        }
        assert_eq!(memory.bytes_mut()[..4], [255 * (number % 2), 0, 255, 255]);
        scanout.wait(drawn.value, LONG).expect("drawn");
    }
    assert_eq!(gpu.validation_messages(), 0);
}
