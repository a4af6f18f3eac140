//! What the tests share: a compiler without a disk cache, and the validator.
#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::print_stdout, reason = "a skipped test says why")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use streamlib_shader::{
    CacheOptions, CompileError, Compiler, CompilerOptions, Diagnostic, DxcError, Effect, EffectSource,
};

/// A compiler that remembers nothing between processes; `None`, said aloud, where there is no DXC.
pub(crate) fn compiler() -> Option<Compiler> {
    compiler_with(CacheOptions::MemoryOnly, Duration::from_secs(60))
}

pub(crate) fn compiler_with(cache: CacheOptions, time_limit: Duration) -> Option<Compiler> {
    match Compiler::new(CompilerOptions { cache, time_limit, ..CompilerOptions::default() }) {
        Ok(compiler) => Some(compiler),
        Err(error @ DxcError::NotFound { .. }) => {
            println!("SKIPPED: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

pub(crate) fn inputs() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/in")
}

/// The repository's effects.
pub(crate) fn effects() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../effects")
}

pub(crate) fn compile_file(compiler: &Compiler, name: &str) -> Arc<Effect> {
    let source = EffectSource::from_file(inputs().join(name)).expect(name);
    compiler.compile(&source).unwrap_or_else(|e| panic!("{name}: {e}"))
}

pub(crate) fn compile(compiler: &Compiler, text: &str) -> Arc<Effect> {
    compiler.compile(&EffectSource::from_text("test", text)).unwrap_or_else(|e| panic!("{e}"))
}

pub(crate) fn refused(compiler: &Compiler, text: &str) -> CompileError {
    match compiler.compile(&EffectSource::from_text("test", text)) {
        Ok(_) => panic!("this compiled:\n{text}"),
        Err(error) => error,
    }
}

/// The first diagnostic of a source that must not compile.
pub(crate) fn diagnostic(compiler: &Compiler, text: &str) -> Diagnostic {
    let error = refused(compiler, text);
    error.diagnostics().first().unwrap_or_else(|| panic!("no diagnostic: {error}")).clone()
}

/// Runs spirv-val over an effect; `false`, said aloud, where there is none.
pub(crate) fn validate(effect: &Effect) -> bool {
    let file = tempfile::NamedTempFile::new().expect("temporary file");
    let bytes: Vec<u8> = effect.spirv.iter().flat_map(|w| w.to_le_bytes()).collect();
    std::fs::write(file.path(), bytes).expect("write SPIR-V");
    let run =
        std::process::Command::new("spirv-val").args(["--target-env", "vulkan1.1"]).arg(file.path()).output();
    match run {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "{}: {said}", effect.name);
            true
        }
        Err(error) => {
            println!("SKIPPED: spirv-val: {error}");
            false
        }
    }
}
