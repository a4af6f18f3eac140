//! The effects as files, compiled.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use streamlib::shader::{Compiler, CompilerOptions, DxcError, Effect, EffectSource};

use crate::oracle::{self, Case};

/// The directory `effects/`.
pub(crate) fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../effects")
}

/// Names of all effects in it, in order.
pub(crate) fn names() -> Vec<String> {
    let entries = std::fs::read_dir(directory()).expect("effects/ can be listed");
    let paths = entries.map(|entry| entry.expect("effects/ can be listed").path());
    let mut names: Vec<String> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "hlsl"))
        .map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Whether what the effects show is to be taken for right from now on.
pub(crate) fn bless() -> bool {
    std::env::var_os("STREAMLIB_BLESS").is_some_and(|value| value == "1")
}

/// Every effect that has a case, compiled.
pub(crate) struct Library {
    compiler: Arc<Compiler>,
    effects: Vec<(Case, Arc<Effect>)>,
}

impl Library {
    /// The library, compiled once for all tests. `None`, having said so, where there is no compiler.
    pub(crate) fn open() -> Option<&'static Self> {
        static LIBRARY: OnceLock<Option<Library>> = OnceLock::new();
        let library = LIBRARY.get_or_init(|| {
            let compiler = Compiler::new(CompilerOptions::default());
            match compiler {
                Ok(compiler) => Some(Self::compile(compiler)),
                Err(error @ DxcError::NotFound { .. }) => {
                    println!("SKIPPED: {error}");
                    None
                }
                Err(error) => panic!("{error}"),
            }
        });
        library.as_ref()
    }

    fn compile(compiler: Compiler) -> Self {
        let compiled = |case: Case| {
            let path = directory().join(case.name).with_extension("hlsl");
            let source = EffectSource::from_file(path).unwrap_or_else(|error| panic!("{error}"));
            let effect = compiler.compile(&source).unwrap_or_else(|error| panic!("{error}"));
            (case, effect)
        };
        let effects = oracle::cases().into_iter().map(compiled).collect();
        Self { compiler: Arc::new(compiler), effects }
    }

    /// The compiler, for more.
    pub(crate) fn compiler(&self) -> Arc<Compiler> {
        Arc::clone(&self.compiler)
    }

    /// Cases and effects in the order of their names.
    pub(crate) fn effects(&self) -> impl Iterator<Item = (&Case, &Effect)> {
        self.effects.iter().map(|(case, effect)| (case, effect.as_ref()))
    }

    /// The case and the effect called `name`.
    pub(crate) fn effect(&self, name: &str) -> (&Case, &Effect) {
        let mut found = self.effects().filter(|(case, _)| case.name == name);
        found.next().unwrap_or_else(|| panic!("there is no effect `{name}`"))
    }
}
