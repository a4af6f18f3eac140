//! Opens what a source node names.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use streamlib_core::format::Size;
use streamlib_core::graph::Source;
use streamlib_core::picture::{Picture, PictureFormat};
use streamlib_media::{AudioInfo, StreamInfo, VideoReader};
use streamlib_shader::EffectSource;
use streamlib_vulkan::{Texture, VulkanGpu};

#[cfg(target_os = "linux")]
use crate::cameras::CameraSource;
use crate::error::RunError;
use crate::live::SurfaceSource;
use crate::surface::{ReadOptions, SURFACE, SurfaceError};

/// Size of a generated source that states none.
const GENERATED_SIZE: Size = Size::new(1280, 720);
/// Frames per second of a generated source that states none.
pub(crate) const GENERATED_FPS: f64 = 30.0;
/// Frames of an endless source when nobody says how many.
pub(crate) const ENDLESS_FRAMES: u64 = 300;
/// A source or sink of the program that holds the runtime.
pub(crate) const APP: &str = "app:";
/// A camera that gives no picture for so long ends a run that is not live.
const CAMERA_LIMIT: Duration = Duration::from_secs(5);

/// What a source node turned out to be.
pub(crate) enum Opened {
    /// Pictures from host memory.
    Pictures(PictureSource),
    /// A program that draws each frame.
    Generated(Generated),
    /// Textures that the program which holds the runtime pushes.
    App { size: Size, fps: Option<f64> },
    /// Textures of another process.
    Surface(SurfaceSource),
}

/// A program that draws each frame.
pub(crate) struct Generated {
    pub(crate) effect: EffectSource,
    pub(crate) size: Size,
    pub(crate) fps: f64,
}

/// Pictures from host memory.
pub(crate) struct PictureSource {
    pub(crate) format: PictureFormat,
    /// Such as `MP4, H.264`.
    pub(crate) kind: String,
    /// Frames to come, when known.
    pub(crate) frames: Option<u64>,
    /// Whether pictures come until somebody stops asking.
    pub(crate) endless: bool,
    pub(crate) frame_rate: Option<(u32, u32)>,
    /// The file, and what is known of its sound.
    pub(crate) path: Option<PathBuf>,
    pub(crate) audio: AudioInfo,
    reader: Reader,
}

enum Reader {
    File(Box<dyn VideoReader>),
    #[cfg(target_os = "linux")]
    Camera(Box<CameraSource>),
}

impl PictureSource {
    /// Whether times are those of the capture on the monotonic clock; else they count from the first picture.
    pub(crate) fn is_live(&self) -> bool {
        match &self.reader {
            Reader::File(_) => false,
            #[cfg(target_os = "linux")]
            Reader::Camera(_) => true,
        }
    }

    /// Layout of the pictures and how they come to the GPU, of a camera.
    pub(crate) fn how(&self) -> Option<String> {
        self.is_live().then(|| self.kind.clone())
    }

    /// The planes of each picture, where a camera writes them into textures.
    pub(crate) fn pictures(&self) -> Option<&[Vec<Texture>]> {
        match &self.reader {
            #[cfg(target_os = "linux")]
            Reader::Camera(camera) => camera.pictures(),
            Reader::File(_) => None,
        }
    }

    /// The camera, if it is one.
    #[cfg(target_os = "linux")]
    pub(crate) fn camera(&mut self) -> Option<&mut CameraSource> {
        match &mut self.reader {
            Reader::Camera(camera) => Some(camera),
            Reader::File(_) => None,
        }
    }

    /// Reads the next picture into `into`; `false` at the end.
    pub(crate) fn read(&mut self, node: &str, into: &mut Picture) -> Result<bool, RunError> {
        match &mut self.reader {
            Reader::File(reader) => {
                reader.read(into).map_err(|error| RunError::Read { node: node.to_owned(), error })
            }
            #[cfg(target_os = "linux")]
            Reader::Camera(camera) => {
                camera
                    .read(into, CAMERA_LIMIT)
                    .map_err(|error| RunError::Camera { node: node.to_owned(), what: error.to_string() })?;
                Ok(true)
            }
        }
    }

    #[cfg(target_os = "linux")]
    fn of_camera(camera: CameraSource) -> Self {
        Self {
            format: camera.format,
            kind: camera.how.clone(),
            frames: None,
            endless: true,
            frame_rate: camera.frame_rate,
            path: None,
            audio: AudioInfo::None,
            reader: Reader::Camera(Box::new(camera)),
        }
    }

    fn of_file(path: &Path, reader: Box<dyn VideoReader>) -> Self {
        let StreamInfo { format, frame_rate, frames, container, codec, is_still, audio, .. } =
            reader.info().clone();
        let kind = if container == codec { container.to_owned() } else { format!("{container}, {codec}") };
        let frames = if is_still { Some(1) } else { frames };
        let (path, reader) = (Some(path.to_owned()), Reader::File(reader));
        Self { format, kind, frames, endless: false, frame_rate, path, audio, reader }
    }
}

/// Whether a source is drawn by a program in a file.
pub(crate) fn is_program(uri: &str) -> bool {
    let is_elsewhere = ["generate:", "camera:", SURFACE].iter().any(|scheme| uri.starts_with(scheme));
    !is_elsewhere && Path::new(uri).extension().is_some_and(|extension| extension == "hlsl")
}

/// Opens a source node. Paths are relative to `base`. Pictures that a device writes are left where they lie if `lend` is a GPU
/// that can read them there.
pub(crate) fn open(
    node: &str,
    source: &Source,
    base: &Path,
    lend: Option<&Arc<VulkanGpu>>,
) -> Result<Opened, RunError> {
    let owned = || node.to_owned();
    if source.fps.is_some_and(|fps| !(fps.is_finite() && fps > 0.0 && fps <= 10_000.0)) {
        return Err(RunError::SourceOption { node: owned(), what: "`fps` goes from above 0 to 10000" });
    }
    if source.frames == Some(0) {
        return Err(RunError::SourceOption { node: owned(), what: "`frames` is at least 1" });
    }
    let generated = |effect| {
        let (size, fps) = (source.size.unwrap_or(GENERATED_SIZE), source.fps.unwrap_or(GENERATED_FPS));
        Ok(Opened::Generated(Generated { effect, size, fps }))
    };
    if let Some(name) = source.uri.strip_prefix("generate:") {
        let Some(text) = streamlib_media::generate::source(name) else {
            let known = streamlib_media::generate::NAMES.join(", ");
            return Err(RunError::NoGenerator { node: owned(), name: name.to_owned(), known });
        };
        return generated(EffectSource::from_text(format!("generate:{name}"), text));
    }
    if source.uri == APP {
        let what = "the program pushes textures of one size: add `size = [WIDTH, HEIGHT]`";
        let size = source.size.ok_or_else(|| RunError::SourceOption { node: owned(), what })?;
        return Ok(Opened::App { size, fps: source.fps });
    }
    if source.uri.starts_with(SURFACE) {
        return open_surface(node, source);
    }
    let path = base.join(&source.uri);
    if is_program(&source.uri) {
        let effect =
            EffectSource::from_file(&path).map_err(|error| RunError::EffectFile { node: owned(), error })?;
        return generated(effect);
    }
    if source.size.is_some() || source.fps.is_some() {
        let what = "`size` and `fps` are for generated sources; a file and a camera have their own";
        return Err(RunError::SourceOption { node: owned(), what });
    }
    if let Some(name) = source.uri.strip_prefix("camera:") {
        return open_camera(node, name, lend).map(Opened::Pictures);
    }
    let reader = streamlib_media::open(&path).map_err(|error| RunError::Open { node: owned(), error })?;
    Ok(Opened::Pictures(PictureSource::of_file(&path, reader)))
}

/// Opens `surface:NAME`.
fn open_surface(node: &str, source: &Source) -> Result<Opened, RunError> {
    if source.size.is_some() || source.fps.is_some() {
        let what = "`size` and `fps` are for generated sources; a surface has what its publisher gives";
        return Err(RunError::SourceOption { node: node.to_owned(), what });
    }
    let failed = |error: SurfaceError| RunError::Surface { node: node.to_owned(), error };
    let options = ReadOptions::parse(&source.uri).map_err(failed)?;
    SurfaceSource::open(&options).map(Opened::Surface).map_err(failed)
}

/// Opens `camera:` (the first one), `camera:front`, `camera:/dev/video2?size=1280x720`.
#[cfg(target_os = "linux")]
fn open_camera(node: &str, name: &str, lend: Option<&Arc<VulkanGpu>>) -> Result<PictureSource, RunError> {
    let opened = CameraSource::open(node, name, lend);
    opened.map(PictureSource::of_camera).map_err(|what| RunError::Camera { node: node.to_owned(), what })
}

#[cfg(not(target_os = "linux"))]
fn open_camera(node: &str, _: &str, _: Option<&Arc<VulkanGpu>>) -> Result<PictureSource, RunError> {
    let what = "cameras are read on Linux only, so far".to_owned();
    Err(RunError::Camera { node: node.to_owned(), what })
}
