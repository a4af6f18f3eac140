//! Opens, compiles and plans everything that a graph names, before its first frame.

use std::collections::BTreeMap;
use std::sync::Arc;

use streamlib_core::engine::{Engine, OutletSpec};
use streamlib_core::gpu::Gpu;
use streamlib_core::graph::{Graph, INPUT};
use streamlib_core::plan::{Drain, Fusion, Layout, Parts, Plan, PlanKernel};
use streamlib_media::{AudioInfo, OutputOptions, VideoWriter};
use streamlib_vulkan::VulkanGpu;

use super::RunOptions;
use super::clock::Clock;
use crate::adapt::{adapt_sinks, adapt_sources, adapt_takers};
use crate::conversions::Conversions;
use crate::error::RunError;
use crate::feeds::{READER_UPLOADS, ReadAhead};
use crate::programs::{Programs, Ready, choose_clock, create_kernel, source_of};
use crate::report::SourceReport;
use crate::runtime::StreamRuntime;
use crate::sinks::{SINK_DEPTH, WriteBehind, takes_textures};
use crate::sources::{ENDLESS_FRAMES, GENERATED_FPS, PictureSource};

/// A graph ready for its first frame.
pub(super) struct Prepared {
    pub(super) engine: Engine<VulkanGpu>,
    /// What became of every effect; empty when fusion is off.
    pub(super) fusion: Fusion,
    pub(super) clock: Clock,
    pub(super) others: Vec<(usize, ReadAhead)>,
    pub(super) sinks: Vec<WriteBehind>,
    pub(super) sources: Vec<SourceReport>,
    pub(super) notices: Vec<String>,
}

pub(super) fn prepare(
    runtime: &StreamRuntime,
    graph: &Graph,
    options: &RunOptions,
) -> Result<Prepared, RunError> {
    let mut graph = graph.clone();
    adapt_sinks(&mut graph);
    adapt_sources(&mut graph);
    // Those and processors are explained only: such a graph does not run here.
    let takers = graph.sinks().filter(|(_, sink)| takes_textures(sink));
    let mut takers: Vec<_> = takers.map(|(node, _)| (node.to_owned(), INPUT.to_owned())).collect();
    for (node, _) in graph.processors() {
        takers.extend(graph.video_links(node).map(|(port, _)| (node.to_owned(), port.to_owned())));
    }
    adapt_takers(&mut graph, &takers);
    let mut programs = Programs::compile(runtime, &graph, &options.base)?;
    let processors = graph.implied_ports();
    let order = Plan::order(&graph, &programs.interfaces, &processors)?;
    let mut opened = BTreeMap::new();
    for (node, source) in graph.sources() {
        let ready = programs.open_source(runtime, (node, source), &options.base, None)?;
        opened.insert(node.to_owned(), ready);
    }
    let max = runtime.gpu().info().max_texture_size;
    let layout =
        Layout::new(&graph, &opened.iter().map(|(node, o)| (node.clone(), o.size())).collect(), max)?;
    let clock = choose_clock(&graph, |node| opened[node].is_still());
    let mut conversions = Conversions::new(runtime.compiler());
    let feeds = opened.iter().map(|(node, ready)| {
        Ok::<_, RunError>((node.clone(), ready.feed(node, &programs, &mut conversions)?))
    });
    let feeds = feeds.collect::<Result<_, _>>()?;
    let mut notices = Vec::new();
    let writers = writers(&graph, &layout, clock.and_then(|clock| opened.get(clock)), options, &mut notices)?;
    let mut drains = drains(&writers, &mut conversions)?;
    drains.extend(takers.into_iter().map(|taker| (taker, Drain::Textures)));
    let mut fusion = if options.fuse {
        Fusion::new(&graph, &layout, &programs.interfaces, &order)
    } else {
        Fusion::default()
    };
    let fused = programs.fuse(runtime.compiler(), &mut fusion);
    let parts = Parts {
        effects: &programs.interfaces,
        processors: &processors,
        fused: &fused,
        feeds: &feeds,
        drains: &drains,
    };
    let plan = Plan::new(&graph, &layout, &parts)?;
    let engine = engine(runtime, plan, (&programs, &conversions), &writers)?;
    let sources = opened.iter().map(|(node, opened)| opened.report(node, &graph)).collect();
    let (clock, others) = start_readers(&graph, &engine, opened, clock, options.frames)?;
    let sinks = writers.into_iter().map(|(node, writer)| WriteBehind::start(&node, writer));
    let sinks = sinks.collect::<Result<_, _>>()?;
    Ok(Prepared { engine, fusion, clock, others, sinks, sources, notices })
}

/// Creates the file of every sink, with the sound of the clock source.
fn writers(
    graph: &Graph,
    layout: &Layout,
    clock: Option<&Ready>,
    options: &RunOptions,
    notices: &mut Vec<String>,
) -> Result<BTreeMap<String, Box<dyn VideoWriter>>, RunError> {
    let audio = audio(clock, options, notices)?;
    let create = |(node, sink): (&str, &streamlib_core::graph::Sink)| {
        let size = layout.size(node);
        let frame_rate = clock.and_then(Ready::frame_rate);
        let audio = audio.clone();
        let output =
            OutputOptions { frame_rate, quality: options.quality, audio, ..OutputOptions::new(size) };
        let writer = streamlib_media::create(&options.base.join(&sink.uri), &output);
        writer
            .map(|w| (node.to_owned(), w))
            .map_err(|error| RunError::Create { node: node.to_owned(), error })
    };
    graph.sinks().filter(|(_, sink)| !takes_textures(sink)).map(create).collect()
}

fn audio(
    clock: Option<&Ready>,
    options: &RunOptions,
    notices: &mut Vec<String>,
) -> Result<Option<streamlib_media::AudioTrack>, RunError> {
    let Some(Ready::Pictures(PictureSource { path: Some(path), audio, frames, .. })) = clock else {
        return Ok(None);
    };
    match audio {
        AudioInfo::None => Ok(None),
        AudioInfo::Unsupported { codec, reason } => {
            notices.push(format!("the {codec} sound of {} is left out: {reason}", path.display()));
            Ok(None)
        }
        AudioInfo::PassThrough { codec, further_tracks } => {
            if options.frames.is_some_and(|limit| frames.is_none_or(|frames| limit < frames)) {
                notices.push(format!(
                    "the {codec} sound of {} is left out: not all frames are taken",
                    path.display()
                ));
                return Ok(None);
            }
            if *further_tracks > 0 {
                notices.push(format!(
                    "{further_tracks} further sound track(s) of {} are left out",
                    path.display()
                ));
            }
            let node = path.display().to_string();
            streamlib_media::audio_of(path).map_err(|error| RunError::Audio { node, error })
        }
    }
}

fn drains(
    writers: &BTreeMap<String, Box<dyn VideoWriter>>,
    conversions: &mut Conversions<'_>,
) -> Result<BTreeMap<(String, String), Drain>, RunError> {
    let formats = writers.iter().map(|(node, writer)| (node, writer.picture_format()));
    let drains = formats.map(|(node, format)| {
        Ok(((node.clone(), INPUT.to_owned()), Drain::Pictures(format, conversions.writing(node, format)?)))
    });
    drains.collect()
}

fn engine(
    runtime: &StreamRuntime,
    plan: Plan,
    (programs, conversions): (&Programs, &Conversions<'_>),
    writers: &BTreeMap<String, Box<dyn VideoWriter>>,
) -> Result<Engine<VulkanGpu>, RunError> {
    let gpu = runtime.gpu();
    // The tag of an outlet is the place of its sink among the writers.
    let tag = |node: &str| writers.keys().position(|name| name == node).unwrap_or_default() as u64;
    let outlets = plan.outlets.iter().map(|outlet| OutletSpec { tag: tag(&outlet.node), depth: SINK_DEPTH });
    let outlets: Vec<_> = outlets.collect();
    Engine::new(gpu.clone(), Arc::new(plan), &outlets, None, |kernel: &PlanKernel| {
        create_kernel(gpu, kernel, programs.code(&kernel.code, conversions)).map_err(RunError::from)
    })
}

type Readers = (Clock, Vec<(usize, ReadAhead)>);

fn start_readers(
    graph: &Graph,
    engine: &Engine<VulkanGpu>,
    opened: BTreeMap<String, Ready>,
    clock: Option<&str>,
    frames: Option<u64>,
) -> Result<Readers, RunError> {
    let endless = frames.unwrap_or(ENDLESS_FRAMES);
    let (mut pace, mut others) = (None, Vec::new());
    for (node, ready) in opened {
        let plan = engine.plan();
        let source = plan.sources.iter().position(|source| source.node == node);
        let uploads = || {
            let count = READER_UPLOADS + plan.slots as usize;
            source.map(|source| engine.uploads(source, source as u64, count)).transpose()
        };
        let is_clock = clock == Some(node.as_str());
        let own_limit = source_of(graph, &node).frames;
        match ready {
            Ready::Generated { fps, .. } if is_clock => {
                let frames = frames.into_iter().chain(own_limit).min().unwrap_or(endless);
                pace = Some(Clock::of_rate(fps, frames));
            }
            Ready::Pictures(pictures) if is_clock => {
                let own_limit = own_limit.or(pictures.endless.then_some(ENDLESS_FRAMES));
                let limit = frames.into_iter().chain(own_limit).min();
                let known = pictures.frames;
                let reader = ReadAhead::start(&node, pictures, uploads()?)?;
                pace = Some(Clock::of_source(reader, known, limit));
            }
            Ready::Pictures(pictures) => {
                if let Some(source) = source {
                    others.push((source, ReadAhead::start(&node, pictures, uploads()?)?));
                }
            }
            Ready::Generated { .. } | Ready::App { .. } | Ready::Surface(_) => {}
        }
    }
    Ok((pace.unwrap_or_else(|| Clock::of_rate(GENERATED_FPS, endless)), others))
}
