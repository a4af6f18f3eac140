//! Names that come and go in a folder.

use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::time::Duration;

use super::poll::{Readiness, wait_readable};

/// A watch of one folder.
#[derive(Debug)]
pub(crate) struct FolderWatch {
    inotify: OwnedFd,
}

impl FolderWatch {
    /// Watches for names that appear in `folder`, go from it, or change who may open them.
    pub(crate) fn new(folder: &Path) -> io::Result<Self> {
        // SAFETY: takes flags, and touches no memory of this process.
        let inotify = match unsafe { libc::inotify_init1(libc::IN_CLOEXEC | libc::IN_NONBLOCK) } {
            -1 => return Err(io::Error::last_os_error()),
            // SAFETY: the call succeeded, so this is a new descriptor that nobody else owns.
            fd => unsafe { OwnedFd::from_raw_fd(fd) },
        };
        let path = std::ffi::CString::new(folder.as_os_str().as_bytes())?;
        let mask = libc::IN_CREATE | libc::IN_DELETE | libc::IN_MOVE | libc::IN_ATTRIB;
        // SAFETY: the descriptor is open, and the string ends with a null byte and lives beyond the call.
        match unsafe { libc::inotify_add_watch(inotify.as_raw_fd(), path.as_ptr(), mask) } {
            -1 => Err(io::Error::last_os_error()),
            _ => Ok(Self { inotify }),
        }
    }

    /// Waits for changes, `timeout` at most, and takes those that are there: whether one is of a name that begins with
    /// `prefix`, or may be.
    pub(crate) fn wait(&self, prefix: &str, timeout: Duration) -> io::Result<bool> {
        if wait_readable(&self.inotify, timeout)? == Readiness::TimedOut {
            return Ok(false);
        }
        let mut concerns = false;
        let mut bytes = [0; 4096];
        loop {
            // SAFETY: at most as many bytes as the buffer has, which is exclusively borrowed for the call.
            let read = unsafe {
                libc::read(self.inotify.as_raw_fd(), bytes.as_mut_ptr().cast::<libc::c_void>(), bytes.len())
            };
            match usize::try_from(read) {
                Ok(0) => return Ok(concerns),
                Ok(count) => concerns |= names(&bytes[..count]).any(|name| concern(name, prefix)),
                Err(_) => match io::Error::last_os_error() {
                    error if error.kind() == io::ErrorKind::WouldBlock => return Ok(concerns),
                    error if error.kind() == io::ErrorKind::Interrupted => {}
                    error => return Err(error),
                },
            }
        }
    }
}

/// An event without a name says that some were lost.
fn concern(name: &[u8], prefix: &str) -> bool {
    name.is_empty() || name.starts_with(prefix.as_bytes())
}

/// The names in a list of `struct inotify_event`, without the zeros behind each.
fn names(mut events: &[u8]) -> impl Iterator<Item = &[u8]> {
    /// Of the structure without the name; its last member is the name's length.
    const HEADER: usize = 16;
    std::iter::from_fn(move || {
        let (header, rest) = events.split_at_checked(HEADER)?;
        let length = u32::from_ne_bytes(header[12..].try_into().ok()?) as usize;
        let (name, rest) = rest.split_at_checked(length)?;
        events = rest;
        let end = name.iter().position(|byte| *byte == 0).unwrap_or(length);
        Some(&name[..end])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_from_events_of_any_length_and_a_torn_one_ends_them() {
        let event = |name: &[u8]| [&[0; 12][..], &(name.len() as u32).to_ne_bytes(), name].concat();
        let events = [event(b"video0\0\0"), event(b""), event(b"null\0\0\0\0")].concat();
        let read = |bytes| names(bytes).map(<[u8]>::to_vec).collect::<Vec<_>>();
        assert_eq!(read(&events), [&b"video0"[..], b"", b"null"]);
        for length in 0..events.len() {
            assert!(read(&events[..length]).len() < 3);
        }
    }

    #[test]
    fn lost_events_and_those_of_the_prefix_concern() {
        assert!(concern(b"video3", "video") && concern(b"", "video"));
        assert!(!concern(b"null", "video"));
    }

    #[test]
    fn a_change_ends_the_wait() {
        let folder = tempfile::tempdir().unwrap();
        let watch = FolderWatch::new(folder.path()).unwrap();
        assert!(!watch.wait("a", Duration::ZERO).unwrap());
        std::fs::write(folder.path().join("abc"), "").unwrap();
        std::fs::write(folder.path().join("xyz"), "").unwrap();
        assert!(watch.wait("a", Duration::from_secs(60)).unwrap());
        std::fs::remove_file(folder.path().join("xyz")).unwrap();
        assert!(!watch.wait("a", Duration::from_secs(60)).unwrap());
    }
}
