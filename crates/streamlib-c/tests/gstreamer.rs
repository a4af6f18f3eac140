//! GStreamer's source of surfaces, built as its users build it, over what a program in C publishes. What a GPU publishes is read in
//! the device machine: streamlib-runtime's test `interop`.
#![cfg(target_os = "linux")]

mod support;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;

use support::{compile, folder, prefix, skip, succeed};

/// The plugin's folder; none where there is no GStreamer to build for or to run, which is said.
fn plugin() -> Option<&'static Path> {
    // Once, since tests run beside each other and one would load what another is writing.
    static PLUGIN: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let prefix = prefix()?;
    let plugin = PLUGIN.get_or_init(|| build(prefix)).as_ref();
    plugin.inspect_err(|why| skip(why)).ok().map(PathBuf::as_path)
}

/// Builds the plugin with what was installed in `prefix`; where that cannot be, why.
fn build(prefix: &Path) -> Result<PathBuf, String> {
    for (program, arguments) in [
        ("make", &["--version"][..]),
        ("pkg-config", &["gstreamer-base-1.0", "gstreamer-video-1.0", "gstreamer-allocators-1.0"]),
        ("gst-launch-1.0", &["--version"]),
    ] {
        let found = Command::new(program).args(arguments).output();
        if !found.is_ok_and(|output| output.status.success()) {
            let call = format!("{program} {}", arguments.join(" "));
            return Err(format!("GStreamer or its development files are missing ({call})"));
        }
    }
    let out = prefix.join("gstreamer-1.0");
    let mut make = Command::new("make");
    make.arg("-C").arg(folder().join("../../examples/gstreamer")).arg(format!("OUT={}", out.display()));
    succeed(make.env("PKG_CONFIG_PATH", prefix.join("lib/pkgconfig")).env("CFLAGS", "-O1 -g -Werror"));
    Ok(out)
}

fn gst_launch(plugin: &Path, here: &Path, pipeline: &str) -> Output {
    let mut command = Command::new("gst-launch-1.0");
    command.current_dir(here).env("STREAMLIB_BROKER", here.join("broker.sock"));
    command.env("GST_PLUGIN_PATH", plugin).env("GST_REGISTRY", here.join("registry"));
    command.args(pipeline.split_whitespace()).output().expect("it starts")
}

/// Ends a program with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

fn publish(here: &Path, frames: &str, name: &str) -> Option<Running> {
    let program = compile("../../examples/c/publish.c", name, false)?;
    let mut command = Command::new(program);
    command.args(["painted", frames, "100"]).env("STREAMLIB_BROKER", here.join("broker.sock"));
    Some(Running(command.stdout(Stdio::null()).spawn().expect("it starts")))
}

#[test]
fn frames_come_whole_and_each_is_let_go() {
    let Some(plugin) = plugin() else { return };
    let directory = tempfile::tempdir().expect("a folder");
    let here = directory.path();
    let Some(_publisher) = publish(here, "1000000", "publish-gstreamer") else { return };
    // Far more frames than the publisher has buffers, and a queue with room for more than a reader may hold.
    let line =
        "streamlibsrc surface=painted num-buffers=60 ! queue max-size-buffers=20 ! filesink location=texels";
    let Output { status, stderr, .. } = gst_launch(plugin, here, line);
    assert!(status.success(), "{status}: {}", String::from_utf8_lossy(&stderr));
    let texels = std::fs::read(here.join("texels")).expect("it was written");
    let frames: Vec<_> = texels.chunks(320 * 240 * 4).collect();
    assert_eq!(frames.len(), 60);
    for (number, frame) in frames.iter().enumerate() {
        let blue = frame[2];
        let is_right =
            |(index, texel): (usize, &[u8])| *texel == [(index % 320) as u8, (index / 320) as u8, blue, 255];
        assert!(frame.len() == 320 * 240 * 4 && frame.chunks(4).enumerate().all(is_right), "frame {number}");
        assert!(number == 0 || frames[number - 1][2] != blue, "frame {number} came twice");
    }
}

#[test]
fn a_pipeline_ends_with_its_publisher() {
    let Some(plugin) = plugin() else { return };
    let directory = tempfile::tempdir().expect("a folder");
    let Some(_publisher) = publish(directory.path(), "60", "publish-some") else { return };
    let line = "-v streamlibsrc surface=painted ! identity silent=false ! fakesink";
    let Output { status, stdout, stderr } = gst_launch(plugin, directory.path(), line);
    let said = String::from_utf8_lossy(&stdout);
    assert!(status.success(), "{status}: {said} {}", String::from_utf8_lossy(&stderr));
    let times = said.lines().filter(|line| line.contains("chain ")).map(|line| {
        let time = line.split_once("pts: ").expect("a time").1;
        time.split_once(',').expect("and more").0
    });
    let times: Vec<_> = times.collect();
    assert!(times.len() > 1 && times.is_sorted() && times[0] != times[times.len() - 1], "{times:?}");
    assert!(times.iter().all(|time| time.starts_with("0:0")), "{times:?}");
}

#[test]
fn what_cannot_be_read_is_said() {
    let Some(plugin) = plugin() else { return };
    let directory = tempfile::tempdir().expect("a folder");
    for (rest, part) in [
        ("", "Which surface?"),
        ("surface=none timeout=0", "no broker listens there"),
        ("surface=a+b timeout=-1", "no name of a surface"),
    ] {
        let output = gst_launch(plugin, directory.path(), &format!("streamlibsrc {rest} ! fakesink"));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(part), "{rest}: {}: {said}", output.status);
    }
}
