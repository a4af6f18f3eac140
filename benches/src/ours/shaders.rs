//! From a new text to its first finished frame.

use std::time::Instant;

use streamlib::format::{Size, TextureFormat};
use streamlib::shader::{CacheOptions, Compiler, CompilerOptions, EffectSource};
use streamlib::vulkan::VulkanGpu;

use super::frames::{Frames, Step, upload};
use super::texts;
use crate::Fallible;
use crate::peers::protocol::{Answer, Request};

pub(crate) fn measure(gpu: &VulkanGpu, request: &Request) -> Fallible<Answer> {
    let size = Size::new(request.width, request.height);
    let picture = std::fs::read(request.inputs.first().ok_or("there is no input")?)?;
    let inputs = [upload(gpu, &[("input", size, TextureFormat::Rgba8)], &picture)?];
    let mut answer = Answer { note: "pixel form".to_owned(), ..Answer::default() };
    let mut compiler = None;
    let mut last = None;
    for &tint in &request.tints {
        let start = Instant::now();
        let text = texts::blur_pixel(request, tint);
        // Loading DXC is part of the first text.
        let compiler = match &mut compiler {
            Some(compiler) => compiler,
            none => {
                let cache = CacheOptions::Disk(request.cache.join("streamlib"));
                none.insert(Compiler::new(CompilerOptions { cache, ..CompilerOptions::default() })?)
            }
        };
        let effect = compiler.compile(&EffectSource::from_text("new", &text))?;
        let mut frames = Frames::new(gpu, size, &[Step::new(effect)], &inputs)?;
        frames.run(0)?;
        answer.wall_ns.push(start.elapsed().as_nanos() as u64);
        last = Some(frames);
    }
    let frames = last.ok_or("there is no text")?;
    std::fs::write(&request.output, frames.download(0)?)?;
    Ok(answer)
}
