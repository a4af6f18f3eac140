//! The core and the Vulkan backend take only locks that can be counted, so that a test can prove that the frame path takes
//! none.

use crate::Finding;
use crate::tree::Tree;

/// Where the rule holds: the beginnings of paths.
const HOLDS_IN: [&str; 2] = ["crates/streamlib-core/src/", "crates/streamlib-vulkan/src/"];

/// The one file that may name the standard library's locks.
const WRAPPERS: &str = "crates/streamlib-core/src/sync.rs";

const LOCKS: [&str; 3] = ["Mutex", "RwLock", "Condvar"];

const MODULE: &str = "std::sync::";

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let sources = tree.files.iter().filter(|file| file.extension() == "rs" && file.path != WRAPPERS);
    let restricted = sources.filter(|file| HOLDS_IN.iter().any(|start| file.path.starts_with(start)));
    restricted
        .flat_map(|file| {
            locks(&file.text).into_iter().map(|(line, lock)| {
                let advice = format!("take streamlib_core::sync::{lock}, which tests can count");
                Finding::Error(format!("{}:{line}: std::sync::{lock}: {advice}", file.path))
            })
        })
        .collect()
}

/// The locks of the standard library that `text` names, each with its line, comments aside.
fn locks(text: &str) -> Vec<(usize, &'static str)> {
    let code: Vec<&str> = text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
    let code = code.join("\n");
    let mut found = Vec::new();
    for (at, _) in code.match_indices(MODULE) {
        let line = code[..at].lines().count().max(1);
        let rest = &code[at + MODULE.len()..];
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let named = match rest.strip_prefix('{') {
            Some(list) => list.split('}').next().unwrap_or_default(),
            None => rest.split(|c| !is_part(c)).next().unwrap_or_default(),
        };
        let words: Vec<&str> = named.split(|c| !is_part(c)).collect();
        found.extend(LOCKS.into_iter().filter(|lock| words.contains(lock)).map(|lock| (line, lock)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{errors, tree};

    #[test]
    fn locks_of_the_standard_library_are_found_where_they_cannot_be_counted() {
        let list =
            "use std::cell::Cell;\nuse std::sync::{\n    Arc,\n    Mutex,\n    atomic::AtomicBool,\n};\n";
        let errors = errors(check(&tree(&[
            ("crates/streamlib-core/src/engine/mod.rs", list),
            ("crates/streamlib-vulkan/src/retire.rs", "type A = std::sync::RwLock<u8>;\n"),
            ("crates/streamlib-core/src/sync.rs", list),
            ("crates/streamlib-vulkan/tests/faults.rs", list),
            ("crates/streamlib-media/src/lib.rs", list),
        ])));
        assert_eq!(errors.len(), 2, "{errors:?}");
        assert!(errors[0].starts_with("crates/streamlib-core/src/engine/mod.rs:2: std::sync::Mutex"));
        assert!(errors[1].starts_with("crates/streamlib-vulkan/src/retire.rs:1: std::sync::RwLock"));
    }

    #[test]
    fn guards_and_other_things_are_no_locks() {
        let text =
            "use std::sync::{Arc, MutexGuard, PoisonError};\n// std::sync::Mutex\nuse std::sync::OnceLock;\n";
        assert_eq!(check(&tree(&[("crates/streamlib-core/src/lib.rs", text)])), []);
    }
}
