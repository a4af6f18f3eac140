//! What makes one graph of another.

use super::{Edit, Effect, Graph, Node, Processor};

impl Graph {
    /// The changes that make `other` of this graph, for [`Graph::apply_all`]; none when they are equal, and only
    /// [`Edit::Set`] when only values of parameters differ.
    ///
    /// `other` has to be a graph that edits can make: names without `.`, and links from nodes that exist.
    #[must_use]
    pub fn diff(&self, other: &Self) -> Vec<Edit> {
        let mut edits = Vec::new();
        // Links go before the nodes that they start at, and nodes come before the links that start at them.
        for (name, old, new) in self.kept(other) {
            let gone = old.links().filter(|link| !new.links().any(|kept| kept == *link));
            edits.extend(gone.map(|(input, _)| disconnect(name, input)));
        }
        let removed = self.nodes.keys().filter(|name| !other.nodes.contains_key(*name));
        edits.extend(removed.map(|name| Edit::Remove { name: name.clone() }));
        for (name, new) in &other.nodes {
            let (name, node) = (name.clone(), without_links(new));
            match self.nodes.get(&name) {
                None => edits.push(Edit::Insert { name, node }),
                Some(old) if !is_same_program(old, new) => edits.push(Edit::Replace { name, node }),
                Some(_) => {}
            }
        }
        for (name, new) in &other.nodes {
            let old = self.nodes.get(name).filter(|old| is_same_program(old, new));
            let is_there = |link| old.is_some_and(|old| old.links().any(|known| known == link));
            let fresh = new.links().filter(|link| !is_there(*link));
            edits.extend(fresh.map(|(input, link)| {
                let (node, input, link) = (name.clone(), input.to_owned(), link.clone());
                Edit::Connect { node, input, link }
            }));
        }
        self.kept(other).for_each(|(name, old, new)| set(name, old, new, &mut edits));
        if self.clock != other.clock {
            edits.push(Edit::Clock { source: other.clock.clone() });
        }
        if self.name != other.name {
            edits.push(Edit::Title { name: other.name.clone() });
        }
        edits
    }

    /// Nodes that differ in links and values at most.
    fn kept<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = (&'a str, &'a Node, &'a Node)> {
        let both =
            self.nodes.iter().filter_map(|(name, old)| Some((name.as_str(), old, other.nodes.get(name)?)));
        both.filter(|(_, old, new)| is_same_program(old, new))
    }
}

fn disconnect(node: &str, input: &str) -> Edit {
    Edit::Disconnect { node: node.to_owned(), input: input.to_owned() }
}

fn without_links(node: &Node) -> Node {
    let mut node = node.clone();
    match &mut node {
        Node::Source(_) => {}
        Node::Effect(Effect { inputs, .. }) | Node::Processor(Processor { inputs, .. }) => inputs.clear(),
        Node::Sink(sink) => sink.input = None,
    }
    node
}

fn is_same_program(a: &Node, b: &Node) -> bool {
    let program = |node: &Node| {
        let mut node = without_links(node);
        if let Node::Effect(Effect { set, .. }) | Node::Processor(Processor { set, .. }) = &mut node {
            set.clear();
        }
        node
    };
    program(a) == program(b)
}

fn set(name: &str, old: &Node, new: &Node, edits: &mut Vec<Edit>) {
    let values = |node| match node {
        &Node::Effect(Effect { ref set, .. }) | &Node::Processor(Processor { ref set, .. }) => Some(set),
        Node::Source(_) | Node::Sink(_) => None,
    };
    let (Some(old), Some(new)) = (values(old), values(new)) else { return };
    let edit = |parameter: &String, value| {
        let (node, parameter) = (name.to_owned(), parameter.clone());
        Edit::Set { node, parameter, value }
    };
    let gone = old.keys().filter(|parameter| !new.contains_key(*parameter));
    edits.extend(gone.map(|parameter| edit(parameter, None)));
    let changed = new.iter().filter(|(parameter, value)| old.get(*parameter) != Some(value));
    edits.extend(changed.map(|(parameter, value)| edit(parameter, Some(value.clone()))));
}
