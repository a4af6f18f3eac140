//! Changing a running graph.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use streamlib_core::graph::{Edit, Graph, GraphError, Node};
use streamlib_core::live::{DeliverCommand, Handover, Swap};
use streamlib_core::mailbox::{Listener, SendError, Sender};
use streamlib_vulkan::VulkanGpu;

use super::app::{VideoInlet, VideoOutlet};
use super::build::build;
use super::driver::Driver;
use super::end::ProcessorEnd;
use super::event::{Events, LiveEvent};
use super::install::Ended;
use super::options::LiveOptions;
use super::route::Routes;
use super::stage::{ProcessorWork, Setting, Stage};
use super::system::AwakeThreads;
use super::values::Knobs;
use super::{Applied, BuildTimes};
use crate::error::RunError;
use crate::load::program_files;
use crate::report::SinkReport;
use crate::runtime::StreamRuntime;

/// A frame boundary comes within this on anything that works.
const BOUNDARY: Duration = Duration::from_secs(10);

/// The side that changes what runs.
#[derive(Debug)]
pub(super) struct Control {
    pub(super) runtime: Arc<StreamRuntime>,
    pub(super) options: LiveOptions,
    pub(super) events: Arc<Events>,
    pub(super) routes: Routes,
    pub(super) knobs: Knobs,
    /// Held for as long as a change takes.
    pub(super) works: Mutex<Works>,
    pub(super) driver: Arc<Driver>,
    pub(super) handover: Arc<Handover<VulkanGpu>>,
    pub(super) awake: Arc<AwakeThreads>,
}

/// What runs, and the ways to those who run it.
#[derive(Debug)]
pub(super) struct Works {
    pub(super) stage: Stage,
    pub(super) swaps: Sender<Box<Swap<VulkanGpu>>>,
    pub(super) commands: Sender<DeliverCommand<VulkanGpu>>,
    /// Hears of plans that run.
    pub(super) swapped: Listener,
    /// Files that were finished while the graph ran on.
    pub(super) finished: Vec<(SinkReport, Vec<String>)>,
    /// What a plan had that may not have been replaced: it is put to rest when everything stops.
    pub(super) leaving: Vec<Ended>,
}

impl Control {
    pub(super) fn works(&self) -> MutexGuard<'_, Works> {
        self.works.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn graph(&self) -> Graph {
        self.knobs.graph()
    }

    pub(super) fn set(&self, settings: &[Setting]) -> Result<(), GraphError> {
        self.knobs.set(settings)
    }

    pub(super) fn take_inlet(&self, source: &str) -> Option<VideoInlet> {
        self.works().stage.sources.get_mut(source)?.inlet.take()
    }

    pub(super) fn take_outlet(&self, sink: &str) -> Option<VideoOutlet> {
        let key = (sink.to_owned(), streamlib_core::graph::INPUT.to_owned());
        self.works().stage.consumers.get_mut(&key)?.outlet.take()
    }

    pub(super) fn take_end(&self, processor: &str) -> Option<ProcessorEnd> {
        match &mut self.works().stage.processors.get_mut(processor)?.work {
            ProcessorWork::Held(held) => held.end.take(),
            ProcessorWork::Thread(_) => None,
        }
    }

    pub(super) fn apply(self: &Arc<Self>, edits: &[Edit]) -> Result<Applied, RunError> {
        let mut works = self.works();
        let now = self.knobs.begin_change();
        let mut graph = now.clone();
        let result = graph.apply_all(edits).map_err(RunError::from);
        let result = result.and_then(|()| self.change(&mut works, &now, &graph, edits));
        self.knobs.keep();
        result
    }

    pub(super) fn change_to(self: &Arc<Self>, graph: &Graph) -> Result<Applied, RunError> {
        let mut works = self.works();
        let now = self.knobs.begin_change();
        // Where programs are files, they may have changed as well.
        let edits =
            if program_files(graph, &self.options.base).is_empty() { now.diff(graph) } else { vec![] };
        let result = self.change(&mut works, &now, graph, &edits);
        self.knobs.keep();
        result
    }

    /// Parameters of effects need no new plan; everything else does.
    fn change(
        self: &Arc<Self>,
        works: &mut Works,
        now: &Graph,
        graph: &Graph,
        edits: &[Edit],
    ) -> Result<Applied, RunError> {
        let settings = edits.iter().map(|edit| match edit {
            Edit::Set { node, parameter, value: Some(value) }
                if matches!(now.nodes.get(node), Some(Node::Effect(_))) =>
            {
                Some((node.clone(), parameter.clone(), value.clone()))
            }
            _ => None,
        });
        if let Some(settings) = settings.collect::<Option<Vec<_>>>().filter(|settings| !settings.is_empty()) {
            self.set(&settings)?;
            let generation = works.stage.generation;
            return Ok(Applied { generation, first_frame: None, build: BuildTimes::default() });
        }
        let started = Instant::now();
        let built = build(&self.runtime, &self.options, graph, &works.stage)?;
        let mut times = built.times;
        let mut installed = self.install(works, built, graph)?;
        times.total = started.elapsed();
        let generation = installed.generation;
        if self.options.trace.is_some() {
            let traced = std::mem::take(&mut installed.traced);
            installed.commands.push(DeliverCommand::Trace(generation, traced));
        }
        let values = std::mem::take(&mut installed.values);
        let Works { swaps, commands, .. } = &mut *works;
        self.knobs.replace(values, || {
            for command in installed.commands.drain(..) {
                commands.send_blocking(command, BOUNDARY).map_err(|_| RunError::Ended)?;
            }
            swaps.send_blocking(installed.swap, BOUNDARY).map(drop).map_err(|error| match error {
                SendError::Full(_) => RunError::Stuck(BOUNDARY),
                SendError::Closed(_) => RunError::Ended,
            })
        })?;
        let ended = installed.stage.replace(&mut works.stage);
        self.routes.follow(graph, installed.processors);
        let first_frame = match self.await_swap(works, generation) {
            Ok(first_frame) => first_frame,
            Err(error) => {
                works.leaving.push(ended);
                return Err(error);
            }
        };
        self.put_to_rest(works, ended);
        self.events.tell(LiveEvent::PlanChanged { generation, first_frame });
        Ok(Applied { generation, first_frame: Some(first_frame), build: times })
    }

    /// The number of the first frame of that plan.
    fn await_swap(&self, works: &mut Works, generation: u64) -> Result<u64, RunError> {
        let deadline = Instant::now() + BOUNDARY;
        loop {
            let (running, first_frame) = self.handover.running();
            if running >= generation {
                return Ok(first_frame);
            }
            if works.swaps.is_closed() {
                return Err(RunError::Ended);
            }
            if Instant::now() >= deadline {
                return Err(RunError::Stuck(BOUNDARY));
            }
            works.swapped.wait(Some((Instant::now() + Duration::from_millis(20)).min(deadline)));
        }
    }

    /// What the plan before had, and this one has not.
    pub(super) fn put_to_rest(&self, works: &mut Works, ended: Ended) {
        for mut source in ended.sources {
            if let Some(thread) = &mut source.thread {
                thread.stop();
            }
        }
        for mut consumer in ended.consumers {
            if let Some(sink) = &mut consumer.sink {
                works.finished.extend(sink.join());
            }
        }
        for mut processor in ended.processors {
            processor.work.end();
        }
    }
}
