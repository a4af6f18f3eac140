//! MP4 files (ISO/IEC 14496-12, -14, -15): H.264 in and out, other tracks copied.

mod boxes;
mod fragment;
mod moov;
mod movie;
mod read;
mod table;
mod write;

pub(crate) use movie::{Movie, Track};
pub(crate) use read::{Mp4Reader, load};
pub(crate) use table::Sample;
pub(crate) use write::Mp4Writer;

/// H.264 codes of `matrix_coefficients` (Table E-5), which are also those of the `colr` box.
mod matrix_code {
    pub(super) const BT709: u8 = 1;
    pub(super) const BT470BG: u8 = 5;
    pub(super) const BT601: u8 = 6;
}
