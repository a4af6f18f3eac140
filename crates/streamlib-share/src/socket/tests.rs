//! What a peer may put into a socket.

use std::fs::File;

use super::*;
use crate::wire::Refusal;

fn connected() -> (Connection, OwnedFd) {
    let (ours, theirs) = pair().unwrap();
    (ours.into(), theirs)
}

fn send_raw(socket: &OwnedFd, packet: &[u8], files: &[BorrowedFd<'_>]) {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(16))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !files.is_empty() {
        assert!(control.push(SendAncillaryMessage::ScmRights(files)));
    }
    sendmsg(socket, &[IoSlice::new(packet)], &mut control, SendFlags::NOSIGNAL).unwrap();
}

fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

#[test]
fn a_message_comes_with_its_descriptors() {
    let (ours, theirs) = connected();
    let file = File::open("/dev/null").unwrap();
    let sent = Connection::from(theirs);
    assert_eq!(sent.send(&Message::Welcome, &[file.as_fd(), file.as_fd()]).unwrap(), Sent::Yes);
    assert!(matches!(ours.receive(), Ok(Received::Message(Message::Welcome, files)) if files.len() == 2));
    assert!(matches!(ours.receive(), Ok(Received::Nothing)));
    assert!(!ours.is_hung_up());
    drop(sent);
    assert!(ours.is_hung_up());
    assert!(matches!(ours.receive(), Ok(Received::Closed)));
    assert_eq!(ours.send(&Message::Registered, &[]).unwrap(), Sent::Closed);
}

#[test]
fn a_wrong_number_of_descriptors_is_refused_and_none_stays_open() {
    let file = File::open("/dev/null").unwrap();
    let (ours, theirs) = connected();
    let before = open_files();
    for (message, count) in
        [(Message::Registered, 1), (Message::Welcome, 0), (Message::Welcome, 1), (Message::Registered, 9)]
    {
        send_raw(&theirs, &message.encode(), &vec![file.as_fd(); count]);
        let refused = ours.receive();
        assert!(
            matches!(refused, Err(SocketError::Descriptors { .. } | SocketError::TooManyDescriptors)),
            "{count}: {refused:?}"
        );
    }
    // Other tests of this process open files too, but not hundreds.
    assert!(open_files() < before + 100);
}

#[test]
fn oversize_packets_and_nonsense_are_refused() {
    let (ours, theirs) = connected();
    send_raw(&theirs, &[0; MAX_MESSAGE + 1], &[]);
    assert!(matches!(ours.receive(), Err(SocketError::Oversize)));
    send_raw(&theirs, b"hello", &[]);
    assert!(matches!(ours.receive(), Err(SocketError::Wire(WireError::NoHead))));
}

#[test]
fn a_peer_that_does_not_read_is_found_out_and_never_waited_for() {
    let (ours, _theirs) = connected();
    let message = Message::Refused(Refusal::NoSuchSurface);
    let sent = (0..1_000_000).find(|_| ours.send(&message, &[]).unwrap() == Sent::NoRoom);
    assert!(sent.is_some());
}

#[test]
fn waiting_for_a_message_ends_with_the_time() {
    let (ours, _theirs) = connected();
    let deadline = Instant::now() + Duration::from_millis(5);
    assert!(matches!(ours.receive_until(deadline), Ok(Received::Nothing)));
    assert!(Instant::now() >= deadline);
}
