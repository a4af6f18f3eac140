//! The textures of a recording: what each place was recorded with, and what stands there now.

use std::sync::Arc;

use ash::vk;

use crate::check::{Pass, Step};
use crate::descriptors::ImageSlot;
use crate::device::Device;
use crate::error::RebindProblem;
use crate::texture::Texture;

/// Every texture that the steps name, once. Keeps alive both what was recorded and what is bound.
pub(crate) struct Places(Vec<Place>);

struct Place {
    /// Names the place, however often it is bound anew.
    recorded: Texture,
    bound: Texture,
    /// A copy or a clear was recorded with it.
    is_copied: bool,
    /// Where dispatches find it.
    slots: Vec<ImageSlot>,
}

impl Places {
    /// The places of `steps`; `sets` belong to the dispatches, in order.
    pub(crate) fn new(steps: &[Step<'_>], sets: &[vk::DescriptorSet]) -> Self {
        let mut places = Self(Vec::new());
        let mut sets = sets.iter();
        for step in steps {
            match step {
                Step::Upload { to: texture, .. }
                | Step::Download { from: texture, .. }
                | Step::Clear { texture, .. } => places.place(texture).is_copied = true,
                Step::Dispatch(pass) => {
                    if let Some(set) = sets.next() {
                        places.add_pass(pass, *set);
                    }
                }
            }
        }
        places
    }

    fn add_pass(&mut self, pass: &Pass<'_>, set: vk::DescriptorSet) {
        for (slot, texture) in ImageSlot::of_pass(pass, set) {
            self.place(texture).slots.push(slot);
        }
    }

    fn place(&mut self, texture: &Texture) -> &mut Place {
        let known = self.0.iter().position(|place| place.recorded.is(texture));
        let index = known.unwrap_or_else(|| {
            let (recorded, bound) = (texture.clone(), texture.clone());
            self.0.push(Place { recorded, bound, is_copied: false, slots: Vec::new() });
            self.0.len() - 1
        });
        &mut self.0[index]
    }

    /// Puts `texture` where `recorded` stood. The barriers between the steps stay right: all places of one texture get
    /// another one, which stands nowhere else. Allocates nothing.
    ///
    /// # Safety
    /// No submitted work uses the descriptor sets, and their command buffer may become invalid.
    #[allow(unsafe_code, reason = "forwards a promise of the caller")]
    pub(crate) unsafe fn rebind(
        &mut self,
        device: &Arc<Device>,
        recorded: &Texture,
        texture: &Texture,
    ) -> Result<(), RebindProblem> {
        let place = self.0.iter().position(|place| place.recorded.is(recorded));
        let place = place.ok_or(RebindProblem::NotRecorded)?;
        if self.0[place].is_copied {
            return Err(RebindProblem::Copied);
        }
        if (texture.size(), texture.format()) != (recorded.size(), recorded.format()) {
            return Err(RebindProblem::Shape {
                recorded: (recorded.size(), recorded.format()),
                found: (texture.size(), texture.format()),
            });
        }
        let mut others = self.0.iter().enumerate().filter(|(index, _)| *index != place);
        if let Some((_, other)) = others.find(|(_, other)| other.bound.is(texture)) {
            return Err(RebindProblem::Elsewhere { recorded: other.recorded.0.label.clone() });
        }
        let place = &mut self.0[place];
        if texture.is_read_only() && place.slots.iter().any(ImageSlot::is_output) {
            return Err(RebindProblem::ReadOnly);
        }
        for slot in &place.slots {
            // SAFETY: as the caller promises; the texture is kept below, and is not read only where it is written.
            unsafe { slot.bind(device, texture) };
        }
        place.bound = texture.clone();
        Ok(())
    }
}
