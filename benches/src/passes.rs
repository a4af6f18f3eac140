//! Time of every effect as one pass, at 1080p and 4K.

use std::path::PathBuf;

use serde::Serialize;
use streamlib::format::Size;
use streamlib::shader::{Compiler, CompilerOptions, EffectSource};
use streamlib::vulkan::VulkanGpu;
use streamlib_core::gpu::Gpu;

use crate::rig::{Rig, percentile};
use crate::{Fallible, copy};

const SIZES: [(&str, Size); 2] = [("1080p", Size::new(1920, 1080)), ("4K", Size::new(3840, 2160))];
/// Enough 4K pairs to overflow the largest cache of a GPU today; a CPU's holds none.
const fn pairs(is_cpu: bool) -> usize {
    if is_cpu { 2 } else { 8 }
}

/// All passes at one size.
#[derive(Serialize)]
pub(crate) struct PassSet {
    pub(crate) size: &'static str,
    /// The copy's group shape.
    pub(crate) copy: String,
    pub(crate) copy_p50_us: f64,
    pub(crate) passes: Vec<PassTime>,
}

/// One effect.
#[derive(Serialize)]
pub(crate) struct PassTime {
    pub(crate) effect: String,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    /// Median over the copy's median.
    pub(crate) copies: f64,
}

pub(crate) fn measure(gpu: &VulkanGpu, effects: &[PathBuf], repeats: usize) -> Fallible<Vec<PassSet>> {
    let compiler = Compiler::new(CompilerOptions::default())?;
    SIZES.iter().map(|(name, size)| measure_size(gpu, &compiler, effects, name, *size, repeats)).collect()
}

fn measure_size(
    gpu: &VulkanGpu,
    compiler: &Compiler,
    effects: &[PathBuf],
    name: &'static str,
    size: Size,
    repeats: usize,
) -> Fallible<PassSet> {
    let rig = Rig::new(gpu, size, pairs(gpu.info().is_cpu))?;
    let us = |nanoseconds: u64| nanoseconds as f64 / 1e3;
    let copy = copy::fastest(&rig, compiler, size, repeats)?;
    println!("{name}: compute copy ({}): {:.1} us", copy.shape, us(copy.p50_ns));
    let mut passes = Vec::new();
    for path in effects {
        let effect = compiler.compile(&EffectSource::from_file(path)?)?;
        let label = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
        // Effects with buffers need contents to mean anything.
        if !effect.interface.buffers.is_empty() {
            continue;
        }
        let times = rig.time(&label, &effect.interface, &effect.spirv, size, repeats)?;
        let (p50, p99) = (percentile(&times, 0.5), percentile(&times, 0.99));
        let copies = p50 as f64 / copy.p50_ns as f64;
        println!("{name}: {label:<24} {:>10.1} us  {copies:>7.2} copies", us(p50));
        passes.push(PassTime { effect: label, p50_us: us(p50), p99_us: us(p99), copies });
    }
    Ok(PassSet { size: name, copy: copy.shape, copy_p50_us: us(copy.p50_ns), passes })
}
