//! Frames that are published before they are done.
#![allow(clippy::unwrap_used, reason = "what helps a test may fail like one")]

mod support;

use std::fs::File;
use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use streamlib_core::format::Size;
use streamlib_core::frame::FrameMeta;
use streamlib_share::{Publisher, Reader, SharedBuffer, SurfaceError, TimelineDescription};

use support::{LONG, description, place, publisher_options, reader_options};

const TIMELINE: TimelineDescription = TimelineDescription { device: [1; 16], driver: [2; 16] };

fn buffer<T>(publisher: &Publisher<T>) -> SharedBuffer {
    publisher.add_buffer(description(Size::new(4, 4)), || Err(std::io::ErrorKind::Other.into()))
}

#[test]
fn an_announced_frame_is_there_for_early_readers_and_for_others_when_it_is_finished() {
    let (_directory, broker) = place();
    let mut publisher = Publisher::create("a", &publisher_options(&broker)).unwrap();
    let buffer = buffer(&publisher);
    let [mut early, mut other] = [(); 2].map(|()| Reader::open("a", &reader_options(&broker)).unwrap());
    early.read_early();
    let keeps: Vec<Arc<()>> = (0..4).map(|_| Arc::default()).collect();
    for (number, keep) in (1_u64..).zip(&keeps) {
        let announced =
            publisher.announce(&buffer, &FrameMeta::default(), number * 10, keep.clone()).unwrap();
        let frame = early.acquire(LONG).unwrap().unwrap();
        assert_eq!((frame.number(), frame.done().map(u64::from)), (number, Some(number * 10)));
        assert!(early.acquire(Duration::ZERO).unwrap().is_none(), "it came twice");
        assert!(other.acquire(Duration::ZERO).unwrap().is_none(), "it is not done");
        drop(frame);
        publisher.reclaim();
        assert_eq!(Arc::strong_count(keep), 2, "it has still to come to others");
        assert_eq!(publisher.finish(announced), number);
        assert!(early.acquire(Duration::ZERO).unwrap().is_none(), "finishing is nothing new");
        let frame = other.acquire(LONG).unwrap().unwrap();
        assert_eq!((frame.number(), frame.done()), (number, None));
    }
    publisher.reclaim();
    let kept: Vec<_> = keeps.iter().map(Arc::strong_count).collect();
    assert_eq!(kept, [1, 1, 1, 2]);
    assert_eq!(publisher.stats().published, 4);
}

#[test]
fn what_is_published_when_it_is_done_comes_to_early_readers_as_done() {
    let (_directory, broker) = place();
    let mut publisher = Publisher::create("a", &publisher_options(&broker)).unwrap();
    let buffer = buffer(&publisher);
    let mut early = Reader::open("a", &reader_options(&broker)).unwrap();
    early.read_early();
    let waiting = thread::spawn(move || early.acquire(LONG).unwrap().map(|frame| frame.done()));
    publisher.publish(&buffer, &FrameMeta::default(), ()).unwrap();
    assert_eq!(waiting.join().unwrap(), Some(None));
}

#[test]
fn a_frame_is_watched_until_its_publisher_or_its_timeline_says_that_it_is_done() {
    let (_directory, broker) = place();
    let mut publisher = Publisher::create("a", &publisher_options(&broker)).unwrap();
    let buffer = buffer(&publisher);
    let mut reader = Reader::open("a", &reader_options(&broker)).unwrap();
    reader.read_early();
    let announced = publisher.announce(&buffer, &FrameMeta::default(), 10, ()).unwrap();
    let frame = reader.acquire(LONG).unwrap().unwrap();
    let mut looks = Vec::new();
    let mut watch = |limit, answer: Result<bool, &'static str>| {
        reader.watch(&frame, limit, |value| {
            looks.push(value);
            answer
        })
    };
    assert_eq!(watch(Duration::ZERO, Ok(false)), Ok(false), "it is looked once");
    assert_eq!(watch(LONG, Ok(true)), Ok(true));
    assert_eq!(watch(LONG, Err("lost")), Err("lost"));
    assert_eq!(looks, [10; 3]);

    // A driver that takes its time does not keep what the publisher says from being heard.
    let (looked, has_looked) = std::sync::mpsc::channel();
    thread::scope(|scope| {
        let watching = scope.spawn(|| {
            reader.watch(&frame, LONG, |_| {
                looked.send(()).unwrap();
                Ok::<_, ()>(false)
            })
        });
        has_looked.recv().unwrap();
        publisher.finish(announced);
        assert_eq!(watching.join().unwrap(), Ok(true));
    });
    assert_eq!(reader.watch(&frame, Duration::ZERO, |_| Err("it is known to be done")), Ok(true));
}

#[test]
fn a_frame_that_is_never_finished_is_given_back_when_the_next_one_is() {
    let (_directory, broker) = place();
    let mut publisher = Publisher::create("a", &publisher_options(&broker)).unwrap();
    let buffer = buffer(&publisher);
    let mut reader = Reader::open("a", &reader_options(&broker)).unwrap();
    let [lost, next] = [(); 2].map(|()| Arc::new(()));
    drop(publisher.announce(&buffer, &FrameMeta::default(), 1, lost.clone()).unwrap());
    publisher.publish(&buffer, &FrameMeta::default(), next.clone()).unwrap();
    assert_eq!(reader.acquire(LONG).unwrap().unwrap().number(), 2);
    publisher.reclaim();
    assert_eq!((Arc::strong_count(&lost), Arc::strong_count(&next)), (1, 2));
}

#[test]
fn a_timeline_is_handed_to_whoever_asks() {
    let (_directory, broker) = place();
    let publisher = Publisher::<()>::create("a", &publisher_options(&broker)).unwrap();
    let mut reader = Reader::open("a", &reader_options(&broker)).unwrap();
    assert!(reader.timeline().unwrap().is_none(), "none was offered");
    publisher.offer_timeline(TIMELINE, || Ok(File::open("/dev/zero")?.into()));
    publisher.offer_timeline(TimelineDescription { device: [9; 16], ..TIMELINE }, || {
        Err(std::io::ErrorKind::Other.into())
    });
    for _ in 0..2 {
        let (description, file) = reader.timeline().unwrap().unwrap();
        assert_eq!(description, TIMELINE);
        let zero = std::fs::metadata("/dev/zero").unwrap();
        assert_eq!(File::from(file).metadata().unwrap().rdev(), zero.rdev());
    }
    drop(publisher);
    assert!(matches!(reader.timeline(), Err(SurfaceError::PublisherGone { .. })));
}

#[test]
fn a_timeline_that_cannot_be_exported_is_none() {
    let (_directory, broker) = place();
    let publisher = Publisher::<()>::create("a", &publisher_options(&broker)).unwrap();
    publisher.offer_timeline(TIMELINE, || Err(std::io::ErrorKind::Other.into()));
    let mut reader = Reader::open("a", &reader_options(&broker)).unwrap();
    assert!(reader.timeline().unwrap().is_none());
    assert!(reader.is_publisher_alive());
}
