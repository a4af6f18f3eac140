//! `unsafe` lives in the crates that speak to a driver, a kernel or C, and in the binding to DXC.

use crate::Finding;
use crate::tree::Tree;

/// Where the keyword may stand: the beginnings of paths.
const ALLOWED: [&str; 9] = [
    "crates/streamlib-vulkan/",
    "crates/streamlib-apple/",
    "crates/streamlib-linux/",
    "crates/streamlib-c/src/",
    "crates/streamlib-shader/src/dxc",
    "python/src/cuda.rs",
    "python/src/dlpack.rs",
    "python/src/interpreter.rs",
    "python/src/memory.rs",
];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let sources = tree.files.iter().filter(|file| file.extension() == "rs");
    let restricted = sources.filter(|file| !ALLOWED.iter().any(|allowed| file.path.starts_with(allowed)));
    restricted
        .flat_map(|file| {
            let lines = file.text.lines().enumerate().filter(|(_, line)| uses_unsafe(line));
            lines.map(|(index, _)| {
                Finding::Error(format!(
                    "{}:{}: unsafe code belongs in {}",
                    file.path,
                    index + 1,
                    ALLOWED.join(", ")
                ))
            })
        })
        .collect()
}

/// Whether `line` opens an unsafe block, function, impl, trait, extern block or attribute, comments aside.
fn uses_unsafe(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    code.match_indices("unsafe").any(|(at, word)| {
        let before = code[..at].chars().next_back();
        let rest = code[at + word.len()..].trim_start();
        let starts =
            ["{", "fn ", "impl", "trait ", "extern", "("].iter().any(|start| rest.starts_with(start));
        starts && !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '"')
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{errors, tree};

    #[test]
    fn unsafe_code_is_found_outside_the_crates_that_may_hold_it() {
        let block = concat!("fn f() {\n    uns", "afe { g() }\n}\n");
        let errors = errors(check(&tree(&[
            ("crates/streamlib-core/src/lib.rs", block),
            ("crates/streamlib-vulkan/src/lib.rs", block),
            ("crates/streamlib-shader/src/dxc.rs", block),
            ("crates/streamlib-shader/src/reflect.rs", concat!("uns", "afe impl Send for T {}\n")),
        ])));
        assert_eq!(errors.len(), 2);
        assert!(errors[0].starts_with("crates/streamlib-core/src/lib.rs:2: "), "{errors:?}");
        assert!(errors[1].starts_with("crates/streamlib-shader/src/reflect.rs:1: "), "{errors:?}");
    }

    #[test]
    fn the_word_alone_is_no_use_of_it() {
        let text = "// unsafe { } is not used here\n#![deny(unsafe_code)]\nlet kind = \"unsafe\";\n";
        assert_eq!(check(&tree(&[("src/lib.rs", text)])), []);
    }
}
