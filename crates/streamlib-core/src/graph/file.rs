//! Graphs as TOML text (and, through serde, as JSON).

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::link::LinkText;
use super::{
    Effect, EffectText, Graph, GraphFileError, INPUT, Link, Node, NodeError, OutputSize, Processor, Sink,
    Source,
};
use crate::format::{Size, TextureFormat};
use crate::value::{Value, named_values};

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
    processor: Option<String>,
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
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "named_values")]
    set: BTreeMap<String, Value>,
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

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        NodeText::from(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        NodeText::deserialize(deserializer)?.try_into().map_err(serde::de::Error::custom)
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
        let nodes = text.nodes.into_iter().map(|(name, node)| {
            let node = if is_name(&name) { node.try_into() } else { Err(NodeError::Name) };
            match node {
                Ok(node) => Ok((name, node)),
                Err(error) => Err(GraphFileError::Node { node: name, error }),
            }
        });
        Ok(Self { name: text.name, clock: text.clock, nodes: nodes.collect::<Result<_, _>>()? })
    }
}

/// Whether links can name a node so.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains('.')
}

impl TryFrom<NodeText> for Node {
    type Error = NodeError;

    fn try_from(mut text: NodeText) -> Result<Self, NodeError> {
        let programs = (text.effect.take(), text.hlsl.take(), text.processor.take());
        match (text.source.take(), programs, text.sink.take()) {
            (Some(uri), (None, None, None), None) => {
                refuse("source", &text, &["scale", "format", "inputs", "set"])?;
                Ok(Self::Source(Source { uri, size: text.size, fps: text.fps, frames: text.frames }))
            }
            (None, (Some(file), None, None), None) => effect(EffectText::File(file), text),
            (None, (None, Some(hlsl), None), None) => effect(EffectText::Inline(hlsl), text),
            (None, (None, None, Some(processor)), None) => {
                refuse("processor", &text, &["size", "scale", "format", "fps", "frames"])?;
                Ok(Self::Processor(Processor { processor, inputs: links(text.inputs)?, set: text.set }))
            }
            (None, (None, None, None), Some(uri)) => {
                refuse("sink", &text, &["size", "scale", "format", "fps", "frames", "set"])?;
                let input = text.inputs.remove(INPUT).map(Link::try_from).transpose()?;
                if text.inputs.is_empty() {
                    Ok(Self::Sink(Sink { uri, input }))
                } else {
                    Err(NodeError::SinkInput)
                }
            }
            _ => Err(NodeError::Kind),
        }
    }
}

fn links(texts: BTreeMap<String, LinkText>) -> Result<BTreeMap<String, Link>, NodeError> {
    texts.into_iter().map(|(port, link)| Ok((port, link.try_into()?))).collect()
}

fn effect(effect: EffectText, text: NodeText) -> Result<Node, NodeError> {
    refuse("effect", &text, &["fps", "frames"])?;
    let size = match (text.size, text.scale) {
        (None, None) => OutputSize::AsInput,
        (Some(size), None) => OutputSize::Fixed(size),
        (None, Some(scale)) => OutputSize::Scale(scale),
        (Some(_), Some(_)) => return Err(NodeError::SizeTwice),
    };
    Ok(Node::Effect(Effect {
        text: effect,
        inputs: links(text.inputs)?,
        set: text.set,
        size,
        format: text.format.unwrap_or(TextureFormat::Rgba8),
    }))
}

/// Says no to keys that this kind of node would silently ignore.
fn refuse(kind: &'static str, text: &NodeText, keys: &[&'static str]) -> Result<(), NodeError> {
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
        Some(key) => Err(NodeError::Key { kind, key }),
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
                text.set = effect.set.clone();
            }
            Node::Processor(processor) => {
                text.processor = Some(processor.processor.clone());
                text.set = processor.set.clone();
            }
            Node::Sink(sink) => text.sink = Some(sink.uri.clone()),
        }
        text.inputs = node.links().map(|(port, link)| (port.to_owned(), link.clone().into())).collect();
        text
    }
}

#[cfg(test)]
mod tests {
    use super::super::{DEFAULT_BOUND, Delivery, StrayBound};
    use super::*;

    const BLOOM: &str = r#"
        name = "bloom"
        [nodes.camera]
        source = "generate:scene"
        size = [640, 360]
        [nodes.bright]
        effect = "../bright_pass.hlsl"
        inputs = { input = "camera" }
        set = { threshold = "0.5 + 0.2*sin(time)", tint = [1, "fract( time )", 0] }
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
    fn deliveries_and_processors_survive_toml_and_json() {
        let text = r#"
            [nodes.cam]
            source = "camera:"
            [nodes.ball]
            effect = "ball.hlsl"
            inputs = { input = { from = "cam", delivery = "latest" }, center = "detector.position" }
            set = { center = [0.5, 0.5] }
            [nodes.detector]
            processor = "find the ball"
            inputs = { input = { from = "cam", delivery = "every", bound = 8 } }
            set = { threshold = 0.5 }
            [nodes.out]
            sink = "out.mp4"
            inputs = { input = { from = "ball", delay = 1, delivery = "lossless" } }
        "#;
        let graph = Graph::from_toml(text).expect("it is a graph");
        let Node::Sink(Sink { input: Some(link), .. }) = &graph.nodes["out"] else { panic!("a linked sink") };
        let wanted = Link::from("ball").delayed(1).with_delivery(Delivery::Lossless { bound: DEFAULT_BOUND });
        assert_eq!(*link, wanted);
        let Node::Processor(detector) = &graph.nodes["detector"] else { panic!("a processor") };
        assert_eq!(detector.inputs["input"].delivery, Some(Delivery::Every { bound: 8 }));
        assert_eq!(Graph::from_toml(&graph.to_toml()), Ok(graph.clone()));
        let json = serde_json::to_string(&graph).expect("a graph is JSON");
        assert_eq!(serde_json::from_str::<Graph>(&json).expect("and back"), graph);
    }

    #[test]
    fn mistakes_in_a_file_are_named() {
        let read = |text: &str| Graph::from_toml(text).expect_err("it is no graph");
        let in_a = |error: NodeError| GraphFileError::Node { node: "a".into(), error };
        assert_eq!(read("[nodes.a]\nsize = [1, 1]"), in_a(NodeError::Kind));
        for two in ["source = 'x'\nsink = 'y'", "effect = 'x'\nprocessor = 'y'"] {
            assert_eq!(read(&format!("[nodes.a]\n{two}")), in_a(NodeError::Kind));
        }
        let key = read("[nodes.a]\nsource = 'x'\nscale = 2.0");
        assert_eq!(key.to_string(), "node `a`: a source has no `scale`");
        let mask = "[nodes.a]\nsink = 'x'\ninputs = { input = 'b', mask = 'b' }";
        assert_eq!(read(mask), in_a(NodeError::SinkInput));
        let set = read("[nodes.a]\neffect = 'x'\nset = { tint = [1, 'sin(tme)'] }").to_string();
        let wanted =
            "parameter `tint`: `sin(tme)` is not an expression: at character 5: there is no variable `tme`";
        assert!(set.contains("line 3") && set.contains(wanted), "{set}");
        let json = r#"{ "nodes": { "a": { "effect": "x", "set": { "k": "1 +" } } } }"#;
        let set = serde_json::from_str::<Graph>(json).expect_err("it is no graph").to_string();
        assert!(set.contains("parameter `k`: `1 +` is not an expression: at character 4"), "{set}");
        assert!(read("[nodes.a]\nsorce = 'x'").to_string().contains("unknown field `sorce`"));
        assert!(read("[nodes.a]\neffect = 'x'\ninputs = { input = 3 }").to_string().contains("a link is"));
        for link in ["delivery = 'latest', bound = 2", "bound = 2"] {
            let text = format!("[nodes.a]\nsink = 'x'\ninputs = {{ input = {{ from = 'b', {link} }} }}");
            assert_eq!(read(&text), in_a(NodeError::Bound(StrayBound)), "{link}");
        }
        let dot = read("[nodes.'a.b']\nsource = 'x'");
        assert_eq!(dot, GraphFileError::Node { node: "a.b".into(), error: NodeError::Name });
    }
}
