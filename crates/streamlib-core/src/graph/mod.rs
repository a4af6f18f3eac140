//! Graphs as plain data: nodes and links, apart from whatever runs them.

mod build;
mod check;
#[cfg(test)]
mod check_tests;
mod diff;
mod edit;
#[cfg(test)]
mod edit_tests;
mod error;
mod file;
mod link;
mod ports;

use std::collections::BTreeMap;

use crate::format::{Size, TextureFormat};
use crate::value::Value;

pub use check::Order;
pub use edit::{Edit, EditError};
pub use error::{GraphError, GraphFileError, NodeError};
pub use link::{DEFAULT_BOUND, Delivery, Link, MAX_BOUND, MAX_DELAY, StrayBound};
pub use ports::{Port, PortKind, Ports};

/// Name of a source's or an effect's default output port.
pub const OUTPUT: &str = "output";
/// Name of the default input port.
pub const INPUT: &str = "input";

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
    /// Code of the program that runs the graph.
    Processor(Processor),
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
    /// Links by input port: textures take video, parameters and buffers take data.
    pub inputs: BTreeMap<String, Link>,
    /// Parameter values by name; the others keep the author's default. One that is linked as well has this value, or follows
    /// this expression, until the first message.
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

/// Code of the program that runs the graph: it takes video and data in, and gives data out. It runs beside the plan, on a
/// thread of its own, so what it sends acts on a later frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Processor {
    /// The name under which the program registered it.
    pub processor: String,
    /// Links by input port.
    pub inputs: BTreeMap<String, Link>,
    /// Values by name, for the code to read; it is the code that evaluates expressions among them.
    pub set: BTreeMap<String, Value>,
}

impl Processor {
    /// A processor without links and values.
    #[must_use]
    pub fn new(processor: impl Into<String>) -> Self {
        Self { processor: processor.into(), inputs: BTreeMap::new(), set: BTreeMap::new() }
    }
}

/// Where frames go. It has one input, [`INPUT`].
#[derive(Clone, Debug, PartialEq)]
pub struct Sink {
    /// A file or a pattern of files. What it may be is decided by who runs the graph.
    pub uri: String,
    /// What it takes in. It may be open while a graph is built and edited; a graph that runs has it linked.
    pub input: Option<Link>,
}

impl Node {
    /// The links that end at this node, with their input ports.
    pub fn links(&self) -> impl Iterator<Item = (&str, &Link)> {
        let (inputs, sink) = match self {
            Self::Source(_) => (None, None),
            Self::Effect(Effect { inputs, .. }) | Self::Processor(Processor { inputs, .. }) => {
                (Some(inputs.iter()), None)
            }
            Self::Sink(sink) => (None, sink.input.as_ref().map(|link| (INPUT, link))),
        };
        inputs.into_iter().flatten().map(|(port, link)| (port.as_str(), link)).chain(sink)
    }
}

impl Node {
    /// The links that end at this node, to be changed.
    pub fn links_mut(&mut self) -> impl Iterator<Item = &mut Link> {
        self.links_mut_by_port().map(|(_, link)| link)
    }

    /// The links that end at this node, to be changed, with their input ports.
    pub fn links_mut_by_port(&mut self) -> impl Iterator<Item = (&str, &mut Link)> {
        let (inputs, sink) = match self {
            Self::Source(_) => (None, None),
            Self::Effect(effect) => (Some(&mut effect.inputs), None),
            Self::Processor(processor) => (Some(&mut processor.inputs), None),
            Self::Sink(sink) => (None, sink.input.as_mut()),
        };
        let inputs = inputs.into_iter().flatten().map(|(port, link)| (port.as_str(), link));
        inputs.chain(sink.map(|link| (INPUT, link)))
    }
}

impl Graph {
    /// Adds a node, or replaces the one of that name, unchecked; [`Graph::add_effect`] and its like tell mistakes at once.
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

    /// Processors by name.
    pub fn processors(&self) -> impl Iterator<Item = (&str, &Processor)> {
        self.nodes.iter().filter_map(|(name, node)| match node {
            Node::Processor(processor) => Some((name.as_str(), processor)),
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

    /// Whether messages go through a link, not frames: only processors give data.
    #[must_use]
    pub fn is_data(&self, link: &Link) -> bool {
        matches!(self.nodes.get(&link.node), Some(Node::Processor(_)))
    }

    /// The links of a node that frames go through, with their input ports.
    ///
    /// # Panics
    /// When the graph has no such node.
    pub fn video_links(&self, node: &str) -> impl Iterator<Item = (&str, &Link)> {
        self.nodes[node].links().filter(|(_, link)| !self.is_data(link))
    }

    /// The links of a node that messages go through, with their input ports.
    ///
    /// # Panics
    /// When the graph has no such node.
    pub fn data_links(&self, node: &str) -> impl Iterator<Item = (&str, &Link)> {
        self.nodes[node].links().filter(|(_, link)| self.is_data(link))
    }

    /// The link of a node's default input: the video link to the port called [`INPUT`], else the first one by name.
    ///
    /// # Panics
    /// When the graph has no such node.
    #[must_use]
    pub fn main_link(&self, node: &str) -> Option<&Link> {
        let mut links = self.video_links(node);
        let first = links.next()?;
        if first.0 == INPUT {
            return Some(first.1);
        }
        Some(links.find(|(port, _)| *port == INPUT).unwrap_or(first).1)
    }

    /// How a source's frames are handed to the effects that read it, where one of them says so.
    #[must_use]
    pub fn source_delivery(&self, source: &str) -> Option<Delivery> {
        let links = self.effects().flat_map(|(_, effect)| effect.inputs.values());
        links.filter(|link| link.node == source).find_map(|link| link.delivery)
    }

    /// The source that sets the pace: the stated one, else the one reached from the first sink, or from the first processor
    /// where there is no sink, by following default inputs upstream, else the first source; `None` when there is no source.
    #[must_use]
    pub fn clock(&self) -> Option<&str> {
        if let Some(stated) = &self.clock {
            return Some(stated);
        }
        let sink = self.sinks().next().map(|(name, _)| name);
        let mut at = sink.or_else(|| self.processors().next().map(|(name, _)| name));
        // Each step goes to another node, so a walk longer than the graph goes round in a circle.
        for _ in 0..=self.nodes.len() {
            let Some((name, node)) = at.and_then(|name| self.nodes.get_key_value(name)) else {
                break;
            };
            if matches!(node, Node::Source(_)) {
                return Some(name);
            }
            at = self.main_link(name).map(|link| link.node.as_str());
        }
        self.sources().next().map(|(name, _)| name)
    }
}
