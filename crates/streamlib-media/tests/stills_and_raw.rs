//! PNG, JPEG, sequences and Y4M.

mod common;

use common::{empty_picture, ffmpeg, has_ffmpeg, names_in, psnr, read_all, read_file, run, test_picture};
use streamlib_core::color::{ColorSpace, YuvMatrix, YuvRange};
use streamlib_core::format::Size;
use streamlib_core::frame::Timestamp;
use streamlib_core::picture::{Picture, PictureFormat, PictureLayout};
use streamlib_media::{CreateError, Notice, OutputOptions, ReadError, WriteError, create, open};

fn rgba_picture(size: Size, number: u32) -> Picture {
    let format = PictureFormat { size, layout: PictureLayout::Rgba8, color: ColorSpace::default() };
    test_picture(format, number)
}

#[test]
fn a_png_keeps_every_byte_and_its_alpha_at_odd_sizes_too() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("a.png");
    let picture = rgba_picture(Size::new(33, 17), 3);
    let mut writer = create(&path, &OutputOptions::new(picture.format.size)).expect("a writable place");
    writer.write(&picture).expect("a frame that fits");
    let written = writer.finish().expect("a finished file");
    assert_eq!((written.frames, written.paths), (1, vec![path.clone()]));
    let (info, pictures) = read_file(&path);
    assert!(info.is_still && info.container == "PNG");
    assert_eq!(pictures.len(), 1);
    assert!(pictures[0].data == picture.data);
}

#[test]
fn a_second_frame_for_one_picture_is_refused_with_a_pattern_to_use() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("shot.png");
    let picture = rgba_picture(Size::new(8, 8), 0);
    let mut writer = create(&path, &OutputOptions::new(picture.format.size)).expect("a writable place");
    writer.write(&picture).expect("a frame that fits");
    let error = writer.write(&picture).expect_err("a refusal");
    assert!(
        matches!(&error, WriteError::SecondFrame { suggestion, .. } if suggestion == "shot-%04d.png"),
        "{error}"
    );
    drop(writer);
    assert_eq!(names_in(directory.path()), Vec::<String>::new());
}

#[test]
fn a_sequence_comes_back_in_order_and_ends_at_the_first_gap() {
    let directory = tempfile::tempdir().expect("a directory");
    let pattern = directory.path().join("f-%03d.png");
    let mut writer = create(&pattern, &OutputOptions::new(Size::new(20, 10))).expect("a writable place");
    for number in 0..5 {
        writer.write(&rgba_picture(Size::new(20, 10), number)).expect("a frame that fits");
    }
    let visible = |names: Vec<String>| names.into_iter().filter(|name| !name.starts_with('.')).count();
    assert_eq!(
        visible(names_in(directory.path())),
        0,
        "a picture has its name before the sequence is finished"
    );
    let written = writer.finish().expect("finished files");
    assert_eq!(written.paths.len(), 5);
    assert_eq!(names_in(directory.path()).len(), 5);
    let (info, pictures) = read_file(&pattern);
    assert_eq!((info.frames, info.frame_rate, info.is_still), (Some(5), Some((30, 1)), false));
    for (number, picture) in pictures.iter().enumerate() {
        assert!(picture.data == rgba_picture(Size::new(20, 10), number as u32).data);
        assert_eq!(picture.timestamp, Timestamp::from_ticks(number as i64, 30));
    }
    std::fs::remove_file(directory.path().join("f-000.png")).expect("removable");
    std::fs::remove_file(directory.path().join("f-003.png")).expect("removable");
    assert_eq!(read_file(&pattern).1.len(), 2, "numbers 1 and 2");
    std::fs::copy(directory.path().join("f-004.png"), directory.path().join("f-003.png")).expect("copied");
    let mut odd =
        create(&directory.path().join("f-002.png"), &OutputOptions::new(Size::new(4, 4))).expect("writable");
    odd.write(&rgba_picture(Size::new(4, 4), 0)).expect("a frame that fits");
    odd.finish().expect("a finished file");
    let mut reader = open(&pattern).expect("readable");
    assert!(reader.read(&mut empty_picture()).expect("number 1"));
    assert!(matches!(reader.read(&mut empty_picture()), Err(ReadError::SizeChanged { frame: 1, .. })));
}

#[test]
fn a_sequence_that_is_not_finished_leaves_nothing() {
    let directory = tempfile::tempdir().expect("a directory");
    let pattern = directory.path().join("f-%d.jpg");
    let mut writer = create(&pattern, &OutputOptions::new(Size::new(8, 8))).expect("a writable place");
    writer.write(&rgba_picture(Size::new(8, 8), 0)).expect("a frame that fits");
    drop(writer);
    assert_eq!(names_in(directory.path()), Vec::<String>::new());
}

#[test]
fn a_jpeg_is_close_and_kinds_of_pictures_become_rgba() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("a.JPG");
    let picture = rgba_picture(Size::new(65, 31), 3);
    let mut writer = create(&path, &OutputOptions::new(picture.format.size)).expect("a writable place");
    writer.write(&picture).expect("a frame that fits");
    writer.finish().expect("a finished file");
    let found = &read_file(&path).1[0];
    let rgb = |data: &[u8]| -> Vec<u8> { data.chunks(4).flat_map(|pixel| pixel[..3].to_vec()).collect() };
    assert!(psnr(&rgb(&found.data), &rgb(&picture.data)) > 30.0);
    if !has_ffmpeg() {
        return;
    }
    let source = ["-f", "lavfi", "-i", "testsrc2=size=32x16:rate=1:duration=1", "-frames:v", "1", "-pix_fmt"];
    for (name, format) in [
        ("grey.png", "gray"),
        ("deep.png", "rgb48be"),
        ("palette.png", "pal8"),
        ("bits.png", "monob"),
        ("grey.jpg", "gray"),
        ("full.jpg", "yuvj444p"),
    ] {
        let path = directory.path().join(name);
        let extra: &[&str] = if name == "grey.jpg" { &["-strict", "-1"] } else { &[] };
        ffmpeg(&[&source[..], &[format], extra].concat(), &path);
        let (info, pictures) = read_file(&path);
        assert_eq!(info.format.layout, PictureLayout::Rgba8, "{name}");
        let raw = run("ffmpeg", &["-i"], &path, &["-f", "rawvideo", "-pix_fmt", "rgba", "-"]);
        let difference = pictures[0].data.iter().zip(&raw).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0);
        assert!(difference <= if name.ends_with("png") { 1 } else { 6 }, "{name}: {difference}");
    }
}

#[test]
fn content_decides_and_not_the_name() {
    let directory = tempfile::tempdir().expect("a directory");
    let (png, lie) = (directory.path().join("a.png"), directory.path().join("b.mp4"));
    let mut writer = create(&png, &OutputOptions::new(Size::new(8, 8))).expect("a writable place");
    writer.write(&rgba_picture(Size::new(8, 8), 0)).expect("a frame that fits");
    writer.finish().expect("a finished file");
    std::fs::rename(&png, &lie).expect("renamed");
    assert_eq!(open(&lie).expect("readable").info().codec, "PNG");
}

#[test]
fn raw_video_comes_back_byte_for_byte_with_its_rate_and_colour() {
    let directory = tempfile::tempdir().expect("a directory");
    for (size, rate) in [(Size::new(64, 48), (30_000, 1001)), (Size::new(17, 9), (25, 2))] {
        let path = directory.path().join("a.y4m");
        let color = ColorSpace { matrix: YuvMatrix::Bt709, range: YuvRange::Full };
        let options = OutputOptions { color, frame_rate: Some(rate), ..OutputOptions::new(size) };
        let mut writer = create(&path, &options).expect("a writable place");
        let pictures: Vec<Picture> = (0..4)
            .map(|number| Picture {
                timestamp: Timestamp::from_ticks(i64::from(number * rate.1), rate.0),
                ..test_picture(writer.picture_format(), number)
            })
            .collect();
        for picture in &pictures {
            writer.write(picture).expect("a frame that fits");
        }
        let written = writer.finish().expect("a finished file");
        assert_eq!(written.notices, vec![]);
        let (info, found) = read_file(&path);
        assert_eq!((info.frame_rate, info.frames, info.format.color), (Some(rate), Some(4), color));
        assert!(found == pictures);
        if has_ffmpeg() {
            let raw = run("ffmpeg", &["-i"], &path, &["-f", "rawvideo", "-"]);
            assert!(raw == pictures.iter().flat_map(|picture| picture.data.clone()).collect::<Vec<u8>>());
        }
    }
}

#[test]
fn raw_video_of_the_reference_is_read_in_each_layout() {
    if !has_ffmpeg() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    for (format, layout) in
        [("yuv420p", PictureLayout::I420), ("yuv444p", PictureLayout::I444), ("gray", PictureLayout::Grey8)]
    {
        let path = directory.path().join(format!("{format}.y4m"));
        let source =
            ["-f", "lavfi", "-i", "testsrc2=size=35x21:rate=24000/1001:duration=0.3", "-strict", "-1"];
        ffmpeg(&[&source[..], &["-pix_fmt", format]].concat(), &path);
        let mut reader = open(&path).expect("readable");
        assert_eq!(reader.info().format.layout, layout);
        let frames = reader.info().frames;
        let pictures = read_all(reader.as_mut());
        assert_eq!(frames, Some(pictures.len() as u64));
        let raw = run("ffmpeg", &["-i"], &path, &["-f", "rawvideo", "-"]);
        assert!(
            raw == pictures.iter().flat_map(|picture| picture.data.clone()).collect::<Vec<u8>>(),
            "{format}"
        );
    }
}

#[test]
fn times_that_raw_video_cannot_keep_are_told() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("a.y4m");
    let mut writer = create(&path, &OutputOptions::new(Size::new(8, 8))).expect("a writable place");
    for (number, time) in [0, 33_333_333, 90_000_000].into_iter().enumerate() {
        let mut picture = test_picture(writer.picture_format(), number as u32);
        picture.timestamp = Timestamp(time);
        writer.write(&picture).expect("a frame that fits");
    }
    let written = writer.finish().expect("a finished file");
    assert_eq!(written.notices, vec![Notice::TimesLeftOut { frame_rate: (30, 1) }]);
}

#[test]
fn places_that_cannot_be_written_are_refused_with_advice() {
    let directory = tempfile::tempdir().expect("a directory");
    let at = directory.path();
    let options = OutputOptions::new(Size::new(16, 16));
    for name in ["no/such/place.mp4", "no/f-%d.png"] {
        let error = create(&at.join(name), &options).err().expect("a refusal");
        assert!(
            matches!(error, CreateError::Io { .. }) && error.to_string().contains("directory exists"),
            "{error}"
        );
    }
    std::fs::create_dir(at.join("taken.png")).expect("a directory");
    assert!(matches!(create(&at.join("taken.png"), &options), Err(CreateError::Io { .. })));
    for name in ["out", "out.avi", "out.txt"] {
        assert!(matches!(create(&at.join(name), &options), Err(CreateError::UnknownExtension { .. })));
    }
    assert!(matches!(create(&at.join("f-%d-%d.png"), &options), Err(CreateError::Sequence { .. })));
    assert!(matches!(create(&at.join("f-%d.mp4"), &options), Err(CreateError::Sequence { .. })));
    let rate = OutputOptions { frame_rate: Some((0, 1)), ..options };
    assert!(matches!(create(&at.join("a.y4m"), &rate), Err(CreateError::Option { .. })));
    for size in [Size::new(0, 4), Size::new(20_000, 4)] {
        assert!(matches!(
            create(&at.join("a.png"), &OutputOptions::new(size)),
            Err(CreateError::Size { .. })
        ));
    }
    assert_eq!(names_in(at), vec!["taken.png".to_owned()]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_for_every_format() {
    let directory = tempfile::tempdir().expect("a directory");
    for name in ["a.mp4", "a.y4m", "a.png", "a.jpg"] {
        let path = directory.path().join(name);
        std::os::unix::fs::symlink("/dev/full", &path).expect("a link");
        let outcome =
            create(&path, &OutputOptions::new(Size::new(320, 240))).map_err(|error| error.to_string());
        let outcome = outcome.and_then(|mut writer| {
            for number in 0..if name.ends_with("mp4") || name.ends_with("y4m") { 40 } else { 1 } {
                let picture = test_picture(writer.picture_format(), number);
                writer.write(&picture).map_err(|error| error.to_string())?;
            }
            writer.finish().map_err(|error| error.to_string())
        });
        let error = outcome.expect_err("the disk is full");
        assert!(error.contains("free some space"), "{error}");
    }
}

#[test]
fn an_existing_file_stays_until_the_new_one_is_complete() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("a.png");
    std::fs::write(&path, b"old").expect("writable");
    let picture = rgba_picture(Size::new(8, 8), 0);
    let mut writer = create(&path, &OutputOptions::new(picture.format.size)).expect("a writable place");
    writer.write(&picture).expect("a frame that fits");
    assert_eq!(std::fs::read(&path).expect("readable"), b"old");
    writer.finish().expect("a finished file");
    assert_eq!(read_file(&path).1.len(), 1);
    assert_eq!(names_in(directory.path()), vec!["a.png".to_owned()]);
}
