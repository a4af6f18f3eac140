//! Graphs and plans of the tests.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use super::picture::FORMAT;
use crate::engine::{Engine, OutletSpec, Shelf};
use crate::format::TextureFormat;
use crate::gpu::{Gpu, KernelDesc};
use crate::graph::{EffectText, Graph, Node};
use crate::interface::{EffectForm, Interface, Parameter, ParameterType, Scalar, TextureSlot, UniformBlock};
use crate::live::Pace;
use crate::mailbox::Policy;
use crate::plan::{Code, Drain, Feed, Layout, Parts, Plan, PlanKernel};

/// The camera, which feeds pictures.
pub(super) const CAMERA: usize = 0;
/// The other source, which feeds textures.
pub(super) const OTHER: usize = 1;
/// Their nodes.
pub(super) const SOURCES: [&str; 2] = ["camera", "other"];

/// A sink.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SinkSpec {
    pub(super) tag: u64,
    pub(super) takes_textures: bool,
    pub(super) policy: Policy,
    /// Frames that it may hold, besides those that wait.
    pub(super) holds: usize,
}

impl SinkSpec {
    pub(super) fn depth(&self) -> usize {
        self.policy.bound() + self.holds
    }

    pub(super) fn is_lossless(&self) -> bool {
        matches!(self.policy, Policy::Lossless { .. })
    }
}

/// A graph of the tests.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Spec {
    /// Of the effect `one`.
    pub(super) version: u8,
    pub(super) has_extra: bool,
    pub(super) has_other: bool,
    pub(super) amounts: (u8, u8),
    pub(super) sinks: Vec<SinkSpec>,
    pub(super) pace: Pace,
    /// Whether the graph ends with the camera also where time sets the pace.
    pub(super) ends_with_camera: bool,
}

impl Spec {
    fn toml(&self) -> String {
        let mut text = "[nodes.camera]\nsource = 'x'\n".to_owned();
        if self.has_other {
            text += "[nodes.other]\nsource = 'x'\n";
        }
        let mut effect = |name: &str, kernel: &str, inputs: &str, amount: Option<u8>| {
            let set = amount.map_or(String::new(), |amount| format!("set = {{ amount = {amount} }}\n"));
            let _ = write!(text, "[nodes.{name}]\neffect = '{kernel}'\ninputs = {{ {inputs} }}\n{set}");
        };
        let other = if self.has_other { "other" } else { "camera" };
        effect("mix", "mix", &format!("input = 'camera', other = '{other}'"), None);
        effect("one", &format!("one-{}", self.version), "input = 'mix'", Some(self.amounts.0));
        if self.has_extra {
            effect("extra", "extra", "input = 'one'", None);
        }
        let before = if self.has_extra { "extra" } else { "one" };
        effect("two", "two", &format!("input = '{before}'"), Some(self.amounts.1));
        effect("count", "count", "input = 'two', other = { from = 'count', delay = 1 }", None);
        for sink in self.sinks.iter().filter(|sink| sink.takes_textures) {
            effect(&format!("copy{}", sink.tag), "copy", "input = 'count'", None);
        }
        for sink in &self.sinks {
            let from = if sink.takes_textures { format!("copy{}", sink.tag) } else { "count".to_owned() };
            let _ = write!(text, "[nodes.sink{}]\nsink = 'x'\ninputs = {{ input = '{from}' }}\n", sink.tag);
        }
        text
    }

    /// The source that ends the graph where time sets the pace.
    pub(super) fn ends_with(&self) -> Option<usize> {
        self.ends_with_camera.then_some(CAMERA)
    }

    /// Place of a source in the plan.
    pub(super) fn place(&self, source: usize) -> Option<usize> {
        match source {
            CAMERA => Some(0),
            _ => self.has_other.then_some(1),
        }
    }
}

fn interface(kernel: &str) -> Interface {
    let slot = |binding: usize, name: &str| TextureSlot {
        name: name.into(),
        binding: binding as u32,
        is_local: false,
    };
    let inputs: &[&str] = if matches!(kernel, "mix" | "count") { &["input", "other"] } else { &["input"] };
    let ty = ParameterType {
        scalar: Scalar::Float,
        rows: 1,
        columns: 1,
        matrix_stride: 0,
        rows_are_contiguous: false,
        array: None,
        array_stride: 0,
    };
    let amount = Parameter {
        name: "amount".into(),
        ty,
        offset: 0,
        default: vec![0.0],
        min: None,
        max: None,
        description: None,
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
        inputs: inputs.iter().enumerate().map(|(binding, name)| slot(binding, name)).collect(),
        outputs: vec![slot(9, "output")],
        samplers: vec![],
        buffers: vec![],
        uniforms: Some(UniformBlock { binding: 10, size: 4 }),
        parameters: vec![amount],
        frame_uniforms: vec![],
    }
}

/// An engine for a graph. Outlets lie in the order of [`Spec::sinks`] in the plan.
pub(super) fn engine<G: Gpu>(gpu: &Arc<G>, spec: &Spec, shelf: Option<&Shelf<G>>) -> Box<Engine<G>> {
    let graph = Graph::from_toml(&spec.toml()).expect("a graph");
    let sizes = graph.sources().map(|(name, _)| (name.to_owned(), FORMAT.size)).collect();
    let layout = Layout::new(&graph, &sizes, 4096).expect("sizes");
    let kernel_of = |node: &str| match &graph.nodes[node] {
        Node::Effect(effect) => match &effect.text {
            EffectText::File(name) => name.clone(),
            EffectText::Inline(_) => unreachable!("the tests name kernels"),
        },
        _ => unreachable!("only effects have kernels"),
    };
    let effects: BTreeMap<_, _> =
        graph.effects().map(|(node, _)| (node.to_owned(), Arc::new(interface(&kernel_of(node))))).collect();
    let feed = |node: &str| match node {
        "camera" => Feed::Pictures(FORMAT, None),
        _ => Feed::Textures(FORMAT.size, TextureFormat::Rgba8),
    };
    let feeds = graph.sources().map(|(node, _)| (node.to_owned(), feed(node))).collect();
    let drain = |sink: &SinkSpec| match sink.takes_textures {
        true => Drain::Textures,
        false => Drain::Pictures(FORMAT, None),
    };
    let drains =
        spec.sinks.iter().map(|sink| ((format!("sink{}", sink.tag), "input".to_owned()), drain(sink)));
    let drains = drains.collect();
    let parts =
        Parts { effects: &effects, processors: &BTreeMap::new(), fused: &[], feeds: &feeds, drains: &drains };
    let plan = Plan::new(&graph, &layout, &parts).expect("a plan");
    assert!(plan.sources.iter().zip(SOURCES).all(|(source, node)| source.node == node));
    let outlets: Vec<OutletSpec> = plan
        .outlets
        .iter()
        .map(|outlet| {
            let is_it = |sink: &&SinkSpec| outlet.node == format!("sink{}", sink.tag);
            let sink = spec.sinks.iter().find(is_it).expect("an outlet of a sink");
            OutletSpec { tag: sink.tag, depth: sink.depth() }
        })
        .collect();
    let build = |kernel: &PlanKernel| {
        let Code::Node(node) = &kernel.code else { unreachable!("no conversions here") };
        let label = kernel_of(node);
        gpu.create_kernel(&KernelDesc { label: &label, spirv: &[], interface: &effects[node], outputs: &[] })
    };
    Box::new(Engine::new::<G::Error>(gpu.clone(), plan.into(), &outlets, shelf, build).expect("an engine"))
}

/// Whether frames wait for each outlet of the engine's plan.
pub(super) fn waits_for<G: Gpu>(engine: &Engine<G>, spec: &Spec) -> Vec<bool> {
    let is_lossless = |node: &str| {
        let mut sinks = spec.sinks.iter().filter(|sink| node == format!("sink{}", sink.tag));
        sinks.any(SinkSpec::is_lossless)
    };
    engine.plan().outlets.iter().map(|outlet| is_lossless(&outlet.node)).collect()
}
