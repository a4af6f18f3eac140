//! Live graphs on a real device.

use std::sync::Arc;
use std::time::Duration;

use streamlib::graph::{Edit, Effect, EffectText, Graph, Node};
use streamlib::value::Value;
use streamlib::{LiveGraph, LiveOptions, Pacing, RuntimeOptions, StreamRuntime};

fn runtime() -> Arc<StreamRuntime> {
    Arc::new(StreamRuntime::new(&RuntimeOptions::default()).expect("a device and a compiler"))
}

const LIMIT: Duration = Duration::from_secs(20);

fn start(runtime: &Arc<StreamRuntime>, text: &str) -> LiveGraph {
    let graph = Graph::from_toml(text).expect("a graph");
    let options = LiveOptions { pacing: Pacing::Clock, ..LiveOptions::default() };
    runtime.start(&graph, options).unwrap_or_else(|error| panic!("{error}"))
}

const PUSHED: &str = "
    [nodes.cam]
    source = 'app:'
    size = [64, 32]
    [nodes.add]
    hlsl = 'float amount = 0.2; float4 main(float2 uv : TEXCOORD) : SV_Target { return tex2D(input, uv) + amount; }'
    inputs = { input = { from = 'cam', delivery = 'lossless', bound = 4 } }
    [nodes.out]
    sink = 'app:'
    inputs = { input = { from = 'add', delivery = 'lossless', bound = 4 } }";

#[test]
fn what_is_pushed_comes_out_once_and_in_order_through_edits() {
    let runtime = runtime();
    let live = start(&runtime, PUSHED);
    let mut inlet = live.inlet("cam").expect("an inlet");
    let mut outlet = live.outlet("out").expect("an outlet");
    for number in 0..60_u8 {
        let frame = inlet.loan().expect("a texture");
        inlet.write(&frame, &[number; 64 * 32 * 4]).expect("written");
        inlet.push(frame).expect("pushed");
        let frame = outlet.wait(LIMIT).unwrap_or_else(|| panic!("frame {number}: {:?}", live.events()));
        assert_eq!(frame.meta.sequence, u64::from(number));
        if number == 20 {
            live.set("add", "amount", Value::Float(0.5)).expect("set");
        }
        if number == 40 {
            let text = "float4 main(float2 uv : TEXCOORD) : SV_Target { return 1 - tex2D(input, uv); }";
            let graph = live.graph();
            let Node::Effect(old) = &graph.nodes["add"] else { panic!("an effect") };
            let effect =
                Effect { inputs: old.inputs.clone(), ..Effect::new(EffectText::Inline(text.into())) };
            let edit = Edit::Replace { name: "add".into(), node: Node::Effect(effect) };
            let applied = live.apply(&[edit]).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(applied.first_frame, Some(41));
        }
    }
    let report = live.stop().expect("a report");
    assert_eq!(report.stats.frames, 60);
    assert_eq!(report.stats.drops().total(), 0, "{:?}", report.stats);
    assert_eq!(runtime.gpu().validation_messages(), 0);
}
