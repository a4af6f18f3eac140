//! Which effects are fused, and what is said of the others.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Drain, Feed, Fusion, GroupInput, Layout, Parts, Plan, Verdict};
use crate::color::ColorSpace;
use crate::format::Size;
use crate::graph::{EffectText, Graph, Link, Node};
use crate::interface::{BufferSlot, EffectForm, Interface, Scalar, TextureSlot};
use crate::picture::{PictureFormat, PictureLayout};

/// The effect files of these tests: `point` and `two` read at their own pixel, `blur` elsewhere, `kernel` is in compute form.
fn interface(file: &str) -> Interface {
    let slot = |name: &&str| TextureSlot {
        name: (*name).into(),
        binding: 0,
        is_local: file != "blur" && file != "kernel",
    };
    let inputs: &[&str] = if file == "two" { &["input", "other"] } else { &["input"] };
    Interface {
        form: if file == "kernel" { EffectForm::Compute } else { EffectForm::Pixel },
        description: String::new(),
        group_size: [1; 3],
        group_size_is_free: true,
        pixels_per_thread: [1, 1],
        rows_constant: None,
        loads_constant: None,
        encode_srgb_constant: None,
        inputs: inputs.iter().map(slot).collect(),
        outputs: vec![TextureSlot { name: "output".into(), binding: 9, is_local: false }],
        samplers: vec![],
        buffers: vec![],
        uniforms: None,
        parameters: vec![],
        frame_uniforms: vec![],
    }
}

/// Nodes as `name file inputs…`; `cam` is the source, the sink takes the last one.
fn fusion(nodes: &[&str]) -> Fusion {
    let mut text = "[nodes.cam]\nsource = 'x'\n".to_owned();
    for node in nodes {
        let words: Vec<&str> = node.split_whitespace().collect();
        let inputs: Vec<_> = words[2..].iter().map(|input| input.replace('=', " = ")).collect();
        let (head, extra): (Vec<_>, Vec<_>) =
            inputs.iter().partition(|i| !i.starts_with("scale") && !i.starts_with("format"));
        let head: Vec<_> = head.into_iter().cloned().collect();
        text +=
            &format!("[nodes.{}]\neffect = '{}'\ninputs = {{ {} }}\n", words[0], words[1], head.join(", "));
        extra.iter().for_each(|line| text += &format!("{line}\n"));
    }
    let last = nodes.last().expect("a node").split_whitespace().next().expect("a name");
    text += &format!("[nodes.out]\nsink = 'x'\ninputs = {{ input = '{last}' }}\n");
    let graph = Graph::from_toml(&text).expect("a graph");
    let file = |node: &Node| match node {
        Node::Effect(effect) => match &effect.text {
            EffectText::File(file) => Some(file.clone()),
            EffectText::Inline(_) => None,
        },
        _ => None,
    };
    let effects: BTreeMap<_, _> = graph
        .nodes
        .iter()
        .filter_map(|(name, node)| Some((name.clone(), Arc::new(interface(&file(node)?)))))
        .collect();
    let order = Plan::order(&graph, &effects, &BTreeMap::new()).expect("an order");
    let layout =
        Layout::new(&graph, &BTreeMap::from([("cam".to_owned(), Size::new(8, 8))]), 4096).expect("sizes");
    Fusion::new(&graph, &layout, &effects, &order)
}

fn groups(fusion: &Fusion) -> Vec<String> {
    fusion.groups.iter().map(|group| group.nodes.join("+")).collect()
}

fn why(fusion: &Fusion, node: &str) -> String {
    match &fusion.verdicts[node] {
        Verdict::Stored(why) => why.to_string(),
        Verdict::Joins(kernel) => panic!("{node} joins {kernel}"),
    }
}

#[test]
fn a_chain_that_reads_its_own_pixel_is_one_kernel() {
    let fusion = fusion(&["a point input='cam'", "b point input='a'", "c point input='b'"]);
    assert_eq!(groups(&fusion), ["a+b+c"]);
    assert_eq!(fusion.groups[0].textures.len(), 1);
    assert_eq!(fusion.groups[0].inputs[2], [("input".to_owned(), GroupInput::Node(1))]);
    assert_eq!(why(&fusion, "c"), "sink `out` takes it");
}

#[test]
fn a_blur_begins_a_kernel_for_what_follows() {
    let fusion =
        fusion(&["a point input='cam'", "b blur input='a'", "c point input='b'", "d point input='c'"]);
    assert_eq!(groups(&fusion), ["b+c+d"]);
    assert_eq!(why(&fusion, "a"), "`b` reads its `input` at other positions than its own");
}

#[test]
fn a_diamond_is_one_kernel_through_its_compositor() {
    let fusion = fusion(&[
        "a point input='cam'",
        "b point input='a'",
        "c point input='a'",
        "d two input='b' other='c'",
    ]);
    assert_eq!(groups(&fusion), ["a+b+c+d"]);
}

#[test]
fn a_result_that_two_kernels_need_is_stored_once() {
    let fusion = fusion(&[
        "a point input='cam'",
        "b blur input='a'",
        "c point input='a'",
        "d two input='b' other='c'",
    ]);
    assert_eq!(groups(&fusion), ["b+c+d"]);
    let other = self::fusion(&["a point input='cam'", "b kernel input='a'", "c two input='b' other='a'"]);
    assert!(groups(&other).is_empty());
    assert_eq!(why(&other, "b"), "it is in compute form");
}

#[test]
fn delays_sizes_and_formats_keep_effects_apart() {
    let delayed = fusion(&["a point input='cam'", "b two input='a' other={from='a',delay=1}"]);
    assert_eq!(why(&delayed, "a"), "`b` reads it frames later");
    let scaled = fusion(&["a point input='cam'", "b point input='a' scale=0.5"]);
    assert_eq!(why(&scaled, "a"), "`b` is of another size");
    let linear = fusion(&["a point input='cam' format='rgba8srgb'", "b point input='a'"]);
    assert_eq!(why(&linear, "a"), "its format is rgba8srgb");
    let half = fusion(&["a point input='cam' format='rgba16float'", "b point input='a'"]);
    assert_eq!(half.groups[0].is_clamped, [false, true]);
}

#[test]
fn a_kernel_does_not_grow_without_bound() {
    let nodes: Vec<String> = (0..40)
        .map(|i| {
            if i == 0 { "n0 point input='cam'".to_owned() } else { format!("n{i} point input='n{}'", i - 1) }
        })
        .collect();
    let fusion = fusion(&nodes.iter().map(String::as_str).collect::<Vec<_>>());
    let sizes: Vec<_> = fusion.groups.iter().map(|group| group.nodes.len()).collect();
    assert_eq!(sizes, [8, 16, 16]);
}

#[test]
fn what_a_processor_takes_is_stored_and_data_is_no_texture_of_a_kernel() {
    let graph = Graph::from_toml(
        "[nodes.cam]\nsource = 'x'\n\
         [nodes.a]\neffect = 'point'\ninputs = { input = { from = 'cam', delivery = 'latest' } }\n\
         [nodes.b]\neffect = 'point'\ninputs = { input = 'a', amount = 'find.amount' }\nset = { amount = [1] }\n\
         [nodes.c]\neffect = 'two'\ninputs = { input = 'b', other = 'cam' }\n\
         [nodes.find]\nprocessor = 'find'\ninputs = { input = 'a' }\n\
         [nodes.out]\nsink = 'x'\ninputs = { input = 'c' }",
    );
    let graph = graph.expect("a graph");
    let amount = BufferSlot {
        name: "amount".into(),
        binding: 3,
        scalar: Scalar::Float,
        columns: 1,
        stride: 4,
        description: None,
    };
    let b = Interface { buffers: vec![amount], ..interface("point") };
    let effects = [("a", interface("point")), ("b", b), ("c", interface("two"))];
    let effects = effects.map(|(node, interface)| (node.to_owned(), Arc::new(interface))).into();
    let processors = graph.implied_ports();
    let order = Plan::order(&graph, &effects, &processors).expect("an order");
    let size = Size::new(8, 8);
    let layout = Layout::new(&graph, &BTreeMap::from([("cam".to_owned(), size)]), 64).expect("sizes");
    let fusion = Fusion::new(&graph, &layout, &effects, &order);
    assert_eq!(why(&fusion, "a"), "processor `find` takes it");
    assert_eq!(groups(&fusion), ["b+c"]);
    assert_eq!(fusion.groups[0].textures, [Link::from("a"), Link::from("cam")]);

    let feeds = BTreeMap::from([("cam".to_owned(), Feed::Generated(size, Arc::new(interface("point"))))]);
    let rgba = PictureFormat { size, layout: PictureLayout::Rgba8, color: ColorSpace::default() };
    let key = |node: &str| (node.to_owned(), "input".to_owned());
    let drains = BTreeMap::from([(key("out"), Drain::Pictures(rgba, None)), (key("find"), Drain::Textures)]);
    let parts =
        Parts { effects: &effects, processors: &processors, fused: &[], feeds: &feeds, drains: &drains };
    let plan = Plan::new(&graph, &layout, &parts).expect("a plan");
    let ports = |node: &str| {
        let pass = plan.passes.iter().find(|pass| pass.label == node).expect("it runs");
        pass.inputs.iter().map(|(port, _)| port.clone()).collect::<Vec<_>>()
    };
    assert_eq!(ports("b"), ["input"]);
    let lent = plan.textures.iter().find(|texture| texture.holds[0] == "a.output").expect("it is stored");
    assert!(lent.is_leased);
    assert_eq!(lent.holds.len(), 1, "a processor may read it at any time");
}
