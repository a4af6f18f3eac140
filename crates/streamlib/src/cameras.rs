//! What a source `camera:` asks for: `camera:`, `camera:front?size=1280x720&fps=30&format=MJPG&brightness=140`.

use std::path::PathBuf;

use streamlib_core::format::Size;
use streamlib_linux::{CameraControls, CameraError, CameraOptions, find_camera};

/// A camera, and how it is wanted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CameraRequest {
    /// Empty for the first one.
    name: String,
    pub(crate) options: CameraOptions,
    /// Controls by name, as the driver calls them.
    controls: Vec<(String, i64)>,
}

impl CameraRequest {
    /// Reads what stands behind `camera:`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (name, query) = text.split_once('?').unwrap_or((text, ""));
        let mut request =
            Self { name: name.to_owned(), options: CameraOptions::default(), controls: Vec::new() };
        let options = &mut request.options;
        for wish in query.split('&').filter(|wish| !wish.is_empty()) {
            let (key, value) = wish.split_once('=').unwrap_or((wish, ""));
            let wrong = |what: &str| Err(format!("`{wish}` in `camera:{text}` {what}"));
            let number = value.parse::<i64>().ok();
            match key {
                "size" => match size(value) {
                    Some(size) => options.size = Some(size),
                    None => return wrong("is no size: write it as 1280x720"),
                },
                "fps" => match number.and_then(|fps| u32::try_from(fps).ok()).filter(|fps| *fps > 0) {
                    Some(fps) => options.frame_rate = Some(fps),
                    None => return wrong("is no number of frames a second"),
                },
                "format" => match <[u8; 4]>::try_from(format!("{value:<4}").as_bytes()) {
                    Ok(code) if !value.is_empty() => options.pixel_format = Some(code),
                    _ => {
                        return wrong(
                            "is no four-character code; `streamlib doctor` lists those of each camera",
                        );
                    }
                },
                _ => match number {
                    Some(value) => request.controls.push((key.to_owned(), value)),
                    None => {
                        return wrong(
                            "is not known: there are size, fps, format, and the camera's controls with numbers",
                        );
                    }
                },
            }
        }
        Ok(request)
    }

    /// Finds the camera and sets its controls; its node.
    pub(crate) fn prepare(&self) -> Result<PathBuf, CameraError> {
        let path = find_camera(&self.name)?;
        if !self.controls.is_empty() {
            let controls = CameraControls::open(&path)?;
            self.controls.iter().try_for_each(|(name, value)| controls.set(name, *value))?;
        }
        Ok(path)
    }
}

fn size(text: &str) -> Option<Size> {
    let (width, height) = text.split_once('x')?;
    let side = |text: &str| text.parse::<u32>().ok().filter(|side| *side > 0);
    Some(Size::new(side(width)?, side(height)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cameras_and_wishes_are_read_from_the_name() {
        let parse = |text: &str| CameraRequest::parse(text).expect(text);
        assert_eq!(parse("").name, "");
        assert_eq!(parse("/dev/video2").options, CameraOptions::default());
        let all = parse("front cam?size=1280x720&fps=30&format=MJPG&brightness=140&gain=-3");
        assert_eq!((all.name.as_str(), all.options.size), ("front cam", Some(Size::new(1280, 720))));
        assert_eq!((all.options.frame_rate, all.options.pixel_format), (Some(30), Some(*b"MJPG")));
        assert_eq!(all.controls, [("brightness".to_owned(), 140), ("gain".to_owned(), -3)]);
    }

    #[test]
    fn what_is_no_wish_is_refused() {
        for (text, said) in [
            ("?size=big", "1280x720"),
            ("?size=0x720", "1280x720"),
            ("?fps=0", "frames a second"),
            ("?format=", "four-character"),
            ("?format=MJPEG", "four-character"),
            ("?brightness=high", "controls with numbers"),
        ] {
            let error = CameraRequest::parse(text).expect_err(text);
            assert!(error.contains(said), "{error}");
        }
    }
}
