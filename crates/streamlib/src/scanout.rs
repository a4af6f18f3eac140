//! What a sink `kms:` asks for: `kms:`, `kms:HDMI-A-1?mode=1920x1080@60&scale=fill&card=/dev/dri/card1`.

use std::path::PathBuf;

use streamlib_core::format::Size;
use streamlib_vulkan::Scaling;

use crate::display::{DisplayError, unescaped};
use crate::overlay::Drawing;

/// How the name of a screen without a window system begins.
pub(crate) const KMS: &str = "kms:";

/// What the name of the sink says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ScanoutOptions {
    pub(crate) connector: Option<String>,
    pub(crate) card: Option<PathBuf>,
    pub(crate) size: Option<Size>,
    pub(crate) rate: Option<u32>,
    pub(crate) scaling: Scaling,
    /// What draws numbers about the frames over them.
    pub(crate) stats: Option<Drawing>,
}

impl ScanoutOptions {
    pub(crate) fn parse(uri: &str) -> Result<Self, DisplayError> {
        let rest = uri.strip_prefix(KMS).unwrap_or(uri);
        let (connector, query) = rest.split_once('?').unwrap_or((rest, ""));
        let connector = (!connector.is_empty()).then(|| connector.to_owned());
        let (card, size, rate) = (None, None, None);
        let mut options = Self { connector, card, size, rate, scaling: Scaling::Fit, stats: None };
        for wish in query.split('&').filter(|wish| !wish.is_empty()) {
            let wrong =
                |what| Err(DisplayError::Option { uri: uri.to_owned(), found: wish.to_owned(), what });
            match wish.split_once('=').unwrap_or((wish, "")) {
                ("scale", "fit") => options.scaling = Scaling::Fit,
                ("scale", "fill") => options.scaling = Scaling::Fill,
                ("scale", "stretch") => options.scaling = Scaling::Stretch,
                ("scale", _) => return wrong("is not known: `scale` is fit, fill or stretch"),
                ("card", path) if !path.is_empty() => options.card = Some(PathBuf::from(path)),
                ("mode", mode) => match parse_mode(mode) {
                    Some((size, rate)) => (options.size, options.rate) = (Some(size), rate),
                    None => return wrong("is no mode: write it as 1920x1080 or 1920x1080@60"),
                },
                ("stats", value) => match Drawing::parse(&unescaped(value)) {
                    Ok(stats) => options.stats = stats,
                    Err(what) => return wrong(what),
                },
                _ => return wrong("is not known: there are mode, scale, card and stats"),
            }
        }
        Ok(options)
    }
}

fn parse_mode(mode: &str) -> Option<(Size, Option<u32>)> {
    let (size, rate) = mode.split_once('@').map_or((mode, None), |(size, rate)| (size, Some(rate)));
    let (width, height) = size.split_once('x')?;
    let above_zero = |text: &str| text.parse::<u32>().ok().filter(|number| *number > 0);
    let size = Size::new(above_zero(width)?, above_zero(height)?);
    match rate {
        None => Some((size, None)),
        Some(rate) => Some((size, Some(above_zero(rate)?))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn screens_and_wishes_are_read_from_the_name() {
        let parse = |uri: &str| ScanoutOptions::parse(uri).expect(uri);
        let first = parse("kms:");
        assert_eq!((first.connector, first.size, first.scaling), (None, None, Scaling::Fit));
        let all = parse("kms:HDMI-A-1?mode=1920x1080@60&scale=fill&card=/dev/dri/card1");
        assert_eq!(all.connector.as_deref(), Some("HDMI-A-1"));
        assert_eq!((all.size, all.rate), (Some(Size::new(1920, 1080)), Some(60)));
        assert_eq!((all.scaling, all.card), (Scaling::Fill, Some("/dev/dri/card1".into())));
        assert_eq!(parse("kms:?mode=800x600").rate, None);
        assert_eq!((parse("kms:?stats=on").stats, first.stats), (Some(Drawing::Shipped), None));
    }

    #[test]
    fn what_is_no_wish_is_refused() {
        for (uri, said) in [
            ("kms:?mode=big", "1920x1080@60"),
            ("kms:?mode=0x600", "1920x1080@60"),
            ("kms:?mode=800x600@0", "1920x1080@60"),
            ("kms:?scale=big", "fit, fill or stretch"),
            ("kms:?card=", "mode, scale, card and stats"),
            ("kms:?vsync=on", "mode, scale, card and stats"),
            ("kms:?stats=1", "`stats` is on, off, or the file of an effect"),
        ] {
            let error = ScanoutOptions::parse(uri).expect_err(uri).to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
