//! How a graph ends, and how those around it do.

use super::examples::{BY_CAMERA, every, lossless, pictures, spec, textures};
use super::plans::{CAMERA, OTHER};
use super::rig::{Outcome, Rig};
use super::source::Pushed;
use super::swaps::Change;
use crate::mailbox::Policy;

#[test]
fn a_consumer_that_dies_stops_nobody_and_keeps_nothing() {
    for policy in [Policy::Latest, every(2), lossless(1)] {
        let sinks = [pictures(1, policy), textures(2, policy), textures(3, every(1))];
        let mut rig = Rig::new(&spec(BY_CAMERA, &sinks), [lossless(1); 2]);
        for frame in 0..40 {
            if frame == 10 {
                rig.taker(1).die();
                rig.taker(2).die();
            }
            assert_eq!(rig.push(CAMERA), Pushed::Waits);
            assert_eq!(rig.run(), Outcome::Submitted);
            for tag in 1..=3 {
                let is_there = tag == 3 || frame < 10;
                assert_eq!(rig.take(tag), is_there.then_some(frame));
            }
        }
        rig.finish();
    }
}

#[test]
fn a_lossless_consumer_that_dies_while_frames_wait_for_it_frees_the_others() {
    for takes_textures in [false, true] {
        let slow = super::plans::SinkSpec { takes_textures, ..pictures(1, lossless(2)) };
        let mut rig = Rig::new(&spec(BY_CAMERA, &[slow, textures(2, every(1))]), [lossless(1); 2]);
        while rig.push(CAMERA) == Pushed::Waits {
            rig.run();
            rig.take(2);
        }
        assert_eq!(rig.run(), Outcome::Busy);
        rig.taker(1).die();
        while rig.deliver() {}
        for _ in 0..10 {
            assert_eq!(rig.run(), Outcome::Submitted);
            assert_eq!(rig.take(2), Some(rig.expected.len() - 1));
            rig.push(CAMERA);
        }
        rig.finish();
    }
}

#[test]
fn a_lossless_consumer_that_is_removed_still_gets_what_ran_for_it() {
    let sinks = [pictures(1, lossless(1)), textures(2, Policy::Latest)];
    let mut rig = Rig::new(&spec(BY_CAMERA, &sinks), [lossless(8); 2]);
    for _ in 0..3 {
        rig.push(CAMERA);
        rig.frame();
    }
    assert!(rig.swap(Change::Remove(0)));
    rig.push(CAMERA);
    assert_eq!(rig.run(), Outcome::Busy, "all slots are under way");
    for _ in 0..6 {
        assert_eq!(rig.push(CAMERA), Pushed::Waits);
        assert_eq!(rig.run(), Outcome::Submitted);
    }
    assert_eq!(rig.expected.len(), 9, "nobody waits for it any more");
    assert_eq!(rig.finish()[0], [0, 1, 2]);
}

#[test]
fn a_stop_waits_for_a_lossless_consumer_as_long_as_for_a_frame_and_no_longer() {
    let mut rig = Rig::new(&spec(BY_CAMERA, &[pictures(1, lossless(1))]), [lossless(8); 2]);
    for _ in 0..3 {
        rig.push(CAMERA);
        rig.frame();
    }
    rig.stop();
    // Three frames; one fits into the mailbox.
    for _ in 0..3 {
        assert!(rig.deliver());
    }
    assert_eq!(rig.take(1), Some(0));
    for _ in 0..3 {
        assert!(rig.deliver());
    }
    rig.lose_patience();
    assert!(!rig.deliver());
    assert_eq!(rig.drain(1), [1]);
    rig.taker(1).gives_up = true;
    rig.finish();
}

#[test]
fn a_source_is_told_that_the_graph_has_ended_and_keeps_its_memory() {
    let mut rig = Rig::new(&spec(BY_CAMERA, &[textures(1, every(9))]), [lossless(4), Policy::Latest]);
    rig.push(CAMERA);
    rig.push(OTHER);
    rig.run();
    rig.push(CAMERA);
    rig.stop();
    assert_eq!(rig.push(CAMERA), Pushed::Closed);
    assert_eq!(rig.push(OTHER), Pushed::Closed);
    assert_eq!(rig.frame(), Outcome::Stopped);
    rig.finish();
}

#[test]
fn accounts_of_a_plan_open_with_it_even_when_numbers_of_plans_are_left_out() {
    use crate::account::{FrameCounters, PassTimes};
    use crate::live::DeliverCommand;
    let mut rig = Rig::new(&spec(BY_CAMERA, &[textures(1, every(9))]), [lossless(4); 2]);
    let counters = FrameCounters::new(["camera"]);
    let account = DeliverCommand::Account(2, counters.clone(), PassTimes::new(["mix"]));
    rig.commands.send(account).unwrap();
    rig.push(CAMERA);
    rig.run();
    assert_eq!(counters.graph().counts().frames_out, 0);
    rig.swap(Change::Same);
    rig.push(CAMERA);
    rig.run();
    assert_eq!(counters.graph().counts().frames_out, 1);
    let stats = rig.stats.read(crate::frame::Timestamp(0));
    assert_eq!((stats.passes.len(), stats.graph.frames_out, stats.frames), (1, 1, 2));
}
