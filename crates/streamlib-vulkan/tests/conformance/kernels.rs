//! Dispatches, uniforms, buffers and colour.

use streamlib_core::format::{Size, TextureFormat};
use streamlib_core::gpu::{Command, Dispatch, Gpu, HostBuffer, HostBufferUse};

use crate::steps::{Kernels, buffer_of, contents, floats, kernel, pattern, run, submit_and_wait, texture};

/// The sRGB curve, decoded: stored value to linear light.
fn decode(stored: f64) -> f64 {
    if stored <= 0.04045 { stored / 12.92 } else { ((stored + 0.055) / 1.055).powf(2.4) }
}

/// Linear light to the stored value.
fn encode(linear: f64) -> f64 {
    if linear <= 0.003_130_8 { linear * 12.92 } else { 1.055 * linear.powf(1.0 / 2.4) - 0.055 }
}

/// Runs `tint` from one format to another and compares with the same in f64.
fn tint_matches<G: Gpu>(gpu: &G, kernels: &Kernels, from: TextureFormat, to: TextureFormat) {
    let size = Size::new(19, 7);
    let tint = [0.5_f32, 1.0, 0.25, 0.75];
    let texels = pattern(size.pixels() * 4);
    let (input, output) = (texture(gpu, "in", size, from), texture(gpu, "out", size, to));
    let code = kernel(gpu, "tint", &kernels.tint, to);
    let up = buffer_of(gpu, &texels, HostBufferUse::Upload);
    let down = gpu.create_host_buffer("down", texels.len(), HostBufferUse::Readback).expect("a buffer");
    let commands = [
        Command::Upload { from: &up, offset: 0, to: &input },
        Command::Dispatch(Dispatch {
            label: "tint",
            kernel: &code,
            inputs: &[("input", &input)],
            outputs: &[("output", &output)],
            buffers: &[],
            threads: size,
        }),
        Command::Download { from: &output, to: &down, offset: 0 },
    ];
    let mut recording = gpu.record("tint", &commands).expect("a recording");
    gpu.set_uniforms(&mut recording, 0, &floats(&tint)).expect("a block");
    submit_and_wait(gpu, &mut recording);
    let swapped = |format| matches!(format, TextureFormat::Bgra8 | TextureFormat::Bgra8Srgb);
    let place = |format, channel: usize| match channel {
        0 | 2 if swapped(format) => 2 - channel,
        _ => channel,
    };
    let found = contents::<G>(&down);
    for (texel, found) in texels.chunks(4).zip(found.chunks(4)) {
        for channel in 0..4 {
            let stored = f64::from(texel[place(from, channel)]) / 255.0;
            let linear = if from.is_srgb() && channel < 3 { decode(stored) } else { stored };
            let tinted = linear * f64::from(tint[channel]);
            let expected = if to.is_srgb() && channel < 3 { encode(tinted) } else { tinted };
            let found = f64::from(found[place(to, channel)]);
            assert!(
                (found - expected * 255.0).abs() <= 1.0,
                "{from:?} to {to:?}, channel {channel}: {found}, not {}",
                expected * 255.0
            );
        }
    }
}

pub(crate) fn kernels_read_and_write_every_four_byte_format<G: Gpu>(gpu: &G, kernels: &Kernels) {
    use TextureFormat::{Bgra8, Bgra8Srgb, Rgba8, Rgba8Srgb};
    for from in [Rgba8, Rgba8Srgb, Bgra8, Bgra8Srgb] {
        for to in [Rgba8, Rgba8Srgb, Bgra8, Bgra8Srgb] {
            tint_matches(gpu, kernels, from, to);
        }
    }
}

pub(crate) fn each_dispatch_has_its_own_uniforms<G: Gpu>(gpu: &G, kernels: &Kernels) {
    let size = Size::new(5, 3);
    let format = TextureFormat::Rgba8;
    let [a, b, c] = ["a", "b", "c"].map(|label| texture(gpu, label, size, format));
    let code = kernel(gpu, "tint", &kernels.tint, format);
    let down = gpu.create_host_buffer("down", size.pixels() * 4, HostBufferUse::Readback).expect("a buffer");
    let (to_b, to_c) = ([("output", &b)], [("output", &c)]);
    let (from_a, from_b) = ([("input", &a)], [("input", &b)]);
    let pass = |inputs, outputs| {
        Command::Dispatch(Dispatch {
            label: "tint",
            kernel: &code,
            inputs,
            outputs,
            buffers: &[],
            threads: size,
        })
    };
    let commands = [
        Command::Clear { texture: &a, color: [1.0; 4] },
        pass(&from_a, &to_b),
        pass(&from_b, &to_c),
        Command::Download { from: &c, to: &down, offset: 0 },
    ];
    let mut recording = gpu.record("two tints", &commands).expect("a recording");
    // Resubmitted many times, with other uniforms each time.
    for round in 0..100_u8 {
        let level = f32::from(round + 100) / 255.0;
        gpu.set_uniforms(&mut recording, 0, &floats(&[level, 1.0, 0.0, 1.0])).expect("a block");
        // A shorter slice sets the start of the block.
        gpu.set_uniforms(&mut recording, 1, &floats(&[1.0, level, 1.0, 1.0])).expect("a block");
        gpu.set_uniforms(&mut recording, 1, &floats(&[1.0])).expect("a block");
        submit_and_wait(gpu, &mut recording);
        let found = contents::<G>(&down);
        for texel in found.chunks(4) {
            assert_eq!(texel, [round + 100, round + 100, 0, 255], "round {round}");
        }
    }
    let mut times = vec![7];
    gpu.times(&recording, &mut times).expect("times");
    assert!(times.is_empty() || times.len() == 4, "one time per step: {times:?}");
}

pub(crate) fn a_kernel_reads_its_buffer<G: Gpu>(gpu: &G, kernels: &Kernels) {
    let size = Size::new(33, 9);
    let format = TextureFormat::Rgba8;
    let output = texture(gpu, "out", size, format);
    let code = kernel(gpu, "palette", &kernels.palette, format);
    let colors: Vec<f32> =
        (0..33_u8).flat_map(|i| [f32::from(i) / 255.0, 0.0, 1.0, f32::from(i * 2) / 255.0]).collect();
    let palette = buffer_of(gpu, &floats(&colors), HostBufferUse::Parameters);
    let down = gpu.create_host_buffer("down", size.pixels() * 4, HostBufferUse::Readback).expect("a buffer");
    let commands = [
        Command::Dispatch(Dispatch {
            label: "palette",
            kernel: &code,
            inputs: &[],
            outputs: &[("output", &output)],
            buffers: &[("palette", &palette)],
            threads: size,
        }),
        Command::Download { from: &output, to: &down, offset: 0 },
    ];
    let recording = run(gpu, &commands);
    for row in contents::<G>(&down).chunks(33 * 4) {
        for (x, texel) in (0..33).zip(row.chunks(4)) {
            assert_eq!(texel, [x, 0, 255, x * 2]);
        }
    }
    drop(recording);
    palette.write(&mut |memory| memory.fill(0)).expect("the recording has finished");
}
