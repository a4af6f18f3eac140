//! Engine logic on the CPU test double.

mod expressions;
mod imports;

use std::collections::BTreeMap;

use super::*;
use std::time::Duration;

use crate::color::ColorSpace;
use crate::format::Size;
use crate::gpu::KernelDesc;
use crate::graph::Graph;
use crate::graph::GraphError;
use crate::interface::{
    EffectForm, FrameUniform, FrameUniformSlot, Interface, Parameter, ParameterType, Scalar, TextureSlot,
    UniformBlock,
};
use crate::picture::Picture;
use crate::picture::{PictureFormat, PictureLayout};
use crate::plan::{Code, Drain, Feed, Layout, Parts, Plan};
use crate::testing::{CpuGpu, CpuGpuError, KernelFn};
use crate::value::Value;

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

/// An engine, and host memory for its source's pictures.
struct Rig {
    engine: Engine<CpuGpu>,
    gpu: Arc<CpuGpu>,
    uploads: Vec<Upload<CpuGpu>>,
}

/// An engine for a graph file whose effects are the kernels' names.
fn engine(text: &str) -> Rig {
    engine_fed_with(text, &Feed::Pictures(GREY, None))
}

fn engine_fed_with(text: &str, feed: &Feed) -> Rig {
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
    let feeds = graph.sources().map(|(node, _)| (node.to_owned(), feed.clone())).collect();
    let drain = Drain::Pictures(GREY, None);
    let drains = graph
        .sinks()
        .map(|(node, _)| ((node.to_owned(), "input".to_owned()), drain.clone()))
        .collect::<BTreeMap<_, _>>();
    let parts =
        Parts { effects: &effects, processors: &BTreeMap::new(), fused: &[], feeds: &feeds, drains: &drains };
    let plan = Plan::new(&graph, &layout, &parts).expect("a plan");
    let gpu = gpu();
    let build = |kernel: &PlanKernel| {
        let (label, interface) = match &kernel.code {
            Code::Node(node) => (code(node), effects[node].clone()),
            Code::Conversion(name) => (name.clone(), Arc::new(interface(name))),
            Code::Group(_) => unreachable!("nothing is fused here"),
        };
        gpu.create_kernel(&KernelDesc { label: &label, spirv: &[], interface: &interface, outputs: &[] })
    };
    let outlets = vec![OutletSpec { tag: 7, depth: 1 }; plan.outlets.len()];
    let engine = Engine::new::<CpuGpuError>(gpu.clone(), plan.into(), &outlets, None, build);
    let engine = engine.expect("an engine");
    let uploads =
        if engine.plan().sources.is_empty() { vec![] } else { engine.uploads(0, 3, 4).expect("memory") };
    Rig { engine, gpu, uploads }
}

impl Rig {
    fn set(&mut self, node: &str, name: &str, value: f64) -> Result<(), GraphError> {
        self.set_value(node, name, &Value::Float(value))
    }

    fn set_value(&mut self, node: &str, name: &str, value: &Value) -> Result<(), GraphError> {
        let mut parameters = (*self.engine.parameters).clone();
        parameters.set(&self.engine.plan, node, name, value)?;
        self.engine.set_parameters(Box::new(parameters));
        Ok(())
    }

    fn submit(&mut self, frame: u64, value: Option<u8>) -> Box<Slot<CpuGpu>> {
        let mut slot = self.engine.take_slot().expect("a free slot");
        if let Some(value) = value {
            let mut upload = self.uploads.pop().expect("free memory");
            upload.fill(&grey(value)).expect("it fits");
            slot.feed(upload);
        }
        let captured = Timestamp(5_000_000_000 + frame as i64 * 200_000_000);
        let meta = FrameMeta { captured, sequence: frame, camera: None };
        self.engine.submit(slot, &meta, |_| true).expect("submitted")
    }

    /// The first pixel of what the frame gave its outlet.
    fn collect(&mut self, mut slot: Box<Slot<CpuGpu>>) -> u8 {
        slot.wait(&self.gpu, LIMIT).expect("it ends");
        let mut out = grey(0);
        for delivery in slot.deliveries() {
            let Delivery::Ready(7, Content::Picture(picture)) = delivery else { panic!("{delivery:?}") };
            picture.copy_to(Timestamp(1), &mut out).expect("complete");
        }
        self.uploads.extend(slot.uploads());
        slot.release();
        assert!(self.engine.home().push(slot).is_ok(), "the slot came from there");
        out.data[0]
    }
}

fn grey(value: u8) -> Picture {
    Picture { format: GREY, timestamp: Timestamp(0), data: [value, value, value, 255].repeat(2) }
}

fn run(rig: &mut Rig, frame: u64, value: Option<u8>) -> u8 {
    let slot = rig.submit(frame, value);
    rig.collect(slot)
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
    let mut rig = engine(CHAIN);
    assert_eq!(run(&mut rig, 0, Some(10)), 10 + 51);
    rig.set("b", "amount", 0.4).expect("b has an amount");
    assert_eq!(run(&mut rig, 1, Some(20)), 20 + 51 + 102);
}

#[test]
fn a_source_that_is_not_fed_keeps_its_picture() {
    let mut rig = engine(CHAIN);
    assert_eq!(run(&mut rig, 0, Some(10)), 61);
    assert_eq!(run(&mut rig, 1, None), 61);
}

#[test]
fn a_parameter_that_does_not_fit_is_refused_and_changes_nothing() {
    let mut rig = engine(CHAIN);
    assert!(rig.set("a", "amount", 1.5).is_err());
    assert!(rig.set("a", "amuont", 0.5).is_err());
    assert!(rig.set("nobody", "amount", 0.5).is_err());
    assert_eq!(run(&mut rig, 0, Some(10)), 61);
}

#[test]
fn a_delayed_link_reads_the_frame_before_and_black_before_the_first() {
    for delay in [1_u8, 2, 5] {
        let mut rig = engine(&format!(
            "[nodes.cam]\nsource = 'x'\n\
             [nodes.kept]\neffect = 'add'\ninputs = {{ input = 'cam' }}\nset = {{ amount = 0.0 }}\n\
             [nodes.d]\neffect = 'difference'\n\
             inputs = {{ input = 'cam', past = {{ from = 'kept', delay = {delay} }} }}\n\
             [nodes.out]\nsink = 'x'\ninputs = {{ input = 'd' }}"
        ));
        for frame in 0..20_u8 {
            let past = if frame < delay { 0 } else { 10 * (frame - delay) };
            let value = 10 * frame;
            assert_eq!(run(&mut rig, u64::from(frame), Some(value)), value - past, "delay {delay}");
        }
    }
}

#[test]
fn an_effect_can_read_its_own_last_output() {
    let mut rig = engine(
        "[nodes.cam]\nsource = 'x'\n\
         [nodes.sum]\neffect = 'add'\ninputs = { input = { from = 'sum', delay = 1 } }\n\
         set = { amount = 0.1 }\nsize = [2, 1]\n\
         [nodes.out]\nsink = 'x'\ninputs = { input = 'sum' }",
    );
    let reds: Vec<u8> = (0..4).map(|frame| run(&mut rig, frame, None)).collect();
    assert_eq!(reds, [26, 51, 77, 102]);
}

#[test]
fn time_counts_from_the_first_frame() {
    let text = CHAIN.replace(
        "effect = 'add'\n    inputs = { input = 'a' }",
        "effect = 'clock'\n    inputs = { input = 'a' }",
    );
    let mut rig = engine(&text);
    assert_eq!(run(&mut rig, 0, Some(0)), 0);
    assert_eq!(run(&mut rig, 3, Some(0)), 153);
}

#[test]
fn every_slot_can_be_under_way_and_a_foreign_picture_is_refused() {
    let mut rig = engine(CHAIN);
    let wrong = Picture { data: vec![0; 3], ..grey(0) };
    assert!(matches!(rig.uploads[0].fill(&wrong), Err(EngineError::WrongPicture { bytes: 3, .. })));
    let slots: Vec<_> = (0..3).map(|frame| rig.submit(frame, Some(10 * frame as u8))).collect();
    assert!(rig.engine.take_slot().is_none());
    let reds: Vec<u8> = slots.into_iter().map(|slot| rig.collect(slot)).collect();
    assert_eq!(reds, [51, 61, 71]);
    let slot = rig.engine.take_slot().expect("free again");
    rig.engine.put_back(slot);
    assert_eq!(run(&mut rig, 4, Some(5)), 56, "the slot that was put back is the next");
}

#[test]
fn an_outlet_whose_consumer_holds_everything_misses_frames_and_recovers() {
    let mut rig = engine(CHAIN);
    let mut held = Vec::new();
    // The outlet's depth, and a picture for every slot.
    for frame in 0..4 {
        assert!(rig.engine.can_deliver(0));
        let mut slot = rig.submit(frame, Some(1));
        slot.wait(&rig.gpu, LIMIT).expect("it ends");
        held.extend(slot.deliveries().map(|delivery| match delivery {
            Delivery::Ready(7, content) => content,
            other => panic!("{other:?}"),
        }));
        rig.collect(slot);
    }
    assert!(!rig.engine.can_deliver(0));
    let mut slot = rig.submit(4, Some(1));
    assert!(matches!(slot.deliveries().next(), Some(Delivery::Missed(7))));
    rig.collect(slot);
    held.pop();
    assert!(rig.engine.can_deliver(0));
    assert_eq!(run(&mut rig, 5, Some(9)), 60);
}
