//! What a source `camera:` asks for: `camera:`, `camera:front?size=1280x720&fps=30&format=MJPG&wait=20&brightness=140`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use streamlib_core::format::Size;
use streamlib_linux::{CameraControls, CameraError, CameraOptions, find_camera};

/// Where a camera's pictures lie when the GPU gets them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Memory {
    /// In buffers of its driver, which the GPU reads.
    Driver,
    /// In buffers that its driver was handed, and that the GPU reads.
    Handed,
    /// In host memory, from where they are uploaded.
    Host,
}

/// A camera, and how it is wanted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CameraRequest {
    /// Empty for the first one.
    name: String,
    pub(crate) options: CameraOptions,
    /// How long to wait for the camera, at the start and in mid-stream, if it was said.
    pub(crate) wait: Option<Duration>,
    /// The only way in which its pictures may come to the GPU, if one was said.
    pub(crate) memory: Option<Memory>,
    /// Controls by name, as the driver calls them.
    controls: Vec<(String, i64)>,
}

impl CameraRequest {
    /// Reads what stands behind `camera:`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (name, query) = text.split_once('?').unwrap_or((text, ""));
        let (options, controls) = (CameraOptions::default(), Vec::new());
        let mut request = Self { name: name.to_owned(), options, wait: None, memory: None, controls };
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
                "wait" => match value.parse().ok().filter(|seconds| (0.0..=86_400.0).contains(seconds)) {
                    Some(seconds) => request.wait = Some(Duration::from_secs_f64(seconds)),
                    None => return wrong("is no time: `wait` is seconds, from 0 to 86400"),
                },
                "memory" => match value {
                    "driver" => request.memory = Some(Memory::Driver),
                    "handed" => request.memory = Some(Memory::Handed),
                    "host" => request.memory = Some(Memory::Host),
                    _ => return wrong("is not known: `memory` is driver, handed, or host"),
                },
                _ => match number {
                    Some(value) => request.controls.push((key.to_owned(), value)),
                    None => {
                        return wrong(
                            "is not known: there are size, fps, format, wait, memory, and the camera's controls with numbers",
                        );
                    }
                },
            }
        }
        Ok(request)
    }

    /// The camera's node.
    pub(crate) fn find(&self) -> Result<PathBuf, CameraError> {
        find_camera(&self.name)
    }

    /// Sets the controls of the camera at `path`.
    pub(crate) fn prepare(&self, path: &Path) -> Result<(), CameraError> {
        if self.controls.is_empty() {
            return Ok(());
        }
        let controls = CameraControls::open(path)?;
        self.controls.iter().try_for_each(|(name, value)| controls.set(name, *value))
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
        assert_eq!((all.wait, all.memory), (None, None));
        let ways = parse("front?wait=2.5&memory=handed");
        assert_eq!((ways.wait, ways.memory), (Some(Duration::from_millis(2500)), Some(Memory::Handed)));
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
            ("?wait=soon", "from 0 to 86400"),
            ("?wait=-1", "from 0 to 86400"),
            ("?memory=mine", "driver, handed, or host"),
            ("?brightness=high", "controls with numbers"),
        ] {
            let error = CameraRequest::parse(text).expect_err(text);
            assert!(error.contains(said), "{error}");
        }
    }
}
