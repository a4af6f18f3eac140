//! Counting and recording allocate nothing. A file of its own, as the allocator that counts is the process's.

use streamlib_core::account::{DropReason, FrameCounters, FrameRecord, FrameTimes, PassTimes, recorder};
use streamlib_core::frame::Timestamp;

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
