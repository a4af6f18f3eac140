//! What is said of graphs before they run.

use streamlib::format::Size;
use streamlib::graph::{Delivery, Effect, EffectText, Graph, Link, Processor, Source};
use streamlib::{NodeKind, RunError, RunOptions, RuntimeOptions, StreamRuntime};

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

fn source(uri: &str) -> Source {
    Source { uri: uri.into(), size: Some(Size::new(64, 36)), frames: Some(2), ..Source::default() }
}

/// Each pixel is that of its neighbour, so that nothing is fused.
fn shift() -> Effect {
    let text = "float amount = 0.1;
        float4 main(float2 uv : TEXCOORD) : SV_Target { return tex2D(input, uv + amount); }";
    Effect::new(EffectText::Inline(text.to_owned()))
}

/// `cam → a → b → c → d → out`.
fn chain(out: &str) -> Graph {
    let mut graph = Graph::new();
    graph.add_source("cam", source("generate:scene")).expect("added");
    for (name, from) in [("a", "cam"), ("b", "a"), ("c", "b"), ("d", "c")] {
        graph.add_effect(name, shift()).and_then(|g| g.connect(from, name)).expect("added");
    }
    graph.add_sink("out", out).and_then(|g| g.connect("d", "out")).expect("added");
    graph
}

#[test]
fn results_that_are_not_needed_at_once_share_a_texture_and_barriers_are_explained() {
    let Some(runtime) = runtime() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out.png").display().to_string();
    let explanation = runtime.explain(&chain(&out), &RunOptions::default()).expect("it is a plan");
    let held: Vec<_> = explanation.textures.iter().map(|texture| texture.holds.join(" ")).collect();
    assert_eq!(held, ["cam.output b.output", "a.output c.output", "d.output"]);
    assert_eq!(explanation.saved_bytes, 2 * 64 * 36 * 4);
    let reads: Vec<_> = explanation.passes.iter().map(|pass| pass.reads.join(" ")).collect();
    assert_eq!(
        reads,
        ["", "cam.output", "a.output", "b.output", "c.output"],
        "each by the name that it has then"
    );
    let barriers = explanation.passes.iter().filter(|pass| pass.barrier.is_some()).count();
    assert_eq!(barriers, 4);
    assert!(explanation.read_back_barrier.is_some_and(|why| why.contains("d.output")));
    assert!(!folder.path().join("out.png").exists(), "nothing ran");
}

#[test]
fn processors_are_drawn_and_run_in_live_graphs_only() {
    let Some(runtime) = runtime() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let mut graph = chain(&folder.path().join("out.png").display().to_string());
    graph
        .add_processor("find", Processor::new("ball detector"))
        .and_then(|g| g.connect(Link::from("a").with_delivery(Delivery::Every { bound: 2 }), "find"))
        .and_then(|g| g.connect("find.position", "d.amount"))
        .expect("added");
    let explanation = runtime.explain(&graph, &RunOptions::default()).expect("it is a plan");
    let lent = explanation.textures.iter().find(|texture| texture.holds[0] == "a.output").expect("stored");
    assert_eq!(lent.holds.len(), 1, "a processor reads it beside the passes");
    assert!(explanation.nodes.iter().any(|node| node.kind == NodeKind::Processor));
    let svg = explanation.to_svg();
    assert!(svg.contains("ball detector") && svg.contains("every, 2 waiting") && svg.contains("link data"));
    let refused = runtime.run(&graph, &RunOptions::default()).expect_err("it needs a program");
    assert!(matches!(&refused, RunError::Processor { node, .. } if node == "find"), "{refused}");
    assert!(refused.to_string().contains("live graphs only"));
}

#[test]
fn policies_do_not_change_what_runs_from_beginning_to_end() {
    let Some(runtime) = runtime() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let out = |name: &str| folder.path().join(name).display().to_string();
    let plain = chain(&out("plain-%d.png"));
    let mut stated = chain(&out("stated-%d.png"));
    stated
        .disconnect("a")
        .and_then(|g| g.disconnect("out"))
        .and_then(|g| g.connect(Link::from("cam").with_delivery(Delivery::Latest), "a"))
        .and_then(|g| g.connect(Link::from("d").with_delivery(Delivery::Lossless { bound: 1 }), "out"))
        .expect("edited");
    for graph in [&plain, &stated] {
        let report = runtime.run(graph, &RunOptions::default()).expect("it runs");
        assert_eq!((report.frames_out, report.frames_dropped), (2, 0));
    }
    for frame in 0..2 {
        let read =
            |name: &str| image::open(out(&format!("{name}-{frame}.png"))).expect("a picture").to_rgba8();
        assert_eq!(read("plain"), read("stated"));
    }
    assert_eq!(runtime.gpu().validation_messages(), 0, "the validation layer spoke");
}
