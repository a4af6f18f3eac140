//! Building a graph step by step, with every mistake told at the step that makes it.

use super::{Edit, EditError, Effect, Graph, INPUT, Link, Node, Processor, Sink, Source};
use crate::value::Value;

/// Each step gives the graph back, for the next one:
///
/// ```
/// use streamlib_core::graph::{Delivery, EditError, Effect, EffectText, Graph, Link, Source};
///
/// let mut graph = Graph::new();
/// graph
///     .add_source("cam", Source { uri: "camera:".into(), ..Source::default() })?
///     .add_effect("trails", Effect::new(EffectText::File("trails.hlsl".into())))?
///     .add_sink("out", "trails.mp4")?
///     .connect(Link::from("cam").with_delivery(Delivery::Latest), "trails")?
///     .connect(Link::from("trails").delayed(1), "trails.previous")?
///     .connect("trails", "out")?;
/// # Ok::<(), EditError>(())
/// ```
impl Graph {
    /// A graph of nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a source.
    ///
    /// # Errors
    /// When the name is taken, empty, or has a `.` in it.
    pub fn add_source(&mut self, name: &str, source: Source) -> Result<&mut Self, EditError> {
        self.add(name, Node::Source(source))
    }

    /// Adds an effect, which may have links already.
    ///
    /// # Errors
    /// When the name is taken, empty, or has a `.` in it, or a link is wrong.
    pub fn add_effect(&mut self, name: &str, effect: Effect) -> Result<&mut Self, EditError> {
        self.add(name, Node::Effect(effect))
    }

    /// Adds a processor, which may have links already.
    ///
    /// # Errors
    /// When the name is taken, empty, or has a `.` in it, or a link is wrong.
    pub fn add_processor(&mut self, name: &str, processor: Processor) -> Result<&mut Self, EditError> {
        self.add(name, Node::Processor(processor))
    }

    /// Adds a sink.
    ///
    /// # Errors
    /// When the name is taken, empty, or has a `.` in it.
    pub fn add_sink(&mut self, name: &str, uri: impl Into<String>) -> Result<&mut Self, EditError> {
        self.add(name, Node::Sink(Sink { uri: uri.into(), input: None }))
    }

    fn add(&mut self, name: &str, node: Node) -> Result<&mut Self, EditError> {
        self.edited(&Edit::Insert { name: name.to_owned(), node })
    }

    /// Links an output, `NODE` or `NODE.PORT`, to an input, `NODE` or `NODE.PORT`.
    ///
    /// # Errors
    /// When a node is unknown, the input is linked already, or the link cannot be.
    pub fn connect(&mut self, from: impl Into<Link>, to: &str) -> Result<&mut Self, EditError> {
        let (node, input) = end(to);
        self.edited(&Edit::Connect { node, input, link: from.into() })
    }

    /// Takes the link of an input, `NODE` or `NODE.PORT`, away.
    ///
    /// # Errors
    /// When the node is unknown, or the input is not linked.
    pub fn disconnect(&mut self, from: &str) -> Result<&mut Self, EditError> {
        let (node, input) = end(from);
        self.edited(&Edit::Disconnect { node, input })
    }

    /// Sets a parameter of an effect or a value of a processor. Whether the effect has it is a later question.
    ///
    /// # Errors
    /// When the node is unknown, or is a source or a sink.
    pub fn set(&mut self, node: &str, parameter: &str, value: Value) -> Result<&mut Self, EditError> {
        let (node, parameter) = (node.to_owned(), parameter.to_owned());
        self.edited(&Edit::Set { node, parameter, value: Some(value) })
    }

    fn edited(&mut self, edit: &Edit) -> Result<&mut Self, EditError> {
        self.apply(edit)?;
        Ok(self)
    }
}

fn end(text: &str) -> (String, String) {
    let (node, port) = text.split_once('.').unwrap_or((text, INPUT));
    (node.to_owned(), port.to_owned())
}
