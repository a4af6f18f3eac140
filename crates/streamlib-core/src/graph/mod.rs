//! Graphs as plain data: nodes and links, apart from whatever runs them.

mod check;
mod error;
mod file;

use std::collections::BTreeMap;

use crate::format::{Size, TextureFormat};
use crate::value::Value;

pub use check::{Order, PortNames};
pub use error::{GraphError, GraphFileError};

/// Name of a source's or an effect's default output port.
pub const OUTPUT: &str = "output";
/// Name of the default input port.
pub const INPUT: &str = "input";
/// Greatest delay of a link, in frames: every frame of delay is a texture kept in memory.
pub const MAX_DELAY: u32 = 16;

/// A graph: named nodes, each with the links that end at its inputs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    /// What people call it.
    pub name: Option<String>,
    /// The source whose frames set the pace; found by [`Graph::clock`] when not stated.
    pub clock: Option<String>,
    /// Nodes by name.
    pub nodes: BTreeMap<String, Node>,
}

/// A vertex of the graph.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// Where frames come from.
    Source(Source),
    /// An HLSL program.
    Effect(Effect),
    /// Where frames go.
    Sink(Sink),
}

/// Where frames come from. It has one output, [`OUTPUT`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Source {
    /// A file, a pattern of files, or `generate:NAME`. What it may be is decided by who runs the graph.
    pub uri: String,
    /// Size of a generated source.
    pub size: Option<Size>,
    /// Frames per second of a generated source.
    pub fps: Option<f64>,
    /// How many frames to take at most.
    pub frames: Option<u64>,
}

/// The text of an effect, or where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EffectText {
    /// A file, relative to the graph's own.
    File(String),
    /// The HLSL itself.
    Inline(String),
}

/// How large an effect's outputs are.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum OutputSize {
    /// As its default input, or its first one when it has no port called [`INPUT`].
    #[default]
    AsInput,
    /// That, times a factor, rounded up.
    Scale(f64),
    /// Fixed.
    Fixed(Size),
}

/// An HLSL program with its links and parameter values.
#[derive(Clone, Debug, PartialEq)]
pub struct Effect {
    /// The program.
    pub text: EffectText,
    /// Links by input port.
    pub inputs: BTreeMap<String, Link>,
    /// Parameter values by name; the others keep the author's default.
    pub set: BTreeMap<String, Value>,
    /// Size of its outputs.
    pub size: OutputSize,
    /// Texel format of its outputs.
    pub format: TextureFormat,
}

impl Effect {
    /// An effect without links, at its defaults.
    #[must_use]
    pub fn new(text: EffectText) -> Self {
        Self {
            text,
            inputs: BTreeMap::new(),
            set: BTreeMap::new(),
            size: OutputSize::default(),
            format: TextureFormat::Rgba8,
        }
    }
}

/// Where frames go. It has one input, [`INPUT`].
#[derive(Clone, Debug, PartialEq)]
pub struct Sink {
    /// A file or a pattern of files. What it may be is decided by who runs the graph.
    pub uri: String,
    /// What it takes in.
    pub input: Link,
}

/// The beginning of a link: an output of a node, now or some frames ago.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Node it comes from.
    pub node: String,
    /// Output port of that node.
    pub port: String,
    /// How many frames ago, up to [`MAX_DELAY`]; before the first frame it is opaque black.
    pub delay: u32,
}

impl Link {
    /// A link from the default output of `node`, without delay.
    #[must_use]
    pub fn from_node(node: impl Into<String>) -> Self {
        Self { node: node.into(), port: OUTPUT.to_owned(), delay: 0 }
    }
}

impl Node {
    /// The links that end at this node, with their input ports.
    pub fn links(&self) -> impl Iterator<Item = (&str, &Link)> {
        let (effect, sink) = match self {
            Self::Source(_) => (None, None),
            Self::Effect(effect) => (Some(effect.inputs.iter()), None),
            Self::Sink(sink) => (None, Some((INPUT, &sink.input))),
        };
        effect.into_iter().flatten().map(|(port, link)| (port.as_str(), link)).chain(sink)
    }

    /// The link of the default input: the one called [`INPUT`], else the first by name.
    #[must_use]
    pub fn main_link(&self) -> Option<&Link> {
        let mut links = self.links();
        let first = links.next()?;
        if first.0 == INPUT {
            return Some(first.1);
        }
        Some(links.find(|(port, _)| *port == INPUT).unwrap_or(first).1)
    }
}

impl Graph {
    /// Adds a node, or replaces the one of that name.
    pub fn insert(&mut self, name: impl Into<String>, node: Node) {
        self.nodes.insert(name.into(), node);
    }

    /// Sources by name.
    pub fn sources(&self) -> impl Iterator<Item = (&str, &Source)> {
        self.nodes.iter().filter_map(|(name, node)| match node {
            Node::Source(source) => Some((name.as_str(), source)),
            _ => None,
        })
    }

    /// Effects by name.
    pub fn effects(&self) -> impl Iterator<Item = (&str, &Effect)> {
        self.nodes.iter().filter_map(|(name, node)| match node {
            Node::Effect(effect) => Some((name.as_str(), effect)),
            _ => None,
        })
    }

    /// Sinks by name.
    pub fn sinks(&self) -> impl Iterator<Item = (&str, &Sink)> {
        self.nodes.iter().filter_map(|(name, node)| match node {
            Node::Sink(sink) => Some((name.as_str(), sink)),
            _ => None,
        })
    }

    /// The source that sets the pace: the stated one, else the one reached from the first sink by following default
    /// inputs upstream, else the first source; `None` when there is no source.
    #[must_use]
    pub fn clock(&self) -> Option<&str> {
        if let Some(stated) = &self.clock {
            return Some(stated);
        }
        let mut at = self.sinks().next().map(|(name, _)| name);
        // Each step goes to another node, so a walk longer than the graph goes round in a circle.
        for _ in 0..=self.nodes.len() {
            let Some((name, node)) = at.and_then(|name| self.nodes.get_key_value(name)) else {
                break;
            };
            if matches!(node, Node::Source(_)) {
                return Some(name);
            }
            at = node.main_link().map(|link| link.node.as_str());
        }
        self.sources().next().map(|(name, _)| name)
    }
}
