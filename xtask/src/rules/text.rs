//! What no tracked text file may hold: unfinished work, somebody's own paths, registry hosts, untidy white space.

use crate::Finding;
use crate::tree::{File, Tree};

/// Unfinished work and debugging aids. Each is put together here, so that this file passes its own rule.
const UNFINISHED: [&str; 5] = [
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
    concat!("dbg", "!("),
    concat!("FIX", "ME"),
    concat!("X", "XX"),
];

/// Directories of one person's machine.
const OWN_PATHS: [&str; 3] = [concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/wo", "rk/")];

/// Parts of the host names of package registries and their mirrors: which one is used is the machine's own setting.
const REGISTRIES: [&str; 8] = [
    "crates.io",
    "pypi.",
    "pythonhosted.org",
    "npmjs.",
    "proxy.golang.org",
    "deb.debian.org",
    "archive.ubuntu.com",
    "artifactory",
];

/// Files that are written by tools.
const GENERATED: [&str; 1] = ["Cargo.lock"];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let written = tree.files.iter().filter(|file| !GENERATED.contains(&file.path.as_str()));
    written.flat_map(faults).map(Finding::Error).collect()
}

fn faults(file: &File) -> Vec<String> {
    let mut faults = Vec::new();
    for (index, line) in file.text.split('\n').enumerate() {
        let faults_of_line = words(line).into_iter().chain(white_space(file, line)).chain(registry(line));
        faults.extend(faults_of_line.map(|fault| format!("{}:{}: {fault}", file.path, index + 1)));
    }
    if !file.text.is_empty() && !file.text.ends_with('\n') {
        faults.push(format!("{}: no newline at the end", file.path));
    }
    faults
}

fn words(line: &str) -> Vec<String> {
    let unfinished =
        UNFINISHED.iter().filter(|word| holds_word(line, word)).map(|word| format!("unfinished: {word}"));
    let paths = OWN_PATHS
        .iter()
        .filter(|path| starts_path(line, path))
        .map(|path| format!("a machine's own path: {path}"));
    unfinished.chain(paths).collect()
}

/// Whether `word` stands in `line` with no letter or digit right before or (for a plain word) after it.
fn holds_word(line: &str, word: &str) -> bool {
    let joins = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let open_ended = word.ends_with('(');
    line.match_indices(word).any(|(at, _)| {
        let after = line[at + word.len()..].chars().next();
        !joins(line[..at].chars().next_back()) && (open_ended || !joins(after))
    })
}

/// Whether `path` begins a path in `line`: `src/work/a.rs` holds none of ours.
fn starts_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || "_-.~}*/".contains(c))
    })
}

fn white_space(file: &File, line: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if line.ends_with([' ', '\t', '\r']) {
        faults.push("white space at the end of the line".to_owned());
    }
    if file.extension() == "rs" && line.contains('\t') {
        faults.push("a tab".to_owned());
    }
    faults
}

fn registry(line: &str) -> Option<String> {
    let hosts = line.match_indices("://").map(|(at, found)| {
        let rest = &line[at + found.len()..];
        &rest[..rest.find(|c: char| !(c.is_ascii_alphanumeric() || ".-:@".contains(c))).unwrap_or(rest.len())]
    });
    let mut named = hosts.filter(|host| REGISTRIES.iter().any(|registry| host.contains(registry)));
    named.next().map(|host| format!("the host of a package registry: {host}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{errors, tree};

    fn found(path: &str, text: &str) -> Vec<String> {
        errors(check(&tree(&[(path, text)])))
    }

    #[test]
    fn tidy_text_passes() {
        let text = "fn main() {}\n// See https://docs.rs/ash, https://registry.khronos.org/vulkan, the crate from crates.io, and src/work/a.rs.\n";
        assert_eq!(found("a.rs", text), [""; 0]);
        assert_eq!(found("empty.rs", ""), [""; 0]);
    }

    #[test]
    fn each_fault_is_named_with_its_line() {
        for (line, fault) in [
            (concat!("    todo", "!()"), "unfinished"),
            (concat!("// FIX", "ME later"), "unfinished"),
            (concat!("let a = dbg", "!(b);"), "unfinished"),
            (concat!("read(\"/ho", "me/me/video.mp4\")"), "own path"),
            (concat!("cd /wo", "rk/main"), "own path"),
            (concat!("https://static.", "crates.io/x"), "package registry"),
            (concat!("index = \"sparse+https://my-", "artifactory.example/\""), "package registry"),
            ("let a = 1; ", "white space"),
            ("\tlet a = 1;", "a tab"),
            ("windows\r", "white space"),
        ] {
            let errors = found("a.rs", &format!("fine\n{line}\n"));
            assert_eq!(errors.len(), 1, "{line:?}: {errors:?}");
            assert!(errors[0].starts_with("a.rs:2: ") && errors[0].contains(fault), "{errors:?}");
        }
    }

    #[test]
    fn words_that_only_contain_a_forbidden_one_pass() {
        assert_eq!(found("a.rs", concat!("not_a_todo", "!(x)\nAX", "XXB\n")), [""; 0]);
    }

    #[test]
    fn the_last_line_ends_with_a_newline() {
        assert_eq!(found("a.md", "text"), ["a.md: no newline at the end"]);
    }

    #[test]
    fn tabs_are_free_outside_rust_and_lock_files_are_not_read() {
        assert_eq!(found("a.mk", "\trule\n"), [""; 0]);
        assert_eq!(found("Cargo.lock", concat!("source = \"https://index.", "crates.io/\"\n")), [""; 0]);
    }
}
