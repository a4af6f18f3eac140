//! Changes to a text that remember where each byte came from.

use std::cmp::Reverse;
use std::ops::Range;

/// A replacement of some bytes of the original.
#[derive(Clone, Debug)]
struct Edit {
    range: Range<usize>,
    with: String,
}

/// Changes to be made to a text.
#[derive(Debug, Default)]
pub(crate) struct Edits(Vec<Edit>);

impl Edits {
    /// Replaces bytes. Of overlapping edits the one that starts first counts, of those the longest.
    pub(crate) fn replace(&mut self, range: Range<usize>, with: impl Into<String>) {
        self.0.push(Edit { range, with: with.into() });
    }

    /// Inserts text before a byte.
    pub(crate) fn insert(&mut self, at: usize, text: impl Into<String>) {
        self.replace(at..at, text);
    }

    /// Puts spaces in place of everything but line breaks, so that lines and columns stay.
    pub(crate) fn blank(&mut self, source: &str, range: Range<usize>) {
        let spaces =
            source[range.clone()].bytes().map(|b| if b == b'\n' { '\n' } else { ' ' }).collect::<String>();
        self.replace(range, spaces);
    }

    /// The changed text between `before` and `after`.
    pub(crate) fn apply(mut self, source: &str, before: &str, after: &str) -> Lowered {
        // At one place insertions first, then the longest.
        self.0.sort_by_key(|e| (e.range.start, !e.range.is_empty(), Reverse(e.range.end)));
        let mut out = Lowered { text: before.to_owned(), anchors: vec![(0, None)] };
        let mut copied = 0;
        for edit in self.0 {
            if edit.range.start < copied {
                continue;
            }
            out.copy(source, copied..edit.range.start);
            out.anchors.push((out.text.len(), Some((edit.range.start, edit.range.len() == edit.with.len()))));
            out.text.push_str(&edit.with);
            copied = edit.range.end;
        }
        out.copy(source, copied..source.len());
        out.anchors.push((out.text.len(), None));
        out.text.push_str(after);
        out
    }
}

/// The text that DXC sees.
#[derive(Debug)]
pub(crate) struct Lowered {
    pub(crate) text: String,
    /// For each stretch: its start here; and where it starts in the original and whether it runs along with it.
    anchors: Vec<(usize, Option<(usize, bool)>)>,
}

impl Lowered {
    fn copy(&mut self, source: &str, range: Range<usize>) {
        self.anchors.push((self.text.len(), Some((range.start, true))));
        self.text.push_str(&source[range]);
    }

    /// What stands at `line` and `column` (both from 1, the column in bytes).
    pub(crate) fn origin(&self, line: u32, column: u32) -> Origin {
        let start: usize =
            self.text.split_inclusive('\n').take(line.saturating_sub(1) as usize).map(str::len).sum();
        let at = start + column.saturating_sub(1) as usize;
        let index = self.anchors.partition_point(|(from, _)| *from <= at);
        match self.anchors[..index].last() {
            Some((from, Some((start, true)))) => Origin::Original(start + (at - from)),
            Some((_, Some((start, false)))) => Origin::Original(*start),
            _ if index == self.anchors.len() => Origin::After,
            _ => Origin::Before,
        }
    }
}

/// Where a byte of the changed text came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It was added before the original.
    Before,
    /// From this byte of the original.
    Original(usize),
    /// It was added after the original.
    After,
}
