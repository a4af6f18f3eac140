//! From graph to plan: everything is opened, compiled and created before anything that runs is touched.

use std::collections::BTreeMap;
use std::num::NonZeroU16;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use streamlib_core::engine::{Engine, OutletSpec, Shelf};
use streamlib_core::gpu::Gpu;
use streamlib_core::graph::{DEFAULT_BOUND, Delivery, Graph, INPUT, Link, Node, Ports, Processor};
use streamlib_core::interface::Interface;
use streamlib_core::live::Pace;
use streamlib_core::mailbox::Policy;
use streamlib_core::picture::{PictureFormat, PictureLayout};
use streamlib_core::plan::{Drain, Feed, Fusion, Layout, Parts, Plan};
use streamlib_media::{OutputOptions, VideoWriter};
use streamlib_vulkan::VulkanGpu;

use super::BuildTimes;
use super::display::{self, Display};
use super::options::{LiveOptions, Pacing};
use super::processor::View;
use super::stage::{ConsumerKind, ConsumerSpec, SourceFacts, SourceKind, Stage};
use super::system::{self, Publication, ScanoutScreen, SurfaceSource};
use crate::adapt::{adapt_readers, adapt_sources, adapt_takers};
use crate::conversions::Conversions;
use crate::display::DISPLAY;
use crate::error::RunError;
use crate::programs::{Programs, Ready, choose_clock};
use crate::runtime::StreamRuntime;
use crate::scanout::{KMS, ScanoutOptions};
use crate::sinks::{NULL, takes_textures};
use crate::sources::{APP, GENERATED_FPS, PictureSource};
use crate::surface::{PublishOptions, SURFACE};

/// Frames that a consumer may hold beside those that wait for it.
pub(super) const IN_HAND: usize = 2;

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
    pub(super) pace: Pace,
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

/// Where a new source's frames come from.
pub(super) enum OpenedSource {
    Pictures(PictureSource),
    Surface(SurfaceSource),
}

pub(super) struct BuiltConsumer {
    pub(super) spec: ConsumerSpec,
    pub(super) tag: u64,
    pub(super) is_kept: bool,
    /// The file of a new sink.
    pub(super) writer: Option<Box<dyn VideoWriter>>,
    /// Or its window.
    pub(super) display: Option<Display>,
    /// Or its screen.
    pub(super) screen: Option<ScanoutScreen>,
    /// Or its surface.
    pub(super) publication: Option<Publication>,
    /// Frames that it may hold beside those that wait for it.
    pub(super) in_hand: usize,
}

/// Numbers for sources and consumers, never given twice.
fn next_tag() -> u64 {
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
    let (takers, readers) = outside(graph, &views);
    adapt_readers(&mut adapted, &readers);
    adapt_sources(&mut adapted);
    adapt_takers(&mut adapted, &takers);
    let started = Instant::now();
    let mut programs = Programs::compile(runtime, &adapted, &options.base)?;
    let mut times = BuildTimes { compile: started.elapsed(), ..BuildTimes::default() };
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
    for (key, link) in outlets(&adapted, &order) {
        let consumer = hiring.consumer(graph, &key, &link)?;
        consumers.insert(key, consumer);
    }
    let mut drains = BTreeMap::new();
    for (key, consumer) in &consumers {
        let Some((_, link)) = adapted.video_links(&key.0).find(|(port, _)| *port == key.1) else { continue };
        let drain = match &consumer.spec.kind {
            ConsumerKind::File(_, format) => Drain::Pictures(*format, conversions.writing(&key.0, *format)?),
            ConsumerKind::Processor(_, View::Picture) => Drain::Pictures(rgba(layout.size(&link.node)), None),
            ConsumerKind::Surface(_) => Drain::Shared,
            _ => Drain::Textures,
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
    let pace = pace(options, clock.and_then(|clock| sources.get(clock)));
    let shelf = engine.shelf();
    Ok(Built { engine, plan, shelf, interfaces: programs.interfaces, sources, consumers, pace, times })
}

impl BuiltConsumer {
    fn outlet(&self) -> OutletSpec {
        let depth = match self.spec.kind {
            ConsumerKind::Null => 0,
            _ => self.spec.delivery.bound() as usize + self.in_hand,
        };
        OutletSpec { tag: self.tag, depth }
    }
}

fn open(
    programs: &mut Programs,
    runtime: &StreamRuntime,
    options: &LiveOptions,
    (node, spec, delivery): (&str, &streamlib_core::graph::Source, Option<Delivery>),
) -> Result<BuiltSource, RunError> {
    let ready = programs.open_source(runtime, (node, spec), &options.base, Some(runtime.gpu()))?;
    let facts = SourceFacts::of(&ready);
    // What comes from outside is worth most when it is new; a file waits.
    let usual = if facts.is_live { Delivery::Latest } else { Delivery::Every { bound: DEFAULT_BOUND } };
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

/// Every input outside the plan, with its link.
fn outlets(graph: &Graph, order: &[String]) -> Vec<((String, String), Link)> {
    let outside =
        order.iter().filter(|name| matches!(graph.nodes[*name], Node::Sink(_) | Node::Processor(_)));
    let links = outside.flat_map(|name| {
        graph.video_links(name).map(move |(port, link)| ((name.clone(), port.to_owned()), link.clone()))
    });
    links.collect()
}

/// What is needed to find a consumer for an outlet.
struct Hiring<'a> {
    gpu: &'a Arc<VulkanGpu>,
    options: &'a LiveOptions,
    layout: &'a Layout,
    views: &'a BTreeMap<String, View>,
    stage: &'a Stage,
    frame_rate: Option<(u32, u32)>,
}

impl Hiring<'_> {
    /// The consumer that runs already, or a new one.
    fn consumer(
        &self,
        graph: &Graph,
        key: &(String, String),
        link: &Link,
    ) -> Result<BuiltConsumer, RunError> {
        let (node, _) = key;
        let running = self.stage.consumers.get(key);
        let mut writer = None;
        let (kind, usual) = match &graph.nodes[node] {
            Node::Sink(sink) if sink.uri == APP => (ConsumerKind::App, Delivery::Latest),
            Node::Sink(sink) if sink.uri == NULL => (ConsumerKind::Null, Delivery::Latest),
            Node::Sink(sink) if sink.uri.starts_with(DISPLAY) => {
                (ConsumerKind::Display(sink.uri.clone()), Delivery::Latest)
            }
            Node::Sink(sink) if sink.uri.starts_with(KMS) => {
                (ConsumerKind::Scanout(sink.uri.clone()), Delivery::Latest)
            }
            Node::Sink(sink) if sink.uri.starts_with(SURFACE) => {
                (ConsumerKind::Surface(sink.uri.clone()), Delivery::Latest)
            }
            Node::Sink(sink) => {
                let uri = &sink.uri;
                let format = match running.map(|running| &running.spec.kind) {
                    Some(ConsumerKind::File(path, format)) if path == uri => {
                        if format.size != self.layout.size(node) {
                            let (from, to) = (format.size, self.layout.size(node));
                            return Err(RunError::SinkSize { node: node.clone(), from, to });
                        }
                        *format
                    }
                    _ => {
                        let created = self.create(node, uri)?;
                        let format = created.picture_format();
                        writer = Some(created);
                        format
                    }
                };
                (ConsumerKind::File(uri.clone(), format), Delivery::Every { bound: 8 })
            }
            Node::Processor(processor) => {
                let processor = without_origins(processor);
                let view = self.views.get(node).copied().unwrap_or_default();
                (ConsumerKind::Processor(processor, view), Delivery::Latest)
            }
            Node::Source(_) | Node::Effect(_) => {
                unreachable!("only sinks and processors are outside the plan")
            }
        };
        let spec = ConsumerSpec { kind, delivery: link.delivery.unwrap_or(usual) };
        let kept = running.filter(|running| running.spec == spec);
        if kept.is_none()
            && running.is_some()
            && writer.is_none()
            && matches!(spec.kind, ConsumerKind::File(..))
        {
            return Err(RunError::SinkBusy { node: node.clone() });
        }
        let display = match &spec.kind {
            ConsumerKind::Display(uri) if kept.is_none() => {
                let opened = display::open(self.gpu, node, uri, self.layout.size(&link.node));
                Some(opened.map_err(|error| RunError::Display { node: node.clone(), error })?)
            }
            _ => None,
        };
        let screen = match &spec.kind {
            ConsumerKind::Scanout(uri) if kept.is_none() => {
                let opened =
                    ScanoutOptions::parse(uri).and_then(|options| system::open_screen(self.gpu, &options));
                Some(opened.map_err(|error| RunError::Display { node: node.clone(), error })?)
            }
            _ => None,
        };
        let (mut publication, mut in_hand) = (None, IN_HAND);
        if let ConsumerKind::Surface(uri) = &spec.kind {
            let failed = |error| RunError::Surface { node: node.clone(), error };
            let options = PublishOptions::parse(uri).map_err(failed)?;
            in_hand = options.buffers;
            if kept.is_none() {
                publication = Some(system::open(self.gpu, &options).map_err(failed)?);
            }
        }
        let (tag, is_kept) = (kept.map_or_else(next_tag, |running| running.tag), kept.is_some());
        Ok(BuiltConsumer { spec, tag, is_kept, writer, display, screen, publication, in_hand })
    }

    fn create(&self, node: &str, uri: &str) -> Result<Box<dyn VideoWriter>, RunError> {
        let (frame_rate, quality) = (self.frame_rate, self.options.quality);
        let output = OutputOptions { frame_rate, quality, ..OutputOptions::new(self.layout.size(node)) };
        let writer = streamlib_media::create(&self.options.base.join(uri), &output);
        writer.map_err(|error| RunError::Create { node: node.to_owned(), error })
    }
}

fn rgba(size: streamlib_core::format::Size) -> PictureFormat {
    PictureFormat { size, layout: PictureLayout::Rgba8, color: streamlib_core::color::ColorSpace::default() }
}

fn pace(options: &LiveOptions, clock: Option<&BuiltSource>) -> Pace {
    let interval = |fps: f64| (1e9 / fps.max(f64::MIN_POSITIVE)).round() as i64;
    match (options.pacing, clock) {
        (Pacing::Free, _) => Pace::Free,
        (Pacing::Rate(fps), _) => Pace::Every(interval(fps)),
        (Pacing::Clock, None) => Pace::Every(interval(GENERATED_FPS)),
        (Pacing::Clock, Some(source)) => {
            let interval_ns = source.facts.interval_ns().unwrap_or_else(|| interval(GENERATED_FPS));
            match source.place {
                Some(place) if !source.facts.is_still => {
                    let patience_ns = options.patience.as_nanos().try_into().unwrap_or(i64::MAX);
                    Pace::Source { source: place, interval_ns, patience_ns }
                }
                _ => Pace::Every(interval_ns),
            }
        }
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
