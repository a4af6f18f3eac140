//! The units of systemd for the broker.
#![cfg(target_os = "linux")]

mod common;

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use common::{fails_saying, skip, streamlib, succeed, text, wait_for};

const SOCKET: &str = "streamlib-broker.socket";
const SERVICE: &str = "streamlib-broker.service";

fn unit(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The one value of a key.
fn value(unit: &str, key: &str) -> String {
    let mut found = unit.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    let value = found.next().unwrap_or_else(|| panic!("no {key} in:\n{unit}")).to_owned();
    assert_eq!(found.next(), None, "{key} stands there twice");
    value
}

/// What the service runs, with the command that was built.
fn service_command() -> Vec<String> {
    let line = value(&unit(SERVICE), "ExecStart");
    let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
    assert_eq!(words[0], "streamlib");
    words[0] = env!("CARGO_BIN_EXE_streamlib").to_owned();
    words
}

fn is_there(program: &str) -> bool {
    let is_there = Command::new(program).arg("--version").output().is_ok();
    if !is_there {
        skip(&format!("{program} is not installed"));
    }
    is_there
}

#[test]
fn systemd_takes_the_units() {
    if !is_there("systemd-analyze") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let write =
        |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("there is room");
    write(SOCKET, &unit(SOCKET));
    let line = format!("ExecStart={}", service_command().join(" "));
    write(
        SERVICE,
        &unit(SERVICE).replace(&format!("ExecStart={}", value(&unit(SERVICE), "ExecStart")), &line),
    );
    let mut verify = Command::new("systemd-analyze");
    verify.args(["verify", "--user", "--man=no", "--recursive-errors=no"]).current_dir(folder.path());
    verify.args([format!("./{SOCKET}"), format!("./{SERVICE}")]);
    let output = verify.env("XDG_RUNTIME_DIR", folder.path()).output().expect("it starts");
    let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
    // It warns of what it does not know, and is content all the same.
    assert!(output.status.success() && !said.contains("streamlib-broker"), "{}: {said}", output.status);
}

/// Ends a program with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

#[test]
fn the_broker_takes_over_the_socket_of_the_unit_where_programs_look_for_it() {
    if !is_there("systemd-socket-activate") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let runtime = folder.path().join("runtime");
    let place = value(&unit(SOCKET), "ListenSequentialPacket");
    let place = PathBuf::from(place.replace("%t", &runtime.display().to_string()));
    let mode = u32::from_str_radix(&value(&unit(SOCKET), "DirectoryMode"), 8).expect("a mode");
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(mode).create(place.parent().expect("a folder")).expect("there is room");
    let programs = |command: &mut Command| {
        command.env("XDG_RUNTIME_DIR", &runtime).env_remove("STREAMLIB_BROKER");
    };
    let mut activate = Command::new("systemd-socket-activate");
    activate.arg("--seqpacket").arg("--listen").arg(&place).args(service_command());
    programs(activate.stdout(Stdio::null()).stderr(Stdio::null()));
    let _activated = Running(activate.spawn().expect("it starts"));
    wait_for(
        "the socket",
        Duration::from_secs(60),
        || if place.exists() { Ok(()) } else { Err("none".into()) },
    );
    if Path::new("/run/streamlib").is_dir() {
        return skip("this machine has a broker for all users");
    }
    let mut surfaces = streamlib(folder.path());
    programs(surfaces.args(["surfaces", "--json"]));
    assert_eq!(succeed(&mut surfaces).trim(), "[]");
    // Whoever would be the broker now finds that there is one, and leaves its socket alone.
    let mut second = streamlib(folder.path());
    programs(&mut second);
    fails_saying(second.arg("broker"), &["a broker listens there already"]);
    assert!(place.exists());
}
