//! Programs in C, compiled by the machine's own compiler against the installed library.
#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::print_stdout, reason = "standard output is where skips are counted")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// What is wanted of every program: the language, and not a warning.
const FLAGS: [&str; 6] = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-g"];

/// Says why a test has nothing to test here; `./x test` counts such lines.
pub(crate) fn skip(why: &str) {
    println!("SKIPPED: {why}");
}

pub(crate) fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn header() -> PathBuf {
    folder().join("include/streamlib.h")
}

/// Where the library is installed for the tests of this binary; none where there is no compiler, which is said.
pub(crate) fn prefix() -> Option<&'static Path> {
    static PREFIX: OnceLock<Option<PathBuf>> = OnceLock::new();
    let prefix = PREFIX.get_or_init(|| {
        Command::new("cc").arg("--version").output().ok().filter(|found| found.status.success())?;
        // Cargo leaves what a test depends on beside it.
        let program = std::env::current_exe().expect("a program has a path");
        let built = program.parent().expect("and a folder");
        let name = program.file_name().expect("and a name").to_string_lossy().into_owned();
        let prefix = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name.split('-').next().expect("a part"));
        succeed(Command::new(folder().join("install.sh")).arg(built).arg(&prefix));
        Some(prefix)
    });
    if prefix.is_none() {
        skip("there is no C compiler (cc)");
    }
    prefix.as_deref()
}

/// Compiles `source`, a path in this crate, as `name`; with the library in it, or beside it.
pub(crate) fn compile(source: &str, name: &str, is_static: bool) -> Option<PathBuf> {
    let prefix = prefix()?;
    let out = prefix.join(name);
    let library = prefix.join("lib");
    let mut command = Command::new("cc");
    command.args(FLAGS).arg("-I").arg(prefix.join("include")).arg("-o").arg(&out).arg(folder().join(source));
    if is_static {
        command.arg(library.join("libstreamlib.a")).args(["-lgcc_s", "-lpthread", "-lm", "-ldl", "-lc"]);
    } else {
        command.arg("-L").arg(&library).arg("-lstreamlib").arg(format!("-Wl,-rpath,{}", library.display()));
    }
    succeed(&mut command);
    Some(out)
}

/// Runs to success, and gives standard output.
pub(crate) fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{command:?}: {}\n{stdout}\n{stderr}", output.status);
    stdout
}
