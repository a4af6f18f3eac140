//! Building, editing and comparing graphs.

use proptest::prelude::*;

use super::*;

fn source() -> Source {
    Source { uri: "x".into(), ..Source::default() }
}

fn effect() -> Effect {
    Effect::new(EffectText::File("e.hlsl".into()))
}

/// `cam → blur → out`, with `find` beside it.
fn graph() -> Graph {
    let mut graph = Graph::new();
    let built = graph
        .add_source("cam", source())
        .and_then(|g| g.add_effect("blur", effect()))
        .and_then(|g| g.add_processor("find", Processor::new("find the ball")))
        .and_then(|g| g.add_sink("out", "out.mp4"))
        .and_then(|g| g.connect("cam", "blur"))
        .and_then(|g| g.connect("blur", "find.frames"))
        .and_then(|g| g.connect("find.position", "blur.center"))
        .and_then(|g| g.connect(Link::from("blur").with_delivery(Delivery::Latest), "out"))
        .map(drop);
    built.expect("a graph");
    graph
}

#[test]
fn a_graph_that_was_built_is_the_one_that_a_file_holds() {
    let text = "[nodes.cam]\nsource = 'x'\n\
        [nodes.blur]\neffect = 'e.hlsl'\ninputs = { input = 'cam', center = 'find.position' }\n\
        [nodes.find]\nprocessor = 'find the ball'\ninputs = { frames = 'blur' }\n\
        [nodes.out]\nsink = 'out.mp4'\ninputs = { input = { from = 'blur', delivery = 'latest' } }";
    assert_eq!(Graph::from_toml(text), Ok(graph()));
}

#[test]
fn a_step_that_cannot_be_is_refused_and_changes_nothing() {
    let refused = |step: &dyn Fn(&mut Graph) -> Result<(), EditError>| {
        let mut graph = graph();
        let error = step(&mut graph).expect_err("refused").to_string();
        assert_eq!(graph, self::graph(), "{error}");
        error
    };
    let connect = |from: &str, to: &str| refused(&|g| g.connect(from, to).map(drop));
    assert!(refused(&|g| g.add_source("cam", source()).map(drop)).contains("`cam` already"));
    assert!(refused(&|g| g.add_source("a.b", source()).map(drop)).contains("has no `.`"));
    assert!(refused(&|g| g.add_source("", source()).map(drop)).contains("not empty"));
    assert!(connect("cam", "nobody").contains("there is no node `nobody`; there are: blur, cam, find, out"));
    assert!(connect("nobody", "blur.mask").contains("there is no node of that name"));
    assert!(connect("cam", "blur").contains("input `input` of node `blur` takes `cam` already"));
    assert!(connect("cam", "out").contains("input `input` of node `out` takes `blur` already"));
    assert!(connect("cam", "out.mask").contains("it has one, `input`"));
    assert!(connect("blur", "cam").contains("source `cam` has no input"));
    assert!(connect("out", "blur.mask").contains("which has: none"));
    assert!(connect("cam.depth", "blur.mask").contains("output `depth` of node `cam`, which has: output"));
    let late = |g: &mut Graph| g.connect(Link::from("find.size").delayed(1), "blur.size").map(drop);
    assert!(refused(&late).contains("takes data"));
    assert!(refused(&|g| g.disconnect("blur.mask").map(drop)).contains("is not linked"));
    assert!(refused(&|g| g.set("out", "x", Value::Int(1)).map(drop)).contains("no parameters"));
    assert!(refused(&|g| g.apply(&Edit::Clock { source: Some("blur".into()) })).contains("no source"));
    let dangling = Effect { inputs: [(INPUT.to_owned(), Link::from("nobody"))].into(), ..effect() };
    assert!(refused(&|g| g.add_effect("new", dangling.clone()).map(drop)).contains("no node of that name"));
    let second = [Edit::Remove { name: "blur".into() }, Edit::Remove { name: "blur".into() }];
    assert!(refused(&|g| g.apply_all(&second)).contains("no node `blur`"), "all or nothing");
}

#[test]
fn a_removed_node_takes_its_links_along() {
    let mut graph = graph();
    graph.apply(&Edit::Remove { name: "find".into() }).expect("it is there");
    let Node::Effect(blur) = &graph.nodes["blur"] else { panic!("an effect") };
    assert_eq!(blur.inputs.keys().collect::<Vec<_>>(), [INPUT]);
    graph.apply(&Edit::Remove { name: "blur".into() }).expect("it is there");
    assert_eq!(graph.nodes["out"].links().count(), 0);
}

#[test]
fn edits_are_readable_json() {
    let read = |text: &str| serde_json::from_str::<Edit>(text);
    let connect = read(r#"{ "edit": "connect", "node": "blur", "link": { "from": "cam", "delay": 1 } }"#);
    let wanted =
        Edit::Connect { node: "blur".into(), input: INPUT.into(), link: Link::from("cam").delayed(1) };
    assert_eq!(connect.expect("an edit"), wanted);
    let insert =
        read(r#"{ "edit": "insert", "name": "a", "node": { "effect": "e.hlsl", "set": { "r": 3 } } }"#);
    let node = Node::Effect(Effect { set: [("r".to_owned(), Value::Int(3))].into(), ..effect() });
    assert_eq!(insert.expect("an edit"), Edit::Insert { name: "a".into(), node });
    let set = read(r#"{ "edit": "set", "node": "a", "parameter": "r", "value": [1, "sin(time)"] }"#);
    let value = Some(Value::parse("1, sin(time)").expect("a value"));
    assert_eq!(set.expect("an edit"), Edit::Set { node: "a".into(), parameter: "r".into(), value });
    let set = read(r#"{ "edit": "set", "node": "a", "parameter": "r", "value": "sin(tme)" }"#);
    let error = set.expect_err("no expression").to_string();
    assert!(
        error.contains("`sin(tme)` is not an expression: at character 5: there is no variable `tme`"),
        "{error}"
    );
    let unset = read(r#"{ "edit": "set", "node": "a", "parameter": "r" }"#);
    assert!(matches!(unset, Ok(Edit::Set { value: None, .. })));
    assert!(read(r#"{ "edit": "insert", "name": "a", "node": {} }"#).is_err());
    assert!(read(r#"{ "edit": "explode" }"#).is_err());
}

/// A graph of up to six nodes, whatever its ports are called.
fn any_graph() -> impl Strategy<Value = Graph> {
    let node = (0..4_u8, 0..3_u8, prop::collection::btree_map("[ab]", -3..3_i64, 0..3));
    let link = (0..6_usize, 0..6_usize, "[ab]|input", prop::option::of(1..3_u32), any::<bool>());
    let nodes = prop::collection::vec(prop::option::weighted(0.8, node), 6);
    let rest = (prop::option::of(0..6_usize), prop::option::of("[xy]"));
    (nodes, prop::collection::vec(link, 0..12), rest).prop_map(|(nodes, links, (clock, title))| {
        let mut graph = Graph { name: title, ..Graph::new() };
        for (place, (kind, program, set)) in nodes.into_iter().enumerate().filter_map(|(i, n)| Some((i, n?)))
        {
            let (name, program) = (format!("n{place}"), program.to_string());
            let value = |number: i64| match number {
                ..0 => Value::parse(&format!("time * {number}")).expect("an expression"),
                _ => Value::Int(number),
            };
            let set = set.into_iter().map(|(name, number)| (name, value(number))).collect();
            let node = match kind {
                0 => Node::Source(Source { uri: program, ..source() }),
                1 => Node::Effect(Effect { set, ..Effect::new(EffectText::File(program)) }),
                2 => Node::Processor(Processor { set, ..Processor::new(program) }),
                _ => Node::Sink(Sink { uri: program, input: None }),
            };
            graph.insert(name, node);
        }
        for (from, to, port, delay, delivery) in links {
            let delivery = delivery.then_some(Delivery::Latest);
            let link = Link { delay: delay.unwrap_or(0), delivery, ..Link::from_node(format!("n{from}")) };
            // What cannot be is left out.
            let _ = graph.connect(link, &format!("n{to}.{port}"));
        }
        let clock = clock.map(|place| format!("n{place}"));
        let _ = graph.apply(&Edit::Clock { source: clock });
        graph
    })
}

proptest! {
    #[test]
    fn the_diff_of_two_graphs_makes_one_of_the_other(a in any_graph(), b in any_graph()) {
        let edits = a.diff(&b);
        let mut edited = a;
        prop_assert_eq!(edited.apply_all(&edits), Ok(()), "{:?}", edits);
        prop_assert_eq!(&edited, &b);
        prop_assert_eq!(b.diff(&edited), vec![]);
        let json = serde_json::to_string(&edits).expect("edits are JSON");
        prop_assert_eq!(serde_json::from_str::<Vec<Edit>>(&json).expect("and back"), edits);
    }

    #[test]
    fn a_diff_of_values_sets_parameters_only(a in any_graph(), value in 5..9_i64) {
        let mut b = a.clone();
        for node in b.nodes.values_mut() {
            if let Node::Effect(Effect { set, .. }) | Node::Processor(Processor { set, .. }) = node {
                set.remove("a");
                set.insert("c".into(), Value::Int(value));
            }
        }
        let edits = a.diff(&b);
        let all_set = edits.iter().all(|edit| matches!(edit, Edit::Set { .. }));
        prop_assert!(all_set, "{:?}", edits);
        let mut edited = a;
        prop_assert_eq!(edited.apply_all(&edits), Ok(()));
        prop_assert_eq!(edited, b);
    }
}
