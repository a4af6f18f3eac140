//! One kernel timed on the GPU, over enough texture pairs that no cache holds them all.

use std::time::{Duration, Instant};

use streamlib::format::{Size, TextureFormat};
use streamlib::interface::Interface;
use streamlib::vulkan::VulkanGpu;
use streamlib_core::gpu::{Command, Dispatch, Gpu, HostBufferUse, KernelDesc, TextureDesc};

use crate::Fallible;

const LIMIT: Duration = Duration::from_secs(120);
/// Runs before the first that counts: a GPU that waited for a kernel to be built is not at its full clock. Measured on an
/// H100: without it one kernel's median was now 37 µs, now 95.
const WARM_UP: Duration = Duration::from_millis(40);

/// Textures to read and write, in turn.
pub(crate) struct Rig<'g> {
    gpu: &'g VulkanGpu,
    size: Size,
    inputs: Vec<<VulkanGpu as Gpu>::Texture>,
    outputs: Vec<<VulkanGpu as Gpu>::Texture>,
}

impl<'g> Rig<'g> {
    /// `pairs` of RGBA8 textures with noise in them: plain colours can be faster than pictures are.
    pub(crate) fn new(gpu: &'g VulkanGpu, size: Size, pairs: usize) -> Fallible<Self> {
        let texture = |label: &str| {
            let format = TextureFormat::Rgba8;
            gpu.create_texture(&TextureDesc { label, size, format })
        };
        let inputs = (0..pairs).map(|_| texture("bench input")).collect::<Result<Vec<_>, _>>()?;
        let outputs = (0..pairs).map(|_| texture("bench output")).collect::<Result<Vec<_>, _>>()?;
        let staging = gpu.create_host_buffer("noise", size.pixels() * 4, HostBufferUse::Upload)?;
        use streamlib_core::gpu::HostBuffer;
        staging.write(&mut |bytes| {
            // xorshift32: any sequence without visible pattern will do.
            let mut state = 0x9E37_79B9_u32;
            for texel in bytes.chunks_exact_mut(4) {
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                texel.copy_from_slice(&(state | 0xFF00_0000).to_le_bytes());
            }
        })?;
        let uploads = inputs.iter().map(|to| Command::Upload { from: &staging, offset: 0, to });
        let mut recording = gpu.record("noise", &uploads.collect::<Vec<_>>())?;
        gpu.wait(gpu.submit_one(&mut recording)?, LIMIT)?;
        Ok(Self { gpu, size, inputs, outputs })
    }

    /// GPU times in nanoseconds of `repeats` runs over every pair, sorted. Every input of the kernel gets a texture.
    pub(crate) fn time(
        &self,
        label: &str,
        interface: &Interface,
        spirv: &[u32],
        threads: Size,
        repeats: usize,
    ) -> Fallible<Vec<u64>> {
        let formats: Vec<_> =
            interface.outputs.iter().map(|o| (o.name.as_str(), TextureFormat::Rgba8)).collect();
        let kernel = self.gpu.create_kernel(&KernelDesc { label, spirv, interface, outputs: &formats })?;
        let pairs = self.inputs.len();
        let bound: Vec<_> = (0..pairs)
            .map(|pair| {
                let slots = interface.inputs.iter().enumerate();
                let inputs: Vec<_> =
                    slots.map(|(i, slot)| (slot.name.as_str(), &self.inputs[(pair + i) % pairs])).collect();
                let outputs: Vec<_> =
                    interface.outputs.iter().map(|slot| (slot.name.as_str(), &self.outputs[pair])).collect();
                (inputs, outputs)
            })
            .collect();
        let commands: Vec<_> = bound
            .iter()
            .map(|(inputs, outputs)| {
                Command::Dispatch(Dispatch { label, kernel: &kernel, inputs, outputs, buffers: &[], threads })
            })
            .collect();
        let mut recording = self.gpu.record(label, &commands)?;
        let mut block = interface.default_block();
        for uniform in &interface.frame_uniforms {
            let numbers = [f64::from(self.size.width), f64::from(self.size.height)];
            if uniform.parameter.ty.components() == 2 {
                uniform.parameter.write(&numbers, &mut block);
            }
        }
        for pass in 0..pairs {
            self.gpu.set_uniforms(&mut recording, pass, &block)?;
        }
        let (mut samples, mut times) = (Vec::new(), Vec::new());
        let mut submit = |times: &mut Vec<u64>| -> Fallible<()> {
            self.gpu.wait(self.gpu.submit_one(&mut recording)?, LIMIT)?;
            Ok(self.gpu.times(&recording, times)?)
        };
        let start = Instant::now();
        while start.elapsed() < WARM_UP {
            submit(&mut times)?;
        }
        for _ in 0..repeats.div_ceil(pairs) {
            submit(&mut times)?;
            samples.extend_from_slice(&times);
        }
        if samples.is_empty() {
            return Err("this device has no timestamps, so passes cannot be timed".into());
        }
        samples.sort_unstable();
        Ok(samples)
    }
}

/// The sample that `share` of all are not above.
pub(crate) fn percentile(sorted: &[u64], share: f64) -> u64 {
    sorted[((sorted.len() as f64 * share).ceil() as usize).clamp(1, sorted.len()) - 1]
}
