//! The programs of a graph, compiled, and its sources, opened.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use streamlib_core::format::Size;
use streamlib_core::graph::{EffectText, Graph, Source};
use streamlib_core::interface::Interface;
use streamlib_core::plan::{Fusion, Group, GroupInput};
use streamlib_shader::{Compiler, Effect, EffectSource, FuseError, Stage, StageInput};

use crate::error::RunError;
use crate::report::SourceReport;
use crate::runtime::StreamRuntime;
use crate::sources::{self, Opened, PictureSource};

/// An opened source; a generated one has its program among [`Programs`].
pub(super) enum Ready {
    Pictures(PictureSource),
    Generated { size: Size, fps: f64 },
}

impl Ready {
    pub(super) fn size(&self) -> Size {
        match self {
            Self::Pictures(source) => source.format.size,
            Self::Generated { size, .. } => *size,
        }
    }

    pub(super) fn is_still(&self) -> bool {
        matches!(self, Self::Pictures(source) if source.frames == Some(1))
    }

    pub(super) fn frame_rate(&self) -> Option<(u32, u32)> {
        match self {
            Self::Pictures(source) => source.frame_rate,
            // Milliframes are exact enough for a nominal rate.
            Self::Generated { fps, .. } if fps.fract() == 0.0 => Some((*fps as u32, 1)),
            Self::Generated { fps, .. } => Some(((fps * 1000.0).round() as u32, 1000)),
        }
    }

    pub(super) fn report(&self, node: &str, graph: &Graph) -> SourceReport {
        let kind = match self {
            Self::Pictures(source) => source.kind.clone(),
            Self::Generated { .. } => "generated".to_owned(),
        };
        let uri = source_of(graph, node).uri.clone();
        SourceReport { node: node.to_owned(), uri, kind, size: self.size(), frames: 0, passed_over: 0 }
    }
}

pub(super) fn source_of<'a>(graph: &'a Graph, node: &str) -> &'a Source {
    graph.sources().find(|(name, _)| *name == node).expect("opened sources are in the graph").1
}

/// Compiled effects and generated sources by node.
pub(super) struct Programs {
    pub(super) effects: BTreeMap<String, Arc<Effect>>,
    /// Kernels of fused effects, by the last of them.
    pub(super) groups: BTreeMap<String, Arc<Effect>>,
    texts: BTreeMap<String, EffectSource>,
    /// Reflection of the effects; generated sources are not in it.
    pub(super) interfaces: BTreeMap<String, Arc<Interface>>,
}

impl Programs {
    pub(super) fn compile(runtime: &StreamRuntime, graph: &Graph, base: &Path) -> Result<Self, RunError> {
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

    pub(super) fn open_sources(
        &mut self,
        runtime: &StreamRuntime,
        graph: &Graph,
        base: &Path,
    ) -> Result<BTreeMap<String, Ready>, RunError> {
        let mut opened = BTreeMap::new();
        for (node, source) in graph.sources() {
            let ready = match sources::open(node, source, base)? {
                Opened::Pictures(pictures) => Ready::Pictures(pictures),
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
            };
            opened.insert(node.to_owned(), ready);
        }
        Ok(opened)
    }

    /// Compiles every group of a fusion into one kernel. A group that the compiler does not take is taken apart: it
    /// runs slower then, not less.
    pub(super) fn fuse(&mut self, compiler: &Compiler, fusion: &mut Fusion) -> Vec<(Group, Arc<Interface>)> {
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
