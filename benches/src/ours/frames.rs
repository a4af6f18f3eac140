//! Kernels in a row over pictures that are on the GPU already.

use std::sync::Arc;
use std::time::Duration;

use streamlib::format::{Size, TextureFormat};
use streamlib::interface::{FrameUniform, Interface};
use streamlib::shader::Effect;
use streamlib::value::Value;
use streamlib::vulkan::VulkanGpu;
use streamlib_core::gpu::{Command, Dispatch, Gpu, HostBuffer, HostBufferUse, KernelDesc, TextureDesc};

use crate::Fallible;

const LIMIT: Duration = Duration::from_secs(120);

type Texture = <VulkanGpu as Gpu>::Texture;

/// A picture's planes as textures, with the names that kernels read them by.
pub(crate) type Planes = Vec<(String, Texture)>;

/// A kernel to run, and what its parameters are.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) effect: Arc<Effect>,
    pub(crate) values: Vec<(String, Value)>,
}

impl Step {
    pub(crate) const fn new(effect: Arc<Effect>) -> Self {
        Self { effect, values: Vec::new() }
    }
}

/// One recording for each input picture.
#[derive(Debug)]
pub(crate) struct Frames<'g> {
    gpu: &'g VulkanGpu,
    size: Size,
    recordings: Vec<<VulkanGpu as Gpu>::Recording>,
    outputs: Vec<Texture>,
    times: Vec<u64>,
}

/// Uploads the planes of a picture: each a name, a size, a format and its bytes.
pub(crate) fn upload(
    gpu: &VulkanGpu,
    planes: &[(&str, Size, TextureFormat)],
    picture: &[u8],
) -> Fallible<Planes> {
    let mut start = 0;
    let mut uploaded = Planes::new();
    for &(name, size, format) in planes {
        let end = start + size.pixels() * format.bytes_per_texel();
        let bytes = picture.get(start..end).ok_or("the input is shorter than its planes")?;
        let texture = gpu.create_texture(&TextureDesc { label: name, size, format })?;
        let staging = gpu.create_host_buffer(name, bytes.len(), HostBufferUse::Upload)?;
        staging.write(&mut |to| to.copy_from_slice(bytes))?;
        let mut recording =
            gpu.record(name, &[Command::Upload { from: &staging, offset: 0, to: &texture }])?;
        gpu.wait(gpu.submit_one(&mut recording)?, LIMIT)?;
        uploaded.push((name.to_owned(), texture));
        start = end;
    }
    Ok(uploaded)
}

impl<'g> Frames<'g> {
    /// Records `steps` for each of the inputs: the first reads the planes, every other what the one before wrote.
    pub(crate) fn new(gpu: &'g VulkanGpu, size: Size, steps: &[Step], inputs: &[Planes]) -> Fallible<Self> {
        let texture =
            |label: &str| gpu.create_texture(&TextureDesc { label, size, format: TextureFormat::Rgba8 });
        let outputs = inputs.iter().map(|_| texture("output")).collect::<Result<Vec<_>, _>>()?;
        let between = steps.iter().skip(1).map(|_| texture("between")).collect::<Result<Vec<_>, _>>()?;
        let kernels = steps.iter().map(|step| kernel(gpu, &step.effect)).collect::<Fallible<Vec<_>>>()?;
        let mut recordings = Vec::new();
        for (planes, output) in inputs.iter().zip(&outputs) {
            let bound: Vec<_> = (0..steps.len())
                .map(|index| {
                    let read: Vec<_> = match index.checked_sub(1) {
                        None => planes.iter().map(|(name, texture)| (name.as_str(), texture)).collect(),
                        Some(before) => vec![("input", &between[before])],
                    };
                    let written = between.get(index).unwrap_or(output);
                    (read, [("output", written)])
                })
                .collect();
            let commands: Vec<_> = bound
                .iter()
                .zip(&kernels)
                .map(|((inputs, outputs), kernel)| {
                    let (label, threads) = ("step", size);
                    Command::Dispatch(Dispatch { label, kernel, inputs, outputs, buffers: &[], threads })
                })
                .collect();
            let mut recording = gpu.record("frame", &commands)?;
            for (index, step) in steps.iter().enumerate() {
                gpu.set_uniforms(&mut recording, index, &block(&step.effect.interface, size, &step.values)?)?;
            }
            recordings.push(recording);
        }
        Ok(Self { gpu, size, recordings, outputs, times: Vec::new() })
    }

    /// Runs a frame and waits until it is done.
    pub(crate) fn run(&mut self, frame: usize) -> Fallible<()> {
        let count = self.recordings.len();
        let recording = &mut self.recordings[frame % count];
        self.gpu.wait(self.gpu.submit_one(recording)?, LIMIT)?;
        Ok(())
    }

    /// GPU time of that frame, when the device is a GPU and tells it.
    pub(crate) fn gpu_ns(&mut self, frame: usize) -> Fallible<Option<u64>> {
        if self.gpu.info().is_cpu {
            return Ok(None);
        }
        self.gpu.times(&self.recordings[frame % self.recordings.len()], &mut self.times)?;
        Ok((!self.times.is_empty()).then(|| self.times.iter().sum()))
    }

    /// Pixels of that frame.
    pub(crate) fn download(&self, frame: usize) -> Fallible<Vec<u8>> {
        read(self.gpu, &self.outputs[frame % self.outputs.len()], self.size)
    }
}

/// Pixels of a texture.
pub(crate) fn read(gpu: &VulkanGpu, from: &Texture, size: Size) -> Fallible<Vec<u8>> {
    let buffer = gpu.create_host_buffer("pixels", size.pixels() * 4, HostBufferUse::Readback)?;
    let mut recording = gpu.record("read", &[Command::Download { from, to: &buffer, offset: 0 }])?;
    gpu.wait(gpu.submit_one(&mut recording)?, LIMIT)?;
    let mut pixels = Vec::new();
    buffer.read(&mut |bytes| pixels.extend_from_slice(bytes))?;
    Ok(pixels)
}

fn kernel(gpu: &VulkanGpu, effect: &Effect) -> Fallible<<VulkanGpu as Gpu>::Kernel> {
    let (label, interface, spirv) = (effect.name.as_str(), &effect.interface, effect.spirv.as_slice());
    let outputs = [("output", TextureFormat::Rgba8)];
    Ok(gpu.create_kernel(&KernelDesc { label, spirv, interface, outputs: &outputs })?)
}

/// The uniform block with the given values, and the size of the picture where it is asked for.
fn block(interface: &Interface, size: Size, values: &[(String, Value)]) -> Fallible<Vec<u8>> {
    let mut block = interface.default_block();
    for (name, value) in values {
        let parameter = interface.parameter(name)?;
        parameter.write(&parameter.check(value)?.numbers, &mut block);
    }
    for slot in interface.frame_uniforms.iter().filter(|slot| slot.uniform == FrameUniform::Resolution) {
        slot.parameter.write(&[f64::from(size.width), f64::from(size.height)], &mut block);
    }
    Ok(block)
}
