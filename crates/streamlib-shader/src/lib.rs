//! HLSL in; SPIR-V, MSL, reflection and diagnostics out. No GPU.
//!
//! [`Compiler::compile`] takes an [`EffectSource`] through these steps:
//!
//! 1. [`source`]: the file and everything it includes become one text that remembers where each byte came from.
//! 2. `front`: scans that text for globals, entry point and undeclared names; blanks what DXC would ignore or refuse, and
//!    adds a prelude and, for the pixel form, a compute wrapper.
//! 3. `dxc`: runs DXC on a thread of its own, under a time limit.
//! 4. `spirv`: makes bindings and image formats ours, and reads the interface.
//! 5. `cache`: remembers the result in memory and on disk.
//!
//! [`Compiler::compile_fused`] makes one kernel of several effects: `fuse` puts their texts into one.
//!
//! [`Effect::to_msl`] translates the SPIR-V for Metal.
//!
//! This crate knows no GPU API and starts no process; it reads files only when asked to by [`EffectSource::from_file`] or an
//! `#include`, and writes only its cache directory.

mod cache;
mod compiler;
mod diagnostic;
mod dxc;
mod effect;
mod error;
mod front;
mod fuse;
mod locate;
mod messages;
mod msl;
pub mod source;
mod spirv;

pub use cache::{CacheOptions, CacheStats};
pub use compiler::{Compiler, CompilerOptions};
pub use diagnostic::{Diagnostic, Severity};
pub use effect::{Effect, EffectId};
pub use error::CompileError;
pub use fuse::{FuseError, Stage, StageInput};
pub use locate::{DxcError, DxcInfo, SearchedPlace, find_dxc};
pub use msl::{MslBinding, MslBindingKind, MslError, MslSource, MslTarget};
pub use source::{EffectSource, IncludeProblem, SourceError};
