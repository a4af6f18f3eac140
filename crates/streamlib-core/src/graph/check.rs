//! Whether a graph can run, and in which order its nodes do.

use std::collections::{BTreeMap, VecDeque};

use super::{Graph, GraphError, Link, MAX_DELAY, Node, OUTPUT};

/// Port names of the effects, by node: what reflection found.
#[derive(Clone, Copy, Debug)]
pub struct PortNames<'a> {
    /// Input ports.
    pub inputs: &'a [String],
    /// Output ports.
    pub outputs: &'a [String],
}

/// Node names in an order in which every node comes after those it takes undelayed frames from.
pub type Order = Vec<String>;

impl Graph {
    /// Checks every link and finds the order to run in. `ports` answers for effects; nodes that no sink needs are left out
    /// of the order.
    ///
    /// # Errors
    /// When a link starts or ends nowhere, an input is free, nodes wait for each other, a delay is too long, the clock is
    /// no source, or there is no sink.
    pub fn order<'a>(&self, ports: impl Fn(&str) -> PortNames<'a>) -> Result<Order, GraphError> {
        if self.sinks().next().is_none() {
            return Err(GraphError::NoSink);
        }
        if let Some(clock) = &self.clock
            && !matches!(self.nodes.get(clock), Some(Node::Source(_)))
        {
            return Err(GraphError::UnknownClock(clock.clone()));
        }
        for (name, node) in &self.nodes {
            self.check_inputs(name, node, &ports)?;
            for (port, link) in node.links() {
                self.check_link(name, port, link, &ports)?;
            }
        }
        let roots = self.sinks().map(|(name, _)| name).collect();
        let mut search = Search { graph: self, state: BTreeMap::new(), path: vec![], order: vec![], roots };
        while let Some(root) = search.roots.pop_front() {
            search.visit(root)?;
        }
        Ok(search.order.into_iter().map(str::to_owned).collect())
    }

    fn check_inputs<'a>(
        &self,
        name: &str,
        node: &Node,
        ports: &impl Fn(&str) -> PortNames<'a>,
    ) -> Result<(), GraphError> {
        let Node::Effect(effect) = node else { return Ok(()) };
        let known = ports(name).inputs;
        if let Some(port) = effect.inputs.keys().find(|port| !known.contains(port)) {
            let (node, port, known) = (name.to_owned(), port.clone(), known.to_vec());
            return Err(GraphError::UnknownInput { node, port, known });
        }
        match known.iter().find(|port| !effect.inputs.contains_key(*port)) {
            Some(port) => Err(GraphError::MissingInput { node: name.to_owned(), port: port.clone() }),
            None => Ok(()),
        }
    }

    fn check_link<'a>(
        &self,
        node: &str,
        port: &str,
        link: &Link,
        ports: &impl Fn(&str) -> PortNames<'a>,
    ) -> Result<(), GraphError> {
        let (node, port, from) = (node.to_owned(), port.to_owned(), link.node.clone());
        if link.delay > MAX_DELAY {
            return Err(GraphError::DelayTooLong { node, port, delay: link.delay });
        }
        let known = match self.nodes.get(&from) {
            None => return Err(GraphError::UnknownNode { node, port, from }),
            Some(Node::Source(_)) => vec![OUTPUT.to_owned()],
            Some(Node::Effect(_)) => ports(&from).outputs.to_vec(),
            Some(Node::Sink(_)) => Vec::new(),
        };
        if known.contains(&link.port) {
            return Ok(());
        }
        Err(GraphError::UnknownOutput { node, port, from, from_port: link.port.clone(), known })
    }
}

/// Depth-first search along undelayed links; `path` is the way down, so a node met again on it closes a cycle.
struct Search<'g> {
    graph: &'g Graph,
    state: BTreeMap<&'g str, State>,
    path: Vec<&'g str>,
    order: Vec<&'g str>,
    /// Where searches start: sinks, and what is needed only with a delay (it asks for no order, but has to run as well).
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
        for (_, link) in self.graph.nodes[name].links().filter(|(_, link)| link.delay == 0) {
            self.visit(&link.node)?;
        }
        self.path.pop();
        self.state.insert(name, State::Done);
        self.order.push(name);
        let delayed = self.graph.nodes[name].links().filter(|(_, link)| link.delay > 0);
        self.roots.extend(delayed.map(|(_, link)| link.node.as_str()));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Effect, EffectText, Sink, Source};
    use super::*;

    fn effect(links: &[(&str, &str, u32)]) -> Node {
        let mut effect = Effect::new(EffectText::Inline(String::new()));
        for (port, from, delay) in links {
            effect.inputs.insert((*port).to_owned(), Link { delay: *delay, ..Link::from_node(*from) });
        }
        Node::Effect(effect)
    }

    fn graph(nodes: &[(&str, Node)], last: &str) -> Graph {
        let mut graph = Graph::default();
        graph.insert("cam", Node::Source(Source::default()));
        graph.insert("out", Node::Sink(Sink { uri: "out.png".into(), input: Link::from_node(last) }));
        nodes.iter().for_each(|(name, node)| graph.insert(*name, node.clone()));
        graph
    }

    fn order(graph: &Graph) -> Result<Order, GraphError> {
        let outputs = [OUTPUT.to_owned()];
        // Every effect has just the inputs that it links, but `needs_two` has two.
        let inputs: BTreeMap<&str, Vec<String>> =
            graph.effects().map(|(name, e)| (name, e.inputs.keys().cloned().collect())).collect();
        let two = ["input".to_owned(), "mask".to_owned()];
        graph.order(|name| PortNames {
            inputs: if name == "needs_two" { &two } else { inputs.get(name).map_or(&[], Vec::as_slice) },
            outputs: &outputs,
        })
    }

    #[test]
    fn every_node_comes_after_those_it_waits_for() {
        let nodes = [
            ("a", effect(&[("input", "cam", 0)])),
            ("b", effect(&[("input", "a", 0), ("past", "c", 1)])),
            ("c", effect(&[("input", "b", 0)])),
            ("unused", effect(&[("input", "cam", 0)])),
        ];
        assert_eq!(order(&graph(&nodes, "c")), Ok(["cam", "a", "b", "c", "out"].map(String::from).to_vec()));
    }

    #[test]
    fn a_node_needed_only_with_a_delay_runs_too() {
        let nodes = [("late", effect(&[("input", "cam", 0)])), ("b", effect(&[("input", "late", 2)]))];
        let order = order(&graph(&nodes, "b")).expect("no cycle");
        assert!(order.contains(&"late".to_owned()) && order.contains(&"cam".to_owned()), "{order:?}");
    }

    #[test]
    fn a_delay_anywhere_in_a_circle_opens_it() {
        let nodes = [
            ("a", effect(&[("input", "b", 0)])),
            ("b", effect(&[("input", "cam", 0), ("past", "c", 1)])),
            ("c", effect(&[("input", "a", 0)])),
        ];
        let order = order(&graph(&nodes, "a")).expect("the delay opens the circle");
        let place = |name: &str| order.iter().position(|n| n == name);
        assert!(place("b") < place("a") && place("a") < place("c"), "{order:?}");
    }

    #[test]
    fn every_mistake_names_node_and_port() {
        let a_from = |from: &str| [("a", effect(&[("input", from, 0)]))];
        let text =
            |nodes: &[(&str, Node)], last: &str| order(&graph(nodes, last)).expect_err("wrong").to_string();
        assert!(text(&a_from("nobody"), "a").contains("input `input` of node `a` is linked to `nobody`"));
        assert!(text(&a_from("out"), "a").contains("which has: none"));
        let two = [("needs_two", effect(&[("input", "cam", 0)]))];
        assert!(text(&two, "needs_two").starts_with("input `mask` of node `needs_two` is not linked"));
        let wrong = [("needs_two", effect(&[("nonsense", "cam", 0)]))];
        assert!(text(&wrong, "needs_two").contains("has no input `nonsense`; it has: input, mask"));
        let late = [("a", effect(&[("input", "cam", 99)]))];
        assert!(text(&late, "a").contains("delayed by 99 frames"));
        let circle = [("a", effect(&[("input", "b", 0)])), ("b", effect(&[("input", "a", 0)]))];
        assert!(text(&circle, "a").contains("a → b → a"), "{}", text(&circle, "a"));
        let itself = [("a", effect(&[("input", "a", 0)]))];
        assert!(text(&itself, "a").contains("a → a"), "{}", text(&itself, "a"));
        assert_eq!(order(&Graph::default()), Err(GraphError::NoSink));
    }

    #[test]
    fn the_clock_is_the_source_at_the_end_of_the_default_inputs() {
        let mut both = graph(&[("mix", effect(&[("input", "film", 0), ("a", "cam", 0)]))], "mix");
        both.insert("film", Node::Source(Source::default()));
        assert_eq!(both.clock(), Some("film"));
        both.clock = Some("cam".into());
        assert_eq!(both.clock(), Some("cam"));
        both.clock = Some("mix".into());
        assert_eq!(order(&both), Err(GraphError::UnknownClock("mix".into())));
    }
}
