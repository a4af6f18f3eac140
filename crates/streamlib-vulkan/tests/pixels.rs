//! Pixel effects give the same pixels however many of them a thread computes, and however their inputs are read.
#![allow(clippy::print_stdout, reason = "a skipped test says why")]

#[path = "conformance/steps.rs"]
mod steps;
mod support;

use steps::{buffer_of, contents, run, texture};
use streamlib_core::format::{Size, TextureFormat};
use streamlib_core::gpu::{Command, Dispatch, Gpu, HostBufferUse, KernelDesc};
use streamlib_shader::{
    CacheOptions, Compiler, CompilerOptions, DxcError, Effect, EffectSource, Stage, StageInput,
};
use streamlib_vulkan::VulkanGpu;

use TextureFormat::{Rgba8, Rgba8Srgb};

/// Sizes that no group shape divides, and some that all do.
const SIZES: [Size; 6] = [
    Size::new(1, 1),
    Size::new(3, 5),
    Size::new(128, 32),
    Size::new(17, 130),
    Size::new(129, 31),
    Size::new(1921, 1081),
];

fn machine() -> Option<(VulkanGpu, Compiler)> {
    let gpu = support::gpu()?;
    let options = CompilerOptions { cache: CacheOptions::MemoryOnly, ..CompilerOptions::default() };
    match Compiler::new(options) {
        Ok(compiler) => Some((gpu, compiler)),
        Err(error @ DxcError::NotFound { .. }) => {
            println!("SKIPPED: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

fn source(text: &str) -> EffectSource {
    EffectSource::from_text("effect", text)
}

/// Bytes of a picture in which each channel of each texel differs from its neighbours; opaque.
fn picture(size: Size) -> Vec<u8> {
    let byte = |i: usize| if i % 4 == 3 { 255 } else { ((i * 37) ^ (i / 251)) as u8 };
    (0..size.pixels() * 4).map(byte).collect()
}

/// What `effect` makes of `input`, bound to all its ports.
fn result(
    gpu: &VulkanGpu,
    effect: &Effect,
    input: (Size, TextureFormat),
    output: (Size, TextureFormat),
) -> Vec<u8> {
    let texels = picture(input.0);
    let (from, to) = (texture(gpu, "from", input.0, input.1), texture(gpu, "to", output.0, output.1));
    let interface = &effect.interface;
    let desc =
        KernelDesc { label: "effect", spirv: &effect.spirv, interface, outputs: &[("output", output.1)] };
    let kernel = gpu.create_kernel(&desc).expect("a kernel");
    let up = buffer_of(gpu, &texels, HostBufferUse::Upload);
    let down =
        gpu.create_host_buffer("down", output.0.pixels() * 4, HostBufferUse::Readback).expect("a buffer");
    let inputs: Vec<_> = interface.inputs.iter().map(|slot| (slot.name.as_str(), &from)).collect();
    let dispatch = Dispatch {
        label: "effect",
        kernel: &kernel,
        inputs: &inputs,
        outputs: &[("output", &to)],
        buffers: &[],
        threads: output.0,
    };
    run(
        gpu,
        &[
            Command::Upload { from: &up, offset: 0, to: &from },
            Command::Clear { texture: &to, color: [0.5, 0.25, 0.75, 0.5] },
            Command::Dispatch(dispatch),
            Command::Download { from: &to, to: &down, offset: 0 },
        ],
    );
    assert_eq!(gpu.validation_messages(), 0);
    contents::<VulkanGpu>(&down)
}

fn assert_near(found: &[u8], expected: &[u8], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let far = found.iter().zip(expected).position(|(a, b)| a.abs_diff(*b) > 1);
    if let Some(at) = far {
        panic!("{what}: byte {at} is {}, not {}", found[at], expected[at]);
    }
}

/// The sRGB curve, decoded and encoded.
fn decode(stored: f64) -> f64 {
    if stored <= 0.04045 { stored / 12.92 } else { ((stored + 0.055) / 1.055).powf(2.4) }
}

fn encode(linear: f64) -> f64 {
    if linear <= 0.003_130_8 { linear * 12.92 } else { 1.055 * linear.powf(1.0 / 2.4) - 0.055 }
}

#[test]
fn every_pixel_of_any_size_is_written_in_linear_and_srgb_formats() {
    let Some((gpu, compiler)) = machine() else { return };
    let text = "float4 main(float2 uv : TEXCOORD) : SV_Target { float4 c = tex2D(input, uv); return float4(0.5 * c.rgb, c.a); }";
    let effect = compiler.compile(&source(text)).expect("it compiles");
    assert!(effect.interface.rows_constant.is_some() && effect.interface.loads_constant.is_some());
    for size in SIZES {
        for (from, to) in [(Rgba8, Rgba8), (Rgba8Srgb, Rgba8), (Rgba8, Rgba8Srgb), (Rgba8Srgb, Rgba8Srgb)] {
            let expected = |(i, stored): (usize, &u8)| {
                if i % 4 == 3 {
                    return 255;
                }
                let stored = f64::from(*stored) / 255.0;
                let half = 0.5 * if from == Rgba8Srgb { decode(stored) } else { stored };
                (255.0 * if to == Rgba8Srgb { encode(half) } else { half }).round() as u8
            };
            let expected: Vec<u8> = picture(size).iter().enumerate().map(expected).collect();
            assert_near(
                &result(&gpu, &effect, (size, from), (size, to)),
                &expected,
                &format!("{size} {from:?} {to:?}"),
            );
        }
    }
}

#[test]
fn a_local_input_of_another_size_than_the_output_is_sampled() {
    let Some((gpu, compiler)) = machine() else { return };
    let local = "float4 main(float2 uv : TEXCOORD) : SV_Target { return tex2D(input, uv); }";
    // The same, but not so that it could be proven.
    let moved = "float4 main(float2 uv : TEXCOORD) : SV_Target { return tex2D(input, uv + 0.0); }";
    let [local, moved] = [local, moved].map(|text| compiler.compile(&source(text)).expect("it compiles"));
    assert!(local.interface.inputs[0].is_local && !moved.interface.inputs[0].is_local);
    assert_eq!(moved.interface.loads_constant, None);
    for (from, to) in [((7, 9), (31, 20)), ((31, 20), (7, 9)), ((31, 9), (31, 20)), ((31, 20), (31, 20))] {
        let [from, to] = [from, to].map(|(width, height)| (Size::new(width, height), Rgba8));
        let what = format!("{} to {}", from.0, to.0);
        assert_near(&result(&gpu, &local, from, to), &result(&gpu, &moved, from, to), &what);
    }
}

#[test]
fn a_texture_that_one_fused_stage_reads_elsewhere_is_sampled_by_all() {
    let Some((gpu, compiler)) = machine() else { return };
    let half = source(
        "SamplerState s; float4 main(float2 uv : TEXCOORD) : SV_Target { return 0.5 * input.Sample(s, uv); }",
    );
    let beside = source(
        "Texture2D other; float4 main(float2 uv : TEXCOORD) : SV_Target {
           return tex2D(input, uv) + 0.5 * tex2D(other, uv + float2(0.25, 0)); }",
    );
    let stages = [
        Stage {
            name: "half",
            source: &half,
            inputs: &[("input", StageInput::Texture("a"))],
            is_clamped: true,
        },
        Stage {
            name: "beside",
            source: &beside,
            inputs: &[("input", StageInput::Stage(0)), ("other", StageInput::Texture("a"))],
            is_clamped: true,
        },
    ];
    let fused = compiler.compile_fused(&stages).expect("they fuse");
    assert!(!fused.interface.inputs[0].is_local);
    let alone = source(
        "float4 main(float2 uv : TEXCOORD) : SV_Target {
           return 0.5 * tex2D(input, uv + 0.0) + 0.5 * tex2D(input, uv + float2(0.25, 0)); }",
    );
    let alone = compiler.compile(&alone).expect("it compiles");
    for (from, to) in [((40, 9), (40, 9)), ((16, 5), (40, 9))] {
        let [from, to] = [from, to].map(|(width, height)| (Size::new(width, height), Rgba8));
        assert_near(&result(&gpu, &fused, from, to), &result(&gpu, &alone, from, to), &from.0.to_string());
    }
}

#[test]
fn fused_local_stages_give_every_pixel_at_any_size() {
    let Some((gpu, compiler)) = machine() else { return };
    let half = source(
        "SamplerState s; float4 main(float2 uv : TEXCOORD) : SV_Target { return 0.5 * input.Sample(s, uv); }",
    );
    let sum = source(
        "Texture2D other; SamplerState t; float4 main(float2 uv : TEXCOORD) : SV_Target {
           return tex2D(input, uv) + 0.5 * other.SampleLevel(t, uv, 0); }",
    );
    let stages = [
        Stage {
            name: "half",
            source: &half,
            inputs: &[("input", StageInput::Texture("a"))],
            is_clamped: true,
        },
        Stage {
            name: "sum",
            source: &sum,
            inputs: &[("input", StageInput::Stage(0)), ("other", StageInput::Texture("a"))],
            is_clamped: true,
        },
    ];
    let fused = compiler.compile_fused(&stages).expect("they fuse");
    assert!(fused.interface.loads_constant.is_some());
    for size in SIZES {
        let found = result(&gpu, &fused, (size, Rgba8), (size, Rgba8));
        assert_near(&found, &picture(size), &size.to_string());
    }
}

#[test]
fn a_variable_that_keeps_its_value_starts_anew_at_each_pixel() {
    let Some((gpu, compiler)) = machine() else { return };
    let text =
        "static float seen = 0; float4 main() : SV_Target { seen += 0.2; return float4(seen.xxx, 1); }";
    let effect = compiler.compile(&source(text)).expect("it compiles");
    assert_eq!(effect.interface.rows_constant, None);
    let size = (Size::new(33, 70), Rgba8);
    let expected = [51, 51, 51, 255].repeat(size.0.pixels());
    assert_near(&result(&gpu, &effect, size, size), &expected, "a static variable");
}

#[test]
fn a_compute_effect_may_compute_several_pixels_in_a_thread() {
    let Some((gpu, compiler)) = machine() else { return };
    let text = "static const uint2 pixels_per_thread = { 4, 2 };
        [numthreads(8, 4, 1)] void main(uint3 id : SV_DispatchThreadID) {
            uint2 size; output.GetDimensions(size.x, size.y);
            for (uint y = 0; y < pixels_per_thread.y; ++y) for (uint x = 0; x < pixels_per_thread.x; ++x) {
                uint2 at = id.xy * pixels_per_thread + uint2(x, y);
                if (all(at < size)) output[at] = input.Load(int3(at, 0));
            } }";
    let effect = compiler.compile(&source(text)).expect("it compiles");
    assert_eq!(effect.interface.pixels_per_thread, [4, 2]);
    for size in SIZES {
        let found = result(&gpu, &effect, (size, Rgba8), (size, Rgba8));
        assert_near(&found, &picture(size), &size.to_string());
    }
}
