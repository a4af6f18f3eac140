//! Textures that CUDA has as well. Most of this needs an NVIDIA GPU.

#[path = "conformance/steps.rs"]
mod steps;
mod support;

use std::sync::Arc;
use std::time::Duration;

use steps::{buffer_of, download, pattern};
use streamlib_core::format::{Size, TextureFormat};
use streamlib_core::gpu::{Command, Gpu, HostBufferUse, TextureDesc};
use streamlib_vulkan::VulkanGpu;
use streamlib_vulkan::cuda::{CudaError, CudaLink, CudaTexture, Stream};

const LIMIT: Duration = Duration::from_secs(10);

fn link() -> Option<(Arc<VulkanGpu>, CudaLink)> {
    let gpu = Arc::new(support::gpu()?);
    match CudaLink::new(&gpu) {
        Ok(link) => Some((gpu, link)),
        #[allow(clippy::print_stdout, reason = "standard output is where skips are counted")]
        Err(error) => {
            println!("SKIPPED: {error}");
            None
        }
    }
}

#[test]
fn a_device_that_cuda_does_not_know_is_refused_with_advice() {
    let Some(gpu) = support::gpu() else { return };
    if !gpu.info().is_cpu {
        return;
    }
    let error = CudaLink::new(&Arc::new(gpu)).expect_err("a CPU");
    assert!(matches!(error, CudaError::OtherDevice { .. } | CudaError::NoDriver { .. }), "{error}");
    assert!(error.to_string().contains("CUDA"), "{error}");
}

/// Fills `texture` by Vulkan; the answer is what CUDA has to wait for.
fn fill(gpu: &VulkanGpu, texture: &CudaTexture, bytes: &[u8]) -> u64 {
    let buffer = buffer_of(gpu, bytes, HostBufferUse::Upload);
    let upload = Command::Upload { from: &buffer, offset: 0, to: texture.texture() };
    let recording = gpu.record("fill", &[upload]).expect("recorded");
    let mut recordings = [recording];
    let submission = texture.submit(&mut recordings).expect("submitted");
    texture.wait(submission, LIMIT).expect("done");
    submission
}

#[test]
#[allow(unsafe_code, reason = "hands CUDA's memory from one texture to another")]
fn what_vulkan_wrote_cuda_reads_and_what_cuda_wrote_vulkan_reads() {
    let Some((gpu, link)) = link() else { return };
    for (format, size) in [
        (TextureFormat::Rgba8, Size::new(64, 32)),
        (TextureFormat::Rgba8, Size::new(333, 77)),
        (TextureFormat::Rgba16Float, Size::new(100, 10)),
    ] {
        let bytes = pattern(size.pixels() * format.bytes_per_texel());
        let make = |label| link.create_texture(&TextureDesc { label, size, format }).expect("shared");
        let (from, to) = (make("from"), make("to"));
        let submission = fill(&gpu, &from, &bytes);
        from.acquire(submission, Stream::LEGACY).expect("waited for");
        let there = from.row_pitch() * u64::from(size.height);
        // SAFETY: the texture's rows lie there, and it outlives the call.
        let copied = unsafe { to.write_from((from.pointer(), there), from.row_pitch(), Stream::LEGACY) };
        copied.expect("copied by CUDA");
        from.release(Stream::LEGACY).expect("released");
        assert!(from.is_released().expect("asked"), "the stream was waited for");
        assert!(download(&*gpu, to.texture(), bytes.len()) == bytes, "{format:?} {size}");
        // SAFETY: nothing is read: it is refused.
        let short = unsafe { to.write_from((from.pointer(), 3), from.row_pitch(), Stream::LEGACY) };
        assert!(matches!(short, Err(CudaError::Layout { .. })), "{short:?}");
    }
    assert_eq!(gpu.validation_messages(), 0);
}
