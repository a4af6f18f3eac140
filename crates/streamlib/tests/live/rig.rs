//! Graphs that are pushed by the test and carry the number of each frame in its pixels.
#![allow(dead_code, reason = "each test file uses a part")]

use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use streamlib::account::{Counts, DropReason};
use streamlib::format::Size;
use streamlib::graph::{Edit, Effect, EffectText, Graph, Link, Node, Source};
use streamlib::vulkan::{DeviceOptions, Validation, VulkanGpu, validation_layer};
use streamlib::{
    LiveEvent, LiveFrame, LiveGraph, LiveOptions, LiveReport, PushError, RuntimeOptions, StreamRuntime,
    VideoInlet, VideoOutlet,
};
use streamlib_core::engine::Content;
use streamlib_core::gpu::{Command, Gpu, HostBuffer, HostBufferUse};

/// Nothing here takes so long on anything that works.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);
pub(crate) const SIZE: Size = Size::new(16, 16);
/// A source that the test pushes, of [`SIZE`].
pub(crate) const CAM: &str = "[nodes.cam]\nsource = 'app:'\nsize = [16, 16]\n";

/// The first validation layer that is known to stand several threads; Debian 12's does not ([`validation_layer`]).
const SOUND_LAYER: (u32, u32, u32) = (1, 4, 309);

/// One device for all tests of a file, under the validation layer where that can be. Elsewhere one test has it on, alone:
/// `edits::a_live_graph_through_some_edits_makes_no_validation_message`.
pub(crate) fn runtime() -> Option<Arc<StreamRuntime>> {
    static RUNTIME: LazyLock<Option<Arc<StreamRuntime>>> = LazyLock::new(|| {
        let is_sound = validation_layer().is_some_and(|version| version >= SOUND_LAYER);
        start_runtime(if is_sound { Validation::On } else { Validation::Off })
    });
    RUNTIME.clone()
}

pub(crate) fn start_runtime(validation: Validation) -> Option<Arc<StreamRuntime>> {
    let device = DeviceOptions { validation, ..DeviceOptions::default() };
    match StreamRuntime::new(&RuntimeOptions { device, ..RuntimeOptions::default() }) {
        Ok(runtime) => Some(Arc::new(runtime)),
        #[allow(clippy::print_stdout, reason = "standard output is where skips are counted")]
        Err(error) => {
            println!("SKIPPED: {error}");
            None
        }
    }
}

/// Lets one test after the other run graphs.
pub(crate) fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A machine that is busy elsewhere makes no source stall: the first frame on a software device alone can take a second.
pub(crate) fn patient() -> LiveOptions {
    LiveOptions { patience: LIMIT, ..LiveOptions::default() }
}

/// A running graph, and what is needed to look at it.
pub(crate) struct Rig {
    pub(crate) live: LiveGraph,
    pub(crate) runtime: Arc<StreamRuntime>,
    pub(crate) events: Vec<LiveEvent>,
}

impl Rig {
    pub(crate) fn start(text: &str) -> Option<Self> {
        Self::with(text, patient())
    }

    pub(crate) fn at(text: &str, folder: &Path) -> Option<Self> {
        Self::with(text, LiveOptions { base: folder.to_owned(), ..patient() })
    }

    pub(crate) fn with(text: &str, options: LiveOptions) -> Option<Self> {
        let runtime = runtime()?;
        let graph = Graph::from_toml(text).expect("a graph");
        let live = runtime.start(&graph, options).unwrap_or_else(|error| panic!("{error}"));
        Some(Self { live, runtime, events: Vec::new() })
    }

    pub(crate) fn gpu(&self) -> &VulkanGpu {
        self.runtime.gpu()
    }

    pub(crate) fn inlet(&self, node: &str) -> VideoInlet {
        self.live.inlet(node).expect("an inlet")
    }

    pub(crate) fn outlet(&self, node: &str) -> VideoOutlet {
        self.live.outlet(node).expect("an outlet")
    }

    /// Waits until something has happened.
    pub(crate) fn until(&mut self, what: &str, mut has_happened: impl FnMut(&mut Self) -> bool) {
        let deadline = Instant::now() + LIMIT;
        while !has_happened(self) {
            self.hear();
            let state = || format!("{what}: {:?}\n{:?}", self.events, self.live.stats().nodes);
            assert!(Instant::now() < deadline, "{}", state());
            self.live.wait(Duration::from_millis(2));
        }
    }

    /// Waits until an event has come.
    pub(crate) fn until_event(&mut self, what: &str, is_it: impl Fn(&LiveEvent) -> bool) {
        self.until(what, |rig| {
            rig.hear();
            rig.events.iter().any(&is_it)
        });
    }

    /// Waits until an inlet takes no frames any more.
    pub(crate) fn until_closed(&mut self, inlet: &mut VideoInlet) {
        self.until("a closed inlet", |_| {
            inlet.loan().is_some_and(|loan| matches!(inlet.push(loan), Err(PushError::Closed)))
        });
    }

    pub(crate) fn hear(&mut self) {
        self.events.extend(self.live.events());
    }

    /// Pushes a frame that carries `number`; waits while the engine is behind.
    pub(crate) fn push(&mut self, inlet: &mut VideoInlet, number: u16) {
        let mut is_pushed = false;
        self.until("a place for a frame", |_| {
            is_pushed = is_pushed || push(inlet, number);
            is_pushed
        });
    }

    /// The number in the next frame, which comes out as it was pushed.
    pub(crate) fn next(&mut self, outlet: &mut VideoOutlet) -> u16 {
        let frame = outlet.wait(LIMIT);
        self.hear();
        let frame = frame.unwrap_or_else(|| panic!("{:?}\n{:?}", self.events, self.live.stats().nodes));
        number(self.gpu(), &frame)
    }

    pub(crate) fn counts(&self, node: &str) -> Counts {
        counts(&self.live, node)
    }

    /// Makes all of the edits.
    pub(crate) fn apply(&self, edits: &[Edit]) -> streamlib::Applied {
        self.live.apply(edits).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Ends well, and silently.
    pub(crate) fn stop(self) -> LiveReport {
        let Self { live, runtime, .. } = self;
        let report = live.stop().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(runtime.gpu().validation_messages(), 0, "the validation layer spoke");
        report
    }
}

pub(crate) fn counts(live: &LiveGraph, node: &str) -> Counts {
    let nodes = live.stats().nodes;
    nodes.into_iter().find(|known| known.name == node).expect("a node").counts
}

/// Frames that came in, and neither went out nor were dropped.
pub(crate) fn unaccounted(counts: &Counts) -> i64 {
    counts.frames_in as i64 - counts.frames_out as i64 - counts.dropped.total() as i64
}

pub(crate) fn displaced(counts: &Counts) -> u64 {
    counts.dropped.of(DropReason::Displaced)
}

/// Pushes a frame that carries `number`; `false` when there is no place for it now.
pub(crate) fn push(inlet: &mut VideoInlet, number: u16) -> bool {
    let Some(loan) = inlet.loan() else { return false };
    let [low, high] = number.to_le_bytes();
    let pixels = [low, high, 0, 255].repeat(inlet.size().pixels());
    inlet.write(&loan, &pixels).expect("written");
    match inlet.push(loan) {
        Ok(()) => true,
        Err(PushError::Full(_)) => false,
        Err(error) => panic!("{error}"),
    }
}

/// The pixel that a frame is made of, all of it.
pub(crate) fn pixel(gpu: &VulkanGpu, frame: &LiveFrame) -> [u8; 4] {
    let bytes = pixels(gpu, frame);
    let first: [u8; 4] = bytes[..4].try_into().expect("a pixel");
    assert!(bytes.chunks(4).all(|pixel| pixel == first), "a frame that is torn");
    first
}

pub(crate) fn number(gpu: &VulkanGpu, frame: &LiveFrame) -> u16 {
    let [low, high, ..] = pixel(gpu, frame);
    u16::from_le_bytes([low, high])
}

/// The RGBA pixels of a frame.
pub(crate) fn pixels(gpu: &VulkanGpu, frame: &LiveFrame) -> Vec<u8> {
    let texture = match &frame.content {
        Content::Texture(leased) => &leased.texture,
        Content::Picture(picture) => return picture.plane(0, <[u8]>::to_vec).expect("it is finished"),
    };
    let down = gpu.create_host_buffer("read", texture.size().pixels() * 4, HostBufferUse::Readback);
    let down = down.expect("memory");
    let copy = Command::Download { from: texture, to: &down, offset: 0 };
    let mut recording = gpu.record("read", &[copy]).expect("a recording");
    let done = gpu.submit_one(&mut recording).expect("a submission");
    gpu.wait(done, LIMIT).expect("it ends");
    let mut bytes = Vec::new();
    down.read(&mut |memory| bytes.extend_from_slice(memory)).expect("it is finished");
    bytes
}

/// An effect with the links of `inputs`, each `PORT = NODE`.
pub(crate) fn effect(hlsl: &str, inputs: &[(&str, Link)]) -> Node {
    let mut effect = Effect::new(EffectText::Inline(hlsl.to_owned()));
    effect.inputs = inputs.iter().map(|(port, link)| ((*port).to_owned(), link.clone())).collect();
    Node::Effect(effect)
}

pub(crate) fn insert(name: &str, node: Node) -> Edit {
    Edit::Insert { name: name.to_owned(), node }
}

pub(crate) fn replace(name: &str, node: Node) -> Edit {
    Edit::Replace { name: name.to_owned(), node }
}

pub(crate) fn remove(name: &str) -> Edit {
    Edit::Remove { name: name.to_owned() }
}

pub(crate) fn connect(node: &str, link: Link) -> Edit {
    Edit::Connect { node: node.to_owned(), input: "input".to_owned(), link }
}

pub(crate) fn disconnect(node: &str) -> Edit {
    Edit::Disconnect { node: node.to_owned(), input: "input".to_owned() }
}

pub(crate) fn app_source(size: Size) -> Node {
    Node::Source(Source { uri: "app:".to_owned(), size: Some(size), ..Source::default() })
}

/// A raw video of grey pictures.
pub(crate) fn y4m(path: &Path, levels: impl IntoIterator<Item = u8>) {
    let (w, h) = (SIZE.width, SIZE.height);
    let mut film = format!("YUV4MPEG2 W{w} H{h} F50:1 C420jpeg\n").into_bytes();
    for level in levels {
        film.extend_from_slice(b"FRAME\n");
        film.extend(std::iter::repeat_n(level, SIZE.pixels()));
        film.extend(std::iter::repeat_n(128, SIZE.pixels() / 2));
    }
    std::fs::write(path, film).expect("written");
}

/// A picture of one colour.
pub(crate) fn png(path: &Path, pixel: [u8; 4]) {
    let picture = image::RgbaImage::from_pixel(SIZE.width, SIZE.height, image::Rgba(pixel));
    picture.save(path).expect("written");
}
