//! Engine logic on the CPU test double.

use std::collections::BTreeMap;

use super::*;
use crate::color::ColorSpace;
use crate::format::Size;
use crate::gpu::KernelDesc;
use crate::graph::Graph;
use crate::interface::{
    EffectForm, FrameUniform, FrameUniformSlot, Interface, Parameter, ParameterType, Scalar, TextureSlot,
    UniformBlock,
};
use crate::picture::{PictureFormat, PictureLayout};
use crate::plan::{Code, Drain, Feed, Layout, Parts, Plan};
use crate::testing::{CpuGpu, CpuGpuError, KernelFn};

const LIMIT: Duration = Duration::from_secs(1);
const GREY: PictureFormat = PictureFormat {
    size: Size::new(2, 1),
    layout: PictureLayout::Rgba8,
    color: ColorSpace { matrix: crate::color::YuvMatrix::Bt709, range: crate::color::YuvRange::Full },
};

fn float(name: &str, offset: u32) -> Parameter {
    let ty = ParameterType {
        scalar: Scalar::Float,
        rows: 1,
        columns: 1,
        matrix_stride: 0,
        rows_are_contiguous: false,
        array: None,
        array_stride: 0,
    };
    Parameter {
        name: name.into(),
        ty,
        offset,
        default: vec![0.0],
        min: None,
        max: Some(1.0),
        description: None,
    }
}

/// `add` gives `input` + `amount`; `difference` gives |`input` − `past`|; `clock` shows the frame's time in red.
fn interface(name: &str) -> Interface {
    let slot = |(binding, name): (usize, &&str)| TextureSlot {
        name: (*name).into(),
        binding: binding as u32,
        is_local: false,
    };
    let inputs: &[&str] = match name {
        "difference" => &["input", "past"],
        _ => &["input"],
    };
    Interface {
        form: EffectForm::Pixel,
        description: String::new(),
        group_size: [1; 3],
        group_size_is_free: true,
        pixels_per_thread: [1, 1],
        rows_constant: None,
        loads_constant: None,
        encode_srgb_constant: None,
        inputs: inputs.iter().enumerate().map(slot).collect(),
        outputs: vec![TextureSlot { name: "output".into(), binding: 9, is_local: false }],
        samplers: vec![],
        buffers: vec![],
        uniforms: Some(UniformBlock { binding: 10, size: 8 }),
        parameters: vec![float("amount", 0)],
        frame_uniforms: vec![FrameUniformSlot { uniform: FrameUniform::Time, parameter: float("time", 4) }],
    }
}

fn gpu() -> Arc<CpuGpu> {
    let number =
        |block: &[u8], at: usize| f32::from_le_bytes(block[at..at + 4].try_into().expect("four bytes"));
    let kernels: [(&'static str, KernelFn); 3] = [
        ("add", Arc::new(move |i, b, at| i[0].texel(at).map(|v| v + number(b, 0)))),
        (
            "difference",
            Arc::new(|i, _, at| {
                let (a, b) = (i[0].texel(at), i[1].texel(at));
                std::array::from_fn(|c| if c == 3 { 1.0 } else { (a[c] - b[c]).abs() })
            }),
        ),
        ("clock", Arc::new(move |_, b, _| [number(b, 4), 0.0, 0.0, 1.0])),
    ];
    Arc::new(CpuGpu::new(kernels))
}

/// An engine for a graph file whose effects are the kernels' names.
fn engine(text: &str) -> Engine<CpuGpu> {
    let graph = Graph::from_toml(text).expect("a graph");
    let sources = graph.sources().map(|(name, _)| (name.to_owned(), GREY.size)).collect();
    let layout = Layout::new(&graph, &sources, 4096).expect("sizes");
    let code = |node: &str| match &graph.nodes[node] {
        crate::graph::Node::Effect(effect) => match &effect.text {
            crate::graph::EffectText::File(name) => name.clone(),
            crate::graph::EffectText::Inline(_) => unreachable!("the tests name files"),
        },
        _ => unreachable!("only effects have code"),
    };
    let effects =
        graph.effects().map(|(node, _)| (node.to_owned(), Arc::new(interface(&code(node))))).collect();
    let feeds = graph.sources().map(|(node, _)| (node.to_owned(), Feed::Pictures(GREY, None))).collect();
    let drain = Drain { format: GREY, convert: None };
    let drains = graph.sinks().map(|(node, _)| (node.to_owned(), drain.clone())).collect::<BTreeMap<_, _>>();
    let parts = Parts { effects: &effects, fused: &[], feeds: &feeds, drains: &drains };
    let plan = Plan::new(&graph, &layout, &parts).expect("a plan");
    let gpu = gpu();
    let build = |kernel: &PlanKernel| {
        let Code::Node(node) = &kernel.code else { unreachable!("no conversions here") };
        let label = code(node);
        gpu.create_kernel(&KernelDesc { label: &label, spirv: &[], interface: &effects[node], outputs: &[] })
    };
    Engine::new::<CpuGpuError>(gpu.clone(), plan, build).expect("an engine")
}

fn grey(value: u8) -> Picture {
    Picture { format: GREY, timestamp: Timestamp(0), data: [value, value, value, 255].repeat(2) }
}

fn run(engine: &mut Engine<CpuGpu>, frame: u64, value: Option<u8>) -> u8 {
    if let Some(value) = value {
        engine.ingest(0, &grey(value)).expect("fed");
    }
    let captured = Timestamp(5_000_000_000 + frame as i64 * 200_000_000);
    let ticket = engine.submit(&FrameMeta { captured, sequence: frame, camera: None }).expect("submitted");
    let mut out = [grey(0)];
    engine.collect(&ticket, LIMIT, &mut out).expect("collected");
    assert_eq!(out[0].timestamp, captured);
    out[0].data[0]
}

const CHAIN: &str = "
    [nodes.cam]
    source = 'x'
    [nodes.a]
    effect = 'add'
    inputs = { input = 'cam' }
    set = { amount = 0.2 }
    [nodes.b]
    effect = 'add'
    inputs = { input = 'a' }
    [nodes.out]
    sink = 'x'
    inputs = { input = 'b' }";

#[test]
fn effects_run_in_order_with_their_own_parameters() {
    let mut engine = engine(CHAIN);
    assert_eq!(run(&mut engine, 0, Some(10)), 10 + 51);
    engine.set("b", "amount", &Value::Float(0.4)).expect("b has an amount");
    assert_eq!(run(&mut engine, 1, Some(20)), 20 + 51 + 102);
}

#[test]
fn a_source_that_is_not_fed_keeps_its_picture() {
    let mut engine = engine(CHAIN);
    assert_eq!(run(&mut engine, 0, Some(10)), 61);
    assert_eq!(run(&mut engine, 1, None), 61);
}

#[test]
fn a_parameter_that_does_not_fit_is_refused_and_changes_nothing() {
    let mut engine = engine(CHAIN);
    assert!(engine.set("a", "amount", &Value::Float(1.5)).is_err());
    assert!(engine.set("a", "amuont", &Value::Float(0.5)).is_err());
    assert!(engine.set("nobody", "amount", &Value::Float(0.5)).is_err());
    assert_eq!(run(&mut engine, 0, Some(10)), 61);
}

#[test]
fn a_delayed_link_reads_the_frame_before_and_black_before_the_first() {
    for delay in [1_u8, 2, 5] {
        let mut engine = engine(&format!(
            "[nodes.cam]\nsource = 'x'\n\
             [nodes.d]\neffect = 'difference'\n\
             inputs = {{ input = 'cam', past = {{ from = 'cam', delay = {delay} }} }}\n\
             [nodes.out]\nsink = 'x'\ninputs = {{ input = 'd' }}"
        ));
        assert!(engine.plan().sources[0].every_frame);
        for frame in 0..20_u8 {
            let past = if frame < delay { 0 } else { 10 * (frame - delay) };
            let value = 10 * frame;
            assert_eq!(run(&mut engine, u64::from(frame), Some(value)), value - past, "delay {delay}");
        }
    }
}

#[test]
fn an_effect_can_read_its_own_last_output() {
    let mut engine = engine(
        "[nodes.cam]\nsource = 'x'\n\
         [nodes.sum]\neffect = 'add'\ninputs = { input = { from = 'sum', delay = 1 } }\n\
         set = { amount = 0.1 }\nsize = [2, 1]\n\
         [nodes.out]\nsink = 'x'\ninputs = { input = 'sum' }",
    );
    let reds: Vec<u8> = (0..4).map(|frame| run(&mut engine, frame, None)).collect();
    assert_eq!(reds, [26, 51, 77, 102]);
}

#[test]
fn time_counts_from_the_first_frame() {
    let text = CHAIN.replace(
        "effect = 'add'\n    inputs = { input = 'a' }",
        "effect = 'clock'\n    inputs = { input = 'a' }",
    );
    let mut engine = engine(&text);
    assert_eq!(run(&mut engine, 0, Some(0)), 0);
    assert_eq!(run(&mut engine, 3, Some(0)), 153);
}

#[test]
fn a_full_ring_and_a_foreign_picture_are_refused() {
    let mut engine = engine(CHAIN);
    let wrong = Picture { data: vec![0; 3], ..grey(0) };
    assert!(matches!(engine.ingest(0, &wrong), Err(EngineError::WrongPicture { bytes: 3, .. })));
    let tickets: Vec<_> = (0..3).map(|_| engine.submit(&FrameMeta::default()).expect("free")).collect();
    assert!(!engine.has_free_slot());
    assert!(matches!(engine.submit(&FrameMeta::default()), Err(EngineError::NoFreeSlot)));
    assert!(matches!(engine.ingest(0, &grey(0)), Err(EngineError::NoFreeSlot)));
    engine.collect(&tickets[0], LIMIT, &mut [grey(0)]).expect("collected");
    assert!(engine.has_free_slot());
}
