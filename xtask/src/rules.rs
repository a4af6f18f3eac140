//! One module per rule. A rule is a function from the tree to what it found.

pub(crate) mod dependencies;
pub(crate) mod effects;
pub(crate) mod locks;
pub(crate) mod manifests;
pub(crate) mod sizes;
pub(crate) mod text;
pub(crate) mod unsafe_code;

#[cfg(test)]
pub(crate) mod testing {
    use crate::Finding;
    use crate::tree::{File, Tree};

    /// A tree of these (path, text) pairs, without packages.
    pub(crate) fn tree(files: &[(&str, &str)]) -> Tree {
        let files =
            files.iter().map(|(path, text)| File { path: (*path).to_owned(), text: (*text).to_owned() });
        Tree { files: files.collect(), packages: Vec::new() }
    }

    /// The texts of the errors among `findings`.
    pub(crate) fn errors(findings: Vec<Finding>) -> Vec<String> {
        let texts = findings.into_iter().filter_map(|finding| match finding {
            Finding::Error(text) => Some(text),
            Finding::Note(_) => None,
        });
        texts.collect()
    }
}
