//! A plan as a picture.

use std::fmt::Write as _;

use super::arrange::{Arrangement, Edge, Tile, arrange};
use super::cards::{Card, cards, text_width};
use super::routes::{Route, back, curve, label, routes};
use super::{Explanation, LinkPlan, NodeKind};

const MARGIN: f64 = 28.0;
/// Room for the title.
const TITLE: f64 = 68.0;
/// Least space between columns.
const COLUMN_GAP: f64 = 54.0;
/// Room below a box that reads its own past.
const LOOP: f64 = 30.0;
/// Where the circles of nodes are, from the left edge of a box.
const GUTTER: f64 = 20.0;

/// Colours for light and dark ground. The ground is painted, so that a viewer's own does not matter.
const STYLE: &str = include_str!("plan.css");

struct Picture<'a> {
    plan: &'a Explanation,
    cards: Vec<Card<'a>>,
    lefts: Vec<f64>,
    /// Left edge and width of every column.
    columns: Vec<(f64, f64)>,
    placed: Arrangement,
    /// Bottom of the lowest box.
    bottom: f64,
    svg: String,
}

pub(super) fn draw(plan: &Explanation) -> String {
    let cards = cards(plan);
    let routes = routes(plan, &cards);
    let forward = routes.iter().filter(|route| route.forward.is_some());
    let edges: Vec<Edge> = forward.map(Route::edge).collect();
    let own_past = |index| routes.iter().any(|route| route.from.0 == index && route.to.0 == index);
    let tiles = cards.iter().enumerate().map(|(index, card)| {
        let height = card.height + if own_past(index) { LOOP } else { 0.0 };
        Tile { column: card.column, height }
    });
    let tiles: Vec<Tile> = tiles.collect();
    let placed = arrange(&tiles, &edges);
    let labels = plan.links.iter().map(|link| text_width(&label(link), 11.0) + 52.0);
    let columns = columns(&cards, labels.fold(COLUMN_GAP, f64::max));
    let bottoms = tiles.iter().zip(&placed.tops).map(|(tile, top)| top + tile.height);
    let mut picture = Picture {
        bottom: bottoms.chain(placed.crossings.iter().flatten().copied()).fold(0.0, f64::max),
        lefts: cards.iter().map(|card| columns[card.column].0).collect(),
        plan,
        cards,
        columns,
        placed,
        svg: String::new(),
    };
    let lanes = picture.links(&routes);
    for index in 0..picture.cards.len() {
        picture.card(index);
    }
    picture.ports(&routes);
    picture.finish(lanes)
}

fn columns(cards: &[Card<'_>], gap: f64) -> Vec<(f64, f64)> {
    let mut widths: Vec<f64> = Vec::new();
    for card in cards {
        widths.resize(widths.len().max(card.column + 1), 0.0);
        widths[card.column] = widths[card.column].max(card.width);
    }
    let mut left = MARGIN;
    let place = |width| {
        let column = (left, width);
        left += width + gap;
        column
    };
    widths.into_iter().map(place).collect()
}

fn class(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::Source => "source",
        NodeKind::Effect => "effect",
        NodeKind::Processor => "processor",
        NodeKind::Sink => "sink",
    }
}

/// Text that is safe between tags and in attributes. XML has no way to write most control characters.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

impl Picture<'_> {
    fn put(&mut self, line: std::fmt::Arguments<'_>) {
        self.svg.write_fmt(line).expect("a string takes everything");
        self.svg.push('\n');
    }

    fn text(&mut self, class: &str, (x, y): (f64, f64), anchor: &str, text: &str) {
        if !text.is_empty() {
            let text = escape(text);
            self.put(format_args!(
                r#"<text class="{class}" x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{text}</text>"#
            ));
        }
    }

    fn top(&self, card: usize) -> f64 {
        TITLE + self.placed.tops[card]
    }

    fn start(&self, route: &Route<'_>) -> (f64, f64) {
        let (card, height) = route.from;
        (self.lefts[card] + self.columns[self.cards[card].column].1, self.top(card) + height)
    }

    fn end(&self, route: &Route<'_>) -> (f64, f64) {
        let (card, height) = route.to;
        (self.lefts[card], self.top(card) + height)
    }

    /// Draws all links; the answer is how many run below the boxes.
    fn links(&mut self, routes: &[Route<'_>]) -> usize {
        let mut lanes = 0;
        let mut notes = Vec::new();
        for route in routes {
            let (start, end) = (self.start(route), self.end(route));
            let mut path = format!("M{:.1} {:.1}", start.0, start.1);
            let label_at = match route.forward {
                Some(number) => {
                    let mut at = start;
                    let first = self.cards[route.from.0].column + 1;
                    for (column, height) in (first..).zip(&self.placed.crossings[number]) {
                        let ((left, width), y) = (self.columns[column], TITLE + height);
                        curve(&mut path, at, (left, y));
                        write!(path, " H{:.1}", left + width).expect("a string takes everything");
                        at = (left + width, y);
                    }
                    curve(&mut path, at, end);
                    (end.0 - 8.0, end.1 - 6.0, "end")
                }
                None => {
                    let is_loop = route.from.0 == route.to.0;
                    let lane = if is_loop {
                        self.top(route.from.0) + self.cards[route.from.0].height + 14.0
                    } else {
                        lanes += 1;
                        TITLE + self.bottom + 8.0 + 20.0 * lanes as f64
                    };
                    // Each lane reaches further out, so that lines do not lie on each other.
                    let reach = if is_loop { 30.0 } else { 30.0 + 8.0 * lanes as f64 };
                    back(&mut path, start, (lane, reach), end);
                    ((start.0 + end.0) / 2.0, lane + 3.5, "middle")
                }
            };
            let late = if route.link.delay > 0 { " late" } else { "" };
            let data = if route.link.is_data { " data" } else { "" };
            self.put(format_args!(r#"<path class="link{late}{data}" d="{path}"/>"#));
            notes.push((label_at, label(route.link)));
        }
        for ((x, y, anchor), note) in notes {
            self.text("note", (x, y), anchor, &note);
        }
        lanes
    }

    fn card(&mut self, index: usize) {
        let (left, top) = (self.lefts[index], self.top(index));
        let width = self.columns[self.cards[index].column].1;
        let right = left + width;
        let card = &self.cards[index];
        let (kind, height) = (class(card.kind), card.height);
        let (caption, detail) = (card.caption.clone(), card.detail.clone());
        self.put(format_args!(
            r#"<rect class="card" x="{left:.1}" y="{top:.1}" width="{width:.1}" height="{height:.1}" rx="8"/>"#
        ));
        self.put(format_args!(
            r#"<path class="{kind}" d="M{left:.1} {:.1}v-14a8 8 0 0 1 8-8h{:.1}a8 8 0 0 1 8 8v14z" opacity="0.16"/>"#,
            top + 22.0,
            width - 16.0
        ));
        self.text("caption", (left + 12.0, top + 15.0), "start", &caption);
        self.text("small", (right - 12.0, top + 15.0), "end", &detail);
        self.wires(index);
        for place in 0..self.cards[index].members.len() {
            let member = &self.cards[index].members[place];
            let (name, what, middle) = (member.name.clone(), member.what.clone(), member.middle);
            let (inputs, outputs) = (member.named_inputs().to_vec(), member.named_outputs().to_vec());
            let gutter = left + GUTTER;
            self.put(format_args!(
                r#"<circle class="{kind}" cx="{gutter:.1}" cy="{:.1}" r="4.5"/>"#,
                top + middle
            ));
            self.text("name", (gutter + 14.0, top + middle + 4.5), "start", &name);
            self.text("what", (right - 16.0, top + middle + 4.0), "end", &what);
            for (port, y) in inputs {
                self.text("port", (gutter + 14.0, top + y + 3.5), "start", port);
            }
            for (port, y) in outputs {
                self.text("port", (right - 12.0, top + y + 3.5), "end", port);
            }
        }
    }

    /// What is handed on inside a kernel, and from the edge of a box to the nodes in it.
    fn wires(&mut self, index: usize) {
        let (x, top) = (self.lefts[index] + GUTTER, self.top(index));
        let card = &self.cards[index];
        let (mut wires, mut feeds) = (Vec::new(), Vec::new());
        for (place, member) in card.members.iter().enumerate() {
            for link in self.plan.links.iter().filter(|link| link.to == member.node.name) {
                let inner = card.members.iter().position(|m| m.node.name == link.from);
                let y = top + member.input(&link.to_port);
                let is_default = member.input(&link.to_port) == member.middle;
                let Some(from) = inner.filter(|from| *from < place && link.delay == 0 && !link.is_data)
                else {
                    if is_default {
                        feeds.push(format!("M{:.1} {y:.1}H{x:.1}", x - GUTTER));
                    }
                    continue;
                };
                let start = top + card.members[from].middle;
                let is_straight = from + 1 == place && is_default;
                // An arc that leaves and arrives sideways, so that it does not run through the circles between.
                let bend = if is_straight { 0.0 } else { 13.0 };
                let (a, b) = (x - bend, y - start);
                wires.push(format!(
                    "M{x:.1} {start:.1}C{a:.1} {:.1} {a:.1} {:.1} {x:.1} {y:.1}",
                    start + b / 4.0,
                    y - b / 4.0
                ));
            }
        }
        for (class, path) in
            feeds.iter().map(|path| ("link", path)).chain(wires.iter().map(|path| ("wire", path)))
        {
            self.put(format_args!(r#"<path class="{class}" d="{path}"/>"#));
        }
    }

    /// The ends of links, over the boxes, and the textures that they go through.
    fn ports(&mut self, routes: &[Route<'_>]) {
        let mut named: Vec<(usize, i64)> = Vec::new();
        for route in routes {
            let (start, end) = (self.start(route), self.end(route));
            let data = if route.link.is_data { " data" } else { "" };
            for (x, y) in [start, end] {
                self.put(format_args!(r#"<circle class="dot{data}" cx="{x:.1}" cy="{y:.1}" r="4"/>"#));
            }
            let Some(texture) = route.link.texture else { continue };
            let place = (route.from.0, start.1.round() as i64);
            if !named.contains(&place) {
                named.push(place);
                let name = format!("T{}", texture + 1);
                self.text("note", (start.0 + 8.0, start.1 - 6.0), "start", &name);
            }
        }
    }

    fn finish(mut self, lanes: usize) -> String {
        let (left, width) = self.columns.last().copied().unwrap_or((MARGIN, 0.0));
        let mut y = TITLE + self.bottom + 20.0 * lanes as f64 + if lanes > 0 { 18.0 } else { 6.0 };
        let mut notes = Vec::new();
        let shared = self.plan.textures.iter().enumerate().filter(|(_, texture)| texture.holds.len() > 1);
        for (number, texture) in shared {
            notes.push(format!("T{} holds {}", number + 1, texture.holds.join(", then ")));
        }
        let has = |is: fn(&LinkPlan) -> bool| self.plan.links.iter().any(is);
        let meanings = [
            (has(|link| link.delay > 0), "dashed: of earlier frames"),
            (has(|link| link.is_data), "violet: data"),
        ];
        let meanings = meanings.into_iter().filter_map(|(is, meaning)| is.then_some(meaning));
        notes.insert(0, meanings.collect::<Vec<_>>().join(" \u{b7} "));
        notes.retain(|note| !note.is_empty());
        let widest = notes.iter().map(|note| text_width(note, 11.0) + 2.0 * MARGIN);
        let title = self.plan.name.clone().unwrap_or_else(|| "graph".to_owned());
        let summary = self.plan.summary();
        let least = text_width(&summary, 11.0) + 2.0 * MARGIN;
        let width = widest.fold((left + width + MARGIN).max(least), f64::max);
        for note in &notes {
            y += 17.0;
            self.text("small", (MARGIN, y), "start", note);
        }
        self.text("title", (MARGIN, 28.0), "start", &title);
        self.text("small", (MARGIN, 45.0), "start", &summary);
        let (height, title) = (y + 20.0, escape(&title));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" \
             width=\"{width:.0}\" height=\"{height:.0}\" role=\"img\">\n<title>{title}</title>\n\
             <style>\n{STYLE}</style>\n<rect class=\"ground\" width=\"100%\" height=\"100%\" rx=\"12\"/>\n{}</svg>\n",
            self.svg
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::NodePlan;

    fn node(name: &str, kind: NodeKind, pass: Option<usize>) -> NodePlan {
        let size = Some(streamlib_core::format::Size::new(64, 32));
        NodePlan { name: name.into(), kind, what: "a<b>.hlsl".into(), size, format: Some("rgba8"), pass }
    }

    fn link(from: &str, to: &str, to_port: &str) -> LinkPlan {
        LinkPlan {
            from: from.into(),
            from_port: "output".into(),
            to: to.into(),
            to_port: to_port.into(),
            delay: 0,
            delivery: None,
            is_data: false,
            texture: None,
        }
    }

    fn plan(nodes: Vec<NodePlan>, links: Vec<LinkPlan>) -> Explanation {
        Explanation {
            name: Some("1 < 2 & \"3\"\u{1}".into()),
            nodes,
            links,
            passes: vec![],
            read_back_barrier: None,
            textures: vec![],
            effects: vec![],
            texture_bytes: 0,
            saved_bytes: 0,
            slots: 3,
        }
    }

    #[test]
    fn names_are_text_and_never_markup() {
        let nodes = vec![node("<script>", NodeKind::Source, None), node("'out' & on", NodeKind::Sink, None)];
        let svg = draw(&plan(nodes, vec![link("<script>", "'out' & on", "input")]));
        assert!(svg.contains("&lt;script&gt;") && svg.contains("&#39;out&#39; &amp; on"), "{svg}");
        assert!(!svg.contains("<script>") && !svg.contains('\u{1}'), "{svg}");
        assert!(svg.contains("1 &lt; 2 &amp; &quot;3&quot;\u{fffd}"), "{svg}");
    }

    #[test]
    fn delayed_links_are_dashed_data_has_a_colour_and_policies_stand_at_inputs() {
        let nodes = vec![
            node("cam", NodeKind::Source, None),
            node("find", NodeKind::Processor, None),
            node("out", NodeKind::Sink, None),
        ];
        let late = LinkPlan { delay: 2, delivery: Some("latest".into()), ..link("cam", "out", "input") };
        let data = LinkPlan { is_data: true, ..link("find", "find", "before") };
        let svg = draw(&plan(nodes, vec![late, data, link("cam", "find", "input")]));
        assert!(svg.contains("2 frames ago \u{b7} latest"), "{svg}");
        for class in ["link late", "link data", "link"] {
            assert_eq!(
                svg.matches(&format!("class=\"{class}\" d=\"M")).count(),
                if class == "link" { 3 } else { 1 }
            );
        }
    }

    #[test]
    fn a_graph_of_nothing_is_a_picture_too() {
        assert!(draw(&plan(vec![], vec![])).ends_with("</svg>\n"));
    }
}
