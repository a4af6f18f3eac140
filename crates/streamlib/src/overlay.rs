//! Numbers about frames, drawn over them on their way to a screen: `stats=on`, or an effect of one's own, `stats=FILE.hlsl`.
//!
//! What is drawn is an effect like any other, put before the sink and fused with what stands before it. The runtime sets the
//! parameters that it has of those in [`NUMBERS`], beside the frames.

use streamlib_core::account::{Stats, Summary};
use streamlib_core::graph::{Effect, EffectText, Graph, INPUT, Link, Node};
use streamlib_core::interface::{Parameter, Scalar};
use streamlib_core::value::Value;

use crate::display::{DISPLAY, DisplayError, DisplayOptions};
use crate::error::RunError;
use crate::scanout::{KMS, ScanoutOptions};

/// The effect that ships.
const SHIPPED: &str = include_str!("../../../effects/frame_stats.hlsl");
/// Parameters that an effect may have, to be told.
pub(crate) const NUMBERS: [&str; 6] =
    ["frame_rate", "latency_ms", "latency_p99_ms", "gpu_ms", "missed", "dropped"];

/// What is wrong with a wish for numbers.
pub(crate) const WRONG: &str = "is not known: `stats` is on, off, or the file of an effect (.hlsl)";

/// What draws the numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Drawing {
    /// The effect that ships.
    Shipped,
    /// A file, relative to the graph's own.
    File(String),
}

impl Drawing {
    /// Reads the value of `stats`: nothing is drawn for `off`.
    ///
    /// # Errors
    /// When it is no such value.
    pub(crate) fn parse(value: &str) -> Result<Option<Self>, &'static str> {
        match value {
            "on" => Ok(Some(Self::Shipped)),
            "off" => Ok(None),
            file if file.ends_with(".hlsl") => Ok(Some(Self::File(file.to_owned()))),
            _ => Err(WRONG),
        }
    }

    fn text(self) -> EffectText {
        match self {
            Self::Shipped => EffectText::Inline(SHIPPED.to_owned()),
            Self::File(file) => EffectText::File(file),
        }
    }
}

/// An effect that draws numbers.
#[derive(Clone, Debug)]
pub(crate) struct Overlay {
    /// The sink before which it stands.
    sink: String,
    /// Its own node.
    effect: String,
    /// Those of its parameters that are told, once it is compiled.
    parameters: Vec<Parameter>,
    /// Sum and count of the latencies that were told already, and what they came to.
    told: (f64, u64),
    latency_ms: f64,
}

/// Puts an effect before every screen that asks for numbers.
pub(crate) fn adapt_screens(graph: &mut Graph) -> Result<Vec<Overlay>, RunError> {
    let mut wanted = Vec::new();
    for (node, sink) in graph.sinks() {
        let wrong = |error: DisplayError| RunError::Display { node: node.to_owned(), error };
        let drawing = if sink.uri.starts_with(DISPLAY) {
            DisplayOptions::parse(&sink.uri).map_err(wrong)?.stats
        } else if sink.uri.starts_with(KMS) {
            ScanoutOptions::parse(&sink.uri).map_err(wrong)?.stats
        } else {
            None
        };
        if let (Some(drawing), Some(link)) = (drawing, &sink.input) {
            wanted.push((node.to_owned(), drawing, link.clone()));
        }
    }
    let mut overlays = Vec::new();
    for (sink, drawing, link) in wanted {
        let mut effect = Effect::new(drawing.text());
        // What it reads it writes as it was: linear light is encoded again.
        if let Some(Node::Effect(before)) = graph.nodes.get(&link.node) {
            effect.format = before.format;
        }
        let delivery = link.delivery;
        effect.inputs.insert(INPUT.to_owned(), Link { delivery: None, ..link });
        let name = format!("{sink} statistics");
        graph.insert(name.clone(), Node::Effect(effect));
        if let Some(Node::Sink(node)) = graph.nodes.get_mut(&sink) {
            node.input = Some(Link { delivery, ..Link::from_node(&name) });
        }
        overlays.push(Overlay { sink, effect: name, parameters: vec![], told: (0.0, 0), latency_ms: 0.0 });
    }
    Ok(overlays)
}

impl Overlay {
    /// Its own node.
    pub(crate) fn effect(&self) -> &str {
        &self.effect
    }

    /// Takes those of the compiled effect's parameters that are told, and lets them begin with 0, since nothing is known yet.
    pub(crate) fn compiled(&mut self, graph: &mut Graph, parameters: &[Parameter]) {
        let is_told = |parameter: &&Parameter| {
            NUMBERS.contains(&parameter.name.as_str()) && parameter.ty.components() == 1
        };
        self.parameters = parameters.iter().filter(is_told).cloned().collect();
        if let Some(Node::Effect(effect)) = graph.nodes.get_mut(&self.effect) {
            effect.set.extend(self.parameters.iter().map(|p| (p.name.clone(), fitting(p, 0.0))));
        }
    }

    /// What its parameters are now.
    pub(crate) fn settings(&mut self, stats: &Stats) -> Vec<(String, String, Value)> {
        let shown = stats.nodes.iter().find(|node| node.name == self.sink).and_then(|node| node.shown);
        let latency = shown.map_or(stats.latency, |shown| shown.latency);
        self.follow(&latency);
        let missed = shown.filter(|shown| shown.by.tells_missed()).map_or(0, |shown| shown.missed);
        let number = |name: &str| match name {
            "frame_rate" => stats.fps,
            "latency_ms" => self.latency_ms,
            "latency_p99_ms" => latency.p99_us / 1e3,
            "gpu_ms" => stats.passes.iter().map(|pass| pass.gpu.mean_us).sum::<f64>() / 1e3,
            "missed" => missed as f64,
            _ => stats.drops().total() as f64,
        };
        let settings = self.parameters.iter().map(|parameter| {
            let value = fitting(parameter, number(&parameter.name));
            (self.effect.clone(), parameter.name.clone(), value)
        });
        settings.collect()
    }

    /// The mean of the latencies since this was last asked, where there are any.
    fn follow(&mut self, latency: &Summary) {
        let (sum, count) = (latency.mean_us * latency.count as f64, latency.count);
        let (told_sum, told_count) = std::mem::replace(&mut self.told, (sum, count));
        if count > told_count {
            self.latency_ms = (sum - told_sum) / (count - told_count) as f64 / 1e3;
        }
    }
}

/// The value nearest to `number` that a parameter takes.
fn fitting(parameter: &Parameter, number: f64) -> Value {
    let number = parameter.nearest(0, number);
    match parameter.ty.scalar {
        Scalar::Float => Value::Float(number),
        Scalar::Int | Scalar::Uint => Value::Int(number as i64),
        Scalar::Bool => Value::Bool(number != 0.0),
    }
}

#[cfg(test)]
mod tests {
    use streamlib_core::account::{DropReason, NodeStats, PassStats, ShownBy, ShownStats};
    use streamlib_core::format::TextureFormat;
    use streamlib_core::graph::Sink;
    use streamlib_core::interface::ParameterType;

    use super::*;

    fn parameter(name: &str, scalar: Scalar, max: Option<f64>) -> Parameter {
        let ty = ParameterType {
            scalar,
            rows: 1,
            columns: 1,
            matrix_stride: 0,
            rows_are_contiguous: true,
            array: None,
            array_stride: 0,
        };
        let (name, default) = (name.to_owned(), vec![0.0]);
        Parameter { name, ty, offset: 0, default, min: Some(0.0), max, description: None }
    }

    fn graph(uri: &str) -> Graph {
        let mut graph = Graph::new();
        let mut effect = Effect::new(EffectText::Inline(String::new()));
        effect.format = TextureFormat::Rgba8Srgb;
        graph.insert("look", Node::Effect(effect));
        let input = Some(Link::from_node("look"));
        graph.insert("out", Node::Sink(Sink { uri: uri.to_owned(), input }));
        graph
    }

    #[test]
    fn an_effect_is_put_before_screens_that_ask_for_it() {
        for uri in ["display:", "display:?stats=off", "kms:", "out.mp4", "null:"] {
            let mut graph = graph(uri);
            assert!(adapt_screens(&mut graph).expect(uri).is_empty());
            assert_eq!(graph.nodes.len(), 2, "{uri}");
        }
        for (uri, text) in [
            ("display:?scale=fill&stats=on", EffectText::Inline(SHIPPED.to_owned())),
            ("kms:HDMI-A-1?stats=looks/mine.hlsl", EffectText::File("looks/mine.hlsl".to_owned())),
        ] {
            let mut graph = graph(uri);
            let overlays = adapt_screens(&mut graph).expect(uri);
            assert_eq!(overlays.len(), 1);
            let Some(Node::Effect(effect)) = graph.nodes.get("out statistics") else { panic!("{uri}") };
            assert_eq!((&effect.text, effect.format), (&text, TextureFormat::Rgba8Srgb));
            assert_eq!(effect.inputs[INPUT].node, "look");
            assert_eq!(graph.main_link("out").expect("a link").node, "out statistics");
        }
        let error = adapt_screens(&mut graph("kms:?stats=maybe")).expect_err("no such thing");
        assert!(error.to_string().contains("the file of an effect"), "{error}");
    }

    #[test]
    fn the_parameters_that_the_effect_has_are_told_as_they_can_be() {
        let mut graph = graph("display:?stats=on");
        let mut overlay = adapt_screens(&mut graph).expect("a graph").remove(0);
        let parameters = [
            parameter("latency_ms", Scalar::Float, None),
            parameter("dropped", Scalar::Uint, Some(3.0)),
            parameter("radius", Scalar::Float, None),
        ];
        assert_eq!(overlay.effect(), "out statistics");
        overlay.compiled(&mut graph, &parameters);
        let Some(Node::Effect(effect)) = graph.nodes.get("out statistics") else { panic!("it is there") };
        assert_eq!(effect.set.keys().collect::<Vec<_>>(), ["dropped", "latency_ms"]);

        let latency = |count: u64, mean_us: f64| Summary { count, mean_us, ..Summary::default() };
        let mut stats = Stats { latency: latency(10, 5_000.0), ..Stats::default() };
        let told = |overlay: &mut Overlay, stats: &Stats| {
            let settings = overlay.settings(stats);
            assert!(settings.iter().all(|(node, ..)| node == "out statistics"));
            settings.into_iter().map(|(_, name, value)| (name, value)).collect::<Vec<_>>()
        };
        let value = |name: &str, value| (name.to_owned(), value);
        let expected = [value("latency_ms", Value::Float(5.0)), value("dropped", Value::Int(0))];
        assert_eq!(told(&mut overlay, &stats), expected);
        // What the screen says is nearer to what is seen, and of late is nearer to now; a range is kept to.
        let shown = ShownStats {
            by: ShownBy::PageFlip,
            frames: 30,
            missed: 1,
            replaced: 0,
            latency: latency(30, 15_000.0),
        };
        stats.nodes.push(NodeStats { name: "out".to_owned(), shown: Some(shown), ..NodeStats::default() });
        stats.nodes[0].counts.dropped = [(DropReason::Displaced, 9)].into_iter().collect();
        stats.passes.push(PassStats::default());
        let expected = [value("latency_ms", Value::Float(20.0)), value("dropped", Value::Int(3))];
        assert_eq!(told(&mut overlay, &stats), expected);
    }
}
