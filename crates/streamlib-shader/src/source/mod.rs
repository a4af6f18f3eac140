//! An effect's text with everything it includes, and the way back from each byte to the author's file.

mod include;

use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, Severity};
use crate::effect::EffectId;

pub use include::IncludeProblem;

/// Greatest size of a source with all its includes, in bytes.
const MAX_BYTES: usize = 4 << 20;

/// A source that could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The file cannot be opened or read.
    #[error("cannot read the effect {}: {error}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        error: std::io::Error,
    },
    /// The file is not UTF-8.
    #[error("{} is not an HLSL file: byte {at} is not UTF-8 text", path.display())]
    NotText {
        /// Which file.
        path: PathBuf,
        /// First bad byte.
        at: usize,
    },
    /// The file is too large.
    #[error("{} has {bytes} bytes; an effect may have {MAX_BYTES}", path.display())]
    TooLarge {
        /// Which file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
    },
}

#[derive(Clone, Debug)]
struct SourceFile {
    /// As named in diagnostics.
    shown: String,
    text: String,
}

/// A stretch of the flat text that was copied from one file.
#[derive(Clone, Copy, Debug)]
struct Segment {
    flat_start: usize,
    file: usize,
    file_start: usize,
}

/// An include that was left in the text because it cannot be followed. DXC complains there if the line is active.
#[derive(Clone, Debug)]
pub(crate) struct OpenInclude {
    pub(crate) path: String,
    pub(crate) problem: IncludeProblem,
    /// Where the file was looked for, if it was not there.
    sought: Option<PathBuf>,
    /// Where its path stands in the flat text.
    at: usize,
}

/// The text of an effect, includes resolved.
#[derive(Clone, Debug)]
pub struct EffectSource {
    name: String,
    id: EffectId,
    flat: Flat,
}

/// One text made of several files.
#[derive(Clone, Debug, Default)]
struct Flat {
    text: String,
    /// The effect's own file first.
    files: Vec<SourceFile>,
    /// In the order of the text.
    segments: Vec<Segment>,
    open_includes: Vec<OpenInclude>,
}

impl EffectSource {
    /// Reads a file and what it includes. Its name is the file's without extension.
    ///
    /// # Errors
    /// When the file itself cannot be read; an include that cannot is an error of [`crate::Compiler::compile`], so that it
    /// may stand in an inactive `#if`.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, SourceError> {
        let path = path.as_ref();
        let text = include::read_text(path)?;
        let name = path.file_stem().map_or_else(|| "effect".into(), |s| s.to_string_lossy().into_owned());
        let base = path.parent().map(|p| if p.as_os_str().is_empty() { Path::new(".") } else { p });
        Ok(Self::build(name, path.to_string_lossy().into_owned(), text, base))
    }

    /// Takes text as it is; it may include nothing.
    #[must_use]
    pub fn from_text(name: impl Into<String>, text: impl Into<String>) -> Self {
        let name = name.into();
        Self::build(name.clone(), name, text.into(), None)
    }

    /// The same source, with a directory for its includes.
    #[must_use]
    pub fn with_base_dir(mut self, directory: impl AsRef<Path>) -> Self {
        let root = self.flat.files.swap_remove(0);
        Self::build(self.name, root.shown, root.text, Some(directory.as_ref()))
    }

    fn build(name: String, shown: String, text: String, base: Option<&Path>) -> Self {
        let flat = include::flatten(SourceFile { shown, text }, base);
        let id = EffectId::new(*blake3::hash(flat.text.as_bytes()).as_bytes());
        Self { name, id, flat }
    }

    /// Name of the effect.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Hash of the text with its includes.
    #[must_use]
    pub fn id(&self) -> EffectId {
        self.id
    }

    /// The file itself and everything it includes, as named in diagnostics.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.flat.files.iter().map(|f| f.shown.as_str())
    }

    /// Where included files were looked for that were not there.
    pub fn missing_files(&self) -> impl Iterator<Item = &Path> {
        self.flat.open_includes.iter().filter_map(|include| include.sought.as_deref())
    }

    /// The flat text: all includes in place.
    pub(crate) fn text(&self) -> &str {
        &self.flat.text
    }

    /// The effect's own file without its includes.
    pub(crate) fn main_text(&self) -> &str {
        &self.flat.files[0].text
    }

    /// A diagnostic at a byte of the flat text.
    pub(crate) fn diagnostic_at(
        &self,
        severity: Severity,
        flat: usize,
        message: impl Into<String>,
    ) -> Diagnostic {
        let place = self.place(flat);
        Diagnostic {
            severity,
            file: self.flat.files[place.file].shown.clone(),
            line: place.line,
            column: place.column,
            message: message.into(),
            excerpt: place.excerpt.to_owned(),
            suggestion: None,
        }
    }

    /// A diagnostic about the effect as a whole.
    pub(crate) fn diagnostic_whole(&self, severity: Severity, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            severity,
            file: self.flat.files[0].shown.clone(),
            line: 0,
            column: 0,
            message: message.into(),
            excerpt: String::new(),
            suggestion: None,
        }
    }

    /// The include whose path stands at a byte of the flat text, if it could not be followed.
    pub(crate) fn open_include_at(&self, flat: usize) -> Option<&OpenInclude> {
        self.flat.open_includes.iter().find(|i| i.at == flat)
    }

    /// The first include that could not be followed, with its place.
    pub(crate) fn first_open_include(&self) -> Option<(&OpenInclude, usize)> {
        self.flat.open_includes.first().map(|i| (i, i.at))
    }

    fn place(&self, flat: usize) -> Place<'_> {
        let index = self.flat.segments.partition_point(|s| s.flat_start <= flat);
        let (file, offset) = match index.checked_sub(1).map(|i| self.flat.segments[i]) {
            Some(s) => (s.file, s.file_start + (flat - s.flat_start)),
            None => (0, 0),
        };
        place_in(file, &self.flat.files[file].text, offset)
    }
}

struct Place<'a> {
    file: usize,
    line: u32,
    column: u32,
    excerpt: &'a str,
}

fn place_in(file: usize, text: &str, offset: usize) -> Place<'_> {
    let offset = offset.min(text.len());
    let bytes = text.as_bytes();
    let line_start = bytes[..offset].iter().rposition(|&b| b == b'\n').map_or(0, |i| i + 1);
    let line_end =
        bytes[line_start..].iter().position(|&b| b == b'\n').map_or(text.len(), |i| line_start + i);
    let line = bytes[..line_start].iter().filter(|&&b| b == b'\n').count() + 1;
    // Bytes that continue a character do not count.
    let column = bytes[line_start..offset].iter().filter(|&&b| b & 0xC0 != 0x80).count() + 1;
    Place {
        file,
        line: u32::try_from(line).unwrap_or(u32::MAX),
        column: u32::try_from(column).unwrap_or(u32::MAX),
        excerpt: text[line_start..line_end].trim_end_matches('\r'),
    }
}
