//! Graphs from files, and the graph of one source, a chain of effects and one sink.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use streamlib_core::format::Size;
use streamlib_core::graph::{Effect, EffectText, Graph, INPUT, Link, Node, OutputSize, Sink, Source};
use streamlib_shader::EffectSource;

use crate::error::RunError;
use crate::sources::is_program;

/// Reads a graph file. The second value is the folder that the graph's paths are relative to.
///
/// # Errors
/// When the file cannot be read or is no graph.
pub fn load_graph(path: &Path) -> Result<(Graph, PathBuf), RunError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| RunError::GraphIo { path: path.to_owned(), source })?;
    let graph =
        Graph::from_toml(&text).map_err(|error| RunError::GraphFile { path: path.to_owned(), error })?;
    Ok((graph, path.parent().unwrap_or(Path::new("")).to_owned()))
}

/// The files that the programs of a graph, effects and drawn sources, are read from, by node: each program's own first, then
/// what it includes. A file that is named and not there is among them, so that whoever watches them sees it come. Nodes whose
/// program is in the graph itself, and includes nothing, are left out.
#[must_use]
pub fn program_files(graph: &Graph, base: &Path) -> BTreeMap<String, Vec<PathBuf>> {
    let of_file = |path: PathBuf| match EffectSource::from_file(&path) {
        Ok(source) => {
            source.files().map(PathBuf::from).chain(source.missing_files().map(Path::to_owned)).collect()
        }
        Err(_) => vec![path],
    };
    let effects = graph.effects().map(|(node, effect)| {
        let files = match &effect.text {
            EffectText::File(file) => of_file(base.join(file)),
            EffectText::Inline(text) => {
                let source = EffectSource::from_text(node, text).with_base_dir(base);
                let included = source.files().skip(1).map(|file| base.join(file));
                included.chain(source.missing_files().map(Path::to_owned)).collect()
            }
        };
        (node.to_owned(), files)
    });
    let drawn = graph.sources().filter(|(_, source)| is_program(&source.uri));
    let drawn = drawn.map(|(node, source)| (node.to_owned(), of_file(base.join(&source.uri))));
    effects.chain(drawn).filter(|(_, files)| !files.is_empty()).collect()
}

/// The graph `input → effects → output`. Nodes are called `input`, after the effects' file names (`blur`, `blur2`, …) and
/// `output`. With a `size`, frames are scaled (bilinear) before the first effect.
#[must_use]
pub fn play_graph(source: Source, effects: &[PathBuf], size: Option<Size>, output: &str) -> Graph {
    const RESIZE: &str = "float4 main(float2 uv : TEXCOORD) : SV_Target { return tex2D(input, uv); }";
    let mut graph = Graph::default();
    graph.insert("input", Node::Source(source));
    let mut last = "input".to_owned();
    let mut append = |graph: &mut Graph, wanted: &str, mut effect: Effect| {
        let name = free_name(graph, wanted);
        effect.inputs.insert(INPUT.to_owned(), Link::from_node(&last));
        graph.insert(&name, Node::Effect(effect));
        last = name;
    };
    if let Some(size) = size {
        let text = EffectText::Inline(RESIZE.to_owned());
        append(&mut graph, "resize", Effect { size: OutputSize::Fixed(size), ..Effect::new(text) });
    }
    for path in effects {
        let stem = path.file_stem().map_or("effect".into(), |stem| stem.to_string_lossy());
        let text = EffectText::File(path.to_string_lossy().into_owned());
        append(&mut graph, &stem.replace('.', "_"), Effect::new(text));
    }
    let input = Some(Link::from_node(last));
    graph.insert("output", Node::Sink(Sink { uri: output.to_owned(), input }));
    graph
}

/// `wanted`, or `wanted2`, `wanted3`, …; never `output`, which is to come.
fn free_name(graph: &Graph, wanted: &str) -> String {
    let taken = |name: &str| name == "output" || graph.nodes.contains_key(name);
    let numbered = (2_u64..).map(|number| format!("{wanted}{number}"));
    std::iter::once(wanted.to_owned()).chain(numbered).find(|name| !taken(name)).expect("numbers do not end")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn effects_are_named_after_their_files_and_chained() {
        let effects = ["a/blur.hlsl", "b/blur.hlsl", "output.hlsl"].map(PathBuf::from);
        let source = Source { uri: "x.mp4".into(), ..Source::default() };
        let graph = play_graph(source, &effects, Some(Size::new(8, 8)), "o.mp4");
        let names: Vec<_> = graph.nodes.keys().map(String::as_str).collect();
        assert_eq!(names, ["blur", "blur2", "input", "output", "output2", "resize"]);
        let from = |name: &str| graph.main_link(name).map(|link| link.node.clone()).expect("linked");
        assert_eq!(from("output"), "output2");
        assert_eq!(from("output2"), "blur2");
        assert_eq!(from("blur2"), "blur");
        assert_eq!(from("blur"), "resize");
        assert_eq!(from("resize"), "input");
    }

    #[test]
    fn files_of_programs_are_those_that_are_read_and_those_that_are_missed() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
        write("a.hlsl", "#include \"there.hlsli\"\n#include \"missing.hlsli\"");
        write("there.hlsli", "");
        let graph = "
            [nodes.drawn]
            source = 'gone.hlsl'
            [nodes.video]
            source = 'x.mp4'
            [nodes.a]
            effect = 'a.hlsl'
            [nodes.b]
            hlsl = '#include \"there.hlsli\"'
            [nodes.plain]
            hlsl = ''";
        let files = program_files(&Graph::from_toml(graph).expect("a graph"), folder.path());
        let names = |node: &str| -> Vec<String> {
            let paths =
                files[node].iter().map(|path| path.strip_prefix(folder.path()).expect("in the folder"));
            paths.map(|path| path.display().to_string()).collect()
        };
        assert_eq!(files.keys().collect::<Vec<_>>(), ["a", "b", "drawn"]);
        assert_eq!(names("a"), ["a.hlsl", "there.hlsli", "missing.hlsli"]);
        assert_eq!(names("b"), ["there.hlsli"]);
        assert_eq!(names("drawn"), ["gone.hlsl"]);
    }
}
