//! Random edits that fit the graph, and some that must be refused.

use std::collections::BTreeSet;

use streamlib::format::{Size, TextureFormat};
use streamlib::graph::{
    Delivery, Edit, Effect, EffectText, Graph, INPUT, Link, Node, OutputSize, Processor, Sink, Source,
};
use streamlib::value::Value;

use super::dice::Dice;
use super::texts::{Kind, Texts};
use super::wrong;

/// More than this would make one frame of everything.
const MAX_EFFECTS: usize = 6;
const MAX_SINKS: usize = 4;
const MAX_PROCESSORS: usize = 2;
const MAX_SOURCES: usize = 3;

/// Edits to be made at once.
#[derive(Debug)]
pub(super) struct Proposal {
    pub(super) what: &'static str,
    pub(super) edits: Vec<Edit>,
    pub(super) must_be_refused: bool,
}

#[derive(Debug)]
pub(super) struct Editor {
    pub(super) dice: Dice,
    pub(super) texts: Texts,
    /// Names are never given twice.
    names: u64,
    pub(super) size: Size,
}

impl Editor {
    pub(super) fn new(seed: u64, size: Size) -> Self {
        let mut dice = Dice::new(seed);
        let texts = Texts::new(&mut dice);
        Self { dice, texts, names: 0, size }
    }

    /// The next edit.
    pub(super) fn propose(&mut self, graph: &Graph) -> Proposal {
        loop {
            let (what, edits) = match self.dice.below(100) {
                0..28 => ("text", self.replace_text(graph)),
                28..36 => ("set", self.set(graph)),
                36..46 => ("effect added", self.add_effect(graph, None)),
                46..56 => ("effect removed", self.remove_effect(graph)),
                56..64 => ("sink added", self.add_sink(graph)),
                64..71 => ("sink removed", self.remove_sink(graph)),
                71..75 => ("sink linked anew", self.relink_sink(graph)),
                75..81 => ("source added", self.add_source(graph)),
                81..84 => ("source delivered anew", self.redeliver(graph)),
                84..88 => ("data linked", self.link_data(graph)),
                _ => {
                    let edits = wrong::propose(self, graph);
                    return Proposal { what: "wrong", edits, must_be_refused: true };
                }
            };
            if let Some(edits) = edits {
                return Proposal { what, edits, must_be_refused: false };
            }
        }
    }

    pub(super) fn name(&mut self, letter: char) -> String {
        self.names += 1;
        format!("{letter}{}", self.names)
    }

    /// An effect that is needed for something, and can be replaced.
    fn effect<'a>(&mut self, graph: &'a Graph) -> Option<(&'a str, &'a Effect)> {
        let needed = needed(graph);
        let effects: Vec<_> = graph.effects().filter(|(name, _)| needed.contains(*name)).collect();
        self.dice.pick(&effects).copied()
    }

    fn replace_text(&mut self, graph: &Graph) -> Option<Vec<Edit>> {
        let (name, effect) = self.effect(graph)?;
        let kind = match (effect.inputs.contains_key("side"), effect.inputs.contains_key("past")) {
            (true, _) => Kind::Side,
            (_, true) => Kind::Past,
            _ => Kind::One,
        };
        let text = EffectText::Inline(self.texts.get(&mut self.dice, kind));
        Some(vec![Edit::Replace { name: name.into(), node: Node::Effect(Effect { text, ..effect.clone() }) }])
    }

    fn set(&mut self, graph: &Graph) -> Option<Vec<Edit>> {
        let count = 1 + self.dice.below(3);
        let edits = (0..count).map(|_| {
            let (name, _) = self.effect(graph)?;
            let (parameter, value) = if self.dice.percent(50) {
                ("gain", Value::Float(self.dice.real()))
            } else {
                ("shift", Value::List(vec![Value::Float(self.dice.real() * 0.1), Value::Float(0.0)]))
            };
            Some(Edit::Set { node: name.into(), parameter: parameter.into(), value: Some(value) })
        });
        edits.collect()
    }

    /// Puts an effect into a link that is there; it reads `side` as well where that is given.
    fn add_effect(&mut self, graph: &Graph, side: Option<Link>) -> Option<Vec<Edit>> {
        if graph.effects().filter(|(name, _)| name.starts_with('f')).count() >= MAX_EFFECTS {
            return None;
        }
        let mut places = Vec::new();
        for (node, to) in &graph.nodes {
            let video = graph.video_links(node).filter(|(_, link)| link.delay == 0 && link.node != "cam");
            // A file that is being written takes frames of one size only, from where it takes them.
            let video = video.filter(|_| !is_file(to));
            places.extend(video.map(|(port, link)| (node, port, link)));
        }
        let (node, port, link) = *self.dice.pick(&places)?;
        let name = self.name('f');
        let from_source = matches!(graph.nodes.get(&link.node), Some(Node::Source(_)));
        let ends_in_effect = matches!(graph.nodes.get(node), Some(Node::Effect(_)));
        let mut input = Link { delivery: None, ..link.clone() };
        let mut output = Link { delivery: link.delivery, ..Link::from_node(&name) };
        if ends_in_effect {
            output.delivery = None;
            input.delivery = link.delivery.filter(|_| from_source);
        }
        let side = side.or_else(|| {
            let others: Vec<_> =
                graph.sources().map(|(name, _)| name).chain(["tint", "count", "mix"]).collect();
            let other = self.dice.pick(&others).filter(|_| self.dice.percent(35))?;
            Some(Link::from_node(*other).delayed(1 + self.dice.below(4) as u32))
        });
        let kind = match side {
            Some(_) => Kind::Side,
            None if self.dice.percent(25) => Kind::Past,
            None => Kind::One,
        };
        let mut effect = Effect::new(EffectText::Inline(self.texts.get(&mut self.dice, kind)));
        effect.inputs.insert(INPUT.into(), input);
        effect.inputs.extend(side.map(|side| ("side".to_owned(), side)));
        if kind == Kind::Past {
            effect.inputs.insert("past".into(), Link::from_node(&name).delayed(1));
        }
        if self.dice.percent(20) {
            effect.format = TextureFormat::Rgba16Float;
        }
        if self.dice.percent(15) {
            effect.size = OutputSize::Scale(0.5);
        }
        Some(vec![
            Edit::Insert { name, node: Node::Effect(effect) },
            Edit::Disconnect { node: node.clone(), input: port.into() },
            Edit::Connect { node: node.clone(), input: port.into(), link: output },
        ])
    }

    /// Takes an effect out; those that read it read what it read. Sources that only it read go as well.
    fn remove_effect(&mut self, graph: &Graph) -> Option<Vec<Edit>> {
        let effects: Vec<_> = graph.effects().filter(|(name, _)| name.starts_with('f')).collect();
        let (name, effect) = *self.dice.pick(&effects)?;
        let above = effect.inputs.get(INPUT)?;
        let mut edits = vec![Edit::Remove { name: name.to_owned() }];
        for (node, reader) in graph.nodes.iter().filter(|(node, _)| *node != name) {
            for (port, link) in reader.links().filter(|(_, link)| link.node == name) {
                let from_source = matches!(graph.nodes.get(&above.node), Some(Node::Source(_)));
                let delivery = match reader {
                    Node::Effect(_) => above.delivery.filter(|_| from_source),
                    _ => link.delivery,
                };
                let link = Link { delay: link.delay, delivery, ..above.clone() };
                edits.push(Edit::Connect { node: node.clone(), input: port.into(), link });
            }
        }
        let read_elsewhere = |source: &str| {
            let others = graph.nodes.iter().filter(|(node, _)| *node != name);
            others.flat_map(|(_, node)| node.links()).any(|(_, link)| link.node == source)
        };
        let side = effect.inputs.get("side").map(|link| &link.node);
        if let Some(source) = side.filter(|side| {
            // What read the effect may read that source now.
            side.starts_with('q') && **side != above.node && !read_elsewhere(side)
        }) {
            edits.push(Edit::Remove { name: source.clone() });
        }
        Some(edits)
    }

    pub(super) fn delivery(&mut self) -> Delivery {
        let bound = 1 + self.dice.below(8) as u32;
        match self.dice.below(3) {
            0 => Delivery::Latest,
            1 => Delivery::Every { bound },
            _ => Delivery::Lossless { bound },
        }
    }

    /// A node that gives video.
    fn giver<'a>(&mut self, graph: &'a Graph) -> Option<&'a str> {
        let sources = graph.sources().map(|(name, _)| name);
        let givers: Vec<_> = sources.chain(graph.effects().map(|(name, _)| name)).collect();
        self.dice.pick(&givers).copied()
    }

    fn add_sink(&mut self, graph: &Graph) -> Option<Vec<Edit>> {
        let link = Link::from_node(self.giver(graph)?).with_delivery(self.delivery());
        if self.dice.percent(30) {
            if graph.processors().count() >= MAX_PROCESSORS {
                return None;
            }
            let kind = *self.dice.pick(&["level", "mean", "brittle"])?;
            let mut processor = Processor::new(kind);
            processor.inputs.insert(INPUT.into(), link);
            return Some(vec![Edit::Insert { name: self.name('p'), node: Node::Processor(processor) }]);
        }
        if graph.sinks().filter(|(name, _)| name.starts_with('s')).count() >= MAX_SINKS {
            return None;
        }
        let name = self.name('s');
        let uri = match self.dice.below(6) {
            0..3 => "app:".to_owned(),
            3 => "null:".to_owned(),
            // Files take much of the machine: one at a time.
            _ if graph.nodes.values().any(is_file) => return None,
            4 => format!("{name}.y4m"),
            _ => format!("{name}.mp4"),
        };
        Some(vec![Edit::Insert { name, node: Node::Sink(Sink { uri, input: Some(link) }) }])
    }

    /// A sink or processor that comes and goes.
    fn taker<'a>(&mut self, graph: &'a Graph) -> Option<(&'a String, &'a Node)> {
        let takers = graph.nodes.iter().filter(|(name, _)| name.starts_with(['s', 'p']) && *name != "probe");
        self.dice.pick(&takers.collect::<Vec<_>>()).copied()
    }

    fn remove_sink(&mut self, graph: &Graph) -> Option<Vec<Edit>> {
        let (name, _) = self.taker(graph)?;
        Some(vec![Edit::Remove { name: name.clone() }])
    }

    fn relink_sink(&mut self, graph: &Graph) -> Option<Vec<Edit>> {
        let (name, _) = self.taker(graph).filter(|(_, node)| !is_file(node))?;
        let link = Link::from_node(self.giver(graph)?).with_delivery(self.delivery());
        let (node, input) = (name.clone(), INPUT.to_owned());
        let disconnect = Edit::Disconnect { node: node.clone(), input: input.clone() };
        Some(vec![disconnect, Edit::Connect { node, input, link }])
    }

    fn add_source(&mut self, graph: &Graph) -> Option<Vec<Edit>> {
        if graph.sources().filter(|(name, _)| name.starts_with('q')).count() >= MAX_SOURCES {
            return None;
        }
        let name = self.name('q');
        let small = Size::new(8 + 8 * self.dice.below(8) as u32, 8 + 8 * self.dice.below(8) as u32);
        let mut link = Link::from_node(&name);
        let (uri, size) = match self.dice.below(4) {
            0 | 1 => ("app:", Some(small)),
            2 => ("generate:bars", Some(self.size)),
            _ => ("film.y4m", None),
        };
        if uri != "generate:bars" {
            link.delivery = Some(self.delivery());
        }
        let mut edits = self.add_effect(graph, Some(link))?;
        let source = Source { uri: uri.into(), size, ..Source::default() };
        edits.insert(0, Edit::Insert { name, node: Node::Source(source) });
        Some(edits)
    }

    /// Another policy for a source that comes and goes: it starts anew.
    fn redeliver(&mut self, graph: &Graph) -> Option<Vec<Edit>> {
        let links = graph.effects().filter_map(|(node, effect)| {
            let link = effect.inputs.get("side").filter(|link| link.delivery.is_some())?;
            Some((node, link))
        });
        let (node, link) = *self.dice.pick(&links.collect::<Vec<_>>())?;
        let (node, input) = (node.to_owned(), "side".to_owned());
        let link = link.clone().with_delivery(self.delivery());
        let disconnect = Edit::Disconnect { node: node.clone(), input: input.clone() };
        Some(vec![disconnect, Edit::Connect { node, input, link }])
    }

    fn link_data(&mut self, graph: &Graph) -> Option<Vec<Edit>> {
        let (name, effect) = self.effect(graph).filter(|(name, _)| *name != "tint")?;
        let (node, input) = (name.to_owned(), "gain".to_owned());
        if effect.inputs.contains_key("gain") {
            return Some(vec![Edit::Disconnect { node, input }]);
        }
        let processors: Vec<_> = graph.processors().map(|(name, _)| name).collect();
        let link = Link { port: "level".into(), ..Link::from_node(*self.dice.pick(&processors)?) };
        Some(vec![Edit::Connect { node, input, link }])
    }
}

/// Whether a node is a sink that writes a file.
pub(super) fn is_file(node: &Node) -> bool {
    matches!(node, Node::Sink(sink) if !sink.uri.ends_with(':'))
}

/// The nodes that a sink or a processor needs.
pub(super) fn needed(graph: &Graph) -> BTreeSet<&str> {
    let roots = graph.nodes.iter().filter(|(_, node)| matches!(node, Node::Sink(_) | Node::Processor(_)));
    let mut open: Vec<&str> = roots.map(|(name, _)| name.as_str()).collect();
    let mut needed = BTreeSet::new();
    while let Some(name) = open.pop() {
        if needed.insert(name) {
            open.extend(
                graph.nodes.get(name).into_iter().flat_map(Node::links).map(|(_, link)| link.node.as_str()),
            );
        }
    }
    needed
}
