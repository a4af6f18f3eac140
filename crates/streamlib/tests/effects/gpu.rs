//! Runs one effect once, through the contract of streamlib-core alone.

use std::time::Duration;

use streamlib::format::{Size, TextureFormat};
use streamlib::interface::{FrameUniform, Interface};
use streamlib::value::Value;
use streamlib_core::gpu::{Command, Dispatch, Gpu, HostBuffer, HostBufferUse, KernelDesc, TextureDesc};

use crate::oracle::{Image, Setup};

/// Long enough for any pass on a CPU device that other tests share.
const TIMEOUT: Duration = Duration::from_secs(120);

/// The result of an effect in 8-bit RGBA, as `gpu` computes it.
pub(crate) fn run<G: Gpu>(
    gpu: &G,
    interface: &Interface,
    spirv: &[u32],
    setup: &Setup,
) -> Result<Image, G::Error> {
    const FORMAT: TextureFormat = TextureFormat::Rgba8;
    let texture = |label: &str, size| gpu.create_texture(&TextureDesc { label, size, format: FORMAT });
    let filled = |label: &str, bytes: &[u8], usage| {
        let buffer = gpu.create_host_buffer(label, bytes.len(), usage)?;
        buffer
            .write(&mut |memory| memory.copy_from_slice(bytes))
            .expect("nothing is submitted that uses the buffer");
        Ok(buffer)
    };

    let mut inputs = Vec::new();
    for slot in &interface.inputs {
        let image = &setup.inputs[slot.name.as_str()];
        let upload = filled(&slot.name, &image.to_rgba8(), HostBufferUse::Upload)?;
        let size = Size::new(image.width(), image.height());
        inputs.push((slot.name.as_str(), upload, texture(&slot.name, size)?));
    }
    let mut buffers = Vec::new();
    for slot in &interface.buffers {
        let value = Value::List(setup.values[&slot.name].iter().copied().map(Value::Float).collect());
        let bytes = slot.encode(&value).expect("contents fit the buffer");
        let buffer = filled(&slot.name, &bytes, HostBufferUse::Parameters)?;
        buffers.push((slot.name.as_str(), buffer));
    }
    let size = Size::new(setup.width, setup.height);
    let output = texture("output", size)?;
    let bytes = size.pixels() * FORMAT.bytes_per_texel();
    let readback = gpu.create_host_buffer("readback", bytes, HostBufferUse::Readback)?;
    let kernel =
        gpu.create_kernel(&KernelDesc { label: "effect", spirv, interface, outputs: &[("output", FORMAT)] })?;

    let bound: Vec<_> = inputs.iter().map(|(name, _, texture)| (*name, texture)).collect();
    let outputs = [("output", &output)];
    let parameters: Vec<_> = buffers.iter().map(|(name, buffer)| (*name, buffer)).collect();
    let mut commands: Vec<Command<'_, G>> =
        inputs.iter().map(|(_, from, to)| Command::Upload { from, offset: 0, to }).collect();
    commands.push(Command::Dispatch(Dispatch {
        label: "effect",
        kernel: &kernel,
        inputs: &bound,
        outputs: &outputs,
        buffers: &parameters,
        threads: size,
    }));
    commands.push(Command::Download { from: &output, to: &readback, offset: 0 });
    let mut recording = gpu.record("effect", &commands)?;
    if interface.uniforms.is_some() {
        gpu.set_uniforms(&mut recording, 0, &uniform_block(interface, setup))?;
    }
    let done = gpu.submit_one(&mut recording)?;
    gpu.wait(done, TIMEOUT)?;

    let mut result = None;
    readback
        .read(&mut |bytes| result = Some(Image::from_rgba8(setup.width, setup.height, bytes)))
        .expect("the submission has finished");
    Ok(result.expect("the closure ran"))
}

fn uniform_block(interface: &Interface, setup: &Setup) -> Vec<u8> {
    let mut block = interface.default_block();
    for parameter in &interface.parameters {
        let value = Value::List(setup.values[&parameter.name].iter().copied().map(Value::Float).collect());
        let numbers = parameter.check(&value).unwrap_or_else(|error| panic!("{error}")).numbers;
        parameter.write(&numbers, &mut block);
    }
    for slot in &interface.frame_uniforms {
        let resolution = [f64::from(setup.width), f64::from(setup.height)];
        let numbers = match slot.uniform {
            FrameUniform::Resolution => &resolution[..],
            other => &setup.values[other.name()],
        };
        slot.parameter.write(numbers, &mut block);
    }
    block
}
