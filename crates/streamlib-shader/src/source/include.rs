//! Puts included files into the text that includes them.

use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Flat, MAX_BYTES, OpenInclude, Segment, SourceError, SourceFile};
use crate::front::lexer::{Directive, include_directives, lex};

/// Includes inside includes that are followed.
const MAX_DEPTH: usize = 32;
/// Files of one effect.
const MAX_FILES: usize = 4096;

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

pub(super) fn read_text(path: &Path) -> Result<String, SourceError> {
    let unreadable = |error| SourceError::Unreadable { path: path.to_owned(), error };
    let meta = std::fs::metadata(path).map_err(unreadable)?;
    if !meta.is_file() {
        let error = std::io::Error::new(std::io::ErrorKind::InvalidInput, "it is not a regular file");
        return Err(unreadable(error));
    }
    if meta.len() > MAX_BYTES as u64 {
        return Err(SourceError::TooLarge { path: path.to_owned(), bytes: meta.len() });
    }
    let bytes = std::fs::read(path).map_err(unreadable)?;
    let text = String::from_utf8(bytes)
        .map_err(|e| SourceError::NotText { path: path.to_owned(), at: e.utf8_error().valid_up_to() })?;
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}

/// The text of `main` with everything that it includes; `base` is the directory to start from.
pub(super) fn flatten(main: SourceFile, base: Option<&Path>) -> Flat {
    // The main file can be included again too.
    let main_path = base.and_then(|b| b.join(Path::new(&main.shown).file_name()?).canonicalize().ok());
    let mut flattener = Flattener {
        root: base.and_then(|b| b.canonicalize().ok()),
        out: Flat { files: vec![main], ..Flat::default() },
        once: Vec::new(),
        stack: main_path.into_iter().collect(),
    };
    flattener.append(0, base);
    flattener.out
}

struct Flattener {
    /// Directory that no include may leave.
    root: Option<PathBuf>,
    out: Flat,
    /// Files with an include guard that are in already.
    once: Vec<PathBuf>,
    /// Files being included now.
    stack: Vec<PathBuf>,
}

impl Flattener {
    fn append(&mut self, file: usize, directory: Option<&Path>) {
        let text = self.out.files[file].text.clone();
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
                    self.out.files.push(SourceFile { shown, text: included });
                    let index = self.out.files.len() - 1;
                    let parent = path.parent().map(Path::to_owned);
                    self.stack.push(path);
                    self.append(index, parent.as_deref());
                    self.stack.pop();
                    if !self.out.text.ends_with('\n') {
                        self.out.text.push('\n');
                    }
                }
                Err(problem) => {
                    self.copy(file, &text, copied, directive.path_start);
                    copied = directive.path_start;
                    let sought = directory.filter(|_| problem == IncludeProblem::NotFound);
                    let sought = sought.map(|directory| directory.join(&directive.path));
                    self.out.open_includes.push(OpenInclude {
                        path: directive.path,
                        problem,
                        sought,
                        at: self.out.text.len(),
                    });
                }
            }
        }
        self.copy(file, &text, copied, text.len());
    }

    fn copy(&mut self, file: usize, text: &str, from: usize, to: usize) {
        self.out.segments.push(Segment { flat_start: self.out.text.len(), file, file_start: from });
        self.out.text.push_str(&text[from..to]);
    }

    fn shown(&self, path: &Path) -> String {
        let shown = self.root.as_ref().and_then(|r| path.strip_prefix(r).ok()).unwrap_or(path);
        // Beside the main file's own spelling, so that an editor finds it.
        let main = Path::new(&self.out.files[0].shown);
        main.parent().map_or_else(|| shown.to_owned(), |p| p.join(shown)).to_string_lossy().into_owned()
    }

    fn resolve(&mut self, path: &str, directory: Option<&Path>) -> Result<Included, IncludeProblem> {
        let directory = directory.ok_or(IncludeProblem::NoBaseDirectory)?;
        let root = self.root.as_ref().ok_or(IncludeProblem::NotFound)?;
        let relative = Path::new(path);
        if relative.components().any(|c| matches!(c, Component::RootDir | Component::Prefix(_))) {
            return Err(IncludeProblem::Outside);
        }
        // Resolving links first: a link must not lead outside either.
        let found = directory.join(relative).canonicalize().map_err(|_| IncludeProblem::NotFound)?;
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
            || self.out.text.len() + text.len() > MAX_BYTES
            || self.out.files.len() >= MAX_FILES
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
    let mut directives = lex(text).directives.into_iter();
    let Some(first) = directives.next() else {
        return false;
    };
    let word = |d: &Directive, n: usize| d.tokens.get(n).map(|t| text[t.start..t.end].to_owned());
    let is = |d: &Directive, n: usize, expected: &str| word(d, n).is_some_and(|w| w == expected);
    if is(&first, 0, "pragma") && is(&first, 1, "once") {
        return true;
    }
    directives.next().is_some_and(|second| {
        is(&first, 0, "ifndef") && is(&second, 0, "define") && word(&first, 1) == word(&second, 1)
    })
}
