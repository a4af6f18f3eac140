//! Puts sources and consumers around a plan that was built: starts the new ones, and says which go on.

use std::collections::BTreeMap;
use std::sync::Arc;

use streamlib_core::account::{FrameCounters, NodeCounters, PassTimes};
use streamlib_core::engine::Parameters;
use streamlib_core::graph::{Delivery, Graph, Node, PortKind};
use streamlib_core::live::{Consumer, DeliverCommand, Destination, Input, Returns, Swap, TracedPlan};
use streamlib_core::mailbox::{self, Listener, Policy, Receiver};
use streamlib_vulkan::VulkanGpu;

use super::LiveFrame;
use super::app::{INLET_TEXTURES, VideoInlet, VideoOutlet};
use super::build::{Built, BuiltSource, OpenedSource, policy, without_origins};
use super::control::{Control, Works};
use super::display::DisplayJob;
use super::driver::Arrivals;
use super::end::HeldProcessor;
use super::event::LiveEvent;
use super::hire::BuiltConsumer;
use super::options::Pacing;
use super::processor::{Code, Ends, ProcessorJob, ProcessorThread};
use super::pulse::Pulse;
use super::route::{End, Router, Started};
use super::sink::{SinkJob, SinkThread};
use super::source::{SOURCE_UPLOADS, SourceJob, SourceThread};
use super::stage::{
    ConsumerKind, ProcessorWork, Pushing, RunningConsumer, RunningProcessor, RunningSource, SourceKind,
    Stage, Values,
};
use super::system::{ScanoutJob, SurfaceJob, SurfaceThread};
use super::trace;
use crate::error::RunError;

/// A plan with all that goes with it, ready to take over.
///
/// Dropped instead, it leaves nothing behind: files that were begun go first, before anything could tell them that they are
/// complete.
pub(super) struct Installed {
    pub(super) stage: NextStage,
    pub(super) generation: u64,
    pub(super) swap: Box<Swap<VulkanGpu>>,
    /// What the deliverer has to know before.
    pub(super) commands: Vec<DeliverCommand<VulkanGpu>>,
    pub(super) values: Values,
    pub(super) processors: Started,
    /// What a trace calls the parts of the plan.
    pub(super) traced: TracedPlan,
}

/// What will run beside the plan: what is new, and the names of what goes on.
pub(super) struct NextStage {
    stage: Stage,
    kept_sources: Vec<(String, usize)>,
    kept_consumers: Vec<(String, String)>,
    kept_processors: Vec<String>,
}

/// What does not go on.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) sources: Vec<RunningSource>,
    pub(super) consumers: Vec<RunningConsumer>,
    pub(super) processors: Vec<RunningProcessor>,
}

impl NextStage {
    /// Takes the place of the stage that ran, and what goes on from it.
    pub(super) fn replace(self, running: &mut Stage) -> Ended {
        let mut old = std::mem::replace(running, self.stage);
        for (node, place) in self.kept_sources {
            if let Some(mut source) = old.sources.remove(&node) {
                source.place = Some(place);
                running.sources.insert(node, source);
            }
        }
        for key in self.kept_consumers {
            running.consumers.extend(old.consumers.remove_entry(&key));
        }
        for node in self.kept_processors {
            running.processors.extend(old.processors.remove_entry(&node));
        }
        Ended {
            sources: old.sources.into_values().collect(),
            consumers: old.consumers.into_values().collect(),
            processors: old.processors.into_values().collect(),
        }
    }
}

/// Video inputs of processors that are about to start, by node.
type Inboxes = BTreeMap<String, Inbox>;

/// What a processor listens to, and the frames of each of its ports.
type Inbox = (Listener, Vec<(String, Receiver<LiveFrame>)>);

impl Control {
    /// Starts what a plan needs that does not run yet. Nothing that runs is touched.
    pub(super) fn install(
        self: &Arc<Self>,
        works: &Works,
        built: Built,
        graph: &Graph,
    ) -> Result<Installed, RunError> {
        let old = &works.stage;
        let generation = old.generation + 1;
        let counters = old.counters.for_nodes(graph.nodes.keys());
        let labels = built.plan.passes.iter().map(|pass| pass.label.as_str());
        let account = DeliverCommand::Account(generation, counters.clone(), PassTimes::new(labels));
        let traced = trace::names(&built, graph, generation);
        let places = built.plan.sources.len();
        let mut swap = Box::new(Swap {
            engine: built.engine,
            inputs: (0..places).map(|_| None).collect(),
            keep: vec![None; places],
            waits_for: Vec::new(),
            pace: built.pace,
            ends_with: built.ends_with,
            generation,
            ending: Vec::new(),
        });
        let mut commands = vec![account];
        let mut started = Started::default();
        let mut inboxes = Inboxes::new();
        // Dropped before the commands, when something fails: see `Installed`.
        let mut installed = NextStage {
            stage: Stage {
                generation,
                shelf: Some(built.shelf),
                counters,
                overlays: built.overlays,
                ..Stage::default()
            },
            kept_sources: vec![],
            kept_consumers: vec![],
            kept_processors: vec![],
        };
        for (node, source) in built.sources {
            let running = old.sources.get(&node).filter(|_| source.is_kept);
            if let (Some(running), Some(place)) = (running, source.place) {
                swap.keep[place] = running.place;
                installed.kept_sources.push((node, place));
                continue;
            }
            let installing = Installing { control: self, stage: &installed.stage };
            let running = installing.source(&node, source, graph, &mut swap, &mut commands)?;
            installed.stage.sources.insert(node, running);
        }
        for (key, consumer) in built.consumers {
            swap.waits_for.push(matches!(consumer.spec.delivery, Delivery::Lossless { .. }));
            if consumer.is_kept {
                installed.kept_consumers.push(key);
                continue;
            }
            let installing = Installing { control: self, stage: &installed.stage };
            let running = installing.consumer(&key, consumer, &mut inboxes, &mut commands)?;
            installed.stage.consumers.insert(key, running);
        }
        for (node, processor) in graph.processors() {
            let spec = without_origins(processor);
            if old.processors.get(node).is_some_and(|running| running.spec == spec) {
                installed.kept_processors.push(node.to_owned());
                continue;
            }
            let inbox = inboxes.remove(node);
            let work = self.processor(node, processor, inbox, &installed.stage.counters, &mut started)?;
            started.nodes.push(node.to_owned());
            installed.stage.processors.insert(node.to_owned(), RunningProcessor { spec, work });
        }
        let goes_on = |node: &String| installed.kept_sources.iter().any(|(kept, _)| kept == node);
        let sources = old.sources.iter().filter(|(node, _)| !goes_on(node)).map(|(_, source)| source.tag);
        let consumers = old.consumers.iter().filter(|(key, _)| !installed.kept_consumers.contains(key));
        swap.ending = sources.chain(consumers.map(|(_, consumer)| consumer.tag)).collect();
        let parameters = Parameters::of(&built.plan);
        let (graph, plan, interfaces) = (graph.clone(), built.plan, built.interfaces);
        let values = Values { graph, plan, generation, parameters, spare: None, interfaces, journal: None };
        Ok(Installed { stage: installed, generation, swap, commands, values, processors: started, traced })
    }

    fn processor(
        self: &Arc<Self>,
        node: &str,
        processor: &streamlib_core::graph::Processor,
        inbox: Option<Inbox>,
        counters: &FrameCounters,
        started: &mut Started,
    ) -> Result<ProcessorWork, RunError> {
        let kind = &self.options.processors[&processor.processor];
        let code = match &kind.code {
            Code::Made(make) => Some(make(processor).map_err(|error| RunError::MakeProcessor {
                node: node.to_owned(),
                why: error.to_string(),
            })?),
            Code::Held => None,
        };
        let (listener, video) = inbox.unwrap_or_else(|| (Listener::new(), Vec::new()));
        let mut data = Vec::new();
        for port in kind.ports.inputs.iter().filter(|port| port.kind == PortKind::Data) {
            let delivery = processor.inputs.get(&port.name).and_then(|link| link.delivery);
            let policy = delivery.map_or(Policy::Latest, policy);
            let (sender, receiver) = mailbox::with_bell(policy, listener.bell());
            started.inboxes.push((End { node: node.to_owned(), port: port.name.clone() }, sender));
            data.push((port.name.clone(), receiver));
        }
        let ends = Ends {
            node: node.to_owned(),
            ports: kind.ports.clone(),
            video,
            data,
            listener,
            counters: named(counters, node),
            route: Arc::new(Router(Arc::downgrade(self))),
        };
        Ok(match code {
            Some(code) => {
                let job = ProcessorJob { ends, code, events: self.events.clone() };
                ProcessorWork::Thread(ProcessorThread::start(job)?)
            }
            None => ProcessorWork::Held(HeldProcessor::new(ends)),
        })
    }
}

fn named(counters: &FrameCounters, node: &str) -> Arc<NodeCounters> {
    counters.named(node).cloned().unwrap_or_default()
}

/// What every new source and consumer needs.
struct Installing<'a> {
    control: &'a Control,
    stage: &'a Stage,
}

impl Installing<'_> {
    fn source(
        &self,
        node: &str,
        source: BuiltSource,
        graph: &Graph,
        swap: &mut Swap<VulkanGpu>,
        commands: &mut Vec<DeliverCommand<VulkanGpu>>,
    ) -> Result<RunningSource, RunError> {
        let Some(Node::Source(spec)) = graph.nodes.get(node) else {
            unreachable!("built sources are in the graph")
        };
        let BuiltSource { facts, delivery, tag, place, opened, .. } = source;
        let (spec, pulse) = (spec.clone(), Arc::new(Pulse::new()));
        let frames = spec.frames;
        let mut running =
            RunningSource { spec, delivery, facts, tag, place, pulse, thread: None, inlet: None };
        let Some(place) = place else { return Ok(running) };
        // Without a bell: whoever pushes looks itself whether a frame is due.
        let (sender, receiver) = mailbox::new(policy(delivery));
        let arrivals = Arrivals::new(sender, self.control.driver.clone());
        let counters = named(&self.stage.counters, node);
        match (running.facts.kind, opened) {
            (SourceKind::Pictures(_), Some(OpenedSource::Pictures(source))) => {
                let slots = swap.engine.plan().slots as usize;
                let count = delivery.bound() as usize + SOURCE_UPLOADS + slots;
                let uploads = match source.pictures() {
                    Some(pictures) => swap.engine.imports(place, tag, pictures)?.unwrap_or_default(),
                    None => swap.engine.uploads(place, tag, count)?,
                };
                if let Some(how) = source.how() {
                    self.control.events.tell(LiveEvent::CameraOpened { node: node.to_owned(), how });
                }
                let thread = SourceThread::start(SourceJob {
                    node: node.to_owned(),
                    source,
                    frames,
                    uploads,
                    arrivals,
                    counters,
                    events: self.control.events.clone(),
                    pulse: running.pulse.clone(),
                    is_paced: self.control.options.pacing != Pacing::Free,
                })?;
                let (empties, bell) = (thread.empties.clone(), thread.bell.clone());
                commands.push(DeliverCommand::Return(tag, Returns { empties, bell }));
                running.thread = Some(Pushing::Pictures(thread));
            }
            (_, Some(OpenedSource::Surface(mut source))) => {
                source.stay_awake(self.control.options.awake);
                let thread = SurfaceThread::start(SurfaceJob {
                    node: node.to_owned(),
                    source,
                    frames,
                    runtime: self.control.runtime.clone(),
                    arrivals,
                    counters,
                    events: self.control.events.clone(),
                    pulse: running.pulse.clone(),
                    awake: self.control.awake.clone(),
                });
                running.thread = Some(Pushing::Surface(thread.map_err(RunError::Thread)?));
            }
            _ => {
                let count = delivery.bound() as usize + INLET_TEXTURES;
                running.inlet = Some(VideoInlet {
                    runtime: self.control.runtime.clone(),
                    size: running.facts.size,
                    pool: swap.engine.textures(place, count)?,
                    arrivals,
                    counters,
                    pulse: running.pulse.clone(),
                    pushed: 0,
                });
            }
        }
        swap.inputs[place] = Some(Input { arrivals: receiver });
        Ok(running)
    }

    fn consumer(
        &self,
        (node, port): &(String, String),
        consumer: BuiltConsumer,
        inboxes: &mut Inboxes,
        commands: &mut Vec<DeliverCommand<VulkanGpu>>,
    ) -> Result<RunningConsumer, RunError> {
        let BuiltConsumer { spec, tag, writer, display, screen, facts, publication, in_hand, .. } = consumer;
        let counters = named(&self.stage.counters, node);
        let policy = policy(spec.delivery);
        let (mut sink, mut outlet) = (None, None);
        let frames = match &spec.kind {
            ConsumerKind::Null => Destination::Count,
            ConsumerKind::App => {
                let listener = Listener::new();
                let (sender, frames) = mailbox::with_bell(policy, listener.bell());
                outlet = Some(VideoOutlet { frames, listener, counters: counters.clone() });
                Destination::Mailbox(sender)
            }
            ConsumerKind::Display(_) => match display {
                Some(display) => {
                    let (sender, frames) = mailbox::with_bell(policy, display.listener.bell());
                    let (node, events) = (node.clone(), self.control.events.clone());
                    let job = DisplayJob { node, display, frames, counters: counters.clone(), events };
                    sink = Some(SinkThread::show(job)?);
                    Destination::Mailbox(sender)
                }
                None => Destination::Count,
            },
            ConsumerKind::Scanout(_) => match screen {
                Some(screen) => {
                    let (sender, frames) = mailbox::with_bell(policy, screen.listener.bell());
                    let (node, events) = (node.clone(), self.control.events.clone());
                    let job = ScanoutJob { node, screen, frames, counters: counters.clone(), events };
                    sink = Some(SinkThread::scan_out(job)?);
                    Destination::Mailbox(sender)
                }
                None => Destination::Count,
            },
            ConsumerKind::Surface(_) => publication.map_or(Destination::Count, |publication| {
                Destination::AtOnce(Box::new(publication.with_events(&self.control.events)))
            }),
            ConsumerKind::File(..) => {
                let listener = Listener::new();
                let (sender, frames) = mailbox::with_bell(policy, listener.bell());
                if let Some(writer) = writer {
                    let (node, events) = (node.clone(), self.control.events.clone());
                    let job = SinkJob { node, writer, frames, listener, counters: counters.clone(), events };
                    sink = Some(SinkThread::start(job)?);
                }
                Destination::Mailbox(sender)
            }
            ConsumerKind::Processor(..) => {
                let (listener, ports) =
                    inboxes.entry(node.clone()).or_insert_with(|| (Listener::new(), vec![]));
                let (sender, frames) = mailbox::with_bell(policy, listener.bell());
                ports.push((port.clone(), frames));
                Destination::Mailbox(sender)
            }
        };
        // Frames wait for a lossless consumer; one that may lose some has its share of the textures, and not that of others.
        let in_hand = match spec.delivery {
            Delivery::Lossless { .. } => None,
            Delivery::Latest | Delivery::Every { .. } => Some(in_hand),
        };
        commands.push(DeliverCommand::Consume(tag, Consumer { frames, counters, in_hand }));
        Ok(RunningConsumer { spec, tag, facts, sink, outlet })
    }
}
