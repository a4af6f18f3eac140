//! Whole plays, with ffmpeg as the judge of what was written.

mod common;

use std::path::Path;
use std::process::{Command, Stdio};

use common::{cannot_run, effect, files, has, json, repository, skip, streamlib, succeed, text};

/// The folder of real videos beside the checkout, where there is one.
fn real_video(name: &str) -> Option<String> {
    let path = repository().join("../shared/media").join(name);
    if !path.exists() {
        skip(&format!("there is no real video {name} beside the checkout"));
        return None;
    }
    Some(path.display().to_string())
}

/// Presentation times in seconds of the video frames of a file, in order, as ffprobe sees them.
fn times(path: &Path) -> Vec<f64> {
    let entries =
        ["-select_streams", "v:0", "-show_entries", "frame=best_effort_timestamp_time", "-of", "csv=p=0"];
    let out = succeed(Command::new("ffprobe").args(["-v", "error"]).args(entries).arg(path));
    let number = |line: &str| line.trim().trim_end_matches(',').parse().expect("a time in seconds");
    out.lines().filter(|line| !line.trim().is_empty()).map(number).collect()
}

/// Least PSNR in dB over all frames and planes, by ffmpeg.
fn least_psnr(a: &Path, b: &Path) -> f64 {
    let mut command = Command::new("ffmpeg");
    command.arg("-i").arg(a).arg("-i").arg(b).args([
        "-lavfi",
        "[0:v][1:v]psnr=stats_file=-",
        "-f",
        "null",
        "-",
    ]);
    let stats = succeed(command.args(["-v", "error"]));
    let average = |line: &str| {
        let value =
            line.split_whitespace().find_map(|word| word.strip_prefix("psnr_avg:").map(str::to_owned));
        let value = value.expect("ffmpeg prints psnr_avg");
        if value == "inf" { f64::INFINITY } else { value.parse().expect("a number") }
    };
    stats.lines().map(average).fold(f64::INFINITY, f64::min)
}

fn real_file_survives(name: &str, frames: usize) {
    if cannot_run() || !has("ffprobe") || !has("ffmpeg") {
        return;
    }
    let Some(input) = real_video(name) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out.mp4");
    std::fs::write(
        folder.path().join("identity.hlsl"),
        "float4 main(float2 uv : TEXCOORD) : SV_Target { return tex2D(input, uv); }",
    )
    .expect("written");
    let report = json(streamlib(folder.path()).args([
        "play",
        &input,
        "-e",
        "identity.hlsl",
        "-o",
        "out.mp4",
        "--json",
    ]));
    assert_eq!(report["frames_in"], frames);
    assert_eq!(report["frames_out"], frames);
    assert_eq!(report["frames_dropped"], 0);
    let (before, after) = (times(Path::new(&input)), times(&out));
    assert_eq!((before.len(), after.len()), (frames, frames));
    for (frame, (a, b)) in before.iter().zip(&after).enumerate() {
        // ffprobe prints microseconds.
        assert!(((a - before[0]) - (b - after[0])).abs() < 2e-6, "frame {frame}: {a} became {b}");
    }
    let psnr = least_psnr(Path::new(&input), &out);
    assert!(psnr > 38.0, "the worst frame has a PSNR of {psnr} dB");
    assert_eq!(files(folder.path()), ["identity.hlsl", "out.mp4"]);
}

#[test]
fn every_frame_of_a_baseline_video_comes_out_in_order_with_its_time() {
    real_file_survives("car-detection.mp4", 377);
}

#[test]
fn every_frame_of_a_high_profile_video_comes_out_in_order_with_its_time() {
    real_file_survives("bottle-detection.mp4", 1189);
}

#[test]
fn sound_is_passed_through_unchanged() {
    if cannot_run() || !has("ffmpeg") {
        return;
    }
    let Some(input) = real_video("car-detection.mp4") else { return };
    let folder = tempfile::tempdir().expect("a folder");
    succeed(streamlib(folder.path()).args(["play", &input, "-o", "out.mp4", "-q"]));
    let packets = |path: &str| {
        let mut command = Command::new("ffmpeg");
        command.current_dir(folder.path()).args(["-v", "error", "-i", path, "-map", "0:a", "-c", "copy"]);
        succeed(command.args(["-f", "md5", "-"]))
    };
    assert_eq!(packets(&input), packets("out.mp4"));
    let partial = streamlib(folder.path()).args(["play", &input, "-o", "a.y4m", "--frames", "2"]).output();
    assert!(text(&partial.expect("it starts").stderr).contains("sound"), "the loss of the sound is not told");
}

#[test]
fn the_effect_from_the_mission_runs_as_written() {
    if cannot_run() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let text = "float4 main(float2 uv : TEXCOORD) : SV_Target { return tex2D(input_texture, uv) * float4(1, 0, 0, 1); }";
    std::fs::write(folder.path().join("red.hlsl"), text).expect("written");
    let still = ["play", "generate:scene", "--size", "96x64", "--frames", "1"];
    succeed(streamlib(folder.path()).args(still).args(["-o", "before.png", "-q"]));
    succeed(streamlib(folder.path()).args(still).args(["-e", "red.hlsl", "-o", "after.png", "-q"]));
    let open = |name: &str| image::open(folder.path().join(name)).expect("a picture").to_rgba8();
    let (before, after) = (open("before.png"), open("after.png"));
    assert_eq!(after.dimensions(), (96, 64));
    for (a, b) in before.pixels().zip(after.pixels()) {
        assert_eq!(b.0, [a.0[0], 0, 0, a.0[3]]);
    }
}

#[test]
fn every_kind_of_output_can_be_an_input_again() {
    if cannot_run() || !has("ffmpeg") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let bars = ["generate:bars", "--size", "96x64", "--fps", "24"];
    for (output, frames) in
        [("a.mp4", 5), ("a.y4m", 5), ("seq-%03d.png", 5), ("seq-%03d.jpg", 5), ("a.png", 1)]
    {
        let play = |input: &[&str], output: &str| {
            let count = frames.to_string();
            let mut command = streamlib(folder.path());
            json(command.arg("play").args(input).args(["-o", output, "--frames", &count, "--json"]))
        };
        assert_eq!(play(&bars, output)["frames_out"], frames, "{output}");
        let again = format!("again-{output}");
        assert_eq!(play(&[output], &again)["frames_out"], frames, "{again}");
        if !output.contains('%') {
            succeed(Command::new("ffprobe").current_dir(folder.path()).args(["-v", "error", &again]));
        }
    }
}

#[test]
fn a_variable_frame_rate_survives() {
    if cannot_run() || !has("ffmpeg") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let uneven = "setpts=N*N*0.01/TB+N*0.02/TB";
    let mut make = Command::new("ffmpeg");
    make.current_dir(folder.path())
        .args(["-v", "error", "-f", "lavfi", "-i", "testsrc2=size=128x96:rate=25:duration=1", "-vf", uneven])
        .args([
            "-fps_mode",
            "vfr",
            "-c:v",
            "libx264",
            "-pix_fmt",
            "yuv420p",
            "-video_track_timescale",
            "12800",
        ])
        .arg("uneven.mp4");
    succeed(&mut make);
    succeed(streamlib(folder.path()).args(["play", "uneven.mp4", "-o", "out.mp4", "-q"]));
    let (before, after) = (times(&folder.path().join("uneven.mp4")), times(&folder.path().join("out.mp4")));
    assert_eq!(before.len(), after.len());
    for (a, b) in before.iter().zip(&after) {
        assert!(((a - before[0]) - (b - after[0])).abs() < 2e-6, "{before:?} became {after:?}");
    }
}

#[test]
fn settings_reach_their_effect() {
    if cannot_run() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let dark = ["-e", &effect("brightness"), "--set", "brightness.amount=-1", "-o", "dark.png", "-q"];
    let still = ["play", "generate:bars", "--size", "32x32", "--frames", "1"];
    succeed(streamlib(folder.path()).args(still).args(dark));
    let dark = image::open(folder.path().join("dark.png")).expect("a picture").to_rgb8();
    assert!(dark.pixels().all(|pixel| pixel.0 == [0, 0, 0]));
}

#[test]
fn an_expression_on_the_command_line_is_followed_frame_by_frame() {
    if cannot_run() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let paint = "float4 paint; float4 main(float2 uv : TEXCOORD) : SV_Target { return paint; }";
    std::fs::write(folder.path().join("paint.hlsl"), paint).expect("written");
    let graph = "[nodes.paint]\neffect = 'paint.hlsl'\nsize = [16, 16]\n\
                 [nodes.clock]\nsource = 'generate:bars'\nsize = [16, 16]\nfps = 10\nframes = 4\n\
                 [nodes.kept]\nhlsl = 'Texture2D bars; float4 main(float2 uv : TEXCOORD) : SV_Target \
                 { return tex2D(input, uv) + 0 * tex2D(bars, uv); }'\n\
                 inputs = { input = 'paint', bars = 'clock' }\n\
                 [nodes.out]\nsink = 'out_%d.png'\ninputs = { input = 'kept' }\n";
    std::fs::write(folder.path().join("paint.toml"), graph).expect("written");
    let set = "paint.paint=step(0.15, time), clamp(frame, 0, 2) / 5, delta * 4, 1";
    succeed(streamlib(folder.path()).args(["run", "paint.toml", "--set", set, "-q"]));
    for (frame, wanted) in [[0, 0, 0], [0, 51, 102], [255, 102, 102], [255, 102, 102]].iter().enumerate() {
        let path = folder.path().join(format!("out_{frame}.png"));
        let picture = image::open(path).expect("a picture").to_rgb8();
        assert!(
            picture.pixels().all(|pixel| pixel.0 == *wanted),
            "frame {frame}: {:?}",
            picture.get_pixel(0, 0)
        );
    }
}

#[test]
fn a_graph_of_two_sources_and_two_sinks_runs() {
    if cannot_run() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    succeed(streamlib(folder.path()).args([
        "play",
        "generate:bars",
        "--size",
        "64x48",
        "--fps",
        "10",
        "--frames",
        "4",
        "-o",
        "slow.mp4",
        "-q",
    ]));
    let graph = format!(
        "clock = 'scene'
         [nodes.scene]
         source = 'generate:scene'
         size = [64, 48]
         fps = 20
         frames = 8
         [nodes.slow]
         source = 'slow.mp4'
         [nodes.both]
         effect = '{}'
         inputs = {{ input = 'scene', overlay = 'slow' }}
         format = 'rgba16float'
         [nodes.video]
         sink = 'both.mp4'
         inputs = {{ input = 'both' }}
         [nodes.stills]
         sink = 'scene-%d.png'
         inputs = {{ input = {{ from = 'scene', delay = 1 }} }}",
        effect("mix"),
    );
    std::fs::write(folder.path().join("two.toml"), graph).expect("written");
    let report = json(streamlib(folder.path()).args(["run", "two.toml", "--json"]));
    assert_eq!(report["frames_out"], 16);
    let frames = |node: &str| {
        let sources = report["sources"].as_array().expect("a list");
        sources.iter().find(|source| source["node"] == node).expect("reported")["frames"].clone()
    };
    assert_eq!((frames("scene"), frames("slow")), (8.into(), 4.into()));
    let first = image::open(folder.path().join("scene-0.png")).expect("a picture").to_rgba8();
    assert!(first.pixels().all(|pixel| pixel.0 == [0, 0, 0, 255]), "before the first frame it is black");
}

#[test]
fn an_interrupted_play_finishes_its_file() {
    if cannot_run() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let play =
        ["play", "generate:scene", "--size", "320x240", "--frames", "100000", "-o", "out.mp4", "--json"];
    let mut child = streamlib(folder.path()).args(play).stdout(Stdio::piped()).spawn().expect("it starts");
    // The hidden file grows when the first frames are written.
    let written = || {
        let sizes =
            std::fs::read_dir(folder.path()).expect("readable").flatten().filter_map(|e| e.metadata().ok());
        sizes.map(|metadata| metadata.len()).sum::<u64>()
    };
    while written() == 0 && child.try_wait().expect("a status").is_none() {
        std::thread::yield_now();
    }
    // Twice, as a process gets it from a caller that signals it and its group.
    let id = child.id().to_string();
    succeed(Command::new("kill").args(["-INT", &id, &id]));
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{:?}", output.status);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a report");
    assert_eq!(report["interrupted"], true);
    assert_eq!(files(folder.path()), ["out.mp4"]);
    let again = json(streamlib(folder.path()).args(["play", "out.mp4", "-o", "again.y4m", "--json"]));
    assert_eq!(again["frames_in"], report["frames_out"]);
}
