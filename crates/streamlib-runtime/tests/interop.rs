//! Surfaces for other programs: GStreamer and programs in C, in memory that they can read without a GPU. Where the device hands out
//! no such memory there is nothing to test: in the device machine (`./x devices`) it does.
#![cfg(target_os = "linux")]

mod common;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use common::{cannot_run, effect, fails_saying, files, skip, streamlib, succeed, text, wait_for};
use serde_json::Value;

/// The machine is emulated: loading the compiler alone takes seconds.
const PATIENCE: Duration = Duration::from_secs(60);
/// Rows of this width end before the next one begins, wherever devices like them to begin.
const SIZE: (usize, usize) = (322, 181);

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
    if cannot_run() {
        return None;
    }
    let text = "float4 main(float2 uv : TEXCOORD) : SV_Target { return float4(uv, 0.25, 1); }";
    std::fs::write(folder.join("still.hlsl"), text).expect("the folder takes it");
    let (sink, size) = (format!("surface:still?memory={memory}"), format!("{}x{}", SIZE.0, SIZE.1));
    let mut play =
        command(folder, &["play", "still.hlsl", "--effect", &effect("invert"), "-o", &sink, "--size", &size]);
    let mut running = Running::start(folder.join("publisher"), play.arg("-v"));
    let mut is_refused = false;
    wait_for("a frame of the surface", PATIENCE, || {
        if let Some(status) = running.child.try_wait().expect("its state") {
            let said = running.told();
            is_refused = status.code() == Some(2) && said.contains("hands out no rgba8 images");
            assert!(is_refused, "{status}: {said}");
            return Ok(());
        }
        let listed: Vec<Value> =
            serde_json::from_str(&succeed(&mut command(folder, &["surfaces", "--json"]))).expect("a list");
        let is_there = listed.iter().any(|surface| surface["frames"].as_u64() > Some(0));
        if is_there { Ok(()) } else { Err(format!("{listed:?}, {}", running.told())) }
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
    if Command::new("gst-launch-1.0").arg("--version").output().is_err() {
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
fn gstreamer_reads_what_an_effect_made_pixel_for_pixel_and_lets_every_frame_go() {
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path();
    // More frames than there are buffers.
    let line = "streamlibsrc surface=still num-buffers=30 ! queue ! videoconvert ! video/x-raw,format=RGB ! filesink location=rgb";
    let Some(mut converted) = gst_launch(here, line) else { return };
    let Some(mut publisher) = publish(here, "dma-buf-linear") else { return };
    pipeline(&mut converted);
    let found = std::fs::read(here.join("rgb")).expect("it was written");
    let frames: Vec<_> = found.chunks(SIZE.0 * SIZE.1 * 3).collect();
    assert_eq!(frames.len(), 30);
    frames.iter().for_each(|frame| assert_still(frame, 3));

    // An element that knows nothing of distances between rows.
    let line = "streamlibsrc surface=still num-buffers=2 ! video/x-raw,format=RGBA ! filesink location=rgba";
    pipeline(&mut gst_launch(here, line).expect("as before"));
    let found = std::fs::read(here.join("rgba")).expect("it was written");
    assert_eq!(found.len(), 2 * SIZE.0 * SIZE.1 * 4);
    found.chunks(SIZE.0 * SIZE.1 * 4).for_each(|frame| assert_still(frame, 4));

    // One that imports.
    let line = "streamlibsrc surface=still num-buffers=2 ! video/x-raw(memory:DMABuf),format=DMA_DRM,drm-format=AB24 ! fakesink";
    pipeline(&mut gst_launch(here, line).expect("as before"));
    assert!(publisher.stop().success());
}

#[test]
fn gstreamer_has_the_time_of_each_frame_and_ends_with_its_publisher() {
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path();
    let line = "-v streamlibsrc surface=still ! identity name=seen silent=false ! fakesink";
    let Some(mut watched) = gst_launch(here, line) else { return };
    let Some(mut publisher) = publish(here, "dma-buf-linear") else { return };
    let log = here.join("seen");
    watched.stdout(File::create(&log).expect("the folder takes it")).stderr(Stdio::null());
    let mut watcher = watched.spawn().expect("it starts");
    let times = || {
        let said = std::fs::read_to_string(&log).unwrap_or_default();
        let times = said.lines().filter(|line| line.contains("chain") && line.contains("pts: "));
        times
            .map(|line| line.split_once("pts: ").expect("as filtered").1[..17].to_owned())
            .collect::<Vec<_>>()
    };
    wait_for("frames with times", PATIENCE, || {
        let found = times();
        if found.len() > 10 { Ok(()) } else { Err(format!("{found:?}")) }
    });
    assert!(publisher.stop().success());
    let status = watcher.wait().expect("it ends");
    assert!(status.success(), "{status}: {}", std::fs::read_to_string(&log).unwrap_or_default());
    let times = times();
    assert!(times.iter().all(|time| time.starts_with("0:0")), "{times:?}");
    assert!(times.is_sorted(), "{times:?}");
    assert_ne!(times.first(), times.last());
}

#[test]
fn gstreamer_says_why_it_cannot_read_a_surface() {
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path();
    let line = |rest: &str| format!("streamlibsrc timeout=100 {rest} ! videoconvert ! fakesink");
    let Some(mut nameless) = gst_launch(here, &line("")) else { return };
    let says = |command: &mut Command, part: &str| {
        let output = command.output().expect("it starts");
        let said = text(&output.stderr);
        assert!(!output.status.success() && said.contains(part), "{}: {said}", output.status);
    };
    says(&mut nameless, "Which surface?");
    says(&mut gst_launch(here, &line("surface=nothing")).expect("as before"), "no broker listens there");
    // In memory that only the same driver can open.
    let Some(publisher) = publish(here, "device") else { return };
    says(&mut gst_launch(here, &line("surface=nothing")).expect("as before"), "there are still");
    says(&mut gst_launch(here, &line("surface=still")).expect("as before"), "?memory=dma-buf-linear");
    drop(publisher);
}

#[test]
fn a_program_in_c_reads_what_an_effect_made() {
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
    assert!(publisher.stop().success());
}

#[test]
fn an_effect_runs_over_what_a_program_in_c_publishes() {
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path();
    let Some(program) = built("bin/publish") else { return };
    if cannot_run() {
        return;
    }
    let mut publish = Command::new(program);
    publish.args(["painted", "1000000", "10"]).env("STREAMLIB_BROKER", here.join("broker.sock"));
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
