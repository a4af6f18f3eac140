//! Real files are read exactly as the reference decoder reads them.

mod common;

use std::path::Path;

use common::{empty_picture, has_ffmpeg, probed_times, psnr, real_video, run};
use streamlib_core::format::Size;
use streamlib_core::frame::Timestamp;
use streamlib_media::AudioInfo;

/// Every frame, in order, with the reference's time stamp and, to `decibels` at least, the reference's pixels.
fn assert_reads_like_the_reference(path: &Path, decibels: f64) -> u64 {
    let (ticks, timescale) = probed_times(path);
    let raw = run(
        "ffmpeg",
        &["-i"],
        path,
        &["-map", "0:v:0", "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-"],
    );
    let mut reader = streamlib_media::open(path).expect("a readable file");
    let bytes = reader.info().format.bytes();
    assert_eq!(
        raw.len(),
        ticks.len() * bytes,
        "the reference decoded another number of frames than it timed"
    );
    assert_eq!(reader.info().frames, Some(ticks.len() as u64));
    let mut picture = empty_picture();
    for (frame, (tick, expected)) in ticks.iter().zip(raw.chunks_exact(bytes)).enumerate() {
        assert!(reader.read(&mut picture).expect("a readable frame"), "the end came before frame {frame}");
        assert_eq!(
            picture.timestamp,
            Timestamp::from_ticks(tick - ticks[0], timescale),
            "time of frame {frame}"
        );
        let found = if picture.data == expected { f64::INFINITY } else { psnr(&picture.data, expected) };
        assert!(found >= decibels, "pixels of frame {frame} differ: {found} dB");
    }
    assert!(!reader.read(&mut picture).expect("the end"), "there are more frames than the reference has");
    ticks.len() as u64
}

#[test]
fn a_baseline_video_is_read_frame_for_frame_like_the_reference() {
    let Some(path) = real_video("car-detection.mp4") else {
        return;
    };
    if !has_ffmpeg() {
        return;
    }
    assert_eq!(assert_reads_like_the_reference(&path, f64::INFINITY), 377);
    let reader = streamlib_media::open(&path).expect("a readable file");
    assert_eq!(reader.info().format.size, Size::new(768, 432));
    assert_eq!(reader.info().frame_rate, Some((25, 2)));
    assert_eq!(reader.info().audio, AudioInfo::PassThrough { codec: "mp4a".to_owned(), further_tracks: 0 });
}

// OpenH264 predicts direct-mode blocks of B pictures not quite as the standard says: in this file a quarter of the
// frames have up to 183 of 345,600 samples off by up to 6. Streams without direct mode are exact: see `mp4_write`.
#[test]
fn a_high_profile_video_with_reordered_frames_is_read_like_the_reference() {
    let Some(path) = real_video("bottle-detection.mp4") else {
        return;
    };
    if !has_ffmpeg() {
        return;
    }
    assert_eq!(assert_reads_like_the_reference(&path, 70.0), 1189);
    let reader = streamlib_media::open(&path).expect("a readable file");
    assert_eq!(reader.info().frame_rate, Some((179, 6)));
    assert_eq!(reader.info().audio, AudioInfo::None);
}
