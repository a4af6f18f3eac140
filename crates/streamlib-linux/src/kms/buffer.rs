//! Buffers that a screen shows.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};

use drm::Device as _;
use drm::buffer::{Buffer as _, DrmFourcc, DrmModifier, Handle, PlanarBuffer};
use drm::control::dumbbuffer::DumbBuffer;
use drm::control::{Device as _, FbCmd2Flags, framebuffer};
use streamlib_core::format::{Size, TextureFormat};

use super::card::Card;
use super::error::KmsError;
use super::formats::fourcc;

/// A buffer that the screens of one card can show. Cloning gives another handle.
#[derive(Clone, Debug)]
pub struct Framebuffer(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    id: framebuffer::Handle,
    /// The card's own memory; none where it is somebody else's.
    own: Option<Mutex<DumbBuffer>>,
    plane: Plane,
    card: Arc<Card>,
}

/// A buffer of 32-bit pixels, as others need to have it: a DMA-BUF and how its rows lie.
#[derive(Debug)]
pub struct ScanoutBuffer<D> {
    /// The memory.
    pub descriptor: D,
    /// Width and height.
    pub size: Size,
    /// What a pixel is: [`Bgra8`](TextureFormat::Bgra8) or [`Rgba8`](TextureFormat::Rgba8), or the same in sRGB. Alpha is not looked at.
    pub format: TextureFormat,
    /// Format modifier of `drm_fourcc.h`; 0 is row by row.
    pub modifier: u64,
    /// Bytes to the first pixel.
    pub offset: u64,
    /// Bytes from one row to the next.
    pub row_pitch: u64,
}

impl Framebuffer {
    /// Allocates one in the card's memory, as `B8G8R8X8`.
    pub(super) fn create(card: &Arc<Card>, size: Size) -> Result<Self, KmsError> {
        let dumb = card
            .create_dumb_buffer((size.width, size.height), DrmFourcc::Xrgb8888, 32)
            .map_err(card.failed("allocate a buffer"))?;
        let plane = Plane {
            handle: dumb.handle(),
            size,
            format: DrmFourcc::Xrgb8888,
            modifier: None,
            offset: 0,
            row_pitch: dumb.pitch(),
        };
        let id = card.add_planar_framebuffer(&plane, FbCmd2Flags::empty()).map_err(|source| {
            // The card frees it when it is closed, at the latest.
            let _kept = card.destroy_dumb_buffer(dumb);
            card.failed("show from its own memory")(source)
        })?;
        Ok(Self(Arc::new(Inner { id, own: Some(Mutex::new(dumb)), plane, card: Arc::clone(card) })))
    }

    /// Takes one that somebody else has allocated. The card keeps the memory; the descriptor is the caller's.
    pub(super) fn import(card: &Arc<Card>, buffer: &ScanoutBuffer<BorrowedFd<'_>>) -> Result<Self, KmsError> {
        let refused = |source: io::Error| {
            let is_gone = source.raw_os_error() == Some(libc::ENODEV) && card.get_driver().is_err();
            let path = card.path().to_owned();
            if is_gone {
                KmsError::Unplugged { path }
            } else {
                KmsError::BufferRefused { path, size: buffer.size, source }
            }
        };
        let invalid = || refused(io::ErrorKind::InvalidInput.into());
        let format = fourcc(buffer.format).ok_or_else(invalid)?;
        let number = |value: u64| u32::try_from(value).map_err(|_| invalid());
        let (offset, row_pitch) = (number(buffer.offset)?, number(buffer.row_pitch)?);
        let handle = card.prime_fd_to_buffer(buffer.descriptor).map_err(refused)?;
        let modifier = DrmModifier::from(buffer.modifier);
        let mut plane =
            Plane { handle, size: buffer.size, format, modifier: Some(modifier), offset, row_pitch };
        let mut added = Err(io::ErrorKind::Unsupported.into());
        if card.takes_modifiers() && modifier != DrmModifier::Invalid {
            added = card.add_planar_framebuffer(&plane, FbCmd2Flags::MODIFIERS);
        }
        if added.is_err() && modifier == DrmModifier::Linear {
            // Drivers that know no modifiers, or not for this plane, take buffers to lie row by row.
            plane.modifier = None;
            added = card.add_planar_framebuffer(&plane, FbCmd2Flags::empty());
        }
        // What is shown keeps the memory; the handle would be in the way of importing the same buffer again.
        let _closed = card.close_buffer(handle);
        let id = added.map_err(refused)?;
        Ok(Self(Arc::new(Inner { id, own: None, plane, card: Arc::clone(card) })))
    }

    /// Width and height.
    #[must_use]
    pub fn size(&self) -> Size {
        self.0.plane.size
    }

    /// Whether both are handles of the same buffer.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub(super) fn id(&self) -> framebuffer::Handle {
        self.0.id
    }

    pub(super) fn belongs_to(&self, card: &Arc<Card>) -> bool {
        Arc::ptr_eq(&self.0.card, card)
    }

    /// The memory of a buffer of the card's own, for others to draw into. Each answer has a descriptor of its own.
    ///
    /// # Errors
    /// When it is somebody else's, or the card hands nothing out.
    pub fn export(&self) -> Result<ScanoutBuffer<OwnedFd>, KmsError> {
        let Inner { plane, card, .. } = &*self.0;
        let action = "hand its memory out (copy through host memory)";
        let own = self.own(action)?;
        let flags = (libc::O_CLOEXEC | libc::O_RDWR) as u32;
        let descriptor = card.buffer_to_prime_fd(own.handle(), flags).map_err(card.failed(action))?;
        Ok(ScanoutBuffer {
            descriptor,
            size: plane.size,
            format: TextureFormat::Bgra8,
            modifier: 0,
            offset: 0,
            row_pitch: plane.row_pitch.into(),
        })
    }

    /// Opens the memory of a buffer of the card's own, to be written by the host: rows of `B8G8R8X8`, so many bytes apart as
    /// the second argument says.
    ///
    /// # Errors
    /// When it is somebody else's, or the card lets nobody write.
    pub fn write(&self, with: &mut dyn FnMut(&mut [u8], usize)) -> Result<(), KmsError> {
        let card = &self.0.card;
        let action = "let this program write into its memory";
        let mut own = self.own(action)?;
        let row_pitch = own.pitch() as usize;
        let mut mapping = card.map_dumb_buffer(&mut own).map_err(card.failed(action))?;
        with(&mut mapping, row_pitch);
        Ok(())
    }

    fn own(&self, action: &'static str) -> Result<std::sync::MutexGuard<'_, DumbBuffer>, KmsError> {
        let foreign = || self.0.card.failed(action)(io::ErrorKind::Unsupported.into());
        let own = self.0.own.as_ref().ok_or_else(foreign)?;
        // What it holds is never half changed.
        Ok(own.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Of a card that is gone there is nothing to give back.
        let _gone = self.card.destroy_framebuffer(self.id);
        if let Some(own) = self.own.take() {
            let dumb = own.into_inner().unwrap_or_else(PoisonError::into_inner);
            let _gone = self.card.destroy_dumb_buffer(dumb);
        }
    }
}

/// One plane of 32-bit pixels.
#[derive(Clone, Copy, Debug)]
struct Plane {
    handle: Handle,
    size: Size,
    format: DrmFourcc,
    modifier: Option<DrmModifier>,
    offset: u32,
    row_pitch: u32,
}

impl PlanarBuffer for Plane {
    fn size(&self) -> (u32, u32) {
        self.size.into()
    }

    fn format(&self) -> DrmFourcc {
        self.format
    }

    fn modifier(&self) -> Option<DrmModifier> {
        self.modifier
    }

    fn pitches(&self) -> [u32; 4] {
        [self.row_pitch, 0, 0, 0]
    }

    fn handles(&self) -> [Option<Handle>; 4] {
        [Some(self.handle), None, None, None]
    }

    fn offsets(&self) -> [u32; 4] {
        [self.offset, 0, 0, 0]
    }
}
