//! The measured blur is a blur: its pixels are compared with the same in f64.
#![allow(clippy::print_stdout, reason = "a skipped test says why")]

use std::path::Path;
use std::time::Duration;

use streamlib::format::{Size, TextureFormat};
use streamlib::shader::{CacheOptions, Compiler, CompilerOptions, DxcError, EffectSource};
use streamlib::vulkan::{DeviceOptions, VulkanError, VulkanGpu};
use streamlib_core::gpu::{Command, Dispatch, Gpu, HostBuffer, HostBufferUse, KernelDesc, TextureDesc};

/// Red, green, blue and alpha factors: the default tint.
const COLOR: [f64; 4] = [1.0, 0.72, 0.45, 1.0];
const SIGMA: f64 = 2.0;

fn blurred(texels: &[u8], size: Size, at: usize) -> f64 {
    let (width, channel) = (size.width as usize, at % 4);
    let (x, y) = ((at / 4) % width, at / 4 / width);
    let taps = (-4_i64..=4).map(|i| {
        let column = (x as i64 + i).clamp(0, width as i64 - 1) as usize;
        let weight = (-0.5 * (i * i) as f64 / (SIGMA * SIGMA)).exp();
        (weight, f64::from(texels[(y * width + column) * 4 + channel]))
    });
    let (sum, total) = taps.fold((0.0, 0.0), |(sum, total), (w, value)| (sum + w * value, total + w));
    sum / total * COLOR[channel]
}

#[test]
fn the_blur_gives_the_pixels_of_a_blur_at_any_size() -> Result<(), Box<dyn std::error::Error>> {
    let gpu = match VulkanGpu::new(&DeviceOptions::default()) {
        Err(error @ (VulkanError::NoLoader { .. } | VulkanError::NoDevice { .. })) => {
            println!("SKIPPED: {error}");
            return Ok(());
        }
        gpu => gpu?,
    };
    let options = CompilerOptions { cache: CacheOptions::MemoryOnly, ..CompilerOptions::default() };
    let compiler = match Compiler::new(options) {
        Err(error @ DxcError::NotFound { .. }) => {
            println!("SKIPPED: {error}");
            return Ok(());
        }
        compiler => compiler?,
    };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("effects/blur_tint.hlsl");
    let effect = compiler.compile(&EffectSource::from_file(path)?)?;
    let (interface, format) = (&effect.interface, TextureFormat::Rgba8);
    let outputs = [("output", format)];
    let desc = KernelDesc { label: "blur_tint", spirv: &effect.spirv, interface, outputs: &outputs };
    let kernel = gpu.create_kernel(&desc)?;
    for size in [Size::new(1, 1), Size::new(9, 65), Size::new(130, 31)] {
        let texels: Vec<u8> = (0..size.pixels() * 4).map(|i| ((i * 37) ^ (i / 251)) as u8).collect();
        let from = gpu.create_texture(&TextureDesc { label: "from", size, format })?;
        let to = gpu.create_texture(&TextureDesc { label: "to", size, format })?;
        let up = gpu.create_host_buffer("up", texels.len(), HostBufferUse::Upload)?;
        let down = gpu.create_host_buffer("down", texels.len(), HostBufferUse::Readback)?;
        up.write(&mut |bytes| bytes.copy_from_slice(&texels))?;
        let dispatch = Dispatch {
            label: "blur_tint",
            kernel: &kernel,
            inputs: &[("input", &from)],
            outputs: &[("output", &to)],
            buffers: &[],
            threads: size,
        };
        let commands = [
            Command::Upload { from: &up, offset: 0, to: &from },
            Command::Dispatch(dispatch),
            Command::Download { from: &to, to: &down, offset: 0 },
        ];
        let mut recording = gpu.record("blur_tint", &commands)?;
        gpu.set_uniforms(&mut recording, 0, &interface.default_block())?;
        gpu.wait(gpu.submit_one(&mut recording)?, Duration::from_secs(60))?;
        let mut found = Vec::new();
        down.read(&mut |bytes| found.extend_from_slice(bytes))?;
        for (at, found) in found.iter().enumerate() {
            let expected = blurred(&texels, size, at);
            assert!(
                (f64::from(*found) - expected).abs() <= 0.51,
                "{size}, byte {at}: {found}, not {expected}"
            );
        }
    }
    Ok(())
}
