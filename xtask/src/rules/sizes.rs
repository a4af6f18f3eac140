//! Files stay short enough to read in one sitting.

use crate::Finding;
use crate::tree::Tree;

const EXTENSIONS: [&str; 4] = ["rs", "py", "hlsl", "sh"];
/// From here a file is worth a look.
const LONG: usize = 400;
/// From here a file must be split.
const TOO_LONG: usize = 800;

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let sources = tree.files.iter().filter(|file| EXTENSIONS.contains(&file.extension()));
    sources
        .filter_map(|file| {
            let lines = file.text.lines().count();
            let text = format!("{}: {lines} lines", file.path);
            if lines > TOO_LONG {
                Some(Finding::Error(format!("{text}: split it (the limit is {TOO_LONG})")))
            } else {
                (lines > LONG).then_some(Finding::Note(text))
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::tree;

    #[test]
    fn long_files_are_noted_and_too_long_ones_fail() {
        let text = |lines: usize| "x\n".repeat(lines);
        assert_eq!(check(&tree(&[("a.rs", &text(400)), ("b.md", &text(900))])), []);
        assert!(matches!(check(&tree(&[("a.hlsl", &text(401))]))[..], [Finding::Note(_)]));
        assert!(matches!(check(&tree(&[("a.py", &text(800))]))[..], [Finding::Note(_)]));
        assert!(matches!(check(&tree(&[("a.rs", &text(801))]))[..], [Finding::Error(_)]));
    }
}
