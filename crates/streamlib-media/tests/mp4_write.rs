//! Written MP4 files are what players expect, and hold what was put in.

mod common;

use std::path::Path;

use common::{
    empty_picture, ffmpeg, has_ffmpeg, names_in, probed_times, psnr, read_file, real_video, run, test_picture,
};
use streamlib_core::color::{ColorSpace, YuvMatrix, YuvRange};
use streamlib_core::format::Size;
use streamlib_core::frame::Timestamp;
use streamlib_core::picture::{Picture, PictureFormat};
use streamlib_media::{
    AudioInfo, CreateError, OutputOptions, Quality, WriteError, Written, audio_of, create, open,
};

/// Copies a video, picture by picture, through decoder and encoder.
fn transcode(from: &Path, to: &Path, frames: usize, with_sound: bool) -> Written {
    let mut reader = open(from).expect("a readable file");
    let info = reader.info().clone();
    let options = OutputOptions {
        frame_rate: info.frame_rate,
        color: info.format.color,
        audio: if with_sound { audio_of(from).expect("a readable file") } else { None },
        ..OutputOptions::new(info.format.size)
    };
    let mut writer = create(to, &options).expect("a writable place");
    let mut picture = empty_picture();
    for _ in 0..frames {
        if !reader.read(&mut picture).expect("a readable frame") {
            break;
        }
        writer.write(&picture).expect("a frame that fits");
    }
    writer.finish().expect("a finished file")
}

fn luma(picture: &Picture) -> &[u8] {
    &picture.data[..picture.format.size.pixels()]
}

fn probe(path: &Path, entries: &str) -> String {
    String::from_utf8(run("ffprobe", &["-show_entries", entries, "-of", "default=nw=1"], path, &[]))
        .expect("text")
}

/// Checksums of the packets of sound, their times and their sizes.
fn sound_packets(path: &Path) -> String {
    let arguments = [
        "-select_streams",
        "a",
        "-show_packets",
        "-show_data_hash",
        "md5",
        "-show_entries",
        "packet=pts,dts,duration,size,data_hash",
        "-of",
        "csv",
    ];
    String::from_utf8(run("ffprobe", &arguments, path, &[])).expect("text")
}

#[test]
fn a_real_video_with_sound_comes_through_with_its_times_and_above_38_decibels() {
    let Some(source) = real_video("car-detection.mp4") else {
        return;
    };
    if !has_ffmpeg() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let copy = directory.path().join("copy.mp4");
    let written = transcode(&source, &copy, usize::MAX, true);
    assert_eq!(written.frames, 377);
    assert_eq!(written.notices, vec![]);
    // Not assert_eq: the lists are a hundred thousand characters long.
    assert!(sound_packets(&source) == sound_packets(&copy), "the sound changed");
    let (source_ticks, source_scale) = probed_times(&source);
    let (ticks, scale) = probed_times(&copy);
    let times = |ticks: &[i64], scale| -> Vec<Timestamp> {
        ticks.iter().map(|&tick| Timestamp::from_ticks(tick, scale)).collect()
    };
    assert_eq!(times(&ticks, scale), times(&source_ticks, source_scale));
    let (mut original, mut copied) = (open(&source).expect("readable"), open(&copy).expect("readable"));
    assert_eq!(copied.info().format, original.info().format);
    let (mut a, mut b) = (empty_picture(), empty_picture());
    let mut worst = f64::INFINITY;
    while original.read(&mut a).expect("readable") {
        assert!(copied.read(&mut b).expect("readable"));
        worst = worst.min(psnr(luma(&a), luma(&b)));
    }
    println!("worst frame: {worst:.1} dB, {} bytes", written.bytes);
    assert!(worst > 38.0, "{worst}");
}

#[test]
fn a_short_part_of_a_video_takes_only_its_part_of_the_sound() {
    let Some(source) = real_video("car-detection.mp4") else {
        return;
    };
    let directory = tempfile::tempdir().expect("a directory");
    let copy = directory.path().join("copy.mp4");
    transcode(&source, &copy, 25, true);
    let whole = audio_of(&source).expect("readable").expect("sound");
    let part = audio_of(&copy).expect("readable").expect("sound");
    // 25 frames at 12.5 a second are two seconds: 94 packets of 1024 samples at 48 kHz.
    assert!((93..=95).contains(&part.packets()), "{} of {} packets", part.packets(), whole.packets());
}

#[test]
fn every_colour_space_is_stated_so_that_the_reference_and_we_read_it_back() {
    let directory = tempfile::tempdir().expect("a directory");
    for (matrix, name) in [(YuvMatrix::Bt601, "smpte170m"), (YuvMatrix::Bt709, "bt709")] {
        for (range, range_name) in [(YuvRange::Limited, "tv"), (YuvRange::Full, "pc")] {
            let path = directory.path().join(format!("{name}-{range_name}.mp4"));
            let color = ColorSpace { matrix, range };
            let options = OutputOptions { color, ..OutputOptions::new(Size::new(64, 48)) };
            let mut writer = create(&path, &options).expect("a writable place");
            for number in 0..3 {
                writer.write(&test_picture(writer.picture_format(), number)).expect("a frame that fits");
            }
            writer.finish().expect("a finished file");
            assert_eq!(open(&path).expect("readable").info().format.color, color);
            if has_ffmpeg() {
                let found = probe(&path, "stream=color_range,color_space,color_primaries,color_transfer");
                for line in [format!("color_range={range_name}"), format!("color_space={name}")] {
                    assert!(found.contains(&line), "{line} is not in {found}");
                }
            }
        }
    }
}

#[test]
fn uneven_times_survive_to_the_microsecond_whatever_they_are() {
    let directory = tempfile::tempdir().expect("a directory");
    let millis: [i64; 6] = [500, 533, 600, 601, 1700, 1733];
    let primes: [i64; 5] = [0, 1_234_567, 7_654_321, 33_333_333, 50_000_001];
    for (name, times, tolerance) in
        [("millis", millis.map(|time| time * 1_000_000).to_vec(), 0), ("primes", primes.to_vec(), 500)]
    {
        let path = directory.path().join(format!("{name}.mp4"));
        let mut writer = create(&path, &OutputOptions::new(Size::new(48, 32))).expect("a writable place");
        for (number, &time) in times.iter().enumerate() {
            let mut picture = test_picture(writer.picture_format(), number as u32);
            picture.timestamp = Timestamp(time);
            writer.write(&picture).expect("a frame that fits");
        }
        writer.finish().expect("a finished file");
        let (_, pictures) = read_file(&path);
        assert_eq!(pictures.len(), times.len());
        for (picture, time) in pictures.iter().zip(&times) {
            let off = picture.timestamp.0 - (time - times[0]);
            assert!(off.abs() <= tolerance, "{name}: {off} ns off");
        }
    }
}

#[test]
fn reordered_frames_fragments_cropping_and_the_header_in_front_are_read() {
    if !has_ffmpeg() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let source =
        ["-f", "lavfi", "-i", "testsrc2=size=1920x1080:rate=30000/1001:duration=0.6", "-pix_fmt", "yuv420p"];
    let x264 = ["-c:v", "libx264", "-preset", "veryfast"];
    for (name, arguments) in [
        ("front", &["-bf", "3", "-movflags", "+faststart", "-x264-params", "direct=none"][..]),
        ("main", &["-bf", "2", "-profile:v", "main", "-x264-params", "direct=none"][..]),
        (
            "fragments",
            &["-bf", "2", "-movflags", "frag_keyframe+empty_moov", "-g", "5", "-x264-params", "direct=none"]
                [..],
        ),
        ("no_edits", &["-bf", "2", "-use_editlist", "0", "-x264-params", "direct=none"][..]),
        ("inband", &["-bf", "0", "-tag:v", "avc3", "-bsf:v", "dump_extra"][..]),
    ] {
        let path = directory.path().join(format!("{name}.mp4"));
        ffmpeg(&[&source[..], &x264, arguments].concat(), &path);
        let (ticks, timescale) = probed_times(&path);
        let (info, pictures) = read_file(&path);
        assert_eq!(info.format.size, Size::new(1920, 1080), "{name}");
        assert_eq!(pictures.len(), ticks.len(), "{name}");
        let raw = run(
            "ffmpeg",
            &["-i"],
            &path,
            &["-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-"],
        );
        for ((picture, tick), expected) in pictures.iter().zip(&ticks).zip(raw.chunks(info.format.bytes())) {
            assert_eq!(picture.timestamp, Timestamp::from_ticks(tick - ticks[0], timescale), "{name}");
            assert!(picture.data == expected, "{name}: pixels differ at {:?}", picture.timestamp);
        }
    }
}

#[test]
fn a_fixed_quantiser_and_a_bit_rate_both_hold() {
    let directory = tempfile::tempdir().expect("a directory");
    let bytes_of = |name: &str, quality| {
        let path = directory.path().join(name);
        let options = OutputOptions { quality, ..OutputOptions::new(Size::new(320, 240)) };
        let mut writer = create(&path, &options).expect("a writable place");
        for number in 0..60 {
            writer.write(&test_picture(writer.picture_format(), number)).expect("a frame that fits");
        }
        writer.finish().expect("a finished file").bytes
    };
    let fine = bytes_of("fine.mp4", Quality::Quantizer(16));
    let coarse = bytes_of("coarse.mp4", Quality::Quantizer(36));
    assert!(fine > coarse * 2, "{fine} against {coarse} bytes");
    let rate = bytes_of("rate.mp4", Quality::Bitrate(400_000)) * 8 / 2;
    assert!((100_000..900_000).contains(&rate), "{rate} bits a second");
}

#[test]
fn sizes_that_h264_cannot_hold_are_refused_with_the_nearest_that_it_can() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("out.mp4");
    for (size, advice) in [
        (Size::new(641, 360), "write 640x360"),
        (Size::new(640, 359), "write 640x358"),
        (Size::new(8, 8), "at least 16"),
        (Size::new(4096, 2160), "at most 3840x2160"),
    ] {
        let error = create(&path, &OutputOptions::new(size)).err().expect("a refusal");
        assert!(matches!(error, CreateError::Size { .. }) && error.to_string().contains(advice), "{error}");
    }
    for quality in [Quality::Quantizer(52), Quality::Bitrate(1)] {
        let options = OutputOptions { quality, ..OutputOptions::new(Size::new(64, 64)) };
        assert!(matches!(create(&path, &options), Err(CreateError::Option { .. })));
    }
    let portrait = create(&path, &OutputOptions::new(Size::new(1080, 1920))).expect("portrait is fine");
    drop(portrait);
    assert_eq!(names_in(directory.path()), Vec::<String>::new());
}

#[test]
fn frames_out_of_order_or_of_another_format_are_refused_and_nothing_is_left() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("out.mp4");
    let mut writer = create(&path, &OutputOptions::new(Size::new(64, 64))).expect("a writable place");
    let picture = test_picture(writer.picture_format(), 1);
    writer.write(&picture).expect("a frame that fits");
    assert!(matches!(writer.write(&picture), Err(WriteError::Order { frame: 1, .. })));
    let other = PictureFormat { size: Size::new(32, 64), ..writer.picture_format() };
    assert!(matches!(writer.write(&test_picture(other, 2)), Err(WriteError::Format { .. })));
    drop(writer);
    assert_eq!(names_in(directory.path()), Vec::<String>::new());
    let writer = create(&path, &OutputOptions::new(Size::new(64, 64))).expect("a writable place");
    assert!(matches!(writer.finish(), Err(WriteError::NoFrames { .. })));
    assert_eq!(names_in(directory.path()), Vec::<String>::new());
}

#[test]
fn a_file_without_sound_has_none_to_pass_on() {
    let Some(source) = real_video("bottle-detection.mp4") else {
        return;
    };
    assert!(audio_of(&source).expect("readable").is_none());
    assert_eq!(open(&source).expect("readable").info().audio, AudioInfo::None);
}
