//! A publisher and readers in one process.
#![allow(clippy::unwrap_used, reason = "what helps a test may fail like one")]

mod support;

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use streamlib_core::format::Size;
use streamlib_core::frame::{CameraModel, FrameMeta, Timestamp};
use streamlib_share::{Publisher, Reader, ReaderOptions, SurfaceError, list};

use support::{
    LONG, Painter, Viewer, description, eventually, patient, place, publisher_options, reader_options,
};

const SIZE: Size = Size::new(64, 16);

#[test]
fn a_reader_gets_the_newest_frame_and_its_buffer() {
    let (_directory, broker) = place();
    let mut painter = Painter::new("a", &publisher_options(&broker), 3, SIZE).unwrap();
    let mut viewer = Viewer::open("a", &reader_options(&broker)).unwrap();
    assert_eq!(viewer.look(Duration::ZERO).unwrap(), None);
    for number in 1..=10 {
        assert_eq!(painter.paint(), Some(number));
        assert_eq!(viewer.look(Duration::ZERO).unwrap(), Some(number));
        assert_eq!(viewer.look(Duration::ZERO).unwrap(), None, "a frame came twice");
    }
    // Who comes late gets what is newest.
    let mut late = Viewer::open("a", &reader_options(&broker)).unwrap();
    assert_eq!(late.look(Duration::ZERO).unwrap(), Some(10));
    assert_eq!(late.reader.publisher().pid, std::process::id());
}

#[test]
fn a_frame_carries_its_meta() {
    let (_directory, broker) = place();
    let mut publisher = Publisher::create("a", &publisher_options(&broker)).unwrap();
    let buffer = publisher.add_buffer(description(SIZE), || Err(std::io::ErrorKind::Other.into()));
    let camera = CameraModel { intrinsics: [1.0, 2.0, 3.0, 4.0], world_from_camera: [[0.5; 4]; 4] };
    let meta = FrameMeta { captured: Timestamp(-3), sequence: 99, camera: Some(camera) };
    publisher.publish(&buffer, &meta, ()).unwrap();
    let mut reader = Reader::open("a", &reader_options(&broker)).unwrap();
    let frame = reader.acquire(Duration::ZERO).unwrap().unwrap();
    assert_eq!((*frame.meta(), frame.size(), frame.format()), (meta, SIZE, description(SIZE).format));
    assert!(frame.published().0 > 0);
    // A buffer that cannot be exported is none for its readers, and nothing else happens.
    assert!(matches!(reader.buffer(frame.buffer()), Err(SurfaceError::NoBuffer { .. })));
    assert!(reader.is_publisher_alive());
}

#[test]
fn a_frame_is_kept_while_it_is_newest_or_held_and_no_longer() {
    let (_directory, broker) = place();
    let mut publisher = Publisher::create("a", &publisher_options(&broker)).unwrap();
    let buffer = publisher.add_buffer(description(SIZE), || Err(std::io::ErrorKind::Other.into()));
    let mut reader = Reader::open("a", &reader_options(&broker)).unwrap();
    let keeps: Vec<Arc<()>> = (0..6).map(|_| Arc::default()).collect();
    let is_kept = |index: usize| Arc::strong_count(&keeps[index]) == 2;
    let mut publish =
        |index: usize| publisher.publish(&buffer, &FrameMeta::default(), keeps[index].clone()).unwrap();
    let mut held = Vec::new();
    for index in 0..4 {
        publish(index);
        held.push(reader.acquire(LONG).unwrap().unwrap());
    }
    publish(4);
    assert!((0..5).all(is_kept));
    let refused = reader.acquire(LONG);
    assert!(matches!(refused, Err(SurfaceError::TooManyLeases { limit: 4, .. })), "{refused:?}");
    held.remove(0).release();
    publisher.reclaim();
    assert!(!is_kept(0) && (1..5).all(is_kept));
    let newest = reader.acquire(LONG).unwrap().unwrap();
    assert_eq!((newest.number(), newest.skipped()), (5, 0));
    drop((newest, held));
    assert_eq!(publisher.publish(&buffer, &FrameMeta::default(), keeps[5].clone()), Ok(6));
    assert!(!(0..5).any(is_kept) && is_kept(5));
    assert_eq!(publisher.kept(), 1);
    let stats = publisher.stats();
    assert_eq!((stats.published, stats.released, stats.skipped, stats.readers), (6, 5, 0, 1));
    drop(publisher);
    assert!(!is_kept(5));
}

#[test]
fn a_reader_that_goes_holds_nothing_back() {
    let (_directory, broker) = place();
    let mut painter = Painter::new("a", &publisher_options(&broker), 3, SIZE).unwrap();
    let mut reader = Reader::open("a", &reader_options(&broker)).unwrap();
    painter.paint();
    let held = reader.acquire(LONG).unwrap().unwrap();
    painter.paint();
    assert_eq!(painter.publisher.kept(), 2);
    // The frame outlives its reader, as long as it is held.
    drop(reader);
    painter.publisher.reclaim();
    assert_eq!(painter.publisher.kept(), 2);
    drop(held);
    eventually("the lease has ended", || {
        painter.publisher.reclaim();
        painter.publisher.kept() == 1 && painter.publisher.readers() == 0
    });
}

#[test]
fn a_publisher_whose_readers_hold_everything_drops_its_own_frame() {
    let (_directory, broker) = place();
    let mut publisher = Publisher::create("a", &publisher_options(&broker)).unwrap();
    let buffer = publisher.add_buffer(description(SIZE), || Err(std::io::ErrorKind::Other.into()));
    let mut readers: Vec<_> = (0..40).map(|_| Reader::open("a", &reader_options(&broker)).unwrap()).collect();
    let mut held = Vec::new();
    let (mut published, mut refused) = (0, 0);
    for number in 0..80 {
        match publisher.publish(&buffer, &FrameMeta::default(), number) {
            Ok(_) => {
                published += 1;
                held.push(readers[number / 2].acquire(LONG).unwrap().unwrap());
            }
            Err(back) => {
                assert_eq!(back, number);
                refused += 1;
            }
        }
    }
    assert_eq!((published, refused), (64, 16));
    assert_eq!(publisher.stats().dropped, 16);
    held.truncate(10);
    assert!(publisher.publish(&buffer, &FrameMeta::default(), 80).is_ok());
}

#[test]
fn buffers_of_a_new_size_come_when_they_come() {
    let (_directory, broker) = place();
    let mut painter = Painter::new("a", &publisher_options(&broker), 3, SIZE).unwrap();
    let mut viewer = Viewer::open("a", &reader_options(&broker)).unwrap();
    painter.paint();
    let old = viewer.reader.acquire(LONG).unwrap().unwrap();
    viewer.check(&old).unwrap();
    painter.discard();
    for _ in 0..2 {
        painter.add(Size::new(128, 32));
    }
    painter.paint();
    let new = viewer.reader.acquire(LONG).unwrap().unwrap();
    viewer.check(&new).unwrap();
    viewer.check(&old).unwrap();
    assert_eq!((old.size(), new.size()), (SIZE, Size::new(128, 32)));
    // It was held when the others were withdrawn.
    let gone = old.buffer();
    drop(old);
    painter.discard();
    assert!(matches!(viewer.reader.buffer(gone), Err(SurfaceError::NoBuffer { .. })));
    viewer.check(&new).unwrap();
}

#[test]
fn readers_are_told_when_the_publisher_ends_and_find_its_successor() {
    let (_directory, broker) = place();
    let mut painter = Painter::new("a", &publisher_options(&broker), 3, SIZE).unwrap();
    let mut viewer = Viewer::open("a", &reader_options(&broker)).unwrap();
    painter.paint();
    viewer.look(LONG).unwrap();
    let waiting = {
        let waiter = viewer.reader.waiter();
        thread::spawn(move || waiter.wait(1, LONG))
    };
    drop(painter);
    assert!(matches!(waiting.join().unwrap(), Err(SurfaceError::PublisherGone { .. })));
    assert!(matches!(viewer.look(LONG), Err(SurfaceError::PublisherGone { .. })));
    assert!(!viewer.reader.is_publisher_alive());
    assert!(viewer.reopen().unwrap_err().is_temporary());
    let mut painter = Painter::new("a", &publisher_options(&broker), 3, SIZE).unwrap();
    painter.paint();
    viewer.reopen().unwrap();
    assert_eq!(viewer.look(LONG).unwrap(), Some(1));
}

#[test]
fn the_last_frame_of_a_publisher_is_still_delivered() {
    let (_directory, broker) = place();
    let mut publisher = Publisher::create("a", &publisher_options(&broker)).unwrap();
    let buffer = publisher.add_buffer(description(SIZE), || Err(std::io::ErrorKind::Other.into()));
    let mut reader = Reader::open("a", &reader_options(&broker)).unwrap();
    publisher.publish(&buffer, &FrameMeta::default(), ()).unwrap();
    drop(publisher);
    assert_eq!(reader.acquire(LONG).unwrap().map(|frame| frame.number()), Some(1));
    assert!(matches!(reader.acquire(LONG), Err(SurfaceError::PublisherGone { .. })));
}

#[test]
fn a_reader_that_waits_is_woken_by_each_frame() {
    const FRAMES: u64 = 2_000;
    let (_directory, broker) = place();
    let mut painter = Painter::new("a", &publisher_options(&broker), 4, SIZE).unwrap();
    // Asleep, and awake around the time at which the next one is expected.
    let viewers: Vec<_> = [0, 100, 10_000]
        .map(Duration::from_micros)
        .map(|awake| {
            let options = ReaderOptions { awake, ..reader_options(&broker) };
            let mut viewer = Viewer::open("a", &options).unwrap();
            thread::spawn(move || {
                let mut last = 0;
                while last < FRAMES {
                    let number = viewer.look(LONG).unwrap().expect("a frame comes in time");
                    assert!(number > last);
                    last = number;
                }
                viewer.seen
            })
        })
        .into();
    while painter.publisher.stats().published < FRAMES {
        // Three readers can hold three buffers; then this frame waits for the next attempt.
        painter.paint();
    }
    for viewer in viewers {
        assert!(viewer.join().unwrap() > 0);
    }
}

#[test]
fn names_are_refused_in_words_that_help() {
    let (_directory, broker) = place();
    let missing = Reader::open("a", &reader_options(&broker)).unwrap_err();
    assert!(matches!(missing, SurfaceError::NoBroker { .. }), "{missing}");
    assert!(matches!(list(Some(&broker)), Err(SurfaceError::NoBroker { .. })));
    let _one = Painter::new("one", &publisher_options(&broker), 1, SIZE).unwrap();
    let _two = Painter::new("two", &publisher_options(&broker), 1, SIZE).unwrap();
    let missing = Reader::open("three", &reader_options(&broker)).unwrap_err();
    assert_eq!(missing.to_string(), "there is no surface three; there are one, two");
    let taken = Painter::new("one", &publisher_options(&broker), 1, SIZE).err().unwrap();
    assert!(
        matches!(&taken, SurfaceError::NameTaken { owner, .. } if owner.pid == std::process::id()),
        "{taken}"
    );
    for bad in ["", "a b"] {
        assert!(matches!(Reader::open(bad, &reader_options(&broker)), Err(SurfaceError::BadName(_))));
    }
}

#[test]
fn surfaces_are_listed_with_what_their_publishers_count() {
    let (_directory, broker) = place();
    let mut painters: Vec<_> = (0..40)
        .map(|index| Painter::new(&format!("s{index:02}"), &publisher_options(&broker), 2, SIZE).unwrap())
        .collect();
    let _reader = Reader::open("s03", &reader_options(&broker)).unwrap();
    painters[3].paint();
    painters[3].publisher.count_dropped(5);
    let found = list(Some(&broker)).unwrap();
    let names: Vec<String> = found.iter().map(|info| info.name.to_string()).collect();
    assert_eq!(names, (0..40).map(|index| format!("s{index:02}")).collect::<Vec<_>>());
    assert_eq!((found[0].size, found[0].newest_age, found[0].published), (None, None, 0));
    let shown = &found[3];
    assert_eq!((shown.size, shown.published, shown.dropped, shown.readers), (Some(SIZE), 1, 5, 1));
    assert_eq!(shown.publisher.pid, std::process::id());
    assert!(shown.newest_age.is_some_and(|age| age < LONG));
}

#[test]
fn a_reader_may_come_before_its_publisher() {
    let (_directory, broker) = place();
    let options = patient(&broker);
    let reader = thread::spawn(move || Viewer::open("a", &options).unwrap().look(LONG).unwrap());
    let mut painter = Painter::new("a", &publisher_options(&broker), 3, SIZE).unwrap();
    painter.paint();
    assert_eq!(reader.join().unwrap(), Some(1));
}

#[test]
fn the_broker_in_a_program_ends_with_its_last_surface_and_leaves_no_file() {
    let (directory, broker) = place();
    for _ in 0..3 {
        let one = Painter::new("one", &publisher_options(&broker), 1, SIZE).unwrap();
        let two = Painter::new("two", &publisher_options(&broker), 1, SIZE).unwrap();
        drop(one);
        assert_eq!(list(Some(&broker)).unwrap().len(), 1);
        drop(two);
        eventually("the broker has gone", || std::fs::read_dir(directory.path()).unwrap().count() == 0);
    }
}
