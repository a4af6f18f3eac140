//! Runs a plan, frame after frame.
//!
//! Everything is created and recorded once, in [`Engine::new`]; a frame only writes host memory and submits. The engine
//! works on `Plan::slots` frames at once: the caller submits until no slot is free, then collects the oldest.

mod error;
mod slot;
mod uniforms;

use std::sync::Arc;
use std::time::Duration;

use crate::frame::{FrameMeta, Timestamp};
use crate::gpu::{Gpu, HostBuffer};
use crate::graph::GraphError;
use crate::interface::ParameterError;
use crate::picture::Picture;
use crate::plan::{Plan, PlanKernel, PlanPass};
use crate::value::Value;

pub use error::EngineError;
use slot::{Resources, Slot};

/// One plan at work on one GPU.
#[derive(Debug)]
pub struct Engine<G: Gpu> {
    gpu: Arc<G>,
    plan: Plan,
    /// Uniform blocks of the plan's passes as the next frame will see them.
    blocks: Vec<Vec<u8>>,
    slots: Vec<Slot<G>>,
    /// Frames submitted so far.
    frames: u64,
    /// Time stamps of the first and of the newest frame.
    first: Option<Timestamp>,
    newest: Timestamp,
}

/// A submitted frame, to be collected.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a frame keeps its slot until it is collected"]
pub struct Ticket {
    slot: usize,
    /// The frame's time stamp.
    pub captured: Timestamp,
}

impl<G: Gpu> Engine<G> {
    /// Creates textures, kernels and recordings. `build` makes a kernel of the plan.
    ///
    /// # Errors
    /// When `build` or the GPU fails; nothing is left behind then.
    pub fn new<E: From<G::Error>>(
        gpu: Arc<G>,
        plan: Plan,
        build: impl FnMut(&PlanKernel) -> Result<G::Kernel, E>,
    ) -> Result<Self, E> {
        let kernels = plan.kernels.iter().map(build).collect::<Result<Vec<_>, E>>()?;
        let resources = Resources::new(&*gpu, &plan)?;
        let slots = 0..plan.slots as usize;
        let slots = slots.map(|slot| Slot::new(&*gpu, &plan, &kernels, &resources, slot));
        let slots = slots.collect::<Result<Vec<_>, _>>()?;
        resources.clear_history(&*gpu, &plan)?;
        let blocks = plan.passes.iter().map(|pass| pass.block.clone()).collect();
        Ok(Self { gpu, plan, blocks, slots, frames: 0, first: None, newest: Timestamp::default() })
    }

    /// The plan that runs.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Whether a frame can be submitted before one is collected.
    #[must_use]
    pub fn has_free_slot(&self) -> bool {
        !self.next().busy
    }

    fn next(&self) -> &Slot<G> {
        &self.slots[self.index()]
    }

    fn index(&self) -> usize {
        (self.frames % u64::from(self.plan.slots)) as usize
    }

    /// Sets a parameter of a node from the next submitted frame on.
    ///
    /// # Errors
    /// When the plan has no such node, the node no such parameter, or the value does not fit.
    pub fn set(&mut self, node: &str, name: &str, value: &Value) -> Result<(), GraphError> {
        let wrong = |error| GraphError::Parameter { node: node.to_owned(), error };
        let in_pass = |pass: &PlanPass| pass.nodes.iter().any(|name| name == node);
        let Some(index) = self.plan.passes.iter().position(in_pass) else {
            let error = ParameterError::Unknown { name: name.to_owned(), known: vec![] };
            return Err(wrong(error));
        };
        let pass = &self.plan.passes[index];
        let parameter = pass.interface.parameter(&pass.parameter_name(node, name)).map_err(wrong)?;
        parameter.write(&parameter.check(value).map_err(wrong)?, &mut self.blocks[index]);
        Ok(())
    }

    /// Gives the `source`-th source of the plan its picture for the next submitted frame. A source that is not fed keeps
    /// its last one, unless it is marked `every_frame`.
    ///
    /// # Errors
    /// When the picture is not of the source's format, no slot is free, or the GPU fails.
    pub fn ingest(&mut self, source: usize, picture: &Picture) -> Result<(), EngineError<G::Error>> {
        let planned = &self.plan.sources[source];
        if picture.format != planned.format || picture.data.len() != planned.format.bytes() {
            return Err(EngineError::WrongPicture {
                node: planned.node.clone(),
                expected: planned.format,
                found: picture.format,
                bytes: picture.data.len(),
            });
        }
        if !self.has_free_slot() {
            return Err(EngineError::NoFreeSlot);
        }
        let index = self.index();
        let feed = &mut self.slots[index].feeds[source];
        let ranges = planned.format.plane_ranges();
        feed.buffer.write(&mut |bytes| {
            for (range, &offset) in ranges.iter().zip(&feed.offsets) {
                bytes[offset..offset + range.len()].copy_from_slice(&picture.data[range.clone()]);
            }
        })?;
        if let Some(pass) = &planned.convert {
            self.gpu.set_uniforms(&mut feed.recording, 0, &pass.block)?;
        }
        self.gpu.submit_one(&mut feed.recording)?;
        Ok(())
    }

    /// Runs the graph once.
    ///
    /// # Errors
    /// When no slot is free, or the GPU fails.
    pub fn submit(&mut self, meta: &FrameMeta) -> Result<Ticket, EngineError<G::Error>> {
        if !self.has_free_slot() {
            return Err(EngineError::NoFreeSlot);
        }
        let (index, first) = (self.index(), *self.first.get_or_insert(meta.captured));
        let moment = uniforms::Moment {
            time: Timestamp(meta.captured.0 - first.0).seconds(),
            delta: if self.frames == 0 { 0.0 } else { Timestamp(meta.captured.0 - self.newest.0).seconds() },
            meta,
        };
        let slot = &mut self.slots[index];
        for (number, (pass, block)) in self.plan.passes.iter().zip(&mut self.blocks).enumerate() {
            moment.write(pass, block);
            self.gpu.set_uniforms(&mut slot.recording, number, block)?;
        }
        slot.value = self.gpu.submit_one(&mut slot.recording)?;
        slot.busy = true;
        self.frames += 1;
        self.newest = meta.captured;
        Ok(Ticket { slot: index, captured: meta.captured })
    }

    /// Waits for a submitted frame and reads it back: one picture per sink of the plan, in the plan's order. Frames must be
    /// collected in the order of their submission.
    ///
    /// # Errors
    /// When the frame takes longer than `limit`, or the device is lost.
    pub fn collect(
        &mut self,
        ticket: &Ticket,
        limit: Duration,
        into: &mut [Picture],
    ) -> Result<(), EngineError<G::Error>> {
        let slot = &mut self.slots[ticket.slot];
        self.gpu.wait(slot.value, limit)?;
        for ((sink, drain), picture) in self.plan.sinks.iter().zip(&slot.drains).zip(into) {
            picture.format = sink.format;
            picture.timestamp = ticket.captured;
            picture.data.resize(sink.format.bytes(), 0);
            let ranges = sink.format.plane_ranges();
            drain.buffer.read(&mut |bytes| {
                for (range, &offset) in ranges.iter().zip(&drain.offsets) {
                    picture.data[range.clone()].copy_from_slice(&bytes[offset..offset + range.len()]);
                }
            })?;
        }
        slot.busy = false;
        Ok(())
    }

    /// GPU times in nanoseconds of a collected frame, one per pass of the plan; empty when the device cannot tell.
    ///
    /// # Errors
    /// When the slot has been submitted again, or the device is lost.
    pub fn pass_times(&self, ticket: &Ticket, into: &mut Vec<u64>) -> Result<(), EngineError<G::Error>> {
        self.gpu.times(&self.slots[ticket.slot].recording, into)?;
        into.truncate(self.plan.passes.len());
        Ok(())
    }
}

#[cfg(test)]
mod tests;
