//! Live graphs that are stopped, and dropped, in every state: each ends, its files are whole, and nothing is left.
//!
//! Threads and handles are counted for the whole process, so this file has one test.
#![cfg(target_os = "linux")]

#[path = "live/rig.rs"]
mod rig;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use rig::{LIMIT, counts, effect, number, patient, push, replace, y4m};
use streamlib::graph::{Delivery, Graph, Link, Node, Port, Ports};
use streamlib::media;
use streamlib::picture::Picture;
use streamlib::value::Value;
use streamlib::vulkan::{Validation, fault};
use streamlib::{
    LiveGraph, LiveOptions, LiveReport, Outputs, ProcessorInput, ProcessorKind, Processors, PushError,
    RunError, StreamRuntime, View,
};
use streamlib_core::gpu::{Gpu, HostBufferUse};

/// What `source` gives goes through an effect into three files, and to the program, which may hold up everything.
fn graph(source: &str) -> String {
    let file = |node: &str, name: &str| {
        format!(
            "[nodes.{node}]
            sink = '{name}'
            inputs = {{ input = {{ from = 'same', delivery = 'lossless' }} }}\n"
        )
    };
    let files = [("movie", FILES[0]), ("raw", FILES[1]), ("stills", FILES[2])].map(|(n, name)| file(n, name));
    format!(
        "[nodes.in]
        {source}
        [nodes.same]
        hlsl = '{SAME}'
        inputs = {{ input = {{ from = 'in', delivery = 'lossless', bound = 2 }} }}
        [nodes.out]
        sink = 'app:'
        inputs = {{ input = {{ from = 'same', delivery = 'lossless', bound = 2 }} }}\n{}",
        files.concat()
    )
}

const SAME: &str =
    "float gain = 1; float4 main(float2 uv : TEXCOORD) : SV_Target { return tex2D(input, uv) * gain; }";
const PUSHED: &str = "source = 'app:'\nsize = [16, 16]";
const FILES: [&str; 3] = ["movie.mp4", "raw.y4m", "still-%d.png"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Stop,
    Drop,
}

/// Does something that has to come to an end. Where it does not the test fails, and does not hang.
fn in_time<T: Send + 'static>(what: &str, work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, result) = mpsc::channel();
    let worker = std::thread::spawn(move || drop(done.send(work())));
    let result = result.recv_timeout(LIMIT).unwrap_or_else(|_| panic!("{what} does not end, or panicked"));
    worker.join().expect("it has ended");
    result
}

impl End {
    fn of(self, live: LiveGraph) -> Option<LiveReport> {
        in_time("the graph", move || match self {
            Self::Stop => Some(live.stop().unwrap_or_else(|error| panic!("{error}"))),
            Self::Drop => {
                drop(live);
                None
            }
        })
    }
}

/// Names of all threads.
fn threads() -> Vec<String> {
    let tasks = std::fs::read_dir("/proc/self/task").expect("this process has threads");
    let name = |task: std::io::Result<std::fs::DirEntry>| {
        // One that ends while we look has no name any more.
        let name = std::fs::read_to_string(task.ok()?.path().join("comm")).ok()?;
        Some(name.trim().to_owned())
    };
    let mut names: Vec<_> = tasks.filter_map(name).collect();
    names.sort();
    names
}

/// Frames of a file that can be read to its end; none where there is no file.
fn frames(folder: &Path, name: &str) -> Option<u64> {
    if !folder.join(name.replace("%d", "0")).exists() {
        return None;
    }
    let mut reader = media::open(&folder.join(name)).unwrap_or_else(|error| panic!("{error}"));
    let format = reader.info().format;
    let mut picture = Picture { format, timestamp: streamlib::frame::Timestamp(0), data: Vec::new() };
    let mut count = 0;
    while reader.read(&mut picture).unwrap_or_else(|error| panic!("{error}")) {
        count += 1;
    }
    Some(count)
}

/// A folder and a device to run graphs in.
struct Place<'a> {
    runtime: &'a Arc<StreamRuntime>,
    folder: tempfile::TempDir,
}

impl Place<'_> {
    fn start(&self, text: &str, options: LiveOptions) -> LiveGraph {
        let graph = Graph::from_toml(text).expect("a graph");
        let options = LiveOptions { base: self.folder.path().to_owned(), ..options };
        self.runtime.start(&graph, options).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Each of the files has so many frames, the report says so, and there is nothing else.
    fn has_files(&self, wanted: Option<u64>, report: Option<&LiveReport>) {
        assert_eq!(FILES.map(|name| frames(self.folder.path(), name)), [wanted; 3], "{report:?}");
        let names = std::fs::read_dir(self.folder.path()).expect("readable");
        let names = names.filter(|name| name.as_ref().expect("readable").file_name() != "film.y4m");
        assert_eq!(names.count() as u64, wanted.map_or(0, |frames| frames + 2), "stray files");
        let Some(report) = report else { return };
        assert_eq!(report.sinks.len(), if wanted.is_some() { 3 } else { 0 });
        assert!(report.sinks.iter().all(|sink| Some(sink.frames) == wanted), "{report:?}");
    }
}

fn nothing_taken(place: &Place<'_>, end: End) {
    let report = end.of(place.start(&graph(PUSHED), patient()));
    place.has_files(None, report.as_ref());
}

fn before_the_first_frame(place: &Place<'_>, end: End) {
    let live = place.start(&graph(PUSHED), patient());
    let (mut cam, mut out) = (live.inlet("in").expect("an inlet"), live.outlet("out").expect("an outlet"));
    let loan = cam.loan().expect("a texture");
    let report = end.of(live);
    assert!(matches!(cam.push(loan), Err(PushError::Closed)));
    assert!(out.wait(LIMIT).is_none() && out.is_closed());
    // Files that got nothing are none, and say so; that is no failure.
    let says_so = |report: &LiveReport| {
        let empty = report.notices.iter().filter(|notice| notice.contains("got no frame"));
        empty.count() == 3 && report.failures.is_empty()
    };
    assert!(report.as_ref().is_none_or(says_so), "{report:?}");
    place.has_files(None, report.as_ref());
}

fn while_the_program_holds_frames(place: &Place<'_>, end: End) {
    let live = place.start(&graph(PUSHED), patient());
    let (mut cam, mut out) = (live.inlet("in").expect("an inlet"), live.outlet("out").expect("an outlet"));
    let frame = |n| {
        assert!(push(&mut cam, n));
        out.wait(LIMIT).expect("a frame")
    };
    let held: Vec<_> = (0..4).map(frame).collect();
    let report = end.of(live);
    let numbers: Vec<_> = held.iter().map(|frame| number(place.runtime.gpu(), frame)).collect();
    assert_eq!(numbers, [0, 1, 2, 3], "what is held stays");
    place.has_files(Some(4), report.as_ref());
}

fn with_full_lossless_queues(place: &Place<'_>, end: End) {
    let live = place.start(&graph(PUSHED), patient());
    let (mut cam, mut out) = (live.inlet("in").expect("an inlet"), live.outlet("out").expect("an outlet"));
    let deadline = Instant::now() + LIMIT;
    let mut pushed = 0;
    // Two wait at the outlet, one more for room there, and two at the inlet.
    loop {
        let is_pushed = push(&mut cam, pushed);
        pushed += u16::from(is_pushed);
        if !is_pushed && counts(&live, "out").frames_in > 2 {
            break;
        }
        assert!(Instant::now() < deadline, "{:?}", live.stats());
        live.wait(Duration::from_millis(1));
    }
    let report = end.of(live);
    let written = frames(place.folder.path(), FILES[1]).expect("a file");
    assert!((3..=u64::from(pushed)).contains(&written), "{written} of {pushed}");
    place.has_files(Some(written), report.as_ref());
    let left: Vec<_> = std::iter::from_fn(|| out.take()).map(|f| number(place.runtime.gpu(), &f)).collect();
    assert_eq!(left, [0, 1], "what waits at the program's end stays");
}

fn while_a_file_waits_for_its_time(place: &Place<'_>, end: End) {
    let film = place.folder.path().join("film.y4m");
    y4m(&film, [50, 100, 150]);
    // Its second picture is due in a quarter of an hour.
    let slow = std::fs::read(&film).expect("readable");
    let slow = [b"YUV4MPEG2 W16 H16 F1:1000 C420jpeg\n", &slow["YUV4MPEG2 W16 H16 F50:1 C420jpeg\n".len()..]];
    std::fs::write(&film, slow.concat()).expect("written");
    let live = place.start(&graph("source = 'film.y4m'"), patient());
    let mut out = live.outlet("out").expect("an outlet");
    let first = out.wait(LIMIT).expect("the first picture");
    let report = end.of(live);
    drop(first);
    place.has_files(Some(1), report.as_ref());
}

/// The effect in another version, which computes the same.
fn version(number: u32) -> Node {
    let link = Link::from_node("in").with_delivery(Delivery::Lossless { bound: 2 });
    effect(&format!("// {number}\n{SAME}"), &[("input", link)])
}

/// The graph comes to its end by itself. Dropped, it is dropped by whoever is last to let go of it.
fn while_others_change_it(place: &Place<'_>, end: End) {
    const FRAMES: u64 = 30;
    let live = Arc::new(place.start(&graph(PUSHED), LiveOptions { frames: Some(FRAMES), ..patient() }));
    let (mut cam, mut out) = (live.inlet("in").expect("an inlet"), live.outlet("out").expect("an outlet"));
    let edited = live.clone();
    let editor = std::thread::spawn(move || {
        for number in 0.. {
            match edited.apply(&[replace("same", version(number))]) {
                Ok(_) => {}
                Err(RunError::Ended) => break,
                Err(error) => panic!("{error}"),
            }
        }
    });
    let changed = live.clone();
    let setter = std::thread::spawn(move || {
        while !changed.wait(Duration::ZERO) {
            changed.set("same", "gain", Value::Float(1.0)).expect("each version has it");
        }
    });
    let (mut pushed, mut seen) = (0, 0);
    let deadline = Instant::now() + LIMIT;
    while seen < FRAMES {
        pushed += u16::from(u64::from(pushed) < FRAMES && push(&mut cam, pushed));
        while let Some(frame) = out.take() {
            assert_eq!(u64::from(number(place.runtime.gpu(), &frame)), seen);
            seen += 1;
        }
        assert!(Instant::now() < deadline, "{:?}", live.stats());
        live.wait(Duration::from_millis(1));
    }
    let mut ours = Some(live);
    if end == End::Drop {
        ours = None;
    }
    in_time("who changes it", || [editor, setter].map(|thread| thread.join().expect("no panic")));
    let report = ours.map(|live| End::Stop.of(Arc::into_inner(live).expect("the last")));
    let report = report.flatten();
    place.has_files(Some(FRAMES), report.as_ref());
}

/// A processor of the graph's own sets a parameter for every frame, and has not done with the last one.
fn while_a_processor_sets_parameters(place: &Place<'_>, end: End) {
    let ports = Ports { inputs: vec![Port::video("input")], outputs: vec![Port::data("gain")] };
    let (told, at_work) = mpsc::channel();
    let told = std::sync::Mutex::new(told);
    let kind = ProcessorKind::new(ports, View::Picture, move |_| {
        let told = told.lock().expect("no panic").clone();
        Ok(move |_: ProcessorInput<'_>, out: &mut Outputs<'_>| {
            let _nobody_listens = told.send(());
            (0..50).try_for_each(|_| Ok(out.send("gain", Value::Float(1.0))?))
        })
    });
    let knob = "[nodes.knob]\nprocessor = 'knob'\ninputs = { input = 'in' }";
    let text = graph(&format!("{PUSHED}\n{knob}"));
    let text = text.replace("{ input = { from = 'in',", "{ gain = 'knob.gain', input = { from = 'in',");
    let processors = Processors::from([("knob".into(), kind)]);
    let live = place.start(&text, LiveOptions { processors, ..patient() });
    let (mut cam, mut out) = (live.inlet("in").expect("an inlet"), live.outlet("out").expect("an outlet"));
    for n in 0..3 {
        assert!(push(&mut cam, n));
        assert!(out.wait(LIMIT).is_some());
    }
    at_work.recv_timeout(LIMIT).expect("it works");
    let report = end.of(live);
    assert!(report.as_ref().is_none_or(|report| report.failures.is_empty()), "{report:?}");
    place.has_files(Some(3), report.as_ref());
}

type Case = (&'static str, fn(&Place<'_>, End));

/// Handles that are alive, but for those of kernels, which the runtime keeps for the next graph that has them.
fn handles() -> BTreeMap<&'static str, usize> {
    let of_kernels = ["descriptor set layout", "pipeline", "pipeline layout", "sampler", "shader module"];
    let mut handles = fault::live_handles();
    handles.retain(|kind, _| !of_kernels.contains(kind));
    handles
}

/// Runs cases on a device of their own, and looks for what each of them has left behind.
fn run(validation: Validation, cases: &[Case]) -> bool {
    let Some(runtime) = rig::start_runtime(validation) else { return false };
    let place = || Place { runtime: &runtime, folder: tempfile::tempdir().expect("a folder") };
    // Once, so that the driver and the compiler have the threads that they keep.
    while_the_program_holds_frames(&place(), End::Stop);
    let (before, held) = (threads(), handles());
    for (what, case) in cases {
        for end in [End::Stop, End::Drop] {
            case(&place(), end);
            // What the GPU may still have been at is destroyed when something else is created; and the system takes a moment to
            // forget a thread that was joined.
            let deadline = Instant::now() + LIMIT;
            while (threads(), handles()) != (before.clone(), held.clone()) {
                let left = || format!("{:?}, {:?}", threads(), handles());
                assert!(Instant::now() < deadline, "{what}, {end:?}: {before:?}, {held:?}: {}", left());
                drop(runtime.gpu().create_host_buffer("broom", 4, HostBufferUse::Readback).expect("memory"));
                std::thread::yield_now();
            }
            assert_eq!(runtime.gpu().validation_messages(), 0, "{what}, {end:?}");
        }
    }
    drop(runtime);
    assert_eq!(fault::live_handles(), BTreeMap::new());
    true
}

#[test]
fn a_graph_ends_in_every_state_with_whole_files_and_leaves_neither_threads_nor_handles() {
    let all: [Case; 6] = [
        ("nothing taken", nothing_taken),
        ("before the first frame", before_the_first_frame),
        ("frames in the program's hands", while_the_program_holds_frames),
        ("full queues", with_full_lossless_queues),
        ("a file that waits", while_a_file_waits_for_its_time),
        ("a processor at work", while_a_processor_sets_parameters),
    ];
    // See `rig::runtime` for why threads that build beside those that record have no validation layer.
    let _both = run(Validation::On, &all) && run(Validation::Off, &[("changes", while_others_change_it)]);
}
