//! Reads the H.264 track of an MP4 file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use mp4_atom::Avcc;
use streamlib_core::color::{ColorSpace, YuvMatrix, YuvRange};
use streamlib_core::format::Size;
use streamlib_core::frame::Timestamp;
use streamlib_core::picture::{Picture, PictureFormat, PictureLayout};

use super::boxes::{child, decode, headers};
use super::matrix_code;
use super::movie::{Movie, Track, colr};
use super::table::Sample;
use crate::audio::audio_info;
use crate::error::{OpenError, ReadError};
use crate::h264::{DecodeError, Decoder, Sps};
use crate::stream::{StreamInfo, VideoReader};

/// Pictures that a stream may hold back to bring them in order; H.264 allows 16.
const MAX_REORDERED: usize = 16;

/// Largest coded picture accepted, in bytes.
const MAX_SAMPLE_BYTES: u32 = 256 << 20;

/// Frames of an MP4 file in presentation order.
pub(crate) struct Mp4Reader {
    info: StreamInfo,
    path: PathBuf,
    file: File,
    decoder: Decoder,
    samples: Vec<Sample>,
    /// For each sample, its place in presentation order; `None` when an edit leaves it out.
    ranks: Vec<Option<usize>>,
    /// Presentation times, in order.
    times: Vec<Timestamp>,
    next_sample: usize,
    next_rank: usize,
    /// Decoded, but not yet due.
    waiting: BTreeMap<usize, Vec<u8>>,
    spare: Vec<Vec<u8>>,
    sample: Vec<u8>,
}

/// Reads the headers of an MP4 file.
pub(crate) fn load(path: &Path, file: &mut File) -> Result<Movie, OpenError> {
    let failed = |source| OpenError::Io { path: path.to_owned(), source };
    let damaged = |what| OpenError::Damaged { path: path.to_owned(), container: "MP4", what };
    let length = file.metadata().map_err(failed)?.len();
    let headers = headers(file, length).map_err(failed)?.map_err(damaged)?;
    Movie::parse(&headers, length).map_err(damaged)
}

impl Mp4Reader {
    pub(crate) fn open(path: &Path, mut file: File) -> Result<Self, OpenError> {
        let movie = load(path, &mut file)?;
        let damaged = |what: String| OpenError::Damaged { path: path.to_owned(), container: "MP4", what };
        let track = movie.tracks.iter().find(|track| track.handler == *b"vide").ok_or_else(|| {
            let found: Vec<String> = movie.tracks.iter().map(Track::codec_name).collect();
            let found = if found.is_empty() { "nothing".to_owned() } else { found.join(", ") };
            OpenError::NoVideo { path: path.to_owned(), found }
        })?;
        let description = Description::parse(path, track)?;
        let samples = track.samples.clone().map_err(damaged)?;
        if samples.is_empty() {
            return Err(damaged("its video track holds no frames".to_owned()));
        }
        let length = file.metadata().map_err(|source| OpenError::Io { path: path.to_owned(), source })?.len();
        check_extent(path, &samples, length)?;
        let decoder = Decoder::new(description.length_size, description.parameter_sets)
            .map_err(|error| damaged(format!("the decoder cannot be set up: {error}")))?;
        let order = Order::of(track, &samples);
        if order.times.is_empty() {
            return Err(damaged("its edit list shows no frame".to_owned()));
        }
        let info = StreamInfo {
            format: description.format,
            frame_rate: nominal_rate(&samples, track.timescale),
            frames: Some(order.times.len() as u64),
            duration: Some(order.duration),
            container: "MP4",
            codec: "H.264",
            audio: audio_info(&movie),
            is_still: false,
        };
        Ok(Self {
            info,
            path: path.to_owned(),
            file,
            decoder,
            samples,
            ranks: order.ranks,
            times: order.times,
            next_sample: 0,
            next_rank: 0,
            waiting: BTreeMap::new(),
            spare: Vec::new(),
            sample: Vec::new(),
        })
    }

    fn hand_out(&mut self, into: &mut Picture) {
        into.format = self.info.format;
        into.timestamp = self.times[self.next_rank];
        self.next_rank += 1;
    }

    /// Decodes the next sample into `planes`.
    fn decode_next(&mut self, planes: &mut Vec<u8>) -> Result<Option<usize>, ReadError> {
        let index = self.next_sample;
        let sample = self.samples[index];
        let (path, frame) = (self.path.clone(), self.ranks[index].unwrap_or(self.next_rank) as u64);
        self.sample.resize(sample.size as usize, 0);
        let read = self
            .file
            .seek(SeekFrom::Start(sample.offset))
            .and_then(|_| self.file.read_exact(&mut self.sample));
        if let Err(source) = read {
            return Err(match source.kind() {
                io::ErrorKind::UnexpectedEof => ReadError::Truncated { path, frame },
                _ => ReadError::Io { path, frame, source },
            });
        }
        self.next_sample += 1;
        match self.decoder.decode(&self.sample, self.info.format.size, planes) {
            Ok(()) => Ok(self.ranks[index]),
            Err(DecodeError::Damaged(what)) => Err(ReadError::Damaged { path, frame, what: what.to_owned() }),
            Err(DecodeError::Size(found)) => {
                Err(ReadError::SizeChanged { path, frame, expected: self.info.format.size, found })
            }
        }
    }
}

impl VideoReader for Mp4Reader {
    fn info(&self) -> &StreamInfo {
        &self.info
    }

    fn read(&mut self, into: &mut Picture) -> Result<bool, ReadError> {
        if self.next_rank == self.times.len() {
            return Ok(false);
        }
        if let Some(planes) = self.waiting.remove(&self.next_rank) {
            self.spare.push(std::mem::replace(&mut into.data, planes));
            self.hand_out(into);
            return Ok(true);
        }
        loop {
            // Every sample has a rank or none, so the due one is decoded before the samples run out.
            let mut planes = self.spare.pop().unwrap_or_default();
            match self.decode_next(&mut planes)? {
                Some(rank) if rank == self.next_rank => {
                    self.spare.push(std::mem::replace(&mut into.data, planes));
                    self.spare.truncate(MAX_REORDERED);
                    self.hand_out(into);
                    return Ok(true);
                }
                Some(rank) if self.waiting.len() < MAX_REORDERED => {
                    self.waiting.insert(rank, planes);
                }
                Some(_) => {
                    return Err(ReadError::Damaged {
                        path: self.path.clone(),
                        frame: self.next_rank as u64,
                        what: format!("its frames are further out of order than {MAX_REORDERED}"),
                    });
                }
                None => self.spare.push(planes),
            }
        }
    }
}

/// When each sample is shown.
struct Order {
    ranks: Vec<Option<usize>>,
    times: Vec<Timestamp>,
    duration: Timestamp,
}

impl Order {
    fn of(track: &Track, samples: &[Sample]) -> Self {
        let shown = track.edit.media_start..track.edit.media_end;
        let mut order: Vec<usize> =
            (0..samples.len()).filter(|&index| shown.contains(&samples[index].presented)).collect();
        order.sort_by_key(|&index| samples[index].presented);
        let mut ranks = vec![None; samples.len()];
        for (rank, &index) in order.iter().enumerate() {
            ranks[index] = Some(rank);
        }
        let first = order.first().map_or(0, |&index| samples[index].presented);
        let since_first = |ticks: i64| Timestamp::from_ticks(ticks - first, track.timescale);
        let times = order.iter().map(|&index| since_first(samples[index].presented)).collect();
        let ends = order.iter().map(|&index| samples[index].presented + i64::from(samples[index].duration));
        let duration = since_first(ends.max().unwrap_or(first));
        Self { ranks, times, duration }
    }
}

/// What the sample entry says.
struct Description {
    format: PictureFormat,
    length_size: usize,
    parameter_sets: Vec<Vec<u8>>,
}

impl Description {
    fn parse(path: &Path, track: &Track) -> Result<Self, OpenError> {
        /// Fields of a visual sample entry before its boxes, header included.
        const VISUAL_ENTRY_BYTES: usize = 86;
        let path = path.to_owned();
        let codec = |codec: String, advice| OpenError::Codec { path: path.clone(), codec, advice };
        let damaged = |what: String| OpenError::Damaged { path: path.clone(), container: "MP4", what };
        const CONVERT: &str =
            "convert it to H.264, for example with: ffmpeg -i IN -c:v libx264 -pix_fmt yuv420p OUT.mp4";
        match &track.codec() {
            b"avc1" | b"avc3" => {}
            b"encv" => return Err(OpenError::Encrypted { path: path.clone() }),
            other => return Err(codec(codec_name(*other), CONVERT)),
        }
        if track.entries != 1 {
            return Err(codec("a track whose codec settings change on the way".to_owned(), CONVERT));
        }
        let children = track
            .entry
            .get(VISUAL_ENTRY_BYTES..)
            .ok_or_else(|| damaged("its video description is cut short".to_owned()))?;
        let avcc = child(children, b"avcC")
            .ok_or_else(|| damaged("its H.264 configuration (`avcC`) is missing".to_owned()))?;
        let avcc: Avcc = decode(avcc).map_err(damaged)?;
        let sps = avcc.sequence_parameter_sets.first().and_then(|nal| Sps::parse(nal));
        let sps = sps.ok_or_else(|| damaged("its H.264 sequence parameter set cannot be read".to_owned()))?;
        if sps.size.width > crate::MAX_SIDE || sps.size.height > crate::MAX_SIDE {
            return Err(OpenError::TooLarge { path: path.clone(), size: sps.size });
        }
        let (kind, fits) = match sps {
            Sps { bit_depth, .. } if bit_depth != 8 => (format!("H.264 of {bit_depth} bits"), false),
            Sps { chroma_format, .. } if chroma_format != 1 => (
                format!(
                    "H.264 with {} chroma",
                    ["no", "4:2:0", "4:2:2"].get(chroma_format as usize).unwrap_or(&"4:4:4")
                ),
                false,
            ),
            Sps { frames_only: false, .. } => ("interlaced H.264".to_owned(), false),
            Sps { profile, .. } => {
                (format!("H.264 of profile {profile}"), matches!(profile, 66 | 77 | 88 | 100))
            }
        };
        if !fits {
            return Err(codec(kind, CONVERT));
        }
        let (colr_matrix, colr_full) = colr(children);
        let range =
            if sps.full_range.or(colr_full).unwrap_or(false) { YuvRange::Full } else { YuvRange::Limited };
        let matrix = matrix(sps.matrix, colr_matrix, sps.size);
        Ok(Self {
            format: PictureFormat {
                size: sps.size,
                layout: PictureLayout::I420,
                color: ColorSpace { matrix, range },
            },
            length_size: usize::from(avcc.length_size),
            parameter_sets: [avcc.sequence_parameter_sets, avcc.picture_parameter_sets].concat(),
        })
    }
}

/// The matrix that stream or container state, else the one that players assume.
fn matrix(stream: Option<u8>, container: Option<u8>, size: Size) -> YuvMatrix {
    const UNSPECIFIED: u8 = 2;
    let stated = |code: &u8| *code != UNSPECIFIED;
    let assumed = YuvMatrix::assumed_for_height(size.height);
    match stream.filter(stated).or(container.filter(stated)) {
        Some(matrix_code::BT709) => YuvMatrix::Bt709,
        Some(matrix_code::BT470BG | matrix_code::BT601) => YuvMatrix::Bt601,
        Some(code) => {
            tracing::warn!(code, ?assumed, "the stream's colour matrix is neither BT.601 nor BT.709");
            assumed
        }
        None => assumed,
    }
}

fn codec_name(entry: [u8; 4]) -> String {
    match &entry {
        b"hvc1" | b"hev1" | b"dvh1" | b"dvhe" => "H.265 (HEVC) video".to_owned(),
        b"av01" => "AV1 video".to_owned(),
        b"vp08" => "VP8 video".to_owned(),
        b"vp09" => "VP9 video".to_owned(),
        b"mp4v" => "MPEG-4 Part 2 video".to_owned(),
        b"jpeg" | b"mjpa" | b"mjpb" => "Motion JPEG video".to_owned(),
        _ => format!("video of the kind `{}`", super::boxes::name(entry)),
    }
}

/// Every sample must lie inside the file, and be of a size that a picture can have.
fn check_extent(path: &Path, samples: &[Sample], length: u64) -> Result<(), OpenError> {
    let outside = |sample: &&Sample| sample.offset.saturating_add(u64::from(sample.size)) > length;
    let missing = samples.iter().filter(outside).count();
    if missing > 0 {
        return Err(OpenError::Truncated { path: path.to_owned(), frames: samples.len(), missing });
    }
    if let Some(sample) = samples.iter().find(|sample| sample.size > MAX_SAMPLE_BYTES) {
        let what = format!("it declares a frame of {} bytes", sample.size);
        return Err(OpenError::Damaged { path: path.to_owned(), container: "MP4", what });
    }
    Ok(())
}

/// The commonest distance between frames, as frames per second.
fn nominal_rate(samples: &[Sample], timescale: u32) -> Option<(u32, u32)> {
    let mut counts = BTreeMap::new();
    for sample in samples.iter().filter(|sample| sample.duration > 0) {
        *counts.entry(sample.duration).or_insert(0_usize) += 1;
    }
    let (&ticks, _) = counts.iter().max_by_key(|&(_, count)| count)?;
    let divisor = gcd(timescale, ticks);
    Some((timescale / divisor, ticks / divisor))
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}
