//! What tests of any backend do again and again.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::time::Duration;

use streamlib_core::format::{Size, TextureFormat};
use streamlib_core::gpu::{Command, Gpu, HostBuffer, HostBufferUse, KernelDesc, TextureDesc};
use streamlib_core::interface::Interface;

/// Longer than any test works; reached only when something hangs.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// Code of a kernel and what can be bound to it.
#[derive(Clone)]
pub(crate) struct Code {
    pub(crate) spirv: Vec<u32>,
    pub(crate) interface: Interface,
}

/// The kernels that the suite runs.
pub(crate) struct Kernels {
    /// `output = sample(input) * tint`, pixel form.
    pub(crate) tint: Code,
    /// `output[x, y] = palette[x]`, compute form.
    pub(crate) palette: Code,
}

pub(crate) fn texture<G: Gpu>(gpu: &G, label: &str, size: Size, format: TextureFormat) -> G::Texture {
    gpu.create_texture(&TextureDesc { label, size, format }).expect("a texture")
}

pub(crate) fn kernel<G: Gpu>(gpu: &G, label: &str, code: &Code, output: TextureFormat) -> G::Kernel {
    gpu.create_kernel(&KernelDesc {
        label,
        spirv: &code.spirv,
        interface: &code.interface,
        outputs: &[("output", output)],
    })
    .expect("a kernel")
}

/// A buffer that holds `bytes`.
pub(crate) fn buffer_of<G: Gpu>(gpu: &G, bytes: &[u8], usage: HostBufferUse) -> G::HostBuffer {
    let buffer = gpu.create_host_buffer("filled", bytes.len(), usage).expect("a buffer");
    buffer.write(&mut |memory| memory.copy_from_slice(bytes)).expect("nothing uses it");
    buffer
}

pub(crate) fn contents<G: Gpu>(buffer: &G::HostBuffer) -> Vec<u8> {
    let mut bytes = Vec::new();
    buffer.read(&mut |memory| bytes.extend_from_slice(memory)).expect("nothing uses it");
    bytes
}

/// Records, submits and waits.
pub(crate) fn run<G: Gpu>(gpu: &G, commands: &[Command<'_, G>]) -> G::Recording {
    let mut recording = gpu.record("run", commands).expect("a recording");
    submit_and_wait(gpu, &mut recording);
    recording
}

pub(crate) fn submit_and_wait<G: Gpu>(gpu: &G, recording: &mut G::Recording) {
    let value = gpu.submit_one(recording).expect("a submission");
    gpu.wait(value, LONG).expect("it ends");
}

/// What a texture holds, tightly packed.
pub(crate) fn download<G: Gpu>(gpu: &G, from: &G::Texture, bytes: usize) -> Vec<u8> {
    let to = gpu.create_host_buffer("down", bytes, HostBufferUse::Readback).expect("a buffer");
    run(gpu, &[Command::Download { from, to: &to, offset: 0 }]);
    contents::<G>(&to)
}

/// Bytes that differ from texel to texel; as half floats they are finite.
pub(crate) fn pattern(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|i| ((i * 31 + i / 255) % 120) as u8).collect()
}

/// Bytes of a uniform block of floats.
pub(crate) fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}
