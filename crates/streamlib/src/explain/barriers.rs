//! What lies in each texture while the passes of a frame go by, and before which passes a barrier stands.

use streamlib_core::hazard::{Hazard, Hazards};
use streamlib_core::plan::{Plan, PlanPass, TextureUse};

/// A texture, and the copy of it by its age in frames.
type Place = (usize, u32);

/// The textures of a frame under way.
pub(super) struct Contents<'a> {
    plan: &'a Plan,
    /// How many results were written to each texture so far.
    written: Vec<usize>,
    hazards: Hazards<Place>,
}

impl<'a> Contents<'a> {
    pub(super) fn new(plan: &'a Plan) -> Self {
        Self { plan, written: vec![0; plan.textures.len()], hazards: Hazards::default() }
    }

    /// Name of the result that a use means at this moment.
    pub(super) fn name(&self, used: TextureUse) -> String {
        let held = &self.plan.textures[used.texture].holds;
        let newest = self.written[used.texture].clamp(1, held.len()) - 1;
        match used.delay {
            0 => held[newest].clone(),
            1 => format!("{} (1 frame ago)", held[newest]),
            delay => format!("{} ({delay} frames ago)", held[newest]),
        }
    }

    pub(super) fn upload(&mut self, planes: &[TextureUse]) {
        let writes: Vec<Place> = planes.iter().map(|plane| (plane.texture, plane.delay)).collect();
        self.hazards.step(&[], &writes);
    }

    /// Why a barrier stands before a pass that comes next.
    pub(super) fn barrier(&mut self, pass: &PlanPass) -> Option<String> {
        let reads: Vec<Place> = pass.inputs.iter().map(|(_, used)| (used.texture, used.delay)).collect();
        let writes: Vec<Place> = pass.outputs.iter().map(|(_, texture)| (*texture, 0)).collect();
        self.hazards.step(&reads, &writes).map(|hazard| self.why(hazard))
    }

    /// Notes what a pass has written.
    pub(super) fn write(&mut self, pass: &PlanPass) {
        pass.outputs.iter().for_each(|(_, texture)| self.written[*texture] += 1);
    }

    /// Why a barrier stands before all that is read back.
    pub(super) fn read_back(&mut self, planes: &[TextureUse]) -> Option<String> {
        let reads: Vec<Place> = planes.iter().map(|plane| (plane.texture, plane.delay)).collect();
        self.hazards.step(&reads, &[]).map(|hazard| self.why(hazard))
    }

    fn why(&self, hazard: Hazard<Place>) -> String {
        let name = |(texture, delay): Place| self.name(TextureUse { texture, delay });
        match hazard {
            Hazard::ReadAfterWrite(read) => format!("reads {}, which has just been written", name(read)),
            Hazard::WriteAfterRead(over) => format!("writes over {}, which is still read", name(over)),
            Hazard::WriteAfterWrite(over) => format!("writes over {}", name(over)),
        }
    }
}
