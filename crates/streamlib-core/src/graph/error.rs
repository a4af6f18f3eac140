//! What can be wrong with a graph.

use crate::interface::ParameterError;

/// A graph that cannot run. Every message names the node, and the port where there is one.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum GraphError {
    /// Nothing to run.
    #[error("the graph has no sink: add a node with `sink = \"out.mp4\"`")]
    NoSink,
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
    #[error("input `{port}` of node `{node}` is delayed by {delay} frames; the most is {}", super::MAX_DELAY)]
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

fn list(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// A graph file that cannot be read as one.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum GraphFileError {
    /// Not TOML, or a key or type that graphs do not have; the message has line and column.
    #[error("not a graph file: {0}")]
    Syntax(String),
    /// A node that is not exactly one of source, effect and sink.
    #[error("node `{0}` must have exactly one of `source`, `effect`, `hlsl` and `sink`")]
    Kind(String),
    /// A key that this kind of node does not have.
    #[error("node `{node}`: a {kind} has no `{key}`")]
    Key {
        /// Node.
        node: String,
        /// `source`, `effect` or `sink`.
        kind: &'static str,
        /// The key.
        key: &'static str,
    },
    /// A sink needs one link, to its `input`.
    #[error("node `{0}`: a sink takes `inputs = {{ input = \"NODE\" }}`, one link and no more")]
    SinkInput(String),
    /// Both `size` and `scale`.
    #[error("node `{0}`: give `size` or `scale`, not both")]
    SizeTwice(String),
}
