//! What nodes take in and give out.

use std::collections::BTreeMap;

use super::{Graph, INPUT, Node, OUTPUT};
use crate::interface::Interface;

/// What goes through a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortKind {
    /// Frames. A video input must be linked.
    Video,
    /// Messages: values for parameters and buffers, results of processors. A data input may stay free.
    Data,
}

impl std::fmt::Display for PortKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Video => "video",
            Self::Data => "data",
        })
    }
}

/// An input or an output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// Name, unique among the inputs or the outputs of its node.
    pub name: String,
    /// What goes through it.
    pub kind: PortKind,
}

impl Port {
    /// A port for frames.
    #[must_use]
    pub fn video(name: impl Into<String>) -> Self {
        Self { name: name.into(), kind: PortKind::Video }
    }

    /// A port for messages.
    #[must_use]
    pub fn data(name: impl Into<String>) -> Self {
        Self { name: name.into(), kind: PortKind::Data }
    }
}

/// The ports of an effect, which reflection found, or of a processor, which come from whoever registered it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ports {
    /// What it takes in.
    pub inputs: Vec<Port>,
    /// What it gives out. A processor gives data only.
    pub outputs: Vec<Port>,
}

/// An effect takes its textures as video, its parameters and buffers as data.
impl From<&Interface> for Ports {
    fn from(interface: &Interface) -> Self {
        let textures = interface.inputs.iter().map(|slot| Port::video(&slot.name));
        Self {
            inputs: textures.chain(interface.parameter_names().into_iter().map(Port::data)).collect(),
            outputs: interface.outputs.iter().map(|slot| Port::video(&slot.name)).collect(),
        }
    }
}

impl Ports {
    /// The one output of every source.
    pub(super) fn of_source() -> Self {
        Self { inputs: vec![], outputs: vec![Port::video(OUTPUT)] }
    }

    /// The one input of every sink.
    pub(super) fn of_sink() -> Self {
        Self { inputs: vec![Port::video(INPUT)], outputs: vec![] }
    }
}

impl Graph {
    /// The ports that the links of a graph imply for its processors: enough to plan it and to draw it where nobody has
    /// registered them.
    #[must_use]
    pub fn implied_ports(&self) -> BTreeMap<String, Ports> {
        let mut found: BTreeMap<String, Ports> = BTreeMap::new();
        for (name, node) in &self.nodes {
            for (port, link) in node.links() {
                if let Some(Node::Processor(_)) = self.nodes.get(&link.node) {
                    let outputs = &mut found.entry(link.node.clone()).or_default().outputs;
                    if !outputs.iter().any(|known| known.name == link.port) {
                        outputs.push(Port::data(&link.port));
                    }
                }
                if let Node::Processor(_) = node {
                    let kind = if self.is_data(link) { PortKind::Data } else { PortKind::Video };
                    found.entry(name.clone()).or_default().inputs.push(Port { name: port.to_owned(), kind });
                }
            }
            if let Node::Processor(_) = node {
                found.entry(name.clone()).or_default();
            }
        }
        found
    }
}
