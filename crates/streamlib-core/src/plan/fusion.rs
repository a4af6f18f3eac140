//! Which effects run as one kernel.
//!
//! An effect joins the kernel of its readers when all of them read it only at their own pixel: its result then never
//! leaves the registers, and a read and a write of memory are saved.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Layout;
use crate::format::TextureFormat;
use crate::graph::{Graph, Link, Node};
use crate::interface::{EffectForm, Interface};

/// Effects in one kernel at most: a bound on compile time and registers.
pub const MAX_FUSED: usize = 16;

/// Effects that run as one kernel. The result of the last one is stored, the others' never are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The nodes, each after those it reads.
    pub nodes: Vec<String>,
    /// What each node's input ports read, in the order of `nodes`.
    pub inputs: Vec<Vec<(String, GroupInput)>>,
    /// What the kernel reads from outside.
    pub textures: Vec<Link>,
    /// Whether each node's result would have been stored in a format that holds 0..=1 only.
    pub is_clamped: Vec<bool>,
}

/// What an input port of a fused effect reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupInput {
    /// The result of a node of the group, by its place in [`Group::nodes`].
    Node(usize),
    /// A texture, by its place in [`Group::textures`].
    Texture(usize),
}

/// What became of an effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It runs inside the kernel of that node.
    Joins(String),
    /// Its result is stored.
    Stored(Why),
}

/// Why the result of an effect is stored in a texture.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// It is a compute kernel of its author's.
    #[error("it is in compute form")]
    ComputeForm,
    /// A sink takes it.
    #[error("sink `{0}` takes it")]
    Sink(String),
    /// A processor takes it.
    #[error("processor `{0}` takes it")]
    Processor(String),
    /// It is needed frames later.
    #[error("`{0}` reads it frames later")]
    Delayed(String),
    /// Its reader needs other pixels than its own.
    #[error("`{node}` reads its `{port}` at other positions than its own")]
    Elsewhere {
        /// The reader.
        node: String,
        /// Its port.
        port: String,
    },
    /// Its reader has other pixels.
    #[error("`{0}` is of another size")]
    OtherSize(String),
    /// Its readers run in different kernels.
    #[error("several kernels read it: those of {}", .0.join(", "))]
    Several(Vec<String>),
    /// What its format does to a value cannot be repeated in a register.
    #[error("its format is {}", .0.name())]
    Format(TextureFormat),
    /// The compiler did not take them together, though it takes each alone.
    #[error("the compiler does not take it together with its readers: {0}")]
    Refused(String),
    /// The kernel it would join is full.
    #[error("the kernel of `{0}` holds {MAX_FUSED} effects already")]
    Full(String),
}

/// What became of every effect that a sink or a processor needs, and the groups of two and more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fusion {
    /// By node.
    pub verdicts: BTreeMap<String, Verdict>,
    /// Groups, each at the place of its last node in the running order.
    pub groups: Vec<Group>,
}

impl Fusion {
    /// Takes a group apart again: each of its effects runs alone.
    pub fn refuse(&mut self, last: &str, why: &str) {
        self.groups.retain(|group| group.last() != last);
        for verdict in self.verdicts.values_mut() {
            if matches!(verdict, Verdict::Joins(kernel) if kernel == last) {
                *verdict = Verdict::Stored(Why::Refused(why.to_owned()));
            }
        }
    }

    /// Decides for every effect of `order`, which [`Plan::order`](super::Plan::order) gave.
    #[must_use]
    pub fn new(
        graph: &Graph,
        layout: &Layout,
        effects: &BTreeMap<String, Arc<Interface>>,
        order: &[String],
    ) -> Self {
        let mut search = Search { graph, layout, effects, order, kernels: BTreeMap::new() };
        let mut fusion = Self::default();
        let mut members: BTreeMap<String, Vec<String>> = BTreeMap::new();
        // Readers come first, so that a node knows which kernels they are in.
        for name in order.iter().rev() {
            let Node::Effect(_) = &graph.nodes[name] else { continue };
            let mut verdict = search.verdict(name);
            if let Verdict::Joins(kernel) = &verdict
                && members[kernel].len() >= MAX_FUSED
            {
                verdict = Verdict::Stored(Why::Full(kernel.clone()));
            }
            let kernel = match &verdict {
                Verdict::Joins(kernel) => kernel.clone(),
                Verdict::Stored(_) => name.clone(),
            };
            members.entry(kernel.clone()).or_default().push(name.clone());
            search.kernels.insert(name, kernel);
            fusion.verdicts.insert(name.clone(), verdict);
        }
        for last in order {
            if let Some(mut nodes) = members.remove(last).filter(|nodes| nodes.len() > 1) {
                nodes.reverse();
                fusion.groups.push(Group::new(graph, nodes));
            }
        }
        fusion
    }
}

struct Search<'a> {
    graph: &'a Graph,
    layout: &'a Layout,
    effects: &'a BTreeMap<String, Arc<Interface>>,
    order: &'a [String],
    /// The node whose kernel an effect runs in, for those decided.
    kernels: BTreeMap<&'a str, String>,
}

impl Search<'_> {
    fn verdict(&self, name: &str) -> Verdict {
        match self.reason_to_store(name) {
            Some(why) => Verdict::Stored(why),
            None => {
                let mut kernels: Vec<&String> =
                    self.readers(name).map(|(reader, ..)| &self.kernels[reader]).collect();
                kernels.sort();
                kernels.dedup();
                match kernels.as_slice() {
                    [kernel] => Verdict::Joins((*kernel).clone()),
                    several => Verdict::Stored(Why::Several(several.iter().copied().cloned().collect())),
                }
            }
        }
    }

    /// Every link that starts at `name`, with the reader and its port; readers that do not run do not count.
    fn readers(&self, name: &str) -> impl Iterator<Item = (&str, &str, &Link)> {
        let links = self.order.iter().flat_map(|reader| {
            self.graph.video_links(reader).map(move |(port, link)| (reader.as_str(), port, link))
        });
        links.filter(move |(_, _, link)| link.node == name)
    }

    fn reason_to_store(&self, name: &str) -> Option<Why> {
        let Node::Effect(effect) = &self.graph.nodes[name] else { return None };
        if self.effects[name].form != EffectForm::Pixel {
            return Some(Why::ComputeForm);
        }
        let storable = [TextureFormat::Rgba8, TextureFormat::Bgra8, TextureFormat::Rgba16Float];
        if !storable.contains(&effect.format) {
            return Some(Why::Format(effect.format));
        }
        self.readers(name).find_map(|(reader, port, link)| {
            let owned = || reader.to_owned();
            match &self.graph.nodes[reader] {
                Node::Sink(_) => return Some(Why::Sink(owned())),
                Node::Processor(_) => return Some(Why::Processor(owned())),
                Node::Source(_) | Node::Effect(_) => {}
            }
            if link.delay > 0 {
                return Some(Why::Delayed(owned()));
            }
            let slot = self.effects[reader].inputs.iter().find(|slot| slot.name == port);
            if !slot.is_some_and(|slot| slot.is_local) {
                return Some(Why::Elsewhere { node: owned(), port: port.to_owned() });
            }
            (self.layout.size(reader) != self.layout.size(name)).then(|| Why::OtherSize(owned()))
        })
    }
}

impl Group {
    fn new(graph: &Graph, nodes: Vec<String>) -> Self {
        let mut group = Self { inputs: vec![], textures: vec![], is_clamped: vec![], nodes };
        for name in &group.nodes {
            let Node::Effect(effect) = &graph.nodes[name] else { continue };
            let inputs = graph.video_links(name).map(|(port, link)| {
                // How a source hands frames over is no matter of the kernel's.
                let link = Link { delivery: None, ..link.clone() };
                let inside = group.nodes.iter().position(|node| *node == link.node && link.delay == 0);
                let input = inside.map_or_else(
                    || {
                        let known = group.textures.iter().position(|texture| *texture == link);
                        GroupInput::Texture(known.unwrap_or_else(|| {
                            group.textures.push(link);
                            group.textures.len() - 1
                        }))
                    },
                    GroupInput::Node,
                );
                (port.to_owned(), input)
            });
            group.inputs.push(inputs.collect());
            group.is_clamped.push(effect.format != TextureFormat::Rgba16Float);
        }
        group
    }

    /// The node whose result is stored.
    #[must_use]
    pub fn last(&self) -> &str {
        self.nodes.last().map_or("", String::as_str)
    }

    /// Name of the kernel's `index`-th input texture.
    #[must_use]
    pub fn texture_name(index: usize) -> String {
        format!("in{index}")
    }
}
