//! File descriptors of what is shared, and what they are.
#![allow(
    unsafe_code,
    reason = "asks the driver for file descriptors and takes them over, asks the kernel about them"
)]

use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::sync::Arc;

use ash::vk;

use super::shared::SharingKind;
use crate::device::Device;
use crate::error::VulkanError;
use crate::handle::Owned;
use crate::timeline::Timeline;

/// A descriptor of memory that was allocated to be exported as that.
pub(super) fn memory_descriptor(
    device: &Arc<Device>,
    memory: vk::DeviceMemory,
    kind: SharingKind,
) -> Result<OwnedFd, VulkanError> {
    let extension = ash::khr::external_memory_fd::Device::new(device.instance().raw(), device.raw());
    let info = vk::MemoryGetFdInfoKHR::default().memory(memory).handle_type(kind.handle());
    // SAFETY: the memory is alive and was allocated with this handle type (VUID-VkMemoryGetFdInfoKHR-handleType-00671).
    let descriptor = device.call("vkGetMemoryFdKHR", || unsafe { extension.get_memory_fd(&info) })?;
    // SAFETY: the descriptor is new, and the application's to close.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// A descriptor of a timeline that was made to be exported as one.
pub(crate) fn timeline_descriptor(device: &Arc<Device>, timeline: &Timeline) -> Result<OwnedFd, VulkanError> {
    let extension = ash::khr::external_semaphore_fd::Device::new(device.instance().raw(), device.raw());
    let info = vk::SemaphoreGetFdInfoKHR::default()
        .semaphore(timeline.semaphore())
        .handle_type(vk::ExternalSemaphoreHandleTypeFlags::OPAQUE_FD);
    // SAFETY: the semaphore is alive and was created with this handle type (VUID-VkSemaphoreGetFdInfoKHR-handleType-01132).
    let descriptor = device.call("vkGetSemaphoreFdKHR", || unsafe { extension.get_semaphore_fd(&info) })?;
    // SAFETY: as above.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// A semaphore that can be handed out as a file, once something is about to signal it. The device has such files.
pub(crate) fn exported_semaphore(
    device: &Arc<Device>,
    label: &str,
) -> Result<Owned<vk::Semaphore>, VulkanError> {
    let handles = vk::ExternalSemaphoreHandleTypeFlags::SYNC_FD;
    let mut export = vk::ExportSemaphoreCreateInfo::default().handle_types(handles);
    let info = vk::SemaphoreCreateInfo::default().push_next(&mut export);
    let semaphore = Owned::new(device, "vkCreateSemaphore", |raw| {
        // SAFETY: the device exports such semaphores (VUID-VkExportSemaphoreCreateInfo-handleTypes-01124).
        unsafe { raw.create_semaphore(&info, None) }
    })?;
    Ok(semaphore.named(label))
}

/// What is to signal a semaphore, as a file with one fence; `None` when it has done so already. The semaphore is unsignalled then, as
/// after a wait.
///
/// # Safety
/// The semaphore is of [`exported_semaphore`]; something was submitted that signals it, and nothing waits for it.
pub(crate) unsafe fn export_sync_file(
    device: &Arc<Device>,
    semaphore: &Owned<vk::Semaphore>,
) -> Result<Option<OwnedFd>, VulkanError> {
    let extension = ash::khr::external_semaphore_fd::Device::new(device.instance().raw(), device.raw());
    let handle = vk::ExternalSemaphoreHandleTypeFlags::SYNC_FD;
    let info = vk::SemaphoreGetFdInfoKHR::default().semaphore(semaphore.raw()).handle_type(handle);
    // SAFETY: it was created with this handle type (VUID-VkSemaphoreGetFdInfoKHR-handleType-01132), its signal was submitted with all
    // that comes before it (-03254), and nothing waits for it (-01134), as the caller promises.
    let descriptor = device.call("vkGetSemaphoreFdKHR", || unsafe { extension.get_semaphore_fd(&info) })?;
    // SAFETY: unless it is -1, the descriptor is new, and the application's to close.
    Ok((descriptor >= 0).then(|| unsafe { OwnedFd::from_raw_fd(descriptor) }))
}

/// Lets a new semaphore be signalled when the fence of a file is, for one wait. The device has such files.
pub(super) fn import_sync_file(
    device: &Arc<Device>,
    semaphore: &Owned<vk::Semaphore>,
    sync_file: OwnedFd,
) -> Result<(), VulkanError> {
    let extension = ash::khr::external_semaphore_fd::Device::new(device.instance().raw(), device.raw());
    let info = vk::ImportSemaphoreFdInfoKHR::default()
        .semaphore(semaphore.raw())
        .flags(vk::SemaphoreImportFlags::TEMPORARY)
        .handle_type(vk::ExternalSemaphoreHandleTypeFlags::SYNC_FD)
        .fd(sync_file.as_raw_fd());
    device.call("vkImportSemaphoreFdKHR", || {
        // SAFETY: the semaphore is new, so that nothing uses it (VUID-vkImportSemaphoreFdKHR-semaphore-01142), and the import is for one
        // wait (VUID-VkImportSemaphoreFdInfoKHR-handleType-07307); the descriptor is a file of the kernel's with a fence (-fd-01544).
        unsafe { extension.import_semaphore_fd(&info) }
    })?;
    // The driver owns it now.
    let _taken = sync_file.into_raw_fd();
    Ok(())
}

/// A descriptor that a driver takes over, if it succeeds.
pub(super) struct Lent {
    raw: RawFd,
    /// The same file under another number.
    witness: OwnedFd,
}

impl Lent {
    pub(super) fn new(descriptor: OwnedFd) -> std::io::Result<Self> {
        let witness = descriptor.try_clone()?;
        Ok(Self { raw: descriptor.into_raw_fd(), witness })
    }

    pub(super) fn raw(&self) -> RawFd {
        self.raw
    }

    /// The driver has taken it over.
    pub(super) fn keep(mut self) {
        self.raw = -1;
    }

    /// Device and number of an open file.
    fn file(raw: RawFd) -> Option<(libc::dev_t, libc::ino_t)> {
        facts(raw).map(|facts| (facts.st_dev, facts.st_ino))
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        // Of a failed import the descriptor is ours. Mesa's software driver closes it all the same: closing it once more could
        // hit what another thread has just opened.
        if self.raw >= 0 && Self::file(self.raw) == Self::file(self.witness.as_raw_fd()) {
            // SAFETY: it is open, and nobody else's.
            drop(unsafe { OwnedFd::from_raw_fd(self.raw) });
        }
    }
}

/// What a descriptor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A DMA-BUF, which keeps its size.
    DmaBuf { bytes: u64 },
    /// A file or memory of the kernel's. Touching what it has lost since it was mapped ends the process.
    File { bytes: u64, may_shrink: bool },
    /// Something that cannot hold memory, in words.
    NoMemory(&'static str),
    /// A device's, or a driver's own.
    Other,
}

/// Whether two descriptors are of the same kind of file: of the same device, or of no device and the same type. A driver that is
/// given something else than it hands out may refuse everything from then on (NVIDIA's does, of `/dev/zero`).
pub(super) fn is_alike(one: BorrowedFd<'_>, other: BorrowedFd<'_>) -> bool {
    let kind = |descriptor: BorrowedFd<'_>| {
        let facts = facts(descriptor.as_raw_fd())?;
        Some((facts.st_mode & libc::S_IFMT, facts.st_rdev))
    };
    kind(one).is_some() && kind(one) == kind(other)
}

/// What the kernel says of an open file.
fn facts(raw: RawFd) -> Option<libc::stat> {
    // SAFETY: zeros are a valid value of this plain structure.
    let mut facts: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: a number that is no descriptor is an error, and the structure is there to be written.
    let answer = unsafe { libc::fstat(raw, &raw mut facts) };
    (answer == 0).then_some(facts)
}

/// Asks the kernel what a descriptor is.
#[cfg(target_os = "linux")]
pub(super) fn examine(descriptor: BorrowedFd<'_>) -> std::io::Result<Found> {
    use std::io::{Error, Seek, SeekFrom};
    use std::os::unix::fs::FileTypeExt;

    /// `DMA_BUF_MAGIC` of `linux/magic.h`, "DMAB".
    const DMA_BUF_MAGIC: i64 = 0x444d_4142;
    let raw = descriptor.as_raw_fd();
    let mut file = std::fs::File::from(descriptor.try_clone_to_owned()?);
    // SAFETY: zeros are a valid value of this plain structure.
    let mut system: libc::statfs = unsafe { std::mem::zeroed() };
    // SAFETY: the descriptor is open, and the structure is there to be written.
    if unsafe { libc::fstatfs(raw, &raw mut system) } != 0 {
        return Err(Error::last_os_error());
    }
    #[allow(clippy::unnecessary_cast, reason = "the field's type differs between architectures")]
    if system.f_type as i64 == DMA_BUF_MAGIC {
        // Of a DMA-BUF this moves nothing.
        return Ok(Found::DmaBuf { bytes: file.seek(SeekFrom::End(0))? });
    }
    let facts = file.metadata()?;
    let kind = facts.file_type();
    if kind.is_file() {
        // SAFETY: takes a descriptor and gives a number.
        let seals = unsafe { libc::fcntl(raw, libc::F_GET_SEALS) };
        return Ok(Found::File {
            bytes: facts.len(),
            may_shrink: seals < 0 || seals & libc::F_SEAL_SHRINK == 0,
        });
    }
    Ok(match kind {
        kind if kind.is_dir() => Found::NoMemory("a directory"),
        kind if kind.is_fifo() => Found::NoMemory("a pipe"),
        kind if kind.is_socket() => Found::NoMemory("a socket"),
        _ => Found::Other,
    })
}

/// Elsewhere only drivers know.
#[cfg(not(target_os = "linux"))]
pub(super) fn examine(_: BorrowedFd<'_>) -> std::io::Result<Found> {
    Ok(Found::Other)
}
