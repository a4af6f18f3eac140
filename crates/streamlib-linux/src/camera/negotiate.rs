//! Which of its formats a camera is asked for.

use std::io;
use std::path::Path;

use streamlib_core::format::Size;

use super::capture::CameraOptions;
use super::codes::{PixelCode, codes};
use super::error::CameraError;
use super::list::{fourcc_name, pixel_formats, rates};
use super::places::SetFormat;
use crate::sys::Device;
use crate::sys::abi::planes::{self, FormatPlanes};
use crate::sys::abi::{self, Format, Fraction, Plain as _, StreamParameters};

/// An open node, and which of the two interfaces it speaks.
pub(super) struct Node<'a> {
    pub(super) path: &'a Path,
    pub(super) device: &'a Device,
    /// `VIDEO_CAPTURE` or `VIDEO_CAPTURE_MPLANE`.
    pub(super) kind: u32,
}

impl Node<'_> {
    /// Sets the format that meets the most of what is wanted, of those that are `usable` and offered; of several, the
    /// first in the order of [`codes`].
    pub(super) fn set_best(
        &self,
        options: &CameraOptions,
        usable: impl Fn(&PixelCode) -> bool,
    ) -> Result<(PixelCode, SetFormat), CameraError> {
        let offered = pixel_formats(self.device, self.kind);
        let wanted = |code: &PixelCode| {
            options.layout.is_none_or(|layout| layout == code.layout)
                && options.pixel_format.is_none_or(|fourcc| fourcc == code.fourcc)
                && usable(code)
        };
        let wanted: Vec<_> = codes().filter(wanted).collect();

        let size = match options.size {
            Some(size) => size,
            None => {
                self.current_size().map_err(|source| CameraError::of(self.path, "say its format", source))?
            }
        };
        if size.width == 0 || size.height == 0 {
            return Err(CameraError::BadSize { path: self.path.to_owned(), size });
        }
        let mut best: Option<(u32, PixelCode)> = None;
        let mut last = None;
        for &code in wanted.iter().filter(|code| offered.contains(&code.code())) {
            let Some(set) = self.set(&code, size)? else { continue };
            let score = self.score(&set, options);
            last = Some((code, set));
            if best.is_none_or(|(least, _)| score > least) {
                best = Some((score, code));
            }
            if score == BEST {
                break;
            }
        }
        let Some((_, code)) = best else { return Err(self.no_usable_format(offered, &wanted)) };
        match last {
            Some((last, set)) if last == code => Ok((code, set)),
            _ => match self.set(&code, size)? {
                Some(set) => Ok((code, set)),
                None => Err(self.no_usable_format(offered, &wanted)),
            },
        }
    }

    /// Asks for `rate` frames per second, of a driver that can be asked.
    pub(super) fn set_frame_rate(&self, rate: u32) -> io::Result<()> {
        let Some(mut parameters) = self.parameters()? else { return Ok(()) };
        parameters.time_per_frame = Fraction { numerator: 1, denominator: rate };
        self.device.call(&abi::S_PARM, &mut parameters)
    }

    /// Frames per second as a fraction, where the driver says.
    pub(super) fn frame_rate(&self) -> Option<(u32, u32)> {
        let Fraction { numerator, denominator } = self.parameters().ok()??.time_per_frame;
        (numerator > 0 && denominator > 0).then_some((denominator, numerator))
    }

    /// `None` of a driver that knows no frame rate.
    fn parameters(&self) -> io::Result<Option<StreamParameters>> {
        let mut parameters = StreamParameters { kind: self.kind, ..StreamParameters::zeroed() };
        match self.device.call(&abi::G_PARM, &mut parameters) {
            Err(error) if error.raw_os_error() == Some(libc::ENOTTY) => return Ok(None),
            other => other?,
        }
        Ok((parameters.capability & abi::CAP_TIME_PER_FRAME != 0).then_some(parameters))
    }

    fn current_size(&self) -> io::Result<Size> {
        let set: SetFormat = if self.kind == abi::VIDEO_CAPTURE_MPLANE {
            let mut current = FormatPlanes { kind: self.kind, ..FormatPlanes::zeroed() };
            self.device.call(&planes::G_FMT, &mut current)?;
            (&{ current.pix }).into()
        } else {
            let mut current = Format { kind: self.kind, ..Format::zeroed() };
            self.device.call(&abi::G_FMT, &mut current)?;
            (&current.pix).into()
        };
        Ok(set.size)
    }

    /// Sets a format; `None` when the driver sets another, or halves of pictures.
    fn set(&self, code: &PixelCode, size: Size) -> Result<Option<SetFormat>, CameraError> {
        let set = self.ask(code.code(), size);
        let set = set.map_err(|source| CameraError::of(self.path, "set the format", source))?;
        let right = set.fourcc == code.code() && abi::FIELDS_OF_WHOLE_PICTURES.contains(&set.field);
        Ok(right.then_some(set))
    }

    fn ask(&self, fourcc: u32, size: Size) -> io::Result<SetFormat> {
        if self.kind == abi::VIDEO_CAPTURE_MPLANE {
            let mut format = FormatPlanes { kind: self.kind, ..FormatPlanes::zeroed() };
            format.pix.width = size.width;
            format.pix.height = size.height;
            format.pix.fourcc = fourcc;
            format.pix.field = abi::FIELD_NONE;
            self.device.call(&planes::S_FMT, &mut format)?;
            Ok((&{ format.pix }).into())
        } else {
            let mut format = Format { kind: self.kind, ..Format::zeroed() };
            format.pix.width = size.width;
            format.pix.height = size.height;
            format.pix.fourcc = fourcc;
            format.pix.field = abi::FIELD_NONE;
            format.pix.private = abi::PRIV_MAGIC;
            self.device.call(&abi::S_FMT, &mut format)?;
            Ok((&format.pix).into())
        }
    }

    /// How much of what is wanted the format has; size before rate.
    fn score(&self, set: &SetFormat, options: &CameraOptions) -> u32 {
        let size = options.size.is_none_or(|size| size == set.size);
        let rate = options.frame_rate.is_none_or(|rate| {
            // Cameras list 29.97 for 30.
            let fastest = rates(self.device, set.fourcc, set.size).into_iter().next();
            fastest.is_none_or(|fastest| fastest > f64::from(rate) - 0.5)
        });
        2 * u32::from(size) + u32::from(rate)
    }

    fn no_usable_format(&self, offered: Vec<u32>, wanted: &[PixelCode]) -> CameraError {
        let names =
            |codes: &mut dyn Iterator<Item = u32>| codes.map(fourcc_name).collect::<Vec<_>>().join(", ");
        CameraError::NoUsableFormat {
            path: self.path.to_owned(),
            offered: names(&mut offered.into_iter()),
            wanted: names(&mut wanted.iter().map(|code| code.code())),
        }
    }
}

/// The score of a format that has all that is wanted.
const BEST: u32 = 3;
