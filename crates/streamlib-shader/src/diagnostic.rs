//! What the compiler says about a source, in the author's own lines and columns.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// More about the diagnostic before it.
    Note,
    /// The effect compiles, but probably not as meant.
    Warning,
    /// The effect does not compile.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// One remark about a place in the source. `Display` renders it with the line and a caret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// File, as it was named to the compiler.
    pub file: String,
    /// Line, from 1; 0 when it concerns the file as a whole.
    pub line: u32,
    /// Column in characters, from 1; 0 when it concerns the file as a whole.
    pub column: u32,
    /// What is wrong.
    pub message: String,
    /// The line of the source, without its line break.
    pub excerpt: String,
    /// What to write instead.
    pub suggestion: Option<String>,
}

impl Diagnostic {
    pub(crate) fn with_suggestion(mut self, suggestion: impl Into<String>) -> Self {
        self.suggestion = Some(suggestion.into());
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.severity, self.message)?;
        if self.line == 0 {
            write!(f, "\n --> {}", self.file)?;
        } else {
            write!(f, "\n --> {}:{}:{}", self.file, self.line, self.column)?;
            let number = self.line.to_string();
            let margin = " ".repeat(number.len());
            // Tabs stay tabs, so that the caret stands where a terminal puts the character.
            let before: String = self
                .excerpt
                .chars()
                .take(self.column.saturating_sub(1) as usize)
                .map(|c| if c == '\t' { '\t' } else { ' ' })
                .collect();
            write!(f, "\n{number} | {}\n{margin} | {before}^", self.excerpt)?;
        }
        match &self.suggestion {
            Some(suggestion) => write!(f, "\n  = help: {suggestion}"),
            None => Ok(()),
        }
    }
}
