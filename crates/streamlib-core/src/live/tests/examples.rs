//! Single properties, each in the plainest order of events that shows it.

use std::num::NonZeroU16;

use super::plans::{CAMERA, OTHER, SinkSpec, Spec};
use super::rig::{Outcome, Rig};
use super::source::Pushed;
use super::swaps::Change;
use crate::live::Pace;
use crate::mailbox::Policy;

pub(super) fn every(bound: u16) -> Policy {
    Policy::Every { bound: NonZeroU16::new(bound).unwrap() }
}

pub(super) fn lossless(bound: u16) -> Policy {
    Policy::Lossless { bound: NonZeroU16::new(bound).unwrap() }
}

/// Frames of the camera make frames, however long it stalls.
pub(super) const BY_CAMERA: Pace = Pace::Source { source: CAMERA, interval_ns: 10, patience_ns: i64::MAX };

pub(super) fn pictures(tag: u64, policy: Policy) -> SinkSpec {
    SinkSpec { tag, takes_textures: false, policy, holds: 1 }
}

pub(super) fn textures(tag: u64, policy: Policy) -> SinkSpec {
    SinkSpec { tag, takes_textures: true, policy, holds: 1 }
}

pub(super) fn spec(pace: Pace, sinks: &[SinkSpec]) -> Spec {
    let (version, amounts, sinks) = (0, (0, 0), sinks.to_vec());
    Spec { version, has_extra: false, has_other: true, amounts, sinks, pace, ends_with_camera: false }
}

#[test]
fn frames_of_both_kinds_of_sources_reach_both_kinds_of_consumers() {
    let spec = spec(BY_CAMERA, &[pictures(1, every(9)), textures(2, every(9))]);
    let mut rig = Rig::new(&spec, [lossless(4); 2]);
    assert_eq!(rig.frame(), Outcome::Wait(Some(crate::frame::Timestamp(i64::MAX))));
    for _ in 0..5 {
        assert_eq!(rig.push(OTHER), Pushed::Waits);
        assert_eq!(rig.push(CAMERA), Pushed::Waits);
        assert_eq!(rig.run(), Outcome::Submitted);
    }
    assert_eq!(rig.finish(), [[0, 1, 2, 3, 4]; 2]);
}

#[test]
fn a_slow_consumer_takes_nothing_from_a_fast_one() {
    for slow in [Policy::Latest, every(2)] {
        for takes_textures in [false, true] {
            let slow = SinkSpec { takes_textures, ..pictures(1, slow) };
            let fast = SinkSpec { takes_textures, ..pictures(2, every(1)) };
            let mut rig = Rig::new(&spec(BY_CAMERA, &[slow, fast]), [lossless(1); 2]);
            for frame in 0..30 {
                assert_eq!(rig.push(CAMERA), Pushed::Waits);
                assert_eq!(rig.run(), Outcome::Submitted);
                assert_eq!(rig.take(2), Some(frame));
            }
            let newest = 30 - slow.policy.bound() as u64;
            assert_eq!(rig.finish(), [(newest..30).collect::<Vec<_>>(), (0..30).collect()]);
        }
    }
}

#[test]
fn a_consumer_that_holds_too_much_misses_frames_and_nobody_else_does() {
    let greedy = textures(1, Policy::Latest);
    let mut rig = Rig::new(&spec(BY_CAMERA, &[greedy, textures(2, every(1))]), [lossless(1); 2]);
    rig.taker(1).is_greedy = true;
    for frame in 0..20 {
        rig.push(CAMERA);
        assert_eq!(rig.run(), Outcome::Submitted);
        rig.take(1);
        assert_eq!(rig.take(2), Some(frame));
    }
    // What it may hold and have waiting, and one for every slot.
    assert_eq!(rig.taker(1).got.len(), 2 + 3);
    rig.drain(1);
    rig.push(CAMERA);
    rig.run();
    assert_eq!(rig.take(1), Some(20));
    rig.finish();
}

#[test]
fn frames_wait_for_a_lossless_consumer_and_none_is_lost() {
    for takes_textures in [false, true] {
        for bound in [1, 2, 5] {
            let slow = SinkSpec { takes_textures, ..pictures(1, lossless(bound)) };
            let mut rig = Rig::new(&spec(BY_CAMERA, &[slow, textures(2, Policy::Latest)]), [lossless(2); 2]);
            let mut pushed = 0;
            for round in 0..60 {
                pushed += u64::from(rig.push(CAMERA) == Pushed::Waits);
                rig.run();
                if round % 4 == 0 {
                    rig.take(1);
                }
            }
            assert!(pushed < 30, "the source was not slowed down");
            rig.run_out();
            assert_eq!(rig.finish()[0], (0..pushed).collect::<Vec<_>>());
        }
    }
}

#[test]
fn a_lossless_consumer_loses_nothing_over_swaps_while_it_takes_nothing() {
    let mut rig = Rig::new(&spec(BY_CAMERA, &[pictures(1, lossless(1))]), [lossless(8); 2]);
    let mut pushed = 0;
    for round in 0..30 {
        pushed += u64::from(rig.push(CAMERA) == Pushed::Waits);
        rig.swap(Change::Version(round % 4));
        rig.frame();
        rig.deliver();
    }
    rig.run_out();
    assert_eq!(rig.finish()[0], (0..pushed).collect::<Vec<_>>());
}

#[test]
fn what_a_source_showed_last_stays_until_it_shows_another_and_is_black_before() {
    let mut rig = Rig::new(&spec(BY_CAMERA, &[textures(1, every(9))]), [lossless(4); 2]);
    for round in 0..4 {
        rig.push(CAMERA);
        rig.run();
        assert_eq!(rig.expected.seen(round).other, 0);
    }
    rig.push(OTHER);
    for _ in 0..4 {
        rig.push(CAMERA);
        rig.run();
    }
    assert_eq!(rig.expected.seen(7).other, 1);
    rig.finish();
}

#[test]
fn counts_and_feedback_go_on_over_every_kind_of_swap() {
    let sinks = [pictures(1, every(1)), textures(2, every(1))];
    let mut rig = Rig::new(&spec(BY_CAMERA, &sinks), [lossless(4); 2]);
    let changes = [
        Change::Same,
        Change::Version(3),
        Change::Extra,
        Change::Other(lossless(4)),
        Change::Add(textures(0, Policy::Latest), false),
        Change::Other(lossless(4)),
        Change::Anew(CAMERA, lossless(2)),
        Change::Anew(OTHER, Policy::Latest),
        Change::Extra,
        Change::Remove(2),
        Change::Pace(Pace::Free),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        // Frames of the old plan are under way while the new one begins.
        for under_way in 0..4 {
            rig.push(OTHER);
            rig.push(CAMERA);
            rig.frame();
            if under_way == number % 3 {
                assert!(rig.swap(change));
            }
        }
        while rig.deliver() {}
        let newest = rig.expected.len() - 1;
        assert_eq!(rig.drain(1), [newest]);
        assert_eq!(rig.drain(2), [newest]);
    }
    assert_eq!(rig.values.generation, 22);
    rig.finish();
}
