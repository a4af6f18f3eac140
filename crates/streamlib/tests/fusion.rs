//! Fused and unfused plans give the same picture: random graphs of the shipped effects.

use std::cell::Cell;
use std::path::{Path, PathBuf};

use image::RgbaImage;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use streamlib::format::{Size, TextureFormat};
use streamlib::graph::{Effect, EffectText, Graph, Link, Node, Sink, Source};
use streamlib::{RunOptions, RuntimeOptions, StreamRuntime};

/// Effects of one input that read their own pixel, and are continuous: where a value jumps, a rounding before it may tip it.
const POINT: [&str; 14] = [
    "brightness",
    "color_matrix",
    "contrast",
    "exposure",
    "film_grain",
    "gamma",
    "grayscale",
    "hue_shift",
    "invert",
    "levels",
    "saturation",
    "sepia",
    "tint",
    "vignette",
];
/// Effects that read `input` and `overlay` at their own pixel.
const BLENDS: [&str; 5] = ["blend_additive", "blend_alpha", "blend_multiply", "blend_screen", "mix"];
/// Effects that read their neighbours, so that a kernel has to end before them.
const NEIGHBOURS: [&str; 3] = ["sharpen", "chromatic_aberration", "flip_horizontal"];
/// Largest difference in code values, with half floats between effects: what they round to is far below a code value, but
/// up to ten effects with gains of up to 4 stand behind it.
const TOLERANCE: u8 = 3;

/// One node: which effect, and which earlier nodes it reads (0 is the source).
#[derive(Clone, Debug)]
struct Step {
    effect: &'static str,
    input: prop::sample::Index,
    overlay: prop::sample::Index,
}

fn step() -> impl Strategy<Value = Step> {
    let effect = prop_oneof![
        6 => prop::sample::select(&POINT[..]),
        3 => prop::sample::select(&BLENDS[..]),
        1 => prop::sample::select(&NEIGHBOURS[..]),
    ];
    let index = any::<prop::sample::Index>;
    (effect, index(), index()).prop_map(|(effect, input, overlay)| Step { effect, input, overlay })
}

/// Mostly chains: a node reads the one before it, or with one chance in four any earlier one.
fn graph(steps: &[Step], folder: &Path) -> Graph {
    let effects = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../effects");
    let mut graph = Graph::default();
    let size = Some(Size::new(61, 37));
    graph.insert(
        "n0",
        Node::Source(Source { uri: "generate:scene".into(), size, fps: None, frames: Some(1) }),
    );
    for (before, step) in steps.iter().enumerate() {
        let text = EffectText::File(effects.join(format!("{}.hlsl", step.effect)).display().to_string());
        let mut effect = Effect { format: TextureFormat::Rgba16Float, ..Effect::new(text) };
        let any = step.input.index(4 * (before + 1));
        let input = if any <= before { any } else { before };
        effect.inputs.insert("input".into(), Link::from_node(format!("n{input}")));
        if BLENDS.contains(&step.effect) {
            let overlay = step.overlay.index(before + 1);
            effect.inputs.insert("overlay".into(), Link::from_node(format!("n{overlay}")));
        }
        graph.insert(format!("n{}", before + 1), Node::Effect(effect));
    }
    let uri = folder.join("out.png").display().to_string();
    graph.insert("out", Node::Sink(Sink { uri, input: Some(Link::from_node(format!("n{}", steps.len()))) }));
    graph
}

fn picture(runtime: &StreamRuntime, graph: &Graph, folder: &Path, fuse: bool) -> RgbaImage {
    runtime.run(graph, &RunOptions { fuse, ..RunOptions::default() }).expect("it runs");
    let picture = image::open(folder.join("out.png")).expect("a picture").to_rgba8();
    assert_eq!(runtime.gpu().validation_messages(), 0, "the validation layer spoke");
    picture
}

fn runtime() -> Option<StreamRuntime> {
    match StreamRuntime::new(&RuntimeOptions::default()) {
        Ok(runtime) => Some(runtime),
        #[allow(clippy::print_stdout, reason = "standard output is where skips are counted")]
        Err(error) => {
            println!("SKIPPED: {error}");
            None
        }
    }
}

/// A `#pragma` holds for a whole text, so effects with one are not put into one text with others.
#[test]
fn effects_that_the_compiler_takes_only_alone_run_alone() {
    let Some(runtime) = runtime() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let text = "#pragma pack_matrix(row_major)\n\
                float4 main(float2 uv : TEXCOORD) : SV_Target { return 1 - tex2D(input, uv); }";
    let mut graph = graph(&[], folder.path());
    for (name, input) in [("n1", "n0"), ("n2", "n1")] {
        let mut effect = Effect::new(EffectText::Inline(text.to_owned()));
        effect.inputs.insert("input".into(), Link::from_node(input));
        graph.insert(name, Node::Effect(effect));
    }
    let once = picture(&runtime, &graph, folder.path(), false);
    if let Some(Node::Sink(sink)) = graph.nodes.get_mut("out") {
        sink.input = Some(Link::from_node("n2"));
    }
    assert_eq!(picture(&runtime, &graph, folder.path(), true), once, "inverted twice");
    let explanation = runtime.explain(&graph, &RunOptions::default()).expect("it is a plan");
    let fate = explanation.effects.iter().find(|fate| fate.node == "n1").expect("it runs");
    assert!(fate.stored_because.as_ref().is_some_and(|why| why.contains("does not take it")), "{fate:?}");
}

#[test]
fn random_graphs_give_the_same_picture_fused_and_unfused() {
    let Some(runtime) = runtime() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let config = Config { cases: 24, max_shrink_iters: 64, failure_persistence: None, ..Config::default() };
    let mut runner =
        TestRunner::new_with_rng(config, prop::test_runner::TestRng::deterministic_rng(Default::default()));
    let fused = Cell::new(0);
    let result = runner.run(&prop::collection::vec(step(), 1..=10), |steps| {
        let graph = graph(&steps, folder.path());
        let explanation = runtime.explain(&graph, &RunOptions::default()).expect("it is a plan");
        let joined = explanation.effects.iter().filter(|fate| fate.fused_into.is_some()).count();
        fused.set(fused.get() + joined);
        let together = picture(&runtime, &graph, folder.path(), true);
        let apart = picture(&runtime, &graph, folder.path(), false);
        let worst = together.as_raw().iter().zip(apart.as_raw()).map(|(a, b)| a.abs_diff(*b)).max();
        prop_assert!(worst <= Some(TOLERANCE), "off by {worst:?} code values");
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    assert!(fused.get() > 40, "only {} effects were fused in all", fused.get());
}
