//! Publishing and taking allocate nothing.
#![allow(clippy::unwrap_used, reason = "what helps a test may fail like one")]

mod support;

use std::time::Duration;

use streamlib_core::format::Size;
use streamlib_core::frame::FrameMeta;
use streamlib_share::{Publisher, Reader};

use support::{LONG, description, place, publisher_options, reader_options};

#[test]
fn a_frame_goes_from_a_publisher_to_a_reader_without_an_allocation() {
    let (_directory, broker) = place();
    let mut publisher = Publisher::create("a", &publisher_options(&broker)).unwrap();
    let buffers: Vec<_> = (0..4)
        .map(|_| publisher.add_buffer(description(Size::new(4, 4)), || Err(std::io::ErrorKind::Other.into())))
        .collect();
    let mut reader = Reader::open("a", &reader_options(&broker)).unwrap();
    assert!(reader.acquire(Duration::ZERO).unwrap().is_none());
    let counted = allocation_counter::measure(|| {
        for number in 0..1_000 {
            publisher.publish(&buffers[number % buffers.len()], &FrameMeta::default(), number).unwrap();
            drop(reader.acquire(LONG).unwrap().unwrap());
        }
        assert!(reader.acquire(Duration::from_millis(1)).unwrap().is_none());
    });
    assert_eq!(counted.count_total, 0);
}
