//! The nodes and links of a graph, with what the plan made of them.

use streamlib_core::graph::{EffectText, Graph, Link, Node};
use streamlib_core::plan::Plan;

use super::{LinkPlan, NodeKind, NodePlan, PassPlan};

/// Nodes that run, in name order.
pub(super) fn nodes(graph: &Graph, plan: &Plan, passes: &[PassPlan]) -> Vec<NodePlan> {
    let described = graph.nodes.iter().filter_map(|(name, node)| {
        let stored = texture(plan, &Link::from_node(name));
        let pass = passes.iter().position(|pass| pass.nodes.contains(name) && !pass.only_when_fed);
        let planned = plan.passes.iter().find(|pass| pass.nodes.contains(name));
        let (kind, what, size) = match node {
            Node::Source(source) => {
                let size = plan.textures[stored?].size;
                (NodeKind::Source, source.uri.clone(), Some(size))
            }
            Node::Effect(effect) => {
                let what = match &effect.text {
                    EffectText::File(file) => file.clone(),
                    EffectText::Inline(_) => "HLSL in the graph".to_owned(),
                };
                (NodeKind::Effect, what, Some(planned?.size))
            }
            Node::Processor(processor) => (NodeKind::Processor, processor.processor.clone(), None),
            Node::Sink(sink) => {
                let planned = plan.outlets.iter().find(|planned| planned.node == *name)?;
                let size = match &planned.pictures {
                    Some(pictures) => pictures.format.size,
                    None => plan.textures[planned.from.texture].size,
                };
                (NodeKind::Sink, sink.uri.clone(), Some(size))
            }
        };
        let format = stored.map(|texture| plan.textures[texture].format.name());
        Some(NodePlan { name: name.clone(), kind, what, size, format, pass })
    });
    described.collect()
}

/// Links between nodes that run.
pub(super) fn links(graph: &Graph, plan: &Plan, nodes: &[NodePlan]) -> Vec<LinkPlan> {
    let runs = |name: &str| nodes.iter().any(|node| node.name == name);
    let ends = graph.nodes.iter().filter(|(name, _)| runs(name));
    let links = ends.flat_map(|(name, node)| node.links().map(move |(port, link)| (name, port, link)));
    let described = links.map(|(to, to_port, link)| LinkPlan {
        from: link.node.clone(),
        from_port: link.port.clone(),
        to: to.clone(),
        to_port: to_port.to_owned(),
        delay: link.delay,
        delivery: link.delivery.map(|delivery| delivery.to_string()),
        is_data: graph.is_data(link),
        texture: texture(plan, link),
    });
    described.collect()
}

/// The texture that an output lies in.
fn texture(plan: &Plan, link: &Link) -> Option<usize> {
    let output = format!("{}.{}", link.node, link.port);
    plan.textures.iter().position(|texture| texture.holds.contains(&output))
}
