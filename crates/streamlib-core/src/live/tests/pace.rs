//! What makes frames run.

use super::examples::{BY_CAMERA, every, lossless, pictures, spec};
use super::plans::{CAMERA, OTHER, Spec};
use super::rig::{Outcome, Rig};
use super::source::Pushed;
use super::swaps::Change;
use crate::frame::Timestamp;
use crate::live::Pace;
use crate::mailbox::Policy;

fn rig(pace: Pace) -> Rig {
    Rig::new(&spec(pace, &[pictures(1, every(64))]), [lossless(4), Policy::Latest])
}

/// Lets time pass until `end`, a step of `step_ns` at a time, and runs what is due; how many frames ran.
fn pass(rig: &mut Rig, end: i64, step_ns: i64) -> usize {
    let mut frames = 0;
    while crate::live::Clock::now(&*rig.clock).0 < end {
        while rig.run() == Outcome::Submitted {
            frames += 1;
        }
        rig.clock.advance(step_ns);
    }
    frames
}

#[test]
fn a_clock_runs_exactly_the_frames_that_are_due() {
    for (interval, end) in [(7, 700), (10, 1_000), (16_667, 1_000_000), (1, 50)] {
        let mut rig = rig(Pace::Every(interval));
        let due = (end + interval - 1) / interval;
        assert_eq!(pass(&mut rig, end, 1.max(interval / 3)), due as usize, "every {interval}");
        rig.finish();
    }
}

#[test]
fn a_clock_says_when_the_next_frame_is_due_and_does_not_drift() {
    let mut rig = rig(Pace::Every(10));
    assert_eq!(rig.run(), Outcome::Submitted);
    assert_eq!(rig.run(), Outcome::Wait(Some(Timestamp(10))));
    rig.clock.advance(13);
    assert_eq!(rig.run(), Outcome::Submitted);
    assert_eq!(rig.run(), Outcome::Wait(Some(Timestamp(20))), "three late, and the next in time");
    rig.finish();
}

#[test]
fn frames_that_could_not_run_in_time_are_not_made_up_for() {
    let mut rig = rig(Pace::Every(10));
    assert_eq!(rig.run(), Outcome::Submitted);
    rig.clock.advance(1_000_005);
    assert_eq!(rig.run(), Outcome::Submitted);
    assert_eq!(rig.run(), Outcome::Wait(Some(Timestamp(1_000_010))));
    // All slots are under way: what is due then runs once when one is free.
    for _ in 0..3 {
        rig.clock.advance(10);
        assert_eq!(rig.frame(), Outcome::Submitted);
    }
    rig.clock.advance(95);
    assert_eq!(rig.frame(), Outcome::Busy);
    assert!(rig.deliver());
    assert_eq!(rig.frame(), Outcome::Submitted);
    assert_eq!(rig.run(), Outcome::Wait(Some(Timestamp(1_000_140))));
    rig.finish();
}

#[test]
fn without_a_pace_frames_run_as_fast_as_slots_come_home() {
    let mut rig = rig(Pace::Free);
    for _ in 0..5 {
        let submitted = std::iter::repeat_with(|| rig.frame()).take_while(|step| *step == Outcome::Submitted);
        assert_eq!(submitted.count(), 3);
        while rig.deliver() {}
    }
    assert_eq!(rig.finish()[0].len(), 15);
}

#[test]
fn other_sources_go_on_while_the_one_that_sets_the_pace_stalls_and_it_sets_it_again_when_it_is_back() {
    let mut rig = rig(Pace::Source { source: CAMERA, interval_ns: 10, patience_ns: 100 });
    for round in 0..3 {
        for _ in 0..5 {
            rig.push(CAMERA);
            rig.push(OTHER);
            assert_eq!(rig.run(), Outcome::Submitted);
            let patient_until = crate::live::Clock::now(&*rig.clock).0 + 100;
            assert_eq!(rig.run(), Outcome::Wait(Some(Timestamp(patient_until))));
            rig.clock.advance(10);
        }
        // The last frame came 10 ago.
        let start = crate::live::Clock::now(&*rig.clock).0;
        let before = rig.expected.len();
        let mut step = 0;
        while crate::live::Clock::now(&*rig.clock).0 < start + 190 {
            step += 1;
            rig.push(OTHER);
            rig.run();
            rig.clock.advance(5);
        }
        assert_eq!(step, 38);
        assert_eq!(rig.expected.len() - before, 10, "round {round}: one every 10 from 90 on");
        let (last, first) = (rig.expected.seen(rig.expected.len() - 1), rig.expected.seen(before));
        assert_eq!(last.camera, first.camera);
        assert!(last.other > first.other);
    }
    rig.finish();
}

#[test]
fn the_source_that_sets_the_pace_ends_the_graph_when_its_last_frame_has_run() {
    let mut rig = rig(BY_CAMERA);
    for _ in 0..3 {
        rig.push(CAMERA);
    }
    rig.end(CAMERA);
    for _ in 0..3 {
        assert_eq!(rig.run(), Outcome::Submitted);
    }
    assert_eq!(rig.run(), Outcome::Ended);
    assert_eq!(rig.push(CAMERA), Pushed::Closed);
    // Another life of it makes the graph go on.
    assert!(rig.swap(Change::Anew(CAMERA, lossless(2))));
    assert_eq!(rig.push(CAMERA), Pushed::Waits);
    assert_eq!(rig.run(), Outcome::Submitted);
    assert_eq!(rig.finish(), [[0, 1, 2, 3]]);
}

#[test]
fn where_time_sets_the_pace_a_graph_ends_with_the_source_that_it_ends_with_when_its_last_frame_has_run() {
    for pace in [Pace::Every(10), Pace::Free] {
        let sinks = [pictures(1, every(64))];
        let mut rig =
            Rig::new(&Spec { ends_with_camera: true, ..spec(pace, &sinks) }, [lossless(4), lossless(4)]);
        rig.push(OTHER);
        rig.end(OTHER);
        for _ in 0..2 {
            rig.push(CAMERA);
        }
        rig.end(CAMERA);
        for camera in 1..=2 {
            assert_eq!(rig.run(), Outcome::Submitted, "{pace:?}");
            assert_eq!(rig.expected.seen(camera - 1).camera, camera, "{pace:?}");
            rig.clock.advance(10);
        }
        assert_eq!(rig.run(), Outcome::Ended, "{pace:?}");
        assert_eq!(rig.finish(), [[0, 1]], "{pace:?}");
    }
}

#[test]
fn another_source_that_ends_leaves_its_last_frame_standing() {
    let mut rig = rig(BY_CAMERA);
    rig.push(OTHER);
    rig.end(OTHER);
    for round in 0..5 {
        rig.push(CAMERA);
        assert_eq!(rig.run(), Outcome::Submitted);
        assert_eq!(rig.expected.seen(round).other, 1);
    }
    rig.finish();
}

#[test]
fn a_swap_changes_the_pace_and_one_that_does_not_keeps_the_beat() {
    let mut rig = rig(Pace::Every(100));
    assert_eq!(rig.run(), Outcome::Submitted);
    rig.clock.advance(30);
    rig.swap(Change::Version(1));
    assert_eq!(rig.run(), Outcome::Wait(Some(Timestamp(100))));
    rig.swap(Change::Pace(Pace::Every(20)));
    assert_eq!(rig.run(), Outcome::Submitted);
    assert_eq!(rig.run(), Outcome::Wait(Some(Timestamp(50))));
    let source = Pace::Source { source: OTHER, interval_ns: 10, patience_ns: 70 };
    rig.swap(Change::Pace(source));
    assert_eq!(rig.run(), Outcome::Wait(Some(Timestamp(100))), "patience begins with the plan");
    rig.push(OTHER);
    assert_eq!(rig.run(), Outcome::Submitted);
    rig.finish();
}
