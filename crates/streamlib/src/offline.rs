//! Runs a graph over its sources from beginning to end: every frame, as fast as it goes.

mod clock;
mod prepare;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use streamlib_core::engine::{Content, Delivery, Engine, Slot};
use streamlib_core::frame::FrameMeta;
use streamlib_core::graph::Graph;
use streamlib_media::Quality;
use streamlib_vulkan::VulkanGpu;

use crate::adapt::adapt_sinks;
use crate::error::RunError;
use crate::explain::Explanation;
use crate::feeds::ReadAhead;
use crate::report::{Report, SourceReport};
use crate::runtime::StreamRuntime;
use crate::scanout::KMS;
use crate::sinks::{NULL, WriteBehind, takes_textures};
use crate::sources::APP;
use crate::stages::Stages;
use crate::surface::SURFACE;
use clock::Clock;
use prepare::Prepared;

/// How to run a graph.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// Folder that the graph's paths are relative to.
    pub base: PathBuf,
    /// Stop after so many frames of the clock source. A camera or a generated source without a limit gives 300.
    pub frames: Option<u64>,
    /// Quality of lossy outputs.
    pub quality: Quality,
    /// Whether effects that read only their own pixel run as one kernel with their readers. Off, every effect stores its
    /// result, which is slower, and rounds it to its format.
    pub fuse: bool,
    /// A frame that takes the GPU longer than this is an error.
    pub frame_limit: Duration,
}

impl Default for RunOptions {
    fn default() -> Self {
        let frame_limit = Duration::from_secs(60);
        Self { base: PathBuf::new(), frames: None, quality: Quality::default(), fuse: true, frame_limit }
    }
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Frames submitted.
    pub frame: u64,
    /// Frames there will be, when known.
    pub total: Option<u64>,
}

/// Whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    Continue,
    /// Finish what was started, close the files, and report.
    Stop,
}

impl StreamRuntime {
    /// Runs a graph to the end of its clock source ([`Graph::clock`]). Other sources show the newest frame that is due. Every
    /// frame goes through: the links' delivery policies are for live graphs.
    ///
    /// # Errors
    /// When anything in the graph cannot be opened, compiled, run or written, or the graph has a processor. No file is left
    /// behind then.
    pub fn run(&self, graph: &Graph, options: &RunOptions) -> Result<Report, RunError> {
        self.run_with(graph, options, &mut |_| Flow::Continue)
    }

    /// As [`run`](Self::run), telling `progress` about every frame.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn run_with(
        &self,
        graph: &Graph,
        options: &RunOptions,
        progress: &mut dyn FnMut(Progress) -> Flow,
    ) -> Result<Report, RunError> {
        if let Some((node, processor)) = graph.processors().next() {
            let (node, processor) = (node.to_owned(), processor.processor.clone());
            return Err(RunError::Processor { node, processor });
        }
        refuse_live_ends(graph)?;
        let prepared = prepare::prepare(self, graph, options)?;
        let started = Instant::now();
        let mut run = Run::new(self.gpu().clone(), prepared, options.frame_limit);
        let driven = run.drive(progress);
        let finished = run.finish(driven);
        let (mut report, frames) = finished?;
        report.device = streamlib_core::gpu::Gpu::info(&**self.gpu()).name.clone();
        report.seconds = started.elapsed().as_secs_f64();
        report.frames_per_second = frames as f64 / report.seconds.max(f64::EPSILON);
        Ok(report)
    }
}

impl StreamRuntime {
    /// What a graph becomes on this device, without running it. Sources are opened and effects compiled; processors need not
    /// be there, since the links say what they take and give.
    ///
    /// # Errors
    /// When anything in the graph cannot be opened, compiled or planned.
    pub fn explain(&self, graph: &Graph, options: &RunOptions) -> Result<Explanation, RunError> {
        let mut graph = graph.clone();
        adapt_sinks(&mut graph);
        let prepared = prepare::prepare(self, &graph, options)?;
        let explanation = Explanation::new(&graph, prepared.engine.plan(), &prepared.fusion);
        // Nothing was submitted: the readers stop, and the sinks remove what they had begun.
        Run::new(self.gpu().clone(), prepared, options.frame_limit).abandon();
        Ok(explanation)
    }
}

/// Says no to ends that only a live graph has.
fn refuse_live_ends(graph: &Graph) -> Result<(), RunError> {
    let refused = |node: &str, what| Err(RunError::LiveOnly { node: node.to_owned(), what });
    if let Some((node, _)) = graph.sources().find(|(_, source)| source.uri == APP) {
        return refused(node, "a source that the program pushes to");
    }
    if let Some((node, _)) = graph.sources().find(|(_, source)| source.uri.starts_with(SURFACE)) {
        return refused(node, "a surface, which has frames as they come");
    }
    match graph.sinks().find(|(_, sink)| takes_textures(sink)) {
        Some((node, sink)) if sink.uri == APP => refused(node, "a sink that the program takes frames from"),
        Some((node, sink)) if sink.uri == NULL => refused(node, "a sink that only counts frames"),
        Some((node, sink)) if sink.uri.starts_with(KMS) => {
            refused(node, "a screen, which shows frames as they come")
        }
        Some((node, sink)) if sink.uri.starts_with(SURFACE) => {
            refused(node, "a surface, which other programs read as they like")
        }
        Some((node, _)) => refused(node, "a window, which shows frames as they come"),
        None => Ok(()),
    }
}

/// A graph at work.
struct Run {
    engine: Engine<VulkanGpu>,
    clock: Clock,
    gpu: Arc<VulkanGpu>,
    /// Sources beside the clock, by their place in the plan.
    others: Vec<(usize, ReadAhead)>,
    sinks: Vec<WriteBehind>,
    /// Submitted frames, the oldest first.
    pending: VecDeque<Box<Slot<VulkanGpu>>>,
    pass_stages: Vec<String>,
    pass_times: Vec<u64>,
    stages: Stages,
    frame_limit: Duration,
    frames: u64,
    interrupted: bool,
    sources: Vec<SourceReport>,
    notices: Vec<String>,
}

impl Run {
    fn new(gpu: Arc<VulkanGpu>, prepared: Prepared, frame_limit: Duration) -> Self {
        let Prepared { engine, fusion: _, clock, others, sinks, sources, notices } = prepared;
        let pass_stages = engine.plan().passes.iter().map(|pass| format!("gpu {}", pass.label)).collect();
        Self {
            engine,
            gpu,
            clock,
            others,
            sinks,
            pending: VecDeque::new(),
            pass_stages,
            pass_times: Vec::new(),
            stages: Stages::default(),
            frame_limit,
            frames: 0,
            interrupted: false,
            sources,
            notices,
        }
    }

    fn drive(&mut self, progress: &mut dyn FnMut(Progress) -> Flow) -> Result<(), RunError> {
        while self.frame()? {
            let now = Progress { frame: self.frames, total: self.clock.total() };
            if progress(now) == Flow::Stop {
                self.interrupted = true;
                break;
            }
        }
        while !self.pending.is_empty() {
            self.collect()?;
        }
        Ok(())
    }

    /// Submits one frame; `false` after the last.
    fn frame(&mut self) -> Result<bool, RunError> {
        let mut slot = loop {
            match self.engine.take_slot() {
                Some(slot) => break slot,
                None if self.collect()? => {}
                None => return Ok(false),
            }
        };
        let Some(tick) = self.clock.tick()? else {
            self.engine.put_back(slot);
            return Ok(false);
        };
        let captured = tick.captured;
        let others = self.others.iter_mut().map(|(_, reader)| reader.due(captured).transpose());
        for upload in tick.upload.map(Ok).into_iter().chain(others.flatten()) {
            slot.feed(upload?);
        }
        let meta = FrameMeta { captured, sequence: self.frames, camera: None };
        let engine = &mut self.engine;
        let slot = self.stages.time("submit", || engine.submit(slot, &meta, |_| true))?;
        self.pending.push_back(slot);
        self.frames += 1;
        Ok(true)
    }

    /// Waits for the oldest frame and hands it to the sinks; `false` when one of them has failed.
    fn collect(&mut self) -> Result<bool, RunError> {
        let Some(mut slot) = self.pending.pop_front() else {
            return Ok(true);
        };
        let (gpu, limit) = (self.gpu.clone(), self.frame_limit);
        self.stages.time("wait for gpu", || slot.wait(&gpu, limit))?;
        slot.timestamps(&gpu, &mut self.pass_times)?;
        let passes = self.pass_times.windows(2).map(|times| times[1].saturating_sub(times[0]));
        self.pass_stages.iter().zip(passes).for_each(|(stage, ns)| self.stages.add(stage, ns));
        let captured = slot.meta().captured;
        let mut fine = true;
        for delivery in slot.deliveries() {
            if let Delivery::Ready(sink, Content::Picture(picture)) = delivery {
                fine &= self.sinks[sink as usize].push(captured, picture);
            }
        }
        for upload in slot.uploads() {
            match self.others.iter().find(|(source, _)| *source as u64 == upload.tag()) {
                Some((_, reader)) => reader.give_back(upload),
                None => self.clock.give_back(upload),
            }
        }
        slot.release();
        // The slot came from there, so there is room for it.
        let _ = self.engine.home().push(slot);
        Ok(fine)
    }

    /// Closes every thread, and leaves no file.
    fn abandon(self) {
        self.clock.finish();
        self.others.into_iter().for_each(|(_, reader)| drop(reader.finish()));
        self.sinks.into_iter().for_each(|sink| drop(sink.close()));
    }

    /// Closes every thread, and finishes the files only if all went well.
    fn finish(mut self, driven: Result<(), RunError>) -> Result<(Report, u64), RunError> {
        let clock = self.clock.finish();
        let mut counts: Vec<_> =
            clock.iter().map(|(node, received, _)| (node.clone(), *received, 0)).collect();
        let mut readers: Vec<Stages> = clock.into_iter().map(|(_, _, stages)| stages).collect();
        for (_, reader) in self.others {
            counts.push((reader.node.clone(), reader.received, reader.passed_over));
            readers.push(reader.finish());
        }
        let closed: Vec<_> = self.sinks.into_iter().map(WriteBehind::close).collect();
        driven?;
        readers.into_iter().for_each(|stages| self.stages.merge(stages));
        let mut finished = Vec::new();
        for (sink, stages) in closed.into_iter().collect::<Result<Vec<_>, _>>()? {
            self.stages.merge(stages);
            finished.push(sink.finish()?);
        }
        let mut notices = self.notices;
        let (sinks, told): (Vec<_>, Vec<_>) = finished.into_iter().unzip();
        notices.extend(told.into_iter().flatten());
        for source in &mut self.sources {
            if let Some((_, received, passed_over)) = counts.iter().find(|(node, ..)| *node == source.node) {
                (source.frames, source.passed_over) = (*received, *passed_over);
            } else {
                source.frames = self.frames;
            }
        }
        let report = Report {
            device: String::new(),
            frames_in: self.sources.iter().map(|source| source.frames).sum(),
            frames_out: sinks.iter().map(|sink| sink.frames).sum(),
            frames_dropped: sinks.iter().map(|sink| self.frames - sink.frames).max().unwrap_or(0),
            seconds: 0.0,
            frames_per_second: 0.0,
            interrupted: self.interrupted,
            sources: self.sources,
            sinks,
            stages: self.stages.report(),
            notices,
        };
        Ok((report, self.frames))
    }
}
