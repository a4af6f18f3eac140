//! Swaps of the rig's plan, and its end.

use std::sync::Arc;

use super::consumer::Taker;
use super::plans::{CAMERA, OTHER, SinkSpec, Spec, engine, waits_for};
use super::rig::{Inputs, LIMIT, Rig, Work};
use super::source::{CpuSource, Source};
use crate::live::{DeliverCommand, Pace, Swap};
use crate::mailbox::Policy;
use crate::plan::Plan;

/// A swap that was built and not made.
pub(super) struct Pending {
    pub(super) generation: u64,
    spec: Spec,
    pub(super) plan: Arc<Plan>,
    /// Sources that begin with the plan.
    pub(super) fresh: [Option<CpuSource>; 2],
    ending: Vec<u64>,
}

/// A change of the graph.
#[derive(Clone, Copy, Debug)]
pub(super) enum Change {
    /// None: the same graph again.
    Same,
    /// Another version of an effect.
    Version(u8),
    /// Adds a node, or removes it.
    Extra,
    /// Adds a source, or removes it.
    Other(Policy),
    /// A source begins a new life.
    Anew(usize, Policy),
    /// Adds a consumer, perhaps one that holds all it gets.
    Add(SinkSpec, bool),
    /// Removes a consumer, by its place.
    Remove(usize),
    Pace(Pace),
}

impl Rig {
    /// Builds a plan and sends it; false as [`build`](Self::build).
    pub(super) fn swap(&mut self, change: Change) -> bool {
        let is_built = self.build(change);
        if is_built {
            self.send_swap();
        }
        is_built
    }

    /// Sends the plan that was built.
    pub(super) fn send_swap(&mut self) {
        if let Some(swap) = self.unsent.take() {
            assert!(self.swaps.send(swap).is_ok(), "none other is on its way");
        }
    }

    /// Builds a plan; false while another one is on its way, or where the change makes no sense.
    pub(super) fn build(&mut self, change: Change) -> bool {
        if self.pending.is_some() || self.frame_loop.is_none() {
            return false;
        }
        let mut spec = Spec { amounts: self.amounts, ..self.spec.clone() };
        let (mut anew, mut ending) = ([None, None], Vec::new());
        match change {
            Change::Same => {}
            Change::Version(version) => spec.version = version,
            Change::Extra => spec.has_extra = !spec.has_extra,
            Change::Other(policy) => {
                spec.has_other = !spec.has_other;
                if spec.has_other {
                    anew[OTHER] = Some(policy);
                }
            }
            Change::Anew(source, policy) => {
                if spec.place(source).is_none() {
                    return false;
                }
                anew[source] = Some(policy);
            }
            Change::Add(sink, is_greedy) => {
                if spec.sinks.len() == 4 {
                    return false;
                }
                self.tags += 1;
                let sink = SinkSpec { tag: self.tags, ..sink };
                self.consume(sink, is_greedy);
                spec.sinks.push(sink);
            }
            Change::Remove(place) => {
                if spec.sinks.len() < 2 {
                    return false;
                }
                ending.push(spec.sinks.remove(place % spec.sinks.len()).tag);
            }
            Change::Pace(pace) => spec.pace = pace,
        }
        if let Pace::Source { source: OTHER, interval_ns, patience_ns } = spec.pace
            && !spec.has_other
        {
            spec.pace = Pace::Source { source: CAMERA, interval_ns, patience_ns };
        }
        self.build_swap(spec, anew, ending);
        true
    }

    fn build_swap(&mut self, spec: Spec, anew: [Option<Policy>; 2], mut ending: Vec<u64>) {
        self.generations += 2;
        let engine = engine(&self.gpu, &spec, Some(&self.shelf));
        let (mut inputs, mut keep, mut fresh): (Inputs, _, _) = (vec![], vec![], [None, None]);
        for source in [CAMERA, OTHER] {
            let running = self.sources[source].as_ref();
            let Some(place) = spec.place(source) else {
                ending.extend(running.map(|running| running.tag));
                continue;
            };
            let Some(policy) = anew[source] else {
                inputs.push(None);
                keep.push(self.spec.place(source));
                continue;
            };
            self.tags += 1;
            ending.extend(running.map(|running| running.tag));
            let next = running.map_or(self.expected.len() + 1, |running| running.next);
            let (made, input) = Source::new(&engine, place, (self.tags, next), policy, self.bell.clone());
            if let Some(returns) = made.returns(self.bell.clone()) {
                self.commands.send(DeliverCommand::Return(self.tags, returns)).unwrap();
            }
            fresh[source] = Some(made);
            inputs.push(Some(input));
            keep.push(None);
        }
        self.shelf = engine.shelf();
        let (plan, generation) = (engine.plan().clone(), self.generations);
        let swap = Box::new(Swap {
            waits_for: waits_for(&engine, &spec),
            engine,
            inputs,
            keep,
            pace: spec.pace,
            ends_with: spec.ends_with(),
            generation,
            ending: ending.clone(),
        });
        self.unsent = Some(swap);
        self.pending = Some(Pending { generation, spec, plan, fresh, ending });
    }

    /// The frame loop has made a swap.
    pub(super) fn adopt(&mut self, pending: Pending) {
        let Pending { generation, spec, plan, fresh, ending } = pending;
        self.values.adopt(generation, &spec);
        for (source, fresh) in [CAMERA, OTHER].into_iter().zip(fresh) {
            if fresh.is_none() && spec.place(source).is_some() {
                continue;
            }
            if spec.place(source).is_none() || self.spec.place(source).is_none() {
                self.shown[source] = 0;
            }
            if let Some(mut old) = std::mem::replace(&mut self.sources[source], fresh) {
                old.end();
                old.discard();
                self.old_sources.push(old);
            }
        }
        self.under_way.push_back(Work::Replaced(ending));
        (self.spec, self.plan) = (spec, plan);
    }

    /// The frame loop ends.
    pub(super) fn stop(&mut self) {
        if self.frame_loop.take().is_none() {
            return;
        }
        self.sources.iter_mut().flatten().for_each(CpuSource::discard);
        self.unsent = None;
        if let Some(pending) = self.pending.take() {
            let fresh = pending.fresh.into_iter().flatten();
            self.old_sources.extend(fresh.map(|mut source| {
                source.discard();
                source
            }));
        }
    }

    /// Everything ends, consumers take what waits for them, and nothing is left. Answers with what each consumer got.
    pub(super) fn finish(mut self) -> Vec<Vec<u64>> {
        self.stop();
        while self.deliver() {
            for taker in &mut self.takers {
                while taker.take(&self.expected).is_some() {}
                taker.let_go_of_all(&self.expected);
            }
        }
        for taker in &mut self.takers {
            while taker.take(&self.expected).is_some() {}
            taker.check_held(&self.expected);
            assert!(taker.is_closed(), "nobody sends any more");
            taker.check();
        }
        let counts = self.counters.graph().counts();
        assert_eq!((counts.frames_in, counts.frames_out), (self.expected.len(), self.expected.len()));
        let got = self.takers.iter_mut().map(|taker| std::mem::take(&mut taker.got)).collect();
        let mut sources = std::mem::take(&mut self.old_sources);
        sources.extend(self.sources.iter_mut().filter_map(Option::take));
        let gpu = self.gpu.clone();
        drop(self);
        sources.iter_mut().for_each(CpuSource::check);
        drop(sources);
        assert_eq!(gpu.handles(), 0, "memory that nobody holds is alive");
        got
    }

    /// Lets so much time pass that no lossless consumer is waited for any longer.
    pub(super) fn lose_patience(&mut self) {
        self.clock.advance(LIMIT.as_nanos() as i64);
    }

    /// All consumers, in the order in which they came.
    pub(super) fn takers(&self) -> &[Taker] {
        &self.takers
    }
}
