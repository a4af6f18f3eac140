//! What a frame costs on the thread that submits it, engine and Vulkan together: no allocation and no lock.
//!
//! A file of its own, as the allocator that counts is the process's.

use std::collections::BTreeMap;
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;

use streamlib::account::{FrameCounters, NodeCounters, PassTimes};
use streamlib::color::{ColorSpace, YuvMatrix, YuvRange};
use streamlib::format::{Size, TextureFormat};
use streamlib::frame::{FrameMeta, Timestamp};
use streamlib::graph::{EffectText, Graph};
use streamlib::picture::{PictureFormat, PictureLayout};
use streamlib::shader::EffectSource;
use streamlib::value::Value;
use streamlib::vulkan::{DeviceOptions, Validation, VulkanError, VulkanGpu};
use streamlib::{RuntimeOptions, StreamRuntime};
use streamlib_core::account::recorder;
use streamlib_core::engine::{Content, Engine, Leased, OutletSpec, Parameters};
use streamlib_core::gpu::{Command, Gpu, KernelDesc};
use streamlib_core::live::{
    Arrival, Clock, Consumer, Deliver, DeliverCommand, Deliverer, Destination, Frame, FrameLoop, Input, Pace,
    ParameterSet, Push, Step, Swap, handover,
};
use streamlib_core::mailbox::{self, Listener, Policy, Receiver, Sender};
use streamlib_core::plan::{Code, Drain, Feed, Layout, Parts, Plan, PlanKernel};
use streamlib_core::sync::locks_taken;

const LIMIT: Duration = Duration::from_secs(30);
const COLOR: ColorSpace = ColorSpace { matrix: YuvMatrix::Bt709, range: YuvRange::Full };
const FORMAT: PictureFormat =
    PictureFormat { size: Size::new(16, 16), layout: PictureLayout::Rgba8, color: COLOR };
/// Textures that the camera pushes in turn.
const PUSHED: usize = 6;
const GRAPH: &str = "
    [nodes.camera]
    source = 'app:'
    size = [16, 16]
    [nodes.scale]
    hlsl = 'float amount = 1; float4 main(float2 uv : TEXCOORD) : SV_Target { return tex2D(input, uv) * amount; }'
    inputs = { input = 'camera' }
    [nodes.trail]
    hlsl = '''Texture2D past; float shade;
            float4 main(float2 uv : TEXCOORD) : SV_Target {
                return float4(tex2D(input, uv).r, tex2D(past, uv).r, shade / 255, 1);
            }'''
    inputs = { input = 'scale', past = { from = 'trail', delay = 1 } }
    set = { shade = 'mod(frame, 100) + clamp(time, 1, 2)' }
    [nodes.pictures]
    sink = 'app:'
    inputs = { input = 'trail' }
    [nodes.textures]
    sink = 'app:'
    inputs = { input = 'scale' }";

#[derive(Debug)]
struct Standing;

impl Clock for Standing {
    fn now(&self) -> Timestamp {
        Timestamp(0)
    }
}

fn engine(runtime: &StreamRuntime) -> Box<Engine<VulkanGpu>> {
    let graph = Graph::from_toml(GRAPH).expect("a graph");
    let sizes = BTreeMap::from([("camera".to_owned(), FORMAT.size)]);
    let layout = Layout::new(&graph, &sizes, 4096).expect("sizes");
    let effects = graph.effects().map(|(node, effect)| {
        let EffectText::Inline(text) = &effect.text else { unreachable!("the graph has its programs in it") };
        let source = EffectSource::from_text(node, text.as_str());
        (node.to_owned(), runtime.compiler().compile(&source).unwrap_or_else(|error| panic!("{error}")))
    });
    let effects: BTreeMap<_, _> = effects.collect();
    let interface = |(node, effect): (&String, &Arc<streamlib::shader::Effect>)| {
        (node.clone(), Arc::new(effect.interface.clone()))
    };
    let drains = [("pictures", Drain::Pictures(FORMAT, None)), ("textures", Drain::Textures)];
    let parts = Parts {
        effects: &effects.iter().map(interface).collect(),
        processors: &BTreeMap::new(),
        fused: &[],
        feeds: &[("camera".to_owned(), Feed::Textures(FORMAT.size, TextureFormat::Rgba8))].into(),
        drains: &drains.map(|(node, drain)| ((node.to_owned(), "input".to_owned()), drain)).into(),
    };
    let plan = Plan::new(&graph, &layout, &parts).expect("a plan");
    assert!(plan.outlets.iter().map(|outlet| outlet.node.as_str()).eq(["pictures", "textures"]));
    let outlets = [1, 2].map(|tag| OutletSpec { tag, depth: 6 });
    let build = |kernel: &PlanKernel| {
        let Code::Node(node) = &kernel.code else { unreachable!("no conversions here") };
        let outputs: Vec<_> = kernel.outputs.iter().map(|(port, format)| (port.as_str(), *format)).collect();
        let effect = &effects[node];
        let (spirv, interface) = (&effect.spirv, &effect.interface);
        runtime.gpu().create_kernel(&KernelDesc { label: node, spirv, interface, outputs: &outputs })
    };
    let engine = Engine::new::<VulkanError>(runtime.gpu().clone(), plan.into(), &outlets, None, build);
    Box::new(engine.expect("an engine"))
}

/// Textures to push, and the red that each is filled with.
fn pushed(gpu: &VulkanGpu, engine: &Engine<VulkanGpu>) -> Vec<(Arc<Leased<VulkanGpu>>, u8)> {
    let mut pool = engine.textures(0, PUSHED).expect("memory");
    let levels = (1..).map(|n| n * 20).take(PUSHED);
    let fill = |level: u8| {
        let leased = pool.take(None).expect("a texture that nobody has");
        let color = [f32::from(level) / 255.0, 0.0, 0.0, 1.0];
        let clear = Command::Clear { texture: &leased.texture, color };
        let mut recording = gpu.record("fill", &[clear]).expect("a recording");
        let done = gpu.submit_one(&mut recording).expect("a submission");
        gpu.wait(done, LIMIT).expect("it ends");
        (leased, level)
    };
    levels.map(fill).collect()
}

/// A graph at work, both hands of it stepped by the test.
struct Rig {
    frame_loop: FrameLoop<VulkanGpu>,
    deliverer: Deliverer<VulkanGpu>,
    plan: Arc<Plan>,
    textures: Vec<(Arc<Leased<VulkanGpu>>, u8)>,
    camera: Sender<Arrival<VulkanGpu>>,
    parameters: Sender<ParameterSet>,
    consumers: Vec<Receiver<Frame<VulkanGpu>>>,
    held: Vec<Frame<VulkanGpu>>,
    frames: usize,
    /// Kept, as the loop ends with the mailbox that brings it plans.
    _swaps: Sender<Box<Swap<VulkanGpu>>>,
}

/// What something has cost its thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Cost {
    allocations: u64,
    locks: u64,
}

fn cost(work: impl FnOnce()) -> Cost {
    let before = locks_taken();
    let allocations = allocation_counter::measure(work).count_total;
    Cost { allocations, locks: locks_taken() - before }
}

impl Rig {
    fn new(gpu: &Arc<VulkanGpu>, engine: Box<Engine<VulkanGpu>>) -> Self {
        let four = NonZeroU16::new(4).expect("not zero");
        let bell = Listener::new().bell();
        let clock: Arc<dyn Clock> = Arc::new(Standing);
        let (plan, textures) = (engine.plan().clone(), pushed(gpu, &engine));
        let (camera, arrivals) = mailbox::with_bell(Policy::Lossless { bound: four }, bell.clone());
        let (swaps, swap_box) = mailbox::with_bell(Policy::Lossless { bound: four }, bell.clone());
        let (parameters, parameter_box) = mailbox::with_bell(Policy::Latest, bell.clone());
        let (mut commands, command_box) = mailbox::new(Policy::Lossless { bound: four });
        let consumers = [1, 2].map(|tag| {
            let (frames, receiver) = mailbox::new(Policy::Lossless { bound: four });
            let counters = Arc::new(NodeCounters::default());
            let consumer = Consumer { frames: Destination::Mailbox(frames), counters, in_hand: None };
            assert!(commands.send(DeliverCommand::Consume(tag, consumer)).is_ok());
            receiver
        });
        let handover = handover(bell);
        let counters = FrameCounters::new(["camera"]);
        let labels = plan.passes.iter().map(|pass| pass.label.as_str());
        let (recorder, _) = recorder(counters.clone(), PassTimes::new(labels), None);
        let first = Box::new(Swap {
            engine,
            inputs: vec![Some(Input { arrivals })],
            keep: vec![None],
            waits_for: vec![true, true],
            pace: Pace::Source { source: 0, interval_ns: 1, patience_ns: i64::MAX },
            ends_with: None,
            generation: 0,
            ending: vec![],
        });
        let (hands, accounts) = ((gpu.clone(), clock.clone()), (counters, recorder));
        Self {
            frame_loop: FrameLoop::new(clock, handover.clone(), first, swap_box, parameter_box),
            deliverer: Deliverer::new(hands, handover, command_box, accounts, Some(1), LIMIT),
            plan,
            textures,
            camera,
            parameters,
            consumers: consumers.into(),
            held: Vec::new(),
            frames: 0,
            _swaps: swaps,
        }
    }

    /// Runs two frames, so that more than one is under way, with other textures and parameters than the two before; the cost of
    /// submitting them, and that of delivering them.
    fn run(&mut self) -> (Cost, Cost) {
        let amount = if self.frames.is_multiple_of(4) { 1.0 } else { 2.0 };
        let mut values = Parameters::of(&self.plan);
        let value = match self.frames % 8 {
            0 | 2 => Value::Float(amount),
            _ => Value::parse(&format!("max({amount}, time - delta)")).expect("an expression"),
        };
        values.set(&self.plan, "scale", "amount", &value).expect("a parameter");
        assert!(self.parameters.send(ParameterSet { generation: 0, values: Box::new(values) }).is_ok());
        let mut levels = Vec::new();
        let mut submitting = Cost::default();
        for _ in 0..2 {
            let (texture, level) = &self.textures[self.frames % PUSHED];
            let meta = FrameMeta { captured: Timestamp(0), sequence: self.frames as u64, camera: None };
            let arrival = Arrival { push: Push::Texture(texture.clone()), meta, arrived: Timestamp(0) };
            assert!(self.camera.send(arrival).is_ok());
            levels.push([level * amount as u8, (self.frames % 100) as u8 + 1]);
            self.frames += 1;
            let one = cost(|| {
                let step = self.frame_loop.step();
                assert!(matches!(step, Step::Submitted), "{step:?}");
            });
            submitting.allocations += one.allocations;
            submitting.locks += one.locks;
        }
        let delivering = cost(|| {
            while self.consumers.iter().any(|frames| frames.len() < 2) {
                let step = self.deliverer.step();
                assert!(matches!(step, Deliver::Done), "{step:?}");
            }
        });
        for [level, shade] in levels {
            let frames: Vec<_> = self.consumers.iter_mut().filter_map(Receiver::take).collect();
            let Content::Picture(picture) = &frames[0].content else { panic!("{frames:?}") };
            let seen = picture.plane(0, |bytes| [bytes[0], bytes[2]]).expect("it is finished");
            assert_eq!(seen, [level, shade]);
            self.held.extend(frames);
        }
        // Consumers hold frames, so that textures and host memory change from frame to frame.
        self.held.drain(..self.held.len().saturating_sub(6));
        (submitting, delivering)
    }
}

#[test]
fn a_frame_allocates_nothing_and_takes_no_lock_from_the_step_to_the_driver() {
    let device = DeviceOptions { validation: Validation::On, ..DeviceOptions::default() };
    let runtime = match StreamRuntime::new(&RuntimeOptions { device, ..RuntimeOptions::default() }) {
        Ok(runtime) => runtime,
        Err(error) => {
            println!("SKIPPED: {error}");
            return;
        }
    };
    let mut rig = Rig::new(runtime.gpu(), engine(&runtime));
    // Each slot meets each texture.
    for _ in 0..10 {
        rig.run();
    }
    for _ in 0..50 {
        let (submitting, delivering) = rig.run();
        assert_eq!(submitting, Cost::default(), "the frame loop");
        // The account of frames, which the program reads, lies behind a lock of the deliverer's.
        assert_eq!(delivering.allocations, 0, "the deliverer");
    }
    assert_eq!(rig.frames, 120);
    drop(rig);
    assert_eq!(runtime.gpu().validation_messages(), 0);
}
