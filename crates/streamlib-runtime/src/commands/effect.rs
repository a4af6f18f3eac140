//! `streamlib effect`: check, compile and look into effects.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use serde::Serialize;
use streamlib::interface::Interface;
use streamlib::shader::{CompileError, Compiler, Diagnostic, Effect, EffectSource, MslTarget, SourceError};

use super::Done;
use crate::cli::{EffectAction, EffectArgs, Emit, Target};
use crate::output::{self, line, remark};

pub(crate) fn effect(args: &EffectArgs) -> Done {
    let compiler = Compiler::new(crate::compiler())?;
    match &args.action {
        EffectAction::Check { files, json } => check(&compiler, files, *json),
        EffectAction::Compile { file, emit, target, output, json } => {
            let effect = compile(&compiler, file)?;
            let translation = Translation::new(&effect, *emit, *target)?;
            let path = output.clone().unwrap_or_else(|| file.with_extension(translation.extension));
            translation.write(&path)?;
            if *json {
                output::json(&translation.report(&effect, &path));
            } else if path != Path::new("-") {
                line(format_args!("wrote {} ({} bytes)", path.display(), translation.bytes.len()));
            }
            Ok(())
        }
        EffectAction::Inspect { file, json } => {
            let effect = compile(&compiler, file)?;
            if *json {
                output::json(&Inspection::of(&effect));
            } else {
                print_interface(&effect);
            }
            Ok(())
        }
    }
}

fn compile(compiler: &Compiler, file: &Path) -> Result<Arc<Effect>, Problem> {
    let effect = compiler.compile(&EffectSource::from_file(file)?)?;
    effect.warnings.iter().for_each(remark);
    Ok(effect)
}

/// Why a file is no effect.
#[derive(Debug)]
enum Problem {
    Source(SourceError),
    Compile(CompileError),
}

impl From<SourceError> for Problem {
    fn from(error: SourceError) -> Self {
        Self::Source(error)
    }
}

impl From<CompileError> for Problem {
    fn from(error: CompileError) -> Self {
        Self::Compile(error)
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Source(error) => error.fmt(f),
            Self::Compile(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Problem {}

/// What `check --json` says of one file.
#[derive(Serialize)]
struct Checked {
    file: PathBuf,
    ok: bool,
    /// Hash of the source; none when it does not compile.
    id: Option<String>,
    milliseconds: f64,
    /// Whether it came from the cache.
    cached: bool,
    diagnostics: Vec<Diagnostic>,
    /// What is wrong, when it is not in the text.
    error: Option<String>,
}

fn check(compiler: &Compiler, files: &[PathBuf], json: bool) -> Done {
    let mut results = Vec::new();
    for file in files {
        let misses = compiler.cache_stats().misses;
        let start = Instant::now();
        let source = EffectSource::from_file(file).map_err(Problem::from);
        let compiled = source.and_then(|source| compiler.compile(&source).map_err(Problem::from));
        let milliseconds = start.elapsed().as_secs_f64() * 1e3;
        let cached = compiled.is_ok() && compiler.cache_stats().misses == misses;
        if !json {
            print_checked(file, &compiled, milliseconds, cached);
        }
        let (id, diagnostics, error) = match &compiled {
            Ok(effect) => (Some(effect.id.to_string()), effect.warnings.clone(), None),
            Err(Problem::Compile(error)) if !error.diagnostics().is_empty() => {
                (None, error.diagnostics().to_vec(), None)
            }
            Err(error) => (None, vec![], Some(error.to_string())),
        };
        results.push(Checked {
            file: file.clone(),
            ok: compiled.is_ok(),
            id,
            milliseconds,
            cached,
            diagnostics,
            error,
        });
    }
    if json {
        output::json(&results);
    }
    match results.iter().filter(|result| !result.ok).count() {
        0 => Ok(()),
        bad => Err(format!("{bad} of {} effect(s) do not compile", results.len()).into()),
    }
}

fn print_checked(file: &Path, compiled: &Result<Arc<Effect>, Problem>, milliseconds: f64, cached: bool) {
    match compiled {
        Ok(effect) => {
            let how = if cached { ", cached" } else { "" };
            line(format_args!("ok   {} ({milliseconds:.2} ms{how})", file.display()));
            effect.warnings.iter().for_each(remark);
        }
        Err(error) => {
            line(format_args!("bad  {}", file.display()));
            remark(error);
        }
    }
}

/// An effect in another language.
struct Translation {
    bytes: Vec<u8>,
    extension: &'static str,
    entry_point: String,
}

/// What `compile --json` says.
#[derive(Serialize)]
struct TranslationReport<'a> {
    output: &'a Path,
    bytes: usize,
    entry_point: &'a str,
    id: String,
    interface: &'a Interface,
}

impl Translation {
    fn new(effect: &Effect, emit: Emit, target: Target) -> Result<Self, Box<dyn std::error::Error>> {
        match emit {
            Emit::Spirv => Ok(Self {
                bytes: effect.spirv.iter().flat_map(|word| word.to_le_bytes()).collect(),
                extension: "spv",
                entry_point: "main".to_owned(),
            }),
            Emit::Msl => {
                let target = match target {
                    Target::Macos => MslTarget::MacOs,
                    Target::Ios => MslTarget::Ios,
                };
                let msl = effect.to_msl(target)?;
                Ok(Self { bytes: msl.text.into_bytes(), extension: "metal", entry_point: msl.entry_point })
            }
        }
    }

    fn write(&self, path: &Path) -> Done {
        if path == Path::new("-") {
            std::io::stdout().lock().write_all(&self.bytes)?;
            return Ok(());
        }
        std::fs::write(path, &self.bytes)
            .map_err(|error| format!("cannot write {}: {error}", path.display()).into())
    }

    fn report<'a>(&'a self, effect: &'a Effect, output: &'a Path) -> TranslationReport<'a> {
        let (bytes, entry_point) = (self.bytes.len(), self.entry_point.as_str());
        TranslationReport {
            output,
            bytes,
            entry_point,
            id: effect.id.to_string(),
            interface: &effect.interface,
        }
    }
}

/// What `inspect --json` says.
#[derive(Serialize)]
struct Inspection<'a> {
    name: &'a str,
    id: String,
    #[serde(flatten)]
    interface: &'a Interface,
}

impl<'a> Inspection<'a> {
    fn of(effect: &'a Effect) -> Self {
        Self { name: &effect.name, id: effect.id.to_string(), interface: &effect.interface }
    }
}

fn print_interface(effect: &Effect) {
    let interface = &effect.interface;
    line(format_args!("{} ({:?} form)", effect.name, interface.form));
    interface.description.lines().for_each(|text| line(format_args!("  {text}")));
    let names = |slots: &[streamlib::interface::TextureSlot]| match slots {
        [] => "none".to_owned(),
        slots => slots.iter().map(|slot| slot.name.as_str()).collect::<Vec<_>>().join(", "),
    };
    line(format_args!("inputs      {}", names(&interface.inputs)));
    line(format_args!("outputs     {}", names(&interface.outputs)));
    for parameter in &interface.parameters {
        let default: Vec<_> = parameter.default.iter().map(|number| format!("{number:.6}")).collect();
        let default: Vec<_> = default.iter().map(|n| n.trim_end_matches('0').trim_end_matches('.')).collect();
        let range = match (parameter.min, parameter.max) {
            (None, None) => String::new(),
            (min, max) => {
                let end = |end: Option<f64>| end.map_or_else(String::new, |end| end.to_string());
                format!(" in {}..={}", end(min), end(max))
            }
        };
        line(format_args!(
            "parameter   {}: {} = {}{range}",
            parameter.name,
            parameter.ty,
            default.join(", ")
        ));
        if let Some(description) = &parameter.description {
            line(format_args!("            {description}"));
        }
    }
    for buffer in &interface.buffers {
        let columns = if buffer.columns == 1 { String::new() } else { buffer.columns.to_string() };
        line(format_args!("buffer      {}: {}{columns}", buffer.name, buffer.scalar.name()));
    }
    let uniforms: Vec<_> = interface.frame_uniforms.iter().map(|slot| slot.uniform.name()).collect();
    line(format_args!(
        "per frame   {}",
        if uniforms.is_empty() { "nothing".to_owned() } else { uniforms.join(", ") }
    ));
    line(format_args!("id          {}", effect.id));
}
