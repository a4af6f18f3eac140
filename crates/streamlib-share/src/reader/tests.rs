//! A publisher that does not play by the rules.

use std::fs::File;
use std::num::NonZeroU64;
use std::os::fd::AsFd;
use std::sync::atomic::Ordering;

use rustix::net::{SendFlags, send};
use streamlib_core::format::Size;
use streamlib_core::frame::{FrameMeta, Timestamp};

use super::*;
use crate::buffer::{BufferKind, FormatCode};
use crate::lease::{offer, word};
use crate::page::{SLOTS, Slot, SurfacePage};
use crate::socket::pair;

/// A publisher in the hands of the test, and its reader.
struct Stage {
    page: SurfacePage,
    reader_page: ReaderPage,
    socket: Connection,
    reader: Reader,
}

fn id(number: u64) -> BufferId {
    BufferId(NonZeroU64::new(number).unwrap())
}

fn description() -> BufferDescription {
    BufferDescription {
        kind: BufferKind::Opaque,
        size: Size::new(2, 2),
        format: FormatCode(1),
        allocation: 16,
        tiling: 0,
        offset: 0,
        pitch: 8,
        device: [1; 16],
        driver: [2; 16],
    }
}

impl Stage {
    fn new() -> Self {
        let (page, file) = SurfacePage::create().unwrap();
        let (reader_page, reader_file) = ReaderPage::create().unwrap();
        let (ours, theirs) = pair().unwrap();
        let (view, theirs_page) =
            (SurfaceView::open(&file).unwrap(), ReaderPage::open(&reader_file).unwrap());
        let link = Link::new("a".parse().unwrap(), theirs.into(), view, theirs_page);
        let publisher = Peer { pid: 1, uid: 0, gid: 0 };
        let reader = Reader::new((link, publisher), PathBuf::new(), Duration::ZERO);
        Self { page, reader_page, socket: ours.into(), reader }
    }

    fn publish(&self, sequence: u64, slot: usize) {
        let frame = Slot {
            buffer: id(sequence),
            size: Size::new(2, 2),
            format: FormatCode(1),
            meta: FrameMeta::default(),
            published: Timestamp(1),
            done: 0,
        };
        self.page.write(slot, frame);
        self.offer(word(sequence, slot));
    }

    fn offer(&self, word: u64) {
        offer(self.page.newest(Feed::Done), word);
        self.page.ring(Feed::Done);
        self.page.wake(Feed::Done);
    }

    fn acquire(&mut self) -> Result<Option<Acquired>, SurfaceError> {
        self.reader.acquire(Duration::from_millis(1))
    }
}

#[test]
fn frames_that_cannot_be_are_refused_and_the_next_is_taken() {
    let mut stage = Stage::new();
    for nonsense in [word(1, SLOTS), word(2, 255), word(3, 0), u64::MAX] {
        stage.offer(nonsense);
        for _ in 0..2 * LEASES {
            let refused = stage.acquire();
            assert!(matches!(refused, Err(SurfaceError::Protocol { .. })), "{nonsense:#x}: {refused:?}");
        }
    }
    stage.publish(4, 0);
    assert_eq!(stage.acquire().unwrap().unwrap().number(), 4);
}

#[test]
fn numbers_that_go_back_are_no_new_frames() {
    let mut stage = Stage::new();
    stage.publish(9, 0);
    assert_eq!(stage.acquire().unwrap().unwrap().number(), 9);
    stage.publish(8, 1);
    assert!(stage.acquire().unwrap().is_none());
    stage.offer(0);
    assert!(stage.acquire().unwrap().is_none());
}

#[test]
fn a_publisher_that_rings_all_the_time_keeps_nobody_beyond_the_time() {
    let mut stage = Stage::new();
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let page = &stage.page;
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                page.ring(Feed::Done);
            }
        });
        let waited = stage.reader.acquire(Duration::from_millis(20));
        stop.store(true, Ordering::Relaxed);
        assert!(matches!(waited, Ok(None)), "{waited:?}");
    });
}

#[test]
fn a_publisher_that_writes_into_the_readers_page_does_no_harm() {
    let mut stage = Stage::new();
    stage.publish(1, 0);
    let first = stage.acquire().unwrap().unwrap();
    stage.reader_page.leases().for_each(|lease| lease.store(u64::MAX, Ordering::Relaxed));
    stage.reader_page.has_waited(Feed::Done);
    stage.publish(2, 1);
    let mut held = vec![first, stage.acquire().unwrap().unwrap()];
    for number in 3..=LEASES as u64 {
        stage.publish(number, number as usize - 1);
        held.push(stage.acquire().unwrap().unwrap());
    }
    let next = LEASES as u64 + 1;
    stage.publish(next, LEASES);
    assert!(matches!(stage.acquire(), Err(SurfaceError::TooManyLeases { .. })));
    drop(held);
    assert_eq!(stage.acquire().unwrap().unwrap().number(), next);
    stage.offer(0);
    assert!(stage.acquire().unwrap().is_none());
}

#[test]
fn answers_that_are_none_are_told_from_those_that_are() {
    let mut stage = Stage::new();
    let file = File::open("/dev/null").unwrap();
    let give = |number| Message::Buffer { id: id(number), description: description() };
    // Late answers to other questions are passed over.
    stage.socket.send(&give(7), &[file.as_fd()]).unwrap();
    stage.socket.send(&Message::NoBuffer { id: id(8) }, &[]).unwrap();
    stage.socket.send(&give(1), &[file.as_fd()]).unwrap();
    assert_eq!(stage.reader.buffer(id(1)).unwrap().0, description());
    stage.socket.send(&Message::NoBuffer { id: id(1) }, &[]).unwrap();
    assert!(matches!(stage.reader.buffer(id(1)), Err(SurfaceError::NoBuffer { .. })));
    stage.socket.send(&Message::Welcome, &[file.as_fd(), file.as_fd()]).unwrap();
    assert!(matches!(stage.reader.buffer(id(1)), Err(SurfaceError::Protocol { .. })));
    let mut without_file = give(1).encode();
    send(&stage.socket, &without_file, SendFlags::NOSIGNAL).unwrap();
    assert!(matches!(stage.reader.buffer(id(1)), Err(SurfaceError::Protocol { .. })));
    without_file[4] = 99;
    send(&stage.socket, &without_file, SendFlags::NOSIGNAL).unwrap();
    assert!(matches!(stage.reader.buffer(id(1)), Err(SurfaceError::Version { found: 99 })));
    send(&stage.socket, b"nonsense", SendFlags::NOSIGNAL).unwrap();
    assert!(matches!(stage.reader.buffer(id(1)), Err(SurfaceError::Protocol { .. })));
    drop(stage.socket);
    assert!(matches!(stage.reader.buffer(id(1)), Err(SurfaceError::PublisherGone { .. })));
}
