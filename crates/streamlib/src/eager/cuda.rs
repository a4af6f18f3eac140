//! Textures handed to CUDA, as memory that its libraries read in place.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use streamlib_core::format::{Size, TextureFormat};
use streamlib_core::gpu::{Command, Dispatch, Gpu, TextureDesc};
use streamlib_core::plan::{Code, PlanKernel};
use streamlib_shader::EffectSource;
use streamlib_vulkan::cuda::{CudaError, CudaLink, CudaTexture, Stream};
use streamlib_vulkan::{Recording, Texture};

use super::EagerError;
use crate::adapt::COPY;
use crate::runtime::StreamRuntime;

/// Linear textures that are kept for the next tensor.
const KEPT: usize = 16;
/// With so many of one kind that CUDA still uses, the next tensor waits for the oldest: another would not be filled sooner.
const BUSY: usize = 8;

/// What handing over takes.
#[derive(Debug, Default)]
pub(super) struct Cuda {
    link: OnceLock<Result<CudaLink, CudaError>>,
    pool: Arc<Pool>,
}

/// Linear textures that no tensor is made of.
#[derive(Debug, Default)]
struct Pool(Mutex<Vec<Linear>>);

impl Pool {
    fn lock(&self) -> MutexGuard<'_, Vec<Linear>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A linear texture and the copy into it.
#[derive(Debug)]
struct Linear {
    shared: CudaTexture,
    /// The copy, and the texture that it was recorded with.
    copy: Option<(Recording, Texture)>,
}

/// The texels of a texture in CUDA's memory, row by row. They stay for as long as it lives.
#[derive(Debug)]
pub struct CudaTensor {
    /// There until drop.
    linear: Option<Linear>,
    stream: Stream,
    home: Arc<Pool>,
}

impl CudaTensor {
    /// The memory.
    ///
    /// # Panics
    /// Never: it is there until drop.
    #[must_use]
    pub fn memory(&self) -> &CudaTexture {
        &self.linear.as_ref().expect("there until drop").shared
    }
}

impl Drop for CudaTensor {
    fn drop(&mut self) {
        let Some(linear) = self.linear.take() else { return };
        // Where CUDA refuses, nobody knows when it is done with the memory: then that is freed by its own rules.
        if linear.shared.release(self.stream).is_ok() {
            let mut kept = self.home.lock();
            kept.push(linear);
            if kept.len() > KEPT {
                kept.remove(0);
            }
        }
    }
}

impl StreamRuntime {
    /// The link to CUDA, made when it is first asked for.
    ///
    /// # Errors
    /// Where CUDA is not there, or does not know this runtime's device.
    pub fn cuda(&self) -> Result<&CudaLink, CudaError> {
        let made = self.eager().cuda.link.get_or_init(|| CudaLink::new(self.gpu()));
        made.as_ref().map_err(Clone::clone)
    }

    /// Hands what a texture shows to CUDA, by one pass of the GPU from tiles to rows: what is put into `stream` from now on sees
    /// it. Where the GPU is busy, `stream` waits for it, and this thread does not.
    ///
    /// # Errors
    /// Where CUDA is not there, or either side fails.
    pub fn hand_to_cuda(&self, texture: &Texture, stream: Stream) -> Result<CudaTensor, EagerError> {
        let mut linear = self.linear(texture.size(), texture.format())?;
        self.fill(&mut linear, texture, stream)?;
        Ok(CudaTensor { linear: Some(linear), stream, home: self.eager().cuda.pool.clone() })
    }

    /// Lets memory that was handed over show what the texture shows by now, when what was put into its stream has been done.
    ///
    /// # Errors
    /// When either side fails, or the texture has another size or format.
    pub fn hand_to_cuda_again(&self, tensor: &mut CudaTensor, texture: &Texture) -> Result<(), EagerError> {
        let stream = tensor.stream;
        let Some(linear) = &mut tensor.linear else { return Ok(()) };
        linear.shared.release(stream)?;
        linear.shared.await_release()?;
        self.fill(linear, texture, stream)
    }

    fn fill(&self, linear: &mut Linear, texture: &Texture, stream: Stream) -> Result<(), EagerError> {
        let mut copy = match linear.copy.take() {
            Some((mut recording, recorded)) => {
                self.gpu().rebind(&mut recording, &recorded, texture)?;
                (recording, recorded)
            }
            None => (self.record_copy(texture, linear.shared.texture())?, texture.clone()),
        };
        let submission = linear.shared.submit(std::slice::from_mut(&mut copy.0))?;
        linear.shared.acquire(submission, stream)?;
        linear.copy = Some(copy);
        Ok(())
    }

    /// CUDA's memory for a texture, to be written there, in `stream`, and then copied into one.
    ///
    /// # Errors
    /// Where CUDA is not there, or memory runs out.
    pub fn cuda_memory(
        &self,
        size: Size,
        format: TextureFormat,
        stream: Stream,
    ) -> Result<CudaTensor, EagerError> {
        let linear = self.linear(size, format)?;
        Ok(CudaTensor { linear: Some(linear), stream, home: self.eager().cuda.pool.clone() })
    }

    /// A linear texture that CUDA does not use any more, or a new one.
    fn linear(&self, size: Size, format: TextureFormat) -> Result<Linear, EagerError> {
        let mut kept = self.eager().cuda.pool.lock();
        let mut busy = Vec::new();
        for place in 0..kept.len() {
            let shared = &kept[place].shared;
            if shared.texture().size() == size && shared.texture().format() == format {
                if shared.is_released()? {
                    return Ok(kept.remove(place));
                }
                busy.push(place);
            }
        }
        if busy.len() >= BUSY {
            let oldest = kept.remove(busy[0]);
            drop(kept);
            oldest.shared.await_release()?;
            return Ok(oldest);
        }
        drop(kept);
        let desc = TextureDesc { label: "for CUDA", size, format };
        Ok(Linear { shared: self.cuda()?.create_texture(&desc)?, copy: None })
    }

    fn record_copy(&self, from: &Texture, to: &Texture) -> Result<Recording, EagerError> {
        let effect = self.compiler().compile(&EffectSource::from_text("to rows", COPY))?;
        let output = effect.interface.outputs.first().map_or("output", |slot| slot.name.as_str());
        let kernel = PlanKernel {
            code: Code::Node(effect.name.clone()),
            outputs: [(output.to_owned(), to.format())].into(),
        };
        let kernel = self.kernel(&kernel, &effect)?;
        let dispatch = Command::Dispatch(Dispatch {
            label: "to rows",
            kernel: &kernel,
            inputs: &[("input", from)],
            outputs: &[(output, to)],
            buffers: &[],
            threads: to.size(),
        });
        let gpu = self.gpu();
        let mut recording = gpu.record("to rows", &[dispatch])?;
        let block = effect.interface.default_block();
        if !block.is_empty() {
            gpu.set_uniforms(&mut recording, 0, &block)?;
        }
        Ok(recording)
    }
}
