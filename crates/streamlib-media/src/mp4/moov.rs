//! Builds the movie header of a written file.

use mp4_atom::{
    Avc1, Avcc, BufMut, Co64, Colr, Dinf, Dref, DrefEntry, Edts, Elst, ElstEntry, Encode, FourCC, Hdlr, Mdhd,
    Mvhd, Smhd, Stco, Stsc, StscEntry, Stss, Stsz, StszSamples, Stts, SttsEntry, Tkhd, Url, Visual, Vmhd,
};
use streamlib_core::color::{YuvMatrix, YuvRange};
use streamlib_core::frame::Timestamp;
use streamlib_core::picture::PictureFormat;

use super::matrix_code;
use crate::audio::AudioTrack;

/// Samples of one track as they were written.
#[derive(Default)]
pub(super) struct TrackLog {
    /// Size of each sample in bytes.
    pub(super) sizes: Vec<u32>,
    /// Runs of samples that lie together: position in the file, and how many.
    pub(super) chunks: Vec<(u64, u32)>,
    /// Where the next sample goes if it lies beside the last.
    end: u64,
}

impl TrackLog {
    pub(super) fn push(&mut self, position: u64, size: u32) {
        match self.chunks.last_mut() {
            Some((_, count)) if self.end == position => *count += 1,
            _ => self.chunks.push((position, 1)),
        }
        self.sizes.push(size);
        self.end = position + u64::from(size);
    }

    /// Encodes the sample table. `durations` are in ticks, one for each sample.
    fn encode_table(
        &self,
        buffer: &mut Vec<u8>,
        entry: &[u8],
        durations: impl Iterator<Item = u32>,
        keys: Option<&[u32]>,
    ) -> mp4_atom::Result<()> {
        // The sample entry is copied as bytes: the typed sample description drops what it does not know.
        buffer.encode_atom(*b"stsd", |buffer| {
            0_u32.encode(buffer)?;
            1_u32.encode(buffer)?;
            entry.encode(buffer)
        })?;
        let mut stts: Vec<SttsEntry> = Vec::new();
        for sample_delta in durations {
            match stts.last_mut() {
                Some(run) if run.sample_delta == sample_delta => run.sample_count += 1,
                _ => stts.push(SttsEntry { sample_count: 1, sample_delta }),
            }
        }
        Stts { entries: stts }.encode(buffer)?;
        keys.map(|keys| Stss { entries: keys.to_vec() }).encode(buffer)?;
        let mut stsc: Vec<StscEntry> = Vec::new();
        for (index, &(_, samples_per_chunk)) in self.chunks.iter().enumerate() {
            if stsc.last().is_none_or(|run| run.samples_per_chunk != samples_per_chunk) {
                let first_chunk = index as u32 + 1;
                stsc.push(StscEntry { first_chunk, samples_per_chunk, sample_description_index: 1 });
            }
        }
        Stsc { entries: stsc }.encode(buffer)?;
        Stsz { samples: StszSamples::Different { sizes: self.sizes.clone() } }.encode(buffer)?;
        let positions = self.chunks.iter().map(|&(position, _)| position);
        let short: Result<Vec<u32>, _> = positions.clone().map(u32::try_from).collect();
        match short {
            Ok(entries) => Stco { entries }.encode(buffer),
            Err(_) => Co64 { entries: positions.collect() }.encode(buffer),
        }
    }
}

/// The video track of a written file.
pub(super) struct VideoLog<'a> {
    pub(super) log: &'a TrackLog,
    pub(super) format: PictureFormat,
    /// Sequence and picture parameter set.
    pub(super) parameter_sets: &'a (Vec<u8>, Vec<u8>),
    /// Numbers of the key frames, from 1.
    pub(super) keys: &'a [u32],
    /// Ticks a second.
    pub(super) timescale: u32,
    /// Ticks of each frame.
    pub(super) durations: Vec<u32>,
}

/// The `moov` box, ready to be written.
pub(super) fn movie(
    video: &VideoLog<'_>,
    audio: Option<(&AudioTrack, &TrackLog)>,
) -> mp4_atom::Result<Vec<u8>> {
    let timescale = video.timescale;
    let mut tracks = Vec::new();
    let mut duration = encode_video(video, &mut tracks)?;
    if let Some((track, log)) = audio {
        duration = duration.max(encode_audio(track, log, timescale, &mut tracks)?);
    }
    let next_track_id = if audio.is_some() { 3 } else { 2 };
    let mut bytes = Vec::new();
    bytes.encode_atom(*b"moov", |bytes| {
        Mvhd { timescale, duration, rate: 1.into(), volume: 1.into(), next_track_id, ..Mvhd::default() }
            .encode(bytes)?;
        tracks.encode(bytes)
    })?;
    Ok(bytes)
}

/// Appends the video's `trak` box and returns its duration in ticks.
fn encode_video(video: &VideoLog<'_>, buffer: &mut Vec<u8>) -> mp4_atom::Result<u64> {
    let size = video.format.size;
    let (width, height) = (size.width as u16, size.height as u16);
    let color = video.format.color;
    // BT.601 is signalled with the 525-line primaries and transfer, as the H.264 stream itself does.
    let code = u16::from(match color.matrix {
        YuvMatrix::Bt601 => matrix_code::BT601,
        YuvMatrix::Bt709 => matrix_code::BT709,
    });
    let description = Avc1 {
        visual: Visual { data_reference_index: 1, width, height, ..Visual::default() },
        avcc: Avcc::new(&video.parameter_sets.0, &video.parameter_sets.1)?,
        colr: Some(Colr::new(code, code, code, color.range == YuvRange::Full)?),
        ..Avc1::default()
    };
    let mut entry = Vec::new();
    description.encode(&mut entry)?;
    let duration = video.durations.iter().map(|&ticks| u64::from(ticks)).sum();
    let header = Tkhd {
        track_id: 1,
        duration,
        enabled: true,
        in_movie: true,
        width: width.into(),
        height: height.into(),
        ..Tkhd::default()
    };
    let clock = clock(video.timescale, duration);
    buffer.encode_atom(*b"trak", |buffer| {
        header.encode(buffer)?;
        encode_media(buffer, &clock, (b"vide", "VideoHandler"), |buffer| {
            Vmhd::default().encode(buffer)?;
            self_contained().encode(buffer)?;
            buffer.encode_atom(*b"stbl", |buffer| {
                let durations = video.durations.iter().copied();
                video.log.encode_table(buffer, &entry, durations, Some(video.keys))
            })
        })
    })?;
    Ok(duration)
}

/// Appends the sound's `trak` box and returns its duration in ticks of the movie.
fn encode_audio(
    audio: &AudioTrack,
    log: &TrackLog,
    movie_timescale: u32,
    buffer: &mut Vec<u8>,
) -> mp4_atom::Result<u64> {
    let written = &audio.packets[..log.sizes.len()];
    let end = written.last().map_or(0, |last| last.presented + i64::from(last.duration));
    let edits = edits(audio, end.min(audio.media_end), movie_timescale);
    let duration = edits.entries.iter().map(|edit| edit.segment_duration).sum();
    let header = Tkhd {
        track_id: 2,
        duration,
        alternate_group: 1,
        enabled: true,
        in_movie: true,
        volume: 1.into(),
        ..Tkhd::default()
    };
    let clock = clock(audio.timescale, written.iter().map(|packet| u64::from(packet.duration)).sum());
    buffer.encode_atom(*b"trak", |buffer| {
        header.encode(buffer)?;
        Edts { elst: Some(edits) }.encode(buffer)?;
        encode_media(buffer, &clock, (b"soun", "SoundHandler"), |buffer| {
            Smhd::default().encode(buffer)?;
            self_contained().encode(buffer)?;
            buffer.encode_atom(*b"stbl", |buffer| {
                log.encode_table(buffer, &audio.entry, written.iter().map(|packet| packet.duration), None)
            })
        })
    })?;
    Ok(duration)
}

/// Appends an `mdia` box, whose `minf` box has the given body.
fn encode_media(
    buffer: &mut Vec<u8>,
    clock: &Mdhd,
    (handler, name): (&[u8; 4], &str),
    body: impl FnOnce(&mut Vec<u8>) -> mp4_atom::Result<()>,
) -> mp4_atom::Result<()> {
    buffer.encode_atom(*b"mdia", |buffer| {
        clock.encode(buffer)?;
        Hdlr { handler: FourCC::new(handler), name: name.to_owned() }.encode(buffer)?;
        buffer.encode_atom(*b"minf", body)
    })
}

fn clock(timescale: u32, duration: u64) -> Mdhd {
    Mdhd { timescale, duration, language: "und".to_owned(), ..Mdhd::default() }
}

/// Keeps the sound where it was beside the video: the source's own start, and its delay against the first frame.
fn edits(audio: &AudioTrack, media_end: i64, movie_timescale: u32) -> Elst {
    let delay = audio.delay;
    let early = Timestamp(-delay.0.min(0)).to_ticks(audio.timescale);
    let start = audio.media_start.saturating_add(early).clamp(0, media_end.max(0));
    let length = Timestamp::from_ticks(media_end.saturating_sub(start), audio.timescale);
    let mut entries = Vec::new();
    if delay.0 > 0 {
        let segment_duration = delay.to_ticks(movie_timescale) as u64;
        entries.push(ElstEntry { segment_duration, media_time: None, media_rate: 1.into() });
    }
    let segment_duration = length.to_ticks(movie_timescale).max(0) as u64;
    entries.push(ElstEntry { segment_duration, media_time: Some(start as u64), media_rate: 1.into() });
    Elst { entries }
}

/// The media are in this file.
fn self_contained() -> Dinf {
    Dinf { dref: Dref { entries: vec![DrefEntry::Url(Url::default())] } }
}
