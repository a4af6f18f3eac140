//! A GPU made of plain Rust, so that engine logic is tested without one: the contract's smallest honest implementation.
//!
//! Kernels are closures, found by the kernel's label. Work runs inside `submit`, so everything submitted has finished; or,
//! in a [`CpuGpu::deferred`] one, inside `wait`, so that frames are under way as on a real device.

mod work;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use crate::format::{Size, TextureFormat};
use crate::gpu::{
    Calibration, Command, DeviceInfo, Gpu, GpuError, HostAccessError, HostBuffer, HostBufferUse, KernelDesc,
    Sharing, TextureDesc,
};
use crate::sync::Mutex;
use work::{Job, Queue, Step};

/// Computes one texel of the one output: inputs in the order of the kernel's interface, uniform block, position.
pub type KernelFn = Arc<dyn Fn(&[&CpuTexture], &[u8], (u32, u32)) -> [f32; 4] + Send + Sync>;

/// The test double.
#[derive(Debug)]
pub struct CpuGpu {
    info: DeviceInfo,
    kernels: BTreeMap<String, CpuKernel>,
    queue: Queue,
    /// Every handle to memory holds it.
    alive: Arc<()>,
}

/// A texture in host memory.
#[derive(Clone, Debug)]
pub struct CpuTexture {
    size: Size,
    format: TextureFormat,
    texels: Arc<Mutex<Vec<[f32; 4]>>>,
    _alive: Arc<()>,
}

/// Host memory.
#[derive(Clone, Debug)]
pub struct CpuBuffer {
    bytes: Arc<Mutex<Vec<u8>>>,
    /// Timeline value of the newest submission that uses it, and the newest that is known to have finished.
    last_use: Arc<AtomicU64>,
    finished: Arc<AtomicU64>,
    _alive: Arc<()>,
}

/// A closure.
#[derive(Clone)]
pub struct CpuKernel(KernelFn);

/// Steps to run.
#[derive(Debug)]
pub struct CpuRecording {
    label: String,
    steps: Arc<[Step]>,
    blocks: Vec<Vec<u8>>,
    /// Textures of the dispatches: as recorded, and as bound now.
    textures: Vec<(CpuTexture, CpuTexture)>,
    buffers: Vec<CpuBuffer>,
    pending: u64,
}

impl std::fmt::Debug for CpuKernel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CpuKernel")
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
    /// A recording that runs was to be changed or submitted.
    #[error("`{0}` is in flight")]
    InFlight(String),
    /// A host buffer is in use.
    #[error("a buffer of `{0}` is open")]
    Open(String),
    /// Nobody submitted the value that was waited for.
    #[error("value {0} was not reached")]
    Timeout(u64),
}

impl GpuError for CpuGpuError {
    fn is_device_lost(&self) -> bool {
        false
    }
}

impl CpuGpu {
    /// A GPU that knows these kernels, and runs them when they are submitted.
    #[must_use]
    pub fn new(kernels: impl IntoIterator<Item = (&'static str, KernelFn)>) -> Self {
        Self::with_queue(kernels, Queue::new(false))
    }

    /// One that runs them when somebody waits for them.
    #[must_use]
    pub fn deferred(kernels: impl IntoIterator<Item = (&'static str, KernelFn)>) -> Self {
        Self::with_queue(kernels, Queue::new(true))
    }

    fn with_queue(kernels: impl IntoIterator<Item = (&'static str, KernelFn)>, queue: Queue) -> Self {
        Self {
            info: DeviceInfo {
                name: "test double".into(),
                is_cpu: true,
                max_texture_size: 4096,
                pci_address: None,
            },
            kernels: kernels.into_iter().map(|(name, run)| (name.to_owned(), CpuKernel(run))).collect(),
            queue,
            alive: Arc::default(),
        }
    }

    /// Handles to textures and host memory that are alive, those of recordings and of unfinished work included.
    #[must_use]
    pub fn handles(&self) -> usize {
        Arc::strong_count(&self.alive) - 1
    }

    fn idle(&self, recording: &CpuRecording) -> Result<(), CpuGpuError> {
        if self.queue.has_finished(recording.pending) {
            return Ok(());
        }
        Err(CpuGpuError::InFlight(recording.label.clone()))
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

    /// Fills the texture.
    pub fn fill(&self, color: [f32; 4]) {
        locked(&self.texels).fill(color);
    }

    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.texels, &other.texels)
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

impl CpuBuffer {
    fn check(&self) -> Result<(), HostAccessError> {
        let is_free = self.last_use.load(Ordering::Acquire) <= self.finished.load(Ordering::Acquire);
        if is_free { Ok(()) } else { Err(HostAccessError) }
    }
}

impl HostBuffer for CpuBuffer {
    fn len(&self) -> usize {
        locked(&self.bytes).len()
    }

    fn read(&self, with: &mut dyn FnMut(&[u8])) -> Result<(), HostAccessError> {
        self.check()?;
        with(&locked(&self.bytes));
        Ok(())
    }

    fn write(&self, with: &mut dyn FnMut(&mut [u8])) -> Result<(), HostAccessError> {
        self.check()?;
        with(&mut locked(&self.bytes));
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
        Ok(CpuTexture { size: desc.size, format: desc.format, texels, _alive: self.alive.clone() })
    }

    fn create_shared_texture(&self, desc: &TextureDesc<'_>, _: Sharing) -> Result<CpuTexture, CpuGpuError> {
        self.create_texture(desc)
    }

    fn create_scanout_texture(&self, desc: &TextureDesc<'_>, _: &[u64]) -> Result<CpuTexture, CpuGpuError> {
        self.create_texture(desc)
    }

    fn create_host_buffer(&self, _: &str, bytes: usize, _: HostBufferUse) -> Result<CpuBuffer, CpuGpuError> {
        let bytes = Arc::new(Mutex::new(vec![0; bytes]));
        let (last_use, finished) = (Arc::default(), self.queue.finished());
        Ok(CpuBuffer { bytes, last_use, finished, _alive: self.alive.clone() })
    }

    fn create_kernel(&self, desc: &KernelDesc<'_>) -> Result<CpuKernel, CpuGpuError> {
        self.kernels.get(desc.label).cloned().ok_or_else(|| CpuGpuError::NoKernel(desc.label.to_owned()))
    }

    fn record(&self, label: &str, commands: &[Command<'_, Self>]) -> Result<CpuRecording, CpuGpuError> {
        work::record(label, commands)
    }

    fn set_uniforms(
        &self,
        recording: &mut CpuRecording,
        pass: usize,
        block: &[u8],
    ) -> Result<(), CpuGpuError> {
        self.idle(recording)?;
        let stored =
            recording.blocks.get_mut(pass).ok_or_else(|| CpuGpuError::Binding(format!("pass {pass}")))?;
        block.clone_into(stored);
        Ok(())
    }

    fn rebind(
        &self,
        recording: &mut CpuRecording,
        recorded: &CpuTexture,
        texture: &CpuTexture,
    ) -> Result<(), CpuGpuError> {
        self.idle(recording)?;
        let wrong = || CpuGpuError::Binding(recording.label.clone());
        let stands_elsewhere =
            recording.textures.iter().any(|(as_recorded, now)| now.is(texture) && !as_recorded.is(recorded));
        if stands_elsewhere || (texture.size, texture.format) != (recorded.size, recorded.format) {
            return Err(wrong());
        }
        let error = wrong();
        let mut places = recording.textures.iter_mut().filter(|(as_recorded, _)| as_recorded.is(recorded));
        let (_, bound) = places.next().ok_or(error)?;
        *bound = texture.clone();
        Ok(())
    }

    fn submit(&self, batches: &mut [&mut [CpuRecording]]) -> Result<u64, CpuGpuError> {
        for recording in batches.iter().flat_map(|batch| batch.iter()) {
            self.idle(recording)?;
            if recording.buffers.iter().any(|buffer| buffer.bytes.try_lock().is_err()) {
                return Err(CpuGpuError::Open(recording.label.clone()));
            }
        }
        let recordings = || batches.iter().flat_map(|batch| batch.iter());
        let value = self.queue.submit(recordings().map(Job::of).collect(), |value| {
            let buffers = recordings().flat_map(|recording| &recording.buffers);
            buffers.for_each(|buffer| buffer.last_use.store(value, Ordering::Release));
        });
        for recording in batches.iter_mut().flat_map(|batch| batch.iter_mut()) {
            recording.pending = value;
        }
        Ok(value)
    }

    fn wait(&self, value: u64, timeout: Duration) -> Result<(), CpuGpuError> {
        if self.queue.wait(value, timeout) { Ok(()) } else { Err(CpuGpuError::Timeout(value)) }
    }

    fn reached(&self, value: u64) -> Result<bool, CpuGpuError> {
        Ok(self.queue.has_finished(value))
    }

    fn timestamps(&self, recording: &CpuRecording, into: &mut Vec<u64>) -> Result<(), CpuGpuError> {
        into.clear();
        self.idle(recording)
    }

    fn calibrate(&self) -> Result<Option<Calibration>, CpuGpuError> {
        Ok(None)
    }
}
