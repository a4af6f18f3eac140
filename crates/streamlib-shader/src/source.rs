//! An effect's text with everything it includes, and the way back from each byte to the author's file.

use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::diagnostic::{Diagnostic, Severity};
use crate::effect::EffectId;
use crate::front::lexer::include_directives;

/// Includes inside includes that are followed.
const MAX_DEPTH: usize = 32;
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

/// Why an `#include` cannot be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncludeProblem {
    /// There is no such file, or it cannot be read.
    NotFound,
    /// The effect was given as text, with no directory to look in.
    NoBaseDirectory,
    /// The path is absolute or leaves the effect's directory.
    Outside,
    /// The file includes itself.
    Cycle,
    /// Includes are nested too deep, or the whole is too large.
    TooMuch,
    /// The file is not UTF-8 text.
    NotText,
}

impl IncludeProblem {
    pub(crate) fn message(self, path: &str) -> String {
        match self {
            Self::NotFound => format!("cannot find the include file `{path}`"),
            Self::NoBaseDirectory => {
                format!("cannot include `{path}`: this effect is text without a directory to look in")
            }
            Self::Outside => format!("cannot include `{path}`: it is outside the effect's directory"),
            Self::Cycle => format!("`{path}` includes itself"),
            Self::TooMuch => {
                format!(
                    "cannot include `{path}`: more than {MAX_DEPTH} levels or {MAX_BYTES} bytes of includes"
                )
            }
            Self::NotText => format!("cannot include `{path}`: it is not UTF-8 text"),
        }
    }

    pub(crate) fn suggestion(self) -> &'static str {
        match self {
            Self::NotFound => "paths are relative to the file that has the #include",
            Self::NoBaseDirectory => "paste the included text, or give the effect as a file",
            Self::Outside => "put the included file into the effect's directory or below it",
            Self::Cycle => "start the file with `#pragma once`",
            Self::TooMuch => "include less",
            Self::NotText => "include HLSL text only",
        }
    }
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
    /// Where its path stands in the flat text.
    at: usize,
}

/// The text of an effect, includes resolved.
#[derive(Clone, Debug)]
pub struct EffectSource {
    name: String,
    id: EffectId,
    text: String,
    files: Vec<SourceFile>,
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
        let text = read_text(path)?;
        let name = path
            .file_stem()
            .map_or_else(|| "effect".into(), |s| s.to_string_lossy().into_owned());
        let base = path.parent().map(|p| {
            if p.as_os_str().is_empty() {
                Path::new(".")
            } else {
                p
            }
        });
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
        let root = self.files.swap_remove(0);
        Self::build(self.name, root.shown, root.text, Some(directory.as_ref()))
    }

    fn build(name: String, shown: String, text: String, base: Option<&Path>) -> Self {
        let mut flattener = Flattener {
            root: base.and_then(|b| b.canonicalize().ok()),
            text: String::with_capacity(text.len()),
            files: vec![SourceFile { shown, text }],
            segments: Vec::new(),
            open_includes: Vec::new(),
            once: Vec::new(),
            stack: Vec::new(),
        };
        // The main file can be included again too.
        let main = base.and_then(|b| {
            let file = Path::new(&flattener.files[0].shown).file_name()?;
            b.join(file).canonicalize().ok()
        });
        flattener.stack.extend(main);
        flattener.append(0, base);
        let mut hasher = blake3::Hasher::new();
        hasher.update(flattener.text.as_bytes());
        Self {
            name,
            id: EffectId::new(*hasher.finalize().as_bytes()),
            text: flattener.text,
            files: flattener.files,
            segments: flattener.segments,
            open_includes: flattener.open_includes,
        }
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
        self.files.iter().map(|f| f.shown.as_str())
    }

    /// The flat text: all includes in place.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The effect's own file without its includes.
    pub(crate) fn main_text(&self) -> &str {
        &self.files[0].text
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
            file: self.files[place.file].shown.clone(),
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
            file: self.files[0].shown.clone(),
            line: 0,
            column: 0,
            message: message.into(),
            excerpt: String::new(),
            suggestion: None,
        }
    }

    /// The include whose path stands at a byte of the flat text, if it could not be followed.
    pub(crate) fn open_include_at(&self, flat: usize) -> Option<&OpenInclude> {
        self.open_includes.iter().find(|i| i.at == flat)
    }

    /// The first include that could not be followed, with its place.
    pub(crate) fn first_open_include(&self) -> Option<(&OpenInclude, usize)> {
        self.open_includes.first().map(|i| (i, i.at))
    }

    fn place(&self, flat: usize) -> Place<'_> {
        let index = self.segments.partition_point(|s| s.flat_start <= flat);
        let (file, offset) = match index.checked_sub(1).map(|i| self.segments[i]) {
            Some(s) => (s.file, s.file_start + (flat - s.flat_start)),
            None => (0, 0),
        };
        place_in(file, &self.files[file].text, offset)
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
    let line_start = bytes[..offset]
        .iter()
        .rposition(|&b| b == b'\n')
        .map_or(0, |i| i + 1);
    let line_end = bytes[line_start..]
        .iter()
        .position(|&b| b == b'\n')
        .map_or(text.len(), |i| line_start + i);
    let line = bytes[..line_start].iter().filter(|&&b| b == b'\n').count() + 1;
    // Bytes that continue a character do not count.
    let column = bytes[line_start..offset]
        .iter()
        .filter(|&&b| b & 0xC0 != 0x80)
        .count()
        + 1;
    Place {
        file,
        line: u32::try_from(line).unwrap_or(u32::MAX),
        column: u32::try_from(column).unwrap_or(u32::MAX),
        excerpt: text[line_start..line_end].trim_end_matches('\r'),
    }
}

fn read_text(path: &Path) -> Result<String, SourceError> {
    let unreadable = |error| SourceError::Unreadable {
        path: path.to_owned(),
        error,
    };
    let meta = std::fs::metadata(path).map_err(unreadable)?;
    if !meta.is_file() {
        let error = std::io::Error::new(std::io::ErrorKind::InvalidInput, "it is not a regular file");
        return Err(unreadable(error));
    }
    if meta.len() > MAX_BYTES as u64 {
        return Err(SourceError::TooLarge {
            path: path.to_owned(),
            bytes: meta.len(),
        });
    }
    let bytes = std::fs::read(path).map_err(unreadable)?;
    let text = String::from_utf8(bytes).map_err(|e| SourceError::NotText {
        path: path.to_owned(),
        at: e.utf8_error().valid_up_to(),
    })?;
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}

struct Flattener {
    root: Option<PathBuf>,
    text: String,
    files: Vec<SourceFile>,
    segments: Vec<Segment>,
    open_includes: Vec<OpenInclude>,
    /// Files with `#pragma once` that are in already.
    once: Vec<PathBuf>,
    /// Files being included now.
    stack: Vec<PathBuf>,
}

impl Flattener {
    fn append(&mut self, file: usize, directory: Option<&Path>) {
        let text = self.files[file].text.clone();
        let mut copied = 0;
        for directive in include_directives(&text) {
            match self.resolve(&directive.path, directory) {
                Ok(Included::Again) => {
                    self.copy(file, &text, copied, directive.start);
                    copied = directive.end;
                }
                Ok(Included::File { path, text: included }) => {
                    self.copy(file, &text, copied, directive.start);
                    copied = directive.end;
                    let shown = self.shown(&path);
                    self.files.push(SourceFile {
                        shown,
                        text: included,
                    });
                    let index = self.files.len() - 1;
                    let parent = path.parent().map(Path::to_owned);
                    self.stack.push(path);
                    self.append(index, parent.as_deref());
                    self.stack.pop();
                    if !self.text.ends_with('\n') {
                        self.text.push('\n');
                    }
                }
                Err(problem) => {
                    self.copy(file, &text, copied, directive.path_start);
                    copied = directive.path_start;
                    self.open_includes.push(OpenInclude {
                        path: directive.path,
                        problem,
                        at: self.text.len(),
                    });
                }
            }
        }
        self.copy(file, &text, copied, text.len());
    }

    fn copy(&mut self, file: usize, text: &str, from: usize, to: usize) {
        self.segments.push(Segment {
            flat_start: self.text.len(),
            file,
            file_start: from,
        });
        self.text.push_str(&text[from..to]);
    }

    fn shown(&self, path: &Path) -> String {
        let shown = self
            .root
            .as_ref()
            .and_then(|r| path.strip_prefix(r).ok())
            .unwrap_or(path);
        // Beside the main file's own spelling, so that an editor finds it.
        let main = Path::new(&self.files[0].shown);
        main.parent()
            .map_or_else(|| shown.to_owned(), |p| p.join(shown))
            .to_string_lossy()
            .into_owned()
    }

    fn resolve(&mut self, path: &str, directory: Option<&Path>) -> Result<Included, IncludeProblem> {
        let directory = directory.ok_or(IncludeProblem::NoBaseDirectory)?;
        let root = self.root.as_ref().ok_or(IncludeProblem::NotFound)?;
        let relative = Path::new(path);
        if relative
            .components()
            .any(|c| matches!(c, Component::RootDir | Component::Prefix(_)))
        {
            return Err(IncludeProblem::Outside);
        }
        // Resolving links first: a link must not lead outside either.
        let found = directory
            .join(relative)
            .canonicalize()
            .map_err(|_| IncludeProblem::NotFound)?;
        if !found.starts_with(root) {
            return Err(IncludeProblem::Outside);
        }
        if self.once.contains(&found) {
            return Ok(Included::Again);
        }
        if self.stack.contains(&found) {
            return Err(IncludeProblem::Cycle);
        }
        let text = read_text(&found).map_err(|e| match e {
            SourceError::NotText { .. } => IncludeProblem::NotText,
            SourceError::TooLarge { .. } => IncludeProblem::TooMuch,
            SourceError::Unreadable { .. } => IncludeProblem::NotFound,
        })?;
        // The flat text has at least every file's own bytes, so an exponential diamond of includes ends here too.
        if self.stack.len() >= MAX_DEPTH
            || self.text.len() + text.len() > MAX_BYTES
            || self.files.len() >= 4096
        {
            return Err(IncludeProblem::TooMuch);
        }
        if has_include_guard(&text) {
            self.once.push(found.clone());
        }
        Ok(Included::File { path: found, text })
    }
}

enum Included {
    /// Guarded, and in already.
    Again,
    File {
        path: PathBuf,
        text: String,
    },
}

/// Whether a second inclusion adds nothing: `#pragma once`, or `#ifndef X` with `#define X` as the first two directives.
fn has_include_guard(text: &str) -> bool {
    let mut directives = crate::front::lexer::lex(text).directives.into_iter();
    let Some(first) = directives.next() else {
        return false;
    };
    let word = |d: &crate::front::lexer::Directive, n: usize| {
        d.tokens.get(n).map(|t| text[t.start..t.end].to_owned())
    };
    let is = |d: &crate::front::lexer::Directive, n: usize, expected: &str| {
        word(d, n).is_some_and(|w| w == expected)
    };
    if is(&first, 0, "pragma") && is(&first, 1, "once") {
        return true;
    }
    directives.next().is_some_and(|second| {
        is(&first, 0, "ifndef") && is(&second, 0, "define") && word(&first, 1) == word(&second, 1)
    })
}
