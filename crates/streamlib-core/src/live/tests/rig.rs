//! A live graph on one thread, stepped by hand beside a model that says what each step must come to.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::clock::ManualClock;
use super::consumer::Taker;
use super::model::{Expected, Set, Values};
use super::picture::{Seen, kernels};
use super::plans::{CAMERA, OTHER, SOURCES, Spec, engine, waits_for};
use super::source::{CpuSource, Pushed, Source};
use super::swaps::Pending;
use crate::account::{FrameCounters, PassTimes, StatsReader, recorder};
use crate::engine::{Parameters, Shelf};
use crate::frame::Timestamp;
use crate::live::shared::{Handover, handover};
use crate::live::{
    Clock, Deliver, DeliverCommand, Deliverer, FrameLoop, Input, Pace, ParameterSet, Step, Swap,
};
use crate::mailbox::{self, Bell, Listener, Policy, Sender};
use crate::plan::{Plan, SLOTS};
use crate::testing::CpuGpu;
use crate::value::Value;

/// A frame of the double takes no longer.
pub(super) const LIMIT: Duration = Duration::from_secs(10);

/// What must lie between the frame loop and the deliverer.
pub(super) enum Work {
    /// A frame, with its consumers and whether there was a texture or a picture for each.
    Frame { sequence: u64, takers: Vec<(u64, bool)> },
    /// A replaced plan, with the consumers that end with it.
    Replaced(Vec<u64>),
}

/// What a step of the frame loop came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Submitted,
    Wait(Option<Timestamp>),
    Busy,
    Ended,
    /// There is no frame loop any more.
    Stopped,
}

pub(super) struct Rig {
    pub(super) gpu: Arc<CpuGpu>,
    pub(super) clock: Arc<ManualClock>,
    pub(super) handover: Arc<Handover<CpuGpu>>,
    pub(super) frame_loop: Option<FrameLoop<CpuGpu>>,
    deliverer: Option<Deliverer<CpuGpu>>,
    pub(super) swaps: Sender<Box<Swap<CpuGpu>>>,
    parameters: Sender<ParameterSet>,
    pub(super) commands: Sender<DeliverCommand<CpuGpu>>,
    pub(super) counters: FrameCounters,
    pub(super) stats: StatsReader,
    pub(super) bell: Bell,
    pub(super) shelf: Shelf<CpuGpu>,
    /// What runs.
    pub(super) spec: Spec,
    pub(super) plan: Arc<Plan>,
    pub(super) pending: Option<Pending>,
    /// The swap of what is pending, until it is sent.
    pub(super) unsent: Option<Box<Swap<CpuGpu>>>,
    /// What the user last asked for.
    pub(super) amounts: (u8, u8),
    /// Tags and generations given so far.
    pub(super) tags: u64,
    pub(super) generations: u64,
    /// The sources that run.
    pub(super) sources: [Option<CpuSource>; 2],
    pub(super) old_sources: Vec<CpuSource>,
    pub(super) takers: Vec<Taker>,
    pub(super) values: Values,
    pub(super) expected: Expected,
    pub(super) under_way: VecDeque<Work>,
    pub(super) shown: [u64; 2],
    is_held_up: bool,
}

impl Rig {
    /// A graph at work, with sources whose frames wait under these policies.
    pub(super) fn new(spec: &Spec, policies: [Policy; 2]) -> Self {
        let gpu = Arc::new(CpuGpu::deferred(kernels()));
        let clock = Arc::new(ManualClock::default());
        let bell = Listener::new().bell();
        let engine = engine(&gpu, spec, None);
        let (swaps, swap_box) = mailbox::new(Policy::Lossless { bound: std::num::NonZeroU16::MIN });
        let (parameters, parameter_box) = mailbox::new(Policy::Latest);
        let (mut commands, command_box) =
            mailbox::new(Policy::Lossless { bound: std::num::NonZeroU16::new(64).unwrap() });
        let mut tags = 100;
        let mut sources = [None, None];
        let mut inputs = Vec::new();
        for source in [CAMERA, OTHER] {
            let Some(place) = spec.place(source) else { continue };
            tags += 1;
            let (made, input) = Source::new(&engine, place, (tags, 1), policies[source], bell.clone());
            if let Some(returns) = made.returns(bell.clone()) {
                commands.send(DeliverCommand::Return(tags, returns)).unwrap();
            }
            inputs.push(Some(input));
            sources[source] = Some(made);
        }
        let (shelf, plan) = (engine.shelf(), engine.plan().clone());
        let first = Box::new(Swap {
            waits_for: waits_for(&engine, spec),
            engine,
            keep: vec![None; inputs.len()],
            inputs,
            pace: spec.pace,
            ends_with: spec.ends_with(),
            generation: 0,
            ending: vec![],
        });
        let handover = handover(bell.clone());
        let counters = FrameCounters::new(SOURCES);
        let (recorder, stats) = recorder(counters.clone(), PassTimes::default(), None);
        let dyn_clock: Arc<dyn Clock> = clock.clone();
        let frame_loop = FrameLoop::new(dyn_clock.clone(), handover.clone(), first, swap_box, parameter_box);
        let deliverer = Deliverer::new(
            (gpu.clone(), dyn_clock),
            handover.clone(),
            command_box,
            (counters.clone(), recorder),
            None,
            LIMIT,
        );
        let mut rig = Self {
            gpu,
            clock,
            handover,
            frame_loop: Some(frame_loop),
            deliverer: Some(deliverer),
            swaps,
            parameters,
            commands,
            counters,
            stats,
            bell,
            shelf,
            spec: Spec { sinks: vec![], ..spec.clone() },
            plan,
            pending: None,
            unsent: None,
            amounts: spec.amounts,
            tags,
            generations: 0,
            sources,
            old_sources: Vec::new(),
            takers: Vec::new(),
            values: Values::new(spec),
            expected: Expected::default(),
            under_way: VecDeque::new(),
            shown: [0; 2],
            is_held_up: false,
        };
        for sink in &spec.sinks {
            rig.consume(*sink, false);
        }
        rig.spec = spec.clone();
        rig
    }

    /// Tells the deliverer of a consumer.
    pub(super) fn consume(&mut self, sink: super::plans::SinkSpec, is_greedy: bool) {
        let (taker, consumer) = Taker::new(sink, is_greedy);
        self.commands.send(DeliverCommand::Consume(sink.tag, consumer)).unwrap();
        self.takers.push(taker);
    }

    pub(super) fn taker(&mut self, tag: u64) -> &mut Taker {
        self.takers.iter_mut().find(|taker| taker.spec.tag == tag).expect("a consumer")
    }

    /// Pushes a frame of the newest life of a source.
    pub(super) fn push(&mut self, source: usize) -> Pushed {
        let now = self.clock.now();
        let coming = self.pending.as_mut().and_then(|pending| pending.fresh[source].as_mut());
        match coming.or(self.sources[source].as_mut()) {
            Some(source) => source.push_checked(now),
            None => Pushed::Closed,
        }
    }

    /// A source comes to its end.
    pub(super) fn end(&mut self, source: usize) {
        if let Some(source) = &mut self.sources[source] {
            source.end();
        }
    }

    /// Sets both parameters, for a generation.
    pub(super) fn set(&mut self, generation: u64, amounts: (u8, u8)) {
        if generation == self.generations {
            self.amounts = amounts;
        }
        let pending = self.pending.as_ref().filter(|pending| pending.generation == generation);
        let plan = pending.map_or(&self.plan, |pending| &pending.plan);
        let mut values = Parameters::of(plan);
        for (node, amount) in [("one", amounts.0), ("two", amounts.1)] {
            values.set(plan, node, "amount", &Value::Float(amount.into())).expect("both have an amount");
        }
        let sent = self.parameters.send(ParameterSet { generation, values: Box::new(values) });
        if sent.is_ok() {
            self.values.send(Set { generation, amounts });
        }
    }

    /// Whether a frame loop that works can take work on.
    fn has_room(&self) -> bool {
        self.under_way.len() + 2 <= 64
    }

    /// A step of the frame loop.
    pub(super) fn frame(&mut self) -> Outcome {
        let Some(frame_loop) = &mut self.frame_loop else { return Outcome::Stopped };
        let step = frame_loop.step();
        let generation = frame_loop.generation();
        if let Some(pending) =
            self.pending.take_if(|_| self.unsent.is_none() && self.under_way.len() + 2 <= 64)
        {
            self.adopt(pending);
        }
        assert_eq!(generation, self.values.generation, "which plan runs");
        self.values.take();
        match step {
            Step::Submitted => {
                assert_eq!(self.busy(), None);
                self.submitted();
                Outcome::Submitted
            }
            Step::Wait(until) => {
                assert!(until.is_none_or(|until| until > self.clock.now()));
                if let Pace::Source { source, .. } = self.spec.pace {
                    assert!(self.sources[source].as_ref().is_some_and(|source| !source.waits()));
                }
                Outcome::Wait(until)
            }
            Step::Busy => {
                assert!(self.busy().is_some(), "nothing is in the way");
                Outcome::Busy
            }
            Step::Ended => {
                let source = match self.spec.pace {
                    Pace::Source { source, .. } => source,
                    Pace::Every(_) | Pace::Free => self.spec.ends_with().expect("time has no end"),
                };
                let source = self.sources[source].as_ref().expect("a plan is paced by a source of its own");
                assert!(source.has_ended() && !source.waits());
                Outcome::Ended
            }
            Step::Failed(error) => panic!("{error}"),
        }
    }

    /// What keeps frames from being submitted.
    fn busy(&self) -> Option<String> {
        let frames = self.under_way.iter().filter(|work| matches!(work, Work::Frame { .. }));
        if frames.count() >= SLOTS as usize {
            return Some("all slots are under way".into());
        }
        if !self.has_room() {
            return Some("the deliverer is behind".into());
        }
        if self.is_held_up {
            return Some("frames wait for room".into());
        }
        let lossless = self.spec.sinks.iter().filter(|sink| sink.is_lossless());
        let full = lossless.map(|sink| sink.tag).find(|tag| !self.has_memory(*tag));
        full.map(|tag| format!("consumer {tag} keeps everything"))
    }

    /// Whether a consumer of the plan that runs leaves something to write the next frame to. Textures go from plan to plan,
    /// memory for pictures does not.
    fn has_memory(&self, tag: u64) -> bool {
        let taker = self.takers.iter().find(|taker| taker.spec.tag == tag).expect("a consumer");
        let is_ours = |sequence: u64| {
            taker.spec.takes_textures || self.expected.generation(sequence) == self.values.generation
        };
        let under_way = self.under_way.iter().filter(|work| match work {
            Work::Frame { sequence, takers } => is_ours(*sequence) && takers.contains(&(tag, true)),
            Work::Replaced(_) => false,
        });
        taker.keeps(is_ours) + under_way.count() < taker.spec.depth() + SLOTS as usize
    }

    fn submitted(&mut self) {
        let sequence = self.expected.len();
        for (source, shown) in self.sources.iter_mut().zip(&mut self.shown) {
            if let Some(frame) = source.as_mut().and_then(CpuSource::run) {
                *shown = frame;
            }
        }
        let takers = self.spec.sinks.iter().map(|sink| (sink.tag, self.has_memory(sink.tag))).collect();
        let [camera, other] = self.shown;
        let seen = Seen {
            camera,
            other: if self.spec.has_other { other } else { camera },
            amounts: self.values.amounts,
            version: self.spec.version,
            extra: self.spec.has_extra,
            count: sequence + 1,
        };
        self.expected.add(seen, self.values.generation);
        for sink in &self.spec.sinks {
            let taker = self.takers.iter_mut().find(|taker| taker.spec.tag == sink.tag);
            taker.expect("a consumer").due += 1;
        }
        self.under_way.push_back(Work::Frame { sequence, takers });
    }

    /// A step of the deliverer, unless it would only wait for the GPU. Whether there was anything to do.
    pub(super) fn deliver(&mut self) -> bool {
        let Some(deliverer) = &mut self.deliverer else { return false };
        let has_room = self.takers.iter().any(Taker::could_get);
        if self.handover.is_empty() && self.frame_loop.is_some() && !has_room {
            assert!(self.under_way.is_empty());
            return false;
        }
        let step = deliverer.step();
        let has_sent = self.takers.iter_mut().fold(false, |has_sent, taker| taker.send() | has_sent);
        assert_eq!(has_sent, has_room);
        let work = if has_sent { None } else { self.under_way.pop_front() };
        match (step, work) {
            (Deliver::Done, None) => assert!(has_sent),
            (Deliver::Done, Some(Work::Frame { sequence, takers })) => {
                for (tag, is_ready) in takers {
                    self.taker(tag).given(sequence, is_ready);
                }
            }
            (Deliver::Done, Some(Work::Replaced(ending))) => {
                ending.iter().for_each(|tag| self.taker_has_left(*tag));
            }
            (Deliver::Idle, None) => assert!(self.takers.iter().any(Taker::is_behind)),
            (Deliver::Closed, None) => {
                self.takers.iter_mut().for_each(Taker::stop);
                self.deliverer = None;
                return false;
            }
            (step, _) => panic!("{step:?}"),
        }
        self.is_held_up = self.takers.iter().any(|taker| taker.is_behind() && !taker.has_left);
        assert_eq!(self.handover.is_held_up(), self.is_held_up);
        self.takers.iter().for_each(Taker::check_presence);
        true
    }

    fn taker_has_left(&mut self, tag: u64) {
        if let Some(taker) = self.takers.iter_mut().find(|taker| taker.spec.tag == tag) {
            taker.has_left = true;
        }
    }

    /// Takes a frame for a consumer; its number.
    pub(super) fn take(&mut self, tag: u64) -> Option<u64> {
        let taker = self.takers.iter_mut().find(|taker| taker.spec.tag == tag).expect("a consumer");
        taker.take(&self.expected)
    }

    /// A consumer lets go of its oldest frame.
    pub(super) fn let_go(&mut self, tag: u64) {
        let taker = self.takers.iter_mut().find(|taker| taker.spec.tag == tag).expect("a consumer");
        taker.let_go(&self.expected);
    }

    /// Takes all that waits for a consumer; their numbers.
    pub(super) fn drain(&mut self, tag: u64) -> Vec<u64> {
        let taker = self.takers.iter_mut().find(|taker| taker.spec.tag == tag).expect("a consumer");
        taker.drain(&self.expected)
    }

    /// Runs and delivers, and all consumers take, until nothing is left to do.
    pub(super) fn run_out(&mut self) {
        loop {
            let has_run = self.frame() == Outcome::Submitted;
            let has_delivered =
                std::iter::repeat_with(|| self.deliver()).take_while(|done| *done).count() > 0;
            let taken = self.takers.iter_mut().map(|taker| taker.drain(&self.expected).len());
            if taken.sum::<usize>() == 0 && !has_run && !has_delivered {
                return;
            }
        }
    }

    /// Runs a frame and delivers it.
    pub(super) fn run(&mut self) -> Outcome {
        let outcome = self.frame();
        while self.deliver() {}
        outcome
    }
}

/// The engine's end of each source of a plan.
pub(super) type Inputs = Vec<Option<Input<CpuGpu>>>;
