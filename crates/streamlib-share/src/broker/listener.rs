//! Becoming the broker: one process at a time, decided by a lock that ends with it.

use std::ffi::OsString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, FlockOperation, Mode, OFlags, fcntl_getfl, fcntl_setfl, flock, fstat, lstat};
use rustix::io::Errno;
use rustix::net::sockopt::{socket_acceptconn, socket_type};
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, connect, listen, socket_with,
};
use tracing::debug;

use super::place;
use crate::error::BrokerError;

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1024;
/// How often to look again for a lock whose file is being taken away.
const LOCK_ATTEMPTS: usize = 100;

/// The broker's socket, and with it the right to be the broker. Dropping it gives up both.
#[derive(Debug)]
pub struct Listener {
    socket: OwnedFd,
    /// None for a socket that somebody else has made and looks after.
    ours: Option<(PathBuf, Lock)>,
}

impl Listener {
    /// Listens at `path`, in the place of a broker that has ended. Everybody may connect if the directory lets them, and if
    /// it is this user's alone to change.
    ///
    /// # Errors
    /// When somebody else is the broker, the directory is not safe, or the system refuses.
    pub fn bind(path: &Path) -> Result<Self, BrokerError> {
        let address = address(path)?;
        place::prepare(path)?;
        let lock = Lock::take(path)?.ok_or_else(|| BrokerError::AlreadyRunning { path: path.to_owned() })?;
        remove_stale(path, &address)?;
        let system = |action| BrokerError::system(path, action);
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)
            .map_err(system("make a socket"))?;
        bind(&socket, &address).map_err(refused(path, "listen"))?;
        if place::is_guarded(path) {
            rustix::fs::chmod(path, Mode::from_raw_mode(0o666))
                .map_err(system("set the mode of the socket"))?;
        }
        listen(&socket, BACKLOG).map_err(system("listen"))?;
        debug!("{}: this process is the broker", path.display());
        Ok(Self { socket, ours: Some((path.to_owned(), lock)) })
    }

    /// The socket that a service manager has opened for this process (`LISTEN_FDS`, `LISTEN_PID`), if it has.
    ///
    /// # Errors
    /// When the environment promises a socket that is not there.
    pub fn inherited() -> Result<Option<Self>, BrokerError> {
        let path = || PathBuf::from("LISTEN_FDS");
        let system = |action| move |source| BrokerError::System { path: path(), action, source };
        let socket = streamlib_linux::peer::inherited_socket().map_err(system("take the socket over"))?;
        let Some(socket) = socket else { return Ok(None) };
        let is_listening = socket_acceptconn(&socket).unwrap_or(false);
        if !is_listening || socket_type(&socket).ok() != Some(SocketType::SEQPACKET) {
            let found = "a socket that listens for no packets (it is to be SOCK_SEQPACKET)";
            return Err(BrokerError::BadPath { path: path(), found });
        }
        let flags = fcntl_getfl(&socket).map_err(BrokerError::system(&path(), "look at the socket"))?;
        fcntl_setfl(&socket, flags | OFlags::NONBLOCK)
            .map_err(BrokerError::system(&path(), "set up the socket"))?;
        Ok(Some(Self { socket, ours: None }))
    }

    /// Where it listens, if it was bound here.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.ours.as_ref().map(|(path, _)| path.as_path())
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some((path, _lock)) = &self.ours {
            // Whoever has taken it away has done what was to be done.
            let _gone = rustix::fs::unlink(path);
        }
    }
}

/// The address of the socket at `path`.
pub(super) fn address(path: &Path) -> Result<SocketAddrUnix, BrokerError> {
    let bad = |found| BrokerError::BadPath { path: path.to_owned(), found };
    SocketAddrUnix::new(path).map_err(|error| match error {
        Errno::NAMETOOLONG => bad("longer than the 107 bytes that a socket's path may have"),
        _ => bad("no path"),
    })
}

/// The error for what the system refused who wants to listen at `path`.
fn refused(path: &Path, action: &'static str) -> impl FnOnce(Errno) -> BrokerError {
    move |error| match error {
        Errno::ACCESS | Errno::PERM | Errno::ROFS => {
            BrokerError::NotPermitted { path: path.to_owned(), uid: rustix::process::geteuid().as_raw() }
        }
        error => BrokerError::system(path, action)(error),
    }
}

/// Removes what a broker that was killed has left. No other broker of this kind listens there: we have the lock. But a service
/// manager may, for one to come.
fn remove_stale(path: &Path, address: &SocketAddrUnix) -> Result<(), BrokerError> {
    match lstat(path) {
        Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::Socket => {
            if is_listened_to(address) {
                return Err(BrokerError::AlreadyRunning { path: path.to_owned() });
            }
        }
        Ok(_) => {
            return Err(BrokerError::BadPath { path: path.to_owned(), found: "something that is no socket" });
        }
        Err(_nothing_there) => return Ok(()),
    }
    match rustix::fs::unlink(path) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(BrokerError::system(path, "remove a stale socket")(error)),
    }
}

fn is_listened_to(address: &SocketAddrUnix) -> bool {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None);
    socket.is_ok_and(|socket| matches!(connect(&socket, address), Ok(()) | Err(Errno::AGAIN)))
}

/// A lock that the kernel takes away when the process ends. Its file goes with it, unless the process is killed.
#[derive(Debug)]
struct Lock {
    path: PathBuf,
    _file: OwnedFd,
}

impl Lock {
    /// The lock beside `socket`; none if somebody else has it.
    fn take(socket: &Path) -> Result<Option<Self>, BrokerError> {
        let mut path = OsString::from(socket.with_extension(""));
        path.push(".lock");
        let path = PathBuf::from(path);
        for _ in 0..LOCK_ATTEMPTS {
            let flags = OFlags::CREATE | OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
            let file = rustix::fs::open(&path, flags, Mode::RUSR | Mode::WUSR)
                .map_err(refused(socket, "open the lock of the broker"))?;
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(Errno::WOULDBLOCK) => return Ok(None),
                Err(Errno::INTR) => continue,
                Err(error) => return Err(BrokerError::system(&path, "take the lock")(error)),
            }
            // A file that the last broker has removed since locks nobody out: then there is another, or none.
            let ours = fstat(&file).map_err(BrokerError::system(&path, "look at the lock"))?;
            if lstat(&path).is_ok_and(|there| (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)) {
                return Ok(Some(Self { path, _file: file }));
            }
        }
        Ok(None)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _gone = rustix::fs::unlink(&self.path);
    }
}
