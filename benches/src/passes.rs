//! Time of every effect as one pass, at 1080p and 4K.

use std::path::{Path, PathBuf};

use serde::Serialize;
use streamlib::format::Size;
use streamlib::shader::{Compiler, CompilerOptions, Effect, EffectSource};
use streamlib::vulkan::VulkanGpu;
use streamlib_core::gpu::Gpu;

use crate::chain::ChainTime;
use crate::rig::{Rig, percentile};
use crate::{Fallible, chain, copy};

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
    pub(crate) chain: ChainTime,
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

pub(crate) fn measure(
    gpu: &VulkanGpu,
    folder: &Path,
    effects: &[PathBuf],
    repeats: usize,
) -> Fallible<Vec<PassSet>> {
    let compiler = Compiler::new(CompilerOptions::default())?;
    let sets = SIZES.iter().map(|(name, size)| {
        let rig = Rig::new(gpu, *size, pairs(gpu.info().is_cpu))?;
        let copy = copy::fastest(&rig, &compiler, *size, repeats)?;
        println!("{name}: compute copy ({}): {:.1} us", copy.shape, us(copy.p50_ns));
        let bench = Bench { rig: &rig, compiler: &compiler, size: *size, repeats, copy_ns: copy.p50_ns };
        let passes = effects.iter().filter_map(|path| bench.pass(name, path).transpose());
        let passes = passes.collect::<Fallible<Vec<_>>>()?;
        let chain = chain::measure(&bench, folder)?;
        Ok(PassSet { size: name, copy: copy.shape, copy_p50_us: us(copy.p50_ns), passes, chain })
    });
    sets.collect()
}

/// Nanoseconds as microseconds.
pub(crate) fn us(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e3
}

/// What every measurement at one size needs.
pub(crate) struct Bench<'a> {
    rig: &'a Rig<'a>,
    pub(crate) compiler: &'a Compiler,
    size: Size,
    repeats: usize,
    pub(crate) copy_ns: u64,
}

impl Bench<'_> {
    /// Times of an effect, sorted.
    pub(crate) fn time(&self, label: &str, effect: &Effect) -> Fallible<Vec<u64>> {
        self.rig.time(label, &effect.interface, &effect.spirv, self.size, self.repeats)
    }

    /// Times an effect's file; `None` for an effect with buffers, which needs contents to mean anything.
    fn pass(&self, size: &str, path: &Path) -> Fallible<Option<PassTime>> {
        let effect = self.compiler.compile(&EffectSource::from_file(path)?)?;
        if !effect.interface.buffers.is_empty() {
            return Ok(None);
        }
        let label = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
        let times = self.time(&label, &effect)?;
        let (p50, p99) = (percentile(&times, 0.5), percentile(&times, 0.99));
        let copies = p50 as f64 / self.copy_ns as f64;
        println!("{size}: {label:<24} {:>10.1} us  {copies:>7.2} copies", us(p50));
        Ok(Some(PassTime { effect: label, p50_us: us(p50), p99_us: us(p99), copies }))
    }
}
