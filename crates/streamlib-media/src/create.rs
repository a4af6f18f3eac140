//! Chooses the writer by the name of the output.

use std::path::Path;

use crate::error::CreateError;
use crate::mp4::Mp4Writer;
use crate::pattern::Pattern;
use crate::sequence::SequenceWriter;
use crate::still::{StillFormat, StillWriter};
use crate::stream::{OutputOptions, VideoWriter};
use crate::y4m::Y4mWriter;

/// Starts a file: `.mp4` (H.264), `.y4m` (raw), `.png` or `.jpg` (one picture), or a pattern such as
/// `frame-%04d.png` (a picture for each frame, from number 0).
///
/// Nothing appears under the name before [`finish`](VideoWriter::finish); an existing file stays until then.
///
/// # Errors
/// When the name does not say a format, the format cannot hold the size or an option, or the place cannot be
/// written to.
pub fn create(path: &Path, options: &OutputOptions) -> Result<Box<dyn VideoWriter>, CreateError> {
    let size = options.size;
    if size.width == 0 || size.height == 0 || size.width > crate::MAX_SIDE || size.height > crate::MAX_SIDE {
        let why = format!("pictures are from 1x1 to {limit}x{limit} pixels", limit = crate::MAX_SIDE);
        return Err(CreateError::Size { path: path.to_owned(), size, why });
    }
    if let Some((num, den)) = options.frame_rate
        && (num == 0 || den == 0)
    {
        return Err(CreateError::Option {
            option: "the frame rate",
            found: format!("{num}/{den}"),
            advice: "write it as a fraction such as 30/1 or 30000/1001",
        });
    }
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let unknown = || CreateError::UnknownExtension { path: path.to_owned() };
    let still = StillFormat::of_extension(extension);
    if let Some(pattern) = Pattern::parse(path) {
        let refused = |what| CreateError::Sequence { pattern: path.to_owned(), what };
        let pattern = pattern.map_err(refused)?;
        let still = still.ok_or_else(|| refused("a sequence is of .png or .jpg files".to_owned()))?;
        return Ok(Box::new(SequenceWriter::create(pattern, still, options)?));
    }
    Ok(match extension.to_ascii_lowercase().as_str() {
        "mp4" | "m4v" => Box::new(Mp4Writer::create(path, options)?),
        "y4m" => Box::new(Y4mWriter::create(path, options)?),
        _ => Box::new(StillWriter::create(path, still.ok_or_else(unknown)?, options)?),
    })
}
