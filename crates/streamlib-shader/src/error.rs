//! Why an effect does not compile.

use std::fmt;
use std::time::Duration;

use crate::diagnostic::{Diagnostic, Severity};
use crate::source::{EffectSource, IncludeProblem};

/// An effect that does not compile. `Display` prints every diagnostic, ready for a user.
#[derive(Clone, Debug)]
pub enum CompileError {
    /// The source has errors.
    Rejected {
        /// Name of the effect.
        name: String,
        /// Errors, and warnings beside them, in the order in which they were found.
        diagnostics: Vec<Diagnostic>,
    },
    /// There is no function `main`.
    NoEntryPoint {
        /// One.
        diagnostics: Vec<Diagnostic>,
    },
    /// An `#include` cannot be followed.
    MissingInclude {
        /// What stands in the `#include`.
        path: String,
        /// Why.
        problem: IncludeProblem,
        /// One, at the `#include`.
        diagnostics: Vec<Diagnostic>,
    },
    /// The compiler did not come to an end.
    TimedOut {
        /// Name of the effect.
        name: String,
        /// How long it was given.
        limit: Duration,
    },
    /// The compiler broke down, or gave what it must not give.
    CompilerFailed {
        /// Name of the effect.
        name: String,
        /// What happened.
        reason: String,
    },
}

impl CompileError {
    pub(crate) fn rejected(source: &EffectSource, diagnostics: Vec<Diagnostic>) -> Self {
        Self::Rejected { name: source.name().to_owned(), diagnostics }
    }

    /// The diagnostics; empty when the fault is not in the text.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        match self {
            Self::Rejected { diagnostics, .. }
            | Self::NoEntryPoint { diagnostics }
            | Self::MissingInclude { diagnostics, .. } => diagnostics,
            Self::TimedOut { .. } | Self::CompilerFailed { .. } => &[],
        }
    }
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut { name, limit } => write!(
                f,
                "effect `{name}` was still compiling after {limit:?} and was given up: simplify it, or raise the time limit"
            ),
            Self::CompilerFailed { name, reason } => {
                write!(f, "the HLSL compiler broke down on effect `{name}`: {reason}")
            }
            _ => {
                for diagnostic in self.diagnostics() {
                    writeln!(f, "{diagnostic}")?;
                }
                let errors = self.diagnostics().iter().filter(|d| d.severity == Severity::Error).count();
                let plural = if errors == 1 { "" } else { "s" };
                write!(f, "the effect does not compile: {errors} error{plural}")
            }
        }
    }
}

impl std::error::Error for CompileError {}
