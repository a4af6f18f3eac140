//! Surfaces between real processes of this machine.
#![cfg(target_os = "linux")]

mod common;

use std::io::Read as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use common::{cannot_run, effect, fails_saying, files, streamlib, succeed, text, wait_for};
use serde_json::Value;

/// A loaded machine compiles effects slowly.
const PATIENCE: Duration = Duration::from_secs(60);

/// The command, with a broker of the folder's own.
fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = streamlib(folder);
    command.env("STREAMLIB_BROKER", folder.join("broker.sock")).args(arguments);
    command
}

/// A command that runs until it is told to stop.
struct Running(Child);

impl Running {
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut command = command(folder, arguments);
        Self(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts"))
    }

    /// As Ctrl-C does; its report.
    fn stop(mut self) -> Value {
        let pid = self.0.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().expect("there is a kill").success());
        let (mut report, mut told) = (Vec::new(), Vec::new());
        self.0.stdout.take().expect("piped").read_to_end(&mut report).expect("readable");
        self.0.stderr.take().expect("piped").read_to_end(&mut told).expect("readable");
        let status = self.0.wait().expect("it ends");
        assert!(status.success(), "{status}: {}", text(&told));
        serde_json::from_slice(&report).expect("a report")
    }

    fn kill(mut self) {
        self.0.kill().expect("it runs");
        self.0.wait().expect("it ends");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

fn surfaces(folder: &Path) -> Vec<Value> {
    serde_json::from_str(&succeed(&mut command(folder, &["surfaces", "--json"]))).expect("a list")
}

fn wait_for_frames(folder: &Path, name: &str, more_than: u64) {
    wait_for(name, PATIENCE, || {
        let listed = surfaces(folder);
        let is_there = listed.iter().any(|s| s["name"] == name && s["frames"].as_u64() > Some(more_than));
        if is_there { Ok(()) } else { Err(format!("{listed:?}")) }
    });
}

/// A picture in which nothing moves and no two pixels are the same.
fn write_still(folder: &Path) {
    let text = "float4 main(float2 uv : TEXCOORD) : SV_Target { return float4(uv, 0.25, 1); }";
    std::fs::write(folder.join("still.hlsl"), text).expect("the folder takes it");
}

fn picture(path: &Path) -> image::RgbaImage {
    image::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).to_rgba8()
}

#[test]
fn another_process_gets_the_picture_that_an_effect_made_without_a_pixel_in_the_publishers_host_memory() {
    if cannot_run() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path();
    write_still(here);
    let size = ["--size", "320x180"];
    let publish = ["play", "still.hlsl", "--effect", &effect("invert"), "-o", "surface:bars", "--json"];
    let publisher = Running::start(here, &[&publish[..], &size].concat());
    wait_for_frames(here, "bars", 0);

    let listed = surfaces(here);
    assert_eq!((listed[0]["size"].as_str(), listed[0]["format"].as_str()), (Some("320x180"), Some("rgba8")));
    let read = ["play", "surface:bars", "-o", "read-%04d.png", "--frames", "5", "--json"];
    let report: Value = serde_json::from_str(&succeed(&mut command(here, &read))).expect("a report");
    assert_eq!(report["failures"], Value::Array(vec![]), "{report}");
    // The same without another process.
    let alone = ["play", "still.hlsl", "--effect", &effect("invert"), "-o", "alone.png", "--frames", "1"];
    succeed(&mut command(here, &[&alone[..], &size].concat()));
    let wanted = picture(&here.join("alone.png"));
    // A picture may come too late for a frame.
    let read: Vec<_> = files(here).into_iter().filter(|name| name.starts_with("read-")).collect();
    assert!(read.len() >= 2, "{read:?}");
    for name in read {
        assert!(picture(&here.join(&name)) == wanted, "{name} differs");
    }

    let report = publisher.stop();
    assert_eq!(report["host_bytes"], 0, "{report}");
    assert_eq!(report["failures"], Value::Array(vec![]), "{report}");
    assert!(surfaces(here).is_empty(), "a surface goes with its publisher");
}

#[test]
fn a_result_goes_back_as_a_surface_of_its_own() {
    if cannot_run() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path();
    write_still(here);
    let _broker = Running::start(here, &["broker", "--socket", "broker.sock"]);
    wait_for("the broker", PATIENCE, || {
        if here.join("broker.sock").exists() { Ok(()) } else { Err("no socket".into()) }
    });
    let _first =
        Running::start(here, &["play", "still.hlsl", "--size", "160x90", "-o", "surface:bars", "--json"]);
    wait_for_frames(here, "bars", 0);
    let second = ["play", "surface:bars", "--effect", &effect("invert"), "-o", "surface:negative", "--json"];
    let second = Running::start(here, &second);
    wait_for_frames(here, "negative", 0);
    succeed(&mut command(here, &["play", "surface:negative", "-o", "read.png", "--frames", "1"]));
    let negative = picture(&here.join("read.png"));
    succeed(&mut command(here, &["play", "surface:bars", "-o", "bars.png", "--frames", "1"]));
    for (a, b) in picture(&here.join("bars.png")).pixels().zip(negative.pixels()) {
        assert!((0..3).all(|c| (i16::from(a[c]) + i16::from(b[c]) - 255).abs() <= 1), "{a:?} {b:?}");
    }
    assert_eq!(second.stop()["host_bytes"], 0);
}

#[test]
fn a_texture_of_srgb_reaches_another_process_as_a_file_would_show_it() {
    if cannot_run() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path();
    write_still(here);
    let graph = "[nodes.still]\nsource = 'still.hlsl'\nsize = [64, 32]\n\
                 [nodes.linear]\neffect = 'linear.hlsl'\nformat = 'rgba8srgb'\ninputs = { input = 'still' }\n\
                 [nodes.out]\nsink = 'alone.png'\ninputs = { input = 'linear' }\n";
    let effect = "float4 main(float2 uv : TEXCOORD) : SV_Target { return tex2D(input, uv); }";
    std::fs::write(here.join("linear.hlsl"), effect).expect("the folder takes it");
    std::fs::write(here.join("graph.toml"), graph).expect("the folder takes it");
    succeed(&mut command(here, &["run", "graph.toml", "--frames", "1"]));
    let _publisher = Running::start(here, &["run", "graph.toml", "--sink", "out=surface:srgb", "--json"]);
    wait_for_frames(here, "srgb", 0);
    succeed(&mut command(here, &["play", "surface:srgb", "-o", "read-%04d.png", "--frames", "4"]));
    let read = files(here).into_iter().rfind(|name| name.starts_with("read-")).expect("a picture");
    assert!(picture(&here.join(read)) == picture(&here.join("alone.png")), "the pictures differ");
}

#[test]
fn a_reader_outlives_its_publisher_and_takes_the_next_ones_frames_in_its_own_size() {
    if cannot_run() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path();
    let publish = |size| {
        Running::start(here, &["play", "generate:bars", "--size", size, "-o", "surface:bars", "--json"])
    };
    let first = publish("160x90");
    wait_for_frames(here, "bars", 0);
    let reader = Running::start(here, &["play", "surface:bars", "-o", "surface:copy", "--json"]);
    wait_for_frames(here, "copy", 5);
    // It was the broker as well: the reader, which publishes, takes that over.
    first.kill();
    wait_for_frames(here, "copy", 0);
    let copy = || surfaces(here).into_iter().find(|surface| surface["name"] == "copy").expect("it is there");
    let before = copy()["frames"].as_u64().expect("a number");
    let _second = publish("320x180");
    wait_for_frames(here, "copy", before + 5);
    let copy = copy();
    assert_eq!(copy["size"], "160x90");
    assert_eq!(reader.stop()["failures"], Value::Array(vec![]));
}

/// Every pixel shows the frame's number, after so much work that the GPU is busy with it most of the time.
const SLOW: &str = "uint frame_number;
float4 main(float2 uv : TEXCOORD) : SV_Target {
    float work = uv.x;
    for (int i = 0; i < 400; i++) work = frac(work * 1.37 + sin(work + uv.y));
    float shade = (frame_number % 256) / 255.0;
    return float4(shade, 1 - shade, work < 0 ? 0 : 0.5, 1);
}";

#[test]
fn what_a_killed_publisher_left_half_done_is_not_read() {
    if cannot_run() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path();
    std::fs::write(here.join("slow.hlsl"), SLOW).expect("the folder takes it");
    let publish = || Running::start(here, &["play", "slow.hlsl", "--size", "320x180", "-o", "surface:slow"]);
    let mut publisher = publish();
    wait_for_frames(here, "slow", 0);
    let reader = Running::start(here, &["play", "surface:slow", "-o", "read-%06d.png", "--live", "--json"]);
    // Under other names until all are written.
    let pictures = || files(here).into_iter().filter(|name| name.contains("read-")).count();
    for _ in 0..4 {
        let before = pictures();
        wait_for("pictures", PATIENCE, || {
            if pictures() > before + 3 { Ok(()) } else { Err(format!("{before} pictures")) }
        });
        // Somewhere in a frame: its GPU does little else.
        publisher.kill();
        publisher = publish();
        wait_for_frames(here, "slow", 0);
    }
    assert_eq!(reader.stop()["failures"], Value::Array(vec![]));
    for name in files(here).into_iter().filter(|name| name.starts_with("read-")) {
        let picture = picture(&here.join(&name));
        let first = *picture.get_pixel(0, 0);
        assert!(picture.pixels().all(|pixel| *pixel == first), "{name} is of more than one frame");
    }
}

#[test]
fn what_is_not_to_be_had_is_said_with_what_to_do() {
    if cannot_run() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path();
    let play = |input: &str, output: &str| command(here, &["play", input, "-o", output, "--size", "64x48"]);
    fails_saying(&mut play("generate:bars", "surface:"), &["names no surface"]);
    fails_saying(&mut play("generate:bars", "surface:a?buffers=1"), &["from 2 to 48"]);
    let lossless = "[nodes.in]\nsource = 'generate:bars'\n[nodes.out]\nsink = 'surface:a'\n\
                    inputs = { input = { from = 'in', delivery = 'lossless' } }\n";
    std::fs::write(here.join("lossless.toml"), lossless).expect("the folder takes it");
    fails_saying(&mut command(here, &["run", "lossless.toml"]), &["cannot be `lossless`", "hold up nobody"]);
    fails_saying(&mut play("surface:nobody?wait=0", "null:"), &["nobody publishes surfaces"]);
    let _publisher =
        Running::start(here, &["play", "generate:bars", "--size", "64x48", "-o", "surface:bars", "--json"]);
    wait_for_frames(here, "bars", 0);
    fails_saying(&mut play("surface:nobody?wait=0", "null:"), &["there is no surface nobody", "bars"]);
    fails_saying(&mut play("generate:bars", "surface:bars"), &["published by process", "another name"]);
    assert!(succeed(&mut command(here, &["surfaces"])).contains("bars"));
}
