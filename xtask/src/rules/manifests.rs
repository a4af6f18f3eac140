//! Every crate describes itself, takes the workspace's lints, and is on the map.

use std::ffi::OsStr;
use std::path::Path;

use crate::Finding;
use crate::tree::{Package, Tree};

const MAP: &str = "ARCHITECTURE.md";

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let map = tree.file(MAP).map(|file| file.text.as_str());
    tree.packages.iter().flat_map(|package| faults(package, map)).map(Finding::Error).collect()
}

fn faults(package: &Package, map: Option<&str>) -> Vec<String> {
    let name = &package.name;
    let mut faults = Vec::new();
    if package.description.as_deref().is_none_or(|text| text.trim().is_empty()) {
        faults.push(format!("{name}: no description in Cargo.toml"));
    }
    if !takes_workspace_lints(package) {
        faults.push(format!("{name}: add `[lints] workspace = true` to Cargo.toml"));
    }
    if map.is_some_and(|map| !names_crate(map, name) && !names_crate(map, directory(package))) {
        faults.push(format!("{MAP}: does not name {name}"));
    }
    faults
}

fn takes_workspace_lints(package: &Package) -> bool {
    let text = std::fs::read_to_string(&package.manifest_path).unwrap_or_default();
    let manifest: toml::Table = text.parse().unwrap_or_default();
    manifest.get("lints").and_then(|lints| lints.get("workspace")).and_then(toml::Value::as_bool)
        == Some(true)
}

/// Name of the directory that the package is in.
fn directory(package: &Package) -> &str {
    let directory = package.manifest_path.parent().and_then(Path::file_name);
    directory.and_then(OsStr::to_str).unwrap_or(&package.name)
}

/// Whether `map` holds `name` as a word of its own: `streamlib` is not found inside `streamlib-core`.
fn names_crate(map: &str, name: &str) -> bool {
    map.split(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_')).any(|word| word == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(manifest: &str) -> (tempfile::TempDir, Package) {
        let root = tempfile::Builder::new().prefix("crate").tempdir().unwrap();
        let manifest_path = root.path().join("Cargo.toml");
        std::fs::write(&manifest_path, manifest).unwrap();
        let package = Package {
            name: "streamlib".to_owned(),
            description: Some("What it is".to_owned()),
            manifest_path,
            dependencies: Vec::new(),
        };
        (root, package)
    }

    #[test]
    fn a_complete_manifest_on_the_map_passes() {
        let (_root, package) = package("[lints]\nworkspace = true\n");
        assert_eq!(faults(&package, Some("crates/streamlib: the facade")), [""; 0]);
        assert_eq!(faults(&package, None), [""; 0]);
    }

    #[test]
    fn missing_lints_and_an_empty_description_are_named() {
        let (_root, mut package) = package("[lints.rust]\nunsafe_code = \"allow\"\n");
        package.description = Some(" ".to_owned());
        let faults = faults(&package, None);
        assert_eq!(faults.len(), 2);
        assert!(faults[0].contains("no description") && faults[1].contains("[lints]"), "{faults:?}");
    }

    #[test]
    fn a_crate_is_on_the_map_under_its_own_name_or_that_of_its_directory() {
        let (_root, package) = package("[lints]\nworkspace = true\n");
        assert_eq!(faults(&package, Some("streamlib-core and media")).len(), 1);
        let named = format!("{}/: what it is", directory(&package));
        assert_eq!(faults(&package, Some(&named)), [""; 0]);
    }
}
