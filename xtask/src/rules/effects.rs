//! Every effect says at its top what it does.

use crate::Finding;
use crate::tree::Tree;

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let effects =
        tree.files.iter().filter(|file| file.path.starts_with("effects/") && file.extension() == "hlsl");
    let bare = effects.filter(|file| !has_header(&file.text));
    bare.map(|file| Finding::Error(format!("{}: begin with a comment that says what it does", file.path)))
        .collect()
}

/// Whether the first line of `text` is a comment that has words in it.
fn has_header(text: &str) -> bool {
    let mut words = text.split_whitespace();
    words.next().is_some_and(|word| word.starts_with("//") || word.starts_with("/*"))
        && text.lines().next().is_some_and(|line| line.chars().any(char::is_alphanumeric))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{errors, tree};

    #[test]
    fn an_effect_begins_with_a_comment() {
        let errors = errors(check(&tree(&[
            ("effects/good.hlsl", "// Turns the picture red.\nfloat a;\n"),
            ("effects/block.hlsl", "/* Turns\n the picture red. */\nfloat a;\n"),
            ("effects/bare.hlsl", "float a; // late\n"),
            ("effects/empty.hlsl", "//\nfloat a;\n"),
            ("tests/bare.hlsl", "float a;\n"),
        ])));
        let at: Vec<_> = errors.iter().map(|text| text.split(':').next().unwrap_or_default()).collect();
        assert_eq!(at, ["effects/bare.hlsl", "effects/empty.hlsl"]);
    }
}
