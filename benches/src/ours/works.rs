//! The works that are timed frame by frame.

use std::time::{Duration, Instant};

use streamlib::format::{Size, TextureFormat};
use streamlib::media::convert;
use streamlib::picture::{PictureFormat, PictureLayout};
use streamlib::shader::{CacheOptions, Compiler, CompilerOptions, EffectSource};
use streamlib::vulkan::VulkanGpu;

use super::frames::{Frames, Planes, Step, upload};
use super::texts;
use crate::Fallible;
use crate::chain;
use crate::peers::protocol::{Answer, Request, Work};
use crate::peers::reference::COLOR;
use crate::rig::percentile;

/// Runs that tell which variant is the fastest.
const TRIES: usize = 5;

pub(crate) fn measure(gpu: &VulkanGpu, request: &Request) -> Fallible<Answer> {
    let cache = CacheOptions::Disk(request.cache.join("streamlib"));
    let compiler = Compiler::new(CompilerOptions { cache, ..CompilerOptions::default() })?;
    let inputs = inputs(gpu, request)?;
    let size = Size::new(request.width, request.height);
    let variants = variants(&compiler, request)?;
    let count = variants.len();
    let mut best: Option<(u64, &str, Frames<'_>)> = None;
    for (name, steps) in &variants {
        let mut frames = Frames::new(gpu, size, steps, &inputs)?;
        let time = typical(&mut frames)?;
        if best.as_ref().is_none_or(|(least, ..)| time < *least) {
            best = Some((time, name, frames));
        }
    }
    let (_, name, mut frames) = best.ok_or("there is no way to do this")?;
    let mut answer = timed(&mut frames, request)?;
    std::fs::write(&request.output, frames.download(answer.wall_ns.len() - 1)?)?;
    answer.note = if count > 1 { format!("{name}, the fastest of {count}") } else { (*name).to_owned() };
    Ok(answer)
}

fn inputs(gpu: &VulkanGpu, request: &Request) -> Fallible<Vec<Planes>> {
    let size = Size::new(request.width, request.height);
    let planes = match request.work {
        Work::Yuyv | Work::Nv12 => {
            let layout = layout(request.work);
            let names = convert::to_rgba(layout).ok_or("there is no such conversion")?.planes;
            names
                .iter()
                .zip(layout.planes(size))
                .map(|(name, (size, format))| (*name, size, format))
                .collect()
        }
        _ => vec![("input", size, TextureFormat::Rgba8)],
    };
    request.inputs.iter().map(|path| upload(gpu, &planes, &std::fs::read(path)?)).collect()
}

const fn layout(work: Work) -> PictureLayout {
    match work {
        Work::Yuyv => PictureLayout::Yuyv,
        Work::Nv12 => PictureLayout::Nv12,
        _ => PictureLayout::Rgba8,
    }
}

/// The ways to do the work that a user has.
fn variants(compiler: &Compiler, request: &Request) -> Fallible<Vec<(&'static str, Vec<Step>)>> {
    let compile = |name: &str, text: &str| -> Fallible<Step> {
        Ok(Step::new(compiler.compile(&EffectSource::from_text(name, text))?))
    };
    Ok(match request.work {
        Work::Blur => vec![
            ("pixel form", vec![compile("blur", &texts::blur_pixel(request, request.tint))?]),
            ("compute form", vec![compile("blur", &texts::blur_compute(request, request.tint))?]),
            (
                "compute form, shared loads",
                vec![compile("blur", &texts::blur_shared(request, request.tint))?],
            ),
        ],
        Work::ChainFused => vec![("one kernel", vec![Step::new(chain::fused(compiler, &request.effects)?)])],
        Work::ChainPasses => {
            let effects = chain::passes(compiler, &request.effects)?;
            vec![("eight kernels", effects.into_iter().map(Step::new).collect())]
        }
        Work::Yuyv | Work::Nv12 => {
            let (size, layout) = (Size::new(request.width, request.height), layout(request.work));
            let conversion = convert::to_rgba(layout).ok_or("there is no such conversion")?;
            let step = compile(conversion.name, conversion.hlsl)?;
            let values = conversion.parameters(PictureFormat { size, layout, color: COLOR });
            vec![(conversion.name, vec![Step { values, ..step }])]
        }
        Work::Graph | Work::Shader => return Err("this work has no frames".into()),
    })
}

/// A frame's time after a first one: on the GPU where it tells, else by the clock.
fn typical(frames: &mut Frames<'_>) -> Fallible<u64> {
    let mut times = Vec::new();
    for frame in 0..=TRIES {
        let start = Instant::now();
        frames.run(frame)?;
        let wall = start.elapsed().as_nanos() as u64;
        times.push(frames.gpu_ns(frame)?.unwrap_or(wall));
    }
    times.remove(0);
    times.sort_unstable();
    Ok(percentile(&times, 0.5))
}

fn timed(frames: &mut Frames<'_>, request: &Request) -> Fallible<Answer> {
    for frame in 0..request.warmup {
        frames.run(frame)?;
    }
    let mut answer = Answer::default();
    let (begun, budget) = (Instant::now(), Duration::from_secs_f64(request.seconds));
    for frame in 0..request.frames {
        let start = Instant::now();
        frames.run(frame)?;
        answer.wall_ns.push(start.elapsed().as_nanos() as u64);
        answer.gpu_ns.extend(frames.gpu_ns(frame)?);
        if begun.elapsed() > budget {
            break;
        }
    }
    Ok(answer)
}
