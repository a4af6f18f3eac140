//! Which graphs can run, and what is said of the others.

use std::collections::BTreeMap;

use super::*;

fn effect(links: &[(&str, &str, u32)]) -> Node {
    let mut effect = Effect::new(EffectText::Inline(String::new()));
    for (port, from, delay) in links {
        effect.inputs.insert((*port).to_owned(), Link::from(*from).delayed(*delay));
    }
    Node::Effect(effect)
}

fn graph(nodes: &[(&str, Node)], last: &str) -> Graph {
    let mut graph = Graph::default();
    graph.insert("cam", Node::Source(Source::default()));
    graph.insert("out", Node::Sink(Sink { uri: "out.png".into(), input: Some(Link::from(last)) }));
    nodes.iter().for_each(|(name, node)| graph.insert(*name, node.clone()));
    graph
}

/// Every effect has just the inputs that it links, but `needs_two` has two; `center` is a parameter. Processors take video
/// through `input` and data through every other port, and give `position`.
fn order(graph: &Graph) -> Result<Order, GraphError> {
    let ports = |name: &str, node: &Node| {
        let names: Vec<&str> = match name {
            "needs_two" => vec!["input", "mask"],
            _ => node.links().map(|(port, _)| port).collect(),
        };
        let is_processor = matches!(node, Node::Processor(_));
        let port = |name: &str| match name {
            "center" => Port::data(name),
            "input" => Port::video(name),
            _ if is_processor => Port::data(name),
            _ => Port::video(name),
        };
        let outputs = if is_processor { Port::data("position") } else { Port::video(OUTPUT) };
        Ports { inputs: names.into_iter().map(port).collect(), outputs: vec![outputs] }
    };
    let ports: BTreeMap<&str, Ports> =
        graph.nodes.iter().map(|(name, node)| (name.as_str(), ports(name, node))).collect();
    graph.order(|name| &ports[name])
}

fn processor(links: &[(&str, &str)]) -> Node {
    let mut processor = Processor::new("find");
    processor.inputs = links.iter().map(|(port, from)| ((*port).to_owned(), Link::from(*from))).collect();
    Node::Processor(processor)
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
    assert_eq!(order(&Graph::default()), Err(GraphError::NoConsumer));
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

#[test]
fn a_processor_makes_what_it_reads_run_and_asks_for_no_order() {
    let mut graph = graph(&[("a", effect(&[("input", "cam", 0), ("center", "find.position", 0)]))], "a");
    graph.insert("find", processor(&[("input", "a"), ("before", "find.position")]));
    let order = order(&graph).expect("data closes no circle");
    assert_eq!(order, ["cam", "a", "find", "out"]);
    graph.nodes.remove("out");
    assert_eq!(self::order(&graph).map(|order| order.len()), Ok(3), "a processor is enough");
    assert_eq!(graph.clock(), Some("cam"));
}

#[test]
fn video_and_data_are_not_mixed() {
    let text = |nodes: &[(&str, Node)]| order(&graph(nodes, "a")).expect_err("wrong").to_string();
    let find = ("find", processor(&[("input", "cam")]));
    let data = [("a", effect(&[("input", "find.position", 0)])), find.clone()];
    assert_eq!(text(&data), "output `find.position` is data; input `input` of `a` takes video");
    let video = [("a", effect(&[("input", "cam", 0), ("center", "cam", 0)]))];
    assert_eq!(text(&video), "output `cam.output` is video; input `center` of `a` takes data");
    let late = [("a", effect(&[("input", "cam", 0), ("center", "find.position", 1)])), find.clone()];
    assert!(text(&late).contains("input `center` of node `a` has a delay, but takes data"));
    let port = [("a", effect(&[("input", "cam", 0), ("center", "find.nonsense", 0)])), find];
    assert!(text(&port).contains("output `nonsense` of node `find`, which has: position"));
    let mut sink = graph(&[("find", processor(&[("input", "cam")]))], "find.position");
    assert!(order(&sink).expect_err("wrong").to_string().contains("`input` of `out` takes video"));
    sink.nodes.remove("out");
    let ports = Ports { inputs: vec![Port::video(INPUT)], outputs: vec![Port::video("position")] };
    assert!(matches!(sink.order(|_| &ports), Err(GraphError::VideoFromProcessor { .. })));
}

#[test]
fn a_sink_and_a_processor_need_their_video() {
    let mut open = graph(&[], "cam");
    open.insert("out", Node::Sink(Sink { uri: "x".into(), input: None }));
    assert!(matches!(order(&open), Err(GraphError::MissingInput { node, .. }) if node == "out"));
    open.nodes.remove("out");
    open.insert("find", processor(&[]));
    let ports = Ports { inputs: vec![Port::data("a"), Port::video("b")], outputs: vec![] };
    let missing = open.order(|_| &ports);
    assert_eq!(missing, Err(GraphError::MissingInput { node: "find".into(), port: "b".into() }));
}

#[test]
fn a_delivery_stands_only_where_frames_change_threads() {
    let with = |link: &str, delivery| Some(Link::from(link).with_delivery(delivery));
    let mut graph = graph(&[("a", effect(&[("input", "cam", 0)])), ("b", effect(&[("input", "a", 0)]))], "b");
    let put = |graph: &mut Graph, node: &str, port: &str, link: Option<Link>| {
        let Some(Node::Effect(effect)) = graph.nodes.get_mut(node) else { panic!("{node} is an effect") };
        effect.inputs.insert(port.to_owned(), link.expect("a link"));
    };
    put(&mut graph, "a", "input", with("cam", Delivery::Latest));
    graph.insert(
        "out",
        Node::Sink(Sink { uri: "x".into(), input: with("b", Delivery::Lossless { bound: 64 }) }),
    );
    assert!(order(&graph).is_ok());
    assert_eq!(graph.source_delivery("cam"), Some(Delivery::Latest));

    let mut between = graph.clone();
    put(&mut between, "b", "input", with("a", Delivery::Latest));
    assert!(order(&between).expect_err("wrong").to_string().contains("effects run in lock-step"));
    let mut parameter = graph.clone();
    parameter.insert("find", processor(&[("input", "a")]));
    put(&mut parameter, "b", "center", with("find.position", Delivery::Latest));
    assert!(matches!(order(&parameter), Err(GraphError::DeliveryToParameter { .. })));
    let mut two = graph.clone();
    put(&mut two, "b", "mask", with("cam", Delivery::Every { bound: 2 }));
    assert!(matches!(order(&two), Err(GraphError::DeliveryConflict { .. })));
    for bound in [0, 65] {
        put(&mut graph, "a", "input", with("cam", Delivery::Every { bound }));
        assert!(matches!(order(&graph), Err(GraphError::DeliveryBound { .. })), "{bound}");
    }
}
