//! Samples of fragmented movies (ISO/IEC 14496-12 §8.8).

use mp4_atom::{Tfdt, Tfhd, Trex, Trun};

use super::boxes::{Damage, boxes, child, decode, require};
use super::table::{MAX_SAMPLES, Sample};

/// What the movie header says about samples whose fragment does not.
pub(super) struct Defaults(Vec<Trex>);

impl Defaults {
    pub(super) fn parse(movie: &[u8]) -> Self {
        let extends = child(movie, b"mvex").unwrap_or_default();
        let found = boxes(extends).map_while(Result::ok).filter(|(kind, _)| kind == b"trex");
        Self(found.filter_map(|(_, body)| decode::<Trex>(body).ok()).collect())
    }

    fn of(&self, track: u32) -> Option<&Trex> {
        self.0.iter().find(|trex| trex.track_id == track)
    }
}

/// Appends the samples that `fragments` hold for `track`.
pub(super) fn fragment_samples(
    fragments: &[(u64, Vec<u8>)],
    track: u32,
    defaults: &Defaults,
    samples: &mut Vec<Sample>,
) -> Result<(), Damage> {
    let mut time = samples.last().map_or(0, |last| last.decoded + i64::from(last.duration));
    for (position, body) in fragments {
        for found in boxes(body) {
            let (kind, traf) = found?;
            if kind != *b"traf" {
                continue;
            }
            let header: Tfhd = decode(require(traf, b"tfhd")?)?;
            if header.track_id != track {
                continue;
            }
            if let Some(body) = child(traf, b"tfdt") {
                let start = decode::<Tfdt>(body)?.base_media_decode_time;
                // So that sums of times cannot overflow.
                const LATEST: u64 = 1 << 60;
                if start > LATEST {
                    return Err("a fragment begins beyond any time".to_owned());
                }
                time = start as i64;
            }
            let base = header.base_data_offset.unwrap_or(*position);
            time = runs(traf, (&header, defaults.of(track)), (base, time), samples)?;
        }
    }
    Ok(())
}

/// Appends the samples of one fragment's runs and returns the time at which they end.
fn runs(
    traf: &[u8],
    (header, defaults): (&Tfhd, Option<&Trex>),
    (base, mut time): (u64, i64),
    samples: &mut Vec<Sample>,
) -> Result<i64, Damage> {
    let mut offset = base;
    for found in boxes(traf) {
        let (kind, body) = found?;
        if kind != *b"trun" {
            continue;
        }
        let run: Trun = decode(body)?;
        if let Some(shift) = run.data_offset {
            offset =
                base.checked_add_signed(i64::from(shift)).ok_or("a fragment's data lie before the file")?;
        }
        for entry in run.samples.iter() {
            let size = entry.size.or(header.default_sample_size);
            let size = size.or(defaults.map(|trex| trex.default_sample_size)).unwrap_or(0);
            let duration = entry.duration.or(header.default_sample_duration);
            let duration = duration.or(defaults.map(|trex| trex.default_sample_duration)).unwrap_or(0);
            if samples.len() >= MAX_SAMPLES {
                // A run of a few bytes can declare four billion samples.
                return Err(format!("its fragments declare more than {MAX_SAMPLES} samples"));
            }
            let presented = time.saturating_add(entry.cts.unwrap_or(0));
            samples.push(Sample { offset, size, decoded: time, presented, duration });
            offset = offset.checked_add(u64::from(size)).ok_or("a sample lies beyond any file")?;
            time = time.saturating_add(i64::from(duration));
        }
    }
    Ok(time)
}
