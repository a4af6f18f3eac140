//! Who is at the other end of a Unix socket, and sockets that a process is started with.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::sys;

/// First of the descriptors that a service manager hands over.
const FIRST_INHERITED: i32 = 3;

/// The process at the other end of a Unix socket, as the kernel noted it when it connected or began to listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Peer {
    /// Its number; 0 for one of another process namespace.
    pub pid: u32,
    /// Its user.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
}

impl Peer {
    /// Whoever is at the other end of `socket`.
    ///
    /// # Errors
    /// When it is no connected Unix socket.
    pub fn of(socket: &impl AsFd) -> io::Result<Self> {
        let peer = sys::peer::credentials(socket.as_fd())?;
        Ok(Self { pid: u32::try_from(peer.pid).unwrap_or(0), uid: peer.uid, gid: peer.gid })
    }

    /// The groups of whoever is at the other end of `socket`, besides its own.
    ///
    /// # Errors
    /// When it is no connected Unix socket.
    pub fn groups(socket: &impl AsFd) -> io::Result<Vec<u32>> {
        sys::peer::groups(socket.as_fd())
    }
}

/// The first socket that a service manager has opened for this process (`LISTEN_FDS`, `LISTEN_PID`); none if it was started
/// in another way, or the socket has been taken before.
///
/// # Errors
/// When the environment promises a socket that is not there.
pub fn inherited_socket() -> io::Result<Option<OwnedFd>> {
    static TAKEN: AtomicBool = AtomicBool::new(false);
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u32>().ok());
    let is_ours = number("LISTEN_PID") == Some(std::process::id());
    if !is_ours || number("LISTEN_FDS").unwrap_or(0) == 0 || TAKEN.swap(true, Ordering::Relaxed) {
        return Ok(None);
    }
    sys::peer::inherited(FIRST_INHERITED).map(Some)
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn the_peer_of_a_socket_pair_is_this_process() {
        let (one, _other) = UnixStream::pair().unwrap();
        let peer = Peer::of(&one).unwrap();
        assert_eq!(peer.pid, std::process::id());
        assert_eq!(
            (peer.uid, peer.gid),
            (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw())
        );
        let mut known: Vec<u32> =
            rustix::process::getgroups().unwrap().into_iter().map(|group| group.as_raw()).collect();
        let mut groups = Peer::groups(&one).unwrap();
        known.sort_unstable();
        groups.sort_unstable();
        assert_eq!(groups, known);
    }

    #[test]
    fn what_is_no_socket_has_no_peer() {
        assert!(Peer::of(&std::fs::File::open("/dev/null").unwrap()).is_err());
        assert!(Peer::groups(&std::fs::File::open("/dev/null").unwrap()).is_err());
    }

    #[test]
    fn a_process_that_was_started_by_hand_inherits_no_socket() {
        assert!(inherited_socket().unwrap().is_none());
    }
}
