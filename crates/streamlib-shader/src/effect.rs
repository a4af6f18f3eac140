//! A compiled effect.

use std::fmt;

use serde::{Deserialize, Serialize};
use streamlib_core::interface::Interface;

use crate::diagnostic::Diagnostic;
use crate::msl::{MslError, MslSource, MslTarget};

/// Hash of an effect's source with everything it includes. `Display` gives 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EffectId([u8; 32]);

impl EffectId {
    pub(crate) const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The hash.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for EffectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for EffectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EffectId({self})")
    }
}

/// A compiled effect.
#[derive(Clone, Debug, PartialEq)]
pub struct Effect {
    /// Hash of the source.
    pub id: EffectId,
    /// Name of the source.
    pub name: String,
    /// What can be bound to it and set on it.
    pub interface: Interface,
    /// SPIR-V 1.3 for Vulkan 1.1: one compute entry point called `main`, everything in descriptor set 0.
    pub spirv: Vec<u32>,
    /// What the compiler remarked.
    pub warnings: Vec<Diagnostic>,
}

impl Effect {
    /// Translates the effect for Metal.
    ///
    /// # Errors
    /// When the effect uses what the translator does not know.
    pub fn to_msl(&self, target: MslTarget) -> Result<MslSource, MslError> {
        crate::msl::translate(self, target)
    }
}
