//! What all frames of a plan share: textures, kernels' buffers, pools.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::gpu::{Command, Gpu, TextureDesc};
use crate::plan::{Plan, PlanTexture, TextureUse};

/// Before the first frame, history is opaque black, and so is what a source shows.
const BLACK: [f32; 4] = [0.0, 0.0, 0.0, 1.0];
/// Clearing takes no longer than this on anything that works.
const CLEAR_LIMIT: Duration = Duration::from_secs(30);

/// Textures of a plan that a later plan may go on using: what stands in them then goes on as well.
#[derive(Debug)]
pub struct Shelf<G: Gpu> {
    slots: u32,
    textures: BTreeMap<String, (PlanTexture, Vec<G::Texture>)>,
    /// Outlets' textures, and how many there are of each. They change hands when the later plan takes over.
    pub(super) pools: BTreeMap<String, (PlanTexture, usize)>,
}

/// What all slots share.
#[derive(Debug)]
pub(super) struct Resources<G: Gpu> {
    /// By plan texture: one copy, or one per slot where history is kept.
    pub(super) textures: Vec<Vec<G::Texture>>,
}

impl<G: Gpu> Resources<G> {
    /// Creates what `shelf` does not have.
    pub(super) fn new(gpu: &G, plan: &Plan, shelf: Option<&Shelf<G>>) -> Result<Self, G::Error> {
        let (mut textures, mut blank) = (Vec::new(), Vec::new());
        for (index, texture) in plan.textures.iter().enumerate() {
            let is_read_before_written =
                texture.keeps_history || plan.sources.iter().any(|source| source.texture == index);
            let known = shelf.and_then(|shelf| shelf.copies(texture, plan.slots));
            if let Some(copies) = known {
                textures.push(copies.to_vec());
                continue;
            }
            let desc = TextureDesc { label: &texture.label, size: texture.size, format: texture.format };
            let count = if texture.keeps_history { plan.slots } else { 1 };
            let copies = (0..count).map(|_| gpu.create_texture(&desc)).collect::<Result<Vec<_>, _>>()?;
            blank.extend(copies.iter().filter(|_| is_read_before_written).cloned());
            textures.push(copies);
        }
        clear(gpu, &blank)?;
        Ok(Self { textures })
    }

    /// The copy of a texture that a frame in `slot` means. For a texture that differs from frame to frame, the one that
    /// recordings are made with.
    pub(super) fn texture(&self, plan: &Plan, slot: usize, wanted: TextureUse) -> &G::Texture {
        let copies = &self.textures[wanted.texture];
        let slots = plan.slots as usize;
        &copies[(slot + slots - wanted.delay as usize) % slots % copies.len()]
    }

    /// Handles for a later plan.
    pub(super) fn shelf(&self, plan: &Plan) -> Shelf<G> {
        let all = plan.textures.iter().zip(&self.textures);
        let textures =
            all.map(|(texture, copies)| (texture.label.clone(), (texture.clone(), copies.clone())));
        Shelf { slots: plan.slots, textures: textures.collect(), pools: BTreeMap::new() }
    }
}

impl<G: Gpu> Shelf<G> {
    /// Whether it has that many textures for an outlet.
    pub(super) fn has_pool(&self, wanted: &PlanTexture, count: usize) -> bool {
        let known = self.pools.get(&wanted.label);
        known.is_some_and(|(texture, capacity)| texture == wanted && *capacity == count)
    }

    fn copies(&self, wanted: &PlanTexture, slots: u32) -> Option<&[G::Texture]> {
        let (texture, copies) = self.textures.get(&wanted.label)?;
        let fits = texture == wanted && (!wanted.keeps_history || self.slots == slots);
        fits.then_some(copies)
    }
}

fn clear<G: Gpu>(gpu: &G, textures: &[G::Texture]) -> Result<(), G::Error> {
    if textures.is_empty() {
        return Ok(());
    }
    let commands: Vec<_> = textures.iter().map(|texture| Command::Clear { texture, color: BLACK }).collect();
    let mut recording = gpu.record("clear", &commands)?;
    let done = gpu.submit_one(&mut recording)?;
    gpu.wait(done, CLEAR_LIMIT)
}
