//! The graphs of `effects/graphs/`: read, linked and set up as they are meant.

use std::collections::BTreeMap;

use streamlib_core::graph::{EffectText, Graph, PortNames};

use crate::library::{self, Library};

#[test]
fn every_graph_is_whole_and_sets_only_what_its_effects_have() {
    let Some(library) = Library::open() else { return };
    let directory = library::directory().join("graphs");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(directory).expect("effects/graphs can be listed") {
        let path = entry.expect("effects/graphs can be listed").path();
        let text = std::fs::read_to_string(&path).expect("a graph file");
        let graph = Graph::from_toml(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        check(library, &graph).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        names.extend(graph.name);
    }
    for name in ["separable_blur", "bloom", "frame_difference", "demo"] {
        assert!(names.contains(&name.to_owned()), "there is no graph `{name}`");
    }
}

fn check(library: &Library, graph: &Graph) -> Result<(), Box<dyn std::error::Error>> {
    let outputs = ["output".to_owned()];
    let mut inputs: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (node, effect) in graph.effects() {
        let EffectText::File(path) = &effect.text else {
            return Err(format!("node `{node}` has no effect file").into());
        };
        let name = path.strip_prefix("../").and_then(|path| path.strip_suffix(".hlsl"));
        let name = name.ok_or_else(|| format!("node `{node}`: `{path}` is no effect of the library"))?;
        let interface = &library.effect(name).interface;
        for (parameter, value) in &effect.set {
            interface.parameter(parameter)?.check(value)?;
        }
        inputs.insert(node, interface.inputs.iter().map(|slot| slot.name.clone()).collect());
    }
    graph.order(|node| PortNames { inputs: &inputs[node], outputs: &outputs })?;
    Ok(())
}
