//! What the tests share: real files, test pictures and the reference tools.
#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(clippy::print_stdout, reason = "a test that cannot run says why")]

use std::path::{Path, PathBuf};
use std::process::Command;

use streamlib_core::color::ColorSpace;
use streamlib_core::format::Size;
use streamlib_core::frame::Timestamp;
use streamlib_core::picture::{Picture, PictureFormat, PictureLayout};
use streamlib_media::{StreamInfo, VideoReader};

/// A real video file beside the repository, if this machine has it.
pub(crate) fn real_video(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/media").join(name);
    if path.exists() {
        return Some(path);
    }
    println!("SKIPPED: {name} is not in ../shared/media");
    None
}

/// Whether ffmpeg and ffprobe are installed; says so when they are not.
pub(crate) fn has_ffmpeg() -> bool {
    let found = ["ffmpeg", "ffprobe"]
        .iter()
        .all(|tool| Command::new(tool).arg("-version").output().is_ok_and(|output| output.status.success()));
    if !found {
        println!("SKIPPED: ffmpeg and ffprobe are not installed");
    }
    found
}

/// Runs a tool and returns what it prints; panics with its complaint when it fails.
pub(crate) fn run(tool: &str, arguments: &[&str], file: &Path, after: &[&str]) -> Vec<u8> {
    let output = Command::new(tool)
        .args(["-v", "error"])
        .args(arguments)
        .arg(file)
        .args(after)
        .output()
        .expect("the tool was found before");
    assert!(output.status.success(), "{tool}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Makes a file with ffmpeg.
pub(crate) fn ffmpeg(arguments: &[&str], output: &Path) {
    run("ffmpeg", &[&["-y"], arguments].concat(), output, &[]);
}

/// Presentation times that ffprobe reports for the video, in its clock's ticks, and that clock's ticks a second.
pub(crate) fn probed_times(file: &Path) -> (Vec<i64>, u32) {
    let arguments =
        ["-select_streams", "v:0", "-show_entries", "frame=pts:stream=time_base", "-of", "csv=p=0"];
    let text = String::from_utf8(run("ffprobe", &arguments, file, &[])).expect("text");
    let mut timescale = 0;
    let mut times = Vec::new();
    for line in text.lines().map(|line| line.trim_end_matches(',')).filter(|line| !line.is_empty()) {
        match line.split_once('/') {
            Some((_, den)) => timescale = den.parse().expect("a time base"),
            None => times.push(line.split(',').next().expect("a field").parse().expect("a time")),
        }
    }
    (times, timescale)
}

/// A picture to read into.
pub(crate) fn empty_picture() -> Picture {
    let format =
        PictureFormat { size: Size::new(0, 0), layout: PictureLayout::Rgba8, color: ColorSpace::default() };
    Picture { format, timestamp: Timestamp(0), data: Vec::new() }
}

/// Reads a whole file.
pub(crate) fn read_all(reader: &mut dyn VideoReader) -> Vec<Picture> {
    let mut pictures = Vec::new();
    let mut picture = empty_picture();
    while reader.read(&mut picture).expect("a readable frame") {
        pictures.push(picture.clone());
    }
    pictures
}

/// Opens and reads a whole file.
pub(crate) fn read_file(path: &Path) -> (StreamInfo, Vec<Picture>) {
    let mut reader = streamlib_media::open(path).expect("a readable file");
    let pictures = read_all(reader.as_mut());
    (reader.info().clone(), pictures)
}

/// A moving pattern with smooth and sharp parts, in any layout.
pub(crate) fn test_picture(format: PictureFormat, number: u32) -> Picture {
    let mut data = Vec::with_capacity(format.bytes());
    for (plane, (size, texel)) in format.layout.planes(format.size).into_iter().enumerate() {
        for y in 0..size.height {
            for x in 0..size.width {
                for channel in 0..texel.bytes_per_texel() as u32 {
                    let shifted = x + number * 2;
                    let wave = ((shifted as f64 / 9.0).sin() + (y as f64 / 7.0).cos()) * 45.0;
                    let edge = if (shifted / 16 + y / 16).is_multiple_of(2) { 30.0 } else { -30.0 };
                    let value = 128.0 + wave + edge / f64::from(plane as u32 + channel + 1);
                    data.push(value.clamp(16.0, 235.0) as u8);
                }
            }
        }
    }
    Picture { format, timestamp: Timestamp::from_ticks(i64::from(number), 30), data }
}

/// Peak signal-to-noise ratio of two planes, in decibels.
pub(crate) fn psnr(a: &[u8], b: &[u8]) -> f64 {
    assert_eq!(a.len(), b.len());
    let squares: f64 = a.iter().zip(b).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum();
    if squares == 0.0 { f64::INFINITY } else { 10.0 * (255.0 * 255.0 * a.len() as f64 / squares).log10() }
}

/// Names in a directory, hidden ones too.
pub(crate) fn names_in(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).expect("a directory");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
