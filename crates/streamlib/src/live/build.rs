//! From graph to plan: everything is opened, compiled and created before anything that runs is touched.

use std::collections::BTreeMap;
use std::num::NonZeroU16;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use streamlib_core::engine::{Engine, Shelf};
use streamlib_core::gpu::Gpu;
use streamlib_core::graph::{DEFAULT_BOUND, Delivery, Graph, INPUT, Link, Node, Ports, Processor};
use streamlib_core::interface::Interface;
use streamlib_core::live::Pace;
use streamlib_core::mailbox::Policy;
use streamlib_core::picture::{PictureFormat, PictureLayout};
use streamlib_core::plan::{Drain, Feed, Fusion, Layout, Parts, Plan};
use streamlib_vulkan::VulkanGpu;

use super::BuildTimes;
use super::hire::{BuiltConsumer, Hiring};
use super::options::{LiveOptions, Pacing};
use super::processor::View;
use super::showing;
use super::stage::{ConsumerKind, SourceFacts, SourceKind, Stage};
use super::system::SurfaceSource;
use crate::adapt::{adapt_readers, adapt_sources, adapt_takers};
use crate::conversions::Conversions;
use crate::error::RunError;
use crate::overlay::{Overlay, adapt_screens};
use crate::programs::{Programs, Ready, choose_clock};
use crate::runtime::StreamRuntime;
use crate::sinks::takes_textures;
use crate::sources::{GENERATED_FPS, PictureSource};
use crate::surface::SURFACE;

/// A plan ready to run.
pub(super) struct Built {
    pub(super) engine: Box<Engine<VulkanGpu>>,
    pub(super) plan: Arc<Plan>,
    pub(super) shelf: Shelf<VulkanGpu>,
    pub(super) interfaces: BTreeMap<String, Arc<Interface>>,
    /// Those that the plan needs.
    pub(super) sources: BTreeMap<String, BuiltSource>,
    /// By node and input port, in the plan's order of outlets.
    pub(super) consumers: Vec<((String, String), BuiltConsumer)>,
    /// Effects that draw numbers.
    pub(super) overlays: Vec<Overlay>,
    pub(super) pace: Pace,
    /// The clock source's place in the plan, unless it is generated or a still: with its end the graph ends.
    pub(super) ends_with: Option<usize>,
    pub(super) times: BuildTimes,
}

pub(super) struct BuiltSource {
    pub(super) facts: SourceFacts,
    pub(super) delivery: Delivery,
    pub(super) tag: u64,
    /// Place in the plan; none for a source that the plan draws.
    pub(super) place: Option<usize>,
    /// None when it runs already, and when there is nothing to read.
    pub(super) opened: Option<OpenedSource>,
    pub(super) is_kept: bool,
}

impl BuiltSource {
    /// Place in the plan of a source that gives frame after frame, and may end.
    fn moving_place(&self) -> Option<usize> {
        self.place.filter(|_| !self.facts.is_still)
    }
}

/// Where a new source's frames come from.
pub(super) enum OpenedSource {
    Pictures(PictureSource),
    Surface(SurfaceSource),
}

/// Numbers for sources and consumers, never given twice.
pub(super) fn next_tag() -> u64 {
    static TAGS: AtomicU64 = AtomicU64::new(1);
    TAGS.fetch_add(1, Ordering::Relaxed)
}

/// Builds a plan for `graph`, to take over from what `stage` runs.
pub(super) fn build(
    runtime: &StreamRuntime,
    options: &LiveOptions,
    graph: &Graph,
    stage: &Stage,
) -> Result<Built, RunError> {
    let (ports, views) = processors(graph, options)?;
    let mut adapted = graph.clone();
    let mut overlays = adapt_screens(&mut adapted)?;
    let (takers, mut readers) = outside(graph, &views);
    readers.extend(srgb_surfaces(graph));
    adapt_readers(&mut adapted, &readers);
    adapt_sources(&mut adapted);
    adapt_takers(&mut adapted, &takers);
    let started = Instant::now();
    let mut programs = Programs::compile(runtime, &adapted, &options.base)?;
    let mut times = BuildTimes { compile: started.elapsed(), ..BuildTimes::default() };
    for overlay in &mut overlays {
        let interface = programs.interfaces[overlay.effect()].clone();
        overlay.compiled(&mut adapted, &interface.parameters);
    }
    let order = Plan::order(&adapted, &programs.interfaces, &ports)?;
    // What nobody needs is not opened, and must not be asked for its size.
    adapted.nodes.retain(|name, _| order.contains(name));
    adapted.clock = adapted.clock.filter(|clock| adapted.nodes.contains_key(clock));

    let mut sources = BTreeMap::new();
    for (node, spec) in graph.sources().filter(|(node, _)| order.iter().any(|name| name == node)) {
        let delivery = graph.source_delivery(node);
        let kept = stage
            .sources
            .get(node)
            .filter(|running| running.spec == *spec && running.facts.kind != SourceKind::Generated);
        let source = match kept {
            Some(running) if delivery.is_none_or(|delivery| delivery == running.delivery) => BuiltSource {
                facts: running.facts.clone(),
                delivery: running.delivery,
                tag: running.tag,
                place: None,
                opened: None,
                is_kept: true,
            },
            _ => open(&mut programs, runtime, options, (node, spec, delivery))?,
        };
        sources.insert(node.to_owned(), source);
    }
    let sizes = sources.iter().map(|(node, source)| (node.clone(), source.facts.size)).collect();
    let layout = Layout::new(&adapted, &sizes, runtime.gpu().info().max_texture_size)?;
    let mut conversions = Conversions::new(runtime.compiler());
    let mut feeds = BTreeMap::new();
    for (node, source) in &sources {
        let feed = match source.facts.kind {
            SourceKind::Pictures(format) => Feed::Pictures(format, conversions.reading(node, format)?),
            SourceKind::Textures(format) => Feed::Textures(source.facts.size, format),
            SourceKind::Generated => {
                Feed::Generated(source.facts.size, Arc::new(programs.effects[node].interface.clone()))
            }
        };
        feeds.insert(node.clone(), feed);
    }
    let clock = choose_clock(graph, |node| sources.get(node).is_none_or(|source| source.facts.is_still));
    let frame_rate = clock.and_then(|clock| sources.get(clock)).and_then(|source| source.facts.frame_rate);

    let hiring = Hiring { gpu: runtime.gpu(), options, layout: &layout, views: &views, stage, frame_rate };
    let mut consumers = BTreeMap::new();
    let outlets = outlets(&adapted, &order);
    for (key, link) in &outlets {
        consumers.insert(key.clone(), hiring.consumer(graph, key, link)?);
    }
    let mut shown = showing::arrange(runtime.gpu(), &mut adapted, &layout, &outlets, &consumers);
    let mut drains = BTreeMap::new();
    for (key, consumer) in &consumers {
        let Some((_, link)) = adapted.video_links(&key.0).find(|(port, _)| *port == key.1) else { continue };
        let drain = match &consumer.spec.kind {
            ConsumerKind::File(_, format) => Drain::Pictures(*format, conversions.writing(&key.0, *format)?),
            ConsumerKind::Processor(_, View::Picture) => Drain::Pictures(rgba(layout.size(&link.node)), None),
            ConsumerKind::Surface(_) => Drain::Shared(consumer.sharing),
            _ => shown.remove(key).map_or(Drain::Textures, Drain::Scanout),
        };
        drains.insert(key.clone(), drain);
    }
    let mut fusion = if options.fuse {
        Fusion::new(&adapted, &layout, &programs.interfaces, &order)
    } else {
        Fusion::default()
    };
    let fusing = Instant::now();
    let fused = programs.fuse(runtime.compiler(), &mut fusion);
    times.compile += fusing.elapsed();
    let parts = Parts {
        effects: &programs.interfaces,
        processors: &ports,
        fused: &fused,
        feeds: &feeds,
        drains: &drains,
    };
    let plan = Arc::new(Plan::new(&adapted, &layout, &parts)?);
    for (place, planned) in plan.sources.iter().enumerate() {
        if let Some(source) = sources.get_mut(&planned.node) {
            source.place = Some(place);
        }
    }
    let consumers: Vec<_> = plan
        .outlets
        .iter()
        .filter_map(|outlet| consumers.remove_entry(&(outlet.node.clone(), outlet.port.clone())))
        .collect();
    let specs: Vec<_> = consumers.iter().map(|(_, consumer)| consumer.outlet()).collect();
    let engine = Engine::new(runtime.gpu().clone(), plan.clone(), &specs, stage.shelf.as_ref(), |kernel| {
        let building = Instant::now();
        let kernel = runtime.kernel(kernel, programs.code(&kernel.code, &conversions));
        times.kernels += building.elapsed();
        kernel
    });
    let engine = Box::new(engine?);
    let clock = clock.and_then(|clock| sources.get(clock));
    let (pace, ends_with) = (pace(options, clock), clock.and_then(BuiltSource::moving_place));
    let shelf = engine.shelf();
    let interfaces = programs.interfaces;
    Ok(Built { engine, plan, shelf, interfaces, sources, consumers, overlays, pace, ends_with, times })
}

fn open(
    programs: &mut Programs,
    runtime: &StreamRuntime,
    options: &LiveOptions,
    (node, spec, delivery): (&str, &streamlib_core::graph::Source, Option<Delivery>),
) -> Result<BuiltSource, RunError> {
    let ready = programs.open_source(runtime, (node, spec), &options.base, Some(runtime.gpu()))?;
    let facts = SourceFacts::of(&ready);
    // What comes from outside is worth most when it is new; a file waits, and where nothing else sets its pace, for every picture.
    let usual = match options.pacing {
        _ if facts.is_live => Delivery::Latest,
        Pacing::Free => Delivery::Lossless { bound: DEFAULT_BOUND },
        Pacing::Clock | Pacing::Rate(_) => Delivery::Every { bound: DEFAULT_BOUND },
    };
    let opened = match ready {
        Ready::Pictures(source) => Some(OpenedSource::Pictures(source)),
        Ready::Surface(surface) => Some(OpenedSource::Surface(surface)),
        Ready::App { .. } | Ready::Generated { .. } => None,
    };
    let (delivery, tag) = (delivery.unwrap_or(usual), next_tag());
    Ok(BuiltSource { facts, delivery, tag, place: None, opened, is_kept: false })
}

/// A node and one of its input ports.
type Key = (String, String);

/// The ports of every processor, and how it wants its frames.
type Registered = (BTreeMap<String, Ports>, BTreeMap<String, View>);

fn processors(graph: &Graph, options: &LiveOptions) -> Result<Registered, RunError> {
    let (mut ports, mut views) = (BTreeMap::new(), BTreeMap::new());
    for (node, processor) in graph.processors() {
        let Some(kind) = options.processors.get(&processor.processor) else {
            let known: Vec<_> = options.processors.keys().cloned().collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            let (node, processor) = (node.to_owned(), processor.processor.clone());
            return Err(RunError::UnknownProcessor { node, processor, known });
        };
        ports.insert(node.to_owned(), kind.ports.clone());
        views.insert(node.to_owned(), kind.view);
    }
    Ok((ports, views))
}

/// Inputs outside the plan that take textures, and those that take pictures.
fn outside(graph: &Graph, views: &BTreeMap<String, View>) -> (Vec<Key>, Vec<Key>) {
    let sinks = graph.sinks().map(|(node, sink)| (node.to_owned(), INPUT.to_owned(), takes_textures(sink)));
    let processors = graph.processors().flat_map(|(node, _)| {
        let is_taker = views.get(node) == Some(&View::Texture);
        graph.video_links(node).map(move |(port, _)| (node.to_owned(), port.to_owned(), is_taker))
    });
    let (takers, readers): (Vec<_>, Vec<_>) = sinks.chain(processors).partition(|(.., is_taker)| *is_taker);
    let keys = |inputs: Vec<(String, String, bool)>| inputs.into_iter().map(|(n, p, _)| (n, p)).collect();
    (keys(takers), keys(readers))
}

/// Sinks whose frames other programs read, and that would get textures of sRGB: what these mean when they are read is known here
/// alone, so that they are encoded first.
fn srgb_surfaces(graph: &Graph) -> impl Iterator<Item = Key> {
    let is_srgb = |link: &Link| match graph.nodes.get(&link.node) {
        Some(Node::Effect(effect)) => effect.format.is_srgb(),
        _ => false,
    };
    let surfaces = graph.sinks().filter(|(_, sink)| sink.uri.starts_with(SURFACE));
    let encoded = surfaces.filter(move |(_, sink)| sink.input.as_ref().is_some_and(is_srgb));
    encoded.map(|(node, _)| (node.to_owned(), INPUT.to_owned()))
}

/// Every input outside the plan, with its link.
fn outlets(graph: &Graph, order: &[String]) -> Vec<((String, String), Link)> {
    let outside =
        order.iter().filter(|name| matches!(graph.nodes[*name], Node::Sink(_) | Node::Processor(_)));
    let links = outside.flat_map(|name| {
        graph.video_links(name).map(move |(port, link)| ((name.clone(), port.to_owned()), link.clone()))
    });
    links.collect()
}

fn rgba(size: streamlib_core::format::Size) -> PictureFormat {
    PictureFormat { size, layout: PictureLayout::Rgba8, color: streamlib_core::color::ColorSpace::default() }
}

fn pace(options: &LiveOptions, clock: Option<&BuiltSource>) -> Pace {
    let interval = |fps: f64| (1e9 / fps.max(f64::MIN_POSITIVE)).round() as i64;
    let interval_ns =
        clock.and_then(|clock| clock.facts.interval_ns()).unwrap_or_else(|| interval(GENERATED_FPS));
    let place = clock.and_then(BuiltSource::moving_place);
    let is_file = clock.is_some_and(|clock| !clock.facts.is_live);
    match (options.pacing, place) {
        (Pacing::Rate(fps), _) => Pace::Every(interval(fps)),
        (Pacing::Clock, None) => Pace::Every(interval_ns),
        (Pacing::Clock, Some(source)) => {
            let patience_ns = options.patience.as_nanos().try_into().unwrap_or(i64::MAX);
            Pace::Source { source, interval_ns, patience_ns }
        }
        // Each picture of a file runs once, however fast it is read.
        (Pacing::Free, Some(source)) if is_file => {
            Pace::Source { source, interval_ns, patience_ns: i64::MAX }
        }
        (Pacing::Free, _) => Pace::Free,
    }
}

/// What has to stay the same for a processor to go on: where its frames and messages come from may change.
pub(super) fn without_origins(processor: &Processor) -> Processor {
    let mut processor = processor.clone();
    for link in processor.inputs.values_mut() {
        *link = Link { delivery: link.delivery, ..Link::from_node("") };
    }
    processor
}

/// A delivery as a mailbox does it.
pub(super) fn policy(delivery: Delivery) -> Policy {
    let bound = NonZeroU16::new(delivery.bound().try_into().unwrap_or(u16::MAX)).unwrap_or(NonZeroU16::MIN);
    match delivery {
        Delivery::Latest => Policy::Latest,
        Delivery::Every { .. } => Policy::Every { bound },
        Delivery::Lossless { .. } => Policy::Lossless { bound },
    }
}
