//! Counts that any thread bumps: one atomic addition each, no lock, no allocation. What screens have shown is written beside them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::reason::DropReason;
use super::shown::{Shown, ShownBy, ShownFrame};
use super::stats::{Counts, Drops, NodeStats};

/// What one node, or the graph as a whole, has done with its frames.
#[derive(Debug, Default)]
pub struct NodeCounters {
    frames_in: AtomicU64,
    frames_out: AtomicU64,
    deadline_misses: AtomicU64,
    dropped: [AtomicU64; DropReason::ALL.len()],
    never_shown: AtomicU64,
    shown: Shown,
}

impl NodeCounters {
    /// A frame came in.
    pub fn came_in(&self) {
        self.frames_in.fetch_add(1, Ordering::Relaxed);
    }

    /// A frame went out.
    pub fn went_out(&self) {
        self.frames_out.fetch_add(1, Ordering::Relaxed);
    }

    /// A frame went out, or could not, after its deadline.
    pub fn missed_deadline(&self) {
        self.deadline_misses.fetch_add(1, Ordering::Relaxed);
    }

    /// A frame was dropped here.
    pub fn dropped(&self, reason: DropReason) {
        self.dropped[reason as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// A frame was shown, on a screen whose pictures come `refresh_ns` apart where that is known. Not for a frame's own threads: it
    /// takes a lock, and allocates the first time.
    pub fn shown(&self, by: ShownBy, frame: ShownFrame, refresh_ns: Option<i64>) {
        self.shown.record(by, frame, refresh_ns);
    }

    /// A frame that went out to a window system was never shown by it: another one took its place.
    pub fn never_shown(&self) {
        self.never_shown.fetch_add(1, Ordering::Relaxed);
    }

    /// How many were dropped so far, by reason in the order of [`DropReason::ALL`].
    pub(crate) fn drops(&self) -> [u64; DropReason::ALL.len()] {
        std::array::from_fn(|reason| self.dropped[reason].load(Ordering::Relaxed))
    }

    /// The counts now. While frames run, they may be some frames apart from each other.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let dropped = DropReason::ALL.map(|reason| (reason, read(&self.dropped[reason as usize])));
        Counts {
            frames_in: read(&self.frames_in),
            frames_out: read(&self.frames_out),
            deadline_misses: read(&self.deadline_misses),
            dropped: dropped.into_iter().collect::<Drops>(),
        }
    }
}

/// The counters of a graph and its nodes. Clones count together.
///
/// Count each drop once: at the node where it happened, or at the graph where it happened at none of them.
#[derive(Clone, Debug, Default)]
pub struct FrameCounters {
    graph: Arc<NodeCounters>,
    nodes: Arc<[(String, Arc<NodeCounters>)]>,
}

impl FrameCounters {
    /// Counters for the nodes of these names; a node's index is its place here.
    #[must_use]
    pub fn new<S: Into<String>>(nodes: impl IntoIterator<Item = S>) -> Self {
        Self::default().for_nodes(nodes)
    }

    /// Counters for another set of nodes, as when a graph changes while it runs. The graph, and nodes that keep their
    /// name, count on.
    #[must_use]
    pub fn for_nodes<S: Into<String>>(&self, nodes: impl IntoIterator<Item = S>) -> Self {
        let nodes = nodes.into_iter().map(|name| {
            let name = name.into();
            let known = self.named(&name).cloned().unwrap_or_default();
            (name, known)
        });
        Self { graph: self.graph.clone(), nodes: nodes.collect() }
    }

    /// The graph as a whole: `in` is submitted, `out` is delivered.
    #[must_use]
    pub fn graph(&self) -> &NodeCounters {
        &self.graph
    }

    /// The `index`-th node.
    #[must_use]
    pub fn node(&self, index: usize) -> Option<&NodeCounters> {
        self.nodes.get(index).map(|(_, node)| &**node)
    }

    /// The counters of a node, to be kept by the thread that serves it.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Arc<NodeCounters>> {
        self.nodes.iter().find(|(node, _)| node == name).map(|(_, node)| node)
    }

    /// The counters of the graph, and those of each node in order.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<NodeCounters>> {
        std::iter::once(&self.graph).chain(self.nodes.iter().map(|(_, node)| node))
    }

    pub(super) fn node_stats(&self) -> Vec<NodeStats> {
        let nodes = self.nodes.iter();
        let stats = |(name, node): &(String, Arc<NodeCounters>)| {
            let counts = node.counts();
            let never_shown = node.never_shown.load(Ordering::Relaxed);
            let shown = node.shown.stats(counts.dropped.of(DropReason::Displaced) + never_shown);
            NodeStats { name: name.clone(), counts, shown }
        };
        nodes.map(stats).collect()
    }
}
