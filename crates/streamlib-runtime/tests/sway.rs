//! Windows on a Wayland compositor that does to them what a user would (sway), looked at from outside by its screenshots.
#![cfg(target_os = "linux")]

mod common;
#[path = "support/windows.rs"]
mod windows;
#[path = "support/xvfb.rs"]
mod xvfb;

use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use common::{cannot_run, skip, streamlib, succeed, text};
use image::RgbImage;
use serde_json::Value;
use tempfile::TempDir;
use windows::{
    OTHER, PAINT, Running, account, as_it_is, ends, ends_without_two, find, other, outlives_its_window,
    reports, until,
};
use xvfb::Server;

/// Whom it runs as where the tests run as root, which it refuses.
const NOBODY: u32 = 65534;
/// Windows float, are all picture, and stand where [`Sway::resize`] puts them.
const SETTINGS: &str = "xwayland disable\noutput * resolution 640x320\ndefault_border none\ndefault_floating_border none\n\
                        for_window [title=\".*\"] floating enable, move position 40 40\n\
                        for_window [title=\"two\"] move position 360 40\n";

/// The compositor, which ends with the test.
struct Sway {
    process: Child,
    folder: TempDir,
    /// What its screen is a window of, if anything.
    _server: Option<Server>,
}

impl Sway {
    /// None, and a word about why, where there can be none. Its screen is a window on `server`, or nowhere.
    fn start(server: Option<Server>) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("settings"), SETTINGS).expect("written");
        let mut command = Command::new("sway");
        if folder.path().metadata().expect("it is there").uid() == 0 {
            chown(folder.path(), Some(NOBODY), Some(NOBODY)).expect("root may do that");
            command.uid(NOBODY).gid(NOBODY);
        }
        command.arg("--config").arg(folder.path().join("settings"));
        command.env("XDG_RUNTIME_DIR", folder.path()).env("SWAYSOCK", folder.path().join("commands"));
        command.env_remove("WAYLAND_DISPLAY").env_remove("DISPLAY");
        command.env("WLR_RENDERER", "pixman").env("WLR_LIBINPUT_NO_DEVICES", "1");
        match &server {
            Some(server) => command.env("WLR_BACKENDS", "x11").env("DISPLAY", &server.name),
            None => command.env("WLR_BACKENDS", "headless"),
        };
        let Ok(process) = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn() else {
            skip("sway is not installed");
            return None;
        };
        let mut sway = Self { process, folder, _server: server };
        let is_there = until("the compositor", || {
            if sway.folder.path().join("wayland-1").exists() && sway.command("nop").status.success() {
                return Ok(true);
            }
            match sway.process.try_wait().expect("it can be asked") {
                Some(_) => Ok(false),
                None => Err("it is not there".to_owned()),
            }
        });
        if !is_there {
            skip("sway does not start without a screen");
            return None;
        }
        if Command::new("grim").arg("-h").output().is_err() {
            skip("grim is not installed");
            return None;
        }
        Some(sway)
    }

    fn on_it(&self, mut command: Command) -> Command {
        command.env("XDG_RUNTIME_DIR", self.folder.path()).env("WAYLAND_DISPLAY", "wayland-1");
        command.env("SWAYSOCK", self.folder.path().join("commands"));
        command.env_remove("DISPLAY").env_remove("WAYLAND_SOCKET");
        command
    }

    /// The command of the project, whose windows are on this compositor.
    fn streamlib(&self, folder: &Path) -> Command {
        self.on_it(streamlib(folder))
    }

    /// Tells it something.
    fn command(&self, what: &str) -> Output {
        self.on_it(Command::new("swaymsg")).arg(what).output().expect("it starts")
    }

    /// Does something to the window of that title.
    fn act(&self, title: &str, what: &str) {
        let done = self.command(&format!("[title=\"{title}\"] {what}"));
        assert!(done.status.success(), "{what}: {}", text(&done.stdout));
    }

    /// The titles of all windows.
    fn titles(&self) -> Vec<String> {
        let tree = succeed(self.on_it(Command::new("swaymsg")).args(["-t", "get_tree", "--raw"]));
        let mut titles = Vec::new();
        let mut nodes = vec![serde_json::from_str::<Value>(&tree).expect("a tree")];
        while let Some(node) = nodes.pop() {
            for kind in ["nodes", "floating_nodes"] {
                nodes.extend(node[kind].as_array().into_iter().flatten().cloned());
            }
            if !node["pid"].is_null() {
                titles.extend(node["name"].as_str().map(ToOwned::to_owned));
            }
        }
        titles
    }

    /// What stands on the screen.
    fn shot(&self) -> RgbImage {
        let file: PathBuf = self.folder.path().join("shot.png");
        succeed(self.on_it(Command::new("grim")).args(["-l", "0"]).arg(&file));
        image::open(file).expect("a picture").to_rgb8()
    }

    /// Waits until a window of that size stands somewhere that shows the four quarters in the area that begins at `from` and ends before
    /// `to`, and nothing around.
    fn shows(&self, paint: impl Fn([u8; 3]) -> [u8; 3], size: [u16; 2], from: [u16; 2], to: [u16; 2]) {
        until("the picture", || find(&self.shot(), &paint, size, [from, to]));
    }

    /// Gives a window another size, as its user would, and waits until it [`shows`](Self::shows) that. A size that comes while the
    /// window still answers to the one before, the compositor forgets: it is told again, and where the window stands, which would
    /// grow on all sides.
    fn resize(
        &self,
        title: &str,
        paint: impl Fn([u8; 3]) -> [u8; 3],
        [width, height]: [u16; 2],
        [from, to]: [[u16; 2]; 2],
    ) {
        let left = if title == "two" { 360 } else { 40 };
        until("the picture at another size", || {
            self.act(title, &format!("resize set {width} {height}, move position {left} 40"));
            find(&self.shot(), &paint, [width, height], [from, to])
        });
    }
}

impl Drop for Sway {
    fn drop(&mut self) {
        let _gone = self.process.kill();
        let _gone = self.process.wait();
    }
}

/// A folder with the two pictures.
fn pictures() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("paint.hlsl"), PAINT).expect("written");
    std::fs::write(folder.path().join("other.hlsl"), OTHER).expect("written");
    folder
}

#[test]
fn a_window_on_wayland_shows_the_frames_at_any_size_and_the_command_ends_when_it_is_closed() {
    if cannot_run() {
        return;
    }
    let Some(sway) = Sway::start(None) else { return };
    let folder = pictures();
    let graph = "[nodes.paint]\neffect = 'paint.hlsl'\nsize = [80, 40]\n\
                 [nodes.other]\neffect = 'other.hlsl'\nsize = [80, 40]\n\
                 [nodes.one]\nsink = 'display:?title=one&width=120&height=120'\ninputs = { input = 'paint' }\n\
                 [nodes.two]\nsink = 'display:?title=two&scale=stretch&width=120&height=120'\n\
                 inputs = { input = 'other' }\n";
    std::fs::write(folder.path().join("two.toml"), graph).expect("written");
    let process = Running::start(sway.streamlib(folder.path()).args(["run", "two.toml"]));
    sway.shows(as_it_is, [120, 120], [0, 30], [120, 90]);
    sway.shows(other, [120, 120], [0, 0], [120, 120]);
    for (width, height, from, to) in
        [(240, 60, [60, 0], [180, 60]), (80, 200, [0, 80], [80, 120]), (200, 100, [0, 0], [200, 100])]
    {
        sway.resize("one", as_it_is, [width, height], [from, to]);
        sway.resize("two", other, [width, height], [[0, 0], [width, height]]);
    }
    // Sizes that follow each other fast, as when an edge is dragged.
    for step in 0..20 {
        sway.act("one", &format!("resize set {} {}", 80 + 8 * step, 80 + 6 * step));
    }
    sway.resize("one", as_it_is, [120, 60], [[0, 0], [120, 60]]);
    sway.act("one", "kill");
    sway.act("two", "kill");
    let said = ends(process);
    for name in ["one", "two"] {
        assert!(said.contains(&format!("the window of sink `{name}` was closed")), "{said}");
    }
}

#[test]
fn a_window_on_wayland_that_is_closed_ends_alone() {
    if cannot_run() {
        return;
    }
    let Some(sway) = Sway::start(None) else { return };
    let folder = pictures();
    let sink = |name: &str, from: &str, uri: &str| {
        format!("[nodes.{name}]\nsink = '{uri}'\ninputs = {{ input = '{from}' }}\n")
    };
    let graph = format!(
        "[nodes.paint]\neffect = 'paint.hlsl'\nsize = [64, 48]\n\
         [nodes.other]\neffect = 'other.hlsl'\nsize = [64, 48]\n{}{}{}",
        sink("one", "paint", "display:?title=one&scale=stretch&width=160&height=80"),
        sink("two", "other", "display:?title=two&scale=fill&width=96&height=96&vsync=off"),
        sink("file", "paint", "out.y4m"),
    );
    std::fs::write(folder.path().join("paint.toml"), graph).expect("written");
    let process = Running::start(sway.streamlib(folder.path()).args(["run", "paint.toml"]));
    sway.shows(as_it_is, [160, 80], [0, 0], [160, 80]);
    sway.shows(other, [96, 96], [0, 0], [96, 96]);
    sway.act("two", "kill");
    until("the end of the window", || {
        let titles = sway.titles();
        if titles == ["one"] { Ok(()) } else { Err(format!("there are {titles:?}")) }
    });
    sway.resize("one", as_it_is, [200, 80], [[0, 0], [200, 80]]);
    ends_without_two(process, folder.path());
}

#[test]
fn a_compositor_that_goes_away_before_it_has_told_of_the_frames_ends_its_windows_alone() {
    if cannot_run() {
        return;
    }
    let Some(sway) = Sway::start(None) else { return };
    let folder = pictures();
    let graph = "[nodes.paint]\neffect = 'paint.hlsl'\nsize = [64, 48]\n\
                 [nodes.window]\nsink = 'display:?width=80&height=60'\ninputs = { input = 'paint' }\n\
                 [nodes.file]\nsink = 'out.y4m'\ninputs = { input = 'paint' }\n";
    std::fs::write(folder.path().join("paint.toml"), graph).expect("written");
    let process = Running::start(sway.streamlib(folder.path()).args(["run", "paint.toml"]));
    sway.shows(as_it_is, [80, 60], [0, 0], [80, 60]);
    drop(sway);
    outlives_its_window(process);
    assert!(std::fs::metadata(folder.path().join("out.y4m")).expect("a whole file").len() > 1000);
}

#[test]
fn frames_of_which_a_compositor_tells_nothing_count_as_handed_over() {
    if cannot_run() {
        return;
    }
    let Some(sway) = Sway::start(None) else { return };
    let folder = pictures();
    let mut command = sway.streamlib(folder.path());
    let sink = "display:?width=120&height=120";
    // Fewer than are waited for before the compositor is asked no more.
    let play = ["play", "paint.hlsl", "--size", "80x40", "--output", sink, "--frames", "20"];
    let report = reports(Running::reporting(command.args(play)));
    let (node, shown) = (account(&report, "output"), &account(&report, "output")["shown"]);
    if shown["by"] == "presented" {
        skip("this sway tells of frames without a screen, too");
        return;
    }
    assert_eq!(shown["by"], "handed_over", "{report}");
    // Those that another one replaced it does tell of.
    let count = |value: &Value| value.as_u64().expect("a number");
    let displaced = node["dropped"]["displaced"].as_u64().unwrap_or(0);
    let never_seen = count(&shown["replaced"]) - displaced;
    assert!(count(&shown["frames"]) > 0, "{report}");
    assert_eq!(count(&shown["frames"]) + never_seen, count(&node["frames_out"]), "{report}");
}

#[test]
fn a_compositor_tells_when_it_has_shown_the_frames() {
    if cannot_run() {
        return;
    }
    // Where it has no screen at all, sway of before 2023 tells of no frame.
    let Some(server) = Server::start([800, 600]) else { return };
    let Some(sway) = Sway::start(Some(server)) else { return };
    let folder = pictures();
    let mut command = sway.streamlib(folder.path());
    let sink = "display:?title=Kitchen&fps=on&width=120&height=120";
    let process =
        Running::reporting(command.args(["play", "paint.hlsl", "--size", "80x40", "--output", sink]));
    sway.shows(as_it_is, [120, 120], [0, 30], [120, 90]);
    // The title counts the frames that were told of.
    let rate = |title: &String| title.strip_prefix("Kitchen, ")?.strip_suffix(" fps")?.parse::<u32>().ok();
    until("the rate", || {
        let titles = sway.titles();
        if titles.iter().filter_map(rate).any(|rate| rate > 0) { Ok(()) } else { Err(format!("{titles:?}")) }
    });
    process.interrupt();
    let report = reports(process);
    let (node, shown) = (account(&report, "output"), &account(&report, "output")["shown"]);
    assert_eq!(shown["by"], "presented", "{report}");
    let count = |value: &Value| value.as_u64().expect("a number");
    let latency = &shown["latency"];
    // None was seen before it was captured, and none more than once.
    assert_eq!(
        (count(&latency["negative"]), count(&latency["count"])),
        (0, count(&shown["frames"])),
        "{report}"
    );
    let told = count(&shown["frames"]) + count(&shown["replaced"]);
    assert!(count(&shown["frames"]) > 0 && told <= count(&node["frames_in"]), "{report}");
}
