//! What a sink `display:` asks for: `display:?title=Kitchen&width=1280&scale=fill&vsync=off&fps=on&stats=on`.

use streamlib_core::format::Size;
use streamlib_vulkan::{Scaling, ScreenOptions, VulkanError};

use crate::overlay::Drawing;

/// How the name of a window begins.
pub(crate) const DISPLAY: &str = "display:";
/// Sides that a window may be asked for.
const SIDES: std::ops::RangeInclusive<u32> = 1..=16_384;

/// A window that cannot be shown in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DisplayError {
    /// Something in the sink's name that is no wish a window can meet.
    #[error("`{found}` in `{uri}` {what}")]
    Option {
        /// The sink's name.
        uri: String,
        /// The part of it.
        found: String,
        /// What is wrong with it, and what may be.
        what: &'static str,
    },
    /// No window.
    #[cfg(target_os = "linux")]
    #[error(transparent)]
    Window(#[from] streamlib_linux::WindowError),
    /// No screen.
    #[cfg(target_os = "linux")]
    #[error(transparent)]
    Kms(#[from] streamlib_linux::KmsError),
    /// A window or screen that the device cannot show in.
    #[error(transparent)]
    Screen(#[from] VulkanError),
    /// Another system.
    #[cfg(not(target_os = "linux"))]
    #[error("windows and screens are opened on Linux only, so far: write a file")]
    Platform,
}

/// What the name of the sink says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DisplayOptions {
    pub(crate) title: Option<String>,
    pub(crate) width: Option<u32>,
    pub(crate) height: Option<u32>,
    pub(crate) screen: ScreenOptions,
    /// Whether the title tells the rate.
    pub(crate) fps: bool,
    /// What draws numbers about the frames over them.
    pub(crate) stats: Option<Drawing>,
}

impl DisplayOptions {
    pub(crate) fn parse(uri: &str) -> Result<Self, DisplayError> {
        let mut options = Self {
            title: None,
            width: None,
            height: None,
            screen: ScreenOptions { scaling: Scaling::Fit, vsync: true },
            fps: false,
            stats: None,
        };
        let rest = uri.strip_prefix(DISPLAY).unwrap_or(uri);
        let wrong = |found: &str, what| {
            Err(DisplayError::Option { uri: uri.to_owned(), found: found.to_owned(), what })
        };
        let Some(query) = rest.strip_prefix('?') else {
            return match rest {
                "" => Ok(options),
                _ => wrong(
                    rest,
                    "names no screen: windows are `display:`, with wishes as in `display:?scale=fill`",
                ),
            };
        };
        for wish in query.split('&').filter(|wish| !wish.is_empty()) {
            let (name, value) = wish.split_once('=').unwrap_or((wish, ""));
            let side = value.parse().ok().filter(|side| SIDES.contains(side));
            match (name, value) {
                ("title", _) => options.title = Some(unescaped(value)),
                ("width" | "height", _) if side.is_none() => {
                    return wrong(wish, "is no number of pixels: it goes from 1 to 16384");
                }
                ("width", _) => options.width = side,
                ("height", _) => options.height = side,
                ("scale", "fit") => options.screen.scaling = Scaling::Fit,
                ("scale", "fill") => options.screen.scaling = Scaling::Fill,
                ("scale", "stretch") => options.screen.scaling = Scaling::Stretch,
                ("scale", _) => return wrong(wish, "is not known: `scale` is fit, fill or stretch"),
                ("vsync", "on") => options.screen.vsync = true,
                ("vsync", "off") => options.screen.vsync = false,
                ("vsync", _) => return wrong(wish, "is not known: `vsync` is on or off"),
                ("fps", "on") => options.fps = true,
                ("fps", "off") => options.fps = false,
                ("fps", _) => return wrong(wish, "is not known: `fps` is on or off"),
                ("stats", _) => match Drawing::parse(&unescaped(value)) {
                    Ok(stats) => options.stats = stats,
                    Err(what) => return wrong(wish, what),
                },
                _ => {
                    let what = "is not known: there are title, width, height, scale, vsync, fps and stats";
                    return wrong(wish, what);
                }
            }
        }
        Ok(options)
    }

    /// The size of the window for frames of size `frame`; one side alone keeps their proportions.
    pub(crate) fn size(&self, frame: Size) -> Size {
        let scaled = |side: u32, by: u32, of: u32| {
            let scaled = u64::from(side) * u64::from(by) / u64::from(of.max(1));
            (scaled.max(1)).min(u64::from(*SIDES.end())) as u32
        };
        match (self.width, self.height) {
            (None, None) => frame,
            (Some(width), None) => Size::new(width, scaled(frame.height, width, frame.width)),
            (None, Some(height)) => Size::new(scaled(frame.width, height, frame.height), height),
            (Some(width), Some(height)) => Size::new(width, height),
        }
    }
}

/// A value in which `%` and two hexadecimal digits, or `+`, may stand for characters that a name cannot have.
pub(crate) fn unescaped(value: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = value.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let escaped = hex.filter(|_| *first == b'%').and_then(|hex| u8::from_str_radix(hex, 16).ok());
        bytes.push(match (escaped, first) {
            (Some(byte), _) => byte,
            (None, b'+') => b' ',
            (None, byte) => *byte,
        });
        rest = &tail[if escaped.is_some() { 2 } else { 0 }..];
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_are_read_from_the_name() {
        let parse = |uri: &str| DisplayOptions::parse(uri).expect(uri);
        let plain = parse("display:");
        assert_eq!(plain, parse("display:?"));
        assert_eq!(plain.screen, ScreenOptions { scaling: Scaling::Fit, vsync: true });
        assert_eq!(plain.size(Size::new(640, 360)), Size::new(640, 360));
        let all = parse("display:?title=My+cam%20%C3%A9%&width=320&scale=fill&vsync=off&fps=on");
        assert!(all.fps && !plain.fps && plain.stats.is_none());
        assert_eq!(parse("display:?stats=on").stats, Some(Drawing::Shipped));
        assert_eq!(parse("display:?stats=my+look.hlsl").stats, Some(Drawing::File("my look.hlsl".into())));
        assert_eq!(all.title.as_deref(), Some("My cam é%"));
        assert_eq!(all.screen, ScreenOptions { scaling: Scaling::Fill, vsync: false });
        assert_eq!(all.size(Size::new(640, 360)), Size::new(320, 180));
        assert_eq!(parse("display:?height=90").size(Size::new(640, 360)), Size::new(160, 90));
        assert_eq!(parse("display:?height=90&width=7").size(Size::new(640, 360)), Size::new(7, 90));
    }

    #[test]
    fn what_is_no_wish_is_refused() {
        for (uri, said) in [
            ("display:0", "`0` in `display:0` names no screen"),
            ("display:?width=0", "it goes from 1 to 16384"),
            ("display:?height=tall", "`height=tall`"),
            ("display:?scale=big", "`scale` is fit, fill or stretch"),
            ("display:?vsync", "`vsync` is on or off"),
            ("display:?fps=60", "`fps` is on or off"),
            ("display:?stats=60", "`stats` is on, off, or the file of an effect"),
            ("display:?colour=red", "there are title, width, height, scale, vsync, fps and stats"),
        ] {
            let error = DisplayOptions::parse(uri).expect_err(uri).to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
