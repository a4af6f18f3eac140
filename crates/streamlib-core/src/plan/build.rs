//! From graph to plan.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::alias::share_textures;
use super::{
    Code, Conversion, Drain, Feed, Group, Layout, Parts, Plan, PlanKernel, PlanOutlet, PlanPass,
    PlanPictures, PlanSource, PlanTexture, SLOTS, TextureUse,
};
use crate::format::{Size, TextureFormat};
use crate::graph::{Graph, GraphError, INPUT, Link, Node, OUTPUT, Order, Ports};
use crate::interface::{AnimatedComponent, BufferSlot, Interface, ParameterError};
use crate::value::Value;

impl Plan {
    /// Compiles a graph. Nodes that no sink and no processor needs are left out.
    ///
    /// # Errors
    /// When the graph is wrong ([`Graph::order`]) or a parameter value does not fit its effect.
    ///
    /// # Panics
    /// When `parts` lacks a node of the graph.
    pub fn new(graph: &Graph, layout: &Layout, parts: &Parts<'_>) -> Result<Self, GraphError> {
        let mut plan = Self::with_own_textures(graph, layout, parts)?;
        share_textures(&mut plan);
        Ok(plan)
    }

    /// A plan in which every result has a texture of its own.
    pub(super) fn with_own_textures(
        graph: &Graph,
        layout: &Layout,
        parts: &Parts<'_>,
    ) -> Result<Self, GraphError> {
        let order = Self::order(graph, parts.effects, parts.processors)?;
        let needed: BTreeSet<&str> = order.iter().map(String::as_str).collect();
        let mut builder = Builder::new(graph, layout, &needed);
        for name in &order {
            match &graph.nodes[name] {
                Node::Source(_) => builder.source(name, &parts.feeds[name])?,
                Node::Effect(effect) => {
                    // Values are checked against the effect's own interface, so that errors speak of its own names.
                    let settings = settings(name, &parts.effects[name], &effect.set)?;
                    match parts.fused.iter().find(|(group, _)| group.nodes.contains(name)) {
                        Some((group, interface)) if group.last() == name => {
                            builder.group(graph, group, interface)?;
                        }
                        Some(_) => {}
                        None => builder.effect(graph, name, &parts.effects[name], settings),
                    }
                }
                Node::Processor(_) => {
                    for (port, link) in graph.video_links(name) {
                        let drain = &parts.drains[&(name.clone(), port.to_owned())];
                        builder.outlet((name, port), link, drain)?;
                    }
                }
                Node::Sink(sink) => {
                    if let Some(link) = &sink.input {
                        let drain = &parts.drains[&(name.clone(), INPUT.to_owned())];
                        builder.outlet((name, INPUT), link, drain)?;
                    }
                }
            }
        }
        Ok(builder.plan)
    }

    /// [`Graph::order`] with the ports that reflection found, and those that processors were registered with: whether the
    /// links of a graph are right.
    ///
    /// # Errors
    /// As [`Graph::order`].
    ///
    /// # Panics
    /// When `effects` lacks an effect of the graph, or `processors` a processor.
    pub fn order(
        graph: &Graph,
        effects: &BTreeMap<String, Arc<Interface>>,
        processors: &BTreeMap<String, Ports>,
    ) -> Result<Order, GraphError> {
        let effects: BTreeMap<&str, Ports> =
            effects.iter().map(|(node, interface)| (node.as_str(), Ports::from(&**interface))).collect();
        graph.order(|node| effects.get(node).unwrap_or_else(|| &processors[node]))
    }
}

struct Builder<'a> {
    layout: &'a Layout,
    /// Outputs that a delayed link reads.
    delayed: BTreeSet<(&'a str, &'a str)>,
    /// The texture of each output. A delayed link may ask for it before its node comes, so it is made when first met.
    outputs: BTreeMap<(String, String), usize>,
    formats: BTreeMap<&'a str, TextureFormat>,
    plan: Plan,
}

impl<'a> Builder<'a> {
    fn new(graph: &'a Graph, layout: &'a Layout, needed: &BTreeSet<&str>) -> Self {
        let links: Vec<&Link> =
            needed.iter().flat_map(|name| graph.video_links(name)).map(|(_, link)| link).collect();
        let longest = links.iter().map(|link| link.delay).max().unwrap_or(0);
        let late = links.iter().filter(|link| link.delay > 0);
        Self {
            layout,
            delayed: late.map(|link| (link.node.as_str(), link.port.as_str())).collect(),
            outputs: BTreeMap::new(),
            formats: graph.effects().map(|(name, effect)| (name, effect.format)).collect(),
            plan: Plan {
                slots: SLOTS.max(longest + 1),
                textures: vec![],
                kernels: vec![],
                sources: vec![],
                passes: vec![],
                outlets: vec![],
            },
        }
    }

    fn texture(&mut self, label: String, size: Size, format: TextureFormat, keeps_history: bool) -> usize {
        let (holds, is_leased, sharing, layouts) = (vec![label.clone()], false, None, vec![]);
        let texture = PlanTexture { label, holds, size, format, keeps_history, is_leased, sharing, layouts };
        self.plan.textures.push(texture);
        self.plan.textures.len() - 1
    }

    fn output(&mut self, node: &str, port: &str) -> usize {
        let key = (node.to_owned(), port.to_owned());
        if let Some(&known) = self.outputs.get(&key) {
            return known;
        }
        let format = self.formats.get(node).copied().unwrap_or(TextureFormat::Rgba8);
        let keeps_history = self.delayed.contains(&(node, port));
        let made = self.texture(format!("{node}.{port}"), self.layout.size(node), format, keeps_history);
        self.outputs.insert(key, made);
        made
    }

    fn linked(&mut self, link: &Link) -> TextureUse {
        TextureUse { texture: self.output(&link.node, &link.port), delay: link.delay }
    }

    fn kernel(&mut self, code: Code, outputs: &[(String, usize)]) -> usize {
        let outputs =
            outputs.iter().map(|(port, texture)| (port.clone(), self.plan.textures[*texture].format));
        let kernel = PlanKernel { code, outputs: outputs.collect() };
        if let Some(known) = self.plan.kernels.iter().position(|k| *k == kernel) {
            return known;
        }
        self.plan.kernels.push(kernel);
        self.plan.kernels.len() - 1
    }

    fn source(&mut self, name: &str, feed: &Feed) -> Result<(), GraphError> {
        let output = self.output(name, OUTPUT);
        if self.plan.textures[output].keeps_history && !matches!(feed, Feed::Generated(..)) {
            return Err(GraphError::DelayedSource(name.to_owned()));
        }
        match feed {
            Feed::Generated(size, interface) => {
                let outputs = vec![(OUTPUT.to_owned(), output)];
                let kernel = self.kernel(Code::Node(name.to_owned()), &outputs);
                self.plan.passes.push(PlanPass {
                    label: name.to_owned(),
                    nodes: vec![name.to_owned()],
                    kernel,
                    interface: interface.clone(),
                    inputs: vec![],
                    outputs,
                    buffers: vec![],
                    threads: *size,
                    size: *size,
                    block: interface.default_block(),
                    animated: vec![],
                });
            }
            Feed::Textures(_, format) => {
                self.plan.textures[output].format = *format;
                self.fed(name, output, None);
            }
            Feed::Pictures(format, None) => {
                let planes = vec![TextureUse::now(output)];
                self.fed(name, output, Some(PlanPictures { format: *format, planes, convert: None }));
            }
            Feed::Pictures(format, Some(conversion)) => {
                let planes = self.planes(name, &format.layout.planes(format.size));
                let inputs = conversion.ports.iter().cloned().zip(planes.iter().copied()).collect();
                let pass = self.conversion(name, conversion, inputs, vec![(OUTPUT.to_owned(), output)])?;
                self.fed(name, output, Some(PlanPictures { format: *format, planes, convert: Some(pass) }));
            }
        }
        Ok(())
    }

    fn fed(&mut self, node: &str, texture: usize, pictures: Option<PlanPictures>) {
        self.plan.sources.push(PlanSource { node: node.to_owned(), texture, pictures });
    }

    fn planes(&mut self, node: &str, planes: &[(Size, TextureFormat)]) -> Vec<TextureUse> {
        let numbered = planes.iter().enumerate();
        let texture = |(i, (size, format)): (usize, &(Size, TextureFormat))| {
            TextureUse::now(self.texture(format!("{node}.plane{i}"), *size, *format, false))
        };
        numbered.map(texture).collect()
    }

    fn conversion(
        &mut self,
        node: &str,
        conversion: &Conversion,
        inputs: Vec<(String, TextureUse)>,
        outputs: Vec<(String, usize)>,
    ) -> Result<PlanPass, GraphError> {
        let set: BTreeMap<_, _> = conversion.parameters.iter().cloned().collect();
        let Settings { block, animated, buffers } = settings(node, &conversion.interface, &set)?;
        Ok(PlanPass {
            label: format!("{node} ({})", conversion.name),
            nodes: vec![node.to_owned()],
            kernel: self.kernel(Code::Conversion(conversion.name.clone()), &outputs),
            interface: conversion.interface.clone(),
            inputs,
            size: outputs
                .first()
                .map_or(conversion.threads, |(_, texture)| self.plan.textures[*texture].size),
            outputs,
            buffers,
            threads: conversion.threads,
            block,
            animated,
        })
    }

    fn effect(&mut self, graph: &Graph, name: &str, interface: &Arc<Interface>, settings: Settings) {
        let inputs =
            graph.video_links(name).map(|(port, link)| (port.to_owned(), self.linked(link))).collect();
        let ports = interface.outputs.iter().map(|slot| &slot.name);
        let outputs: Vec<_> = ports.map(|port| (port.clone(), self.output(name, port))).collect();
        let kernel = self.kernel(Code::Node(name.to_owned()), &outputs);
        let Settings { block, animated, buffers } = settings;
        let size = self.layout.size(name);
        let (label, nodes, interface) = (name.to_owned(), vec![name.to_owned()], interface.clone());
        let pass = PlanPass {
            label,
            nodes,
            kernel,
            interface,
            inputs,
            outputs,
            buffers,
            threads: size,
            size,
            block,
            animated,
        };
        self.plan.passes.push(pass);
    }

    fn group(&mut self, graph: &Graph, group: &Group, interface: &Arc<Interface>) -> Result<(), GraphError> {
        let last = group.last();
        let textures = group.textures.iter().enumerate();
        let inputs = textures.map(|(index, link)| (Group::texture_name(index), self.linked(link))).collect();
        let outputs = vec![(OUTPUT.to_owned(), self.output(last, OUTPUT))];
        let kernel = self.kernel(Code::Group(last.to_owned()), &outputs);
        let effects = group.nodes.iter().filter_map(|name| match &graph.nodes[name] {
            Node::Effect(effect) => Some((name, effect)),
            _ => None,
        });
        let set = effects.flat_map(|(name, effect)| {
            effect.set.iter().map(move |(parameter, value)| (format!("{name}.{parameter}"), value.clone()))
        });
        let Settings { block, animated, buffers } = settings(last, interface, &set.collect())?;
        let size = self.layout.size(last);
        self.plan.passes.push(PlanPass {
            label: group.nodes.join(" + "),
            nodes: group.nodes.clone(),
            kernel,
            interface: interface.clone(),
            inputs,
            outputs,
            buffers,
            threads: size,
            size,
            block,
            animated,
        });
        Ok(())
    }

    fn outlet(&mut self, (node, port): (&str, &str), link: &Link, drain: &Drain) -> Result<(), GraphError> {
        let from = self.linked(link);
        let pictures = match drain {
            Drain::Textures => {
                self.plan.textures[from.texture].is_leased = true;
                None
            }
            Drain::Shared(sharing) => {
                let texture = &mut self.plan.textures[from.texture];
                texture.is_leased = true;
                texture.sharing = texture.sharing.max(Some(*sharing));
                None
            }
            Drain::Scanout(layouts) => {
                let texture = &mut self.plan.textures[from.texture];
                texture.is_leased = true;
                texture.layouts.clone_from(layouts);
                None
            }
            Drain::Pictures(format, None) => {
                Some(PlanPictures { format: *format, planes: vec![from], convert: None })
            }
            Drain::Pictures(format, Some(conversion)) => {
                let planes = self.planes(&format!("{node}.{port}"), &format.layout.planes(format.size));
                let ports = conversion.ports.iter().cloned();
                let outputs = ports.zip(planes.iter().map(|plane| plane.texture)).collect();
                let slots = &conversion.interface.inputs;
                let inputs = slots.iter().map(|slot| (slot.name.clone(), from)).collect();
                let convert = Some(self.conversion(node, conversion, inputs, outputs)?);
                Some(PlanPictures { format: *format, planes, convert })
            }
        };
        let (node, port) = (node.to_owned(), port.to_owned());
        self.plan.outlets.push(PlanOutlet { node, port, from, pictures });
        Ok(())
    }
}

/// What a pass starts with.
struct Settings {
    /// The uniform block.
    block: Vec<u8>,
    /// What of it is computed for every frame.
    animated: Vec<AnimatedComponent>,
    /// Contents of buffers by name.
    buffers: Vec<(String, Vec<u8>)>,
}

/// The uniform block and the buffers of an effect with the values of `set`.
fn settings(
    node: &str,
    interface: &Interface,
    set: &BTreeMap<String, Value>,
) -> Result<Settings, GraphError> {
    let wrong = |error: ParameterError| GraphError::Parameter { node: node.to_owned(), error };
    let is_buffer = |name: &String| interface.buffers.iter().any(|buffer| buffer.name == *name);
    let (mut block, mut animated) = (interface.default_block(), Vec::new());
    for (name, value) in set.iter().filter(|(name, _)| !is_buffer(name)) {
        interface.set(name, value, &mut block, &mut animated).map_err(wrong)?;
    }
    let empty = Value::List(vec![]);
    let contents = |buffer: &BufferSlot| {
        let bytes = buffer.encode(set.get(&buffer.name).unwrap_or(&empty))?;
        Ok((buffer.name.clone(), bytes))
    };
    let buffers = interface.buffers.iter().map(contents).collect::<Result<_, _>>().map_err(wrong)?;
    Ok(Settings { block, animated, buffers })
}
