//! Edits that must be refused, whatever the graph is.

use streamlib::graph::{
    Delivery, Edit, Effect, EffectText, Graph, INPUT, Link, Node, Processor, Sink, Source,
};
use streamlib::value::Value;

use super::edits::Editor;
use super::texts::{Kind, broken};

pub(super) fn propose(editor: &mut Editor, graph: &Graph) -> Vec<Edit> {
    let name = editor.name('x');
    let text = editor.texts.get(&mut editor.dice, Kind::One);
    let replace = |name: &str, text: String, inputs: &[(&str, Link)]| {
        let mut effect = Effect::new(EffectText::Inline(text));
        effect.inputs = inputs.iter().map(|(port, link)| ((*port).to_owned(), link.clone())).collect();
        Edit::Replace { name: name.into(), node: Node::Effect(effect) }
    };
    let insert = |name: &str, node: Node| Edit::Insert { name: name.into(), node };
    let sink = |uri: String, link: Option<Link>| Node::Sink(Sink { uri, input: link });
    let connect =
        |node: &str, input: &str, link: Link| Edit::Connect { node: node.into(), input: input.into(), link };
    let set = |node: &str, parameter: &str, value: Value| Edit::Set {
        node: node.into(),
        parameter: parameter.into(),
        value: Some(value),
    };
    let from = Link::from_node;
    let tint_input = match graph.nodes.get("tint") {
        Some(Node::Effect(tint)) => tint.inputs.get(INPUT).cloned().unwrap_or_else(|| from("count")),
        _ => from("count"),
    };
    match editor.dice.below(23) {
        // Every second one is text that does not compile: it goes through most of the building.
        0..6 => vec![replace("tint", broken(&mut editor.dice), &[(INPUT, tint_input)])],
        6 => vec![
            insert(&name, sink(format!("{name}.y4m"), Some(from("count")))),
            replace("tint", broken(&mut editor.dice), &[(INPUT, tint_input)]),
        ],
        7 => vec![
            insert(&name, sink("app:".into(), Some(from("count")))),
            insert(&format!("{name} lost"), sink("nowhere/film.y4m".into(), Some(from("count")))),
        ],
        8 => vec![replace("tint", text, &[(INPUT, from("mix"))])],
        9 => vec![replace("tint", text, &[(INPUT, from("nobody"))])],
        10 => vec![replace("tint", text, &[])],
        11 => vec![replace("tint", text, &[("inptu", from("count"))])],
        12 => vec![Edit::Remove { name: "nobody".into() }],
        13 => vec![insert("tint", sink("null:".into(), Some(from("count"))))],
        14 => vec![insert(&name, sink(format!("{name}.nonsense"), Some(from("count"))))],
        15 => {
            let source = Source { uri: "missing.mp4".into(), ..Source::default() };
            let read = sink("null:".into(), Some(from(&name)));
            vec![insert(&name, Node::Source(source)), insert(&format!("{name} read"), read)]
        }
        16 => vec![set("tint", "gain", Value::Float(0.5)), set("tint", "gian", Value::Float(0.5))],
        17 => vec![set("tint", "gain", Value::List(vec![Value::Float(0.5); 3]))],
        18 => vec![connect("tint", "gain", from("cam"))],
        19 => vec![insert(&name, Node::Processor(Processor::new("unknown")))],
        20 => vec![insert(&name, sink("null:".into(), Some(from("count").delayed(17))))],
        21 => {
            let link = from("count").with_delivery(Delivery::Every { bound: 65 });
            vec![insert(&name, sink("app:".into(), Some(link)))]
        }
        _ => vec![Edit::Remove { name: "cam".into() }],
    }
}
