//! Results that share a texture.
//!
//! A result lives from the pass that writes it to the last pass that reads it. Two of the same size and format whose lives
//! do not overlap can lie in one texture, one after the other: less memory, and more of it still in the cache. They do so
//! only where a barrier stands between their lives anyway, so that no pass waits for the sake of memory.

use std::collections::BTreeSet;

use super::{Plan, PlanPass};
use crate::hazard::Hazards;
use crate::interface::EffectForm;

/// Passes from the one that writes a result to the last one that reads it.
struct Life {
    first: usize,
    last: usize,
}

/// Lets results share textures.
///
/// What keeps a texture of its own: earlier frames of it are read; a source is fed into it, which happens apart from the
/// passes; it leaves the plan; or a compute kernel writes it, since its author may leave texels as they were.
pub(super) fn share_textures(plan: &mut Plan) {
    let textures = plan.textures.iter().enumerate();
    let mut alone: BTreeSet<usize> =
        textures.filter(|(_, t)| t.keeps_history).map(|(index, _)| index).collect();
    each_outside(plan, |texture| {
        alone.insert(*texture);
    });
    for pass in plan.passes.iter().filter(|pass| pass.interface.form != EffectForm::Pixel) {
        alone.extend(pass.outputs.iter().map(|(_, texture)| *texture));
    }

    let lives = lives(plan);
    let mut movable: Vec<(usize, Life)> = lives
        .into_iter()
        .enumerate()
        .filter_map(|(texture, life)| Some((texture, life?)))
        .filter(|(texture, _)| !alone.contains(texture))
        .collect();
    movable.sort_by_key(|(texture, life)| (life.first, *texture));
    let epochs = epochs(plan);
    // Textures that results were put into so far, with the last pass that needs each.
    let mut hosts: Vec<(usize, usize)> = Vec::new();
    let mut host_of: Vec<usize> = (0..plan.textures.len()).collect();
    for (guest, life) in movable {
        let shape = |texture: usize| (plan.textures[texture].size, plan.textures[texture].format);
        let is_free = |(host, last): &&mut (usize, usize)| {
            epochs[*last] < epochs[life.first] && shape(*host) == shape(guest)
        };
        if let Some((host, last)) = hosts.iter_mut().find(is_free) {
            (host_of[guest], *last) = (*host, life.last);
            // Guests come in the order in which they are written, so `holds` tells what is in a texture when.
            let held = plan.textures[guest].holds.clone();
            let host = &mut plan.textures[*host];
            host.holds.extend(held);
            host.label = host.holds.join(", ");
        } else {
            hosts.push((guest, life.last));
        }
    }
    merge(plan, &host_of);
}

/// How many barriers stand before each pass.
pub(super) fn epochs(plan: &Plan) -> Vec<usize> {
    let mut hazards = Hazards::default();
    let mut epoch = 0;
    let step = |pass: &PlanPass| {
        let reads: Vec<_> = pass.inputs.iter().map(|(_, used)| (used.texture, used.delay)).collect();
        let writes: Vec<_> = pass.outputs.iter().map(|(_, texture)| (*texture, 0)).collect();
        epoch += usize::from(hazards.step(&reads, &writes).is_some());
        epoch
    };
    plan.passes.iter().map(step).collect()
}

/// The life of each texture; none where no pass writes it, or one reads it before.
fn lives(plan: &Plan) -> Vec<Option<Life>> {
    let life = |texture: usize| {
        let writes = |pass: &PlanPass| pass.outputs.iter().any(|(_, written)| *written == texture);
        let reads = |pass: &PlanPass| pass.inputs.iter().any(|(_, read)| read.texture == texture);
        let first = plan.passes.iter().position(writes)?;
        let last = plan.passes.iter().rposition(|pass| writes(pass) || reads(pass))?;
        (!plan.passes[..=first].iter().any(reads)).then_some(Life { first, last })
    };
    (0..plan.textures.len()).map(life).collect()
}

/// Takes textures away whose results lie in another one.
fn merge(plan: &mut Plan, host_of: &[usize]) {
    let mut kept = 0;
    let places: Vec<usize> = host_of
        .iter()
        .enumerate()
        .map(|(texture, host)| {
            kept += usize::from(texture == *host);
            kept.saturating_sub(1)
        })
        .collect();
    let mut index = 0;
    plan.textures.retain(|_| {
        index += 1;
        host_of[index - 1] == index - 1
    });
    each_texture(plan, |texture| *texture = places[host_of[*texture]]);
}

/// Every place of a plan that names a texture.
fn each_texture(plan: &mut Plan, mut change: impl FnMut(&mut usize)) {
    plan.passes.iter_mut().for_each(|pass| each_of_pass(pass, &mut change));
    each_outside(plan, change);
}

/// Every place apart from the passes that names a texture.
fn each_outside(plan: &mut Plan, mut change: impl FnMut(&mut usize)) {
    plan.sources.iter_mut().for_each(|source| change(&mut source.texture));
    plan.outlets.iter_mut().for_each(|outlet| change(&mut outlet.from.texture));
    let sources = plan.sources.iter_mut().filter_map(|source| source.pictures.as_mut());
    for pictures in sources.chain(plan.outlets.iter_mut().filter_map(|outlet| outlet.pictures.as_mut())) {
        pictures.planes.iter_mut().for_each(|plane| change(&mut plane.texture));
        pictures.convert.iter_mut().for_each(|pass| each_of_pass(pass, &mut change));
    }
}

fn each_of_pass(pass: &mut PlanPass, change: &mut impl FnMut(&mut usize)) {
    pass.inputs.iter_mut().for_each(|(_, used)| change(&mut used.texture));
    pass.outputs.iter_mut().for_each(|(_, texture)| change(texture));
}
