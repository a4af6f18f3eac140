//! Traces, written and parsed back.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::num::NonZeroU16;
use std::sync::Arc;
use std::thread;

use serde_json::Value;

use super::*;
use crate::account::{DropReason, FrameTimes};
use crate::frame::Timestamp;
use crate::sync::Mutex;

fn bound(bound: u16) -> NonZeroU16 {
    NonZeroU16::new(bound).unwrap()
}

fn names(title: &str, passes: &[&str]) -> Arc<TraceNames> {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let nodes = owned(&["camera \"left\""]);
    Arc::new(TraceNames { title: title.to_owned(), nodes, passes: owned(passes), queues: owned(&["inlet"]) })
}

fn us(microseconds: i64) -> Timestamp {
    Timestamp(1_000_000_000_000_000 + microseconds * 1_000)
}

/// A frame every 10 ms that takes 25 ms, so that frames overlap on every track that lets them.
fn frame(number: u64) -> TraceEvent {
    let at = |offset: i64| us(number as i64 * 10_000 + offset);
    let times = FrameTimes {
        captured: at(0),
        arrived: at(2_000),
        submitted: at(14_500),
        gpu_begin: Some(at(14_600)),
        gpu_end: Some(at(16_000)),
        delivered: at(25_000),
    };
    TraceEvent::Frame(FrameTrace { number, times })
}

fn pass(frame: u64, pass: u16) -> TraceEvent {
    let begin = frame as i64 * 10_000 + 14_600 + i64::from(pass) * 500;
    TraceEvent::Pass(PassTrace { frame, pass, begin: us(begin), end: us(begin + 500) })
}

/// The text of a trace of `events`, and how many were left out.
fn trace(events: impl IntoIterator<Item = TraceEvent>) -> (String, u64) {
    let (mut sender, receiver) = channel(bound(1_000));
    events.into_iter().for_each(|event| sender.send(event));
    drop(sender);
    let mut text = Vec::new();
    let left_out = receiver.write_to(&mut text, names("night", &["blur", "tint"])).unwrap();
    (String::from_utf8(text).unwrap(), left_out)
}

fn parse(text: &str) -> Vec<Value> {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text}"))
}

fn of_phase<'a>(events: &'a [Value], phase: &str) -> Vec<&'a Value> {
    events.iter().filter(|event| event["ph"] == phase).collect()
}

/// Name of each row, by its number.
fn rows(events: &[Value]) -> BTreeMap<u64, &str> {
    let named = of_phase(events, "M").into_iter().filter(|event| event["name"] == "thread_name");
    named.map(|event| (event["tid"].as_u64().unwrap(), event["args"]["name"].as_str().unwrap())).collect()
}

#[test]
fn each_frame_has_its_slices_on_named_tracks_at_its_times() {
    let (text, left_out) = trace([frame(0), pass(0, 0), pass(0, 1)]);
    let events = parse(&text);
    let rows = rows(&events);
    let slices: Vec<_> = of_phase(&events, "X")
        .into_iter()
        .map(|slice| {
            let begin = slice["ts"].as_f64().unwrap() - 1e12;
            (
                rows[&slice["tid"].as_u64().unwrap()],
                slice["name"].as_str().unwrap(),
                begin,
                slice["dur"].as_f64(),
            )
        })
        .collect();
    assert_eq!(
        slices,
        [
            ("capture", "capture", 0.0, Some(2_000.0)),
            ("wait", "wait for the frame thread", 2_000.0, Some(12_500.0)),
            ("submit", "wait for the GPU", 14_500.0, Some(100.0)),
            ("deliver", "deliver", 16_000.0, Some(9_000.0)),
            ("GPU", "blur", 14_600.0, Some(500.0)),
            ("GPU", "tint", 15_100.0, Some(500.0)),
        ]
    );
    assert_eq!(left_out, 0);
    let process = of_phase(&events, "M")[0];
    assert_eq!((&process["name"], &process["args"]["name"]), (&"process_name".into(), &"night".into()));
}

#[test]
fn an_arrow_leads_from_the_capture_of_each_frame_to_its_delivery() {
    let events = parse(&trace((0..50).map(frame)).0);
    for number in 0..50 {
        let of_frame = events.iter().filter(|event| event["id"] == number);
        let arrow: Vec<_> = of_frame.map(|event| event["ph"].as_str().unwrap()).collect();
        assert_eq!(arrow, ["s", "t", "f"]);
    }
    // A viewer ties an arrow to the slice that is open at its row and time.
    let slices = of_phase(&events, "X");
    for end in events.iter().filter(|event| event.get("id").is_some()) {
        let slice = slices.iter().find(|slice| slice["tid"] == end["tid"] && slice["ts"] == end["ts"]);
        assert_eq!(slice.map(|slice| &slice["args"]["frame"]), Some(&end["id"]));
    }
}

#[test]
fn slices_that_overlap_are_in_different_rows() {
    let events = parse(&trace((0..50).map(frame)).0);
    let mut busy_until = BTreeMap::new();
    for slice in of_phase(&events, "X") {
        let (begin, length) = (slice["ts"].as_f64().unwrap(), slice["dur"].as_f64().unwrap());
        let last = busy_until.insert(slice["tid"].as_u64(), begin + length).unwrap_or(0.0);
        assert!(last <= begin, "{slice} overlaps the one before");
    }
    let rows = rows(&events);
    let rows: BTreeSet<_> = rows.values().copied().collect();
    assert!(rows.contains("wait 2") && !rows.contains("wait 3"), "{rows:?}");
}

#[test]
fn drops_swaps_and_queues_are_told_with_their_reasons() {
    let events = parse(
        &trace([
            TraceEvent::Drop { at: us(1), node: Some(0), reason: DropReason::NoFreeSlot },
            TraceEvent::Drop { at: us(2), node: None, reason: DropReason::Stopped },
            TraceEvent::Swap { at: us(3), names: names("strength changed", &["sharpen"]) },
            pass(7, 0),
            pass(7, 9),
            TraceEvent::Queue { at: us(4), queue: 0, length: 3 },
        ])
        .0,
    );
    let args: Vec<_> = of_phase(&events, "i").into_iter().map(|event| &event["args"]).collect();
    assert_eq!(args[0]["name"], "camera \"left\"");
    assert_eq!(args[0]["reason"], "no free slot: the GPU is behind");
    assert_eq!(args[1]["name"], "graph");
    assert_eq!(args[2]["name"], "strength changed");
    let passes: Vec<_> = of_phase(&events, "X").into_iter().map(|event| &event["name"]).collect();
    assert_eq!(passes, ["sharpen", "unnamed"]);
    let queue = of_phase(&events, "C")[0];
    assert_eq!((&queue["name"], &queue["args"]["count"]), (&"inlet".into(), &3.into()));
}

#[test]
fn a_trace_without_its_end_is_complete_but_for_the_bracket() {
    /// What was written, seen from outside; it tells of each flush.
    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>, Arc<Mutex<Vec<usize>>>);
    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            self.1.lock().unwrap().push(self.0.lock().unwrap().len());
            Ok(())
        }
    }
    let (mut sender, receiver) = channel(bound(10_000));
    (0..2_000).for_each(|number| sender.send(frame(number)));
    drop(sender);
    let out = Shared::default();
    receiver.write_to(out.clone(), names("long", &[])).unwrap();
    let (text, flushed) = (out.0.lock().unwrap(), out.1.lock().unwrap());
    assert!(flushed.len() > 10, "{} flushes for {} bytes", flushed.len(), text.len());
    for &length in &flushed[..flushed.len() - 1] {
        parse(&format!("{}]", str::from_utf8(&text[..length]).unwrap()));
    }
    parse(str::from_utf8(&text).unwrap());
}

#[test]
fn events_beyond_the_bound_are_left_out_and_counted_where_they_are_missing() {
    let (mut sender, receiver) = channel(bound(8));
    (0..20).for_each(|number| sender.send(frame(number)));
    drop(sender);
    let mut text = Vec::new();
    assert_eq!(receiver.write_to(&mut text, names("full", &[])).unwrap(), 12);
    let events = parse(str::from_utf8(&text).unwrap());
    let gap = events.last().unwrap();
    assert_eq!((&gap["name"], &gap["args"]["count"]), (&"trace events left out".into(), &12.into()));
}

#[test]
fn a_slow_writer_gets_every_event_or_the_number_of_those_it_missed() {
    let (mut sender, receiver) = channel(bound(3));
    let writing = thread::spawn(move || {
        let mut text = Vec::new();
        let left_out = receiver.write_to(&mut text, names("busy", &["a"])).unwrap();
        (text, left_out)
    });
    (0..20_000).for_each(|number| sender.send(pass(number, 0)));
    drop(sender);
    let (text, left_out) = writing.join().unwrap();
    let events = parse(str::from_utf8(&text).unwrap());
    assert_eq!(of_phase(&events, "X").len() as u64 + left_out, 20_000);
    let gaps = of_phase(&events, "i").into_iter().map(|gap| gap["args"]["count"].as_u64().unwrap());
    assert_eq!(gaps.sum::<u64>(), left_out);
}

#[test]
fn a_writer_that_fails_says_so_and_closes_the_sender() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let (mut sender, receiver) = channel(bound(8));
    sender.send(frame(0));
    assert!(sender.is_open());
    let error = receiver.write_to(Full, names("full", &[])).unwrap_err();
    assert!(error.to_string().contains("choose a place with free space"), "{error}");
    assert!(!sender.is_open());
    sender.send(frame(1));
}
