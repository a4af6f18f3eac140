//! The frame loop, the deliverer, sources and consumers on threads of their own, as whoever runs a live graph has them.

use std::collections::VecDeque;
use std::num::NonZeroU16;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::examples::{BY_CAMERA, every, lossless, pictures, spec, textures};
use super::picture::{Seen, fill, kernels, numbered, see};
use super::plans::{CAMERA, OTHER, SinkSpec, engine, waits_for};
use crate::account::{FrameCounters, NodeCounters, PassTimes, recorder};
use crate::engine::{Engine, Parameters};
use crate::frame::{FrameMeta, Timestamp};
use crate::live::{
    Arrival, Clock, Consumer, Deliver, DeliverCommand, Deliverer, Destination, Frame, FrameLoop, Input,
    ParameterSet, Push, Returns, Step, Swap, handover,
};
use crate::mailbox::{self, Bell, Listener, Policy, Receiver, Sender};
use crate::testing::CpuGpu;
use crate::value::Value;

const FRAMES: u64 = 2_000;
const SWAPS: u64 = 100;
/// Far longer than any test takes: reaching it is a failure.
const FOREVER: Duration = Duration::from_secs(600);

#[derive(Debug)]
struct RealClock(Instant);

impl Clock for RealClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.elapsed().as_nanos() as i64)
    }
}

/// As the frame thread runs; the generation that ran last.
fn run_frames(mut frame_loop: FrameLoop<CpuGpu>, mut listener: Listener, clock: &RealClock) -> u64 {
    loop {
        match frame_loop.step() {
            Step::Submitted => {}
            Step::Wait(until) => {
                let until = until.and_then(|until| clock.0.checked_add(Duration::from_nanos(until.0 as u64)));
                listener.wait(until);
            }
            Step::Busy => drop(listener.wait(Some(Instant::now() + Duration::from_millis(1)))),
            Step::Ended => return frame_loop.generation(),
            Step::Failed(error) => panic!("{error}"),
        }
    }
}

fn run_deliveries(mut deliverer: Deliverer<CpuGpu>) {
    loop {
        match deliverer.step() {
            Deliver::Done | Deliver::Idle => {}
            Deliver::Closed => return,
            Deliver::Failed(error) => panic!("{error}"),
        }
    }
}

/// What every frame must be, whatever ran before it.
fn check(frame: &Frame<CpuGpu>, seen: Seen) {
    let sequence = frame.meta.sequence;
    assert_eq!(seen.count, sequence + 1, "feedback goes on");
    assert_eq!(seen.camera, sequence + 1, "each frame of the camera runs once");
    assert_eq!(seen.amounts.1, !seen.amounts.0, "parameters that belong together");
    assert_eq!(seen.extra, seen.version % 2 == 1, "nodes of one plan");
    assert!(frame.times.submitted <= frame.times.delivered);
}

/// A consumer's thread; what it got. It holds as many frames as it may, and looks at them again before it lets go.
fn consumer(
    (sink, mut receiver, mut listener): (SinkSpec, Receiver<Frame<CpuGpu>>, Listener),
    dies_after: usize,
    progress: Arc<AtomicU64>,
    bell: Bell,
) -> JoinHandle<Vec<u64>> {
    thread::spawn(move || {
        let (mut got, mut newest) = (Vec::new(), Seen::default());
        let mut held: VecDeque<(Frame<CpuGpu>, Seen)> = VecDeque::new();
        while !receiver.is_closed() && got.len() < dies_after {
            if held.len() == sink.holds
                && let Some((frame, seen)) = held.pop_front()
            {
                assert_eq!(see(&frame.content), seen, "overwritten while it was held");
            }
            let Some(frame) = receiver.take() else {
                listener.wait(None);
                continue;
            };
            let seen = see(&frame.content);
            check(&frame, seen);
            assert!(seen.other >= newest.other && got.last().is_none_or(|last| *last < frame.meta.sequence));
            newest = seen;
            got.push(frame.meta.sequence);
            held.push_back((frame, seen));
            progress.store(newest.count, Ordering::SeqCst);
            bell.ring();
        }
        got
    })
}

/// Pushes every frame of the camera; the last ones when `go` says so.
fn camera(
    (mut arrivals, returns, mut listener): (Sender<Arrival<CpuGpu>>, Returns<CpuGpu>, Listener),
    clock: Arc<RealClock>,
    go: Arc<AtomicBool>,
) -> JoinHandle<()> {
    thread::spawn(move || {
        for frame in 1..=FRAMES {
            while frame + 20 > FRAMES && !go.load(Ordering::SeqCst) {
                listener.wait(None);
            }
            let mut upload = loop {
                match returns.empties.pop() {
                    Some(upload) => break upload,
                    None => drop(listener.wait(None)),
                }
            };
            upload.fill(&numbered(frame)).expect("an upload that came home");
            let meta = FrameMeta { captured: clock.now(), sequence: frame, camera: None };
            let arrival = Arrival { push: Push::Picture(upload), meta, arrived: clock.now() };
            assert!(arrivals.send_blocking(arrival, FOREVER).is_ok());
        }
    })
}

/// Shows textures until the source is `over`, dies after so many, or nobody looks any more.
fn other(
    (mut arrivals, mut pool): (Sender<Arrival<CpuGpu>>, crate::engine::TexturePool<CpuGpu>),
    clock: Arc<RealClock>,
    dies_after: u64,
) -> JoinHandle<()> {
    thread::spawn(move || {
        let mut frame = 1;
        while frame < dies_after && !arrivals.is_closed() {
            let Some(texture) = pool.take(None) else {
                thread::yield_now();
                continue;
            };
            fill(&texture.texture, frame);
            let meta = FrameMeta { captured: clock.now(), sequence: frame, camera: None };
            frame += 1;
            let _displaced =
                arrivals.send(Arrival { push: Push::Texture(texture), meta, arrived: clock.now() });
            thread::yield_now();
        }
    })
}

/// Everything that the test's own thread sends.
struct Hands {
    gpu: Arc<CpuGpu>,
    swaps: Sender<Box<Swap<CpuGpu>>>,
    parameters: Sender<ParameterSet>,
    spec: super::plans::Spec,
}

impl Hands {
    fn set(&mut self, engine: &Arc<crate::plan::Plan>, generation: u64, amount: u8) {
        let mut values = Parameters::of(engine);
        for (node, amount) in [("one", amount), ("two", !amount)] {
            values.set(engine, node, "amount", &Value::Float(amount.into())).expect("both have an amount");
        }
        let sent = self.parameters.send(ParameterSet { generation, values: Box::new(values) });
        assert!(sent.is_ok());
        self.spec.amounts = (amount, !amount);
    }

    fn swap(&mut self, generation: u64, shelf: &mut crate::engine::Shelf<CpuGpu>) {
        self.spec.version = (generation % 4) as u8;
        self.spec.has_extra = generation % 2 == 1;
        let engine = engine(&self.gpu, &self.spec, Some(shelf));
        *shelf = engine.shelf();
        let plan = engine.plan().clone();
        let waits_for = waits_for(&engine, &self.spec);
        let (keep, pace) = (vec![Some(CAMERA), Some(OTHER)], self.spec.pace);
        let (inputs, ending) = (vec![None, None], vec![]);
        let swap = Swap { engine, inputs, keep, waits_for, pace, ends_with: None, generation, ending };
        assert!(self.swaps.send_blocking(Box::new(swap), FOREVER).is_ok());
        self.set(&plan, generation, (generation * 7) as u8);
    }
}

fn source(engine: &Engine<CpuGpu>, policy: Policy, bell: &Bell) -> (Sender<Arrival<CpuGpu>>, Input<CpuGpu>) {
    assert_eq!(engine.plan().sources.len(), 2);
    let (sender, arrivals) = mailbox::with_bell(policy, bell.clone());
    (sender, Input { arrivals })
}

#[test]
fn threads_of_a_live_graph_agree_over_swaps_and_deaths() {
    let dying = SinkSpec { holds: 2, ..textures(4, lossless(2)) };
    let sinks = [pictures(1, lossless(3)), textures(2, Policy::Latest), pictures(3, every(2)), dying];
    let mut spec = spec(BY_CAMERA, &sinks);
    spec.amounts = (0, !0);
    let gpu = Arc::new(CpuGpu::deferred(kernels()));
    let clock = Arc::new(RealClock(Instant::now()));
    let engine = engine(&gpu, &spec, None);
    let mut shelf = engine.shelf();
    let listener = Listener::new();
    let bell = listener.bell();

    let (commands, command_box) = mailbox::new(Policy::Lossless { bound: NonZeroU16::new(16).unwrap() });
    let mut commands: Sender<DeliverCommand<CpuGpu>> = commands;
    let camera_listener = Listener::new();
    let camera_bell = camera_listener.bell();
    let empties = Arc::new(crossbeam_queue::ArrayQueue::new(6));
    let uploads = engine.uploads(CAMERA, 10, 6).expect("memory");
    uploads.into_iter().for_each(|upload| assert!(empties.push(upload).is_ok()));
    let returns = || Returns { empties: empties.clone(), bell: camera_bell.clone() };
    commands.send(DeliverCommand::Return(10, returns())).unwrap();
    let (camera_sender, camera_input) = source(&engine, lossless(3), &bell);
    let (other_sender, other_input) = source(&engine, Policy::Latest, &bell);
    let pool = engine.textures(OTHER, 6).expect("memory");
    let go = Arc::new(AtomicBool::new(false));
    let sources = [
        camera((camera_sender, returns(), camera_listener), clock.clone(), go.clone()),
        other((other_sender, pool), clock.clone(), 500),
    ];

    let mut own = Listener::new();
    let mut consumers = Vec::new();
    let mut accounts = Vec::new();
    for sink in sinks {
        let taking = Listener::new();
        let (frames, receiver) = mailbox::with_bell(sink.policy, taking.bell());
        let counters = Arc::new(NodeCounters::default());
        accounts.push(counters.clone());
        commands
            .send(DeliverCommand::Consume(
                sink.tag,
                Consumer { frames: Destination::Mailbox(frames), counters, in_hand: None },
            ))
            .unwrap();
        let dies_after = if sink == dying { 700 } else { usize::MAX };
        let progress = Arc::new(AtomicU64::new(0));
        let thread = consumer((sink, receiver, taking), dies_after, progress.clone(), own.bell());
        consumers.push((thread, progress));
    }

    let handover = handover(bell);
    let counters = FrameCounters::new(["camera", "other"]);
    let (recorder, stats) = recorder(counters.clone(), PassTimes::default(), None);
    let (swaps, swap_box) = mailbox::with_bell(Policy::Lossless { bound: NonZeroU16::MIN }, listener.bell());
    let (parameters, parameter_box) = mailbox::with_bell(Policy::Latest, listener.bell());
    let waits_for = waits_for(&engine, &spec);
    let (inputs, keep) = (vec![Some(camera_input), Some(other_input)], vec![None, None]);
    let (pace, ends_with) = (BY_CAMERA, None);
    let first = Swap { engine, inputs, keep, waits_for, pace, ends_with, generation: 0, ending: vec![] };
    let frame_loop =
        FrameLoop::new(clock.clone(), handover.clone(), Box::new(first), swap_box, parameter_box);
    let accounts_of_all = (counters, recorder);
    let deliverer =
        Deliverer::new((gpu.clone(), clock.clone()), handover, command_box, accounts_of_all, None, FOREVER);
    let frames = thread::spawn(move || run_frames(frame_loop, listener, &clock));
    let deliveries = thread::spawn(move || run_deliveries(deliverer));

    let mut hands = Hands { gpu: gpu.clone(), swaps, parameters, spec };
    for generation in 1..=SWAPS {
        while consumers[0].1.load(Ordering::SeqCst) < generation * (FRAMES - 100) / SWAPS {
            // A thread that panicked tells nobody.
            assert!(!consumers[0].0.is_finished(), "the consumer has died");
            own.wait(Some(Instant::now() + Duration::from_millis(100)));
        }
        hands.swap(generation, &mut shelf);
    }
    go.store(true, Ordering::SeqCst);
    camera_bell.ring();

    // In this order a panic of one thread does not leave this one waiting for another.
    assert_eq!(frames.join().unwrap(), SWAPS);
    deliveries.join().unwrap();
    sources.into_iter().for_each(|thread| thread.join().unwrap());
    let got: Vec<Vec<u64>> = consumers.into_iter().map(|(thread, _)| thread.join().unwrap()).collect();
    assert_eq!(got[0], (0..FRAMES).collect::<Vec<_>>());
    assert_eq!((got[1].last(), got[2].last()), (Some(&(FRAMES - 1)), Some(&(FRAMES - 1))));
    assert_eq!(got[3], (0..700).collect::<Vec<_>>());
    for (got, account) in got.iter().zip(&accounts).take(3) {
        let counts = account.counts();
        assert_eq!((counts.frames_in, counts.dropped.total()), (FRAMES, FRAMES - got.len() as u64));
    }
    assert_eq!(stats.read(Timestamp(0)).graph.frames_out, FRAMES);
    assert_eq!(empties.len(), 6, "all uploads came home");
    drop((hands, shelf, empties, commands));
    assert_eq!(gpu.handles(), 0, "memory that nobody holds is alive");
}
