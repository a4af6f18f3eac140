//! What can be wrong with a graph.

use super::{MAX_BOUND, MAX_DELAY, PortKind, StrayBound};
use crate::interface::ParameterError;

/// A graph that cannot run. Every message names the node, and the port where there is one.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum GraphError {
    /// Nothing to run.
    #[error("the graph has no sink and no processor: add a node with `sink = \"out.mp4\"`")]
    NoConsumer,
    /// A link from nowhere.
    #[error("input `{port}` of node `{node}` is linked to `{from}`, but there is no node of that name")]
    UnknownNode {
        /// Node at the end of the link.
        node: String,
        /// Its input.
        port: String,
        /// The missing node.
        from: String,
    },
    /// A link from a port that is not there.
    #[error(
        "input `{port}` of node `{node}` is linked to output `{from_port}` of node `{from}`, which has: {}",
        list(known)
    )]
    UnknownOutput {
        /// Node at the end of the link.
        node: String,
        /// Its input.
        port: String,
        /// Node at the start.
        from: String,
        /// The missing output.
        from_port: String,
        /// Outputs that exist.
        known: Vec<String>,
    },
    /// A link to a port that is not there.
    #[error("node `{node}` has no input `{port}`; it has: {}", list(known))]
    UnknownInput {
        /// Node.
        node: String,
        /// The missing input.
        port: String,
        /// Inputs that exist.
        known: Vec<String>,
    },
    /// Video linked to data, or data to video.
    #[error("output `{from}.{from_port}` is {is}; input `{port}` of `{node}` takes {takes}")]
    Kind {
        /// Node at the end of the link.
        node: String,
        /// Its input.
        port: String,
        /// What that takes.
        takes: PortKind,
        /// Node at the start.
        from: String,
        /// Its output.
        from_port: String,
        /// What that is.
        is: PortKind,
    },
    /// A processor that was registered with an output of frames.
    #[error("output `{port}` of processor `{node}` is video; processors give data only: make it a source")]
    VideoFromProcessor {
        /// Node.
        node: String,
        /// The output.
        port: String,
    },
    /// A link that waits for messages of the past.
    #[error(
        "input `{port}` of node `{node}` has a delay, but takes data, which acts on a later frame anyway: \
         take the delay away"
    )]
    DelayedData {
        /// Node.
        node: String,
        /// Its input.
        port: String,
    },
    /// A number of waiting frames that is none, or too many.
    #[error(
        "input `{port}` of node `{node}` would let {bound} frames wait; `bound` goes from 1 to {MAX_BOUND}"
    )]
    DeliveryBound {
        /// Node.
        node: String,
        /// Its input.
        port: String,
        /// Frames.
        bound: u32,
    },
    /// A policy where frames do not change threads.
    #[error(
        "input `{port}` of node `{node}` has a `delivery`, but is linked to the effect `{from}`: effects run in \
         lock-step, so state it where frames leave a source or reach a sink or a processor"
    )]
    DeliveryBetweenEffects {
        /// Node.
        node: String,
        /// Its input.
        port: String,
        /// The effect it reads.
        from: String,
    },
    /// A policy for a value.
    #[error(
        "input `{port}` of node `{node}` has a `delivery`, but is a parameter, which always takes the newest \
         message: take it away"
    )]
    DeliveryToParameter {
        /// Node.
        node: String,
        /// The parameter.
        port: String,
    },
    /// One source, two policies.
    #[error(
        "the effects `{}` and `{}` ask for different deliveries from source `{source_node}`, but see the same frames: \
         state one", nodes[0], nodes[1]
    )]
    DeliveryConflict {
        /// The source.
        source_node: String,
        /// The effects.
        nodes: Box<[String; 2]>,
    },
    /// An input without a link.
    #[error("input `{port}` of node `{node}` is not linked: add `inputs = {{ {port} = \"NODE\" }}`")]
    MissingInput {
        /// Node.
        node: String,
        /// The input.
        port: String,
    },
    /// Nodes that wait for each other.
    #[error("the nodes {} wait for each other: put a delay on one of the links, `{{ from = \"{}\", delay = 1 }}`",
        nodes.join(" → "), nodes[0])]
    Cycle {
        /// In the order of the links; the first is also the last.
        nodes: Vec<String>,
    },
    /// A delay that would need too much memory.
    #[error("input `{port}` of node `{node}` is delayed by {delay} frames; the most is {}", MAX_DELAY)]
    DelayTooLong {
        /// Node.
        node: String,
        /// Its input.
        port: String,
        /// Frames.
        delay: u32,
    },
    /// A link that asks for earlier frames of a source, which keeps only its newest.
    #[error("`{0}` is a source, and sources keep no earlier frames: put an effect between that does")]
    DelayedSource(String),
    /// A parameter of an effect that is not there.
    #[error("there is no effect `{node}`; there are: {}", list(known))]
    UnknownEffect {
        /// What was asked for.
        node: String,
        /// Effects that exist.
        known: Vec<String>,
    },
    /// The stated clock is no source.
    #[error("`clock = \"{0}\"` names no source of the graph")]
    UnknownClock(String),
    /// A parameter value that does not fit.
    #[error("node `{node}`: {error}")]
    Parameter {
        /// Node.
        node: String,
        /// What is wrong.
        error: ParameterError,
    },
    /// An effect without inputs and without a size.
    #[error("node `{0}` has no input to take its size from: add `size = [WIDTH, HEIGHT]`")]
    NoSize(String),
    /// A size of nothing, or of more than a texture can hold.
    #[error("node `{node}` would be {width} x {height} pixels; sizes go from 1 to {max}")]
    BadSize {
        /// Node.
        node: String,
        /// Pixels per row.
        width: u64,
        /// Rows.
        height: u64,
        /// Greatest side.
        max: u32,
    },
}

pub(super) fn list(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// A graph file that cannot be read as one.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum GraphFileError {
    /// Not TOML, or a key or type that graphs do not have; the message has line and column.
    #[error("not a graph file: {0}")]
    Syntax(String),
    /// A node that is none.
    #[error("node `{node}`: {error}")]
    Node {
        /// Node.
        node: String,
        /// What is wrong with it.
        error: NodeError,
    },
}

/// A part of a file or message that cannot be read as a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NodeError {
    /// A name that links could not be told from a port by.
    #[error("a name is not empty and has no `.`, which stands before the name of a port")]
    Name,
    /// Not exactly one of source, effect, processor and sink.
    #[error("a node has exactly one of `source`, `effect`, `hlsl`, `processor` and `sink`")]
    Kind,
    /// A key that this kind of node does not have.
    #[error("a {kind} has no `{key}`")]
    Key {
        /// `source`, `effect`, `processor` or `sink`.
        kind: &'static str,
        /// The key.
        key: &'static str,
    },
    /// A sink has one input.
    #[error("a sink takes `inputs = {{ input = \"NODE\" }}`, one link and no more")]
    SinkInput,
    /// Both `size` and `scale`.
    #[error("give `size` or `scale`, not both")]
    SizeTwice,
    /// A link that cannot be read.
    #[error(transparent)]
    Bound(#[from] StrayBound),
}
