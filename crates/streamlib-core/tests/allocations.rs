//! What may run once a frame allocates nothing. A file of its own, as the allocator that counts is the process's.

use std::num::NonZeroU16;
use std::time::{Duration, Instant};

use streamlib_core::account::{DropReason, FrameCounters, FrameRecord, FrameTimes, PassTimes, recorder};
use streamlib_core::frame::Timestamp;
use streamlib_core::mailbox::{self, Listener, Policy, SendError, Wake};
use streamlib_core::trace::{self, FrameTrace, TraceEvent};

#[test]
fn mailboxes_allocate_nothing_once_they_are_made() {
    let bound = NonZeroU16::new(3).unwrap();
    for policy in [Policy::Latest, Policy::Every { bound }, Policy::Lossless { bound }] {
        let mut listener = Listener::new();
        let (mut sender, mut receiver) = mailbox::with_bell(policy, listener.bell());
        // The standard library makes a thread's handle on first use.
        assert_eq!(listener.wait(Some(Instant::now())), Wake::TimedOut);
        let allocations = allocation_counter::measure(|| {
            for round in 0..100_u64 {
                for value in 0..5 {
                    match sender.send(round * 5 + value) {
                        Ok(_) => {}
                        Err(SendError::Full(value)) => {
                            assert!(sender.send_blocking(value, Duration::ZERO).is_err());
                        }
                        Err(SendError::Closed(_)) => panic!("the receiver is there"),
                    }
                }
                assert_eq!(listener.wait(None), Wake::Rung);
                while receiver.take().is_some() {}
                assert_eq!(listener.wait(Some(Instant::now())), Wake::TimedOut);
            }
        });
        assert_eq!(allocations.count_total, 0, "{policy:?}");
    }
}

#[test]
fn counting_and_recording_allocate_nothing() {
    let counters = FrameCounters::new(["camera", "screen"]);
    let (mut recorder, reader) = recorder(counters.clone(), PassTimes::new(["blur", "tint"]), None);
    let allocations = allocation_counter::measure(|| {
        for n in 0..10_000_i64 {
            let node = counters.node(n as usize % 2).unwrap();
            node.came_in();
            node.dropped(DropReason::ALL[n as usize % DropReason::ALL.len()]);
            counters.graph().missed_deadline();
            let delivered = Timestamp(n * n * 1_000);
            let times = FrameTimes { gpu_end: Some(delivered), delivered, ..FrameTimes::default() };
            recorder.record(&FrameRecord { times, frame_cpu_ns: Some(1), pass_ns: &[n as u64, 1 << 40] });
        }
    });
    assert_eq!(allocations.count_total, 0);
    assert_eq!(reader.read(Timestamp(0)).frames, 10_000);
}

#[test]
fn sending_trace_events_allocates_nothing_even_when_they_are_left_out() {
    let (mut sender, receiver) = trace::channel(NonZeroU16::new(100).unwrap());
    let allocations = allocation_counter::measure(|| {
        for number in 0..1_000 {
            sender.send(TraceEvent::Frame(FrameTrace { number, times: FrameTimes::default() }));
        }
    });
    assert_eq!(allocations.count_total, 0);
    drop(sender);
    assert_eq!(receiver.write_to(std::io::sink(), Default::default()).unwrap(), 900);
}
