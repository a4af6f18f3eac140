//! Takes a source through all steps.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::cache::{Cache, CacheOptions, CacheStats, CompilerIdentity, Key};
use crate::diagnostic::{Diagnostic, Severity};
use crate::dxc::{Failure, Library};
use crate::effect::Effect;
use crate::error::CompileError;
use crate::front::entry::OPTIONS;
use crate::front::lower::{Front, lower};
use crate::locate::{DxcError, DxcInfo, find_dxc};
use crate::messages;
use crate::source::{EffectSource, OpenInclude};
use crate::spirv::module::{Facts, instructions};
use crate::spirv::patch::{Plan, patch};
use crate::spirv::reflect::reflect;

/// How to compile.
#[derive(Clone, Debug)]
pub struct CompilerOptions {
    /// The DXC library to use; `None` to look for it as [`find_dxc`] does.
    pub dxc: Option<PathBuf>,
    /// Where results are remembered.
    pub cache: CacheOptions,
    /// How long one effect may take.
    pub time_limit: Duration,
    /// Whether DXC is loaded only when there is a text that the cache does not know, provided that the cache on disk knows DXC. A
    /// program starts sooner with it that compiles nothing new; the first new text takes the longer.
    pub is_lazy: bool,
}

impl Default for CompilerOptions {
    fn default() -> Self {
        Self {
            dxc: None,
            cache: CacheOptions::default(),
            time_limit: Duration::from_secs(10),
            is_lazy: false,
        }
    }
}

/// Compiles effects. Share one in an [`Arc`]; any number of threads may compile at once.
#[derive(Debug)]
pub struct Compiler {
    library: Library,
    identity: CompilerIdentity,
    cache: Cache,
    time_limit: Duration,
}

impl Compiler {
    /// Finds and loads DXC.
    ///
    /// # Errors
    /// When there is none, or none that can be used; the message says how to get it.
    pub fn new(options: CompilerOptions) -> Result<Self, DxcError> {
        let CompilerOptions { dxc, cache, time_limit, is_lazy } = options;
        let (path, cache) = (find_dxc(dxc.as_deref())?, Cache::new(&cache));
        let library = match cache.compiler(&path) {
            Some(info) => Library::known(info),
            None => {
                let library = Library::load(&path)?;
                cache.remember_compiler(library.info());
                library
            }
        };
        if !is_lazy {
            library.dxc()?;
        }
        let identity = CompilerIdentity::of(library.info());
        Ok(Self { identity, cache, time_limit, library })
    }

    /// The DXC in use.
    #[must_use]
    pub fn dxc(&self) -> &DxcInfo {
        self.library.info()
    }

    /// How often the cache answered since this compiler was made.
    #[must_use]
    pub fn cache_stats(&self) -> CacheStats {
        self.cache.stats()
    }

    /// Compiles an effect, or remembers what came of it.
    ///
    /// # Errors
    /// When the source is at fault, with diagnostics; when the compiler does not come to an end or breaks down.
    pub fn compile(&self, source: &EffectSource) -> Result<Arc<Effect>, CompileError> {
        let key = Key::new(&self.identity, source);
        self.cache.get_or(key, source, || self.compile_anew(source).map(Arc::new))
    }

    pub(crate) fn identity(&self) -> &CompilerIdentity {
        &self.identity
    }

    pub(crate) fn cache(&self) -> &Cache {
        &self.cache
    }

    fn compile_anew(&self, source: &EffectSource) -> Result<Effect, CompileError> {
        let front = lower(source).map_err(|error| match source.first_open_include() {
            // What seems to be missing may be in the file that is.
            Some((include, at)) => missing_include(source, include, at),
            None => error,
        })?;
        self.compile_front(source, front)
    }

    /// Compiles a text that has been lowered.
    pub(crate) fn compile_front(&self, source: &EffectSource, front: Front) -> Result<Effect, CompileError> {
        let broken = |reason: String| CompileError::CompilerFailed { name: source.name().to_owned(), reason };
        let output = self.library.compile(front.lowered.text.clone(), front.function, self.time_limit);
        let output = output.map_err(|failure| match failure {
            Failure::TimedOut => {
                CompileError::TimedOut { name: source.name().to_owned(), limit: self.time_limit }
            }
            Failure::Broken(reason) => broken(reason),
        })?;
        let messages = messages::parse(&output.messages, &front.lowered, source);
        let Some(words) = output.spirv else {
            let missing = messages
                .iter()
                .filter(|m| m.diagnostic.message.contains("file not found"))
                .find_map(|m| m.at.and_then(|at| Some((source.open_include_at(at)?, at))));
            if let Some((include, at)) = missing {
                return Err(missing_include(source, include, at));
            }
            let diagnostics: Vec<Diagnostic> = messages.into_iter().map(|m| m.diagnostic).collect();
            return Err(if diagnostics.iter().any(|d| d.severity == Severity::Error) {
                CompileError::rejected(source, diagnostics)
            } else {
                broken(format!("it refused the effect and said {:?}", output.messages))
            });
        };
        let remarks = messages.into_iter().map(|m| m.diagnostic).collect();
        finish(source, front, &words, remarks)
            .unwrap_or_else(|| Err(broken("its SPIR-V is not as expected".to_owned())))
    }
}

/// Reflection and the last changes; `None` when the SPIR-V is not as DXC makes it.
fn finish(
    source: &EffectSource,
    front: Front,
    words: &[u32],
    remarks: Vec<Diagnostic>,
) -> Option<Result<Effect, CompileError>> {
    let instructions = instructions(words)?;
    let reflected = reflect(source, &front, &Facts::collect(&instructions));
    let mut warnings = front.warnings;
    warnings.extend(remarks);
    warnings.extend(reflected.diagnostics);
    if warnings.iter().any(|d| d.severity == Severity::Error) {
        return Some(Err(CompileError::rejected(source, warnings)));
    }
    let options = reflected.options.map(|variable| (variable, OPTIONS.as_slice()));
    let spirv = patch(words, &instructions, &Plan { bindings: &reflected.bindings, options })?;
    Some(Ok(Effect {
        id: source.id(),
        name: source.name().to_owned(),
        interface: reflected.interface,
        spirv,
        warnings,
    }))
}

fn missing_include(source: &EffectSource, include: &OpenInclude, at: usize) -> CompileError {
    let (path, problem) = (include.path.clone(), include.problem);
    let diagnostic = source
        .diagnostic_at(Severity::Error, at, problem.message(&path))
        .with_suggestion(problem.suggestion());
    CompileError::MissingInclude { path, problem, diagnostics: vec![diagnostic] }
}
