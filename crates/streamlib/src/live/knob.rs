//! A parameter found once, to be set often.

use std::sync::Weak;

use streamlib_core::engine::ParameterPlace;
use streamlib_core::graph::GraphError;
use streamlib_core::value::Value;

use super::control::Control;

/// A parameter of one or several effects of a running graph, found once and set often: setting it costs a fraction of
/// [`LiveGraph::set`](super::LiveGraph::set). It does not keep the graph alive.
#[derive(Clone, Debug)]
pub struct Knob {
    pub(super) control: Weak<Control>,
    pub(super) targets: Vec<Target>,
}

/// A node's parameter, and where the plan has it.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) node: String,
    pub(super) parameter: String,
    /// Of the plan of that generation.
    pub(super) place: Option<(u64, ParameterPlace)>,
}

impl Knob {
    /// Sets the parameter from the next frame on, in all effects in the same frame; in a graph that has ended it does nothing.
    ///
    /// # Errors
    /// When an effect or its parameter is there no more, or the value does not fit. Nothing changes then.
    pub fn set(&mut self, value: &Value) -> Result<(), GraphError> {
        match self.control.upgrade() {
            Some(control) => control.knobs.turn(&mut self.targets, value),
            None => Ok(()),
        }
    }

    /// As [`set`](Self::set), without waiting where the graph is being changed at this very moment; `false` then.
    ///
    /// # Errors
    /// As [`set`](Self::set).
    pub fn try_set(&mut self, value: &Value) -> Result<bool, GraphError> {
        match self.control.upgrade() {
            Some(control) => control.knobs.try_turn(&mut self.targets, value),
            None => Ok(true),
        }
    }

    /// The value now: what was set, else the author's. None when the parameter is there no more.
    #[must_use]
    pub fn value(&self) -> Option<Value> {
        let control = self.control.upgrade()?;
        self.targets.iter().find_map(|target| control.knobs.value(&target.node, &target.parameter))
    }
}
