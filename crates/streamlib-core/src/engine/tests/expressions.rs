//! Parameters that follow an expression. Frames are 0.2 s apart in these tests, and the first is at 5 s.

use super::*;

/// A chain whose first effect adds `amount` to 10.
fn following(amount: &str) -> Rig {
    engine(&CHAIN.replace("amount = 0.2", &format!("amount = '{amount}'")))
}

fn formula(text: &str) -> Value {
    Value::parse(text).expect("a value")
}

fn reds(rig: &mut Rig, frames: std::ops::Range<u64>) -> Vec<u8> {
    frames.map(|frame| run(rig, frame, Some(10))).collect()
}

#[test]
fn a_parameter_follows_the_time_and_the_number_of_its_frame() {
    assert_eq!(reds(&mut following("time"), 0..4), [10, 61, 112, 163]);
    assert_eq!(reds(&mut following("frame * 20 / 255"), 3..6), [70, 90, 110]);
    assert_eq!(reds(&mut following("delta"), 0..3), [10, 61, 61]);
    let mut rig = following("delta");
    assert_eq!([0, 3, 4].map(|frame| run(&mut rig, frame, Some(10))), [10, 163, 61]);
}

#[test]
fn an_expression_means_the_time_that_effects_see() {
    // `clock` shows the frame uniform.
    let mut rig = engine(
        "[nodes.cam]\nsource = 'x'\n\
         [nodes.seen]\neffect = 'clock'\ninputs = { input = 'cam' }\n\
         [nodes.computed]\neffect = 'add'\ninputs = { input = 'cam' }\nset = { amount = 'time' }\n\
         [nodes.d]\neffect = 'difference'\ninputs = { input = 'seen', past = 'computed' }\n\
         [nodes.out]\nsink = 'x'\ninputs = { input = 'd' }",
    );
    for frame in [0, 1, 3, 4] {
        assert_eq!(run(&mut rig, frame, Some(0)), 0, "frame {frame}");
    }
}

#[test]
fn several_frames_under_way_keep_their_own_values() {
    let mut rig = following("time");
    let slots: Vec<_> = (0..3).map(|frame| rig.submit(frame, Some(10))).collect();
    let reds: Vec<u8> = slots.into_iter().map(|slot| rig.collect(slot)).collect();
    assert_eq!(reds, [10, 61, 112]);
}

#[test]
fn the_newest_setting_wins_whether_number_or_expression() {
    let mut rig = following("time");
    assert_eq!(reds(&mut rig, 0..2), [10, 61]);
    rig.set("a", "amount", 0.4).expect("a number");
    assert_eq!(reds(&mut rig, 2..4), [112, 112]);
    rig.set_value("a", "amount", &formula("0.1 * frame")).expect("an expression");
    assert_eq!(reds(&mut rig, 4..6), [112, 138]);
    rig.set_value("a", "amount", &formula("1 - 0.1 * frame")).expect("another");
    assert_eq!(reds(&mut rig, 6..8), [112, 87]);
    rig.set_value("b", "amount", &formula("0.1")).expect("that of another node is another");
    assert_eq!(reds(&mut rig, 8..9), [61 + 26]);
}

#[test]
fn what_a_parameter_cannot_be_it_does_not_become() {
    // Its greatest value is 1, its default 0.
    assert_eq!(reds(&mut following("10"), 0..2), [255, 255]);
    assert_eq!(reds(&mut following("0 / 0"), 0..2), [10, 10]);
    assert_eq!(reds(&mut following("-1 / 0"), 0..2), [0, 0]);
    let mut rig = following("time");
    assert!(rig.set_value("a", "amount", &formula("1, time")).is_err(), "it is no vector");
    assert_eq!(reds(&mut rig, 0..2), [10, 61], "what is refused changes nothing");
}

#[test]
fn an_expression_goes_on_in_the_plan_that_takes_over() {
    let (mut old, mut new) = (following("time"), following("time / 2"));
    assert_eq!(reds(&mut old, 0..3), [10, 61, 112]);
    new.engine.take_over(&mut old.engine);
    assert_eq!(reds(&mut new, 3..5), [10 + 77, 10 + 102], "time is counted on");
}

#[test]
fn what_earlier_frames_left_was_computed_with_their_time() {
    let mut rig = engine(
        "[nodes.cam]\nsource = 'x'\n\
         [nodes.kept]\neffect = 'add'\ninputs = { input = 'cam' }\nset = { amount = '0.1 * frame' }\n\
         [nodes.d]\neffect = 'difference'\n\
         inputs = { input = 'kept', past = { from = 'kept', delay = 2 } }\n\
         [nodes.out]\nsink = 'x'\ninputs = { input = 'd' }",
    );
    assert_eq!(reds(&mut rig, 0..6)[2..], [51; 4]);
}
