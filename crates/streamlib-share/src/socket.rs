//! Sockets that carry messages and descriptors. No call here waits, but for those that say so.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};

use crate::wire::{MAX_DESCRIPTORS, MAX_MESSAGE, Message, WireError};

/// Why nothing sensible came out of a socket.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SocketError {
    #[error(transparent)]
    Wire(#[from] WireError),
    #[error("a message of more than {} bytes", MAX_MESSAGE)]
    Oversize,
    #[error("a message with {found} descriptors instead of {expected}")]
    Descriptors { found: usize, expected: usize },
    #[error("more descriptors than a message may have, or than this process may open")]
    TooManyDescriptors,
    #[error("the system refused to receive: {0}")]
    System(io::Error),
}

/// What came.
#[derive(Debug)]
pub(crate) enum Received {
    /// A message, and as many descriptors as it must have.
    Message(Message, Vec<OwnedFd>),
    /// Nothing yet.
    Nothing,
    /// The end: the other side is gone.
    Closed,
}

/// What became of a message to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    Yes,
    /// The other side does not read.
    NoRoom,
    /// The other side is gone.
    Closed,
}

/// One end of a connection.
#[derive(Debug)]
pub(crate) struct Connection {
    socket: OwnedFd,
}

impl From<OwnedFd> for Connection {
    fn from(socket: OwnedFd) -> Self {
        Self { socket }
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Two connected ends.
pub(crate) fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    Ok(socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?)
}

impl Connection {
    /// Sends `message` with as many `files` as its kind has.
    pub(crate) fn send(&self, message: &Message, files: &[BorrowedFd<'_>]) -> io::Result<Sent> {
        debug_assert_eq!(files.len(), message.descriptors());
        let packet = message.encode();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !files.is_empty() && !control.push(SendAncillaryMessage::ScmRights(files)) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        match retrying(|| sendmsg(&self.socket, &[IoSlice::new(&packet)], &mut control, flags)) {
            Ok(_) => Ok(Sent::Yes),
            Err(Errno::AGAIN | Errno::NOBUFS) => Ok(Sent::NoRoom),
            Err(Errno::PIPE | Errno::CONNRESET | Errno::NOTCONN) => Ok(Sent::Closed),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes the next message, if one is there.
    pub(crate) fn receive(&self) -> Result<Received, SocketError> {
        let mut packet = [0; MAX_MESSAGE];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
        let mut iov = [IoSliceMut::new(&mut packet)];
        let mut receive = || retrying(|| recvmsg(&self.socket, &mut iov, &mut control, flags));
        // A peer that went without reading all it was sent may have sent something before.
        let received = match receive() {
            Err(Errno::CONNRESET) => receive(),
            received => received,
        };
        let received = match received {
            Ok(received) => received,
            Err(Errno::AGAIN) => return Ok(Received::Nothing),
            Err(Errno::CONNRESET) => return Ok(Received::Closed),
            Err(error) => return Err(SocketError::System(error.into())),
        };
        let mut files = Vec::new();
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(rights) = message {
                files.extend(rights);
            }
        }
        if received.bytes == 0 {
            return Ok(Received::Closed);
        }
        if received.flags.contains(ReturnFlags::CTRUNC) {
            return Err(SocketError::TooManyDescriptors);
        }
        if received.flags.contains(ReturnFlags::TRUNC) {
            return Err(SocketError::Oversize);
        }
        let message = Message::decode(&packet[..received.bytes])?;
        let (found, expected) = (files.len(), message.descriptors());
        if found != expected {
            return Err(SocketError::Descriptors { found, expected });
        }
        Ok(Received::Message(message, files))
    }

    /// Waits for the next message, until `deadline` at most.
    pub(crate) fn receive_until(&self, deadline: Instant) -> Result<Received, SocketError> {
        loop {
            match self.receive()? {
                Received::Nothing => {}
                received => return Ok(received),
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Received::Nothing);
            }
            wait(&mut [PollFd::new(&self.socket, PollFlags::IN)], Some(left)).map_err(SocketError::System)?;
        }
    }

    /// Whether the other side is gone. What it sent before may still be waiting.
    pub(crate) fn is_hung_up(&self) -> bool {
        let mut polled = [PollFd::new(&self.socket, PollFlags::RDHUP)];
        wait(&mut polled, Some(Duration::ZERO)).is_err()
            || polled[0].revents().intersects(PollFlags::HUP | PollFlags::RDHUP | PollFlags::ERR)
    }
}

/// Waits until something happens to one of `files`, `timeout` at most; without one for as long as it takes.
pub(crate) fn wait(files: &mut [PollFd<'_>], timeout: Option<Duration>) -> io::Result<()> {
    // One that no clock can hold is none.
    let timeout = timeout.and_then(|timeout| timeout.try_into().ok());
    match poll(files, timeout.as_ref()) {
        // A signal: the caller looks and waits again.
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Lets time pass, where there is nothing to wait for: another process has to get somewhere first, and does not say when.
pub(crate) fn pause(time: Duration) {
    // Whether it took as long as it should does not matter.
    let _over = wait(&mut [], Some(time));
}

fn retrying<T>(mut call: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests;
