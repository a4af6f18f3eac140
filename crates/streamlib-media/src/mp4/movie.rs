//! The tracks of a movie.

use mp4_atom::{Colr, Elst, ElstEntry, Hdlr, Mdhd, Mvhd, Tkhd};
use streamlib_core::frame::Timestamp;

use super::boxes::{Damage, Headers, boxes, child, decode, name, require};
use super::fragment::{Defaults, fragment_samples};
use super::table::{Sample, sample_table};

/// Everything but the media data.
pub(crate) struct Movie {
    pub(crate) tracks: Vec<Track>,
}

/// One track, its samples in decoding order.
pub(crate) struct Track {
    /// `vide`, `soun`, …
    pub(crate) handler: [u8; 4],
    /// Ticks a second.
    pub(crate) timescale: u32,
    /// The sample entry as it stands in the file, header included.
    pub(crate) entry: Vec<u8>,
    /// How many sample entries there are; samples may refer to any.
    pub(crate) entries: usize,
    /// Samples in decoding order, or what is wrong with their table: another track may still be sound.
    pub(crate) samples: Result<Vec<Sample>, Damage>,
    /// How the media are placed in time.
    pub(crate) edit: Edit,
}

/// Which part of a track's media is presented, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Edit {
    /// Media time, in the track's ticks, at which presentation begins.
    pub(crate) media_start: i64,
    /// Media time at which it ends.
    pub(crate) media_end: i64,
    /// Movie time at which `media_start` is presented.
    pub(crate) delay: Timestamp,
}

impl Track {
    /// The kind of sample entry: `avc1`, `mp4a`, …
    pub(crate) fn codec(&self) -> [u8; 4] {
        self.entry.get(4..8).map_or([0; 4], |kind| [kind[0], kind[1], kind[2], kind[3]])
    }

    /// Its name for people.
    pub(crate) fn codec_name(&self) -> String {
        name(self.codec())
    }

    /// Movie time of a media time.
    pub(crate) fn presented(&self, ticks: i64) -> Timestamp {
        let start = Timestamp::from_ticks(ticks.saturating_sub(self.edit.media_start), self.timescale);
        Timestamp(start.0.saturating_add(self.edit.delay.0))
    }
}

impl Movie {
    /// Reads the headers of a file that is `length` bytes long.
    pub(super) fn parse(headers: &Headers, length: u64) -> Result<Self, Damage> {
        let movie = headers.movie.as_deref().ok_or(
            "it has no movie header (`moov`); a recording that was cut off has none, and cannot be read",
        )?;
        let timescale = decode::<Mvhd>(require(movie, b"mvhd")?)?.timescale.max(1);
        let defaults = Defaults::parse(movie);
        let mut tracks = Vec::new();
        for found in boxes(movie) {
            let (kind, body) = found?;
            if kind == *b"trak" {
                let (mut track, id) = parse_track(body, timescale, length)?;
                if let Ok(samples) = &mut track.samples {
                    let fragments = fragment_samples(&headers.fragments, id, &defaults, samples);
                    if let Err(damage) = fragments {
                        track.samples = Err(damage);
                    }
                }
                tracks.push(track);
            }
        }
        Ok(Self { tracks })
    }
}

fn parse_track(body: &[u8], movie_timescale: u32, length: u64) -> Result<(Track, u32), Damage> {
    let id = decode::<Tkhd>(require(body, b"tkhd")?)?.track_id;
    let media = require(body, b"mdia")?;
    let handler = decode::<Hdlr>(require(media, b"hdlr")?)?.handler;
    let timescale = decode::<Mdhd>(require(media, b"mdhd")?)?.timescale;
    if timescale == 0 {
        return Err("a track has a clock of 0 ticks a second".to_owned());
    }
    let stbl = require(require(media, b"minf")?, b"stbl")?;
    // `stsd`: version and flags, number of entries, entries.
    let descriptions = require(stbl, b"stsd")?.get(8..).ok_or("a sample description is cut short")?;
    let first_size =
        descriptions.get(..4).map(|size| u32::from_be_bytes([size[0], size[1], size[2], size[3]]));
    let entry = first_size
        .and_then(|size| descriptions.get(..size as usize))
        .filter(|entry| entry.len() >= 16)
        .ok_or("a track has no sample description")?
        .to_vec();
    let entries = boxes(descriptions).map_while(Result::ok).count();
    let samples = sample_table(stbl, length);
    let list = match child(body, b"edts").and_then(|edits| child(edits, b"elst")) {
        Some(list) => decode::<Elst>(list)?.entries,
        None => Vec::new(),
    };
    let edit = edit(&list, timescale, movie_timescale);
    let handler = u32::from(handler).to_be_bytes();
    Ok((Track { handler, timescale, entry, entries, samples, edit }, id))
}

/// Empty edits delay the track; the first other one says which part of the media is shown. A list with several
/// such parts (a cut made by an editor) is read as the whole of the media.
fn edit(list: &[ElstEntry], timescale: u32, movie_timescale: u32) -> Edit {
    let delay: u64 = list
        .iter()
        .take_while(|entry| entry.media_time.is_none())
        .fold(0, |sum, entry| sum.saturating_add(entry.segment_duration));
    let delay = Timestamp::from_ticks(i64::try_from(delay).unwrap_or(i64::MAX), movie_timescale);
    let mut shown = list.iter().filter(|entry| entry.media_time.is_some());
    let whole = Edit { media_start: 0, media_end: i64::MAX, delay };
    let Some(first) = shown.next() else { return whole };
    if shown.next().is_some() {
        tracing::warn!("an edit list with several parts is ignored: the whole of the media is read");
        return whole;
    }
    let media_start = first.media_time.and_then(|time| i64::try_from(time).ok()).unwrap_or(0);
    let length =
        Timestamp::from_ticks(i64::try_from(first.segment_duration).unwrap_or(i64::MAX), movie_timescale);
    let media_end = match first.segment_duration {
        // A fragmented movie does not know its length.
        0 => i64::MAX,
        _ => media_start.saturating_add(length.to_ticks(timescale)),
    };
    Edit { media_start, media_end, delay }
}

/// Matrix and range that a `colr` box states, as H.264 codes.
pub(super) fn colr(children: &[u8]) -> (Option<u8>, Option<bool>) {
    match child(children, b"colr").map(decode::<Colr>) {
        Some(Ok(Colr::Nclx { matrix_coefficients, full_range_flag, .. })) => {
            (u8::try_from(matrix_coefficients).ok(), Some(full_range_flag))
        }
        Some(Ok(Colr::Nclc { matrix_coefficients, .. })) => (u8::try_from(matrix_coefficients).ok(), None),
        _ => (None, None),
    }
}
