//! What the deliverer tells a trace.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::device_clock::DeviceClock;
use crate::account::{DropReason, FrameCounters, FrameTimes, NodeCounters};
use crate::frame::Timestamp;
use crate::trace::{FrameTrace, PassTrace, TraceEvent, TraceNames, TraceSender};

/// What a trace calls the parts of one plan.
#[derive(Clone, Debug, Default)]
pub struct TracedPlan {
    /// Names; nodes as in the plan's [`FrameCounters`], passes in the plan's order.
    pub names: Arc<TraceNames>,
    /// Tags of the consumers whose queues the names name, in that order.
    pub queues: Vec<u64>,
}

/// A trace of what is delivered. Sending allocates nothing, except when a plan takes over.
#[derive(Debug)]
pub(super) struct Traced {
    sender: TraceSender,
    /// Plans to come, by generation.
    next: BTreeMap<u64, TracedPlan>,
    /// Queues of the plan that runs: the consumer, and how many frames waited when that was last told, if it ever was: one that
    /// is always empty is told once, so that the trace shows it.
    queues: Vec<(u64, Option<usize>)>,
    /// The graph and its nodes, and the drops that were told of each. Drops happen on many threads, and are counted where
    /// they happen; the trace tells those since the frame before.
    drops: Vec<(Arc<NodeCounters>, Told)>,
}

type Told = [u64; DropReason::ALL.len()];

impl Traced {
    pub(super) fn new(sender: TraceSender, first: &TracedPlan, counters: &FrameCounters) -> Self {
        let mut traced = Self { sender, next: BTreeMap::new(), queues: Vec::new(), drops: Vec::new() };
        traced.follow(first, counters);
        traced
    }

    /// Names for the plan of that generation, which is still to come.
    pub(super) fn expect(&mut self, generation: u64, plan: TracedPlan) {
        self.next.insert(generation, plan);
    }

    fn follow(&mut self, plan: &TracedPlan, counters: &FrameCounters) {
        self.queues = plan.queues.iter().map(|tag| (*tag, None)).collect();
        let told = |node: &Arc<NodeCounters>| {
            let known = self.drops.iter().find(|(known, _)| Arc::ptr_eq(known, node));
            known.map_or([0; DropReason::ALL.len()], |(_, told)| *told)
        };
        self.drops = counters.all().map(|node| (node.clone(), told(node))).collect();
    }

    /// The plan of that generation runs, and those before it were put away.
    pub(super) fn swap(&mut self, at: Timestamp, generation: u64, counters: &FrameCounters) {
        self.drops(at);
        let later = self.next.split_off(&(generation + 1));
        if let Some((_, plan)) = std::mem::replace(&mut self.next, later).pop_last() {
            self.follow(&plan, counters);
            self.sender.send(TraceEvent::Swap { at, names: plan.names });
        }
    }

    /// A frame was delivered; `waiting` says how many frames wait for the consumer with that tag.
    pub(super) fn frame(&mut self, number: u64, times: FrameTimes, waiting: impl Fn(u64) -> Option<usize>) {
        let at = times.delivered;
        self.sender.send(TraceEvent::Frame(FrameTrace { number, times }));
        for (queue, (tag, told)) in self.queues.iter_mut().enumerate() {
            let length = waiting(*tag).or(told.map(|_gone| 0));
            if *told != length
                && let Some(length) = length
            {
                let (queue, length) = (index(queue), length.try_into().unwrap_or(u32::MAX));
                self.sender.send(TraceEvent::Queue { at, queue, length });
            }
            *told = length;
        }
        self.drops(at);
    }

    /// The passes of a frame; `timestamps` are the device's: when the first began, and when each was done.
    pub(super) fn passes(&mut self, frame: u64, timestamps: &[u64], clock: DeviceClock) {
        for (pass, ends) in timestamps.windows(2).enumerate() {
            let [Some(begin), Some(end)] = [ends[0], ends[1]].map(|ns| clock.to_host(ns)) else { return };
            self.sender.send(TraceEvent::Pass(PassTrace { frame, pass: index(pass), begin, end }));
        }
    }

    /// Tells the drops that were not told yet.
    pub(super) fn drops(&mut self, at: Timestamp) {
        for (place, (counters, told)) in self.drops.iter_mut().enumerate() {
            let now = counters.drops();
            let node = place.checked_sub(1).map(index);
            for (reason, (before, count)) in DropReason::ALL.into_iter().zip(told.iter().zip(now)) {
                (*before..count).for_each(|_| self.sender.send(TraceEvent::Drop { at, node, reason }));
            }
            *told = now;
        }
    }
}

/// Names beyond what an index can say are "unnamed" in the trace.
fn index(place: usize) -> u16 {
    place.try_into().unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU16;

    use serde_json::Value;

    use super::*;
    use crate::gpu::Calibration;
    use crate::trace;

    fn plan(title: &str, nodes: &[&str], queues: &[(&str, u64)]) -> TracedPlan {
        let names = TraceNames {
            title: title.to_owned(),
            nodes: nodes.iter().map(|&node| node.to_owned()).collect(),
            passes: vec![format!("pass of {title}")],
            queues: queues.iter().map(|(name, _)| (*name).to_owned()).collect(),
        };
        TracedPlan { names: Arc::new(names), queues: queues.iter().map(|(_, tag)| *tag).collect() }
    }

    /// What a trace of `tell` says.
    fn events(first: &TracedPlan, counters: &FrameCounters, tell: impl FnOnce(&mut Traced)) -> Vec<Value> {
        let (sender, receiver) = trace::channel(NonZeroU16::new(100).unwrap());
        let mut traced = Traced::new(sender, first, counters);
        tell(&mut traced);
        drop(traced);
        let mut text = Vec::new();
        receiver.write_to(&mut text, first.names.clone()).unwrap();
        serde_json::from_slice(&text).unwrap()
    }

    #[test]
    fn each_drop_is_told_once_at_its_node_also_when_a_swap_gives_the_nodes_other_places() {
        let before = FrameCounters::new(["camera", "screen"]);
        let after = before.for_nodes(["blur", "camera", "screen"]);
        let drop_at = |node: &str| before.named(node).unwrap().dropped(DropReason::Displaced);
        let first = plan("one", &["camera", "screen"], &[]);
        let events = events(&first, &before, |traced| {
            drop_at("camera");
            traced.frame(0, FrameTimes::default(), |_| None);
            drop_at("screen");
            traced.expect(2, plan("two", &["blur", "camera", "screen"], &[]));
            traced.swap(Timestamp(1), 2, &after);
            drop_at("camera");
            before.graph().dropped(DropReason::GpuFailed);
            traced.drops(Timestamp(2));
        });
        let told: Vec<_> = events
            .iter()
            .filter(|event| event["ph"] == "i")
            .map(|event| (event["name"].as_str().unwrap(), event["args"]["name"].as_str().unwrap()))
            .collect();
        let drops = ["camera", "screen"].map(|node| ("frame dropped", node));
        let later = [("plan swapped", "two"), ("frame dropped", "graph"), ("frame dropped", "camera")];
        assert_eq!(told, [drops.as_slice(), &later].concat());
    }

    #[test]
    fn passes_are_told_on_the_hosts_clock_and_queues_at_first_and_when_their_length_changes() {
        let first = plan("one", &[], &[("file", 7), ("screen", 9), ("none", 11)]);
        let events = events(&first, &FrameCounters::default(), |traced| {
            let lengths = |number| {
                move |tag| match tag {
                    7 => Some(0),
                    9 => Some(if number < 2 { 4 } else { 0 }),
                    _ => None,
                }
            };
            for number in 0..3 {
                traced.frame(number, FrameTimes::default(), lengths(number));
            }
            traced.frame(3, FrameTimes::default(), |_| None);
            let mut clock = DeviceClock::default();
            clock.compare(Calibration { device_ns: 5_000, host_ns: 1_000_000, uncertainty_ns: 0 });
            traced.passes(2, &[6_000, 8_000], clock);
        });
        let queues = events.iter().filter(|event| event["ph"] == "C");
        let told: Vec<_> = queues
            .map(|event| (event["name"].as_str().unwrap(), event["args"]["count"].as_u64().unwrap()))
            .collect();
        assert_eq!(told, [("file", 0), ("screen", 4), ("screen", 0)]);
        let pass = events.iter().find(|event| event["name"] == "pass of one").unwrap();
        assert_eq!((pass["ts"].as_f64(), pass["dur"].as_f64()), (Some(1_001.0), Some(2.0)));
    }
}
