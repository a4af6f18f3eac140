//! Compiles the effects named on the command line and prints what was found: `cargo run --example compile -- FILE...`

use std::io::Write as _;

use streamlib_shader::{Compiler, CompilerOptions, EffectSource, MslTarget};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let compiler = Compiler::new(CompilerOptions::default())?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "DXC {} at {}", compiler.dxc().version, compiler.dxc().path.display())?;
    for path in std::env::args_os().skip(1) {
        let start = std::time::Instant::now();
        match compiler.compile(&EffectSource::from_file(&path)?) {
            Ok(effect) => {
                writeln!(out, "{} {} ({:?})", effect.name, effect.id, start.elapsed())?;
                writeln!(out, "{:#?}", effect.interface)?;
                effect.warnings.iter().try_for_each(|w| writeln!(out, "{w}"))?;
                writeln!(out, "{}", effect.to_msl(MslTarget::MacOs)?.text)?;
            }
            Err(error) => writeln!(out, "{error}")?,
        }
    }
    writeln!(out, "{:?}", compiler.cache_stats())?;
    Ok(())
}
