//! What a graph becomes on a device: kernels, passes, textures, and why.

use serde::Serialize;
use streamlib_core::format::Size;
use streamlib_core::plan::{Fusion, Plan, PlanPass, PlanPictures, Verdict};

/// A plan, for people.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    /// Passes of a frame, in order.
    pub passes: Vec<PassPlan>,
    /// Textures.
    pub textures: Vec<TexturePlan>,
    /// What became of every effect.
    pub effects: Vec<Fate>,
    /// Bytes of all textures.
    pub texture_bytes: usize,
    /// Frames under way at once.
    pub slots: u32,
}

/// One run of a kernel.
#[derive(Clone, Debug, Serialize)]
pub struct PassPlan {
    /// What it computes.
    pub label: String,
    /// Nodes that it computes.
    pub nodes: Vec<String>,
    /// Textures that it reads.
    pub reads: Vec<String>,
    /// Textures that it writes.
    pub writes: Vec<String>,
    /// Threads across and down.
    pub threads: Size,
    /// Whether it runs only when its source has a new picture.
    pub only_when_fed: bool,
}

/// A texture.
#[derive(Clone, Debug, Serialize)]
pub struct TexturePlan {
    /// Node and port.
    pub label: String,
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
    pub(crate) fn new(plan: &Plan, fusion: &Fusion) -> Self {
        let convert = |pictures: &'_ Option<PlanPictures>| pictures.as_ref().and_then(|p| p.convert.clone());
        let feeding = plan.sources.iter().filter_map(|source| convert(&source.pictures));
        let leaving = plan.outlets.iter().filter_map(|outlet| convert(&outlet.pictures));
        let passes = feeding.map(|pass| describe(plan, &pass, true));
        let passes = passes.chain(plan.passes.iter().map(|pass| describe(plan, pass, false)));
        let passes = passes.chain(leaving.map(|pass| describe(plan, &pass, false))).collect();
        let textures: Vec<_> = plan
            .textures
            .iter()
            .map(|texture| {
                let copies = if texture.keeps_history { plan.slots } else { 1 };
                let bytes = texture.size.pixels() * texture.format.bytes_per_texel() * copies as usize;
                let (label, size) = (texture.label.clone(), texture.size);
                TexturePlan { label, size, format: texture.format.name(), copies, bytes }
            })
            .collect();
        let effects = fusion.verdicts.iter().map(|(node, verdict)| {
            let (fused_into, stored_because) = match verdict {
                Verdict::Joins(kernel) => (Some(kernel.clone()), None),
                Verdict::Stored(why) => (None, Some(why.to_string())),
            };
            Fate { node: node.clone(), fused_into, stored_because }
        });
        Self {
            effects: effects.collect(),
            passes,
            texture_bytes: textures.iter().map(|texture| texture.bytes).sum(),
            textures,
            slots: plan.slots,
        }
    }
}

fn describe(plan: &Plan, pass: &PlanPass, only_when_fed: bool) -> PassPlan {
    let label = |texture: usize| plan.textures[texture].label.clone();
    let read = |(_, used): &(String, streamlib_core::plan::TextureUse)| match used.delay {
        0 => label(used.texture),
        delay => format!("{} ({delay} frames ago)", label(used.texture)),
    };
    PassPlan {
        label: pass.label.clone(),
        nodes: pass.nodes.clone(),
        reads: pass.inputs.iter().map(read).collect(),
        writes: pass.outputs.iter().map(|(_, texture)| label(*texture)).collect(),
        threads: pass.threads,
        only_when_fed,
    }
}
