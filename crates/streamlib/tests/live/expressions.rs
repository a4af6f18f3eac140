//! Parameters that follow the time and the number of the frame, on a real device: from file to file, and live.

use std::sync::mpsc::channel;

use streamlib::expression::{Expression, FrameVariables};
use streamlib::graph::{Edit, Graph, Port};
use streamlib::value::Value;
use streamlib::{LiveFrame, Outputs, ProcessorInput, RunOptions, View};

use crate::processors::{kind, ports, with};
use crate::rig::{CAM, LIMIT, Rig, effect, insert, pixel, remove};

/// Two effects that run as one kernel: red, green and blue are its parameters.
const PAINT: &str = "
    [nodes.one]
    hlsl = '''float red; float4 rest = 7; float4 main(float2 uv : TEXCOORD) : SV_Target {
        return float4(red / 255, rest.yz / 255, tex2D(input, uv).a); }'''
    inputs = { input = 'cam' }
    set = { red = 'mod(frame, 256)', rest = [0, 'mod(floor(time * 1000), 256)', 20, 0] }
    [nodes.two]
    hlsl = '''int add[2]; uint most < float UIMin = 3; float UIMax = 200; > = 100;
        float4 main(float2 uv : TEXCOORD) : SV_Target {
            float4 c = tex2D(input, uv) * 255;
            return float4(c.rg, min(c.b + add[0] + add[1], most), 255) / 255; }'''
    inputs = { input = 'one' }
    set = { add = [1, 'frame / 4'] }
    [nodes.out]";

#[test]
fn pixels_of_a_file_follow_the_frames_time_and_number() {
    let Some(runtime) = crate::rig::runtime() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let sink = folder.path().join("out_%d.png").display().to_string();
    let text = format!(
        "[nodes.cam]\nsource = 'generate:bars'\nsize = [16, 16]\nfps = 20\nframes = 12\n{PAINT}\nsink = '{sink}'\n\
         inputs = {{ input = 'two' }}"
    );
    let graph = Graph::from_toml(&text).expect("a graph");
    assert_eq!(Graph::from_toml(&graph.to_toml()).as_ref(), Ok(&graph));
    for fuse in [true, false] {
        let options = RunOptions { fuse, ..RunOptions::default() };
        let explanation = runtime.explain(&graph, &options).expect("a plan");
        assert_eq!(
            explanation.effects.iter().any(|fate| fate.stored_because.is_none()),
            fuse,
            "{explanation:?}"
        );
        runtime.run(&graph, &options).unwrap_or_else(|error| panic!("{error}"));
        for frame in 0..12_u8 {
            let path = folder.path().join(format!("out_{frame}.png"));
            let picture = image::open(&path).expect("a picture").to_rgba8();
            // Halves are rounded to the even one.
            let quarter = [0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 2, 3][usize::from(frame)];
            let wanted = [frame, ((u32::from(frame) * 50) % 256) as u8, 21 + quarter, 255];
            assert!(
                picture.pixels().all(|pixel| pixel.0 == wanted),
                "frame {frame}: {:?}",
                picture.get_pixel(3, 3)
            );
            std::fs::remove_file(path).expect("removed");
        }
    }
    assert_eq!(runtime.gpu().validation_messages(), 0);
}

fn formula(text: &str) -> Value {
    Value::Expression(Expression::parse(text).expect("an expression"))
}

/// A graph whose frames tell their times, and what those should make of an expression.
struct Watched {
    rig: Rig,
    cam: streamlib::VideoInlet,
    out: streamlib::VideoOutlet,
    first: Option<i64>,
    newest: i64,
}

impl Watched {
    fn new(rig: Rig) -> Self {
        let (cam, out) = (rig.inlet("cam"), rig.outlet("out"));
        Self { rig, cam, out, first: None, newest: 0 }
    }

    /// Pushes a frame and waits for it: its pixel, and what expressions refer to in it.
    fn frame(&mut self) -> ([u8; 4], FrameVariables) {
        self.rig.push(&mut self.cam, 1);
        let frame: LiveFrame = self.out.wait(LIMIT).expect("a frame");
        let captured = frame.meta.captured.0;
        let first = *self.first.get_or_insert(captured);
        let delta = if captured == first { 0 } else { captured - self.newest };
        self.newest = captured;
        let seconds = |ns: i64| ns as f64 / 1e9;
        let (time, delta, frame_number) =
            (seconds(captured - first), seconds(delta), frame.meta.sequence as f64);
        (pixel(self.rig.gpu(), &frame), FrameVariables { time, delta, frame: frame_number })
    }

    /// Runs some frames in which the channels have to follow these expressions.
    fn follows(&mut self, frames: usize, channels: [&str; 3]) {
        for _ in 0..frames {
            let (pixel, at) = self.frame();
            for (channel, (text, got)) in channels.iter().zip(pixel).enumerate() {
                let wanted = Expression::parse(*text).expect("an expression").evaluate(&at);
                assert_eq!(f64::from(got), wanted, "channel {channel}, {text} at {at:?}");
            }
        }
    }
}

#[test]
fn pixels_of_a_live_graph_follow_expressions_through_settings_edits_and_swaps() {
    let _turn = crate::rig::turn();
    let text = format!(
        "{}{PAINT}\nsink = 'app:'\ninputs = {{ input = {{ from = 'two', delivery = 'lossless' }} }}",
        CAM
    );
    let text = text.replace(
        "inputs = { input = 'cam' }",
        "inputs = { input = { from = 'cam', delivery = 'lossless' } }",
    );
    let Some(rig) = Rig::start(&text) else { return };
    let mut watched = Watched::new(rig);
    let (number, millis) = ("mod(frame, 256)", "mod(floor(time * 1000), 256)");
    watched.follows(6, [number, millis, "21 + round(frame / 4)"]);

    let live = &watched.rig.live;
    live.set("one", "red", Value::Float(9.0)).expect("a number");
    live.set("two", "most", formula("1e6 * delta")).expect("an expression");
    // What an expression gives is kept in the author's range, 3 to 200; blue is far below that.
    watched.follows(4, ["9", millis, "min(21 + round(frame / 4), clamp(round(1e6 * delta), 3, 200))"]);

    let red = "mod(floor(delta * 1e6), 200)";
    let edit = Edit::Set { node: "one".into(), parameter: "red".into(), value: Some(formula(red)) };
    let applied = watched.rig.apply(std::slice::from_ref(&edit));
    assert_eq!(applied.first_frame, None, "no plan for a value");
    watched.follows(4, [red, millis, "min(21 + round(frame / 4), clamp(round(1e6 * delta), 3, 200))"]);

    // Another plan, in which `one` is no part of a kernel of two: time and number are counted on.
    let blur = "float4 main(float2 uv : TEXCOORD) : SV_Target { return tex2D(input, 1 - uv); }";
    let (sink, link) =
        (streamlib::graph::Sink { uri: "null:".into(), input: Some("seen".into()) }, "one".into());
    let applied = watched.rig.apply(&[
        insert("seen", effect(blur, &[("input", link)])),
        insert("nowhere", streamlib::graph::Node::Sink(sink)),
    ]);
    assert!(applied.first_frame.is_some());
    watched.follows(4, [red, millis, "min(21 + round(frame / 4), clamp(round(1e6 * delta), 3, 200))"]);
    watched.rig.apply(&[remove("nowhere"), remove("seen")]);
    let graph = watched.rig.live.graph().to_toml();
    assert!(graph.contains(red), "{graph}");

    // What is refused changes nothing.
    let two = Value::parse("frame, frame").expect("a value");
    let refused = watched.rig.live.set("one", "red", two).expect_err("it is one number").to_string();
    assert!(refused.contains("takes 1 number(s), 2 given"), "{refused}");
    watched.follows(2, [red, millis, "min(21 + round(frame / 4), clamp(round(1e6 * delta), 3, 200))"]);
    watched.rig.stop();
}

#[test]
fn a_message_takes_the_place_of_an_expression_and_may_be_one() {
    let _turn = crate::rig::turn();
    let (go, gone) = channel::<Value>();
    let (sent, sends) = channel();
    let code = move |_: ProcessorInput<'_>, out: &mut Outputs<'_>| {
        out.send("value", gone.recv()?)?;
        sent.send(())?;
        Ok(())
    };
    let teller = kind(ports(&[Port::video("input")], &["value"]), View::Texture, code);
    let text = format!(
        "{CAM}
        [nodes.paint]
        hlsl = '''float red; float4 main(float2 uv : TEXCOORD) : SV_Target {{
            return float4(red / 255, 0, 0, 1) + 0 * tex2D(input, uv); }}'''
        inputs = {{ input = {{ from = 'cam', delivery = 'lossless' }}, red = 'tell.value' }}
        set = {{ red = '100 + mod(frame, 100)' }}
        [nodes.tell]
        processor = 'tell'
        inputs = {{ input = 'paint' }}
        [nodes.out]
        sink = 'app:'
        inputs = {{ input = {{ from = 'paint', delivery = 'lossless' }} }}"
    );
    let Some(rig) = Rig::with(&text, with([("tell", teller)])) else { return };
    let mut watched = Watched::new(rig);
    watched.follows(3, ["100 + mod(frame, 100)", "0", "0"]);
    for (value, red) in
        [(Value::Int(5), "5"), (formula("mod(frame, 100)"), "mod(frame, 100)"), (Value::Float(6.0), "6")]
    {
        go.send(value).expect("it waits");
        sends.recv_timeout(LIMIT).expect("it has sent");
        watched.follows(3, [red, "0", "0"]);
    }
    watched.rig.live.set("paint", "red", formula("7 + min(frame, 2)")).expect("it fits");
    watched.follows(2, ["9", "0", "0"]);
    drop(go);
    watched.rig.stop();
}
