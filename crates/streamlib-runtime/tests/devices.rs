//! From a camera's driver through two processes onto a screen, without a copy: in the device machine (`./x devices`).
#![cfg(target_os = "linux")]
#![allow(clippy::print_stdout, reason = "a test that fails says what its programs said")]

mod common;
#[path = "../../streamlib-linux/tests/support/screen.rs"]
mod screen;

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use common::{cannot_run, effect, files, skip, streamlib, text, wait_for};
use serde_json::Value;
use streamlib_linux::{CameraInfo, ScreenInfo, list_cameras, list_screens};

/// The machine is emulated: loading the compiler alone takes seconds.
const PATIENCE: Duration = Duration::from_secs(120);

/// The bars of the vivid driver's picture, from left to right, as sRGB at 75 %: white, yellow, cyan, green, magenta, red, blue.
const BARS: [[u8; 3]; 7] =
    [[191, 191, 191], [191, 191, 0], [0, 191, 191], [0, 191, 0], [191, 0, 191], [191, 0, 0], [0, 0, 191]];

/// A command that runs until it is told to stop.
struct Running {
    child: Child,
    what: &'static str,
    log: PathBuf,
}

impl Running {
    fn start(what: &'static str, folder: &Path, arguments: &[&str]) -> Self {
        let log = folder.join(what);
        let mut command = streamlib(folder);
        command.args(arguments).args(["--json", "-v"]).stdout(Stdio::piped());
        let child =
            command.stderr(File::create(&log).expect("the folder takes it")).spawn().expect("it starts");
        Self { child, what, log }
    }

    /// As Ctrl-C does; its report.
    fn stop(mut self) -> Value {
        interrupt(&self.child);
        let mut report = Vec::new();
        self.child.stdout.take().expect("piped").read_to_end(&mut report).expect("readable");
        let (status, told) = (self.child.wait().expect("it ends"), self.told());
        assert!(status.success() && !told.contains("VUID"), "{}: {status}: {told}", self.what);
        serde_json::from_slice(&report).unwrap_or_else(|error| panic!("{}: {error}", self.what))
    }
}

impl Running {
    fn told(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("{} said: {}", self.what, self.told());
        }
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

fn interrupt(child: &Child) {
    let sent =
        Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("there is a kill");
    assert!(sent.success(), "it still runs");
}

fn surfaces(folder: &Path) -> Vec<Value> {
    let output = streamlib(folder).args(["surfaces", "--json"]).output().expect("it starts");
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("a list")
}

/// A camera has one reader at a time, and so do these tests.
fn vivid() -> Option<(CameraInfo, MutexGuard<'static, ()>)> {
    static ONE_READER: Mutex<()> = Mutex::new(());
    let guard = ONE_READER.lock().unwrap_or_else(PoisonError::into_inner);
    let found = list_cameras().into_iter().find(|camera| {
        let is_planar = camera.formats.iter().any(|format| format.fourcc == "NM12");
        camera.bus.starts_with("platform:vivid") && !is_planar
    });
    if found.is_none() {
        skip("no V4L2 camera of the vivid test driver");
    }
    found.map(|camera| (camera, guard))
}

/// A screen that somebody outside can look at, and what it is called there.
fn watched_screen() -> Option<(ScreenInfo, &'static str)> {
    let screens = list_screens();
    let of =
        |driver: &str| screens.iter().find(|screen| screen.driver == driver && screen.is_connected).cloned();
    let found = of("virtio_gpu").map(|screen| (screen, "gpu0"));
    let found = found.filter(|(_, head)| screen::pixels(head, &[(0, 0)]).is_some());
    if found.is_none() {
        skip("no screen of the driver virtio_gpu whose host can be asked what it shows");
    }
    found
}

#[test]
fn a_cameras_picture_goes_through_an_effect_to_other_processes_and_onto_a_screen_and_never_through_host_memory()
 {
    let Some((camera, _guard)) = vivid() else { return };
    if cannot_run() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let source = format!("camera:{}", camera.path.display());
    let publisher = Running::start(
        "the publisher",
        folder.path(),
        &["play", &source, "--effect", &effect("invert"), "-o", "surface:bars"],
    );
    wait_for("a frame of the surface", PATIENCE, || {
        let listed = surfaces(folder.path());
        let is_there = listed.iter().any(|s| s["name"] == "bars" && s["frames"].as_u64() > Some(0));
        if is_there { Ok(()) } else { Err(format!("{listed:?}")) }
    });
    let wanted = BARS.map(|bar| bar.map(|value| 255 - value));
    read(folder.path(), "surface:bars");
    compare(&last_picture(folder.path()), &wanted).expect("the bars in another process");
    let mut running = vec![publisher];
    running.extend(watched_screen().map(|(shown, head)| show(folder.path(), &shown, head, &wanted)));
    while let Some(last) = running.pop() {
        let report = last.stop();
        assert_eq!(report["failures"], Value::Array(vec![]), "{report}");
        assert!(report["stats"]["frames"].as_u64() > Some(0), "{report}");
        assert_eq!(report["host_bytes"], 0, "{report}");
    }
    assert!(surfaces(folder.path()).is_empty(), "a surface goes with its publisher");
}

/// Shows the surface on a screen, and waits until it stands there.
fn show(folder: &Path, shown: &ScreenInfo, head: &str, wanted: &[[u8; 3]; 7]) -> Running {
    // The camera's 640x360 stand there as they are, between two bars: the emulated processor filters wrongly.
    let sink = format!("kms:{}?card={}&mode=640x480", shown.connector, shown.card.display());
    let viewer = Running::start("the viewer", folder, &["play", "surface:bars", "-o", &sink]);
    let places: Vec<(i32, i32)> = (0..7).map(|bar| (640 * (2 * bar + 1) / 16, 400)).collect();
    wait_for("the camera's picture on the screen", PATIENCE, || {
        let found = screen::pixels(head, &places).expect("the host answers");
        let is_there = found.iter().zip(wanted).all(is_close);
        if is_there { Ok(()) } else { Err(format!("{found:?}, not {wanted:?}")) }
    });
    screen::keep("camera-to-screen", head);
    viewer
}

/// Where the picture differs from the bars, if it does.
fn compare(path: &Path, wanted: &[[u8; 3]; 7]) -> Result<(), String> {
    let picture = image::open(path).map_err(|error| error.to_string())?.to_rgb8();
    let (width, height) = picture.dimensions();
    let found: [[u8; 3]; 7] =
        std::array::from_fn(|bar| picture.get_pixel(width * (2 * bar as u32 + 1) / 16, height - 20).0);
    if found.iter().zip(wanted).all(is_close) { Ok(()) } else { Err(format!("{found:?}, not {wanted:?}")) }
}

fn is_close((found, wanted): (&[u8; 3], &[u8; 3])) -> bool {
    found.iter().zip(wanted).all(|(found, wanted)| found.abs_diff(*wanted) <= 6)
}

/// Writes some pictures of a source.
fn read(folder: &Path, source: &str) {
    let arguments = ["play", source, "-o", "%04d.png", "--frames", "3", "--json"];
    let output = streamlib(folder).args(arguments).output().expect("it starts");
    let told = text(&output.stderr);
    assert!(output.status.success() && !told.contains("VUID"), "{}: {told}", output.status);
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
    assert_eq!(report["failures"], Value::Array(vec![]), "{report}");
}

fn last_picture(folder: &Path) -> PathBuf {
    let mut pictures = files(folder).into_iter().filter(|name| name.ends_with(".png"));
    folder.join(pictures.next_back().expect("at least one picture"))
}
