//! Whether a graph can run, and in which order its nodes do.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};

use super::{Delivery, Graph, GraphError, Link, MAX_BOUND, MAX_DELAY, Node, Port, PortKind, Ports};

/// Node names in an order in which every node comes after those it takes undelayed frames from.
pub type Order = Vec<String>;

impl Graph {
    /// Checks every link and finds the order to run in. `ports` answers for effects and processors; nodes that no sink and
    /// no processor needs are left out of the order. A data link asks for no order: what it brings acts on a later frame.
    ///
    /// # Errors
    /// When a link starts or ends nowhere, joins video to data, a video input is free, nodes wait for each other, a delay
    /// is too long, a policy stands where there is none, the clock is no source, or there is no sink and no processor.
    pub fn order<'a>(&self, ports: impl Fn(&str) -> &'a Ports) -> Result<Order, GraphError> {
        let is_root = |node: &Node| matches!(node, Node::Sink(_) | Node::Processor(_));
        if !self.nodes.values().any(is_root) {
            return Err(GraphError::NoConsumer);
        }
        if let Some(clock) = &self.clock
            && !matches!(self.nodes.get(clock), Some(Node::Source(_)))
        {
            return Err(GraphError::UnknownClock(clock.clone()));
        }
        let ports = |name: &str, node: &Node| match node {
            Node::Source(_) => Cow::Owned(Ports::of_source()),
            Node::Sink(_) => Cow::Owned(Ports::of_sink()),
            Node::Effect(_) | Node::Processor(_) => Cow::Borrowed(ports(name)),
        };
        let ports: BTreeMap<&str, Cow<'_, Ports>> =
            self.nodes.iter().map(|(name, node)| (name.as_str(), ports(name, node))).collect();
        for (name, node) in &self.nodes {
            check_inputs(name, node, &ports[name.as_str()])?;
            for (port, link) in node.links() {
                self.check_link(name, port, link)?;
                let end = Input { node: name, port, kind: kind_of(&ports[name.as_str()].inputs, port) };
                check_ports(end, link, &ports[link.node.as_str()].outputs)?;
            }
        }
        self.check_source_deliveries()?;
        let roots = self.nodes.iter().filter(|(_, node)| is_root(node));
        let roots = roots.map(|(name, _)| name.as_str()).collect();
        let mut search = Search { graph: self, state: BTreeMap::new(), path: vec![], order: vec![], roots };
        while let Some(root) = search.roots.pop_front() {
            search.visit(root)?;
        }
        Ok(search.order.into_iter().map(str::to_owned).collect())
    }

    /// What can be said of a link without knowing the ports of effects and processors.
    pub(super) fn check_link(&self, node: &str, port: &str, link: &Link) -> Result<(), GraphError> {
        let (node, port) = (node.to_owned(), port.to_owned());
        if link.delay > MAX_DELAY {
            return Err(GraphError::DelayTooLong { node, port, delay: link.delay });
        }
        if let Some(bound) =
            link.delivery.map(Delivery::bound).filter(|bound| !(1..=MAX_BOUND).contains(bound))
        {
            return Err(GraphError::DeliveryBound { node, port, bound });
        }
        let to_effect = matches!(self.nodes.get(&node), Some(Node::Effect(_)));
        match self.nodes.get(&link.node) {
            None => Err(GraphError::UnknownNode { node, port, from: link.node.clone() }),
            Some(Node::Processor(_)) if link.delay > 0 => Err(GraphError::DelayedData { node, port }),
            Some(Node::Processor(_)) if to_effect && link.delivery.is_some() => {
                Err(GraphError::DeliveryToParameter { node, port })
            }
            Some(Node::Effect(_)) if to_effect && link.delivery.is_some() => {
                Err(GraphError::DeliveryBetweenEffects { node, port, from: link.node.clone() })
            }
            Some(Node::Source(_)) => {
                let outputs = Ports::of_source().outputs;
                check_ports(Input { node: &node, port: &port, kind: PortKind::Video }, link, &outputs)
            }
            Some(Node::Sink(_)) => {
                check_ports(Input { node: &node, port: &port, kind: PortKind::Video }, link, &[])
            }
            Some(_) => Ok(()),
        }
    }

    /// A source hands its frames over once for all effects.
    fn check_source_deliveries(&self) -> Result<(), GraphError> {
        let mut stated: BTreeMap<&str, (&str, Delivery)> = BTreeMap::new();
        let inputs = self.effects().flat_map(|(name, effect)| effect.inputs.values().map(move |l| (name, l)));
        for (name, link) in inputs {
            let Some(delivery) = link.delivery else { continue };
            let (first, known) = *stated.entry(&link.node).or_insert((name, delivery));
            if known != delivery {
                let nodes = Box::new([first.to_owned(), name.to_owned()]);
                return Err(GraphError::DeliveryConflict { source_node: link.node.clone(), nodes });
            }
        }
        Ok(())
    }
}

/// The end of a link.
#[derive(Clone, Copy)]
struct Input<'a> {
    node: &'a str,
    port: &'a str,
    kind: PortKind,
}

fn names(ports: &[Port]) -> Vec<String> {
    ports.iter().map(|port| port.name.clone()).collect()
}

fn kind_of(inputs: &[Port], name: &str) -> PortKind {
    inputs.iter().find(|port| port.name == name).map_or(PortKind::Video, |port| port.kind)
}

fn check_inputs(name: &str, node: &Node, ports: &Ports) -> Result<(), GraphError> {
    let mut links = node.links().map(|(port, _)| port);
    if let Some(port) = links.find(|port| !ports.inputs.iter().any(|known| known.name == **port)) {
        let (node, port, known) = (name.to_owned(), port.to_owned(), names(&ports.inputs));
        return Err(GraphError::UnknownInput { node, port, known });
    }
    let video = |port: &&Port| port.kind == PortKind::Video;
    if let Node::Processor(_) = node
        && let Some(port) = ports.outputs.iter().find(video)
    {
        return Err(GraphError::VideoFromProcessor { node: name.to_owned(), port: port.name.clone() });
    }
    let is_free = |port: &&Port| !node.links().any(|(linked, _)| linked == port.name);
    match ports.inputs.iter().filter(video).find(is_free) {
        Some(port) => Err(GraphError::MissingInput { node: name.to_owned(), port: port.name.clone() }),
        None => Ok(()),
    }
}

fn check_ports(end: Input<'_>, link: &Link, outputs: &[Port]) -> Result<(), GraphError> {
    let (node, port) = (end.node.to_owned(), end.port.to_owned());
    let (from, from_port) = (link.node.clone(), link.port.clone());
    match outputs.iter().find(|output| output.name == link.port) {
        None => Err(GraphError::UnknownOutput { node, port, from, from_port, known: names(outputs) }),
        Some(output) if output.kind != end.kind => {
            Err(GraphError::Kind { node, port, takes: end.kind, from, from_port, is: output.kind })
        }
        Some(_) => Ok(()),
    }
}

/// Depth-first search along undelayed links; `path` is the way down, so a node met again on it closes a cycle.
struct Search<'g> {
    graph: &'g Graph,
    state: BTreeMap<&'g str, State>,
    path: Vec<&'g str>,
    order: Vec<&'g str>,
    /// Where searches start: sinks and processors, and what is needed only with a delay (it asks for no order, but has to run as well).
    roots: VecDeque<&'g str>,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    OnPath,
    Done,
}

impl<'g> Search<'g> {
    fn visit(&mut self, name: &'g str) -> Result<(), GraphError> {
        match self.state.get(name) {
            Some(State::Done) => return Ok(()),
            Some(State::OnPath) => {
                let start = self.path.iter().position(|n| *n == name).unwrap_or(0);
                let nodes = self.path[start..].iter().rev().chain([&self.path[start]]);
                let mut nodes: Vec<String> = nodes.map(|n| (*n).to_owned()).collect();
                // The path runs against the links; start the reading at the repeated node.
                nodes.rotate_right(1);
                nodes.dedup();
                nodes.push(nodes[0].clone());
                return Err(GraphError::Cycle { nodes });
            }
            None => {}
        }
        self.state.insert(name, State::OnPath);
        self.path.push(name);
        let graph = self.graph;
        for (_, link) in graph.video_links(name).filter(|(_, link)| link.delay == 0) {
            self.visit(&link.node)?;
        }
        self.path.pop();
        self.state.insert(name, State::Done);
        self.order.push(name);
        let delayed = graph.video_links(name).filter(|(_, link)| link.delay > 0);
        self.roots.extend(delayed.map(|(_, link)| link.node.as_str()));
        Ok(())
    }
}
