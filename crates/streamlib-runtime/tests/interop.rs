//! Surfaces for other programs: GStreamer and programs in C, in memory that they can read without a GPU. Where the device hands out
//! no such memory there is nothing to test: in the device machine (`./x devices`) it does.
#![cfg(target_os = "linux")]

mod common;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use common::{cannot_run, effect, fails_saying, files, skip, streamlib, succeed, text, wait_for};
use streamlib::share::list;

/// The machine is emulated: loading the compiler alone takes seconds.
const PATIENCE: Duration = Duration::from_secs(60);
/// Rows of this width end before the next one begins, wherever devices like them to begin; but GStreamer leaves nothing between them.
const SIZE: (usize, usize) = (164, 91);

/// One of these tests at a time, where effects can run at all: an emulated machine has enough to do with one.
fn turn() -> Option<MutexGuard<'static, ()>> {
    static TURN: Mutex<()> = Mutex::new(());
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    (!cannot_run()).then_some(turn)
}

/// The command, with a broker of the folder's own.
fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = streamlib(folder);
    command.env("STREAMLIB_BROKER", folder.join("broker.sock")).args(arguments);
    command
}

/// What `./x devices` has built of the library for C: see scripts/c.sh.
fn built(what: &str) -> Option<PathBuf> {
    let programs = Path::new(env!("CARGO_BIN_EXE_streamlib")).parent().expect("it lies in a folder");
    let path = programs.join("c").join(what);
    if !path.exists() {
        skip(&format!(
            "{what} is not built: run `./x devices` (or the development files of GStreamer are missing)"
        ));
    }
    path.exists().then_some(path)
}

/// A program that runs until it is told to stop.
struct Running {
    child: Child,
    log: PathBuf,
}

impl Running {
    fn start(log: PathBuf, command: &mut Command) -> Self {
        let file = File::create(&log).expect("the folder takes it");
        let child = command.stdout(Stdio::null()).stderr(file).spawn().expect("it starts");
        Self { child, log }
    }

    fn told(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// As Ctrl-C does.
    fn stop(&mut self) -> ExitStatus {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().expect("there is a kill").success());
        let status = self.child.wait().expect("it ends");
        assert!(!self.told().contains("VUID"), "{}", self.told());
        status
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// Publishes a picture that an effect has changed, in the memory `memory`; none, which is said, where the device hands out none.
fn publish(folder: &Path, memory: &str) -> Option<Running> {
    let text = "float4 main(float2 uv : TEXCOORD) : SV_Target { return float4(uv, 0.25, 1); }";
    std::fs::write(folder.join("still.hlsl"), text).expect("the folder takes it");
    let (sink, size) = (format!("surface:still?memory={memory}"), format!("{}x{}", SIZE.0, SIZE.1));
    let mut play =
        command(folder, &["play", "still.hlsl", "--effect", &effect("invert"), "-o", &sink, "--size", &size]);
    let mut running = Running::start(folder.join("publisher"), play.args(["--fps", "10"]));
    let mut is_refused = false;
    wait_for("a frame of the surface", PATIENCE, || {
        if let Some(status) = running.child.try_wait().expect("its state") {
            let said = running.told();
            is_refused = status.code() == Some(2) && said.contains("hands out no rgba8 images");
            assert!(is_refused, "{status}: {said}");
            return Ok(());
        }
        let listed = list(Some(&folder.join("broker.sock"))).unwrap_or_default();
        if listed.iter().any(|surface| surface.published > 0) { Ok(()) } else { Err(running.told()) }
    });
    if is_refused {
        skip(&format!("the device does not share textures as {memory}: {}", running.told().trim()));
    }
    (!is_refused).then_some(running)
}

/// Whether texels of `bytes` bytes are those of the published picture.
fn assert_still(texels: &[u8], bytes: usize) {
    assert_eq!(texels.len(), SIZE.0 * SIZE.1 * bytes);
    for (index, found) in texels.chunks(bytes).enumerate() {
        let (x, y) = ((index % SIZE.0) as f64 + 0.5, (index / SIZE.0) as f64 + 0.5);
        let wanted = [1.0 - x / SIZE.0 as f64, 1.0 - y / SIZE.1 as f64, 0.75];
        for (found, wanted) in found.iter().zip(wanted) {
            assert!(
                (f64::from(*found) - wanted * 255.0).abs() <= 1.0,
                "at {x}, {y}: {found}, {}",
                wanted * 255.0
            );
        }
        assert!(bytes == 3 || found[3] == 255, "at {x}, {y}: alpha {}", found[3]);
    }
}

/// `gst-launch-1.0` with our plugin, if it is there.
fn gst_launch(folder: &Path, pipeline: &str) -> Option<Command> {
    let plugin = built("lib/gstreamer-1.0/libgststreamlib.so")?;
    // It reads all of its plugins before it says anything.
    static IS_THERE: OnceLock<bool> = OnceLock::new();
    let is_there = || Command::new("gst-launch-1.0").arg("--version").output().is_ok();
    if !IS_THERE.get_or_init(is_there) {
        skip("gst-launch-1.0 is not installed");
        return None;
    }
    let mut command = Command::new("gst-launch-1.0");
    command.current_dir(folder).env("STREAMLIB_BROKER", folder.join("broker.sock"));
    command.env("GST_PLUGIN_PATH", plugin.parent().expect("it lies in a folder"));
    command.env("GST_REGISTRY", folder.join("registry")).args(pipeline.split_whitespace());
    Some(command)
}

/// Runs a pipeline to its end, and gives what it said.
fn pipeline(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().expect("it starts");
    let said = format!("{}\n{}", text(&stdout), text(&stderr));
    assert!(status.success() && !said.contains("CRITICAL") && !said.contains("WARNING"), "{status}: {said}");
    said
}

#[test]
fn what_an_effect_made_is_read_pixel_for_pixel_by_a_program_in_c_and_by_gstreamer() {
    let Some(_turn) = turn() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path();
    let Some(read) = built("bin/read") else { return };
    let Some(mut publisher) = publish(here, "dma-buf-linear") else { return };

    let mut reader = Command::new(read);
    reader.current_dir(here).env("STREAMLIB_BROKER", here.join("broker.sock"));
    succeed(reader.args(["still", "12", "still.ppm"]));
    let picture = std::fs::read(here.join("still.ppm")).expect("it was written");
    let header = format!("P6\n{} {}\n255\n", SIZE.0, SIZE.1);
    assert_still(picture.strip_prefix(header.as_bytes()).expect("a picture of that size"), 3);

    let Some(mut none) = gst_launch(here, "fakesrc num-buffers=0 ! videoconvert ! fakesink") else { return };
    if !none.output().expect("it starts").status.success() {
        return skip("GStreamer has no videoconvert here");
    }
    let frames = |line: &str, bytes: usize| {
        pipeline(&mut gst_launch(here, line).expect("as before"));
        let found = std::fs::read(here.join("texels")).expect("it was written");
        let frames = found.chunks(SIZE.0 * SIZE.1 * bytes);
        frames.map(|frame| assert_still(frame, bytes)).count()
    };
    // More frames than there are buffers.
    let line = "streamlibsrc surface=still num-buffers=30 ! queue ! videoconvert ! video/x-raw,format=RGB ! filesink location=texels";
    assert_eq!(frames(line, 3), 30);
    // An element that knows nothing of distances between rows.
    assert_eq!(frames("streamlibsrc surface=still num-buffers=2 ! filesink location=texels", 4), 2);
    // One that imports.
    let line = "streamlibsrc surface=still num-buffers=2 ! video/x-raw(memory:DMABuf),format=DMA_DRM,drm-format=AB24 ! fakesink";
    pipeline(&mut gst_launch(here, line).expect("as before"));

    let times = times_until_the_publisher_ends(here, &mut publisher);
    assert!(times.iter().all(|time| time.starts_with("0:0")), "{times:?}");
    assert!(times.is_sorted() && times.first() != times.last(), "{times:?}");
}

/// Times of the frames that a pipeline has had when it ends, as it does with its publisher.
fn times_until_the_publisher_ends(here: &Path, publisher: &mut Running) -> Vec<String> {
    let log = here.join("seen");
    let mut watch = gst_launch(here, "-v streamlibsrc surface=still ! identity silent=false ! fakesink")
        .expect("as before");
    watch.stdout(File::create(&log).expect("the folder takes it")).stderr(Stdio::null());
    let mut watch = watch.spawn().expect("it starts");
    let said = || std::fs::read_to_string(&log).unwrap_or_default();
    let times = || -> Vec<String> {
        let said = said();
        // A line may still be half written.
        let time = |line: &str| {
            Some(line.split_once("chain ")?.1.split_once("pts: ")?.1.split_once(',')?.0.to_owned())
        };
        said.lines().filter_map(time).collect()
    };
    wait_for("frames with times", PATIENCE, || {
        let found = times();
        if found.len() > 4 { Ok(()) } else { Err(said()) }
    });
    assert!(publisher.stop().success(), "{}", publisher.told());
    let status = watch.wait().expect("it ends");
    assert!(status.success(), "{status}: {}", said());
    times()
}

#[test]
fn gstreamer_says_why_it_cannot_read_a_surface_of_the_gpus_own() {
    let Some(_turn) = turn() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path();
    let line = |name: &str| format!("streamlibsrc timeout=100 surface={name} ! fakesink");
    let Some(mut other) = gst_launch(here, &line("other")) else { return };
    // In memory that only the same driver can open.
    let Some(_publisher) = publish(here, "device") else { return };
    let says = |command: &mut Command, part: &str| {
        let output = command.output().expect("it starts");
        let said = text(&output.stderr);
        assert!(!output.status.success() && said.contains(part), "{}: {said}", output.status);
    };
    says(&mut other, "there are still");
    says(&mut gst_launch(here, &line("still")).expect("as before"), "?memory=dma-buf-linear");
}

#[test]
fn an_effect_runs_over_what_a_program_in_c_publishes() {
    let Some(_turn) = turn() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path();
    let Some(program) = built("bin/publish") else { return };
    let mut publish = Command::new(program);
    publish.args(["painted", "1000000", "5"]).env("STREAMLIB_BROKER", here.join("broker.sock"));
    let _publisher = Running::start(here.join("publisher"), &mut publish);
    let invert = effect("invert");
    let mut play = command(here, &["play", "surface:painted?wait=60", "--effect", &invert, "-o", "%04d.png"]);
    play.args(["--frames", "4", "--json"]);
    if !Path::new("/dev/udmabuf").exists() {
        fails_saying(&mut play, &["buffers in host memory"]);
        return skip("no /dev/udmabuf: a program without a GPU has no DMA-BUFs to publish");
    }
    succeed(&mut play);
    let pictures: Vec<_> = files(here).into_iter().filter(|name| name.ends_with(".png")).collect();
    assert!(!pictures.is_empty());
    for name in pictures {
        let picture = image::open(here.join(&name)).expect("a picture").to_rgb8();
        assert_eq!(picture.dimensions(), (320, 240));
        let blue = picture.get_pixel(0, 0).0[2];
        for (x, y, pixel) in picture.enumerate_pixels() {
            assert_eq!(pixel.0, [255 - x as u8, 255 - y as u8, blue], "{name} at {x}, {y}");
        }
    }
}
