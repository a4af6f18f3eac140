//! From a camera's driver through two processes onto a screen, without a copy: in the device machine (`./x devices`).
#![cfg(target_os = "linux")]
#![allow(clippy::print_stdout, reason = "a test that fails says what its programs said")]

mod common;
#[path = "../../streamlib-linux/tests/support/screen.rs"]
mod screen;
#[path = "../../streamlib-linux/tests/support/turn.rs"]
mod turn;

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use common::{cannot_run, effect, files, skip, streamlib, text, wait_for};
use serde_json::Value;
use streamlib::share::{SurfaceInfo, list};
use streamlib_linux::{CameraInfo, ScreenInfo, list_cameras, list_screens};
use turn::Turn;

/// The machine is emulated, and its host may be busy: loading the compiler alone takes seconds.
const PATIENCE: Duration = Duration::from_secs(180);
/// Frames that need not be fast leave the processor to programs that are starting: one takes a third of a second of it.
const SLOWLY: [&str; 3] = ["--live", "--rate", "0.5"];

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
        let mut command = command(folder);
        command.args(arguments).args(SLOWLY).args(["--json", "-v"]).stdout(Stdio::piped());
        let child =
            command.stderr(File::create(&log).expect("the folder takes it")).spawn().expect("it starts");
        Self { child, what, log }
    }

    /// As Ctrl-C does; its report.
    fn stop(self) -> Value {
        self.stop_with(0)
    }

    /// The same of a command that ends with that status.
    fn stop_with(mut self, code: i32) -> Value {
        interrupt(&self.child);
        let mut report = Vec::new();
        self.child.stdout.take().expect("piped").read_to_end(&mut report).expect("readable");
        let (status, told) = (self.child.wait().expect("it ends"), self.told());
        let is_well = status.code() == Some(code) && !told.contains("VUID");
        assert!(is_well, "{}: {status}: {told}", self.what);
        serde_json::from_slice(&report).unwrap_or_else(|error| panic!("{}: {error}", self.what))
    }

    /// Waits until it has said that.
    fn says(&self, text: &str) {
        wait_for(text, PATIENCE, || if self.told().contains(text) { Ok(()) } else { Err(self.told()) });
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

/// The command, with a broker of the folder's own.
fn command(folder: &Path) -> Command {
    let mut command = streamlib(folder);
    command.env("STREAMLIB_BROKER", broker(folder));
    command
}

fn broker(folder: &Path) -> PathBuf {
    folder.join("broker.sock")
}

/// What is published there; nothing before there is a broker.
fn listed(folder: &Path) -> Vec<SurfaceInfo> {
    list(Some(&broker(folder))).unwrap_or_default()
}

/// The same as the command says it.
fn surfaces(folder: &Path) -> Vec<Value> {
    let output = command(folder).args(["surfaces", "--json"]).output().expect("it starts");
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("a list")
}

fn vivid() -> Option<(CameraInfo, Turn)> {
    let turn = turn::cameras();
    let found = list_cameras().into_iter().find(|camera| {
        let is_planar = camera.formats.iter().any(|format| format.fourcc == "NM12");
        camera.bus.starts_with("platform:vivid") && !is_planar
    });
    if found.is_none() {
        skip("no V4L2 camera of the vivid test driver");
    }
    found.map(|camera| (camera, turn))
}

/// A screen of that driver that somebody outside can look at under that name.
fn watched_screen(driver: &str, head: &str) -> Option<(ScreenInfo, Turn)> {
    let turn = turn::screen(driver);
    let found = list_screens().into_iter().find(|screen| screen.driver == driver && screen.is_connected);
    let found = found.filter(|_| screen::pixels(head, &[(0, 0)]).is_some());
    if found.is_none() {
        skip(&format!("no screen of the driver {driver} whose host can be asked what it shows"));
    }
    found.map(|screen| (screen, turn))
}

/// The sink for a screen, in its smallest common mode.
fn sink(screen: &ScreenInfo) -> String {
    format!("kms:{}?card={}&mode=640x480", screen.connector, screen.card.display())
}

#[test]
fn a_cameras_picture_goes_through_an_effect_to_other_processes_and_onto_a_screen_and_never_through_host_memory()
 {
    let Some((camera, _turn)) = vivid() else { return };
    if cannot_run() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    // The smallest picture that it has: a pixel takes the emulated processor a microsecond.
    let source = format!("camera:{}?size=320x180&fps=5", camera.path.display());
    let publisher = Running::start(
        "the publisher",
        folder.path(),
        &["play", &source, "--effect", &effect("invert"), "-o", "surface:bars"],
    );
    wait_for("a frame of the surface", PATIENCE, || {
        let listed = listed(folder.path());
        if listed.iter().any(|surface| surface.published > 0) { Ok(()) } else { Err(format!("{listed:?}")) }
    });
    let listed = surfaces(folder.path());
    assert!(listed[0]["name"] == "bars" && listed[0]["frames"].as_u64() > Some(0), "{listed:?}");
    let wanted = BARS.map(|bar| bar.map(|value| 255 - value));
    read(folder.path(), "surface:bars");
    compare(&last_picture(folder.path()), &wanted).expect("the bars in another process");
    let mut running = vec![publisher];
    let screen = watched_screen("virtio_gpu", "gpu0");
    running.extend(screen.iter().map(|(shown, _turn)| show(folder.path(), shown, "gpu0", &wanted)));
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
    let viewer = Running::start("the viewer", folder, &["play", "surface:bars", "-o", &sink(shown)]);
    let places: Vec<(i32, i32)> = (0..7).map(|bar| (640 * (2 * bar + 1) / 16, 400)).collect();
    wait_for("the camera's picture on the screen", PATIENCE, || {
        let found = screen::pixels(head, &places).expect("the host answers");
        let is_there = found.iter().zip(wanted).all(is_close);
        if is_there { Ok(()) } else { Err(format!("{found:?}, not {wanted:?}")) }
    });
    screen::keep("camera-to-screen", head);
    viewer
}

/// Four quarters, so that each stands where it belongs, in its own colour.
const PAINT: &str = "float4 main(float2 uv : TEXCOORD) : SV_Target {
    return float4(uv.x < 0.5 ? 0.8 : 0.2, uv.y < 0.5 ? 0.4 : 0.6, 1, 1); }";
const PAINTED: [[u8; 3]; 4] = [[204, 102, 255], [51, 102, 255], [204, 153, 255], [51, 153, 255]];

/// Waits until the four quarters stand on the screen.
fn shows_paint(head: &str) {
    let places = [(10, 10), (-10, 10), (10, -10), (-10, -10)];
    wait_for("the picture on the screen", PATIENCE, || {
        let found = screen::pixels(head, &places).expect("the host answers");
        let is_it = found.iter().zip(&PAINTED).all(|(found, wanted)| {
            found.iter().zip(wanted).all(|(found, wanted)| found.abs_diff(*wanted) <= 1)
        });
        if is_it { Ok(()) } else { Err(format!("{found:?}, not {PAINTED:?}")) }
    });
}

/// Shows the quarters on a screen of that driver; the command has to say how.
fn show_paint(driver: &str, head: &str, how: &str) {
    let Some((shown, _turn)) = watched_screen(driver, head) else { return };
    if cannot_run() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("paint.hlsl"), PAINT).expect("written");
    let arguments = ["play", "paint.hlsl", "--size", "640x480", "-o", &sink(&shown)];
    let painter = Running::start("the painter", folder.path(), &arguments);
    shows_paint(head);
    painter.says(how);
    let report = painter.stop();
    assert_eq!(report["failures"], Value::Array(vec![]), "{report}");
    assert_eq!(report["host_bytes"], 0, "{report}");
    let nodes = report["stats"]["nodes"].as_array().expect("nodes");
    let account = &nodes.iter().find(|node| node["name"] == "output").expect("the sink")["shown"];
    assert_eq!(account["by"], "page_flip", "{report}");
    assert!(account["frames"].as_u64() > Some(0) && account["latency"]["negative"] == 0, "{report}");
}

#[test]
fn frames_are_shown_where_they_were_computed_on_a_screen_that_takes_their_memory() {
    let how = "direct, frames are shown where they were computed (bgra8, modifier 0x0)";
    show_paint("cirrus", "cirrus0", how);
}

#[test]
fn frames_are_drawn_into_buffers_of_a_screen_that_takes_no_memory_of_others() {
    show_paint("virtio_gpu", "gpu0", "each frame is drawn into a buffer of the screen's: ");
}

/// Tells the kernel that the screen of a connector is unplugged; it is plugged in again when this ends.
struct Unplugged(PathBuf);

impl Unplugged {
    fn new(screen: &ScreenInfo) -> std::io::Result<Self> {
        let card = screen.card.file_name().expect("a node").to_string_lossy().into_owned();
        let status = format!("/sys/class/drm/{card}-{}/status", screen.connector);
        std::fs::write(&status, "off")?;
        Ok(Self(status.into()))
    }
}

impl Drop for Unplugged {
    fn drop(&mut self) {
        std::fs::write(&self.0, "detect").expect("plugged in again");
    }
}

#[test]
fn a_screen_that_is_unplugged_ends_its_sink_alone() {
    let Some((shown, _turn)) = watched_screen("cirrus", "cirrus0") else { return };
    if cannot_run() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("paint.hlsl"), PAINT).expect("written");
    let graph = format!(
        "[nodes.paint]\neffect = 'paint.hlsl'\nsize = [640, 480]\n\
         [nodes.screen]\nsink = '{}'\ninputs = {{ input = 'paint' }}\n\
         [nodes.others]\nsink = 'surface:others'\ninputs = {{ input = 'paint' }}\n",
        sink(&shown)
    );
    std::fs::write(folder.path().join("paint.toml"), graph).expect("written");
    let painter = Running::start("the painter", folder.path(), &["run", "paint.toml"]);
    shows_paint("cirrus0");
    let unplugged = match Unplugged::new(&shown) {
        Ok(unplugged) => unplugged,
        Err(why) => return skip(&format!("the screen cannot be unplugged: {why}")),
    };
    painter.says("sink `screen` died: no screen is connected to");
    drop(unplugged);
    let published = || listed(folder.path()).first().map(|surface| surface.published);
    let before = published();
    assert!(before > Some(0));
    wait_for("a frame without the screen", PATIENCE, || {
        let now = published();
        if now > before { Ok(()) } else { Err(format!("{before:?}, then {now:?}")) }
    });
    let report = painter.stop_with(2);
    let nodes = report["stats"]["nodes"].as_array().expect("nodes");
    let frames =
        |name: &str| nodes.iter().find(|node| node["name"] == name).expect("a node")["frames_out"].as_u64();
    assert!(frames("others") > frames("screen") && frames("screen") > Some(0), "{report}");
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
    let output = command(folder).args(arguments).output().expect("it starts");
    let told = text(&output.stderr);
    assert!(output.status.success() && !told.contains("VUID"), "{}: {told}", output.status);
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
    assert_eq!(report["failures"], Value::Array(vec![]), "{report}");
}

fn last_picture(folder: &Path) -> PathBuf {
    let mut pictures = files(folder).into_iter().filter(|name| name.ends_with(".png"));
    folder.join(pictures.next_back().expect("at least one picture"))
}
