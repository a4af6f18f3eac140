//! A graph with a camera, whose pictures the test looks at.

use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use streamlib::graph::{Graph, Port, Ports, Processor, Source};
use streamlib::picture::{Picture, PictureFormat, PictureLayout};
use streamlib::{
    Content, LiveEvent, LiveGraph, LiveOptions, ProcessorInput, ProcessorKind, RuntimeOptions, StreamRuntime,
    View,
};
use streamlib_core::frame::Timestamp;
use streamlib_linux::list_cameras;

/// The machine is emulated: loading the compiler alone takes seconds.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// Cameras have one reader at a time, and so has each test its turn.
pub(crate) fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A device and a compiler for all tests.
pub(crate) fn runtime() -> Option<Arc<StreamRuntime>> {
    static RUNTIME: LazyLock<Option<Arc<StreamRuntime>>> =
        LazyLock::new(|| match StreamRuntime::new(&RuntimeOptions::default()) {
            Ok(runtime) => Some(Arc::new(runtime)),
            Err(error) => {
                println!("SKIPPED: {error}");
                None
            }
        });
    RUNTIME.clone()
}

/// The node of the test driver's camera with all planes in one memory.
pub(crate) fn vivid() -> Option<PathBuf> {
    let found = list_cameras().into_iter().find(|camera| {
        let is_planar = camera.formats.iter().any(|format| format.fourcc == "NM12");
        camera.bus.starts_with("platform:vivid") && !is_planar
    });
    if found.is_none() {
        println!("SKIPPED: no V4L2 camera of the vivid test driver");
    }
    found.map(|camera| camera.path)
}

/// A running graph.
pub(crate) struct Rig {
    pub(crate) live: LiveGraph,
    pub(crate) events: Vec<LiveEvent>,
    newest: Arc<Mutex<Option<Picture>>>,
}

impl Rig {
    pub(crate) fn start(runtime: &Arc<StreamRuntime>, uri: &str) -> Self {
        let newest = Arc::new(Mutex::new(None));
        let shown = newest.clone();
        let ports = Ports { inputs: vec![Port::video("input")], outputs: vec![] };
        let look = ProcessorKind::new(ports, View::Picture, move |_| {
            let shown = shown.clone();
            Ok(move |input: ProcessorInput<'_>, _: &mut streamlib::Outputs<'_>| {
                if let ProcessorInput::Frame(_, frame) = input
                    && let Content::Picture(picture) = &frame.content
                {
                    let format = picture.format();
                    let mut copy = Picture { format, timestamp: Timestamp(0), data: Vec::new() };
                    picture.copy_to(frame.meta.captured, &mut copy)?;
                    *shown.lock().unwrap() = Some(copy);
                }
                Ok(())
            })
        });
        let mut graph = Graph::new();
        graph
            .add_source("camera", Source { uri: uri.into(), ..Source::default() })
            .and_then(|graph| graph.add_processor("look", Processor::new("look")))
            .and_then(|graph| graph.connect("camera", "look"))
            .unwrap();
        let options = LiveOptions { processors: [("look".into(), look)].into(), ..LiveOptions::default() };
        let live = runtime.start(&graph, options).unwrap_or_else(|error| panic!("{uri}: {error}"));
        Self { live, events: Vec::new(), newest }
    }

    /// Waits until something has happened.
    pub(crate) fn until(&mut self, what: &str, mut has_happened: impl FnMut(&mut Self) -> bool) {
        let deadline = Instant::now() + LIMIT;
        loop {
            self.events.extend(self.live.events());
            if has_happened(self) {
                return;
            }
            assert!(Instant::now() < deadline, "{what}: {:?}\n{:?}", self.events, self.live.stats().nodes);
            self.live.wait(Duration::from_millis(5));
        }
    }

    /// Waits for an event that has not been waited for.
    pub(crate) fn until_event(&mut self, what: &str, is_it: impl Fn(&LiveEvent) -> bool) -> LiveEvent {
        self.until(what, |rig| rig.events.iter().any(&is_it));
        let at = self.events.iter().position(is_it).unwrap();
        self.events.drain(..=at).next_back().unwrap()
    }

    /// Waits for a picture that is as it should be.
    pub(crate) fn until_picture(&mut self, what: &str, is_it: impl Fn(&Picture) -> Result<(), String>) {
        let mut why = "there is none".to_owned();
        let newest = self.newest.clone();
        let deadline = Instant::now() + LIMIT;
        self.until(what, |_| {
            if let Some(picture) = newest.lock().unwrap().take() {
                match is_it(&picture) {
                    Ok(()) => return true,
                    Err(wrong) => why = wrong,
                }
            }
            assert!(Instant::now() < deadline, "{what}: {why}");
            false
        });
    }
}

/// R, G, B at a place.
pub(crate) fn pixel(picture: &Picture, (x, y): (u32, u32)) -> [u8; 3] {
    let PictureFormat { size, layout, .. } = picture.format;
    assert_eq!(layout, PictureLayout::Rgba8);
    let at = (y * size.width + x) as usize * 4;
    [0, 1, 2].map(|channel| picture.data[at + channel])
}

pub(crate) fn is_close(found: [u8; 3], wanted: [u8; 3]) -> bool {
    found.iter().zip(wanted).all(|(found, wanted)| found.abs_diff(wanted) <= 8)
}
