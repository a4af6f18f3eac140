//! How long effects take from source text to SPIR-V: cold, from disk, from memory.

use std::path::PathBuf;
use std::time::Instant;

use serde::Serialize;
use streamlib::shader::{CacheOptions, Compiler, CompilerOptions, EffectSource};

use crate::Fallible;
use crate::rig::percentile;

/// Milliseconds over all effects.
#[derive(Serialize)]
pub(crate) struct CompileTimes {
    pub(crate) effects: usize,
    /// Loading DXC and the first compilation, in a compiler that has nothing cached.
    pub(crate) first_ms: f64,
    pub(crate) cold: Spread,
    pub(crate) from_disk: Spread,
    pub(crate) from_memory: Spread,
}

/// Median, 99th percentile and maximum in milliseconds.
#[derive(Serialize)]
pub(crate) struct Spread {
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) max_ms: f64,
}

impl Spread {
    fn of(mut nanoseconds: Vec<u64>) -> Self {
        nanoseconds.sort_unstable();
        let ms = |share: f64| percentile(&nanoseconds, share) as f64 / 1e6;
        Self { p50_ms: ms(0.5), p99_ms: ms(0.99), max_ms: ms(1.0) }
    }
}

impl CompileTimes {
    pub(crate) fn print(&self) {
        println!("compile: first {:.1} ms with loading DXC", self.first_ms);
        let spreads =
            [("cold", &self.cold), ("disk cache", &self.from_disk), ("memory cache", &self.from_memory)];
        for (name, spread) in spreads {
            let Spread { p50_ms, p99_ms, max_ms } = spread;
            println!("compile: {name:<13} p50 {p50_ms:>8.3} ms  p99 {p99_ms:>8.3} ms  max {max_ms:>8.3} ms");
        }
    }
}

pub(crate) fn measure(effects: &[PathBuf]) -> Fallible<CompileTimes> {
    let sources = effects.iter().map(EffectSource::from_file).collect::<Result<Vec<_>, _>>()?;
    let folder = tempfile::tempdir()?;
    let options = || CompilerOptions {
        cache: CacheOptions::Disk(folder.path().to_owned()),
        ..CompilerOptions::default()
    };
    let all = |compiler: &Compiler| -> Fallible<Vec<u64>> {
        let time = |source| {
            let start = Instant::now();
            compiler.compile(source)?;
            Ok(start.elapsed().as_nanos() as u64)
        };
        sources.iter().map(time).collect()
    };
    let start = Instant::now();
    let compiler = Compiler::new(options())?;
    compiler.compile(&EffectSource::from_text("first", "float4 main() : SV_Target { return 0.5; }"))?;
    let first_ms = start.elapsed().as_secs_f64() * 1e3;
    let cold = Spread::of(all(&compiler)?);
    let from_memory = Spread::of(all(&compiler)?);
    let from_disk = Spread::of(all(&Compiler::new(options())?)?);
    Ok(CompileTimes { effects: effects.len(), first_ms, cold, from_disk, from_memory })
}
