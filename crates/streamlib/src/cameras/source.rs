//! An open camera, and how it is opened again.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use streamlib_core::format::Size;
use streamlib_core::picture::{Picture, PictureFormat};
use streamlib_linux::{Camera, CameraError, CameraIdentity, CameraOptions, CameraWatch};
use streamlib_vulkan::{Texture, VulkanGpu};

use super::lent::{LentCamera, NotLent};
use super::request::{CameraRequest, Memory};

/// How long a camera is waited for that stalls, or is unplugged, in mid-stream, if nobody said.
const WAIT: Duration = Duration::from_secs(60);
/// How often a camera that does not work yet is looked at, beside whenever one is plugged in.
const LOOK: Duration = Duration::from_millis(250);

/// A camera that streams, or did and is to stream again.
pub(crate) struct CameraSource {
    node: String,
    request: CameraRequest,
    /// None where it has to be found by the name that it was asked for with.
    identity: Option<CameraIdentity>,
    /// That reads its buffers where they lie.
    lend: Option<Arc<VulkanGpu>>,
    way: Way,
    pub(crate) format: PictureFormat,
    pixel_format: [u8; 4],
    pub(crate) frame_rate: Option<(u32, u32)>,
    /// What its pictures are, and how they come to the GPU.
    pub(crate) how: String,
}

pub(crate) enum Way {
    Lent(LentCamera),
    Copied(Camera),
    /// It was closed, to be opened again.
    Closed,
}

/// Why a camera that was open is not so again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Reopening {
    /// It may be later.
    #[error("{0}")]
    NotYet(String),
    /// It will never be.
    #[error(
        "the camera is back with other pictures ({found}, not {wanted}); start the graph again, or ask for a size and format that it keeps"
    )]
    Other { wanted: String, found: String },
}

impl CameraSource {
    /// Opens what stands behind `camera:`; waits for it, if that was asked for.
    pub(crate) fn open(node: &str, text: &str, lend: Option<&Arc<VulkanGpu>>) -> Result<Self, String> {
        let request = CameraRequest::parse(text)?;
        let begun = Instant::now();
        let mut watch = CameraWatch::new();
        loop {
            let opened = request.find().and_then(|path| Self::open_at(node, &request, &path, lend));
            let left = request.wait.unwrap_or_default().saturating_sub(begun.elapsed());
            match opened {
                Err(error) if may_pass(&error) && !left.is_zero() => match &mut watch {
                    Ok(watch) => drop(watch.next(left.min(LOOK))),
                    Err(_) => std::thread::park_timeout(left.min(LOOK)),
                },
                opened => return opened.map_err(|error| error.to_string()),
            }
        }
    }

    fn open_at(
        node: &str,
        request: &CameraRequest,
        path: &Path,
        lend: Option<&Arc<VulkanGpu>>,
    ) -> Result<Self, CameraError> {
        request.prepare(path)?;
        let identity = CameraIdentity::of(path);
        let (way, told) = open_way(node, path, (&request.options, request.memory), lend)?;
        let (format, pixel_format, frame_rate) = match &way {
            Way::Lent(camera) => (camera.format(), camera.pixel_format(), camera.frame_rate()),
            Way::Copied(camera) => (camera.format(), camera.pixel_format(), camera.frame_rate()),
            Way::Closed => unreachable!("it was opened"),
        };
        let how = how(pixel_format, format.size, &told);
        let lend = lend.cloned();
        let (node, request) = (node.to_owned(), request.clone());
        Ok(Self { node, request, identity, lend, way, format, pixel_format, frame_rate, how })
    }

    /// The planes of each picture, where the camera writes them into textures.
    pub(crate) fn pictures(&self) -> Option<&[Vec<Texture>]> {
        match &self.way {
            Way::Lent(camera) => Some(&camera.pictures),
            Way::Copied(_) | Way::Closed => None,
        }
    }

    pub(crate) fn gpu(&self) -> Option<&Arc<VulkanGpu>> {
        self.lend.as_ref()
    }

    /// The camera whose buffers are textures, if it is one.
    pub(crate) fn lent(&mut self) -> Option<&mut LentCamera> {
        match &mut self.way {
            Way::Lent(camera) => Some(camera),
            Way::Copied(_) | Way::Closed => None,
        }
    }

    /// Reads the next picture of a camera that copies them.
    pub(crate) fn read(&mut self, into: &mut Picture, limit: Duration) -> Result<(), CameraError> {
        match &mut self.way {
            Way::Copied(camera) => camera.read(into, limit),
            Way::Lent(_) | Way::Closed => {
                unreachable!("its pictures are taken where they lie, or it is closed")
            }
        }
    }

    /// How long it is waited for in mid-stream.
    pub(crate) fn wait(&self) -> Duration {
        self.request.wait.unwrap_or(WAIT)
    }

    /// Ends the stream and begins it anew.
    pub(crate) fn restart(&mut self) -> Result<(), CameraError> {
        match &mut self.way {
            Way::Lent(camera) => camera.restart(),
            Way::Copied(camera) => camera.restart(),
            Way::Closed => Ok(()),
        }
    }

    /// Closes the camera: its node is free for another one, and what its textures hold stays readable.
    pub(crate) fn close(&mut self) {
        self.way = Way::Closed;
    }

    /// Opens the camera once more, closed before, wherever it is plugged in now: with the same pictures, which come in the same
    /// way. Whether there is something new to tell of that.
    pub(crate) fn reopen(&mut self, was_lent: bool) -> Result<bool, Reopening> {
        let not_yet = |error: &dyn std::fmt::Display| Reopening::NotYet(error.to_string());
        let path = self.path().map_err(|error| not_yet(&error))?;
        self.request.prepare(&path).map_err(|error| not_yet(&error))?;
        let options = CameraOptions {
            size: Some(self.format.size),
            pixel_format: Some(self.pixel_format),
            ..self.request.options
        };
        let (way, (found, told)) = if let (true, Some(gpu)) = (was_lent, &self.lend) {
            let memory = self.request.memory;
            let lent =
                open_lent(gpu, &self.node, &path, (&options, memory)).map_err(|error| not_yet(&error))?;
            let found = (lent.format(), Some(how(lent.pixel_format(), lent.format().size, &lent.way)));
            (Way::Lent(lent), found)
        } else {
            let camera = Camera::open(&path, &options).map_err(|error| not_yet(&error))?;
            let found = (camera.format(), None);
            (Way::Copied(camera), found)
        };
        if found != self.format {
            let wanted = described(self.pixel_format, self.format.size);
            return Err(Reopening::Other { wanted, found: described(self.pixel_format, found.size) });
        }
        self.way = way;
        let is_new = told.as_ref().is_some_and(|told| *told != self.how);
        self.how = told.unwrap_or_else(|| std::mem::take(&mut self.how));
        Ok(is_new)
    }

    /// Where it is now.
    fn path(&self) -> Result<PathBuf, CameraError> {
        match &self.identity {
            Some(identity) => identity.find().ok_or_else(|| identity.missing()),
            None => self.request.find(),
        }
    }
}

/// Whether a camera that cannot be opened for this reason may be opened later.
fn may_pass(error: &CameraError) -> bool {
    matches!(
        error,
        CameraError::NotFound { .. }
            | CameraError::NoSuchCamera { .. }
            | CameraError::Denied { .. }
            | CameraError::Busy { .. }
            | CameraError::Unplugged { .. }
    )
}

/// Opens a camera in the best way that it and the GPU have; how its pictures come, and why not better.
fn open_way(
    node: &str,
    path: &Path,
    (options, memory): (&CameraOptions, Option<Memory>),
    lend: Option<&Arc<VulkanGpu>>,
) -> Result<(Way, String), CameraError> {
    let mut why = String::new();
    if let Some(gpu) = lend.filter(|_| memory != Some(Memory::Host)) {
        match open_lent(gpu, node, path, (options, memory)) {
            Ok(lent) => {
                let way = lent.way.clone();
                return Ok((Way::Lent(lent), way));
            }
            Err(not_lent) => why = format!(", since {not_lent}"),
        }
    }
    let camera = Camera::open(path, options)?;
    Ok((Way::Copied(camera), format!("copied and uploaded{why}")))
}

/// With buffers of the driver's, if it and the GPU share them; else with others that the driver is handed.
fn open_lent(
    gpu: &VulkanGpu,
    node: &str,
    path: &Path,
    (options, memory): (&CameraOptions, Option<Memory>),
) -> Result<LentCamera, NotLent> {
    let open = |memory| LentCamera::open(gpu, node, path, (options, memory));
    match memory {
        Some(memory) => open(memory),
        None => match open(Memory::Driver) {
            Err(driver) if driver.is_of_memory() => match open(Memory::Handed) {
                Ok(mut lent) => {
                    lent.way = format!("{}, since {driver}", lent.way);
                    Ok(lent)
                }
                Err(handed) => Err(NotLent::Both { driver: Box::new(driver), handed: Box::new(handed) }),
            },
            opened => opened,
        },
    }
}

fn how(pixel_format: [u8; 4], size: Size, way: &str) -> String {
    format!("camera, {}, {way}", described(pixel_format, size))
}

fn described(pixel_format: [u8; 4], size: Size) -> String {
    format!("{} {size}", String::from_utf8_lossy(&pixel_format).trim_end())
}
