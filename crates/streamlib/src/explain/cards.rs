//! The boxes of a plan's picture: one for each source, kernel, processor and sink, with the effects of a kernel inside.

use std::collections::BTreeSet;

use streamlib_core::graph::{INPUT, OUTPUT};

use super::{Explanation, NodeKind, NodePlan};

pub(super) const HEADER: f64 = 26.0;
const NAME_ROW: f64 = 26.0;
const PORT_ROW: f64 = 17.0;
const FOOT: f64 = 8.0;
const NARROWEST: f64 = 150.0;
/// Characters of a name, and of what stands beside it, that are shown.
const NAME_CHARS: usize = 22;
const WHAT_CHARS: usize = 20;

/// A box.
pub(super) struct Card<'a> {
    pub(super) kind: NodeKind,
    /// What stands above the names, on the left and on the right.
    pub(super) caption: String,
    pub(super) detail: String,
    /// Nodes inside, each after those it reads.
    pub(super) members: Vec<Member<'a>>,
    pub(super) column: usize,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// A node in a box. Heights are from the top of the box.
pub(super) struct Member<'a> {
    pub(super) node: &'a NodePlan,
    /// Name and what stands beside it, as shown.
    pub(super) name: String,
    pub(super) what: String,
    /// Middle of the row with the name, where the default ports are.
    pub(super) middle: f64,
    /// Inputs and outputs with rows of their own.
    inputs: Vec<(&'a str, f64)>,
    outputs: Vec<(&'a str, f64)>,
}

impl<'a> Member<'a> {
    fn new(plan: &'a Explanation, node: &'a NodePlan, top: f64) -> (Self, f64) {
        let middle = top + NAME_ROW / 2.0;
        let inputs = plan.links.iter().filter(|link| link.to == node.name).map(|link| link.to_port.as_str());
        let outputs = plan.links.iter().filter(|link| link.from == node.name).map(|l| l.from_port.as_str());
        let (inputs, rows_in) = rows(inputs.filter(|port| *port != INPUT), middle);
        let (outputs, rows_out) = rows(outputs.filter(|port| *port != OUTPUT), middle);
        let what = match node.kind {
            NodeKind::Effect => file_stem(&node.what),
            NodeKind::Source | NodeKind::Processor | NodeKind::Sink => &node.what,
        };
        let what = if what == node.name { String::new() } else { end_of(what, WHAT_CHARS) };
        let name = beginning_of(&node.name, NAME_CHARS);
        let bottom = top + NAME_ROW + PORT_ROW * rows_in.max(rows_out) as f64;
        (Self { node, name, what, middle, inputs, outputs }, bottom)
    }

    /// Inputs that have a name written beside them.
    pub(super) fn named_inputs(&self) -> &[(&'a str, f64)] {
        &self.inputs
    }

    /// Outputs that have a name written beside them.
    pub(super) fn named_outputs(&self) -> &[(&'a str, f64)] {
        &self.outputs
    }

    pub(super) fn input(&self, port: &str) -> f64 {
        self.inputs.iter().find(|(name, _)| *name == port).map_or(self.middle, |(_, y)| *y)
    }

    pub(super) fn output(&self, port: &str) -> f64 {
        self.outputs.iter().find(|(name, _)| *name == port).map_or(self.middle, |(_, y)| *y)
    }
}

fn rows<'a>(ports: impl Iterator<Item = &'a str>, middle: f64) -> (Vec<(&'a str, f64)>, usize) {
    let ports: BTreeSet<&str> = ports.collect();
    let first = middle + (NAME_ROW + PORT_ROW) / 2.0 - 2.0;
    let count = ports.len();
    (ports.into_iter().enumerate().map(|(i, port)| (port, first + PORT_ROW * i as f64)).collect(), count)
}

/// The boxes of a plan, with their columns.
pub(super) fn cards(plan: &Explanation) -> Vec<Card<'_>> {
    let mut cards: Vec<Card<'_>> = Vec::new();
    let kernels = plan.passes.iter().enumerate().filter(|(_, pass)| !pass.only_when_fed);
    let single = plan.nodes.iter().filter(|node| node.kind != NodeKind::Effect);
    cards.extend(single.map(|node| card(plan, vec![node])));
    for (number, pass) in kernels {
        let effect =
            |name: &String| plan.nodes.iter().find(|node| node.name == *name && node.pass == Some(number));
        let nodes: Vec<_> = pass.nodes.iter().filter_map(effect).collect();
        if nodes.first().is_some_and(|node| node.kind == NodeKind::Effect) {
            cards.push(card(plan, nodes));
        }
    }
    // Each round moves a box right of those it reads; the longest way passes through every box once.
    for _ in 0..cards.len() {
        for link in plan.links.iter().filter(|link| !link.is_data && link.delay == 0) {
            let (Some((from, _)), Some((to, _))) = (find(&cards, &link.from), find(&cards, &link.to)) else {
                continue;
            };
            if from != to {
                cards[to].column = cards[to].column.max(cards[from].column + 1);
            }
        }
    }
    cards
}

/// The box and the place in it of a node.
pub(super) fn find(cards: &[Card<'_>], node: &str) -> Option<(usize, usize)> {
    cards.iter().enumerate().find_map(|(index, card)| {
        card.members.iter().position(|member| member.node.name == node).map(|place| (index, place))
    })
}

fn card<'a>(plan: &'a Explanation, nodes: Vec<&'a NodePlan>) -> Card<'a> {
    let (first, last, count) = (nodes[0], nodes[nodes.len() - 1], nodes.len());
    let caption = match (first.kind, first.pass) {
        (NodeKind::Source, _) => "SOURCE".to_owned(),
        (NodeKind::Processor, _) => "PROCESSOR".to_owned(),
        (NodeKind::Sink, _) => "SINK".to_owned(),
        (NodeKind::Effect, Some(pass)) if count > 1 => {
            format!("PASS {} \u{b7} {count} EFFECTS FUSED", pass + 1)
        }
        (NodeKind::Effect, pass) => format!("PASS {}", pass.unwrap_or(0) + 1),
    };
    let size = last.size.map(|size| format!("{}\u{d7}{}", size.width, size.height));
    let detail: Vec<String> = size.into_iter().chain(last.format.map(str::to_owned)).collect();
    let detail = detail.join(" ");
    let mut height = HEADER;
    let mut members = Vec::new();
    for node in nodes {
        let (member, bottom) = Member::new(plan, node, height);
        members.push(member);
        height = bottom;
    }
    let header = text_width(&caption, 12.5) + text_width(&detail, 10.5) + 36.0;
    let names = members.iter().map(|m| text_width(&m.name, 15.5) + text_width(&m.what, 11.0) + 62.0);
    let width = names.fold(header.max(NARROWEST), f64::max);
    Card { kind: first.kind, caption, detail, members, column: 0, width, height: height + FOOT }
}

/// About how wide a text is in a sans-serif font.
pub(super) fn text_width(text: &str, size: f64) -> f64 {
    text.chars().count() as f64 * size * 0.59
}

fn file_stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.strip_suffix(".hlsl").unwrap_or(name)
}

fn beginning_of(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['\u{2026}']).collect()
}

fn end_of(text: &str, most: usize) -> String {
    let count = text.chars().count();
    if count <= most {
        return text.to_owned();
    }
    std::iter::once('\u{2026}').chain(text.chars().skip(count + 1 - most)).collect()
}
