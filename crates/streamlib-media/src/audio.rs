//! Sound is not decoded: a track is copied, packet for packet, from MP4 to MP4.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use streamlib_core::frame::Timestamp;

use crate::error::OpenError;
use crate::mp4::{Movie, Sample, Track, load};
use crate::stream::AudioInfo;

/// A track of sound, to be copied unchanged. It keeps its file open.
#[derive(Clone, Debug)]
pub struct AudioTrack {
    pub(crate) source: Arc<File>,
    /// The sample entry as it stood in the file.
    pub(crate) entry: Vec<u8>,
    pub(crate) timescale: u32,
    /// Packets in order.
    pub(crate) packets: Vec<Sample>,
    /// Media time, in ticks, at which presentation begins.
    pub(crate) media_start: i64,
    /// Media time at which it ends.
    pub(crate) media_end: i64,
    /// When `media_start` is heard, relative to the first frame of the video beside it.
    pub(crate) delay: Timestamp,
    /// Where the video beside it ends. Sound beyond it is kept only by a video of that length.
    pub(crate) video_duration: Timestamp,
    codec: String,
}

impl AudioTrack {
    /// Kind of the sample entry: `mp4a` (AAC and others), `Opus`, `ac-3`, …
    #[must_use]
    pub fn codec(&self) -> &str {
        &self.codec
    }

    /// Number of packets.
    #[must_use]
    pub fn packets(&self) -> usize {
        self.packets.len()
    }

    /// When a packet begins, relative to the first frame of the video.
    pub(crate) fn time_of(&self, packet: &Sample) -> Timestamp {
        let ticks = packet.presented - self.media_start;
        Timestamp(self.delay.0.saturating_add(Timestamp::from_ticks(ticks, self.timescale).0))
    }

    /// Reads one packet.
    pub(crate) fn read(&self, packet: &Sample, into: &mut Vec<u8>) -> io::Result<()> {
        into.resize(packet.size as usize, 0);
        let mut file: &File = &self.source;
        file.seek(SeekFrom::Start(packet.offset))?;
        file.read_exact(into)
    }
}

/// The first sound track of an MP4 file, if it has one that can be copied into another MP4 file.
/// `None` for files of other formats, and where [`StreamInfo::audio`](crate::StreamInfo::audio) says why not.
///
/// # Errors
/// When the file cannot be read, or is damaged.
pub fn audio_of(path: &Path) -> Result<Option<AudioTrack>, OpenError> {
    let failed = |source| OpenError::Io { path: path.to_owned(), source };
    if !crate::open::is_mp4(path)? {
        return Ok(None);
    }
    let mut file = File::open(path).map_err(failed)?;
    let movie = load(path, &mut file)?;
    let Some(track) = audio_tracks(&movie).next() else {
        return Ok(None);
    };
    let (Ok(packets), None) = (&track.samples, obstacle(track)) else {
        return Ok(None);
    };
    let (first_frame, video_duration) = video_extent(&movie);
    Ok(Some(AudioTrack {
        source: Arc::new(file),
        entry: track.entry.clone(),
        timescale: track.timescale,
        packets: packets.clone(),
        media_start: track.edit.media_start,
        media_end: track.edit.media_end,
        delay: Timestamp(track.edit.delay.0.saturating_sub(first_frame.0)),
        video_duration,
        codec: track.codec_name(),
    }))
}

/// What a file's sound is, and whether it can be copied.
pub(crate) fn audio_info(movie: &Movie) -> AudioInfo {
    let mut tracks = audio_tracks(movie);
    let Some(track) = tracks.next() else {
        return AudioInfo::None;
    };
    let codec = track.codec_name();
    match obstacle(track) {
        None => AudioInfo::PassThrough { codec, further_tracks: tracks.count() },
        Some(reason) => AudioInfo::Unsupported { codec, reason },
    }
}

fn audio_tracks(movie: &Movie) -> impl Iterator<Item = &Track> {
    movie.tracks.iter().filter(|track| track.handler == *b"soun")
}

/// Why a track cannot be copied.
fn obstacle(track: &Track) -> Option<String> {
    match &track.samples {
        _ if track.codec() == *b"enca" => Some("it is encrypted".to_owned()),
        _ if track.entries != 1 => Some("its codec settings change on the way".to_owned()),
        Err(damage) => Some(damage.clone()),
        Ok(packets) if packets.is_empty() => Some("it is empty".to_owned()),
        Ok(_) => None,
    }
}

/// Movie time of the first shown frame, and the time from there to the end of the last.
fn video_extent(movie: &Movie) -> (Timestamp, Timestamp) {
    let video = movie.tracks.iter().find(|track| track.handler == *b"vide");
    let Some((track, samples)) = video.and_then(|track| Some((track, track.samples.as_ref().ok()?))) else {
        return (Timestamp(0), Timestamp(i64::MAX));
    };
    let shown = track.edit.media_start..track.edit.media_end;
    let shown = samples.iter().filter(|sample| shown.contains(&sample.presented));
    let first = shown.clone().map(|sample| sample.presented).min().unwrap_or(0);
    let end = shown.map(|sample| sample.presented + i64::from(sample.duration)).max().unwrap_or(0);
    (track.presented(first), Timestamp::from_ticks(end - first, track.timescale))
}
