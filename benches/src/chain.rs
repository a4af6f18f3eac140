//! Eight pixel effects in a row: as one fused kernel, and as eight passes.

use std::path::Path;
use std::sync::Arc;

use serde::Serialize;
use streamlib::shader::{Compiler, Effect, EffectSource, Stage, StageInput};

use crate::Fallible;
use crate::passes::{Bench, us};
use crate::rig::percentile;

/// The chain.
pub(crate) const EFFECTS: [&str; 8] =
    ["brightness", "contrast", "saturation", "hue_shift", "gamma", "sepia", "vignette", "tint"];

/// The chain at one size.
#[derive(Serialize)]
pub(crate) struct ChainTime {
    pub(crate) effects: [&'static str; 8],
    /// One kernel.
    pub(crate) fused_p50_us: f64,
    /// Eight passes, the sum of their medians.
    pub(crate) unfused_p50_us: f64,
    /// The fused kernel over the copy.
    pub(crate) fused_copies: f64,
}

/// The chain as one kernel.
pub(crate) fn fused(compiler: &Compiler, folder: &Path) -> Fallible<Arc<Effect>> {
    let sources = sources(folder)?;
    let inputs: Vec<_> = (0..EFFECTS.len())
        .map(|index| {
            [("input", index.checked_sub(1).map_or(StageInput::Texture("input"), StageInput::Stage))]
        })
        .collect();
    let stages: Vec<_> = EFFECTS
        .iter()
        .zip(&sources)
        .zip(&inputs)
        .map(|((name, source), inputs)| Stage { name, source, inputs, is_clamped: true })
        .collect();
    Ok(compiler.compile_fused(&stages)?)
}

/// The chain as kernels of their own.
pub(crate) fn passes(compiler: &Compiler, folder: &Path) -> Fallible<Vec<Arc<Effect>>> {
    Ok(sources(folder)?.iter().map(|source| compiler.compile(source)).collect::<Result<_, _>>()?)
}

fn sources(folder: &Path) -> Fallible<Vec<EffectSource>> {
    let open = |name: &str| EffectSource::from_file(folder.join(format!("{name}.hlsl")));
    Ok(EFFECTS.iter().map(|name| open(name)).collect::<Result<Vec<_>, _>>()?)
}

pub(crate) fn measure(bench: &Bench<'_>, folder: &Path) -> Fallible<ChainTime> {
    let p50 = |effect: &Effect, name: &str| bench.time(name, effect).map(|times| percentile(&times, 0.5));
    let fused = p50(&*fused(bench.compiler, folder)?, "chain of 8")?;
    let mut unfused = 0;
    for (name, effect) in EFFECTS.iter().zip(passes(bench.compiler, folder)?) {
        unfused += p50(&effect, name)?;
    }
    let fused_copies = fused as f64 / bench.copy_ns as f64;
    println!(
        "chain of 8: fused {:.1} us ({fused_copies:.2} copies), as passes {:.1} us",
        us(fused),
        us(unfused)
    );
    Ok(ChainTime { effects: EFFECTS, fused_p50_us: us(fused), unfused_p50_us: us(unfused), fused_copies })
}
