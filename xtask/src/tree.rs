//! What the rules look at: the tracked files, and the packages of the workspace.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

/// Why the repository could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TreeError {
    #[error("`{command}` could not be started: {source}")]
    Start { command: String, source: std::io::Error },
    #[error("`{command}` failed: {stderr}")]
    Failed { command: String, stderr: String },
    #[error("`cargo metadata` printed what could not be read: {0}")]
    Metadata(#[from] serde_json::Error),
}

/// One package, as `cargo metadata` describes it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) manifest_path: PathBuf,
    pub(crate) dependencies: Vec<Dependency>,
}

/// One direct dependency of a [`Package`].
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// `None` for an ordinary dependency, else `dev` or `build`.
    pub(crate) kind: Option<String>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_root: PathBuf,
}

/// A tracked text file.
#[derive(Debug)]
pub(crate) struct File {
    /// Path from the root, with forward slashes.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    /// The part of the name behind the last dot; empty without one.
    pub(crate) fn extension(&self) -> &str {
        self.path
            .rsplit('/')
            .next()
            .and_then(|name| name.rsplit_once('.'))
            .map_or("", |(_, extension)| extension)
    }
}

/// The repository. Files that are not UTF-8 text (images, videos) are left out.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    pub(crate) files: Vec<File>,
    pub(crate) packages: Vec<Package>,
}

impl Tree {
    /// The repository that the current directory is in.
    pub(crate) fn of_repository() -> Result<Self, TreeError> {
        let metadata =
            run(Command::new("cargo").args(["metadata", "--no-deps", "--locked", "--format-version", "1"]))?;
        let metadata: Metadata = serde_json::from_slice(&metadata)?;
        let listing =
            run(Command::new("git").current_dir(&metadata.workspace_root).args(["ls-files", "-z"]))?;
        let listing = String::from_utf8_lossy(&listing);
        let paths = listing.split('\0').filter(|path| !path.is_empty());
        Ok(Self { files: read_files(&metadata.workspace_root, paths), packages: metadata.packages })
    }

    /// The file at `path` (from the root).
    pub(crate) fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }
}

/// Reads `paths` under `root`. A path that is gone from the working tree, is a link, or holds no text is passed over.
fn read_files<'a>(root: &Path, paths: impl Iterator<Item = &'a str>) -> Vec<File> {
    paths
        .filter(|path| root.join(path).symlink_metadata().is_ok_and(|data| data.is_file()))
        .filter_map(|path| {
            let text = std::fs::read_to_string(root.join(path)).ok()?;
            Some(File { path: path.to_owned(), text })
        })
        .collect()
}

fn run(command: &mut Command) -> Result<Vec<u8>, TreeError> {
    let spelled = format!("{command:?}");
    let output = command.output().map_err(|source| TreeError::Start { command: spelled.clone(), source })?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(TreeError::Failed {
            command: spelled,
            stderr: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_text_files_that_are_there_are_read() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("a.rs"), "text\n").unwrap();
        std::fs::write(root.path().join("b.png"), [0xff, 0xfe, 0x00]).unwrap();
        std::os::unix::fs::symlink("a.rs", root.path().join("link.rs")).unwrap();
        let files = read_files(root.path(), ["a.rs", "b.png", "link.rs", "gone.rs"].into_iter());
        let paths: Vec<_> = files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["a.rs"]);
        assert_eq!(files[0].extension(), "rs");
    }
}
