//! The engine's textures as a screen knows them: buffers that it shows where they lie.

use std::collections::BTreeMap;
use std::os::fd::AsFd;
use std::sync::Arc;

use streamlib_core::engine::Leased;
use streamlib_core::format::{Size, TextureFormat};
use streamlib_linux::{Framebuffer, KmsError, KmsScreen, ScanoutBuffer};
use streamlib_vulkan::{SharedTiling, SharingKind, VulkanGpu};

/// A texture that has not been shown for so many frames is forgotten: its plan has probably been replaced.
const FORGET: u64 = 600;

/// Why a frame cannot be shown where it lies.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotDirect {
    #[error("the frames are {found} and the mode is {mode}")]
    Size { found: Size, mode: Size },
    #[error("the screen shows no {} where it lies", .0.name())]
    Format(TextureFormat),
    #[error("the GPU hands out none of its memory that this screen takes, or others read it, too")]
    Memory,
    #[error("{0}")]
    Refused(String),
}

/// Textures that were asked for, by their ids.
#[derive(Debug)]
pub(super) struct Direct {
    known: BTreeMap<u64, Known>,
    shown: u64,
    gpu: Arc<VulkanGpu>,
}

#[derive(Debug)]
struct Known {
    buffer: Result<Shown, NotDirect>,
    /// Number of the frame that it was last shown with.
    last: u64,
}

/// A texture as the screen's buffer.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    pub(super) buffer: Framebuffer,
    pub(super) format: TextureFormat,
    pub(super) modifier: u64,
}

impl Direct {
    pub(super) fn new(gpu: &Arc<VulkanGpu>) -> Self {
        Self { known: BTreeMap::new(), shown: 0, gpu: gpu.clone() }
    }

    /// The texture as the screen shows it, or why it cannot.
    pub(super) fn buffer(
        &mut self,
        screen: &KmsScreen,
        leased: &Leased<VulkanGpu>,
    ) -> Result<Shown, NotDirect> {
        self.shown += 1;
        let last = self.shown;
        if let Some(known) = self.known.get_mut(&leased.id()) {
            known.last = last;
            return known.buffer.clone();
        }
        let oldest = last.saturating_sub(FORGET);
        self.known.retain(|_, known| known.last >= oldest);
        let buffer = import(&self.gpu, screen, leased);
        self.known.insert(leased.id(), Known { buffer: buffer.clone(), last });
        buffer
    }

    /// The screen took the buffer and did not show it: from now on it is copied.
    pub(super) fn refuse(&mut self, leased: &Leased<VulkanGpu>, error: &KmsError) -> NotDirect {
        let why = NotDirect::Refused(error.to_string());
        if let Some(known) = self.known.get_mut(&leased.id()) {
            known.buffer = Err(why.clone());
        }
        why
    }
}

fn import(gpu: &VulkanGpu, screen: &KmsScreen, leased: &Leased<VulkanGpu>) -> Result<Shown, NotDirect> {
    let texture = &leased.texture;
    let (found, mode, format) = (texture.size(), screen.mode().size, texture.format());
    if found != mode {
        return Err(NotDirect::Size { found, mode });
    }
    let modifiers = screen.modifiers(format);
    if modifiers.is_empty() {
        return Err(NotDirect::Format(format));
    }
    // A texture that was made for nobody else is not shared.
    let shared = gpu.share(texture).map_err(|_| NotDirect::Memory)?;
    let modifier = match (shared.kind, shared.tiling) {
        (SharingKind::DmaBuf, SharedTiling::Modifier(modifier)) if modifiers.contains(&modifier) => modifier,
        _ => return Err(NotDirect::Memory),
    };
    let buffer = ScanoutBuffer {
        descriptor: shared.descriptor.as_fd(),
        size: shared.size,
        format,
        modifier,
        offset: shared.offset,
        row_pitch: shared.row_pitch,
    };
    let buffer = screen.import(&buffer).map_err(|error| NotDirect::Refused(error.to_string()))?;
    Ok(Shown { buffer, format, modifier })
}
