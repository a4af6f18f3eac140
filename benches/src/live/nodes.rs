//! What a node of a graph costs the CPU: graphs of effects that are kept apart, as small as frames can be.

use std::time::Duration;

use serde::Serialize;
use streamlib::graph::{Delivery, Effect, EffectText, Graph, Link, Source};
use streamlib::{LiveOptions, Pacing};

use super::Bed;
use crate::Fallible;

#[derive(Serialize)]
pub(super) struct NodeCost {
    nodes: u32,
    frames: u64,
    /// CPU time of submitting a frame.
    submit_cpu_us_per_frame: f64,
    /// The same for each node.
    submit_cpu_us_per_node: f64,
    /// Frames that ran a second.
    frames_per_second: f64,
}

const TEXT: &str = "float amount = 0.01; float4 main(float2 uv : TEXCOORD) : SV_Target { return tex2D(input, uv) + amount; }";

pub(super) fn measure(bed: &Bed<'_>) -> Fallible<Vec<NodeCost>> {
    [10, 50].into_iter().map(|nodes| one(bed, nodes)).collect()
}

fn one(bed: &Bed<'_>, nodes: u32) -> Fallible<NodeCost> {
    let mut graph = Graph::new();
    let size = Some(streamlib::format::Size::new(16, 16));
    graph.add_source("n0", Source { uri: "generate:bars".into(), size, ..Source::default() })?;
    // A source and a sink are nodes as well.
    for number in 1..nodes - 1 {
        let name = format!("n{number}");
        graph.add_effect(&name, Effect::new(EffectText::Inline(TEXT.into())))?;
        graph.connect(Link::from_node(format!("n{}", number - 1)), &name)?;
    }
    graph.add_sink("out", "null:")?;
    let last = Link::from_node(format!("n{}", nodes - 2)).with_delivery(Delivery::Latest);
    graph.connect(last, "out")?;
    // Fused, all effects would be one kernel, and cost as much as one node.
    let options =
        LiveOptions { pacing: Pacing::Rate(200.0), fuse: false, counts_cpu: true, ..LiveOptions::default() };
    let live = bed.runtime.start(&graph, options)?;
    live.wait(Duration::from_secs(10));
    let report = live.stop()?;
    let per_frame = report.submit_cpu_us_per_frame.unwrap_or_default();
    let cost = NodeCost {
        nodes,
        frames: report.stats.frames,
        submit_cpu_us_per_frame: per_frame,
        submit_cpu_us_per_node: per_frame / f64::from(nodes),
        frames_per_second: report.stats.fps,
    };
    println!(
        "nodes: {nodes:>3} nodes: {per_frame:>7.2} us of CPU a frame, {:.3} us a node ({} frames)",
        cost.submit_cpu_us_per_node, cost.frames
    );
    Ok(cost)
}
