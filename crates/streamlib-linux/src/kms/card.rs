//! An open card.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use drm::control::Device as _;
use drm::{ClientCapability, Device as _, DriverCapability};

use super::error::KmsError;

/// A card, as the `drm` crate needs it. Its descriptor does not block.
#[derive(Debug)]
pub(super) struct Card {
    file: File,
    path: PathBuf,
}

impl AsFd for Card {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl drm::Device for Card {}
impl drm::control::Device for Card {}

impl Card {
    /// Opens a node that screens can be connected to.
    pub(super) fn open(path: &Path) -> Result<Self, KmsError> {
        let failed = |source| KmsError::opening(path, source);
        let mut options = OpenOptions::new();
        options.read(true).write(true).custom_flags(libc::O_NONBLOCK);
        let file = options.open(path).map_err(failed)?;
        let card = Self { file, path: path.to_owned() };
        let resources = card.resource_handles().map_err(failed)?;
        if resources.crtcs().is_empty() || resources.connectors().is_empty() {
            return Err(KmsError::NotACard { path: path.to_owned() });
        }
        Ok(card)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The error for a failed call on this card.
    pub(super) fn failed(&self, action: &'static str) -> impl FnOnce(io::Error) -> KmsError {
        move |source| KmsError::of(&self.path, action, source)
    }

    /// Takes the right to show on the card's screens, which one program has at a time.
    pub(super) fn become_master(&self) -> Result<(), KmsError> {
        self.acquire_master_lock().map_err(|source| match source.raw_os_error() {
            // Whoever opens a card that nobody uses has the right to it; only root may ask for it later.
            Some(libc::EBUSY | libc::EACCES | libc::EPERM | libc::EINVAL) => {
                KmsError::InUse { path: self.path.clone() }
            }
            _ => KmsError::of(&self.path, "let this program show", source),
        })
    }

    /// Whether the driver changes all of a screen's state in one step.
    pub(super) fn use_atomic(&self) -> bool {
        self.set_client_capability(ClientCapability::UniversalPlanes, true).is_ok()
            && self.set_client_capability(ClientCapability::Atomic, true).is_ok()
    }

    /// Whether buffers can be shown that say how they lie.
    pub(super) fn takes_modifiers(&self) -> bool {
        self.get_driver_capability(DriverCapability::AddFB2Modifiers).is_ok_and(|value| value == 1)
    }

    /// The driver's name.
    pub(super) fn driver(&self) -> io::Result<String> {
        Ok(self.get_driver()?.name().to_string_lossy().into_owned())
    }
}

/// Nodes of cards, by their number.
pub(super) fn nodes() -> Vec<PathBuf> {
    let entries = std::fs::read_dir("/dev/dri").into_iter().flatten().flatten();
    let mut nodes: Vec<(u32, PathBuf)> = entries
        .filter_map(|entry| {
            let name = entry.file_name();
            let number = name.to_str()?.strip_prefix("card")?.parse().ok()?;
            Some((number, entry.path()))
        })
        .collect();
    nodes.sort();
    nodes.into_iter().map(|(_, path)| path).collect()
}
