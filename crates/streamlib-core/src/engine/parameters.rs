//! Everything that can be set while a plan runs: uniform blocks and buffers.

use crate::graph::GraphError;
use crate::interface::ParameterError;
use crate::plan::Plan;
use crate::value::Value;

/// Values of all parameters of a plan, as its kernels read them. A set of them replaces another as a whole, so that what
/// belongs together changes in the same frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    /// By pass of the plan.
    pub(super) blocks: Vec<Vec<u8>>,
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
        Self {
            blocks: plan.passes.iter().map(|pass| pass.block.clone()).collect(),
            buffers: buffers.collect(),
        }
    }

    /// Makes these the same as `newer`, which were made of these or of which these were made, in the memory that they have.
    pub fn catch_up(&mut self, newer: &Self) {
        self.blocks.clone_from(&newer.blocks);
        if self.buffers.len() != newer.buffers.len() {
            self.buffers.clone_from(&newer.buffers);
            return;
        }
        for (mine, newer) in self.buffers.iter_mut().zip(&newer.buffers) {
            if mine.version != newer.version {
                mine.clone_from(newer);
            }
        }
    }

    /// Sets a number of a plan's pass, which is of the plan that these values were made for.
    ///
    /// # Panics
    /// When the plan has no such pass or parameter.
    pub fn write(&mut self, plan: &Plan, place: ParameterPlace, numbers: &[f64]) {
        plan.passes[place.pass].interface.parameters[place.parameter]
            .write(numbers, &mut self.blocks[place.pass]);
    }

    /// Sets a parameter, or the contents of a buffer, of a node of `plan`, for which these values were made.
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
        let parameter = pass.interface.parameter(&full_name).map_err(wrong)?;
        let numbers = parameter.check(value).map_err(wrong)?;
        parameter.write(&numbers, &mut self.blocks[index]);
        Ok(())
    }
}
