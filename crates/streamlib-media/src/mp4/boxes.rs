//! The box structure of ISO base media files (ISO/IEC 14496-12 §4.2), read without trusting any size in it.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

/// What is wrong with a file, in words.
pub(crate) type Damage = String;

/// A movie header larger than this is refused: an hour of video has about a megabyte.
const MAX_HEADER_BYTES: u64 = 256 << 20;

/// The boxes inside `body`, one after the other. Trailing bytes too few for a box are padding.
pub(super) fn boxes(mut body: &[u8]) -> impl Iterator<Item = Result<([u8; 4], &[u8]), Damage>> {
    std::iter::from_fn(move || {
        if body.len() < 8 {
            return None;
        }
        let kind = [body[4], body[5], body[6], body[7]];
        let declared = u64::from(u32::from_be_bytes([body[0], body[1], body[2], body[3]]));
        let (header, size) = match declared {
            0 => (8, body.len() as u64),
            1 if body.len() >= 16 => {
                let large = body[8..16].try_into().expect("eight bytes");
                (16, u64::from_be_bytes(large))
            }
            size => (8, size),
        };
        if size < header || size > body.len() as u64 {
            body = &[];
            return Some(Err(format!("its box `{}` declares {size} bytes", name(kind))));
        }
        let (this, rest) = body.split_at(size as usize);
        body = rest;
        Some(Ok((kind, &this[header as usize..])))
    })
}

/// The first box of `kind` inside `body`, if the boxes before it are sound.
pub(super) fn child<'a>(body: &'a [u8], kind: &[u8; 4]) -> Option<&'a [u8]> {
    boxes(body).map_while(Result::ok).find(|(found, _)| found == kind).map(|(_, inner)| inner)
}

/// As [`child`], but it must be there.
pub(super) fn require<'a>(body: &'a [u8], kind: &[u8; 4]) -> Result<&'a [u8], Damage> {
    child(body, kind).ok_or_else(|| format!("its box `{}` is missing", name(*kind)))
}

/// Decodes the body of a box with the MP4 crate.
pub(super) fn decode<T: mp4_atom::Atom>(mut body: &[u8]) -> Result<T, Damage> {
    T::decode_body(&mut body).map_err(|error| format!("its box `{}` is wrong ({error})", T::KIND))
}

/// A box kind for people.
pub(super) fn name(kind: [u8; 4]) -> String {
    kind.map(|byte| if byte.is_ascii_graphic() { char::from(byte) } else { '?' }).iter().collect()
}

/// The parts of a file that describe it: the movie header and the headers of its fragments.
pub(super) struct Headers {
    /// Body of `moov`.
    pub(super) movie: Option<Vec<u8>>,
    /// Position of each `moof` box in the file, and its body.
    pub(super) fragments: Vec<(u64, Vec<u8>)>,
}

/// Walks the boxes of a file, leaving the media data where they are.
pub(super) fn headers(file: &mut File, length: u64) -> io::Result<Result<Headers, Damage>> {
    let mut headers = Headers { movie: None, fragments: Vec::new() };
    let mut position = 0;
    let mut held = 0;
    while length.saturating_sub(position) >= 8 {
        file.seek(SeekFrom::Start(position))?;
        let mut start = [0; 16];
        file.read_exact(&mut start[..8])?;
        let kind = [start[4], start[5], start[6], start[7]];
        let declared = u64::from(u32::from_be_bytes([start[0], start[1], start[2], start[3]]));
        let (header, size) = match declared {
            0 => (8, length - position),
            1 if length - position >= 16 => {
                file.read_exact(&mut start[8..])?;
                (16, u64::from_be_bytes(start[8..].try_into().expect("eight bytes")))
            }
            size => (8, size),
        };
        let end = position.checked_add(size).filter(|_| size >= header);
        let Some(end) = end else {
            return Ok(Err(format!("its box `{}` declares {size} bytes", name(kind))));
        };
        let wanted = kind == *b"moov" || kind == *b"moof";
        if wanted && end > length {
            return Ok(Err(format!("its box `{}` is cut short", name(kind))));
        }
        if wanted {
            held += size;
            if held > MAX_HEADER_BYTES {
                return Ok(Err(format!("its headers are larger than {MAX_HEADER_BYTES} bytes")));
            }
            let mut body = vec![0; (size - header) as usize];
            file.read_exact(&mut body)?;
            if kind == *b"moov" {
                headers.movie = Some(body);
            } else {
                headers.fragments.push((position, body));
            }
        }
        position = end;
    }
    Ok(Ok(headers))
}
