//! Readers that do not play by the rules, at a publisher and beside a reader that does.

use std::fs::File;
use std::num::NonZeroU64;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rustix::net::{SendFlags, send};
use streamlib_core::format::Size;
use streamlib_linux::peer::Peer;

use super::*;
use crate::broker::client;
use crate::buffer::BufferKind;
use crate::page::LEASES;
use crate::reader::{Reader, ReaderOptions};
use crate::socket::{Connection, Received, Sent};
use crate::wire::Message;

/// Far longer than anything takes: reaching it is a failure.
const LONG: Duration = Duration::from_secs(60);

struct Stage {
    publisher: Publisher<Arc<()>>,
    buffer: SharedBuffer,
    /// A reader like any other, which must not notice anything.
    reader: Reader,
    path: PathBuf,
    _directory: tempfile::TempDir,
}

impl Stage {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("broker.sock");
        let options = PublisherOptions { broker: Some(path.clone()), ..Default::default() };
        let publisher = Publisher::create("a", &options).unwrap();
        let description = BufferDescription {
            kind: BufferKind::Memory,
            size: Size::new(2, 2),
            format: FormatCode(1),
            allocation: 16,
            tiling: 0,
            offset: 0,
            pitch: 8,
            device: [0; 16],
            driver: [0; 16],
        };
        let buffer = publisher.add_buffer(description, || Ok(File::open("/dev/zero")?.into()));
        let options = ReaderOptions { broker: Some(path.clone()), ..Default::default() };
        let reader = Reader::open("a", &options).unwrap();
        Self { publisher, buffer, reader, path, _directory: directory }
    }

    /// A connection to the publisher, and the page that comes with it.
    fn intrude(&self) -> (Connection, ReaderPage) {
        let broker = client::connect_to_existing(&self.path).unwrap();
        let open = Message::Open { name: "a".parse().unwrap() };
        let (_, files) = client::ask(&self.path, &broker, &open).unwrap();
        let connection = Connection::from(files.into_iter().next().unwrap());
        let welcome = connection.receive_until(Instant::now() + LONG).unwrap();
        let Received::Message(Message::Welcome, files) = welcome else { panic!("{welcome:?}") };
        (connection, ReaderPage::open(&files[1]).unwrap())
    }

    fn publish(&mut self) -> Arc<()> {
        let keep = Arc::new(());
        self.publisher.publish(&self.buffer, &FrameMeta::default(), keep.clone()).unwrap();
        keep
    }

    /// That everything goes its way for the other reader.
    fn works(&mut self) {
        let keep = self.publish();
        let frame = self.reader.acquire(LONG).unwrap().unwrap();
        self.reader.buffer(frame.buffer()).unwrap();
        drop(frame);
        self.publish();
        assert_eq!(Arc::strong_count(&keep), 1, "a frame is kept that nobody holds");
    }
}

fn ends(connection: &Connection) -> bool {
    let deadline = Instant::now() + LONG;
    loop {
        match connection.receive_until(deadline).unwrap() {
            Received::Closed => return true,
            Received::Nothing => return false,
            Received::Message(..) => {}
        }
    }
}

#[test]
fn forged_ids_and_nonsense_cost_a_reader_its_connection_and_its_leases() {
    let mut stage = Stage::new();
    let forged = BufferId(NonZeroU64::new(1_000).unwrap());
    let packets = [
        Message::GetBuffer { id: forged }.encode(),
        Message::Welcome.encode(),
        Message::Registered.encode(),
        b"nonsense".to_vec(),
        vec![0; 5_000],
    ];
    for packet in packets {
        let (connection, page) = stage.intrude();
        let keep = stage.publish();
        page.lease(0)
            .store(stage.publisher.shared.page.newest(Feed::Done).load(Ordering::Relaxed), Ordering::Relaxed);
        stage.publish();
        assert_eq!(Arc::strong_count(&keep), 2, "a lease does not count");
        send(&connection, &packet, SendFlags::NOSIGNAL).unwrap();
        assert!(ends(&connection));
        stage.works();
        assert_eq!(Arc::strong_count(&keep), 1, "a reader that is gone holds a frame");
    }
}

#[test]
fn descriptors_that_nobody_asked_for_are_refused() {
    let mut stage = Stage::new();
    let (connection, _page) = stage.intrude();
    let file = File::open("/dev/null").unwrap();
    assert_eq!(connection.send(&Message::Welcome, &[file.as_fd(), file.as_fd()]).unwrap(), Sent::Yes);
    assert!(ends(&connection));
    stage.works();
}

#[test]
fn a_reader_that_asks_and_does_not_listen_is_let_go() {
    let mut stage = Stage::new();
    let (connection, _page) = stage.intrude();
    let question = Message::GetBuffer { id: stage.buffer.id };
    let mut asked = 0_u64;
    while connection.send(&question, &[]).unwrap() != Sent::Closed {
        asked += 1;
        assert!(asked < 100_000_000, "it may ask for ever");
    }
    stage.works();
}

#[test]
fn whatever_stands_in_a_reader_page_holds_four_frames_at_most() {
    let mut stage = Stage::new();
    let (_connection, page) = stage.intrude();
    let mut keeps = Vec::new();
    for value in [0, 1, u64::MAX, 1 << 8 | 200, 5 << 8, 3] {
        for _ in 0..10 {
            keeps.push(stage.publish());
            page.lease(0).store(value, Ordering::Relaxed);
            let newest = stage.publisher.shared.page.newest(Feed::Done).load(Ordering::Relaxed);
            page.lease(1).store(newest ^ value, Ordering::Relaxed);
            page.count(value, value);
            page.will_wait(Feed::Done);
        }
    }
    stage.publish();
    let kept = keeps.iter().filter(|keep| Arc::strong_count(keep) == 2).count();
    assert!(kept <= 2, "{kept} frames are kept");
    assert_eq!(stage.publisher.stats().published, 61);
}

#[test]
fn a_frame_that_is_used_otherwise_is_kept_without_a_reader() {
    let Stage { publisher, buffer, _directory, .. } = Stage::new();
    let mut publisher = publisher.keeping_while(|keep| Arc::weak_count(keep) > 0);
    let mut publish = |keep| publisher.publish(&buffer, &FrameMeta::default(), keep).unwrap();
    let (used, unused) = (Arc::new(()), Arc::new(()));
    let user = Arc::downgrade(&used);
    publish(used.clone());
    publish(unused.clone());
    publish(Arc::new(()));
    assert_eq!((Arc::strong_count(&used), Arc::strong_count(&unused)), (2, 1));
    drop(user);
    publisher.reclaim();
    assert_eq!(Arc::strong_count(&used), 1);
    // Whoever uses them all does not keep the publisher from going on.
    let users: Vec<_> = (0..100)
        .map(|_| {
            let keep = Arc::new(());
            publisher.publish(&buffer, &FrameMeta::default(), keep.clone()).unwrap();
            Arc::downgrade(&keep)
        })
        .collect();
    assert_eq!(users.iter().filter(|user| user.strong_count() > 0).count(), LEASES + 1);
}

#[test]
fn a_surface_has_a_limited_number_of_readers() {
    let mut stage = Stage::new();
    let options = ReaderOptions { broker: Some(stage.path.clone()), ..Default::default() };
    let readers: Vec<_> = (0..255).map(|_| Reader::open("a", &options).unwrap()).collect();
    let refused = Reader::open("a", &options).unwrap_err();
    assert!(matches!(refused, SurfaceError::TooMany { limit: 256 }), "{refused}");
    stage.works();
    drop(readers);
    let deadline = Instant::now() + LONG;
    while stage.publisher.readers() > 1 {
        assert!(Instant::now() < deadline);
        crate::socket::pause(Duration::from_millis(1));
    }
    Reader::open("a", &options).unwrap();
}

#[test]
fn a_user_who_is_a_stranger_keeps_nobody_else_out() {
    let stage = Stage::new();
    let (shared, (broker, _kept)) = (stage.publisher.shared.clone(), crate::socket::pair().unwrap());
    let name = stage.publisher.name.clone();
    let mut service = Service::new(shared, name, Access::Everyone, PathBuf::new(), broker.into());
    let mut connected = Vec::new();
    let mut is_welcome = |uid| {
        let (ours, theirs) = crate::socket::pair().unwrap();
        service.welcome(theirs.into(), Peer { pid: 1, uid, gid: uid });
        let ours = Connection::from(ours);
        let is_welcome = matches!(ours.receive(), Ok(Received::Message(Message::Welcome, _)));
        connected.push(ours);
        is_welcome
    };
    let (stranger, other) = (4_000_000_001, 4_000_000_002);
    assert_eq!((0..20).filter(|_| is_welcome(stranger)).count(), 16);
    assert!(is_welcome(other));
    assert_eq!((0..20).filter(|_| is_welcome(0)).count(), 20);
}
