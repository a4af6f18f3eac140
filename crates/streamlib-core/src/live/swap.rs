//! Taking over from a running plan, and setting its parameters.

use crate::engine::{Engine, Parameters};
use crate::gpu::Gpu;

use super::input::Input;

/// What makes the loop run a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// A frame of that source, by its place in the plan. When it stalls for `patience_ns`, frames run every `interval_ns` until
    /// it is back, so that other sources are seen.
    Source {
        /// Place among the plan's sources.
        source: usize,
        /// Nominal time between frames, nanoseconds.
        interval_ns: i64,
        /// Nanoseconds without a frame after which others go on.
        patience_ns: i64,
    },
    /// Time, every so many nanoseconds.
    Every(i64),
    /// A free slot: as fast as it goes.
    Free,
}

impl Pace {
    /// Nominal time between frames, nanoseconds; `None` when frames come as fast as they go.
    #[must_use]
    pub const fn interval_ns(&self) -> Option<i64> {
        match self {
            Self::Source { interval_ns, .. } | Self::Every(interval_ns) => Some(*interval_ns),
            Self::Free => None,
        }
    }
}

/// A plan that is to run, and all that goes with it. After the swap it holds what was replaced.
#[derive(Debug)]
pub struct Swap<G: Gpu> {
    /// The plan's engine.
    pub engine: Box<Engine<G>>,
    /// The plan's sources in its order: a new one, or none where [`Swap::keep`] says which of the running ones goes on.
    pub inputs: Vec<Option<Input<G>>>,
    /// By source of the plan, the place of the same source in the running plan.
    pub keep: Vec<Option<usize>>,
    /// Whether frames wait for the consumers of an outlet, in the plan's order.
    pub waits_for: Vec<bool>,
    /// What makes frames run.
    pub pace: Pace,
    /// The source whose end is the graph's, by its place in the plan, where it does not set the pace. One that does ends the graph
    /// in any case.
    pub ends_with: Option<usize>,
    /// Tells this plan's parameters from those of others; greater than that of the plan before.
    pub generation: u64,
    /// Tags of consumers and sources that end with the replaced plan.
    pub ending: Vec<u64>,
}

/// Values for all parameters of the plan of that generation.
#[derive(Debug)]
pub struct ParameterSet {
    /// [`Swap::generation`].
    pub generation: u64,
    /// The values.
    pub values: Box<Parameters>,
}
