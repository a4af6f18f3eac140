//! Conversions between pictures and RGBA on the GPU, against their CPU twins in f64.

use streamlib::color::{ColorSpace, YuvMatrix, YuvRange};
use streamlib::format::{Size, TextureFormat};
use streamlib::interface::Interface;
use streamlib::media::convert::{self, Conversion, Direction};
use streamlib::picture::{BayerPattern, Picture, PictureFormat, PictureLayout};
use streamlib::shader::{CompileError, Compiler, CompilerOptions, EffectSource};
use streamlib::vulkan::{DeviceOptions, VulkanGpu};
use streamlib_core::frame::Timestamp;
use streamlib_core::gpu::{Command, Dispatch, Gpu, HostBuffer, HostBufferUse, KernelDesc, TextureDesc};

/// One code value: GPUs filter chroma with at least 8 bits of fraction, and round once more on the way out.
const TOLERANCE: u8 = 1;

struct Bench {
    gpu: VulkanGpu,
    compiler: Compiler,
}

impl Bench {
    fn new() -> Option<Self> {
        let compiler = Compiler::new(CompilerOptions::default());
        let gpu = VulkanGpu::new(&DeviceOptions::default());
        match (compiler, gpu) {
            (Ok(compiler), Ok(gpu)) => Some(Self { gpu, compiler }),
            (compiler, gpu) => {
                #[allow(clippy::print_stdout, reason = "standard output is where skips are counted")]
                {
                    println!("SKIPPED: {:?} {:?}", compiler.err(), gpu.err());
                }
                None
            }
        }
    }

    /// Runs a conversion from textures of these bytes to the bytes of its outputs, one plane after the other.
    fn run(
        &self,
        conversion: &Conversion,
        format: PictureFormat,
        inputs: &[(&str, Size, TextureFormat, &[u8])],
        outputs: &[(&str, Size, TextureFormat)],
    ) -> Result<Vec<u8>, CompileError> {
        let effect = self.compiler.compile(&EffectSource::from_text(conversion.name, conversion.hlsl))?;
        let gpu = &self.gpu;
        let texture = |label, size, format| {
            gpu.create_texture(&TextureDesc { label, size, format }).expect("a texture")
        };
        let formats: Vec<_> = outputs.iter().map(|(name, _, format)| (*name, *format)).collect();
        let (label, interface) = (conversion.name, &effect.interface);
        let desc = KernelDesc { label, spirv: &effect.spirv, interface, outputs: &formats };
        let kernel = gpu.create_kernel(&desc).expect("a kernel");
        let sources: Vec<_> = inputs
            .iter()
            .map(|(name, size, format, bytes)| {
                let buffer =
                    gpu.create_host_buffer(name, bytes.len(), HostBufferUse::Upload).expect("memory");
                buffer.write(&mut |memory| memory[..bytes.len()].copy_from_slice(bytes)).expect("unused");
                (*name, texture(name, *size, *format), buffer)
            })
            .collect();
        let targets: Vec<_> = outputs
            .iter()
            .map(|(name, size, format)| {
                let bytes = size.pixels() * format.bytes_per_texel();
                let buffer = gpu.create_host_buffer(name, bytes, HostBufferUse::Readback).expect("memory");
                (*name, texture(name, *size, *format), buffer, bytes)
            })
            .collect();
        let bound_inputs: Vec<_> = sources.iter().map(|(name, texture, _)| (*name, texture)).collect();
        let bound_outputs: Vec<_> = targets.iter().map(|(name, texture, ..)| (*name, texture)).collect();
        let mut commands: Vec<_> =
            sources.iter().map(|(_, to, from)| Command::Upload { from, offset: 0, to }).collect();
        commands.push(Command::Dispatch(Dispatch {
            label,
            kernel: &kernel,
            inputs: &bound_inputs,
            outputs: &bound_outputs,
            buffers: &[],
            threads: format.size,
        }));
        commands.extend(targets.iter().map(|(_, from, to, _)| Command::Download { from, to, offset: 0 }));
        let mut recording = gpu.record(label, &commands).expect("recorded");
        gpu.set_uniforms(&mut recording, 0, &block(conversion, format, interface)).expect("set");
        let done = gpu.submit_one(&mut recording).expect("submitted");
        gpu.wait(done, std::time::Duration::from_secs(60)).expect("finished");
        let mut all = Vec::new();
        for (_, _, buffer, bytes) in &targets {
            buffer.read(&mut |memory| all.extend_from_slice(&memory[..*bytes])).expect("finished");
        }
        assert_eq!(gpu.validation_messages(), 0, "the validation layer spoke about {label}");
        Ok(all)
    }
}

fn block(conversion: &Conversion, format: PictureFormat, interface: &Interface) -> Vec<u8> {
    let mut block = interface.default_block();
    for (name, value) in conversion.parameters(format) {
        let parameter = interface.parameter(&name).expect("the conversion has it");
        parameter.write(&parameter.check(&value).expect("it fits").numbers, &mut block);
    }
    block
}

/// Smooth ramps with noise on them: interpolation matters, and every code value occurs.
fn bytes(count: usize, seed: u32) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9) | 1;
    let next = |index: usize| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (index as u32 * 3 / 2 + state % 48) as u8
    };
    (0..count).map(next).collect()
}

fn compare(what: &str, found: &[u8], expected: &[u8]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let worst = found.iter().zip(expected).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0);
    assert!(worst <= TOLERANCE, "{what} is off by {worst} code values");
}

/// What is tried: every layout at every size, in all colour spaces where these matter. Mosaics, of which there are many, come in
/// fewer sizes.
fn cases(conversion: &Conversion) -> Vec<PictureFormat> {
    let sizes = [Size::new(96, 54), Size::new(38, 22), Size::new(17, 5), Size::new(2, 2), Size::new(1, 1)];
    let sizes_of_mosaics = [Size::new(22, 9), Size::new(17, 5)];
    let spaces = [YuvMatrix::Bt601, YuvMatrix::Bt709]
        .map(|matrix| [YuvRange::Limited, YuvRange::Full].map(|range| ColorSpace { matrix, range }));
    let mut cases = Vec::new();
    for layout in conversion.layouts() {
        let is_many = matches!(layout, PictureLayout::Bayer(pattern, _) if pattern != BayerPattern::Rggb);
        for &size in if is_many { &sizes_of_mosaics[..] } else { &sizes } {
            let spaces = spaces.as_flattened().iter().take(if layout.is_yuv() { 4 } else { 1 });
            cases.extend(spaces.map(|&color| PictureFormat { size, layout, color }));
        }
    }
    cases
}

#[test]
fn every_conversion_gives_what_its_cpu_twin_gives() {
    let Some(bench) = Bench::new() else { return };
    for conversion in &convert::ALL {
        for format in cases(conversion) {
            let size = format.size;
            let what = format!("{} of {format:?}", conversion.name);
            let planes = format.layout.planes(size);
            match conversion.direction {
                Direction::ToRgba => {
                    let data = bytes(format.bytes(), 7);
                    let inputs: Vec<_> = conversion
                        .planes
                        .iter()
                        .zip(&planes)
                        .zip(format.plane_ranges())
                        .map(|((name, plane), range)| (*name, plane.0, plane.1, &data[range]))
                        .collect();
                    let outputs = [("output", size, TextureFormat::Rgba8)];
                    let found = bench.run(conversion, format, &inputs, &outputs).expect("it compiles");
                    let picture = Picture { format, timestamp: Timestamp(0), data: data.clone() };
                    compare(&what, &found, &convert::cpu::to_rgba(&picture));
                }
                Direction::FromRgba => {
                    let rgba = bytes(size.pixels() * 4, 11);
                    let inputs = [("input", size, TextureFormat::Rgba8, rgba.as_slice())];
                    let named = conversion.planes.iter().zip(&planes);
                    let outputs: Vec<_> = named.map(|(name, plane)| (*name, plane.0, plane.1)).collect();
                    let found = bench.run(conversion, format, &inputs, &outputs).expect("it compiles");
                    let expected = convert::cpu::from_rgba(&rgba, format).expect("a layout that is written");
                    compare(&what, &found, &expected);
                }
            }
        }
    }
}
