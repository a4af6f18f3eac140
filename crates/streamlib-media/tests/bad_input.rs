//! Files that are not what they should be: a typed error each time, never a panic, a hang or a huge allocation.

mod common;

use std::path::{Path, PathBuf};

use common::{empty_picture, ffmpeg, has_ffmpeg, test_picture};
use streamlib_core::format::Size;
use streamlib_media::{OpenError, OutputOptions, ReadError, audio_of, create, open};

/// A small video made by our own writer.
fn small_video(directory: &Path) -> PathBuf {
    let path = directory.join("small.mp4");
    let mut writer = create(&path, &OutputOptions::new(Size::new(48, 32))).expect("a writable place");
    for number in 0..6 {
        writer.write(&test_picture(writer.picture_format(), number)).expect("a frame that fits");
    }
    writer.finish().expect("a finished file");
    path
}

fn file(directory: &Path, name: &str, content: &[u8]) -> PathBuf {
    let path = directory.join(name);
    std::fs::write(&path, content).expect("a writable place");
    path
}

fn error_of(path: &Path) -> OpenError {
    open(path).err().unwrap_or_else(|| panic!("{} was opened", path.display()))
}

/// Opens and reads a file to its end or its first error; says whether there was one.
fn fails_somewhere(path: &Path) -> bool {
    let Ok(mut reader) = open(path) else { return true };
    let mut picture = empty_picture();
    loop {
        match reader.read(&mut picture) {
            Ok(true) => assert_eq!(picture.data.len(), picture.format.bytes()),
            Ok(false) => return false,
            Err(_) => return true,
        }
    }
}

#[test]
fn files_that_are_no_video_are_named_for_what_they_are() {
    let directory = tempfile::tempdir().expect("a directory");
    let at = directory.path();
    assert!(matches!(error_of(&at.join("missing.mp4")), OpenError::Io { .. }));
    assert!(matches!(error_of(at), OpenError::Io { .. }));
    assert!(matches!(error_of(&file(at, "empty.mp4", b"")), OpenError::Empty { .. }));
    assert!(matches!(error_of(&file(at, "text.mp4", b"hello, this is text")), OpenError::Unknown { .. }));
    assert!(matches!(error_of(&file(at, "one.png", b"\x89")), OpenError::Unknown { .. }));
    assert!(matches!(error_of(&file(at, "cut.png", b"\x89PNG\r\n\x1a\n")), OpenError::Damaged { .. }));
    assert!(matches!(error_of(&file(at, "cut.jpg", b"\xff\xd8\xff\xe0\x00")), OpenError::Damaged { .. }));
    let no_header = b"\0\0\0\x10ftypisom\0\0\0\0\0\0\0\x08mdat";
    assert!(matches!(error_of(&file(at, "cut.mp4", no_header)), OpenError::Damaged { .. }));
    let endless_box = b"\0\0\0\x01ftyp\xff\xff\xff\xff\xff\xff\xff\xff";
    assert!(matches!(error_of(&file(at, "endless.mp4", endless_box)), OpenError::Damaged { .. }));
    assert!(matches!(error_of(&at.join("none-%04d.png")), OpenError::Sequence { .. }));
    assert!(matches!(error_of(&at.join("bad-%s.png")), OpenError::Sequence { .. }));
}

#[test]
fn a_pipe_is_refused_instead_of_waited_for() {
    let directory = tempfile::tempdir().expect("a directory");
    let pipe = directory.path().join("pipe.mp4");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().is_ok_and(|status| status.success());
    if !made {
        println!("SKIPPED: mkfifo is not there");
        return;
    }
    assert!(matches!(error_of(&pipe), OpenError::Io { .. }));
    assert!(matches!(error_of(Path::new("/dev/zero")), OpenError::Io { .. }));
}

#[test]
fn raw_video_headers_are_checked() {
    let directory = tempfile::tempdir().expect("a directory");
    let at = directory.path();
    let header = |name: &str, fields: &str| file(at, name, format!("YUV4MPEG2 {fields}\n").as_bytes());
    assert!(matches!(error_of(&header("huge.y4m", "W60000 H60000 F25:1")), OpenError::TooLarge { .. }));
    assert!(matches!(error_of(&header("none.y4m", "W0 H10 F25:1")), OpenError::Damaged { .. }));
    assert!(matches!(error_of(&header("words.y4m", "Wx Hy")), OpenError::Damaged { .. }));
    assert!(matches!(error_of(&header("big.y4m", "W99999999999999999999 H1")), OpenError::Damaged { .. }));
    assert!(matches!(error_of(&header("rate.y4m", "W2 H2 F0:1")), OpenError::Damaged { .. }));
    assert!(matches!(error_of(&header("deep.y4m", "W2 H2 C420p10")), OpenError::Codec { .. }));
    assert!(matches!(error_of(&header("fields.y4m", "W2 H2 It")), OpenError::Codec { .. }));
    let cut = file(at, "cut.y4m", b"YUV4MPEG2 W2 H2 F25:1\nFRAME\nabc");
    let mut reader = open(&cut).expect("a sound header");
    assert!(matches!(reader.read(&mut empty_picture()), Err(ReadError::Truncated { frame: 0, .. })));
    let noise = file(at, "noise.y4m", b"YUV4MPEG2 W2 H2 F25:1\nFRAME\nabcdefNOISE");
    let mut reader = open(&noise).expect("a sound header");
    assert!(reader.read(&mut empty_picture()).expect("the first frame"));
    assert!(matches!(reader.read(&mut empty_picture()), Err(ReadError::Damaged { frame: 1, .. })));
}

#[test]
fn a_picture_that_declares_a_huge_size_is_refused_before_it_is_decoded() {
    let directory = tempfile::tempdir().expect("a directory");
    // A PNG header for 60000 × 60000 pixels; its checksum is right, there are no pixels.
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    let body = [0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60, 8, 6, 0, 0, 0];
    png.extend_from_slice(&body);
    let checksum = [&b"IHDR"[..], &body].concat().iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(
            crc ^ u32::from(byte),
            |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 },
        )
    });
    png.extend_from_slice(&(!checksum).to_be_bytes());
    // A whole first chunk of data, so that only the size can be the objection.
    png.extend_from_slice(b"\0\0\0\0IDAT\x35\xaf\x06\x1e");
    let path = file(directory.path(), "huge.png", &png);
    let error = error_of(&path);
    assert!(matches!(error, OpenError::TooLarge { .. }), "{error:?}");
}

#[test]
fn other_codecs_and_kinds_of_h264_are_refused_by_name() {
    if !has_ffmpeg() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let video = ["-f", "lavfi", "-i", "testsrc2=size=64x48:rate=10:duration=0.5"];
    let sound = ["-f", "lavfi", "-i", "sine=duration=0.5"];
    let key = "76a6c65c5ea762046bd749a2e632ccbb";
    for (name, arguments, expected) in [
        ("hevc", [&video[..], &["-c:v", "libx265", "-x265-params", "log-level=none"]].concat(), "H.265"),
        ("mpeg4", [&video[..], &["-c:v", "mpeg4"]].concat(), "MPEG-4 Part 2"),
        ("deep", [&video[..], &["-c:v", "libx264", "-pix_fmt", "yuv420p10le"]].concat(), "10 bits"),
        ("chroma", [&video[..], &["-c:v", "libx264", "-pix_fmt", "yuv444p"]].concat(), "4:4:4 chroma"),
        (
            "fields",
            [&video[..], &["-c:v", "libx264", "-pix_fmt", "yuv420p", "-flags", "+ildct+ilme"]].concat(),
            "interlaced",
        ),
        ("sound", [&sound[..], &["-c:a", "aac"]].concat(), "no video track (it has: mp4a)"),
        (
            "secret",
            [
                &video[..],
                &[
                    "-c:v",
                    "libx264",
                    "-pix_fmt",
                    "yuv420p",
                    "-encryption_scheme",
                    "cenc-aes-ctr",
                    "-encryption_key",
                    key,
                    "-encryption_kid",
                    key,
                ],
            ]
            .concat(),
            "is encrypted",
        ),
    ] {
        let path = directory.path().join(format!("{name}.mp4"));
        ffmpeg(&arguments, &path);
        let error = error_of(&path).to_string();
        assert!(error.contains(expected), "{name}: {error}");
    }
}

#[test]
fn a_video_cut_at_any_length_is_an_error_and_never_fewer_frames_in_silence() {
    let directory = tempfile::tempdir().expect("a directory");
    let whole = std::fs::read(small_video(directory.path())).expect("readable");
    for length in (0..whole.len()).step_by(7) {
        let path = file(directory.path(), "cut.mp4", &whole[..length]);
        assert!(fails_somewhere(&path), "{length} of {} bytes were read as a whole video", whole.len());
    }
}

#[test]
fn two_thousand_damaged_videos_neither_panic_nor_hang() {
    let directory = tempfile::tempdir().expect("a directory");
    let whole = std::fs::read(small_video(directory.path())).expect("readable");
    // xorshift64*: the same files every time.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: usize| {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % below
    };
    let header = whole.windows(4).position(|window| window == b"moov").expect("a header");
    let mut failed = 0;
    for round in 0..2000 {
        let mut bytes = whole.clone();
        for _ in 0..=random(4) {
            // Every other file is hurt in its header only, where the sizes and counts are.
            let at = if round % 2 == 0 { header + random(bytes.len() - header) } else { random(bytes.len()) };
            bytes[at] = match random(4) {
                0 => 0,
                1 => 0xff,
                2 => bytes[at] ^ 1 << random(8),
                _ => random(256) as u8,
            };
        }
        if random(8) == 0 {
            bytes.truncate(random(bytes.len()));
        }
        let path = file(directory.path(), "damaged.mp4", &bytes);
        failed += usize::from(fails_somewhere(&path));
        drop(audio_of(&path));
    }
    println!("{failed} of 2000 gave an error");
    assert!(failed > 200);
}

#[test]
fn damaged_pictures_neither_panic_nor_hang() {
    let directory = tempfile::tempdir().expect("a directory");
    for name in ["a.png", "a.jpg"] {
        let path = directory.path().join(name);
        let mut writer = create(&path, &OutputOptions::new(Size::new(24, 16))).expect("a writable place");
        writer.write(&test_picture(writer.picture_format(), 0)).expect("a frame that fits");
        writer.finish().expect("a finished file");
        let whole = std::fs::read(&path).expect("readable");
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] = !bytes[at];
            fails_somewhere(&file(directory.path(), "flipped", &bytes));
            fails_somewhere(&file(directory.path(), "cut", &whole[..at]));
        }
    }
}
