//! What a screen can show where it lies: texel formats, and for each how rows may lie.

use std::io;

use drm::buffer::DrmFourcc;
use drm::control::{Device as _, plane};
use streamlib_core::format::TextureFormat;

use super::card::Card;
use super::way::value;

/// `DRM_FORMAT_MOD_LINEAR`: row by row.
pub(super) const LINEAR: u64 = 0;
/// Formats of one plane that the property names: a mask for the modifiers of each 64.
const MASK: usize = 64;

/// Formats of a plane, each with format modifiers of `drm_fourcc.h`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PlaneFormats(Vec<(u32, Vec<u64>)>);

impl PlaneFormats {
    /// Those of a plane. Without modifiers rows have to lie one after the other.
    pub(super) fn of(card: &Card, handle: plane::Handle) -> io::Result<Self> {
        if card.takes_modifiers()
            && let Some(blob) = value(card, handle, "IN_FORMATS")?.filter(|blob| *blob != 0)
            && let Some(found) = Self::parse(&card.get_property_blob(blob)?)
        {
            return Ok(found);
        }
        let plane = card.get_plane(handle)?;
        Ok(Self(plane.formats().iter().map(|format| (*format, vec![LINEAR])).collect()))
    }

    /// The modifiers that the plane shows a texel format with; none where it does not show it at all.
    pub(super) fn modifiers(&self, format: TextureFormat) -> Vec<u64> {
        let Some(code) = fourcc(format) else { return vec![] };
        let found = self.0.iter().filter(|(known, _)| *known == code as u32);
        found.flat_map(|(_, modifiers)| modifiers).copied().collect()
    }

    /// Reads a `struct drm_format_modifier_blob`; `None` when it does not hold together.
    fn parse(blob: &[u8]) -> Option<Self> {
        let at = |index: usize| u32_at(blob, index * 4).map(|number| number as usize);
        let (formats, formats_at) = (at(2)?, at(3)?);
        let (modifiers, modifiers_at) = (at(4)?, at(5)?);
        // Before anything is allocated for them.
        blob.get(formats_at..formats_at.checked_add(formats.checked_mul(4)?)?)?;
        blob.get(modifiers_at..modifiers_at.checked_add(modifiers.checked_mul(24)?)?)?;
        let codes = (0..formats).map(|index| u32_at(blob, formats_at + 4 * index));
        let mut found: Vec<(u32, Vec<u64>)> =
            codes.map(|code| Some((code?, vec![]))).collect::<Option<_>>()?;
        for index in 0..modifiers {
            let entry = modifiers_at + 24 * index;
            let (mask, first) = (u64_at(blob, entry)?, u32_at(blob, entry + 8)? as usize);
            let modifier = u64_at(blob, entry + 16)?;
            let named = (0..MASK).filter(|bit| mask & (1 << bit) != 0);
            for place in named.filter_map(|bit| first.checked_add(bit)) {
                if let Some((_, modifiers)) = found.get_mut(place) {
                    modifiers.push(modifier);
                }
            }
        }
        Some(Self(found))
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_ne_bytes(bytes.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(8)?)?;
    Some(u64::from_ne_bytes(bytes.try_into().ok()?))
}

/// The kernel's word for a texel format that screens show. Alpha is not looked at.
pub(super) fn fourcc(format: TextureFormat) -> Option<DrmFourcc> {
    match format {
        TextureFormat::Bgra8 | TextureFormat::Bgra8Srgb => Some(DrmFourcc::Xrgb8888),
        TextureFormat::Rgba8 | TextureFormat::Rgba8Srgb => Some(DrmFourcc::Xbgr8888),
        TextureFormat::Rgba16Float | TextureFormat::R8 | TextureFormat::Rg8 => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A blob as the kernel makes it, of formats and of modifiers with a mask and the first format that it means.
    fn blob(formats: &[u32], modifiers: &[(u64, u32, u64)]) -> Vec<u8> {
        let (count, many) = (formats.len() as u32, modifiers.len() as u32);
        let modifiers_at = (24 + 4 * count).next_multiple_of(8);
        let mut bytes: Vec<u8> =
            [1, 0, count, 24, many, modifiers_at].into_iter().flat_map(u32::to_ne_bytes).collect();
        bytes.extend(formats.iter().flat_map(|format| format.to_ne_bytes()));
        bytes.resize(modifiers_at as usize, 0);
        for (mask, first, modifier) in modifiers {
            bytes.extend(mask.to_ne_bytes());
            bytes.extend(first.to_ne_bytes());
            bytes.extend([0; 4]);
            bytes.extend(modifier.to_ne_bytes());
        }
        bytes
    }

    #[test]
    fn formats_have_the_modifiers_whose_masks_name_them() {
        let others = 0x2020_2020;
        let mut formats = vec![DrmFourcc::Xrgb8888 as u32];
        formats.resize(65, others);
        formats.push(DrmFourcc::Xbgr8888 as u32);
        let parsed = PlaneFormats::parse(&blob(
            &formats,
            &[(1, 0, LINEAR), (0b11, 64, LINEAR), (1, 0, 77), (2, 64, 9)],
        ));
        let parsed = parsed.expect("a whole blob");
        assert_eq!(parsed.modifiers(TextureFormat::Bgra8), [LINEAR, 77]);
        assert_eq!(parsed.modifiers(TextureFormat::Bgra8Srgb), [LINEAR, 77]);
        assert_eq!(parsed.modifiers(TextureFormat::Rgba8), [LINEAR, 9]);
        assert!(parsed.modifiers(TextureFormat::R8).is_empty());
    }

    #[test]
    fn a_blob_that_does_not_hold_together_is_none() {
        let whole = blob(&[1, 2, 3], &[(7, 0, 0), (u64::MAX, u32::MAX, 5)]);
        assert!(PlaneFormats::parse(&whole).is_some());
        for length in 0..whole.len() {
            assert_eq!(PlaneFormats::parse(&whole[..length]), None, "{length} bytes of it");
        }
        for place in [2, 3, 4, 5] {
            let mut wrong = whole.clone();
            wrong[place * 4..place * 4 + 4].copy_from_slice(&u32::MAX.to_ne_bytes());
            assert_eq!(PlaneFormats::parse(&wrong), None, "number {place}");
        }
    }
}
