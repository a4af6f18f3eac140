//! Everything that can be set while a plan runs: uniform blocks and buffers.

use crate::graph::GraphError;
use crate::interface::{AnimatedComponent, ParameterError, ParameterValue};
use crate::plan::{Plan, PlanPass};
use crate::value::Value;

/// Values of all parameters of a plan, as its kernels read them. A set of them replaces another as a whole, so that what
/// belongs together changes in the same frame.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parameters {
    /// By pass of the plan.
    pub(super) blocks: Vec<Block>,
    /// By pass of the plan, then in the order of the pass's buffers.
    pub(super) buffers: Vec<BufferContents>,
}

/// Where a plan has a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParameterPlace {
    /// Among the plan's passes.
    pub pass: usize,
    /// Among the pass's parameters.
    pub parameter: usize,
}

impl ParameterPlace {
    /// The place of a node's parameter; none for a buffer, and for what the plan does not compute.
    #[must_use]
    pub fn of(plan: &Plan, node: &str, name: &str) -> Option<Self> {
        let pass = plan.passes.iter().position(|pass| pass.nodes.iter().any(|name| name == node))?;
        let full_name = plan.passes[pass].parameter_name(node, name);
        let parameters = &plan.passes[pass].interface.parameters;
        let parameter = parameters.iter().position(|parameter| parameter.name == full_name)?;
        Some(Self { pass, parameter })
    }
}

/// The uniform block of one pass.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Block {
    pub(super) bytes: Vec<u8>,
    /// What of it is computed for every frame.
    pub(super) animated: Vec<AnimatedComponent>,
}

/// Contents of one buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BufferContents {
    pub(super) pass: usize,
    /// Among the buffers of the pass.
    pub(super) index: usize,
    pub(super) bytes: Vec<u8>,
    /// Grows with every change.
    pub(super) version: u64,
}

impl Parameters {
    /// The values that a plan starts with.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        let passes = plan.passes.iter().enumerate();
        let buffers = passes.flat_map(|(pass, planned)| {
            let numbered = planned.buffers.iter().enumerate();
            numbered.map(move |(index, (_, bytes))| BufferContents {
                pass,
                index,
                bytes: bytes.clone(),
                version: 1,
            })
        });
        let block = |pass: &PlanPass| Block { bytes: pass.block.clone(), animated: pass.animated.clone() };
        Self { blocks: plan.passes.iter().map(block).collect(), buffers: buffers.collect() }
    }

    /// Makes these the same as `newer`, which were made of these or of which these were made, in the memory that they have.
    pub fn catch_up(&mut self, newer: &Self) {
        if self.blocks.len() != newer.blocks.len() || self.buffers.len() != newer.buffers.len() {
            self.clone_from(newer);
            return;
        }
        for (mine, newer) in self.blocks.iter_mut().zip(&newer.blocks) {
            mine.bytes.clone_from(&newer.bytes);
            mine.animated.clone_from(&newer.animated);
        }
        for (mine, newer) in self.buffers.iter_mut().zip(&newer.buffers) {
            if mine.version != newer.version {
                mine.clone_from(newer);
            }
        }
    }

    /// Sets a parameter at its place in `plan`, for which these values were made, to what its own check gave.
    ///
    /// # Panics
    /// When the plan has no such pass or parameter.
    pub fn put(&mut self, plan: &Plan, place: ParameterPlace, value: ParameterValue) {
        let Block { bytes, animated } = &mut self.blocks[place.pass];
        plan.passes[place.pass].interface.put(place.parameter, value, bytes, animated);
    }

    /// Sets a parameter, or the contents of a buffer, of a node of `plan`, for which these values were made. What it was before,
    /// a number or an expression, is forgotten.
    ///
    /// # Errors
    /// When the plan has no such node, the node no such parameter, the value does not fit, or a buffer would change its length.
    pub fn set(&mut self, plan: &Plan, node: &str, name: &str, value: &Value) -> Result<(), GraphError> {
        let wrong = |error| GraphError::Parameter { node: node.to_owned(), error };
        let Some(index) = plan.passes.iter().position(|pass| pass.nodes.iter().any(|name| name == node))
        else {
            return Err(wrong(ParameterError::Unknown { name: name.to_owned(), known: vec![] }));
        };
        let pass = &plan.passes[index];
        let full_name = pass.parameter_name(node, name);
        if let Some(slot) = pass.interface.buffers.iter().find(|slot| slot.name == full_name) {
            let bytes = slot.encode(value).map_err(wrong)?;
            let is_it = |contents: &&mut BufferContents| {
                contents.pass == index && pass.buffers[contents.index].0 == full_name
            };
            if let Some(contents) = self.buffers.iter_mut().find(is_it) {
                if contents.bytes.len() != bytes.len() {
                    let stride = slot.stride.max(1) as usize;
                    let (expected, found) = (contents.bytes.len() / stride, bytes.len() / stride);
                    let name = name.to_owned();
                    return Err(wrong(ParameterError::BufferLength { name, expected, found }));
                }
                contents.bytes = bytes;
                contents.version += 1;
            }
            return Ok(());
        }
        let Block { bytes, animated } = &mut self.blocks[index];
        pass.interface.set(&full_name, value, bytes, animated).map_err(wrong)
    }
}
