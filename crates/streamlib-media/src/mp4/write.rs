//! Writes H.264 and copied sound into an MP4 file.

use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use mp4_atom::{Encode, Ftyp};
use streamlib_core::frame::Timestamp;
use streamlib_core::picture::{Picture, PictureFormat, PictureLayout};

use super::moov::{TrackLog, VideoLog, movie};
use crate::audio::AudioTrack;
use crate::error::{CreateError, WriteError};
use crate::h264::Encoder;
use crate::partial::PartialFile;
use crate::stream::{OutputOptions, Quality, VideoWriter, Written};

/// What the OpenH264 encoder takes, either way up.
const MAX_SIDES: (u32, u32) = (3840, 2160);
/// The smallest side it encodes.
const MIN_SIDE: u32 = 16;
/// Frames a second assumed where nothing says.
const DEFAULT_RATE: (u32, u32) = (30, 1);

/// Clocks tried, in order, until one counts every frame's time exactly; the last is fine enough for any.
const TIMESCALES: [u32; 9] = [90_000, 600, 1_000, 12_800, 24_000, 30_000, 48_000, 60_000, 1_000_000];

/// An MP4 file in the making.
pub(crate) struct Mp4Writer {
    file: PartialFile,
    path: PathBuf,
    format: PictureFormat,
    encoder: Encoder,
    rate: Option<(u32, u32)>,
    video: TrackLog,
    keys: Vec<u32>,
    times: Vec<Timestamp>,
    parameter_sets: Option<(Vec<u8>, Vec<u8>)>,
    sound: Option<(AudioTrack, TrackLog)>,
    packet: Vec<u8>,
    /// Where the `mdat` box begins.
    media: u64,
    /// Where the next byte goes.
    position: u64,
}

impl Mp4Writer {
    pub(crate) fn create(path: &Path, options: &OutputOptions) -> Result<Self, CreateError> {
        check(path, options)?;
        let format = PictureFormat { size: options.size, layout: PictureLayout::I420, color: options.color };
        let (num, den) = options.frame_rate.unwrap_or(DEFAULT_RATE);
        let rate = (num as f32 / den as f32).clamp(1.0, 240.0);
        let encoder = Encoder::new(format, rate, options.quality)
            .map_err(|error| CreateError::Encoder { what: error.to_string() })?;
        let failed = |source| CreateError::Io { path: path.to_owned(), source };
        let mut file = PartialFile::create(path).map_err(failed)?;
        let mut start = Vec::new();
        let brands = [b"isom", b"iso2", b"avc1", b"mp41"].map(|brand| (*brand).into()).to_vec();
        Ftyp { major_brand: (*b"isom").into(), minor_version: 512, compatible_brands: brands }
            .encode(&mut start)
            .map_err(|error| CreateError::Encoder { what: error.to_string() })?;
        let media = start.len() as u64;
        // A size of 1 says that the 64-bit size follows; it is filled in at the end.
        start.extend_from_slice(&[0, 0, 0, 1]);
        start.extend_from_slice(b"mdat");
        start.extend_from_slice(&[0; 8]);
        file.writer().write_all(&start).map_err(failed)?;
        Ok(Self {
            file,
            path: path.to_owned(),
            format,
            encoder,
            rate: options.frame_rate,
            video: TrackLog::default(),
            keys: Vec::new(),
            times: Vec::new(),
            parameter_sets: None,
            sound: options.audio.clone().map(|track| (track, TrackLog::default())),
            packet: Vec::new(),
            media,
            position: start.len() as u64,
        })
    }

    fn failed(&self) -> impl Fn(io::Error) -> WriteError + use<> {
        let path = self.path.clone();
        move |source| WriteError::Io { path: path.clone(), source }
    }

    /// Copies the packets of sound that begin before `time`.
    fn copy_sound(&mut self, time: Timestamp) -> Result<(), WriteError> {
        let failed = self.failed();
        let Some((track, log)) = &mut self.sound else {
            return Ok(());
        };
        while let Some(packet) = track.packets.get(log.sizes.len())
            && track.time_of(packet) < time
        {
            track
                .read(packet, &mut self.packet)
                .map_err(|source| WriteError::Audio { path: self.path.clone(), source })?;
            self.file.writer().write_all(&self.packet).map_err(&failed)?;
            log.push(self.position, packet.size);
            self.position += u64::from(packet.size);
        }
        Ok(())
    }

    fn last_duration(&self) -> Timestamp {
        let (num, den) = self.rate.unwrap_or(DEFAULT_RATE);
        match self.times.as_slice() {
            [.., before, last] => Timestamp(last.0 - before.0),
            _ => Timestamp::from_ticks(i64::from(den), num),
        }
    }
}

impl VideoWriter for Mp4Writer {
    fn picture_format(&self) -> PictureFormat {
        self.format
    }

    fn write(&mut self, picture: &Picture) -> Result<(), WriteError> {
        if picture.format != self.format || picture.data.len() != self.format.bytes() {
            return Err(WriteError::Format {
                path: self.path.clone(),
                expected: self.format,
                found: picture.format,
            });
        }
        let frame = self.times.len() as u64;
        let found = picture.timestamp;
        if let Some(&previous) = self.times.last()
            && found <= previous
        {
            return Err(WriteError::Order { frame, previous, found });
        }
        let encoded = self.encoder.encode(picture).map_err(|error| WriteError::Encoder {
            path: self.path.clone(),
            frame,
            what: error.to_string(),
        })?;
        let first = self.times.first().copied().unwrap_or(found);
        self.copy_sound(Timestamp(found.0.saturating_sub(first.0)))?;
        let failed = self.failed();
        self.file.writer().write_all(&encoded.sample).map_err(failed)?;
        self.video.push(self.position, encoded.sample.len() as u32);
        self.position += encoded.sample.len() as u64;
        self.times.push(found);
        if encoded.is_key {
            self.keys.push(self.times.len() as u32);
        }
        if self.parameter_sets.is_none() {
            self.parameter_sets = encoded.parameter_sets;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Written, WriteError> {
        let Some(&first) = self.times.first() else {
            return Err(WriteError::NoFrames { path: self.path.clone() });
        };
        let encoder_failed =
            |path: &Path, what: String| WriteError::Encoder { path: path.to_owned(), frame: 0, what };
        let parameter_sets = self
            .parameter_sets
            .take()
            .ok_or_else(|| encoder_failed(&self.path, "it stated no parameter sets".to_owned()))?;
        let since_first = |time: &Timestamp| Timestamp(time.0.saturating_sub(first.0));
        let mut times: Vec<Timestamp> = self.times.iter().map(since_first).collect();
        let end = Timestamp(times[times.len() - 1].0.saturating_add(self.last_duration().0));
        times.push(end);
        let whole = self.sound.as_ref().is_some_and(|(track, _)| end.0 + 1_000_000 >= track.video_duration.0);
        self.copy_sound(if whole { Timestamp(i64::MAX) } else { end })?;
        let timescale = exact_timescale(&times, self.rate);
        let ticks: Vec<i64> = times.iter().map(|time| time.to_ticks(timescale)).collect();
        let durations = ticks.windows(2).map(|pair| u32::try_from(pair[1] - pair[0]).unwrap_or(u32::MAX));
        let video = VideoLog {
            log: &self.video,
            format: self.format,
            parameter_sets: &parameter_sets,
            keys: &self.keys,
            timescale,
            durations: durations.collect(),
        };
        let sound = self.sound.as_ref().filter(|(_, log)| !log.sizes.is_empty());
        let header = movie(&video, sound.map(|(track, log)| (track, log)))
            .map_err(|error| encoder_failed(&self.path, error.to_string()))?;
        let failed = self.failed();
        let this = *self;
        let Self { mut file, path, media, position, times, .. } = this;
        let writer = file.writer();
        writer
            .write_all(&header)
            .and_then(|()| writer.seek(SeekFrom::Start(media + 8)))
            .and_then(|_| writer.write_all(&(position - media).to_be_bytes()))
            .map_err(&failed)?;
        let bytes = file.finish().map_err(&failed)?;
        Ok(Written {
            frames: times.len() as u64,
            bytes,
            paths: vec![path],
            duration: end,
            notices: Vec::new(),
        })
    }
}

/// A clock that counts every one of `times` exactly, if a usual one does; else one of microseconds.
fn exact_timescale(times: &[Timestamp], rate: Option<(u32, u32)>) -> u32 {
    const FINE: u32 = 90_000;
    let nominal = rate.and_then(|(num, _)| num.checked_mul(FINE.div_ceil(num)));
    let exact =
        |&scale: &u32| times.iter().all(|time| Timestamp::from_ticks(time.to_ticks(scale), scale) == *time);
    let mut candidates = nominal.into_iter().chain(TIMESCALES);
    candidates.find(exact).unwrap_or(TIMESCALES[TIMESCALES.len() - 1])
}

fn check(path: &Path, options: &OutputOptions) -> Result<(), CreateError> {
    let size = options.size;
    let refused = |why: String| Err(CreateError::Size { path: path.to_owned(), size, why });
    let (long, short) = (size.width.max(size.height), size.width.min(size.height));
    if long > MAX_SIDES.0 || short > MAX_SIDES.1 {
        return refused(format!(
            "the H.264 encoder takes at most {}x{} either way up; write a smaller size, or .y4m or pictures",
            MAX_SIDES.0, MAX_SIDES.1
        ));
    }
    if short < MIN_SIDE {
        return refused(format!(
            "the H.264 encoder takes at least {MIN_SIDE} pixels each way; write a larger size, or .y4m or pictures"
        ));
    }
    if size.width % 2 == 1 || size.height % 2 == 1 {
        return refused(format!(
            "H.264 with 4:2:0 chroma holds even sizes only; write {}x{}, or .y4m or pictures",
            size.width & !1,
            size.height & !1
        ));
    }
    match options.quality {
        Quality::Quantizer(q) if q > 51 => Err(CreateError::Option {
            option: "the quantiser",
            found: q.to_string(),
            advice: "it goes from 0 (best) to 51",
        }),
        Quality::Bitrate(bits) if !(10_000..=400_000_000).contains(&bits) => Err(CreateError::Option {
            option: "the bit rate",
            found: format!("{bits} bit/s"),
            advice: "it goes from 10000 to 400000000",
        }),
        _ => Ok(()),
    }
}
