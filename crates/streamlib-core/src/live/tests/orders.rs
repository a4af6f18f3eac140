//! All orders in which short scripts can mix.

use super::events::{Event, Generation};
use super::examples::{BY_CAMERA, every, lossless, pictures, spec, textures};
use super::plans::{CAMERA, OTHER};
use super::rig::Rig;
use super::swaps::Change;
use crate::mailbox::Policy;

/// Calls `run` with every order in which the scripts can mix; how many there are.
fn every_order(scripts: &[Vec<Event>], run: &mut impl FnMut(&[&Event])) -> usize {
    fn next<'a>(
        scripts: &'a [Vec<Event>],
        places: &mut Vec<usize>,
        so_far: &mut Vec<&'a Event>,
        run: &mut impl FnMut(&[&Event]),
    ) -> usize {
        let mut orders = 0;
        for (number, script) in scripts.iter().enumerate() {
            let Some(event) = script.get(places[number]) else { continue };
            places[number] += 1;
            so_far.push(event);
            orders += next(scripts, places, so_far, run);
            so_far.pop();
            places[number] -= 1;
        }
        if orders == 0 {
            run(so_far);
            orders = 1;
        }
        orders
    }
    next(scripts, &mut vec![0; scripts.len()], &mut Vec::new(), run)
}

fn happen(rig: &mut Rig, order: &[&Event]) {
    order.iter().for_each(|event| rig.happen(**event));
}

fn lossless_rig() -> Rig {
    Rig::new(&spec(BY_CAMERA, &[pictures(1, lossless(1)), textures(2, every(2))]), [lossless(4); 2])
}

#[test]
fn a_swap_among_pushes_and_deliveries_loses_no_frame_in_any_order() {
    let changes = [
        Change::Version(2),
        Change::Extra,
        Change::Other(lossless(4)),
        Change::Anew(OTHER, Policy::Latest),
        Change::Add(textures(0, lossless(1)), false),
        Change::Remove(1),
    ];
    let mut orders = 0;
    for change in changes {
        let scripts = [
            vec![Event::Push(CAMERA); 2],
            vec![Event::Frame; 2],
            vec![Event::Deliver],
            vec![Event::Swap(change)],
        ];
        orders += every_order(&scripts, &mut |order| {
            let mut rig = lossless_rig();
            happen(&mut rig, order);
            rig.run_out();
            assert_eq!(rig.values.generation, 2);
            rig.push(CAMERA);
            rig.run_out();
            assert_eq!(rig.finish()[0], [0, 1, 2], "{order:?}");
        });
    }
    assert_eq!(orders, 6 * 180);
}

#[test]
fn what_waits_at_a_source_that_begins_anew_is_dropped_and_all_else_runs_in_any_order() {
    let scripts = [
        vec![Event::Push(CAMERA); 2],
        vec![Event::Frame; 2],
        vec![Event::Deliver],
        vec![Event::Swap(Change::Anew(CAMERA, lossless(1)))],
    ];
    let orders = every_order(&scripts, &mut |order| {
        let mut rig = lossless_rig();
        happen(&mut rig, order);
        rig.run_out();
        let frames = rig.expected.len();
        assert_eq!(rig.finish()[0], (0..frames).collect::<Vec<_>>());
    });
    assert_eq!(orders, 180);
}

#[test]
fn parameters_reach_the_plan_they_are_meant_for_early_in_time_and_late_in_any_order() {
    let generations = [Generation::Newest, Generation::Running];
    let mut orders = 0;
    for first in generations {
        for second in generations {
            let scripts = [
                vec![Event::Set(first, 10), Event::Set(second, 20)],
                vec![Event::Build(Change::Extra), Event::Send, Event::Swap(Change::Version(1))],
                vec![Event::Push(CAMERA), Event::Frame],
            ];
            orders += every_order(&scripts, &mut |order| {
                let mut rig = lossless_rig();
                happen(&mut rig, order);
                rig.push(CAMERA);
                rig.run_out();
                let newest = rig.expected.seen(rig.expected.len() - 1);
                assert_eq!(newest.amounts, rig.values.amounts);
                if let (Generation::Newest, Generation::Newest) = (first, second) {
                    assert_eq!(newest.amounts, (20, !20), "what was last asked for: {order:?}");
                }
                rig.finish();
            });
        }
    }
    assert_eq!(orders, 4 * 210);
}

#[test]
fn a_stop_at_any_moment_leaves_nothing_behind() {
    for change in [Change::Version(1), Change::Other(lossless(4)), Change::Anew(CAMERA, every(2))] {
        let scripts = [
            vec![Event::Push(OTHER)],
            vec![Event::Frame],
            vec![Event::Deliver, Event::Take(0)],
            vec![Event::Swap(change)],
            vec![Event::Stop],
        ];
        let orders = every_order(&scripts, &mut |order| {
            let mut rig = lossless_rig();
            // One frame is under way and one waits.
            rig.push(CAMERA);
            rig.frame();
            rig.push(CAMERA);
            happen(&mut rig, order);
            let ran = rig.expected.len();
            assert_eq!(rig.finish()[0], (0..ran).collect::<Vec<_>>(), "{order:?}");
        });
        assert_eq!(orders, 360);
    }
}

#[test]
fn a_stop_after_any_part_of_a_long_run_leaves_nothing_behind() {
    let frame = [
        Event::Push(CAMERA),
        Event::Push(OTHER),
        Event::Frame,
        Event::Set(Generation::Newest, 9),
        Event::Deliver,
        Event::Take(1),
    ];
    let changes =
        [Change::Extra, Change::Anew(CAMERA, Policy::Latest), Change::Add(pictures(0, lossless(1)), true)];
    let script: Vec<Event> =
        changes.into_iter().flat_map(|change| frame.into_iter().chain([Event::Swap(change)])).collect();
    for stop in 0..=script.len() {
        let mut rig = lossless_rig();
        script[..stop].iter().for_each(|event| rig.happen(*event));
        rig.happen(Event::Stop);
        script[stop..].iter().for_each(|event| rig.happen(*event));
        rig.finish();
    }
}
