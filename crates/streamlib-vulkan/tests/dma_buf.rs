//! Buffers of other drivers: memory that the host has written, as cameras do, and that the host reads, as screens do.
//!
//! They come from `/dev/udmabuf`, which makes a DMA-BUF of memory that this program has mapped too.
#![cfg(target_os = "linux")]

#[path = "conformance/steps.rs"]
mod steps;
mod support;
#[path = "support/udmabuf.rs"]
mod udmabuf;

use std::fs::File;
use std::sync::{Arc, MutexGuard};

use steps::{LONG, buffer_of, download, kernel, pattern, run, submit_and_wait};
use streamlib_core::format::{Size, TextureFormat};
use streamlib_core::gpu::{Command, Dispatch, Gpu, HostBufferUse, TextureDesc};
use streamlib_vulkan::{
    DmaBuf, DmaBufUse, RebindProblem, Scaling, SharedTiling, SharingKind, SharingProblem, Texture,
    VulkanError, VulkanGpu,
};
use udmabuf::UdmaBuf;

const SIZE: Size = Size::new(40, 24);
/// Bytes before the first row: what stands before a plane that is not the first.
const OFFSET: u64 = 4096;

/// A device that takes DMA-BUFs, or a word about why there is none.
#[allow(clippy::print_stdout, reason = "standard output is where skips are counted")]
fn gpu() -> Option<MutexGuard<'static, VulkanGpu>> {
    let gpu = support::gpu_in_turn()?;
    let why = if !gpu.report().sharing.dma_buf_import {
        format!("{} takes no DMA-BUFs", gpu.report().name)
    } else if let Err(why) = UdmaBuf::new(4096) {
        format!("no DMA-BUFs can be made: {why}")
    } else {
        return Some(gpu);
    };
    println!("SKIPPED: {why}");
    None
}

/// Rows that are further apart than they are long.
fn row_pitch(format: TextureFormat) -> usize {
    (SIZE.width as usize * format.bytes_per_texel()).next_multiple_of(256)
}

fn memory(format: TextureFormat) -> UdmaBuf {
    let rows = row_pitch(format) * SIZE.height as usize;
    UdmaBuf::new((OFFSET as usize + rows).next_multiple_of(4096)).expect("one could be made before")
}

fn plane(memory: &UdmaBuf, format: TextureFormat) -> DmaBuf {
    DmaBuf {
        descriptor: memory.descriptor(),
        size: SIZE,
        format,
        modifier: 0,
        offset: OFFSET,
        row_pitch: row_pitch(format) as u64,
    }
}

/// Writes tightly packed texels where the plane has them.
fn write(memory: &mut UdmaBuf, format: TextureFormat, texels: &[u8]) {
    let row = SIZE.width as usize * format.bytes_per_texel();
    let rows = memory.bytes_mut()[OFFSET as usize..].chunks_mut(row_pitch(format));
    rows.zip(texels.chunks(row)).for_each(|(to, from)| to[..row].copy_from_slice(from));
}

fn read(memory: &mut UdmaBuf, format: TextureFormat) -> Vec<u8> {
    let row = SIZE.width as usize * format.bytes_per_texel();
    let rows = memory.bytes_mut()[OFFSET as usize..].chunks(row_pitch(format));
    rows.take(SIZE.height as usize).flat_map(|from| &from[..row]).copied().collect()
}

fn texels(format: TextureFormat) -> Vec<u8> {
    pattern(SIZE.pixels() * format.bytes_per_texel())
}

fn upload(gpu: &VulkanGpu, to: &Texture, bytes: &[u8]) {
    let from = buffer_of(gpu, bytes, HostBufferUse::Upload);
    run(gpu, &[Command::Upload { from: &from, offset: 0, to }]);
}

#[test]
fn a_plane_of_any_format_is_read_where_it_lies_and_again_when_it_has_changed() {
    let Some(gpu) = gpu() else { return };
    let gpu = &*gpu;
    for format in TextureFormat::ALL {
        let mut memory = memory(format);
        let first = texels(format);
        write(&mut memory, format, &first);
        let texture = gpu.import_dma_buf("plane", plane(&memory, format), DmaBufUse::Read).expect("imported");
        assert!(download(gpu, &texture, first.len()) == first, "{format:?}");
        let second: Vec<u8> = first.iter().rev().copied().collect();
        write(&mut memory, format, &second);
        assert!(download(gpu, &texture, first.len()) == second, "{format:?}, the next picture");
    }
    assert_eq!(gpu.validation_messages(), 0);
}

#[test]
fn kernels_sample_planes_that_are_bound_in_turn() {
    let Some(gpu) = gpu() else { return };
    let gpu = &*gpu;
    let format = TextureFormat::Rgba8;
    let tint = kernel(gpu, "tint", &support::kernels().tint, format);
    let output = steps::texture(gpu, "output", SIZE, format);
    let first = texels(format);
    let all: Vec<_> = (0..3u8)
        .map(|number| {
            let mut memory = memory(format);
            let bytes: Vec<u8> = first.iter().map(|byte| byte.wrapping_add(number)).collect();
            write(&mut memory, format, &bytes);
            let buffer = plane(&memory, format);
            (gpu.import_dma_buf("plane", buffer, DmaBufUse::Read).expect("imported"), bytes, memory)
        })
        .collect();
    let pass = Command::Dispatch(Dispatch {
        label: "tint",
        kernel: &tint,
        inputs: &[("input", &all[0].0)],
        outputs: &[("output", &output)],
        buffers: &[],
        threads: SIZE,
    });
    let mut recording = gpu.record("tint", &[pass]).expect("recorded");
    for (texture, bytes, _) in &all {
        gpu.rebind(&mut recording, &all[0].0, texture).expect("the same size and format");
        submit_and_wait(gpu, &mut recording);
        assert!(download(gpu, &output, bytes.len()) == *bytes);
    }
    assert_eq!(gpu.validation_messages(), 0);
}

#[test]
fn what_is_written_is_there_for_others() {
    let Some(gpu) = gpu() else { return };
    let gpu = &*gpu;
    for format in [TextureFormat::Rgba8, TextureFormat::Bgra8Srgb] {
        let mut memory = memory(format);
        let texture = gpu.import_dma_buf("plane", plane(&memory, format), DmaBufUse::Full).expect("imported");
        let bytes = texels(format);
        upload(gpu, &texture, &bytes);
        assert!(read(&mut memory, format) == bytes, "{format:?}");
        assert!(memory.bytes_mut()[..OFFSET as usize].iter().all(|byte| *byte == 0), "what lies before it");
    }
    assert_eq!(gpu.validation_messages(), 0);
}

#[test]
fn nothing_writes_a_plane_that_is_read_only() {
    let Some(gpu) = gpu() else { return };
    let gpu = &*gpu;
    let format = TextureFormat::Rgba8;
    let memory = memory(format);
    let plane = gpu.import_dma_buf("plane", plane(&memory, format), DmaBufUse::Read).expect("imported");
    assert!(plane.is_read_only());
    let own = steps::texture(gpu, "own", SIZE, format);
    let up = buffer_of(gpu, &texels(format), HostBufferUse::Upload);
    let tint = kernel(gpu, "tint", &support::kernels().tint, format);
    let dispatch = |input, output| {
        Command::Dispatch(Dispatch {
            label: "tint",
            kernel: &tint,
            inputs: input,
            outputs: output,
            buffers: &[],
            threads: SIZE,
        })
    };
    let (from, to) = ([("input", &own)], [("output", &plane)]);
    let writes = [
        Command::Upload { from: &up, offset: 0, to: &plane },
        Command::Clear { texture: &plane, color: [0.0; 4] },
        dispatch(&from, &to),
    ];
    for write in writes {
        let error = gpu.record("write", &[write]).expect_err("it is read only");
        assert!(matches!(error, VulkanError::Sharing { problem: SharingProblem::ReadOnly, .. }), "{error}");
    }
    let output = steps::texture(gpu, "output", SIZE, format);
    let to = [("output", &output)];
    let mut recording = gpu.record("write", &[dispatch(&from, &to)]).expect("recorded");
    let error = gpu.rebind(&mut recording, &output, &plane).expect_err("it is read only");
    assert!(matches!(error, VulkanError::Rebind { problem: RebindProblem::ReadOnly, .. }), "{error}");
    gpu.rebind(&mut recording, &own, &plane).expect("there it is read");
    submit_and_wait(gpu, &mut recording);
    assert_eq!(gpu.validation_messages(), 0);
}

#[test]
fn a_buffer_that_is_not_as_it_was_said_is_refused_in_words() {
    let Some(gpu) = gpu() else { return };
    let gpu = &*gpu;
    let format = TextureFormat::Rgba8;
    let memory = memory(format);
    let lie = |change: &dyn Fn(&mut DmaBuf)| {
        let mut buffer = plane(&memory, format);
        change(&mut buffer);
        buffer
    };
    let lies = [
        lie(&|b| b.size.width = 0),
        lie(&|b| b.size.height = u32::MAX),
        lie(&|b| b.size.height *= 2),
        lie(&|b| b.size.width *= 4),
        lie(&|b| b.offset += 4096),
        lie(&|b| b.offset = u64::MAX),
        lie(&|b| b.offset += 1),
        lie(&|b| b.row_pitch = 0),
        lie(&|b| b.row_pitch = u64::MAX / 2),
        lie(&|b| b.row_pitch = 4),
        lie(&|b| b.row_pitch -= 1),
        lie(&|b| b.modifier = 0x00ff_ffff_ffff_ffff),
        lie(&|b| b.modifier = 0x0100_0000_0000_0002),
        lie(&|b| b.descriptor = File::open("/dev/zero").expect("open").into()),
        lie(&|b| b.descriptor = File::open("/proc/self/exe").expect("open").into()),
        lie(&|b| b.descriptor = std::io::pipe().expect("a pipe").0.into()),
    ];
    for (number, lie) in lies.into_iter().enumerate() {
        for purpose in [DmaBufUse::Read, DmaBufUse::Full] {
            let copy = DmaBuf { descriptor: lie.descriptor.try_clone().expect("a descriptor"), ..lie };
            match gpu.import_dma_buf("plane", copy, purpose) {
                Err(error @ (VulkanError::Sharing { .. } | VulkanError::Limit { .. })) => {
                    assert!(error.to_string().contains("plane"), "{error}");
                }
                other => panic!("lie {number}: {other:?}"),
            }
        }
    }
    assert_eq!(gpu.validation_messages(), 0);
}

#[test]
fn a_texture_is_scaled_into_the_buffers_of_a_screen() {
    let Some(gpu) = gpu() else { return };
    let gpu = &*gpu;
    let format = TextureFormat::Bgra8;
    let mut memories = [(); 2].map(|()| memory(format));
    let buffers = memories.iter().map(|memory| plane(memory, format)).collect();
    let mut scanout = gpu.open_scanout(buffers, Scaling::Fit).expect("opened");
    // As wide, and half as high: bars above and below.
    let picture = steps::texture(gpu, "picture", Size::new(20, 6), TextureFormat::Rgba8);
    let held = Arc::new(());
    for (number, memory) in memories.iter_mut().enumerate() {
        let color = [1.0, 0.0, number as f32, 1.0];
        run(gpu, &[Command::Clear { texture: &picture, color }]);
        let drawn = scanout.draw(number, &picture, Arc::clone(&held)).expect("submitted");
        scanout.wait(drawn.value, LONG).expect("drawn");
        assert_eq!(Arc::strong_count(&held), 1, "it is let go of");
        let shown = read(memory, format);
        let pixel = |y: usize| &shown[y * SIZE.width as usize * 4..][..4];
        assert_eq!(pixel(0), [0, 0, 0, 255], "a bar");
        assert_eq!(pixel(SIZE.height as usize / 2), [number as u8 * 255, 0, 255, 255]);
    }
    let error = scanout.draw(2, &picture, held.clone()).expect_err("there are two");
    assert!(matches!(error, VulkanError::Limit { .. }), "{error}");
    drop(scanout);
    assert_eq!(Arc::strong_count(&held), 1);
    assert_eq!(gpu.validation_messages(), 0);
}

#[test]
#[allow(clippy::print_stdout, reason = "standard output is where skips are counted")]
fn textures_for_a_screen_lie_as_it_takes_them_or_are_refused() {
    let Some(gpu) = gpu() else { return };
    let gpu = &*gpu;
    /// A modifier of nobody's.
    const UNKNOWN: u64 = 0x00ff_ffff_ffff_fff0;
    let format = TextureFormat::Bgra8;
    let desc = TextureDesc { label: "shown", size: SIZE, format };
    let found = gpu.scanout_modifiers(format, SIZE, &[UNKNOWN, 0]);
    if found.is_empty() {
        let error = gpu.create_scanout_texture(&desc, &[UNKNOWN, 0]).expect_err("it hands out none");
        assert!(matches!(error, VulkanError::Sharing { .. }), "{error}");
        println!("SKIPPED: {} hands out no DMA-BUFs", gpu.report().name);
        return;
    }
    assert_eq!(found, [0]);
    let texture = gpu.create_scanout_texture(&desc, &[UNKNOWN, 0]).expect("a texture");
    let bytes = texels(format);
    upload(gpu, &texture, &bytes);
    let shared = gpu.share(&texture).expect("handed out");
    assert_eq!((shared.kind, shared.tiling), (SharingKind::DmaBuf, SharedTiling::Modifier(0)));
    // As the screen sees it: the same rows, so far apart, from there on.
    let seen = DmaBuf {
        descriptor: shared.descriptor,
        size: shared.size,
        format: shared.format,
        modifier: 0,
        offset: shared.offset,
        row_pitch: shared.row_pitch,
    };
    let seen = gpu.import_dma_buf("seen", seen, DmaBufUse::Read).expect("imported");
    assert!(download(gpu, &seen, bytes.len()) == bytes);
    assert!(gpu.create_scanout_texture(&desc, &[UNKNOWN]).is_err());
    assert!(gpu.create_scanout_texture(&desc, &[]).is_err());
    assert_eq!(gpu.validation_messages(), 0);
}
