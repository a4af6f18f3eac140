//! A graph with a camera, whose pictures the test looks at.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use streamlib::graph::{Graph, Port, Ports, Processor, Source};
use streamlib::media::convert;
use streamlib::picture::{Picture, PictureFormat, PictureLayout};
use streamlib::shader::{CacheOptions, CompilerOptions, EffectSource};
use streamlib::{
    Content, LiveEvent, LiveGraph, LiveOptions, ProcessorInput, ProcessorKind, RuntimeOptions, StreamRuntime,
    View,
};
use streamlib_core::frame::Timestamp;
use streamlib_linux::list_cameras;

use crate::turn::{self, Turn};

/// The machine is emulated: loading the compiler alone takes seconds.
pub(crate) const LIMIT: Duration = Duration::from_secs(90);

/// A device and a compiler for all tests. Conversions are compiled on the host, too, where there is no camera: the emulated machine,
/// which takes seconds for each, reads what the host has left.
pub(crate) fn runtime() -> Option<Arc<StreamRuntime>> {
    static RUNTIME: LazyLock<Option<Arc<StreamRuntime>>> = LazyLock::new(|| {
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache/streamlib/effects");
        let cache = CacheOptions::Disk(cache);
        let compiler = CompilerOptions { cache, time_limit: 2 * LIMIT, ..CompilerOptions::default() };
        let runtime = match StreamRuntime::new(&RuntimeOptions { compiler, ..RuntimeOptions::default() }) {
            Ok(runtime) => Arc::new(runtime),
            Err(error) => {
                println!("SKIPPED: {error}");
                return None;
            }
        };
        for name in ["yuyv_to_rgba", "rgb24_to_rgba", "bayer_to_rgba"] {
            let conversion = convert::ALL.iter().find(|conversion| conversion.name == name).unwrap();
            runtime.compiler().compile(&EffectSource::from_text(name, conversion.hlsl)).unwrap();
        }
        Some(runtime)
    });
    RUNTIME.clone()
}

/// The node of the test driver's camera with all planes in one memory, and the turn to use it.
pub(crate) fn vivid() -> Option<(PathBuf, Turn)> {
    let turn = turn::cameras();
    let found = list_cameras().into_iter().find(|camera| {
        let is_planar = camera.formats.iter().any(|format| format.fourcc == "NM12");
        camera.bus.starts_with("platform:vivid") && !is_planar
    });
    if found.is_none() {
        println!("SKIPPED: no V4L2 camera of the vivid test driver");
    }
    found.map(|camera| (camera.path, turn))
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

    /// Waits until something has happened; `false` when it does not.
    fn wait_for(&mut self, mut has_happened: impl FnMut(&mut Self) -> bool) -> bool {
        let deadline = Instant::now() + LIMIT;
        loop {
            self.events.extend(self.live.events());
            if has_happened(self) {
                return true;
            }
            if Instant::now() > deadline {
                return false;
            }
            self.live.wait(Duration::from_millis(20));
        }
    }

    /// What is known of the graph.
    fn state(&self) -> String {
        format!("{:?}\n{:?}", self.events, self.live.stats().nodes)
    }

    pub(crate) fn until(&mut self, what: &str, has_happened: impl FnMut(&mut Self) -> bool) {
        assert!(self.wait_for(has_happened), "{what}: {}", self.state());
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
        let is_found = self.wait_for(|_| {
            let shown = newest.lock().unwrap().take().map(|picture| is_it(&picture));
            match shown {
                Some(Err(wrong)) => why = wrong,
                Some(Ok(())) => return true,
                None => {}
            }
            false
        });
        assert!(is_found, "{what}: {why}: {}", self.state());
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
