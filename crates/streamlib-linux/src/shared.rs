//! Pages of memory that processes share, safe against whatever the other process does.
//!
//! A page is a sealed memory file: it can neither shrink nor grow, so that no peer can make a read of it fail, and it is
//! looked at as atomics only. It begins with [`HEAD_WORDS`] 32-bit words, which can be waited for, and goes on with 64-bit ones.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, fcntl_get_seals, fstat, fstatfs};
use rustix::thread::futex;

use crate::sys::mapping::{self, Mapping, bytes};

/// 32-bit words at the beginning of a page, before the 64-bit ones.
pub const HEAD_WORDS: usize = mapping::HEAD_WORDS;

/// File system of memory files with pages of ordinary size.
const TMPFS_MAGIC: i64 = 0x0102_1994;

/// What those who are given a page's file may do with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Others {
    /// Map it for reading. Only its creator writes.
    Read,
    /// Map it for reading and writing.
    Write,
}

/// Why a file is not taken for a page.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PageError {
    /// It is no memory file.
    #[error("the peer sent a file that is no memory file; both sides must be of streamlib")]
    NotMemory,
    /// It has another size than agreed.
    #[error(
        "the peer sent a page of {found} bytes, and {expected} were agreed; both sides must be of the same version"
    )]
    WrongSize {
        /// Its size in bytes.
        found: u64,
        /// The size that was agreed.
        expected: u64,
    },
    /// It could change under its readers.
    #[error(
        "the peer sent a page that is not sealed ({found:#x}, and {expected:#x} is needed), which would not be safe to map"
    )]
    NotSealed {
        /// Its seals.
        found: u32,
        /// The seals that it must have.
        expected: u32,
    },
    /// The system refused.
    #[error("the system refused to {action} a shared page: {source}")]
    System {
        /// What was asked of it.
        action: &'static str,
        /// Its answer.
        source: io::Error,
    },
}

fn system(action: &'static str) -> impl FnOnce(rustix::io::Errno) -> PageError {
    move |source| PageError::System { action, source: source.into() }
}

/// The seals of a page that others may use as `others` says.
fn seals(others: Others) -> SealFlags {
    let fixed = SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL;
    match others {
        Others::Read => fixed | SealFlags::FUTURE_WRITE,
        Others::Write => fixed,
    }
}

/// That `file` is a page of `words` words which nobody can change but as `others` says.
fn examine(file: &OwnedFd, words: usize, others: Others) -> Result<(), PageError> {
    let kind = fstatfs(file).map_err(system("look at"))?.f_type;
    #[allow(clippy::unnecessary_cast, reason = "the type of `f_type` differs between targets")]
    if kind as i64 != TMPFS_MAGIC {
        return Err(PageError::NotMemory);
    }
    // Seals first: a size says nothing as long as it can change.
    let (found, expected) = (fcntl_get_seals(file).map_err(|_no_seals| PageError::NotMemory)?, seals(others));
    if !found.contains(expected) {
        return Err(PageError::NotSealed { found: found.bits(), expected: expected.bits() });
    }
    let stat = fstat(file).map_err(system("look at"))?;
    let (found, expected) = (stat.st_size as u64, bytes(words) as u64);
    if found != expected {
        return Err(PageError::WrongSize { found, expected });
    }
    Ok(())
}

/// A page that this process reads and writes.
#[derive(Debug)]
pub struct SharedPage {
    mapping: Mapping,
}

impl SharedPage {
    /// A new page with `words` 64-bit words, all zero, and the file to give to others.
    ///
    /// # Errors
    /// When the system has no memory, no descriptors, or no seals (Linux before 5.1).
    pub fn create(name: &str, words: usize, others: Others) -> Result<(Self, OwnedFd), PageError> {
        let file = rustix::fs::memfd_create(name, MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)
            .map_err(system("create"))?;
        rustix::fs::ftruncate(&file, bytes(words) as u64).map_err(system("size"))?;
        // Before the seals, which let nobody map it for writing any more.
        let mapping = Mapping::new(file.as_fd(), words, true)
            .map_err(|source| PageError::System { action: "map", source })?;
        fcntl_add_seals(&file, seals(others)).map_err(system("seal"))?;
        Ok((Self { mapping }, file))
    }

    /// Maps a page of `words` 64-bit words that another process has created with [`Others::Write`].
    ///
    /// # Errors
    /// When `file` is no such page; nothing is mapped then.
    pub fn open(file: &OwnedFd, words: usize) -> Result<Self, PageError> {
        examine(file, words, Others::Write)?;
        let mapping = Mapping::new(file.as_fd(), words, true)
            .map_err(|source| PageError::System { action: "map", source })?;
        Ok(Self { mapping })
    }

    /// The 32-bit words.
    #[must_use]
    pub fn head(&self) -> &[AtomicU32; HEAD_WORDS] {
        self.mapping.head()
    }

    /// The 64-bit words.
    #[must_use]
    pub fn words(&self) -> &[AtomicU64] {
        self.mapping.words()
    }

    /// Wakes everybody who waits for the 32-bit word `index` in [`ReadOnlyPage::wait`].
    ///
    /// # Panics
    /// When there is no such word.
    pub fn wake(&self, index: usize) {
        // It can fail for a bad address only.
        let _woken = futex::wake(&self.head()[index], futex::Flags::empty(), i32::MAX as u32);
    }
}

/// A page that its creator writes and this process reads.
#[derive(Debug)]
pub struct ReadOnlyPage {
    mapping: Mapping,
}

impl ReadOnlyPage {
    /// Maps a page of `words` 64-bit words that another process has created with [`Others::Read`].
    ///
    /// # Errors
    /// When `file` is no such page; nothing is mapped then.
    pub fn open(file: &OwnedFd, words: usize) -> Result<Self, PageError> {
        examine(file, words, Others::Read)?;
        let mapping = Mapping::new(file.as_fd(), words, false)
            .map_err(|source| PageError::System { action: "map", source })?;
        Ok(Self { mapping })
    }

    /// The 32-bit word `index`, by a relaxed load: order is the matter of a fence.
    ///
    /// # Panics
    /// When there is no such word.
    #[must_use]
    pub fn head(&self, index: usize) -> u32 {
        self.mapping.head()[index].load(Ordering::Relaxed)
    }

    /// The 64-bit word `index`, by a relaxed load: order is the matter of a fence.
    ///
    /// # Panics
    /// When there is no such word.
    #[must_use]
    pub fn word(&self, index: usize) -> u64 {
        self.mapping.words()[index].load(Ordering::Relaxed)
    }

    /// Waits as long as the 32-bit word `index` is `value` and nobody calls [`SharedPage::wake`], `timeout` at most. It may
    /// end early.
    ///
    /// # Panics
    /// When there is no such word.
    pub fn wait(&self, index: usize, value: u32, timeout: Duration) {
        let Ok(timeout) = timeout.try_into() else { return };
        // Another value, a signal and the time being up are all reasons to look again.
        let _look_again =
            futex::wait(&self.mapping.head()[index], futex::Flags::empty(), value, Some(&timeout));
    }
}

#[cfg(test)]
mod tests;
