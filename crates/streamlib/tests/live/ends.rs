//! Processors whose ends the program holds, and parameters that are found once and set often.

use streamlib::graph::{Edit, Port, Ports};
use streamlib::value::Value;
use streamlib::{LiveEvent, LiveOptions, ProcessorEnd, ProcessorKind, Taken, View};

use crate::rig::{CAM, LIMIT, Rig, effect, patient, pixel, remove, replace, unaccounted};

/// `see` looks at what `cam` gives and sets the gain of `fx`; `tell` says something to it.
const SEEN: &str = "[nodes.see]
    processor = 'see'
    inputs = { input = { from = 'cam', delivery = 'DELIVERY' }, said = 'tell.says' }
    [nodes.tell]
    processor = 'tell'
    [nodes.fx]
    hlsl = 'float gain = 1; float4 main(float2 uv : TEXCOORD) : SV_Target { return tex2D(input, uv) * gain; }'
    inputs = { input = { from = 'cam', delivery = 'lossless' }, gain = 'see.gain' }
    [nodes.out]
    sink = 'app:'
    inputs = { input = { from = 'fx', delivery = 'lossless' } }";

fn rig(delivery: &str) -> Option<Rig> {
    let see =
        Ports { inputs: vec![Port::video("input"), Port::data("said")], outputs: vec![Port::data("gain")] };
    let tell = Ports { inputs: vec![], outputs: vec![Port::data("says")] };
    let kinds = [("see", see), ("tell", tell)];
    let kinds = kinds.map(|(name, ports)| (name.to_owned(), ProcessorKind::held(ports, View::Texture)));
    let options = LiveOptions { processors: kinds.into(), ..patient() };
    Rig::with(&format!("{CAM}{}", SEEN.replace("DELIVERY", delivery)), options)
}

fn frame(end: &mut ProcessorEnd) -> Option<u64> {
    match end.take("input").expect("it has this input") {
        Some(Taken::Frame(frame)) => Some(frame.meta.sequence),
        Some(Taken::Data(_)) => panic!("a video input gives frames"),
        None => None,
    }
}

#[test]
fn the_program_takes_frames_and_messages_of_a_processor_that_it_holds_and_sends_for_it() {
    let _turn = crate::rig::turn();
    let Some(mut rig) = rig("lossless") else { return };
    let (mut cam, mut out) = (rig.inlet("cam"), rig.outlet("out"));
    let (mut see, tell) = (rig.live.end("see").expect("an end"), rig.live.end("tell").expect("an end"));
    assert!(rig.live.end("see").is_none(), "it was taken");
    assert!(rig.live.end("fx").is_none(), "it is no processor");
    assert_eq!(frame(&mut see), None);
    for number in 0..3_u16 {
        rig.push(&mut cam, 100);
        let shown = pixel(rig.gpu(), &out.wait(LIMIT).expect("a frame"))[0];
        assert_eq!(shown, if number == 0 { 100 } else { 50 });
        assert!(see.wait(LIMIT));
        assert_eq!(frame(&mut see), Some(u64::from(number)));
        see.send("gain", Value::Float(0.5), streamlib::now()).expect("it has this output");
    }
    tell.send("says", Value::Int(7), streamlib::frame::Timestamp(3)).expect("it has this output");
    assert!(see.wait(LIMIT));
    let said = see.take("said").expect("it has this input");
    let Some(Taken::Data(said)) = said else { panic!("{said:?}") };
    assert_eq!((said.value, said.captured.0), (Value::Int(7), 3));
    assert!(see.take("said").expect("it has this input").is_none());
    let unknown = see.take("sad").expect_err("no such input").to_string();
    assert!(unknown.contains("no input `sad`; it was registered with: input, said"), "{unknown}");
    let unknown = tell.send("sais", Value::Int(1), streamlib::now()).expect_err("no such output");
    assert!(unknown.to_string().contains("no output `sais`"), "{unknown}");
    see.send("gain", Value::List(vec![]), streamlib::now()).expect("it has this output");
    rig.until_event(
        "a refusal",
        |event| matches!(event, LiveEvent::DataRefused { node, .. } if node == "see"),
    );
    assert!(!see.is_closed() && !tell.is_closed());
    rig.stop();
    assert!(see.is_closed() && tell.is_closed());
    assert!(see.wait(LIMIT), "there is nothing to wait for");
}

#[test]
fn frames_that_the_program_does_not_take_are_accounted_for() {
    let _turn = crate::rig::turn();
    for delivery in ["latest", "every"] {
        let Some(mut rig) = rig(delivery) else { return };
        let (mut cam, mut out) = (rig.inlet("cam"), rig.outlet("out"));
        let see = rig.live.end("see");
        for number in 0..12 {
            rig.push(&mut cam, number);
            out.wait(LIMIT).expect("a frame: nobody waits for the processor");
        }
        // Some wait for the end that is held, or for one that was never taken.
        if delivery == "every" {
            drop(see);
            rig.until("its account", |rig| unaccounted(&rig.counts("see")) == 0);
        }
        let counts =
            rig.stop().stats.nodes.into_iter().find(|node| node.name == "see").expect("a node").counts;
        assert_eq!(counts.frames_in, 12);
        assert_eq!(counts.frames_out, 0);
    }
}

#[test]
fn an_end_closes_when_its_processor_leaves_the_graph_and_goes_on_when_others_change() {
    let _turn = crate::rig::turn();
    let Some(mut rig) = rig("lossless") else { return };
    let (mut cam, mut out) = (rig.inlet("cam"), rig.outlet("out"));
    let (mut see, tell) = (rig.live.end("see").expect("an end"), rig.live.end("tell").expect("an end"));
    let hlsl =
        "float gain = 1; float4 main(float2 uv : TEXCOORD) : SV_Target { return tex2D(input, uv) / gain; }";
    let links = [("input", "cam"), ("gain", "see.gain")];
    let links = links.map(|(port, from)| (port, streamlib::graph::Link::from(from)));
    rig.apply(&[replace("fx", effect(hlsl, &links))]);
    rig.push(&mut cam, 60);
    out.wait(LIMIT).expect("a frame");
    assert!(see.wait(LIMIT));
    assert_eq!(frame(&mut see), Some(0));
    rig.apply(&[remove("tell")]);
    assert!(tell.is_closed());
    // With it went the link to `see`, which has other inputs now: that is another processor.
    assert!(see.is_closed());
    let mut see = rig.live.end("see").expect("an end");
    rig.push(&mut cam, 60);
    out.wait(LIMIT).expect("a frame");
    assert!(see.wait(LIMIT));
    assert_eq!(frame(&mut see), Some(1));
    assert!(!see.is_closed());
    rig.apply(&[remove("see")]);
    rig.until("its end", |_| see.is_closed());
    rig.stop();
}

#[test]
fn a_knob_reaches_several_effects_in_one_frame_and_follows_the_plans() {
    let _turn = crate::rig::turn();
    let text = "
        [nodes.a]
        hlsl = '''float gain <min = 0; max = 2;> = 1;
            float4 main(float2 uv : TEXCOORD) : SV_Target { return tex2D(input, uv) * gain; }'''
        inputs = { input = { from = 'cam', delivery = 'lossless' } }
        [nodes.b]
        hlsl = 'float amount = 1; float4 main(float2 uv : TEXCOORD) : SV_Target { return tex2D(input, uv) * amount; }'
        inputs = { input = 'a' }
        [nodes.out]
        sink = 'app:'
        inputs = { input = { from = 'b', delivery = 'lossless' } }";
    let Some(mut rig) = Rig::start(&format!("{CAM}{text}")) else { return };
    let (mut cam, mut out) = (rig.inlet("cam"), rig.outlet("out"));
    let mut knob = rig.live.knob(&[("a", "gain"), ("b", "amount")]).expect("parameters");
    let mut shown = |rig: &mut Rig| {
        rig.push(&mut cam, 200);
        pixel(rig.gpu(), &out.wait(LIMIT).expect("a frame"))[0]
    };
    assert_eq!(knob.value(), Some(Value::Float(1.0)));
    assert_eq!(shown(&mut rig), 200);
    knob.set(&Value::Float(0.5)).expect("it fits");
    assert_eq!(shown(&mut rig), 50);
    let refused = knob.set(&Value::Int(3)).expect_err("beyond the range of one of them").to_string();
    assert!(refused.contains("node `a`"), "{refused}");
    assert_eq!((shown(&mut rig), knob.value()), (50, Some(Value::Float(0.5))));
    let expression = Value::parse("0.25 + 0 * time").expect("an expression");
    knob.set(&expression).expect("it fits");
    assert_eq!(shown(&mut rig), 13);
    // A faster way than the graph's own, to the same place.
    rig.live.set("a", "gain", Value::Float(1.0)).expect("it fits");
    assert_eq!(shown(&mut rig), 50);
    let plain = "float amount = 1; float4 main(float2 uv : TEXCOORD) : SV_Target { return tex2D(input, uv) * 0 + 1 - amount; }";
    rig.apply(&[replace("b", effect(plain, &[("input", streamlib::graph::Link::from("a"))]))]);
    assert!(knob.try_set(&Value::Float(0.5)).expect("it fits"), "nothing changes at the moment");
    assert_eq!(shown(&mut rig), 128);
    rig.apply(&[Edit::Remove { name: "b".into() }, crate::rig::connect("out", "a".into())]);
    let gone = knob.set(&Value::Float(0.5)).expect_err("one of them is gone").to_string();
    assert!(gone.contains("no effect `b`"), "{gone}");
    assert!(rig.live.knob(&[("a", "gian")]).is_err());
    rig.stop();
    knob.set(&Value::Float(0.5)).expect("nothing listens any more");
    assert_eq!(knob.value(), None);
}
