//! What a frame costs the heap: nothing, apart from what the test double allocates itself. A file of its own, as the allocator
//! that counts is the process's.

mod support;

use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_queue::ArrayQueue;
use streamlib_core::account::{FrameCounters, NodeCounters, PassTimes, recorder};
use streamlib_core::engine::{Engine, Parameters, TexturePool, Upload};
use streamlib_core::frame::{FrameMeta, Timestamp};
use streamlib_core::live::{
    Arrival, Clock, Consumer, Deliver, DeliverCommand, Deliverer, Destination, Frame, FrameLoop, Input, Pace,
    ParameterSet, Push, Returns, Step, Swap, handover,
};
use streamlib_core::mailbox::{self, Listener, Policy, Receiver, Sender};
use streamlib_core::value::Value;
use support::{QuietGpu, engine, picture};

#[derive(Debug)]
struct Standing;

impl Clock for Standing {
    fn now(&self) -> Timestamp {
        Timestamp(0)
    }
}

/// A graph at work: a camera that pushes pictures, a source of textures, one consumer of pictures and one of textures.
struct Rig {
    frame_loop: FrameLoop<QuietGpu>,
    deliverer: Deliverer<QuietGpu>,
    empties: Arc<ArrayQueue<Upload<QuietGpu>>>,
    pool: TexturePool<QuietGpu>,
    camera: Sender<Arrival<QuietGpu>>,
    other: Sender<Arrival<QuietGpu>>,
    swaps: Sender<Box<Swap<QuietGpu>>>,
    parameters: Sender<ParameterSet>,
    consumers: Vec<Receiver<Frame<QuietGpu>>>,
    held: Vec<Frame<QuietGpu>>,
    pushed: u64,
}

fn swap(
    engine: Box<Engine<QuietGpu>>,
    inputs: Vec<Option<Input<QuietGpu>>>,
    generation: u64,
) -> Box<Swap<QuietGpu>> {
    let keep = if generation == 0 { vec![None; 2] } else { vec![Some(0), Some(1)] };
    let pace = Pace::Source { source: 0, interval_ns: 1, patience_ns: i64::MAX };
    let waits_for = vec![true, false];
    Box::new(Swap { engine, inputs, keep, waits_for, pace, ends_with: None, generation, ending: vec![] })
}

impl Rig {
    fn new(gpu: &Arc<QuietGpu>, engine: Box<Engine<QuietGpu>>) -> Self {
        let four = NonZeroU16::new(4).expect("not zero");
        let bell = Listener::new().bell();
        let clock: Arc<dyn Clock> = Arc::new(Standing);
        let empties = Arc::new(ArrayQueue::new(4));
        let uploads = engine.uploads(0, 1, 4).expect("memory");
        uploads.into_iter().for_each(|upload| assert!(empties.push(upload).is_ok()));
        let pool = engine.textures(1, 6).expect("memory");
        let (camera, camera_box) = mailbox::with_bell(Policy::Lossless { bound: four }, bell.clone());
        let (other, other_box) = mailbox::with_bell(Policy::Latest, bell.clone());
        let inputs = [camera_box, other_box].map(|arrivals| Some(Input { arrivals }));
        let (swaps, swap_box) = mailbox::with_bell(Policy::Lossless { bound: four }, bell.clone());
        let (parameters, parameter_box) = mailbox::with_bell(Policy::Latest, bell.clone());
        let (mut commands, command_box) = mailbox::new(Policy::Lossless { bound: four });
        let returns = Returns { empties: empties.clone(), bell: bell.clone() };
        assert!(commands.send(DeliverCommand::Return(1, returns)).is_ok());
        let consumers = [2, 3].map(|tag| {
            let (frames, receiver) = mailbox::new(Policy::Every { bound: four });
            let counters = Arc::new(NodeCounters::default());
            let consume = DeliverCommand::Consume(
                tag,
                Consumer { frames: Destination::Mailbox(frames), counters, in_hand: None },
            );
            assert!(commands.send(consume).is_ok());
            receiver
        });
        let handover = handover(bell);
        let counters = FrameCounters::new(["camera", "other"]);
        let (recorder, _) = recorder(counters.clone(), PassTimes::new(["mix", "tint"]), None);
        let first = swap(engine, inputs.into(), 0);
        Self {
            frame_loop: FrameLoop::new(clock.clone(), handover.clone(), first, swap_box, parameter_box),
            deliverer: Deliverer::new(
                (gpu.clone(), clock),
                handover,
                command_box,
                (counters, recorder),
                Some(1),
                Duration::from_secs(10),
            ),
            empties,
            pool,
            camera,
            other,
            swaps,
            parameters,
            consumers: consumers.into(),
            held: Vec::new(),
            pushed: 0,
        }
    }

    fn push(&mut self) {
        let number = self.pushed;
        self.pushed += 1;
        let meta = FrameMeta { captured: Timestamp(0), sequence: number, camera: None };
        let arrival = |push| Arrival { push, meta, arrived: Timestamp(0) };
        let mut upload = self.empties.pop().expect("an upload at home");
        upload.fill(&picture(number as u8)).expect("it fits");
        assert!(self.camera.send(arrival(Push::Picture(upload))).is_ok());
        if !number.is_multiple_of(3) {
            let texture = self.pool.take(None).expect("a free texture");
            assert!(self.other.send(arrival(Push::Texture(texture))).is_ok());
        }
    }

    /// Pushes, runs and takes a frame; allocations of the frame loop, and of the deliverer.
    fn run(&mut self) -> (u64, u64) {
        self.push();
        let submitting = allocation_counter::measure(|| {
            let step = self.frame_loop.step();
            assert!(matches!(step, Step::Submitted), "{step:?}");
        });
        let delivering = allocation_counter::measure(|| {
            // A replaced plan comes before the frame.
            while self.consumers.iter().any(Receiver::is_empty) {
                let step = self.deliverer.step();
                assert!(matches!(step, Deliver::Done), "{step:?}");
            }
        });
        // Consumers hold frames, so that textures and host memory change from frame to frame.
        self.held.extend(self.consumers.iter_mut().filter_map(Receiver::take));
        self.held.drain(..self.held.len().saturating_sub(3));
        (submitting.count_total, delivering.count_total)
    }
}

#[test]
fn frames_allocate_nothing_nor_do_parameters_and_swaps_on_the_frame_thread() {
    let gpu = Arc::new(QuietGpu::new());
    let first = engine(&gpu, None);
    let (plan, mut shelf) = (first.plan().clone(), first.shelf());
    let mut rig = Rig::new(&gpu, first);
    for _ in 0..10 {
        rig.run();
    }
    for _ in 0..200 {
        assert_eq!(rig.run(), (0, 0));
    }
    for generation in 0..10 {
        for amount in 0..10 {
            let mut values = Parameters::of(&plan);
            let amount = match amount % 2 {
                0 => Value::Float(amount.into()),
                _ => Value::parse("sin(time * pi) + pow(frame, 2)").unwrap(),
            };
            values.set(&plan, "tint", "amount", &amount).unwrap();
            assert!(rig.parameters.send(ParameterSet { generation, values: Box::new(values) }).is_ok());
            assert_eq!(rig.run(), (0, 0), "parameters");
        }
        let next = engine(&gpu, Some(&shelf));
        shelf = next.shelf();
        assert!(rig.swaps.send(swap(next, vec![None, None], generation + 1)).is_ok());
        let (submitting, _) = rig.run();
        assert_eq!(submitting, 0, "a swap");
        assert_eq!(rig.frame_loop.generation(), generation + 1);
    }
}
