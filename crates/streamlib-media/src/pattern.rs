//! File names with a frame number in them: `frame-%04d.png`.

use std::path::{Path, PathBuf};

/// A path whose file name has one `%d` or `%0Nd`.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    path: PathBuf,
    before: String,
    after: String,
    width: usize,
}

impl Pattern {
    /// `None` when the name has no `%`; `Some(Err)` when it has, but not in a way that can be used.
    pub(crate) fn parse(path: &Path) -> Option<Result<Self, String>> {
        const ADVICE: &str = "write the number once in the file name, as %d or as %04d";
        let name = path.file_name()?.to_str()?;
        let (before, rest) = name.split_once('%')?;
        let unusable = || Some(Err(format!("`{name}` is not a pattern that can be used; {ADVICE}")));
        let Some((digits, after)) = rest.split_once('d') else {
            return unusable();
        };
        let width = match digits {
            "" => 0,
            _ => match digits.strip_prefix('0').unwrap_or(digits).parse() {
                Ok(width @ 1..=18) => width,
                _ => return unusable(),
            },
        };
        if after.contains('%') {
            return unusable();
        }
        Some(Ok(Self { path: path.to_owned(), before: before.to_owned(), after: after.to_owned(), width }))
    }

    /// The pattern as it was given.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The path with `number` in it.
    pub(crate) fn at(&self, number: u64) -> PathBuf {
        let Self { before, after, width, .. } = self;
        self.path.with_file_name(format!("{before}{number:0width$}{after}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_takes_the_place_of_the_mark() {
        let at = |pattern: &str, number| {
            Pattern::parse(Path::new(pattern)).map(|parsed| parsed.map(|pattern| pattern.at(number)))
        };
        assert_eq!(at("a/f-%04d.png", 7), Some(Ok("a/f-0007.png".into())));
        assert_eq!(at("f%d.png", 12_345), Some(Ok("f12345.png".into())));
        assert_eq!(at("f%02d.png", 123), Some(Ok("f123.png".into())));
        assert_eq!(at("a%b/f.png", 1), None);
        for bad in ["f%s.png", "f%.png", "f%d-%d.png", "f%99d.png", "f%-3d.png"] {
            assert!(matches!(at(bad, 1), Some(Err(_))), "{bad} was taken for a pattern");
        }
    }
}
