//! Graphs as TOML text (and, through serde, as JSON).

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Effect, EffectText, Graph, GraphFileError, INPUT, Link, Node, OUTPUT, OutputSize, Sink, Source};
use crate::format::{Size, TextureFormat};
use crate::value::Value;

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GraphText {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    clock: Option<String>,
    #[serde(default)]
    nodes: BTreeMap<String, NodeText>,
}

/// Every key that some node may have; `node_from_text` says which belong together.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct NodeText {
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    effect: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hlsl: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sink: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<Size>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scale: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<TextureFormat>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fps: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frames: Option<u64>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    inputs: BTreeMap<String, LinkText>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    set: BTreeMap<String, Value>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "a link is \"NODE\", \"NODE.PORT\" or { from = \"NODE\", delay = 1 }")]
enum LinkText {
    Name(String),
    Delayed(DelayedLink),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DelayedLink {
    from: String,
    #[serde(default)]
    delay: u32,
}

impl From<LinkText> for Link {
    fn from(text: LinkText) -> Self {
        let (from, delay) = match text {
            LinkText::Name(from) => (from, 0),
            LinkText::Delayed(DelayedLink { from, delay }) => (from, delay),
        };
        let (node, port) = from.split_once('.').unwrap_or((&from, OUTPUT));
        Self { node: node.to_owned(), port: port.to_owned(), delay }
    }
}

impl From<&Link> for LinkText {
    fn from(link: &Link) -> Self {
        let from =
            if link.port == OUTPUT { link.node.clone() } else { format!("{}.{}", link.node, link.port) };
        if link.delay == 0 {
            Self::Name(from)
        } else {
            Self::Delayed(DelayedLink { from, delay: link.delay })
        }
    }
}

impl Graph {
    /// Reads a graph from TOML.
    ///
    /// # Errors
    /// When the text is not TOML or not a graph. Whether the graph can run is a later question ([`Graph::order`]).
    pub fn from_toml(text: &str) -> Result<Self, GraphFileError> {
        let text: GraphText =
            toml::from_str(text).map_err(|error| GraphFileError::Syntax(error.to_string()))?;
        text.try_into()
    }

    /// Writes the graph as TOML that [`Graph::from_toml`] reads back as the same graph.
    #[must_use]
    pub fn to_toml(&self) -> String {
        toml::to_string(&GraphText::from(self)).expect("names, numbers and lists are always TOML")
    }
}

impl Serialize for Graph {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        GraphText::from(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Graph {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        GraphText::deserialize(deserializer)?.try_into().map_err(serde::de::Error::custom)
    }
}

impl TryFrom<GraphText> for Graph {
    type Error = GraphFileError;

    fn try_from(text: GraphText) -> Result<Self, GraphFileError> {
        let nodes = text.nodes.into_iter();
        let nodes = nodes.map(|(name, node)| node_from_text(&name, node).map(|node| (name, node)));
        Ok(Self { name: text.name, clock: text.clock, nodes: nodes.collect::<Result<_, _>>()? })
    }
}

fn node_from_text(name: &str, mut text: NodeText) -> Result<Node, GraphFileError> {
    let owned = || name.to_owned();
    match (text.source.take(), text.effect.take(), text.hlsl.take(), text.sink.take()) {
        (Some(uri), None, None, None) => {
            refuse(name, "source", &text, &["scale", "format", "inputs", "set"])?;
            Ok(Node::Source(Source { uri, size: text.size, fps: text.fps, frames: text.frames }))
        }
        (None, Some(file), None, None) => effect_from_text(name, EffectText::File(file), text),
        (None, None, Some(hlsl), None) => effect_from_text(name, EffectText::Inline(hlsl), text),
        (None, None, None, Some(uri)) => {
            refuse(name, "sink", &text, &["size", "scale", "format", "fps", "frames", "set"])?;
            let input = text.inputs.remove(INPUT).ok_or_else(|| GraphFileError::SinkInput(owned()))?;
            if !text.inputs.is_empty() {
                return Err(GraphFileError::SinkInput(owned()));
            }
            Ok(Node::Sink(Sink { uri, input: input.into() }))
        }
        _ => Err(GraphFileError::Kind(owned())),
    }
}

fn effect_from_text(name: &str, effect: EffectText, text: NodeText) -> Result<Node, GraphFileError> {
    refuse(name, "effect", &text, &["fps", "frames"])?;
    let size = match (text.size, text.scale) {
        (None, None) => OutputSize::AsInput,
        (Some(size), None) => OutputSize::Fixed(size),
        (None, Some(scale)) => OutputSize::Scale(scale),
        (Some(_), Some(_)) => return Err(GraphFileError::SizeTwice(name.to_owned())),
    };
    Ok(Node::Effect(Effect {
        text: effect,
        inputs: text.inputs.into_iter().map(|(port, link)| (port, link.into())).collect(),
        set: text.set,
        size,
        format: text.format.unwrap_or(TextureFormat::Rgba8),
    }))
}

/// Says no to keys that this kind of node would silently ignore.
fn refuse(
    node: &str,
    kind: &'static str,
    text: &NodeText,
    keys: &[&'static str],
) -> Result<(), GraphFileError> {
    let present = |key: &str| match key {
        "size" => text.size.is_some(),
        "scale" => text.scale.is_some(),
        "format" => text.format.is_some(),
        "fps" => text.fps.is_some(),
        "frames" => text.frames.is_some(),
        "inputs" => !text.inputs.is_empty(),
        _ => !text.set.is_empty(),
    };
    match keys.iter().find(|key| present(key)) {
        Some(key) => Err(GraphFileError::Key { node: node.to_owned(), kind, key }),
        None => Ok(()),
    }
}

impl From<&Graph> for GraphText {
    fn from(graph: &Graph) -> Self {
        let nodes = graph.nodes.iter().map(|(name, node)| (name.clone(), node.into())).collect();
        Self { name: graph.name.clone(), clock: graph.clock.clone(), nodes }
    }
}

impl From<&Node> for NodeText {
    fn from(node: &Node) -> Self {
        let mut text = Self::default();
        match node {
            Node::Source(source) => {
                text.source = Some(source.uri.clone());
                (text.size, text.fps, text.frames) = (source.size, source.fps, source.frames);
            }
            Node::Effect(effect) => {
                match &effect.text {
                    EffectText::File(file) => text.effect = Some(file.clone()),
                    EffectText::Inline(hlsl) => text.hlsl = Some(hlsl.clone()),
                }
                match effect.size {
                    OutputSize::AsInput => {}
                    OutputSize::Scale(scale) => text.scale = Some(scale),
                    OutputSize::Fixed(size) => text.size = Some(size),
                }
                text.format = (effect.format != TextureFormat::Rgba8).then_some(effect.format);
                text.inputs = effect.inputs.iter().map(|(port, link)| (port.clone(), link.into())).collect();
                text.set = effect.set.clone();
            }
            Node::Sink(sink) => {
                text.sink = Some(sink.uri.clone());
                text.inputs = BTreeMap::from([(INPUT.to_owned(), (&sink.input).into())]);
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOOM: &str = r#"
        name = "bloom"
        [nodes.camera]
        source = "generate:scene"
        size = [640, 360]
        [nodes.bright]
        effect = "../bright_pass.hlsl"
        inputs = { input = "camera" }
        set = { threshold = 0.7, tint = [1, 0.5, 0] }
        scale = 0.5
        format = "rgba16float"
        [nodes.trail]
        hlsl = "float4 main() : SV_Target { return 1; }"
        inputs = { input = "bright.mask", previous = { from = "trail", delay = 1 } }
        [nodes.out]
        sink = "bloom.mp4"
        inputs = { input = "trail" }
    "#;

    #[test]
    fn a_graph_survives_toml_and_json() {
        let graph = Graph::from_toml(BLOOM).expect("it is a graph");
        assert_eq!(graph.nodes.len(), 4);
        let Node::Effect(trail) = &graph.nodes["trail"] else { panic!("trail is an effect") };
        assert_eq!(trail.inputs["previous"], Link { delay: 1, ..Link::from_node("trail") });
        assert_eq!(trail.inputs["input"].port, "mask");
        assert_eq!(Graph::from_toml(&graph.to_toml()), Ok(graph.clone()));
        let json = serde_json::to_string(&graph).expect("a graph is JSON");
        assert_eq!(serde_json::from_str::<Graph>(&json).expect("and back"), graph);
    }

    #[test]
    fn mistakes_in_a_file_are_named() {
        let read = |text: &str| Graph::from_toml(text).expect_err("it is no graph");
        assert_eq!(read("[nodes.a]\nsize = [1, 1]"), GraphFileError::Kind("a".into()));
        let two = read("[nodes.a]\nsource = 'x'\nsink = 'y'");
        assert_eq!(two, GraphFileError::Kind("a".into()));
        let key = read("[nodes.a]\nsource = 'x'\nscale = 2.0");
        assert_eq!(key.to_string(), "node `a`: a source has no `scale`");
        assert_eq!(read("[nodes.a]\nsink = 'x'"), GraphFileError::SinkInput("a".into()));
        assert!(read("[nodes.a]\nsorce = 'x'").to_string().contains("unknown field `sorce`"));
        assert!(read("[nodes.a]\neffect = 'x'\ninputs = { input = 3 }").to_string().contains("a link is"));
    }
}
