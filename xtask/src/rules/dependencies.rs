//! Dependencies between crates point down only, and some outside crates have one owner.

use crate::Finding;
use crate::tree::{Dependency, Package, Tree};

/// The layers, top first. A crate may depend on those further down, never on one above.
const LAYERS: [&str; 13] = [
    "streamlib-python",
    "streamlib-runtime",
    "streamlib",
    "streamlib-net",
    "streamlib-infer",
    "streamlib-c",
    "streamlib-share",
    "streamlib-media",
    "streamlib-linux",
    "streamlib-apple",
    "streamlib-vulkan",
    "streamlib-shader",
    "streamlib-core",
];

/// Packages beside the layers: they may depend on anything, and nothing depends on them.
const BESIDE: [&str; 2] = ["streamlib-bench", "xtask"];

/// Outside crates that only one of ours may name.
const OWNED: [(&str, &str); 8] = [
    ("winit", "streamlib-linux"),
    ("drm", "streamlib-linux"),
    ("ash", "streamlib-vulkan"),
    ("hassle-rs", "streamlib-shader"),
    ("spirv-cross2", "streamlib-shader"),
    ("zenoh", "streamlib-net"),
    ("ort", "streamlib-infer"),
    ("pyo3", "streamlib-python"),
];

fn layer(name: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| *layer == name)
}

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for package in &tree.packages {
        if layer(&package.name).is_none() && !BESIDE.contains(&package.name.as_str()) {
            let text = "has no place in the order of crates: give it one in xtask/src/rules/dependencies.rs";
            found.push(Finding::Error(format!("{}: {text}", package.name)));
        }
        for dependency in &package.dependencies {
            found.extend(direction(package, dependency).map(Finding::Error));
            found.extend(ownership(package, dependency).map(Finding::Error));
        }
    }
    found
}

fn direction(package: &Package, dependency: &Dependency) -> Option<String> {
    let (from, to) = (package.name.as_str(), dependency.name.as_str());
    let path = format!("{from} -> {to}");
    if BESIDE.contains(&to) {
        return Some(format!("{path}: nothing depends on {to}"));
    }
    // A crate may name itself, to switch on its own features in tests.
    let upward = layer(from)? > layer(to)?;
    let kind = dependency.kind.as_deref().map(|kind| format!(" ({kind})")).unwrap_or_default();
    upward.then(|| {
        format!("{path}{kind} points up: {to} stands above {from}, so what both need belongs further down")
    })
}

fn ownership(package: &Package, dependency: &Dependency) -> Option<String> {
    let (_, owner) = OWNED.iter().find(|(name, _)| *name == dependency.name)?;
    (package.name != *owner).then(|| {
        format!(
            "{} -> {}: only {owner} may name it, so ask {owner} for what is needed",
            package.name, dependency.name
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::errors;

    fn found(package: &str, dependency: &str) -> Vec<String> {
        let dependency = Dependency { name: dependency.to_owned(), kind: None };
        let package = Package {
            name: package.to_owned(),
            description: None,
            manifest_path: "Cargo.toml".into(),
            dependencies: vec![dependency],
        };
        errors(check(&Tree { packages: vec![package], ..Tree::default() }))
    }

    #[test]
    fn a_crate_may_depend_on_one_below() {
        assert_eq!(found("streamlib-vulkan", "streamlib-core"), [""; 0]);
        assert_eq!(found("streamlib-bench", "streamlib"), [""; 0]);
        assert_eq!(found("streamlib-media", "openh264"), [""; 0]);
    }

    #[test]
    fn a_crate_may_not_depend_on_one_above_and_the_path_is_printed() {
        let errors = found("streamlib-core", "streamlib-vulkan");
        assert_eq!(errors.len(), 1);
        assert!(errors[0].contains("streamlib-core -> streamlib-vulkan"), "{errors:?}");
    }

    #[test]
    fn nothing_depends_on_the_tools() {
        assert_eq!(found("streamlib", "xtask").len(), 1);
    }

    #[test]
    fn an_owned_crate_is_named_by_its_owner_only() {
        assert_eq!(found("streamlib-vulkan", "ash"), [""; 0]);
        let errors = found("streamlib", "ash");
        assert!(errors[0].contains("streamlib -> ash: only streamlib-vulkan"), "{errors:?}");
        assert_eq!(found("streamlib-bench", "hassle-rs").len(), 1);
    }

    #[test]
    fn a_new_crate_must_be_given_its_place() {
        assert!(found("streamlib-extra", "serde")[0].contains("no place in the order"));
    }
}
