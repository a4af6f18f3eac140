//! Windows on Wayland: a compositor of the test's own (Weston without a screen), looked at from outside by its screenshots.
#![cfg(target_os = "linux")]

mod common;
#[path = "support/windows.rs"]
mod windows;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use common::{cannot_run, files, skip, streamlib, succeed, text};
use image::RgbImage;
use tempfile::TempDir;
use windows::{
    OTHER, PAINT, Running, account, as_it_is, ends, find, other, outlives_its_window, reports, until,
};

/// Of the desktop: no colour of the pictures and none of the bars.
const DESKTOP: [u8; 3] = [0x20, 0x60, 0x20];
/// Large enough for its windows to stand side by side.
const SCREEN: [u16; 2] = [1600, 1200];

/// A compositor without a screen, which ends with the test.
struct Compositor {
    process: Child,
    folder: TempDir,
}

impl Compositor {
    /// None, and a word about why, where there can be none.
    fn start(size: [u16; 2]) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = "[core]\nidle-time=0\n[shell]\npanel-position=none\nbackground-color=0xff206020\nlocking=false\n\
                        animation=none\nstartup-animation=none\nclose-animation=none\n";
        let settings_file = folder.path().join("weston.ini");
        std::fs::write(&settings_file, settings).expect("written");
        let mut command = Command::new("weston");
        command.args(["--backend=headless-backend.so", "--use-pixman", "--socket=test", "--debug"]);
        command.arg(format!("--config={}", settings_file.display()));
        command.arg(format!("--width={}", size[0])).arg(format!("--height={}", size[1]));
        command.env("XDG_RUNTIME_DIR", folder.path()).env_remove("WAYLAND_DISPLAY").env_remove("DISPLAY");
        let Ok(process) = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn() else {
            skip("weston is not installed");
            return None;
        };
        let mut compositor = Self { process, folder };
        let is_there = until("the compositor", || {
            if compositor.folder.path().join("test").exists() {
                return Ok(true);
            }
            match compositor.process.try_wait().expect("it can be asked") {
                Some(_) => Ok(false),
                None => Err("it is not there".to_owned()),
            }
        });
        if !is_there {
            skip("weston does not start without a screen");
            return None;
        }
        // Its shell draws the desktop some time later, and windows before that would be hidden.
        until("the desktop", || {
            let shot = compositor.shot();
            if shot.pixels().all(|pixel| pixel.0 == DESKTOP) {
                Ok(())
            } else {
                Err("it is not drawn".to_owned())
            }
        });
        Some(compositor)
    }

    fn on_it(&self, mut command: Command) -> Command {
        command.env("XDG_RUNTIME_DIR", self.folder.path()).env("WAYLAND_DISPLAY", "test");
        command.env_remove("DISPLAY").env_remove("WAYLAND_SOCKET");
        command
    }

    /// The command, whose windows are on this compositor.
    fn streamlib(&self, folder: &Path) -> Command {
        self.on_it(streamlib(folder))
    }

    /// What stands on the screen.
    fn shot(&self) -> RgbImage {
        let shots = tempfile::tempdir().expect("a folder");
        succeed(self.on_it(Command::new("weston-screenshooter")).current_dir(shots.path()));
        let file: PathBuf = files(shots.path()).into_iter().next().expect("a picture").into();
        image::open(shots.path().join(file)).expect("a picture").to_rgb8()
    }

    /// Waits until a window of that size stands somewhere that shows the four quarters in the area that begins at `from` and ends before
    /// `to`, and nothing around.
    fn shows(&self, paint: impl Fn([u8; 3]) -> [u8; 3], size: [u16; 2], from: [u16; 2], to: [u16; 2]) {
        until("the picture", || find(&self.shot(), &paint, size, [from, to]));
    }
}

impl Drop for Compositor {
    fn drop(&mut self) {
        let _gone = self.process.kill();
        let _gone = self.process.wait();
    }
}

#[test]
fn windows_on_wayland_show_the_frames_side_by_side_each_in_its_way() {
    if cannot_run() {
        return;
    }
    let Some(compositor) = Compositor::start(SCREEN) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("paint.hlsl"), PAINT).expect("written");
    std::fs::write(folder.path().join("other.hlsl"), OTHER).expect("written");
    let node = |name: &str, from: &str, uri: &str| {
        format!("[nodes.{name}]\nsink = '{uri}'\ninputs = {{ input = '{from}' }}\n")
    };
    let graph = format!(
        "[nodes.paint]\neffect = 'paint.hlsl'\nsize = [80, 40]\n[nodes.other]\neffect = 'other.hlsl'\nsize = [64, 48]\n{}{}",
        node("one", "paint", "display:?title=one&width=160&height=160"),
        node("two", "other", "display:?title=two&scale=stretch&width=200&height=100&vsync=off"),
    );
    std::fs::write(folder.path().join("paint.toml"), graph).expect("written");
    let process = Running::reporting(compositor.streamlib(folder.path()).args(["run", "paint.toml"]));
    compositor.shows(as_it_is, [160, 160], [0, 40], [160, 120]);
    compositor.shows(other, [200, 100], [0, 0], [200, 100]);
    process.interrupt();
    let report = reports(process);
    for name in ["one", "two"] {
        let (node, shown) = (account(&report, name), &account(&report, name)["shown"]);
        assert_eq!(shown["latency"]["negative"], 0, "{report}");
        // Weston without a screen has a clock of its own, in some versions: what it has taken counts.
        match shown["by"].as_str() {
            Some("handed_over") => assert_eq!(shown["frames"], node["frames_out"], "{report}"),
            by => assert_eq!(by, Some("presented"), "{report}"),
        }
    }
}

#[test]
fn a_window_on_wayland_of_its_own_choice_is_no_larger_than_the_screen() {
    if cannot_run() {
        return;
    }
    let Some(compositor) = Compositor::start([640, 480]) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("paint.hlsl"), PAINT).expect("written");
    let mut command = compositor.streamlib(folder.path());
    let process = Running::start(command.args(["play", "paint.hlsl", "--size", "800x400", "-o", "display:"]));
    // Four fifths of the screen, in the frames' proportions.
    compositor.shows(as_it_is, [512, 256], [0, 0], [512, 256]);
    process.interrupt();
    ends(process);
}

#[test]
fn a_compositor_that_goes_away_ends_its_windows_alone() {
    if cannot_run() {
        return;
    }
    let Some(compositor) = Compositor::start([640, 480]) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("paint.hlsl"), PAINT).expect("written");
    let graph = "[nodes.paint]\neffect = 'paint.hlsl'\nsize = [64, 48]\n\
                 [nodes.window]\nsink = 'display:?width=80&height=60'\ninputs = { input = 'paint' }\n\
                 [nodes.file]\nsink = 'out.y4m'\ninputs = { input = 'paint' }\n";
    std::fs::write(folder.path().join("paint.toml"), graph).expect("written");
    let process = Running::start(compositor.streamlib(folder.path()).args(["run", "paint.toml"]));
    compositor.shows(as_it_is, [80, 60], [0, 0], [80, 60]);
    drop(compositor);
    outlives_its_window(process);
    let film = std::fs::read(folder.path().join("out.y4m")).expect("a whole file");
    assert!(text(&film[..60]).starts_with("YUV4MPEG2 W64 H48"), "{}", text(&film[..60]));
}
