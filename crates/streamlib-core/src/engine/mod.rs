//! Runs a plan, frame after frame.
//!
//! Everything is created and recorded once, in [`Engine::new`]. A frame takes a free [`Slot`], gets the uploads of its
//! sources, and is submitted as one piece of work; whoever waits for it takes out what it has for the outlets and gives the slot
//! back. Submitting allocates nothing and takes no lock, so that one thread can submit while another waits.

mod error;
mod feeding;
mod lease;
mod parameters;
mod record;
mod resources;
mod slot;
mod transfer;
mod uniforms;

use std::collections::VecDeque;
use std::sync::Arc;

use crossbeam_queue::ArrayQueue;

use crate::frame::{FrameMeta, Timestamp};
use crate::gpu::{Gpu, TextureDesc};
use crate::plan::{Plan, PlanKernel, PlanTexture};

pub use error::EngineError;
pub use lease::{Leased, TexturePool};
pub use parameters::{ParameterPlace, Parameters};
pub use resources::Shelf;
pub use slot::{Content, Delivery, Slot};
pub use transfer::{HostPicture, Upload, count_host_bytes, host_bytes};

use record::Recorder;
use resources::Resources;
use transfer::Readback;
use uniforms::Moment;

/// How an outlet of the plan is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutletSpec {
    /// The caller's number for the outlet.
    pub tag: u64,
    /// Frames that its consumers may hold or have waiting at once.
    pub depth: usize,
}

/// Slots that are free. The engine takes them from here; whoever has waited for a frame puts its slot back.
pub type Home<G> = Arc<ArrayQueue<Box<Slot<G>>>>;

/// One plan at work on one GPU.
#[derive(Debug)]
pub struct Engine<G: Gpu> {
    gpu: Arc<G>,
    plan: Arc<Plan>,
    kernels: Vec<G::Kernel>,
    resources: Resources<G>,
    parameters: Box<Parameters>,
    /// Parameters that the next frame's slot takes along to be dropped.
    spent: Option<Box<Parameters>>,
    /// Textures that differ from frame to frame.
    dynamic: Vec<Dynamic<G>>,
    outlets: Vec<Outlet<G>>,
    home: Home<G>,
    /// Slots that came home, in the order in which they are used.
    free: VecDeque<Box<Slot<G>>>,
    clock: Clock,
}

/// A texture that differs from frame to frame.
#[derive(Debug)]
struct Dynamic<G: Gpu> {
    /// Index into the plan's textures.
    texture: usize,
    /// What recordings were made with. For an outlet's texture it is also what is written when no other is wanted or free.
    recorded: Arc<Leased<G>>,
    /// What stands for it in the next frame.
    now: Arc<Leased<G>>,
    /// Where an outlet's textures come from; those of a source come from the source.
    pool: Option<TexturePool<G>>,
    /// Textures in the pool, once it has them.
    capacity: usize,
}

/// An outlet's host memory; none when the texture itself is taken.
#[derive(Debug)]
struct Outlet<G: Gpu> {
    tag: u64,
    readbacks: Vec<Readback<G>>,
}

/// What goes on when a plan takes over from another.
#[derive(Clone, Copy, Debug, Default)]
struct Clock {
    /// Frames submitted so far.
    frames: u64,
    /// Time stamps of the first and of the newest frame.
    first: Option<Timestamp>,
    newest: Timestamp,
}

impl<G: Gpu> Engine<G> {
    /// Creates textures, kernels and recordings. `outlets` are in the plan's order; `build` makes a kernel of the plan;
    /// textures that `shelf` has are not created anew.
    ///
    /// # Errors
    /// When `build` or the GPU fails; nothing is left behind then.
    pub fn new<E: From<G::Error>>(
        gpu: Arc<G>,
        plan: Arc<Plan>,
        outlets: &[OutletSpec],
        shelf: Option<&Shelf<G>>,
        build: impl FnMut(&PlanKernel) -> Result<G::Kernel, E>,
    ) -> Result<Self, E> {
        let kernels = plan.kernels.iter().map(build).collect::<Result<Vec<_>, E>>()?;
        let resources = Resources::new(&*gpu, &plan, shelf)?;
        let slots = plan.slots as usize;
        let depth = |spec: &OutletSpec| spec.depth + slots;
        let mut dynamic = Vec::new();
        for (index, texture) in plan.textures.iter().enumerate() {
            let is_fed = plan.sources.iter().any(|s| s.texture == index && s.pictures.is_none());
            if !is_fed && !texture.is_leased {
                continue;
            }
            let desc = TextureDesc { label: &texture.label, size: texture.size, format: texture.format };
            let readers = outlets.iter().zip(&plan.outlets).filter(|(_, o)| o.from.texture == index);
            let capacity = readers.map(|(spec, _)| depth(spec)).sum();
            let is_there = shelf.is_some_and(|shelf| shelf.has_pool(texture, capacity));
            let pool = match texture.sharing {
                _ if !texture.is_leased => None,
                _ if is_there => Some(TexturePool::empty()),
                Some(sharing) => Some(TexturePool::shared(&*gpu, &desc, sharing, capacity)?),
                None if !texture.layouts.is_empty() => {
                    Some(TexturePool::scanout(&*gpu, &desc, &texture.layouts, capacity)?)
                }
                None => Some(TexturePool::new(&*gpu, &desc, capacity)?),
            };
            let recorded = Leased::new(resources.textures[index][0].clone());
            dynamic.push(Dynamic { texture: index, now: recorded.clone(), recorded, pool, capacity });
        }
        let bound: Vec<u64> = dynamic.iter().map(|texture| texture.now.id()).collect();
        let parameters = Box::new(Parameters::of(&plan));
        let at = |slot| Recorder { gpu: &*gpu, plan: &plan, kernels: &kernels, resources: &resources, slot };
        let free = (0..slots).map(|slot| Slot::new(&at(slot), outlets, &bound, &parameters));
        let free = free.collect::<Result<_, _>>()?;
        let specs = outlets.iter().zip(&plan.outlets);
        let outlets = specs.map(|(spec, outlet)| {
            let pictures = outlet.pictures.iter();
            let readback = |pictures| Readback::new(&at(0), outlet, pictures);
            let readbacks = pictures.flat_map(|pictures| (0..depth(spec)).map(move |_| readback(pictures)));
            Ok(Outlet { tag: spec.tag, readbacks: readbacks.collect::<Result<_, G::Error>>()? })
        });
        let outlets = outlets.collect::<Result<_, G::Error>>()?;
        let (home, clock) = (Arc::new(ArrayQueue::new(slots)), Clock::default());
        Ok(Self {
            gpu,
            plan,
            kernels,
            resources,
            parameters,
            spent: None,
            dynamic,
            outlets,
            home,
            free,
            clock,
        })
    }

    /// The plan that runs.
    #[must_use]
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// Where slots go when their frame has been waited for.
    #[must_use]
    pub fn home(&self) -> Home<G> {
        self.home.clone()
    }

    /// Frames submitted so far, those of plans that this one took over from included.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.clock.frames
    }

    /// Handles to the textures, for a plan that is to take over.
    #[must_use]
    pub fn shelf(&self) -> Shelf<G> {
        let mut shelf = self.resources.shelf(&self.plan);
        for dynamic in &self.dynamic {
            let texture = &self.plan.textures[dynamic.texture];
            if dynamic.pool.is_some() {
                shelf.pools.insert(texture.label.clone(), (texture.clone(), dynamic.capacity));
            }
        }
        shelf
    }

    /// Takes over from `old`: frames are counted on, sources go on showing what they showed, and what consumers hold of it
    /// comes back here. Nothing was submitted to this plan yet, and nothing will be to `old`.
    pub fn take_over(&mut self, old: &mut Self) {
        self.clock = old.clock;
        for texture in &mut self.dynamic {
            let planned = &self.plan.textures[texture.texture];
            // A source that came back with other frames shows none of its old ones.
            let same = |other: &&mut Dynamic<G>| {
                let running = &old.plan.textures[other.texture];
                let shape = |texture: &PlanTexture| (texture.size, texture.format);
                other.pool.is_none() == texture.pool.is_none()
                    && running.label == planned.label
                    && shape(running) == shape(planned)
            };
            let Some(other) = old.dynamic.iter_mut().find(same) else { continue };
            match (&mut texture.pool, &mut other.pool) {
                (Some(pool), Some(others)) if pool.capacity() < texture.capacity => {
                    std::mem::swap(pool, others);
                }
                (None, None) => texture.now = other.now.clone(),
                _ => {}
            }
        }
        // A frame's number decides which copies of the textures that keep history it uses.
        self.free.rotate_left((self.clock.frames % u64::from(self.plan.slots)) as usize);
    }

    /// A free slot; `None` while frames are under way in all of them.
    pub fn take_slot(&mut self) -> Option<Box<Slot<G>>> {
        self.collect_slots();
        self.free.pop_front()
    }

    /// Gives a slot back that was not submitted.
    pub fn put_back(&mut self, slot: Box<Slot<G>>) {
        self.free.push_front(slot);
    }

    /// Takes in what came home.
    fn collect_slots(&mut self) {
        while let Some(mut slot) = self.home.pop() {
            let index = slot.index;
            for ((outlet, place), recording) in slot.drained.drain(..).zip(slot.drains.drain(..)) {
                self.outlets[outlet].readbacks[place].give_back(index, recording);
            }
            self.free.push_back(slot);
        }
    }

    /// Values for the next frame and all after it.
    pub fn set_parameters(&mut self, parameters: Box<Parameters>) {
        self.spent = Some(std::mem::replace(&mut self.parameters, parameters));
    }

    /// Shows a texture as the frame of a source that feeds textures, from the next frame on.
    pub fn show(&mut self, source: usize, texture: &Arc<Leased<G>>) {
        let index = self.plan.sources[source].texture;
        if let Some(dynamic) = self.dynamic.iter_mut().find(|dynamic| dynamic.texture == index) {
            dynamic.now = texture.clone();
        }
    }

    /// Whether an outlet has something to give the next frame to: its consumers do not hold everything.
    pub fn can_deliver(&mut self, outlet: usize) -> bool {
        self.collect_slots();
        match &self.plan.outlets[outlet].pictures {
            Some(_) => self.outlets[outlet].readbacks.iter_mut().any(Readback::is_free),
            None => {
                let index = self.plan.outlets[outlet].from.texture;
                let mut textures = self.dynamic.iter_mut().filter(|texture| texture.texture == index);
                textures.any(|texture| texture.pool.as_mut().is_some_and(TexturePool::has_free))
            }
        }
    }

    /// Runs the graph once, for the outlets that are `wanted`.
    ///
    /// # Errors
    /// When the GPU fails; the slot is lost then.
    pub fn submit(
        &mut self,
        mut slot: Box<Slot<G>>,
        meta: &FrameMeta,
        wanted: impl Fn(usize) -> bool,
    ) -> Result<Box<Slot<G>>, EngineError<G::Error>> {
        slot.meta = *meta;
        slot.spent = self.spent.take();
        self.choose(&mut slot, wanted);
        for (index, texture) in self.dynamic.iter().enumerate() {
            if slot.bound[index] != texture.now.id() {
                let (recorded, now) = (&texture.recorded.texture, &texture.now.texture);
                self.gpu.rebind(&mut slot.frame, recorded, now)?;
                slot.bound[index] = texture.now.id();
            }
            if texture.pool.is_none() {
                slot.held.push(texture.now.clone());
            }
        }
        slot.write_buffers(&self.parameters)?;
        let moment = self.clock.moment(meta);
        for (number, (pass, block)) in self.plan.passes.iter().zip(&mut self.parameters.blocks).enumerate() {
            moment.write(pass, block);
            self.gpu.set_uniforms(&mut slot.frame, number, &block.bytes)?;
        }
        let Slot { feeds, frame, drains, .. } = &mut *slot;
        slot.value = self.gpu.submit(&mut [feeds, std::slice::from_mut(frame), drains])?;
        self.clock.tick(meta);
        // The slot holds what is delivered; held here as well, it would never be free again.
        for texture in self.dynamic.iter_mut().filter(|texture| texture.pool.is_some()) {
            texture.now = texture.recorded.clone();
        }
        Ok(slot)
    }

    /// Finds a texture or host memory for each wanted outlet.
    fn choose(&mut self, slot: &mut Slot<G>, wanted: impl Fn(usize) -> bool) {
        for (index, texture) in self.dynamic.iter_mut().enumerate() {
            let Some(pool) = &mut texture.pool else { continue };
            let outlets = self.plan.outlets.iter().enumerate();
            let mut readers = outlets.filter(|(_, outlet)| outlet.from.texture == texture.texture);
            let is_wanted = readers.any(|(outlet, _)| wanted(outlet));
            let free = if is_wanted { pool.take(Some(slot.bound[index])) } else { None };
            texture.now = free.unwrap_or_else(|| texture.recorded.clone());
        }
        for (index, (planned, outlet)) in self.plan.outlets.iter().zip(&mut self.outlets).enumerate() {
            if !wanted(index) {
                continue;
            }
            let content = if planned.pictures.is_some() {
                let place = outlet.readbacks.iter_mut().position(Readback::is_free);
                place.and_then(|place| {
                    let readback = &mut outlet.readbacks[place];
                    slot.drains.push(readback.take(slot.index)?);
                    slot.drained.push((index, place));
                    Some(Content::Picture(readback.host.clone()))
                })
            } else {
                let texture = self.dynamic.iter().find(|texture| texture.texture == planned.from.texture);
                let leased = texture.filter(|texture| !Arc::ptr_eq(&texture.now, &texture.recorded));
                leased.map(|texture| Content::Texture(texture.now.clone()))
            };
            slot.deliveries.push(match content {
                Some(content) => Delivery::Ready(outlet.tag, content),
                None => Delivery::Missed(outlet.tag),
            });
        }
    }
}

impl Clock {
    fn moment<'a>(&self, meta: &'a FrameMeta) -> Moment<'a> {
        let first = self.first.unwrap_or(meta.captured);
        let before = if self.frames == 0 { meta.captured } else { self.newest };
        let seconds = |from: Timestamp| Timestamp(meta.captured.0 - from.0).seconds();
        Moment { time: seconds(first), delta: seconds(before), meta }
    }

    fn tick(&mut self, meta: &FrameMeta) {
        self.first.get_or_insert(meta.captured);
        self.newest = meta.captured;
        self.frames += 1;
    }
}

#[cfg(test)]
mod tests;
