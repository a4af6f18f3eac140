//! Runs the `streamlib` command as a user does.

#![allow(dead_code, reason = "every test file uses a part of it")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::Value;

/// The command, in a folder of its own.
pub(crate) fn streamlib(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_streamlib"));
    command.current_dir(folder).env("XDG_CACHE_HOME", cache());
    command
}

/// One effect cache for all tests, apart from the user's own.
fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache")
}

pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository is there")
}

pub(crate) fn effect(name: &str) -> String {
    repository().join("effects").join(format!("{name}.hlsl")).display().to_string()
}

/// Says why a test has nothing to test here; `./x test` counts such lines.
#[allow(clippy::print_stdout, reason = "standard output is where the count is taken")]
pub(crate) fn skip(why: &str) {
    println!("SKIPPED: {why}");
}

/// Says why effects cannot run here, if so. CI installs what is needed, so nothing is skipped there.
pub(crate) fn cannot_run() -> bool {
    static CAN_RUN: OnceLock<bool> = OnceLock::new();
    let doctor = || Command::new(env!("CARGO_BIN_EXE_streamlib")).arg("doctor").output().expect("it starts");
    let can_run = *CAN_RUN.get_or_init(|| doctor().status.success());
    if !can_run {
        skip("no Vulkan device or no DXC here; `./x doctor` says more");
    }
    !can_run
}

pub(crate) fn has(program: &str) -> bool {
    let found = Command::new(program).arg("-version").output().is_ok();
    if !found {
        skip(&format!("{program} is not installed"));
    }
    found
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs to success, with not a word from the validation layer, and gives standard output.
pub(crate) fn succeed(command: &mut Command) -> String {
    let output = command.output().expect("it starts");
    let stderr = text(&output.stderr);
    assert!(output.status.success(), "{command:?} failed:\n{stderr}");
    assert!(!stderr.contains("VUID") && !stderr.contains("Validation"), "{command:?}:\n{stderr}");
    text(&output.stdout)
}

/// Runs to success and reads standard output as JSON.
pub(crate) fn json(command: &mut Command) -> Value {
    serde_json::from_str(&succeed(command)).expect("standard output is JSON")
}

/// Asserts exit code 2 and an error that holds every one of `parts`, without a panic.
pub(crate) fn fails_saying(command: &mut Command, parts: &[&str]) {
    let Output { status, stderr, .. } = command.output().expect("it starts");
    let stderr = text(&stderr);
    assert_eq!(status.code(), Some(2), "{command:?}: {stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
    for part in parts {
        assert!(stderr.contains(part), "{command:?} does not say `{part}`:\n{stderr}");
    }
}

/// Names of everything in a folder, hidden files too.
pub(crate) fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let mut names: Vec<_> =
        entries.map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Waits until `look` is content with what other programs do; says what it saw last when it never is.
#[allow(clippy::disallowed_methods, reason = "other programs tell nobody when they have come so far")]
pub(crate) fn wait_for(what: &str, patience: Duration, mut look: impl FnMut() -> Result<(), String>) {
    let begun = Instant::now();
    // A look may cost as much as what is waited for: the longer that takes, the more seldom it is looked.
    let mut pause = Duration::from_millis(20);
    while let Err(seen) = look() {
        assert!(begun.elapsed() < patience, "{what} did not come: {seen}");
        std::thread::sleep(pause);
        pause = (pause * 5 / 4).min(Duration::from_millis(400));
    }
}
