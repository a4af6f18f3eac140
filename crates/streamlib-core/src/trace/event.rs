//! What a trace tells.

use std::sync::Arc;

use crate::account::{DropReason, FrameTimes};
use crate::frame::Timestamp;

/// One thing that happened. Sending one allocates nothing: names are given beforehand, in [`TraceNames`].
#[derive(Clone, Debug)]
pub enum TraceEvent {
    /// A frame was delivered.
    Frame(FrameTrace),
    /// A pass of a frame ran on the GPU.
    Pass(PassTrace),
    /// A frame was dropped.
    Drop {
        /// When.
        at: Timestamp,
        /// Where: the node's index in the names; none for the graph as a whole.
        node: Option<u16>,
        /// Why.
        reason: DropReason,
    },
    /// Another plan took over; later events use its names.
    Swap {
        /// When.
        at: Timestamp,
        /// The new plan's names.
        names: Arc<TraceNames>,
    },
    /// How many values wait in a queue.
    Queue {
        /// When.
        at: Timestamp,
        /// The queue's index in the names.
        queue: u16,
        /// How many wait.
        length: u32,
    },
}

/// A delivered frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameTrace {
    /// Counts the frames of the graph; it ties the slices of a frame together.
    pub number: u64,
    /// Where it was, when.
    pub times: FrameTimes,
}

/// One pass on the GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PassTrace {
    /// Number of the frame.
    pub frame: u64,
    /// The pass's index in the names.
    pub pass: u16,
    /// It began.
    pub begin: Timestamp,
    /// It was done.
    pub end: Timestamp,
}

/// The names of what events refer to by index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TraceNames {
    /// What runs: a graph's name or why a new plan took over. It stands beside the swap.
    pub title: String,
    /// The nodes.
    pub nodes: Vec<String>,
    /// The passes.
    pub passes: Vec<String>,
    /// The queues.
    pub queues: Vec<String>,
}
