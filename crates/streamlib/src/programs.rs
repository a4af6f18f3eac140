//! The programs of a graph, compiled, and its sources, opened.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use streamlib_core::format::{Size, TextureFormat};
use streamlib_core::gpu::{Gpu, KernelDesc};
use streamlib_core::graph::{EffectText, Graph, Source};
use streamlib_core::interface::Interface;
use streamlib_core::plan::{Code, Feed, Fusion, Group, GroupInput, PlanKernel};
use streamlib_shader::{Compiler, Effect, EffectSource, FuseError, Stage, StageInput};

use streamlib_vulkan::{Kernel, VulkanError, VulkanGpu};

use crate::conversions::Conversions;
use crate::error::RunError;
use crate::live::SurfaceSource;
use crate::report::SourceReport;
use crate::runtime::StreamRuntime;
use crate::sources::{self, Opened, PictureSource};

/// An opened source; a generated one has its program among [`Programs`].
pub(crate) enum Ready {
    Pictures(PictureSource),
    Generated {
        size: Size,
        fps: f64,
    },
    /// The program that holds the runtime pushes textures.
    App {
        size: Size,
        fps: Option<f64>,
    },
    /// Another process publishes textures.
    Surface(SurfaceSource),
}

impl Ready {
    /// What the source will feed the plan with.
    pub(crate) fn feed(
        &self,
        node: &str,
        programs: &Programs,
        conversions: &mut Conversions<'_>,
    ) -> Result<Feed, RunError> {
        Ok(match self {
            Self::App { size, .. } => Feed::Textures(*size, TextureFormat::Rgba8),
            Self::Surface(surface) => Feed::Textures(surface.size, surface.format),
            Self::Generated { size, .. } => {
                Feed::Generated(*size, Arc::new(programs.effects[node].interface.clone()))
            }
            Self::Pictures(source) => {
                Feed::Pictures(source.format, conversions.reading(node, source.format)?)
            }
        })
    }

    pub(crate) fn size(&self) -> Size {
        match self {
            Self::Pictures(source) => source.format.size,
            Self::Generated { size, .. } | Self::App { size, .. } => *size,
            Self::Surface(surface) => surface.size,
        }
    }

    pub(crate) fn is_still(&self) -> bool {
        matches!(self, Self::Pictures(source) if source.frames == Some(1))
    }

    pub(crate) fn frame_rate(&self) -> Option<(u32, u32)> {
        match self {
            Self::Pictures(source) => source.frame_rate,
            Self::Generated { fps, .. } => Some(fraction(*fps)),
            Self::App { fps, .. } => fps.map(fraction),
            Self::Surface(_) => None,
        }
    }

    pub(crate) fn report(&self, node: &str, graph: &Graph) -> SourceReport {
        let kind = match self {
            Self::Pictures(source) => source.kind.clone(),
            Self::Generated { .. } => "generated".to_owned(),
            Self::App { .. } => "pushed by the program".to_owned(),
            Self::Surface(_) => "published by another process".to_owned(),
        };
        let uri = source_of(graph, node).uri.clone();
        SourceReport { node: node.to_owned(), uri, kind, size: self.size(), frames: 0, passed_over: 0 }
    }
}

fn fraction(fps: f64) -> (u32, u32) {
    // Milliframes are exact enough for a nominal rate.
    if fps.fract() == 0.0 { (fps as u32, 1) } else { ((fps * 1000.0).round() as u32, 1000) }
}

pub(crate) fn source_of<'a>(graph: &'a Graph, node: &str) -> &'a Source {
    graph.sources().find(|(name, _)| *name == node).expect("opened sources are in the graph").1
}

/// Compiled effects and generated sources by node.
pub(crate) struct Programs {
    pub(crate) effects: BTreeMap<String, Arc<Effect>>,
    /// Kernels of fused effects, by the last of them.
    pub(crate) groups: BTreeMap<String, Arc<Effect>>,
    texts: BTreeMap<String, EffectSource>,
    /// Reflection of the effects; generated sources are not in it.
    pub(crate) interfaces: BTreeMap<String, Arc<Interface>>,
}

impl Programs {
    pub(crate) fn compile(runtime: &StreamRuntime, graph: &Graph, base: &Path) -> Result<Self, RunError> {
        let mut programs = Self {
            effects: BTreeMap::new(),
            groups: BTreeMap::new(),
            texts: BTreeMap::new(),
            interfaces: BTreeMap::new(),
        };
        for (node, effect) in graph.effects() {
            let source = match &effect.text {
                EffectText::File(file) => EffectSource::from_file(base.join(file))
                    .map_err(|error| RunError::EffectFile { node: node.to_owned(), error })?,
                EffectText::Inline(text) => {
                    EffectSource::from_text(format!("{node}.hlsl"), text).with_base_dir(base)
                }
            };
            let compiled = programs.add(runtime, node, &source)?;
            programs.interfaces.insert(node.to_owned(), Arc::new(compiled.interface.clone()));
            programs.texts.insert(node.to_owned(), source);
        }
        Ok(programs)
    }

    fn add(
        &mut self,
        runtime: &StreamRuntime,
        node: &str,
        source: &EffectSource,
    ) -> Result<Arc<Effect>, RunError> {
        let compiled = runtime.compiler().compile(source);
        let compiled = compiled.map_err(|error| RunError::Compile { node: node.to_owned(), error })?;
        for warning in &compiled.warnings {
            tracing::warn!(%node, "{warning}");
        }
        self.effects.insert(node.to_owned(), compiled.clone());
        Ok(compiled)
    }

    /// Opens a source; the program of a generated one is compiled.
    pub(crate) fn open_source(
        &mut self,
        runtime: &StreamRuntime,
        (node, source): (&str, &Source),
        base: &Path,
        lend: Option<&Arc<VulkanGpu>>,
    ) -> Result<Ready, RunError> {
        Ok(match sources::open(node, source, base, lend)? {
            Opened::Pictures(pictures) => Ready::Pictures(pictures),
            Opened::App { size, fps } => Ready::App { size, fps },
            Opened::Surface(surface) => Ready::Surface(surface),
            Opened::Generated(generated) => {
                let program = self.add(runtime, node, &generated.effect)?;
                if let Some(input) = program.interface.inputs.first() {
                    return Err(RunError::GeneratorWithInput {
                        node: node.to_owned(),
                        program: program.name.clone(),
                        input: input.name.clone(),
                    });
                }
                Ready::Generated { size: generated.size, fps: generated.fps }
            }
        })
    }

    /// The code of a kernel of a plan.
    pub(crate) fn code<'a>(&'a self, code: &Code, conversions: &'a Conversions<'_>) -> &'a Arc<Effect> {
        match code {
            Code::Node(node) => &self.effects[node],
            Code::Group(last) => &self.groups[last],
            Code::Conversion(name) => conversions.effect(name),
        }
    }

    /// Compiles every group of a fusion into one kernel. A group that the compiler does not take is taken apart: it
    /// runs slower then, not less.
    pub(crate) fn fuse(&mut self, compiler: &Compiler, fusion: &mut Fusion) -> Vec<(Group, Arc<Interface>)> {
        let mut fused = Vec::new();
        for group in fusion.groups.clone() {
            match self.compile_group(compiler, &group) {
                Ok(kernel) => {
                    let interface = Arc::new(kernel.interface.clone());
                    self.groups.insert(group.last().to_owned(), kernel);
                    fused.push((group, interface));
                }
                Err(error) => {
                    tracing::info!("effects {} run one by one: {error}", group.nodes.join(", "));
                    fusion.refuse(group.last(), &error.to_string());
                }
            }
        }
        fused
    }

    fn compile_group(&self, compiler: &Compiler, group: &Group) -> Result<Arc<Effect>, FuseError> {
        let names: Vec<_> = (0..group.textures.len()).map(Group::texture_name).collect();
        let inputs: Vec<Vec<_>> = group.inputs.iter().map(|ports| wires(ports, &names)).collect();
        let stages = group.nodes.iter().zip(&inputs).zip(&group.is_clamped);
        let stages = stages.map(|((name, inputs), &is_clamped)| Stage {
            name,
            source: &self.texts[name],
            inputs,
            is_clamped,
        });
        compiler.compile_fused(&stages.collect::<Vec<_>>())
    }
}

/// The source that sets the pace. A still sets none where there is something that moves, unless the graph says so.
pub(crate) fn choose_clock(graph: &Graph, is_still: impl Fn(&str) -> bool) -> Option<&str> {
    let clock = graph.clock()?;
    if graph.clock.is_none() && is_still(clock) {
        let moving = graph.sources().map(|(node, _)| node).find(|node| !is_still(node));
        return moving.or(Some(clock));
    }
    Some(clock)
}

/// Builds a kernel of a plan.
pub(crate) fn create_kernel(
    gpu: &VulkanGpu,
    kernel: &PlanKernel,
    effect: &Effect,
) -> Result<Kernel, VulkanError> {
    let label = match &kernel.code {
        Code::Node(name) | Code::Group(name) | Code::Conversion(name) => name,
    };
    let outputs: Vec<_> = kernel.outputs.iter().map(|(port, format)| (port.as_str(), *format)).collect();
    let desc = KernelDesc { label, spirv: &effect.spirv, interface: &effect.interface, outputs: &outputs };
    gpu.create_kernel(&desc)
}

fn wires<'a>(ports: &'a [(String, GroupInput)], names: &'a [String]) -> Vec<(&'a str, StageInput<'a>)> {
    let wire = |(port, input): &'a (String, GroupInput)| {
        let input = match input {
            GroupInput::Node(index) => StageInput::Stage(*index),
            GroupInput::Texture(index) => StageInput::Texture(&names[*index]),
        };
        (port.as_str(), input)
    };
    ports.iter().map(wire).collect()
}
