//! Puts in the passes that a graph needs and does not say.

use std::collections::BTreeMap;

use streamlib_core::format::TextureFormat;
use streamlib_core::graph::{Effect, EffectText, Graph, INPUT, Link, Node};

/// Copies as it is; the texture it writes is 8-bit.
const COPY: &str = "float4 main(float2 uv : TEXCOORD) : SV_Target { return tex2D(input, uv); }";

/// Encodes linear light as sRGB (IEC 61966-2-1), which is what an sRGB texture gives when it is read.
const ENCODE: &str = "
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
        let links: Vec<&mut Link> = match node {
            Node::Effect(effect) => effect.inputs.values_mut().collect(),
            Node::Sink(sink) => vec![&mut sink.input],
            Node::Source(_) => vec![],
        };
        for link in links.into_iter().filter(|link| link.delay > 0 && sources.contains(&link.node)) {
            let keeper = format!("{} (kept)", link.node);
            let source = std::mem::replace(&mut link.node, keeper.clone());
            kept.insert(keeper, source);
        }
    }
    for (keeper, source) in kept {
        let mut effect = Effect::new(EffectText::Inline(COPY.to_owned()));
        effect.inputs.insert(INPUT.to_owned(), Link::from_node(source));
        graph.insert(keeper, Node::Effect(effect));
    }
}

/// Puts a pass before every sink whose texture is not plain 8-bit RGBA.
pub(crate) fn adapt_sinks(graph: &mut Graph) {
    let formats = |link: &Link| match graph.nodes.get(&link.node) {
        Some(Node::Effect(effect)) => effect.format,
        _ => TextureFormat::Rgba8,
    };
    let linked = graph.sinks().filter_map(|(name, sink)| Some((name, sink.input.as_ref()?)));
    let foreign: Vec<_> = linked
        .map(|(name, link)| (name.to_owned(), link.clone(), formats(link)))
        .filter(|(_, _, format)| *format != TextureFormat::Rgba8)
        .collect();
    for (sink, link, format) in foreign {
        let text = if format.is_srgb() { ENCODE } else { COPY };
        let mut effect = Effect::new(EffectText::Inline(text.to_owned()));
        let name = format!("{sink} as rgba8");
        if let Some(Node::Sink(node)) = graph.nodes.get_mut(&sink) {
            node.input = Some(Link { delivery: link.delivery, ..Link::from_node(&name) });
        }
        effect.inputs.insert(INPUT.to_owned(), Link { delivery: None, ..link });
        graph.insert(name, Node::Effect(effect));
    }
}
