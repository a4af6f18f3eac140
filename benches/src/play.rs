//! Frames per second of whole plays, from source to closed file.

use std::path::Path;

use serde::Serialize;
use streamlib::format::Size;
use streamlib::graph::Source;
use streamlib::vulkan::DeviceOptions;
use streamlib::{RunOptions, RuntimeOptions, StreamRuntime, play_graph};

use crate::Fallible;

/// One play.
#[derive(Serialize)]
pub(crate) struct PlayTime {
    pub(crate) what: String,
    pub(crate) frames: u64,
    pub(crate) frames_per_second: f64,
}

/// Plays a generated scene into a file, and that file through effects into another.
pub(crate) fn measure(device: &DeviceOptions, effects: &Path, frames: u64) -> Fallible<Vec<PlayTime>> {
    let folder = tempfile::tempdir()?;
    let options = RuntimeOptions { device: device.clone(), ..RuntimeOptions::default() };
    let runtime = StreamRuntime::new(&options)?;
    let size = Size::new(1280, 720);
    let (scene, out) = (folder.path().join("scene.mp4"), folder.path().join("out.mp4"));
    let (scene, out) = (scene.to_string_lossy().into_owned(), out.to_string_lossy().into_owned());
    let effect = |name: &str| effects.join(format!("{name}.hlsl"));
    let generated = Source { uri: "generate:scene".into(), size: Some(size), ..Source::default() };
    let file = Source { uri: scene.clone(), ..Source::default() };
    let plays = [
        ("720p scene to MP4", generated, vec![], &scene),
        ("720p MP4 to MP4, no effect", file.clone(), vec![], &out),
        (
            "720p MP4 to MP4, 3 effects",
            file,
            vec![effect("sepia"), effect("sharpen"), effect("vignette")],
            &out,
        ),
    ];
    let mut times = Vec::new();
    for (what, source, effects, output) in plays {
        let graph = play_graph(source, &effects, None, output);
        let report = runtime.run(&graph, &RunOptions { frames: Some(frames), ..RunOptions::default() })?;
        println!("play: {what:<28} {:>8.1} frames/s", report.frames_per_second);
        let frames_per_second = report.frames_per_second;
        times.push(PlayTime { what: what.to_owned(), frames, frames_per_second });
    }
    Ok(times)
}
