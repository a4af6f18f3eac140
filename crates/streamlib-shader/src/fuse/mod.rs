//! Several pixel effects as one kernel.
//!
//! Each author's text goes into a namespace of its own. A lookup at the pixel's own position becomes the value that an
//! earlier stage computed for it; what can be bound or set gets a name that tells its stage.
//!
//! Values between stages keep 32-bit floating-point precision and are clamped to 0..=1 where the format that would have
//! held them is. So a fused result differs from an unfused one by at most the rounding of that format at each stage, carried
//! through the stages after it.

mod check;
mod error;
#[cfg(test)]
mod tests;
mod text;

use std::sync::Arc;

use crate::cache::Key;
use crate::compiler::Compiler;
use crate::effect::Effect;
use crate::source::EffectSource;

pub use error::FuseError;

/// One effect of a fused kernel.
#[derive(Clone, Copy, Debug)]
pub struct Stage<'a> {
    /// Name that no other stage has, such as that of a graph's node. Any text.
    pub name: &'a str,
    /// The effect; in pixel form.
    pub source: &'a EffectSource,
    /// What each port reads: every port of the effect, each once.
    pub inputs: &'a [(&'a str, StageInput<'a>)],
    /// Whether the result would have been stored in a format of 0..=1. The last stage's is stored, so it is not asked.
    pub is_clamped: bool,
}

/// What a port of a stage reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StageInput<'a> {
    /// The result of an earlier stage, by its index. The port must be local
    /// ([`TextureSlot::is_local`](streamlib_core::interface::TextureSlot::is_local)).
    Stage(usize),
    /// The fused kernel's input of this name. One name in several stages is one texture.
    Texture(&'a str),
}

impl Compiler {
    /// Compiles effects into one kernel, or remembers what came of it. The last stage's result is its `output`.
    ///
    /// The result is an effect in pixel form. Its inputs have the names of the textures given; its parameters, buffers and
    /// samplers are called `STAGE.NAME`, with defaults, ranges and descriptions as their authors wrote them. A frame uniform
    /// may occur several times. Warnings are those of the effects by themselves, and not repeated.
    ///
    /// # Errors
    /// When a stage does not compile, or the stages cannot be one kernel; see [`FuseError`].
    pub fn compile_fused(&self, stages: &[Stage<'_>]) -> Result<Arc<Effect>, FuseError> {
        check::names(stages)?;
        let effects = stages.iter().map(|s| self.compile(s.source)).collect::<Result<Vec<_>, _>>()?;
        for (index, (stage, effect)) in stages.iter().zip(&effects).enumerate() {
            check::stage(stage, index, &effect.interface)?;
        }
        let fused = text::fuse(stages)?;
        let source = &fused.source;
        let key = Key::new(self.identity(), source);
        let outcome = self.cache().get_or(key, source, || {
            let effect = self.compile_front(source, fused.front)?;
            Ok(Arc::new(Effect { warnings: Vec::new(), ..effect }))
        });
        let effect = outcome?;
        for (stage, own) in stages.iter().zip(&effects) {
            check::nothing_is_hidden(stage, &own.interface, &effect.interface)?;
        }
        Ok(effect)
    }
}
