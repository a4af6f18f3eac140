//! What a graph becomes on a device: kernels, passes, textures, barriers, and why.

mod arrange;
mod barriers;
mod cards;
mod nodes;
mod routes;
mod svg;

use serde::Serialize;
use streamlib_core::format::Size;
use streamlib_core::graph::Graph;
use streamlib_core::plan::{Fusion, Plan, PlanPass, TextureUse, Verdict};

use barriers::Contents;

/// A plan, for people.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    /// What people call the graph.
    pub name: Option<String>,
    /// Nodes that run.
    pub nodes: Vec<NodePlan>,
    /// Links between them.
    pub links: Vec<LinkPlan>,
    /// Passes of a frame, in order.
    pub passes: Vec<PassPlan>,
    /// Why a barrier stands before results are read back, when one does.
    pub read_back_barrier: Option<String>,
    /// Textures.
    pub textures: Vec<TexturePlan>,
    /// What became of every effect.
    pub effects: Vec<Fate>,
    /// Bytes of all textures.
    pub texture_bytes: usize,
    /// Bytes that results in one texture do not take twice.
    pub saved_bytes: usize,
    /// Frames under way at once.
    pub slots: u32,
}

/// A node that runs.
#[derive(Clone, Debug, Serialize)]
pub struct NodePlan {
    /// Name.
    pub name: String,
    /// What it is.
    pub kind: NodeKind,
    /// Its file, address or registered name.
    pub what: String,
    /// Pixels of its frames.
    pub size: Option<Size>,
    /// Texel format of its result, when that is stored.
    pub format: Option<&'static str>,
    /// The pass that computes it, as an index.
    pub pass: Option<usize>,
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum NodeKind {
    /// Where frames come from.
    Source,
    /// An HLSL program.
    Effect,
    /// Code of the host.
    Processor,
    /// Where frames go.
    Sink,
}

/// A link between nodes that run.
#[derive(Clone, Debug, Serialize)]
pub struct LinkPlan {
    /// Node it starts at.
    pub from: String,
    /// Output of that node.
    pub from_port: String,
    /// Node it ends at.
    pub to: String,
    /// Input of that node.
    pub to_port: String,
    /// Frames ago.
    pub delay: u32,
    /// The policy that is stated at the input.
    pub delivery: Option<String>,
    /// Whether messages go through it, not frames.
    pub is_data: bool,
    /// The texture it goes through, as an index; none for data, and inside a kernel.
    pub texture: Option<usize>,
}

/// One run of a kernel.
#[derive(Clone, Debug, Serialize)]
pub struct PassPlan {
    /// What it computes.
    pub label: String,
    /// Nodes that it computes.
    pub nodes: Vec<String>,
    /// Results that it reads.
    pub reads: Vec<String>,
    /// Results that it writes.
    pub writes: Vec<String>,
    /// Threads across and down.
    pub threads: Size,
    /// Whether it runs only when its source has a new picture.
    pub only_when_fed: bool,
    /// Why a barrier stands before it, when one does: what it reads or writes over.
    pub barrier: Option<String>,
}

/// A texture.
#[derive(Clone, Debug, Serialize)]
pub struct TexturePlan {
    /// The results that lie in it, `NODE.PORT`, in the order in which they are written.
    pub holds: Vec<String>,
    /// Pixels.
    pub size: Size,
    /// Texel format.
    pub format: &'static str,
    /// How many there are: several where later frames read it.
    pub copies: u32,
    /// Bytes of all copies.
    pub bytes: usize,
}

/// What became of an effect.
#[derive(Clone, Debug, Serialize)]
pub struct Fate {
    /// Node.
    pub node: String,
    /// The node whose kernel it runs in, when it is fused with its readers.
    pub fused_into: Option<String>,
    /// Why its result is stored, when it is not.
    pub stored_because: Option<String>,
}

impl Explanation {
    pub(crate) fn new(graph: &Graph, plan: &Plan, fusion: &Fusion) -> Self {
        let (passes, read_back_barrier) = passes(plan);
        let textures: Vec<_> = plan
            .textures
            .iter()
            .map(|texture| {
                let copies = if texture.keeps_history { plan.slots } else { 1 };
                let bytes = texture.size.pixels() * texture.format.bytes_per_texel() * copies as usize;
                let (holds, size) = (texture.holds.clone(), texture.size);
                TexturePlan { holds, size, format: texture.format.name(), copies, bytes }
            })
            .collect();
        let effects = fusion.verdicts.iter().map(|(node, verdict)| {
            let (fused_into, stored_because) = match verdict {
                Verdict::Joins(kernel) => (Some(kernel.clone()), None),
                Verdict::Stored(why) => (None, Some(why.to_string())),
            };
            Fate { node: node.clone(), fused_into, stored_because }
        });
        let nodes = nodes::nodes(graph, plan, &passes);
        Self {
            name: graph.name.clone(),
            links: nodes::links(graph, plan, &nodes),
            nodes,
            passes,
            read_back_barrier,
            effects: effects.collect(),
            texture_bytes: textures.iter().map(|texture| texture.bytes).sum(),
            saved_bytes: textures.iter().map(|t| (t.holds.len() - 1) * t.bytes).sum(),
            textures,
            slots: plan.slots,
        }
    }

    /// The plan in one line.
    #[must_use]
    pub fn summary(&self) -> String {
        let count = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
        let effects = self.nodes.iter().filter(|node| node.kind == NodeKind::Effect).count();
        let barriers = self.passes.iter().filter(|pass| pass.barrier.is_some()).count();
        let barriers = barriers + usize::from(self.read_back_barrier.is_some());
        let mib = |bytes: usize| format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20));
        let saved = match self.saved_bytes {
            0 => String::new(),
            saved => format!(", {} saved by sharing", mib(saved)),
        };
        format!(
            "{} \u{b7} {} \u{b7} {} \u{b7} {} of {}{saved}",
            count(effects, "effect"),
            count(self.passes.len(), "pass").replace("passs", "passes"),
            count(barriers, "barrier"),
            count(self.textures.len(), "texture"),
            mib(self.texture_bytes)
        )
    }

    /// The plan as a picture: an SVG that can be read on light and on dark ground.
    #[must_use]
    pub fn to_svg(&self) -> String {
        svg::draw(self)
    }
}

/// All passes, and why results wait before they are read back.
fn passes(plan: &Plan) -> (Vec<PassPlan>, Option<String>) {
    let mut passes = Vec::new();
    for source in &plan.sources {
        let Some(pictures) = &source.pictures else { continue };
        let Some(pass) = &pictures.convert else { continue };
        // What feeds a source is a recording of its own, after the upload of its planes.
        let mut contents = Contents::new(plan);
        contents.upload(&pictures.planes);
        passes.push(describe(pass, true, &mut contents));
    }
    let mut contents = Contents::new(plan);
    passes.extend(plan.passes.iter().map(|pass| describe(pass, false, &mut contents)));
    let leaving = || plan.outlets.iter().filter_map(|outlet| outlet.pictures.as_ref());
    let conversions = leaving().filter_map(|pictures| pictures.convert.as_ref());
    passes.extend(conversions.map(|pass| describe(pass, false, &mut contents)));
    let planes: Vec<TextureUse> = leaving().flat_map(|pictures| pictures.planes.iter().copied()).collect();
    (passes, contents.read_back(&planes))
}

fn describe(pass: &PlanPass, only_when_fed: bool, contents: &mut Contents<'_>) -> PassPlan {
    let barrier = contents.barrier(pass);
    let reads = pass.inputs.iter().map(|(_, used)| contents.name(*used)).collect();
    contents.write(pass);
    let written = pass.outputs.iter().map(|(_, texture)| TextureUse { texture: *texture, delay: 0 });
    PassPlan {
        label: pass.label.clone(),
        nodes: pass.nodes.clone(),
        reads,
        writes: written.map(|used| contents.name(used)).collect(),
        threads: pass.threads,
        only_when_fed,
        barrier,
    }
}
