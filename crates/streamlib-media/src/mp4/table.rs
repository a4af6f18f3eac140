//! The sample table of a track: where each sample is and when it is shown (ISO/IEC 14496-12 §8.6, §8.7).

use mp4_atom::{Co64, Ctts, Stco, Stsc, Stsz, StszSamples, Stts};

use super::boxes::{Damage, child, decode, require};

/// One coded picture, or one packet of sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sample {
    /// Position in the file.
    pub(crate) offset: u64,
    /// Bytes.
    pub(crate) size: u32,
    /// Decoding time in ticks.
    pub(crate) decoded: i64,
    /// Presentation time in ticks, before edits.
    pub(crate) presented: i64,
    /// Ticks to the next sample in decoding order.
    pub(crate) duration: u32,
}

/// Samples of a track beyond which it is refused: 46 hours at 60 frames a second. Uncompressed sound can have more.
pub(super) const MAX_SAMPLES: usize = 10_000_000;

/// Reads the table in `stbl` of a file that is `length` bytes long.
pub(super) fn sample_table(stbl: &[u8], length: u64) -> Result<Vec<Sample>, Damage> {
    let sizes = match decode::<Stsz>(require(stbl, b"stsz")?)?.samples {
        StszSamples::Different { sizes } => sizes,
        StszSamples::Identical { count, size } => {
            // A count that the file cannot hold must not become an allocation.
            let bytes = u64::from(count).saturating_mul(u64::from(size));
            if bytes > length || count as usize > MAX_SAMPLES {
                return Err(format!("it declares {count} samples of {size} bytes, more than can be"));
            }
            vec![size; count as usize]
        }
    };
    if sizes.is_empty() {
        return Ok(Vec::new());
    }
    let offsets = offsets(stbl, &sizes)?;
    let durations = decode::<Stts>(require(stbl, b"stts")?)?;
    let mut durations = durations
        .entries
        .iter()
        .flat_map(|run| std::iter::repeat_n(run.sample_delta, run.sample_count as usize));
    let shifts = match child(stbl, b"ctts") {
        Some(body) => decode::<Ctts>(body)?.entries,
        None => Vec::new(),
    };
    let mut shifts = shifts
        .iter()
        // Some writers store negative shifts in the unsigned form.
        .map(|run| (run.sample_offset as u32 as i32, run.sample_count as usize))
        .flat_map(|(shift, count)| std::iter::repeat_n(shift, count));
    let mut decoded = 0_i64;
    let mut samples = Vec::with_capacity(sizes.len());
    for (&size, offset) in sizes.iter().zip(offsets) {
        let duration = durations.next().ok_or("its time table ends before its samples do")?;
        let presented = decoded + i64::from(shifts.next().unwrap_or(0));
        samples.push(Sample { offset, size, decoded, presented, duration });
        decoded += i64::from(duration);
    }
    Ok(samples)
}

/// File position of each sample.
fn offsets(stbl: &[u8], sizes: &[u32]) -> Result<Vec<u64>, Damage> {
    let chunks: Vec<u64> = match child(stbl, b"stco") {
        Some(body) => decode::<Stco>(body)?.entries.into_iter().map(u64::from).collect(),
        None => decode::<Co64>(require(stbl, b"co64")?)?.entries,
    };
    let runs = decode::<Stsc>(require(stbl, b"stsc")?)?.entries;
    let mut offsets = Vec::with_capacity(sizes.len());
    for (index, run) in runs.iter().enumerate() {
        let first = run.first_chunk as usize;
        let end = runs.get(index + 1).map_or(chunks.len() + 1, |next| next.first_chunk as usize);
        let run_chunks = first
            .checked_sub(1)
            .and_then(|start| chunks.get(start..end.checked_sub(1)?))
            .ok_or("its chunk table is out of order")?;
        for &chunk in run_chunks {
            let mut position = chunk;
            for _ in 0..run.samples_per_chunk {
                let Some(&size) = sizes.get(offsets.len()) else {
                    return Ok(offsets);
                };
                offsets.push(position);
                position = position.checked_add(u64::from(size)).ok_or("a sample lies beyond any file")?;
            }
        }
    }
    if offsets.len() < sizes.len() {
        return Err(format!("its chunks hold {} samples, but it declares {}", offsets.len(), sizes.len()));
    }
    Ok(offsets)
}
