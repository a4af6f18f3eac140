//! The graphs of `effects/graphs/`, run from files to files by the runtime and once more by the oracles.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};

use streamlib::RunOptions;
use streamlib::expression::FrameVariables;
use streamlib::format::TextureFormat;
use streamlib::graph::{Effect, EffectText, Graph, Node, OutputSize, Ports};
use streamlib::interface::ParameterValue;

use crate::device::Device;
use crate::difference::Difference;
use crate::library::{self, Library};
use crate::oracle::{Image, Setup};
use crate::setup::{self, Inputs};
use crate::{golden, picture};

/// Code values of difference that 99 of 100 pixels may have at most.
const TOLERANCE: f64 = 3.5;
/// The same for every pixel: the eight passes of `demo` round to 8 bits, and its steep curves multiply what earlier ones have
/// rounded the other way.
const WORST: f64 = 8.5;

#[test]
fn every_graph_shows_what_the_oracles_of_its_effects_say_together() {
    let Some(library) = Library::open() else { return };
    let Some(device) = Device::open(library) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let film: Vec<Image> = (0..3).map(|i| picture::scene(96, 54, f64::from(i) * 0.1)).collect();
    for (number, frame) in film.iter().enumerate() {
        golden::write(&folder.path().join(format!("in_{number}.png")), frame);
    }
    let mut names = Vec::new();
    for path in paths() {
        let (graph, base) = streamlib::load_graph(&path).unwrap_or_else(|error| panic!("{error}"));
        let name = graph.name.clone().expect("a name");
        let graph = with_files(graph, folder.path());
        let report = device.runtime.run(&graph, &RunOptions { base, ..RunOptions::default() });
        let report = report.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(report.frames_out, 3, "{name}");

        let wanted = render(library, &graph, &film).unwrap_or_else(|error| panic!("{name}: {error}"));
        for (number, wanted) in wanted.iter().enumerate() {
            let got = golden::read(&folder.path().join(format!("out_{number}.png")));
            let difference = Difference::between(&got, wanted);
            let (most, worst) = (difference.greatest(0.01), difference.greatest(0.0));
            println!("{most:>6.2} {worst:>6.2}  {name}, frame {number}");
            assert!(most <= TOLERANCE && worst <= WORST, "{name}, frame {number}: {most:.2}, {worst:.2}");
        }
        names.push(name);
    }
    device.assert_valid();
    for name in ["separable_blur", "bloom", "frame_difference", "trails", "drift", "demo"] {
        assert!(names.iter().any(|found| found == name), "there is no graph `{name}`");
    }
}

fn paths() -> Vec<PathBuf> {
    let entries =
        std::fs::read_dir(library::directory().join("graphs")).expect("effects/graphs can be listed");
    entries.map(|entry| entry.expect("effects/graphs can be listed").path()).collect()
}

/// The graph with pictures of `folder` as its source and its sink.
fn with_files(mut graph: Graph, folder: &Path) -> Graph {
    let file = |name: &str| folder.join(name).to_string_lossy().into_owned();
    for node in graph.nodes.values_mut() {
        match node {
            Node::Source(source) => {
                (source.uri, source.size) = (file("in_%d.png"), None);
            }
            Node::Sink(sink) => sink.uri = file("out_%d.png"),
            Node::Effect(_) | Node::Processor(_) => {}
        }
    }
    graph
}

/// What the sink of `graph` gets for each frame of `film`.
fn render(library: &Library, graph: &Graph, film: &[Image]) -> Result<Vec<Image>, Box<dyn Error>> {
    let mut ports = BTreeMap::new();
    for (name, effect) in graph.effects() {
        ports.insert(name, Ports::from(&library.effect(effect_name(effect)?).1.interface));
    }
    let order = graph.order(|node| &ports[node])?;

    let mut results = Vec::new();
    let mut past = BTreeMap::new();
    for (number, frame) in film.iter().enumerate() {
        let mut now: BTreeMap<&str, Image> = BTreeMap::new();
        for name in &order {
            let node = &graph.nodes[name];
            let linked = node.links().map(|(port, link)| {
                let black = || Image::from_fn(frame.width(), frame.height(), |_, _| [0.0, 0.0, 0.0, 1.0]);
                let image = match link.delay {
                    0 => now[link.node.as_str()].clone(),
                    1 => past.get(link.node.as_str()).cloned().unwrap_or_else(black),
                    _ => panic!("the test remembers one frame only"),
                };
                (port.to_owned(), image)
            });
            let linked: Inputs = linked.collect();
            match node {
                Node::Source(_) => drop(now.insert(name, frame.clone())),
                Node::Effect(effect) => drop(now.insert(name, pass(library, effect, linked, number)?)),
                Node::Processor(_) => {}
                Node::Sink(_) => results.extend(linked.into_values()),
            }
        }
        past = now;
    }
    Ok(results)
}

fn pass(library: &Library, effect: &Effect, inputs: Inputs, number: usize) -> Result<Image, Box<dyn Error>> {
    let (case, compiled) = library.effect(effect_name(effect)?);
    let mut stated = vec![("frame_number".to_owned(), vec![number as f64])];
    // Numbered pictures come at 30 frames a second.
    let frame = FrameVariables { time: number as f64 / 30.0, delta: 1.0 / 30.0, frame: number as f64 };
    for (name, value) in &effect.set {
        let parameter = compiled.interface.parameter(name)?;
        let ParameterValue { mut numbers, expressions } = parameter.check(value)?;
        for (component, expression) in expressions {
            numbers[component] = parameter.nearest(component, expression.evaluate(&frame));
        }
        stated.push((name.clone(), numbers));
    }
    let (width, height) = (inputs["input"].width(), inputs["input"].height());
    let (width, height) = match effect.size {
        OutputSize::AsInput => (width, height),
        OutputSize::Scale(scale) => {
            ((f64::from(width) * scale).ceil() as u32, (f64::from(height) * scale).ceil() as u32)
        }
        OutputSize::Fixed(size) => (size.width, size.height),
    };
    let values = setup::values(&compiled.interface, stated.into_iter());
    let image = Setup { inputs, values, width, height }.render(case.oracle);
    Ok(if effect.format == TextureFormat::Rgba8 { image.rounded() } else { image })
}

/// Name of the library's effect that a node runs.
fn effect_name(effect: &Effect) -> Result<&str, String> {
    let EffectText::File(path) = &effect.text else {
        return Err("the graph has an effect that is no file".to_owned());
    };
    let name = path.strip_prefix("../").and_then(|path| path.strip_suffix(".hlsl"));
    name.ok_or_else(|| format!("`{path}` is no effect of the library"))
}
