//! Random orders of everything that can happen to a live graph. The rig's model checks every step and every pixel.

use proptest::prelude::*;

use super::events::{Event, Generation};
use super::examples::{every, lossless};
use super::plans::{CAMERA, OTHER, SinkSpec, Spec};
use super::rig::{Outcome, Rig};
use super::swaps::Change;
use crate::live::Pace;
use crate::mailbox::Policy;

fn policy() -> impl Strategy<Value = Policy> {
    prop_oneof![Just(Policy::Latest), (1..4_u16).prop_map(every), (1..4_u16).prop_map(lossless)]
}

fn sink() -> impl Strategy<Value = SinkSpec> {
    (any::<bool>(), policy(), 1..3_usize).prop_map(|(takes_textures, policy, holds)| SinkSpec {
        tag: 0,
        takes_textures,
        policy,
        holds,
    })
}

fn pace() -> impl Strategy<Value = Pace> {
    let source = (CAMERA..=OTHER, 1..20_i64, prop_oneof![Just(i64::MAX), 0..100_i64]);
    prop_oneof![
        4 => source.prop_map(|(source, interval_ns, patience_ns)| Pace::Source { source, interval_ns, patience_ns }),
        1 => (0..30_i64).prop_map(Pace::Every),
        1 => Just(Pace::Free),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        2 => Just(Change::Same),
        2 => (0..4_u8).prop_map(Change::Version),
        1 => Just(Change::Extra),
        1 => policy().prop_map(Change::Other),
        2 => (CAMERA..=OTHER, policy()).prop_map(|(source, policy)| Change::Anew(source, policy)),
        2 => (sink(), prop::bool::weighted(0.2)).prop_map(|(sink, is_greedy)| Change::Add(sink, is_greedy)),
        1 => (0..4_usize).prop_map(Change::Remove),
        1 => pace().prop_map(Change::Pace),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let generation = prop_oneof![
        4 => Just(Generation::Newest),
        2 => Just(Generation::Running),
        1 => Just(Generation::Older),
    ];
    prop_oneof![
        24 => (CAMERA..=OTHER).prop_map(Event::Push),
        24 => Just(Event::Frame),
        20 => Just(Event::Deliver),
        20 => (0..4_usize).prop_map(Event::Take),
        6 => (0..4_usize).prop_map(Event::LetGo),
        8 => (generation, any::<u8>()).prop_map(|(generation, amount)| Event::Set(generation, amount)),
        6 => change().prop_map(Event::Swap),
        2 => change().prop_map(Event::Build),
        4 => Just(Event::Send),
        1 => (CAMERA..=OTHER).prop_map(Event::EndSource),
        1 => (0..4_usize).prop_map(Event::Die),
        10 => prop_oneof![3 => 0..12_i64, 1 => 0..300_i64].prop_map(Event::Time),
    ]
}

fn spec() -> impl Strategy<Value = Spec> {
    let sinks = prop::collection::vec(sink(), 1..4);
    (sinks, pace(), any::<bool>(), any::<bool>()).prop_map(
        |(mut sinks, pace, has_other, ends_with_camera)| {
            sinks.iter_mut().zip(1..).for_each(|(sink, tag)| sink.tag = tag);
            let pace = match pace {
                Pace::Source { interval_ns, patience_ns, .. } if !has_other => {
                    Pace::Source { source: CAMERA, interval_ns, patience_ns }
                }
                pace => pace,
            };
            Spec { version: 0, has_extra: false, has_other, amounts: (3, !3), sinks, pace, ends_with_camera }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_in_whatever_order_each_frame_is_right_and_has_one_fate(
        spec in spec(),
        policies in [policy(), policy()],
        events in prop::collection::vec(event(), 0..160),
        stop in prop::option::weighted(0.3, 0..160_usize),
    ) {
        let mut rig = Rig::new(&spec, policies);
        for (number, event) in events.into_iter().enumerate() {
            if stop == Some(number) {
                rig.happen(Event::Stop);
            }
            rig.happen(event);
        }
        rig.finish();
    }

    #[test]
    fn a_lossless_consumer_of_a_lossless_source_gets_every_frame_from_its_first_to_the_stop(
        bounds in (1..4_u16, 1..4_u16),
        takes_textures in any::<bool>(),
        others in prop::collection::vec(sink(), 0..3),
        events in prop::collection::vec(event(), 0..120),
    ) {
        let first = SinkSpec { tag: 1, takes_textures, policy: lossless(bounds.0), holds: 1 };
        let mut sinks = vec![first];
        sinks.extend(others.into_iter().zip(2..).map(|(sink, tag)| SinkSpec { tag, ..sink }));
        let mut rig = Rig::new(&super::examples::spec(super::examples::BY_CAMERA, &sinks), [lossless(bounds.1); 2]);
        for event in events {
            let is_harmless = match &event {
                Event::Swap(change) | Event::Build(change) => {
                    !matches!(change, Change::Remove(_) | Change::Pace(_) | Change::Anew(..) | Change::Other(_))
                }
                Event::Die(place) => rig.tag(*place) != 1,
                Event::EndSource(_) => false,
                _ => true,
            };
            if is_harmless {
                rig.happen(event);
            }
        }
        rig.send_swap();
        rig.run_out();
        let pushed = rig.sources[CAMERA].as_ref().map_or(0, |camera| camera.next - 1);
        let cameras: Vec<u64> = (0..rig.expected.len()).map(|frame| rig.expected.seen(frame).camera).collect();
        prop_assert_eq!(&cameras, &(1..=pushed).collect::<Vec<_>>());
        prop_assert_eq!(&rig.finish()[0], &(0..pushed).collect::<Vec<_>>());
    }

    #[test]
    fn a_consumer_that_takes_nothing_takes_nothing_from_others(
        slow in prop::collection::vec((sink(), any::<bool>()), 1..3),
        fast in any::<bool>(),
        events in prop::collection::vec(event(), 0..120),
    ) {
        let fast = SinkSpec { tag: 1, takes_textures: fast, policy: every(1), holds: 1 };
        let mut sinks = vec![fast];
        sinks.extend(slow.iter().zip(2..).map(|((sink, is_latest), tag)| {
            let policy = if *is_latest { Policy::Latest } else { every(2) };
            SinkSpec { tag, policy, ..*sink }
        }));
        let mut rig = Rig::new(&super::examples::spec(super::examples::BY_CAMERA, &sinks), [lossless(2); 2]);
        for event in events {
            match event {
                Event::Push(_) | Event::Set(..) | Event::Swap(Change::Same | Change::Version(_) | Change::Extra) => {
                    rig.happen(event);
                }
                Event::Frame => {
                    let waits = rig.sources[CAMERA].as_ref().is_some_and(super::source::CpuSource::waits);
                    let ran = rig.run() == Outcome::Submitted;
                    prop_assert_eq!(ran, waits);
                    let newest = ran.then(|| rig.expected.len() - 1);
                    prop_assert_eq!(rig.take(1), newest);
                }
                _ => {}
            }
        }
        rig.finish();
    }
}
