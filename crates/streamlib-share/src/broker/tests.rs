//! A broker and programs that do not play by the rules.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, connect, send, socket_with};
use rustix::process::{Resource, getrlimit, setrlimit};

use super::*;
use crate::access::Access;
use crate::error::{BrokerError, SurfaceError};
use crate::page::SurfacePage;
use crate::socket::{Connection, Received, Sent};
use crate::wire::{Message, Refusal};
use crate::{Publisher, PublisherOptions, Reader, ReaderOptions, list};

/// A broker in a thread of the test.
struct Daemon {
    path: PathBuf,
    stop: Stop,
    thread: Option<JoinHandle<()>>,
    _directory: tempfile::TempDir,
}

impl Daemon {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("broker.sock");
        let (listener, stop) = (Listener::bind(&path).unwrap(), Stop::new().unwrap());
        let stopped = stop.clone();
        let thread = thread::spawn(move || serve(listener, &stopped).unwrap());
        Self { path, stop, thread: Some(thread), _directory: directory }
    }

    fn connect(&self) -> Connection {
        let flags = SocketFlags::CLOEXEC;
        let socket = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).unwrap();
        connect(&socket, &listener::address(&self.path).unwrap()).unwrap();
        socket.into()
    }

    fn publisher(&self, name: &str) -> Publisher<()> {
        Publisher::create(name, &PublisherOptions { broker: Some(self.path.clone()), ..Default::default() })
            .unwrap()
    }

    fn reader(&self, name: &str) -> Result<Reader, SurfaceError> {
        Reader::open(name, &ReaderOptions { broker: Some(self.path.clone()), ..Default::default() })
    }

    /// That it does for others what it always did.
    fn works(&self) {
        let publisher = self.publisher("works");
        drop(self.reader("works").unwrap());
        assert!(list(Some(&self.path)).unwrap().iter().any(|info| info.name.as_str() == "works"));
        drop(publisher);
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.stop.stop();
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(thread::panicking() || ended.is_some_and(|ended| ended.is_ok()));
        assert!(thread::panicking() || !self.path.exists());
    }
}

fn answer(connection: &Connection) -> Received {
    connection.receive_until(Instant::now() + ANSWER_TIME).unwrap()
}

fn ask_for(connection: &Connection, message: &Message, file: Option<&OwnedFd>) -> Received {
    let files: Vec<_> = file.iter().map(|file| file.as_fd()).collect();
    assert_eq!(connection.send(message, &files).unwrap(), Sent::Yes);
    answer(connection)
}

fn register(name: &str) -> Message {
    Message::Register { name: name.parse().unwrap(), access: Access::SameUser }
}

fn is_refused(received: &Received, refusal: Refusal) -> bool {
    matches!(received, Received::Message(Message::Refused(found), _) if *found == refusal)
}

#[test]
fn nonsense_costs_its_sender_the_connection_and_nobody_else_anything() {
    let daemon = Daemon::start();
    let publisher = daemon.publisher("other");
    let mut of_another_version = Message::List { after: None }.encode();
    of_another_version[4] = 77;
    for (packet, refusal) in [
        (b"GET / HTTP/1.1".to_vec(), Refusal::Malformed),
        (vec![0; 5000], Refusal::Malformed),
        (Message::Registered.encode(), Refusal::Malformed),
        (Message::Welcome.encode(), Refusal::Malformed),
        (of_another_version, Refusal::Version { known: crate::wire::VERSION }),
    ] {
        let connection = daemon.connect();
        send(&connection, &packet, SendFlags::NOSIGNAL).unwrap();
        assert!(is_refused(&answer(&connection), refusal), "{packet:?}");
        assert!(matches!(answer(&connection), Received::Closed));
    }
    assert!(publisher.is_registered());
    daemon.works();
}

#[test]
fn a_surface_without_a_page_is_refused() {
    let daemon = Daemon::start();
    let file: OwnedFd = File::open("/dev/zero").unwrap().into();
    assert!(is_refused(&ask_for(&daemon.connect(), &register("a"), Some(&file)), Refusal::BadPage));
    let unsealed = rustix::fs::memfd_create("page", rustix::fs::MemfdFlags::CLOEXEC).unwrap();
    assert!(is_refused(&ask_for(&daemon.connect(), &register("a"), Some(&unsealed)), Refusal::BadPage));
    daemon.works();
}

#[test]
fn a_connection_has_one_surface() {
    let daemon = Daemon::start();
    let (_page, file) = SurfacePage::create().unwrap();
    let connection = daemon.connect();
    let registered = ask_for(&connection, &register("a"), Some(&file));
    assert!(matches!(registered, Received::Message(Message::Registered, _)));
    assert!(is_refused(&ask_for(&connection, &register("b"), Some(&file)), Refusal::Malformed));
    daemon.works();
}

#[test]
fn a_name_is_free_again_when_its_publisher_is_gone() {
    let daemon = Daemon::start();
    let (_page, file) = SurfacePage::create().unwrap();
    for _ in 0..50 {
        let connection = daemon.connect();
        let registered = ask_for(&connection, &register("a"), Some(&file));
        assert!(matches!(registered, Received::Message(Message::Registered, _)), "{registered:?}");
    }
}

#[test]
fn a_publisher_that_does_not_read_is_let_go_and_its_readers_are_told() {
    let daemon = Daemon::start();
    let (_page, file) = SurfacePage::create().unwrap();
    let deaf = daemon.connect();
    assert!(matches!(
        ask_for(&deaf, &register("deaf"), Some(&file)),
        Received::Message(Message::Registered, _)
    ));
    let open = Message::Open { name: "deaf".parse().unwrap() };
    let mut refused = false;
    for _ in 0..10_000 {
        let answered = ask_for(&daemon.connect(), &open, None);
        if is_refused(&answered, Refusal::PublisherSilent) {
            refused = true;
            break;
        }
        assert!(matches!(answered, Received::Message(Message::Opened { .. }, _)), "{answered:?}");
    }
    assert!(refused);
    assert!(is_refused(&ask_for(&daemon.connect(), &open, None), Refusal::NoSuchSurface));
    daemon.works();
}

#[test]
fn a_program_that_does_not_read_is_let_go() {
    let daemon = Daemon::start();
    let connection = daemon.connect();
    let mut asked = 0;
    while connection.send(&Message::List { after: None }, &[]).unwrap() != Sent::Closed {
        asked += 1;
        assert!(asked < 1_000_000);
    }
    daemon.works();
}

#[test]
fn a_publisher_that_accepts_a_reader_and_says_nothing_is_silent() {
    let daemon = Daemon::start();
    let (_page, file) = SurfacePage::create().unwrap();
    let silent = daemon.connect();
    assert!(matches!(
        ask_for(&silent, &register("silent"), Some(&file)),
        Received::Message(Message::Registered, _)
    ));
    assert!(matches!(daemon.reader("silent"), Err(SurfaceError::PublisherSilent { .. })));
    drop(silent);
    daemon.works();
}

#[test]
fn one_user_has_a_limited_number_of_connections() {
    let daemon = Daemon::start();
    let mut limit = getrlimit(Resource::Nofile);
    if limit.maximum.is_some_and(|most| most < 4096) {
        println!("SKIPPED: this process may open {:?} files, and the test needs 4096", limit.maximum);
        return;
    }
    limit.current = limit.current.map(|current| current.max(4096));
    setrlimit(Resource::Nofile, limit).unwrap();
    let mut connections = Vec::new();
    let refused = (0..2_000).find(|_| {
        let connection = daemon.connect();
        let received = ask_for(&connection, &Message::Open { name: "a".parse().unwrap() }, None);
        connections.push(connection);
        matches!(received, Received::Message(Message::Refused(Refusal::TooMany { .. }), _))
    });
    assert_eq!(refused, Some(1_024));
    connections.clear();
    daemon.works();
}

#[test]
fn there_is_one_broker_at_a_place() {
    let daemon = Daemon::start();
    assert!(matches!(Listener::bind(&daemon.path), Err(BrokerError::AlreadyRunning { .. })));
    daemon.works();
}

#[test]
fn what_a_killed_broker_left_is_replaced_and_what_is_no_socket_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("broker.sock");
    let stale = std::os::unix::net::UnixListener::bind(&path).unwrap();
    drop(stale);
    File::create(directory.path().join("broker.lock")).unwrap();
    drop(Listener::bind(&path).unwrap());
    std::fs::write(&path, "precious").unwrap();
    assert!(matches!(Listener::bind(&path), Err(BrokerError::BadPath { .. })));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
}

#[test]
fn places_that_cannot_be_are_refused() {
    let long = PathBuf::from(format!("/tmp/{}/broker.sock", "x".repeat(120)));
    for path in [long.as_path(), Path::new("/nowhere/at/all.sock"), Path::new("/dev/null/broker.sock")] {
        let options = PublisherOptions { broker: Some(path.to_owned()), ..Default::default() };
        assert!(matches!(Publisher::<()>::create("a", &options), Err(SurfaceError::Broker(_))), "{path:?}");
    }
}

#[test]
fn many_programs_that_all_want_to_be_the_broker_agree_on_one() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("broker.sock");
    for _ in 0..10 {
        let programs: Vec<_> = (0..8)
            .map(|index| {
                let options = PublisherOptions { broker: Some(path.clone()), ..Default::default() };
                thread::spawn(move || Publisher::<()>::create(&format!("p{index}"), &options).unwrap())
            })
            .collect();
        let publishers: Vec<_> = programs.into_iter().map(|program| program.join().unwrap()).collect();
        assert_eq!(list(Some(&path)).unwrap().len(), publishers.len());
    }
}

#[test]
fn publishers_outlive_their_broker_and_become_it() {
    let mut daemon = Daemon::start();
    let mut publisher = daemon.publisher("a");
    let other = daemon.publisher("b");
    let mut reader = daemon.reader("a").unwrap();
    daemon.stop.stop();
    daemon.thread.take().unwrap().join().unwrap();
    daemon.thread = Some(thread::spawn(|| ()));
    // The connection is not disturbed.
    let description = crate::BufferDescription {
        kind: crate::BufferKind::Memory,
        size: (1, 1).into(),
        format: crate::FormatCode(1),
        allocation: 4,
        tiling: 0,
        offset: 0,
        pitch: 4,
        device: [0; 16],
        driver: [0; 16],
    };
    let buffer = publisher.add_buffer(description, || Ok(File::open("/dev/zero")?.into()));
    publisher.publish(&buffer, &Default::default(), ()).unwrap();
    let frame = reader.acquire(ANSWER_TIME).unwrap().unwrap();
    reader.buffer(frame.buffer()).unwrap();
    let again = ReaderOptions {
        broker: Some(daemon.path.clone()),
        patience: Duration::from_secs(60),
        awake: Duration::ZERO,
    };
    for name in ["a", "b"] {
        drop(Reader::open(name, &again).unwrap());
    }
    let deadline = Instant::now() + Duration::from_secs(60);
    while !(publisher.is_registered() && other.is_registered()) {
        assert!(Instant::now() < deadline);
        crate::socket::pause(Duration::from_millis(1));
    }
    drop((publisher, other));
    while daemon.path.exists() {
        assert!(Instant::now() < deadline);
        crate::socket::pause(Duration::from_millis(1));
    }
}
