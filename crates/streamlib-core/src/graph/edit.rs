//! Changes of a graph, as plain data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::list;
use super::file::is_name;
use super::{Effect, Graph, GraphError, INPUT, Link, Node, Processor};
use crate::value::Value;

/// One change of a graph. As JSON: `{ "edit": "connect", "node": "blur", "link": "cam" }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "edit", rename_all = "snake_case", deny_unknown_fields)]
pub enum Edit {
    /// Adds a node. Its links start at nodes that are there, or at itself.
    Insert {
        /// Its name.
        name: String,
        /// The node.
        node: Node,
    },
    /// Takes a node away, and the links that start there.
    Remove {
        /// Its name.
        name: String,
    },
    /// Puts another node, with its own links, in the place of one. Links that start there stay.
    Replace {
        /// Name of both.
        name: String,
        /// The new one.
        node: Node,
    },
    /// Links a free input.
    Connect {
        /// Node at the end.
        node: String,
        /// Its input.
        #[serde(default = "default_input")]
        input: String,
        /// Where it comes from.
        link: Link,
    },
    /// Frees an input.
    Disconnect {
        /// Node at the end.
        node: String,
        /// Its input.
        #[serde(default = "default_input")]
        input: String,
    },
    /// Sets a parameter of an effect, or a value of a processor.
    Set {
        /// The node.
        node: String,
        /// Which.
        parameter: String,
        /// The value; `None` for the author's default.
        #[serde(default)]
        value: Option<Value>,
    },
    /// States the source that sets the pace; `None` lets it be found ([`Graph::clock`]).
    Clock {
        /// The source.
        #[serde(default)]
        source: Option<String>,
    },
    /// Sets what people call the graph.
    Title {
        /// [`Graph::name`].
        #[serde(default)]
        name: Option<String>,
    },
}

fn default_input() -> String {
    INPUT.to_owned()
}

/// A change that cannot be made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum EditError {
    /// A name that links could not be told from a port by.
    #[error("a node cannot be called `{0}`: a name is not empty and has no `.`, which stands before a port")]
    Name(String),
    /// A second node of one name.
    #[error("there is a node `{0}` already: take another name, or replace it")]
    NameTaken(String),
    /// No such node.
    #[error("there is no node `{name}`; there are: {}", list(known))]
    UnknownNode {
        /// What was asked for.
        name: String,
        /// What exists.
        known: Vec<String>,
    },
    /// A link to a node that has no such input.
    #[error("{kind} `{node}` has no input `{input}`; {has}")]
    NoInput {
        /// `source` or `sink`.
        kind: &'static str,
        /// The node.
        node: String,
        /// The input that was asked for.
        input: String,
        /// What it has.
        has: &'static str,
    },
    /// A second link to one input.
    #[error("input `{input}` of node `{node}` takes `{from}` already: disconnect that first")]
    InputTaken {
        /// The node.
        node: String,
        /// The input.
        input: String,
        /// What it takes.
        from: String,
    },
    /// Nothing to disconnect.
    #[error("input `{input}` of node `{node}` is not linked")]
    NotLinked {
        /// The node.
        node: String,
        /// The input.
        input: String,
    },
    /// A parameter of a source or a sink.
    #[error("node `{0}` has no parameters: effects and processors have")]
    NoParameters(String),
    /// A clock that is none.
    #[error("`{0}` cannot set the pace: it is no source of the graph")]
    NotASource(String),
    /// A link that cannot be, whatever the ports of its nodes are.
    #[error(transparent)]
    Link(#[from] GraphError),
}

impl Graph {
    /// Makes one change, or none when it cannot be. Whether the graph can run then is a later question ([`Graph::order`]).
    ///
    /// # Errors
    /// When the change does not fit the graph.
    pub fn apply(&mut self, edit: &Edit) -> Result<(), EditError> {
        self.apply_all(std::slice::from_ref(edit))
    }

    /// Makes all changes in order, or none when one of them cannot be.
    ///
    /// # Errors
    /// When a change does not fit the graph that the ones before it have made.
    pub fn apply_all(&mut self, edits: &[Edit]) -> Result<(), EditError> {
        let mut next = self.clone();
        edits.iter().try_for_each(|edit| next.step(edit))?;
        *self = next;
        Ok(())
    }

    /// May leave half a change behind when it fails.
    fn step(&mut self, edit: &Edit) -> Result<(), EditError> {
        match edit {
            Edit::Insert { name, .. } if !is_name(name) => Err(EditError::Name(name.clone())),
            Edit::Insert { name, .. } if self.nodes.contains_key(name) => {
                Err(EditError::NameTaken(name.clone()))
            }
            Edit::Insert { name, node } => self.put(name, node),
            Edit::Remove { name } => {
                self.node(name)?;
                self.remove(name);
                Ok(())
            }
            Edit::Replace { name, node } => {
                self.node(name)?;
                self.put(name, node)
            }
            Edit::Connect { node, input, link } => self.link(node, input, link),
            Edit::Disconnect { node, input } => self.unlink(node, input),
            Edit::Set { node, parameter, value } => {
                let set = match self.node(node)? {
                    Node::Effect(Effect { set, .. }) | Node::Processor(Processor { set, .. }) => set,
                    Node::Source(_) | Node::Sink(_) => return Err(EditError::NoParameters(node.clone())),
                };
                match value {
                    Some(value) => set.insert(parameter.clone(), value.clone()),
                    None => set.remove(parameter),
                };
                Ok(())
            }
            Edit::Clock { source } => {
                if let Some(name) = source
                    && !matches!(self.nodes.get(name), Some(Node::Source(_)))
                {
                    return Err(EditError::NotASource(name.clone()));
                }
                self.clock.clone_from(source);
                Ok(())
            }
            Edit::Title { name } => {
                self.name.clone_from(name);
                Ok(())
            }
        }
    }

    fn node(&mut self, name: &str) -> Result<&mut Node, EditError> {
        if !self.nodes.contains_key(name) {
            let known = self.nodes.keys().cloned().collect();
            return Err(EditError::UnknownNode { name: name.to_owned(), known });
        }
        Ok(self.nodes.get_mut(name).expect("it was found"))
    }

    fn put(&mut self, name: &str, node: &Node) -> Result<(), EditError> {
        self.insert(name, node.clone());
        node.links().try_for_each(|(port, link)| Ok(self.check_link(name, port, link)?))
    }

    fn remove(&mut self, name: &str) {
        self.nodes.remove(name);
        for node in self.nodes.values_mut() {
            match node {
                Node::Source(_) => {}
                Node::Effect(Effect { inputs, .. }) | Node::Processor(Processor { inputs, .. }) => {
                    inputs.retain(|_, link| link.node != name);
                }
                Node::Sink(sink) => sink.input = sink.input.take().filter(|link| link.node != name),
            }
        }
    }

    fn link(&mut self, node: &str, input: &str, link: &Link) -> Result<(), EditError> {
        self.check_link(node, input, link)?;
        let taken = |known: &Link| {
            let (node, input, from) = (node.to_owned(), input.to_owned(), known.origin());
            Err(EditError::InputTaken { node, input, from })
        };
        match inputs(self.node(node)?, node, input)? {
            Inputs::Ports(ports) => match ports.get(input) {
                Some(known) => return taken(known),
                None => drop(ports.insert(input.to_owned(), link.clone())),
            },
            Inputs::One(Some(known)) => return taken(known),
            Inputs::One(free) => *free = Some(link.clone()),
        }
        Ok(())
    }

    fn unlink(&mut self, node: &str, input: &str) -> Result<(), EditError> {
        let was = match inputs(self.node(node)?, node, input)? {
            Inputs::Ports(ports) => ports.remove(input),
            Inputs::One(link) => link.take(),
        };
        match was {
            Some(_) => Ok(()),
            None => Err(EditError::NotLinked { node: node.to_owned(), input: input.to_owned() }),
        }
    }
}

/// Where a node keeps its links.
enum Inputs<'a> {
    Ports(&'a mut BTreeMap<String, Link>),
    One(&'a mut Option<Link>),
}

fn inputs<'a>(node: &'a mut Node, name: &str, input: &str) -> Result<Inputs<'a>, EditError> {
    let no_input =
        |kind, has| Err(EditError::NoInput { kind, node: name.to_owned(), input: input.to_owned(), has });
    match node {
        Node::Source(_) => no_input("source", "it has none"),
        Node::Effect(Effect { inputs, .. }) | Node::Processor(Processor { inputs, .. }) => {
            Ok(Inputs::Ports(inputs))
        }
        Node::Sink(_) if input != INPUT => no_input("sink", "it has one, `input`"),
        Node::Sink(sink) => Ok(Inputs::One(&mut sink.input)),
    }
}
