//! Puts in the passes that a graph needs and does not say.

use std::collections::BTreeMap;

use streamlib_core::format::TextureFormat;
use streamlib_core::graph::{Effect, EffectText, Graph, INPUT, Link, Node};

use crate::sources::APP;
use crate::surface::SURFACE;

/// Copies as it is; the texture it writes is 8-bit.
pub(crate) const COPY: &str = "float4 main(float2 uv : TEXCOORD) : SV_Target { return tex2D(input, uv); }";

/// Encodes linear light as sRGB (IEC 61966-2-1), which is what an sRGB texture gives when it is read.
pub(crate) const ENCODE: &str = "
float4 main(float2 uv : TEXCOORD) : SV_Target {
    float4 c = saturate(tex2D(input, uv));
    float3 low = c.rgb * 12.92;
    float3 high = 1.055 * pow(c.rgb, 1.0 / 2.4) - 0.055;
    return float4(select(c.rgb <= 0.0031308, low, high), c.a);
}";

/// Puts a pass behind every source of which earlier frames are read: it keeps them, since sources do not.
pub(crate) fn adapt_sources(graph: &mut Graph) {
    let sources: Vec<String> = graph.sources().map(|(name, _)| name.to_owned()).collect();
    let mut kept = BTreeMap::new();
    for node in graph.nodes.values_mut() {
        let late = node.links_mut().filter(|link| link.delay > 0 && sources.contains(&link.node));
        for link in late {
            let keeper = format!("{} (kept)", link.node);
            let source = std::mem::replace(&mut link.node, keeper.clone());
            kept.insert(keeper, source);
        }
    }
    for (keeper, source) in kept {
        graph.insert(keeper, copy_of(Link::from_node(source)));
    }
}

/// Puts a pass before every consumer in `takers` (nodes and their input ports) that takes textures, where it could not have
/// the texture itself: it is a source's, others outside the plan read it back, or later frames do.
pub(crate) fn adapt_takers(graph: &mut Graph, takers: &[(String, String)]) {
    let is_taker = |node: &str, port: &str| takers.iter().any(|(n, p)| n == node && p == port);
    let mut copies = Vec::new();
    for (node, port) in takers {
        let Some((_, link)) = graph.video_links(node).find(|(name, _)| name == port) else { continue };
        let is_effect = matches!(graph.nodes.get(&link.node), Some(Node::Effect(_)));
        let others = graph.nodes.iter().flat_map(|(name, other)| {
            let links = other.links().filter(|(_, l)| l.node == link.node && l.port == link.port);
            links.map(move |(port, link)| (name, other, port, link))
        });
        let mut needs_copy = link.delay > 0 || !is_effect;
        for (name, other, port, link) in others {
            let is_outside = matches!(other, Node::Sink(_) | Node::Processor(_));
            needs_copy |= link.delay > 0 || (is_outside && !is_taker(name, port));
        }
        if needs_copy {
            copies.push((node.clone(), port.clone(), link.clone()));
        }
    }
    for (node, port, link) in copies {
        let name = format!("{node}.{port} (copy)").replace('.', " ");
        let delivery = link.delivery;
        graph.insert(name.clone(), copy_of(Link { delivery: None, ..link }));
        relink(graph, (&node, &port), &Link { delivery, ..Link::from_node(&name) });
    }
}

fn copy_of(link: Link) -> Node {
    let mut effect = Effect::new(EffectText::Inline(COPY.to_owned()));
    effect.inputs.insert(INPUT.to_owned(), link);
    Node::Effect(effect)
}

/// Puts a pass before every sink whose texture is not plain 8-bit RGBA.
pub(crate) fn adapt_sinks(graph: &mut Graph) {
    let sinks: Vec<_> = graph.sinks().map(|(name, _)| (name.to_owned(), INPUT.to_owned())).collect();
    adapt_readers(graph, &sinks);
}

/// Puts a pass before every input in `readers` (nodes and their input ports), which take pictures, whose texture is not plain
/// 8-bit RGBA, or is another one in each frame: what the program pushes.
pub(crate) fn adapt_readers(graph: &mut Graph, readers: &[(String, String)]) {
    let formats = |link: &Link| match graph.nodes.get(&link.node) {
        Some(Node::Effect(effect)) => (effect.format, false),
        Some(Node::Source(source)) => {
            (TextureFormat::Rgba8, source.uri == APP || source.uri.starts_with(SURFACE))
        }
        _ => (TextureFormat::Rgba8, false),
    };
    let links = readers.iter().filter_map(|(node, port)| {
        let (_, link) = graph.video_links(node).find(|(name, _)| name == port)?;
        Some((node.clone(), port.clone(), link.clone(), formats(link)))
    });
    let is_foreign = |(format, is_pushed): (TextureFormat, bool)| is_pushed || format != TextureFormat::Rgba8;
    let foreign: Vec<_> = links.filter(|(.., found)| is_foreign(*found)).collect();
    for (node, port, link, (format, _)) in foreign {
        let text = if format.is_srgb() { ENCODE } else { COPY };
        let mut effect = Effect::new(EffectText::Inline(text.to_owned()));
        let name = if port == INPUT { format!("{node} as rgba8") } else { format!("{node} {port} as rgba8") };
        relink(graph, (&node, &port), &Link { delivery: link.delivery, ..Link::from_node(&name) });
        effect.inputs.insert(INPUT.to_owned(), Link { delivery: None, ..link });
        graph.insert(name, Node::Effect(effect));
    }
}

/// Links an input that is linked already to somewhere else.
fn relink(graph: &mut Graph, (node, port): (&str, &str), link: &Link) {
    let inputs = graph.nodes.get_mut(node).into_iter().flat_map(Node::links_mut_by_port);
    for (_, input) in inputs.filter(|(name, _)| *name == port) {
        input.clone_from(link);
    }
}
