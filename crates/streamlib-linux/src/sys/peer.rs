//! Who is at the other end of a Unix socket, and sockets that a process is started with.

use std::io;
use std::mem;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// Process, user and group of the peer, as the kernel noted them when it connected or listened. A process that this one's
/// namespace does not know has the number 0.
pub(crate) fn credentials(socket: BorrowedFd<'_>) -> io::Result<libc::ucred> {
    let mut peer = libc::ucred { pid: 0, uid: u32::MAX, gid: u32::MAX };
    let mut length = size_of::<libc::ucred>() as libc::socklen_t;
    // SAFETY: the kernel writes at most `length` bytes to `peer`, which is exclusively borrowed for the call and for which
    // every bit pattern is valid.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            (&raw mut peer).cast(),
            &raw mut length,
        )
    };
    if result == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok(peer)
}

/// The groups of the peer besides its own.
pub(crate) fn groups(socket: BorrowedFd<'_>) -> io::Result<Vec<libc::gid_t>> {
    let mut groups: Vec<libc::gid_t> = vec![0; 64];
    loop {
        let mut length = (groups.len() * size_of::<libc::gid_t>()) as libc::socklen_t;
        // SAFETY: the kernel writes at most `length` bytes, which is what `groups` has; every bit pattern is valid.
        let result = unsafe {
            libc::getsockopt(
                socket.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_PEERGROUPS,
                groups.as_mut_ptr().cast(),
                &raw mut length,
            )
        };
        let count = length as usize / size_of::<libc::gid_t>();
        if result == 0 {
            groups.truncate(count);
            return Ok(groups);
        }
        let error = io::Error::last_os_error();
        // The kernel says how many there are. It knows no more than 65,536 a process.
        if error.raw_os_error() != Some(libc::ERANGE) || count <= groups.len() {
            return Err(error);
        }
        groups.resize(count, 0);
    }
}

/// Takes the descriptor `number`, which whoever started this process has left open for it, out of the hands of chance.
///
/// The caller calls this once for each number, and only for one that the environment hands over to this process.
pub(crate) fn inherited(number: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: takes two numbers and touches no memory of this process.
    if unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) } == -1 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: every bit pattern is a `stat`.
    let mut stat: libc::stat = unsafe { mem::zeroed() };
    // SAFETY: `stat` is exclusively borrowed for the call.
    if unsafe { libc::fstat(number, &raw mut stat) } == -1 {
        return Err(io::Error::last_os_error());
    }
    if stat.st_mode & libc::S_IFMT != libc::S_IFSOCK {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("descriptor {number} is no socket")));
    }
    // SAFETY: the descriptor is open, and nobody else in this process owns it: it was handed over by the environment, and
    // the caller asks once.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}
