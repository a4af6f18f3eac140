//! A GPU made of plain Rust, so that engine logic is tested without one: the contract's smallest honest implementation.
//!
//! Kernels are closures, found by the kernel's label. Work runs inside `submit`, so everything submitted has finished.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::format::{Size, TextureFormat};
use crate::gpu::{
    Command, DeviceInfo, Dispatch, Gpu, GpuError, HostAccessError, HostBuffer, HostBufferUse, KernelDesc,
    TextureDesc,
};

/// Computes one texel of the one output: inputs in the order of the kernel's interface, uniform block, position.
pub type KernelFn = Arc<dyn Fn(&[&CpuTexture], &[u8], (u32, u32)) -> [f32; 4] + Send + Sync>;

/// The test double.
#[derive(Debug)]
pub struct CpuGpu {
    info: DeviceInfo,
    kernels: BTreeMap<String, CpuKernel>,
    timeline: AtomicU64,
}

/// A texture in host memory.
#[derive(Clone, Debug)]
pub struct CpuTexture {
    size: Size,
    format: TextureFormat,
    texels: Arc<Mutex<Vec<[f32; 4]>>>,
}

/// Host memory.
#[derive(Clone, Debug)]
pub struct CpuBuffer(Arc<Mutex<Vec<u8>>>);

/// A closure.
#[derive(Clone)]
pub struct CpuKernel(KernelFn);

/// A recorded command; it gets the uniform blocks of all dispatches.
type Step = Box<dyn Fn(&[Vec<u8>]) + Send>;

/// Steps to run.
pub struct CpuRecording {
    steps: Vec<Step>,
    blocks: Vec<Vec<u8>>,
}

impl std::fmt::Debug for CpuKernel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CpuKernel")
    }
}

impl std::fmt::Debug for CpuRecording {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CpuRecording({} steps)", self.steps.len())
    }
}

/// What the double refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CpuGpuError {
    /// No closure was registered under that label.
    #[error("no kernel called `{0}`")]
    NoKernel(String),
    /// Something was not bound, or is of the wrong kind.
    #[error("`{0}` is not bound, or cannot be")]
    Binding(String),
}

impl GpuError for CpuGpuError {
    fn is_device_lost(&self) -> bool {
        false
    }
}

impl CpuGpu {
    /// A GPU that knows these kernels.
    #[must_use]
    pub fn new(kernels: impl IntoIterator<Item = (&'static str, KernelFn)>) -> Self {
        Self {
            info: DeviceInfo { name: "test double".into(), is_cpu: true, max_texture_size: 4096 },
            kernels: kernels.into_iter().map(|(name, run)| (name.to_owned(), CpuKernel(run))).collect(),
            timeline: AtomicU64::new(0),
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl CpuTexture {
    /// The texel at a position inside the texture.
    #[must_use]
    pub fn texel(&self, (x, y): (u32, u32)) -> [f32; 4] {
        locked(&self.texels)[(y * self.size.width + x) as usize]
    }

    fn channels(&self) -> &'static [usize] {
        match self.format {
            TextureFormat::R8 => &[0],
            TextureFormat::Rg8 => &[0, 1],
            TextureFormat::Rgba8 => &[0, 1, 2, 3],
            other => unreachable!("the double stores no {other:?}"),
        }
    }

    fn upload(&self, bytes: &[u8]) {
        let channels = self.channels();
        for (texel, bytes) in locked(&self.texels).iter_mut().zip(bytes.chunks_exact(channels.len())) {
            *texel = [0.0, 0.0, 0.0, 1.0];
            channels.iter().zip(bytes).for_each(|(&channel, &byte)| texel[channel] = f32::from(byte) / 255.0);
        }
    }

    fn download(&self, bytes: &mut [u8]) {
        let channels = self.channels();
        for (texel, bytes) in locked(&self.texels).iter().zip(bytes.chunks_exact_mut(channels.len())) {
            let code = |channel: usize| (texel[channel].clamp(0.0, 1.0) * 255.0).round() as u8;
            channels.iter().zip(bytes).for_each(|(&channel, byte)| *byte = code(channel));
        }
    }
}

impl HostBuffer for CpuBuffer {
    fn len(&self) -> usize {
        locked(&self.0).len()
    }

    fn read(&self, with: &mut dyn FnMut(&[u8])) -> Result<(), HostAccessError> {
        with(&locked(&self.0));
        Ok(())
    }

    fn write(&self, with: &mut dyn FnMut(&mut [u8])) -> Result<(), HostAccessError> {
        with(&mut locked(&self.0));
        Ok(())
    }
}

impl Gpu for CpuGpu {
    type Texture = CpuTexture;
    type HostBuffer = CpuBuffer;
    type Kernel = CpuKernel;
    type Recording = CpuRecording;
    type Error = CpuGpuError;

    fn info(&self) -> &DeviceInfo {
        &self.info
    }

    fn create_texture(&self, desc: &TextureDesc<'_>) -> Result<CpuTexture, CpuGpuError> {
        // Undefined contents are made conspicuous.
        let texels = Arc::new(Mutex::new(vec![[0.7, 0.0, 0.7, 1.0]; desc.size.pixels()]));
        Ok(CpuTexture { size: desc.size, format: desc.format, texels })
    }

    fn create_host_buffer(&self, _: &str, bytes: usize, _: HostBufferUse) -> Result<CpuBuffer, CpuGpuError> {
        Ok(CpuBuffer(Arc::new(Mutex::new(vec![0; bytes]))))
    }

    fn create_kernel(&self, desc: &KernelDesc<'_>) -> Result<CpuKernel, CpuGpuError> {
        self.kernels.get(desc.label).cloned().ok_or_else(|| CpuGpuError::NoKernel(desc.label.to_owned()))
    }

    fn record(&self, _: &str, commands: &[Command<'_, Self>]) -> Result<CpuRecording, CpuGpuError> {
        let mut recording = CpuRecording { steps: vec![], blocks: vec![] };
        for command in commands {
            recording.steps.push(match command {
                Command::Upload { from, offset, to } => {
                    let (from, offset, to) = ((*from).clone(), *offset, (*to).clone());
                    Box::new(move |_| to.upload(&locked(&from.0)[offset..]))
                }
                Command::Download { from, to, offset } => {
                    let (from, to, offset) = ((*from).clone(), (*to).clone(), *offset);
                    Box::new(move |_| from.download(&mut locked(&to.0)[offset..]))
                }
                Command::Clear { texture, color } => {
                    let (texture, color) = ((*texture).clone(), *color);
                    Box::new(move |_| locked(&texture.texels).fill(color))
                }
                Command::Dispatch(dispatch) => {
                    recording.blocks.push(vec![]);
                    dispatch_step(dispatch, recording.blocks.len() - 1)?
                }
            });
        }
        Ok(recording)
    }

    fn set_uniforms(
        &self,
        recording: &mut CpuRecording,
        pass: usize,
        block: &[u8],
    ) -> Result<(), CpuGpuError> {
        let stored =
            recording.blocks.get_mut(pass).ok_or_else(|| CpuGpuError::Binding(format!("pass {pass}")))?;
        block.clone_into(stored);
        Ok(())
    }

    fn submit(&self, recording: &mut CpuRecording) -> Result<u64, CpuGpuError> {
        recording.steps.iter().for_each(|step| step(&recording.blocks));
        Ok(self.timeline.fetch_add(1, Ordering::SeqCst) + 1)
    }

    fn wait(&self, _: u64, _: Duration) -> Result<(), CpuGpuError> {
        Ok(())
    }

    fn times(&self, _: &CpuRecording, into: &mut Vec<u64>) -> Result<(), CpuGpuError> {
        into.clear();
        Ok(())
    }
}

fn dispatch_step(dispatch: &Dispatch<'_, CpuGpu>, pass: usize) -> Result<Step, CpuGpuError> {
    let inputs: Vec<CpuTexture> = dispatch.inputs.iter().map(|(_, texture)| (*texture).clone()).collect();
    let [(_, output)] = dispatch.outputs else {
        return Err(CpuGpuError::Binding(dispatch.label.to_owned()));
    };
    let (output, run) = ((*output).clone(), dispatch.kernel.0.clone());
    Ok(Box::new(move |blocks| {
        let inputs: Vec<&CpuTexture> = inputs.iter().collect();
        let Size { width, height } = output.size;
        let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        let texels: Vec<_> = places.map(|place| run(&inputs, &blocks[pass], place)).collect();
        *locked(&output.texels) = texels;
    }))
}
