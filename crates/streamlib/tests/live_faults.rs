//! Fails the n-th Vulkan call of a short live run, from its start to its end with a swap between, for many n: the run goes on, or
//! ends with an error that says why, and nothing is left behind.
//!
//! The counters belong to the process, so this file has one test.

#[path = "live/rig.rs"]
mod rig;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, mpsc};

use rig::{CAM, LIMIT, effect, patient, replace};
use streamlib::graph::{Graph, Link, Node};
use streamlib::picture::Picture;
use streamlib::shader::{Compiler, CompilerOptions};
use streamlib::vulkan::fault::{self, Fault};
use streamlib::vulkan::{DeviceOptions, Validation, VulkanError};
use streamlib::{LiveGraph, LiveOptions, LiveReport, PushError, RunError, StreamRuntime};

/// About so many runs for each fault, spread over all calls.
const RUNS: usize = 100;
/// Frames before the swap, and as many after it.
const FRAMES: u8 = 3;
const FILE: &str = "out.y4m";

/// Two passes, as the second reads elsewhere.
fn graph() -> Graph {
    let text = format!(
        "{CAM}
        [nodes.one]
        hlsl = 'float gain = 1; float4 main(float2 uv : TEXCOORD) : SV_Target {{ return tex2D(input, uv) * gain; }}'
        inputs = {{ input = {{ from = 'cam', delivery = 'lossless' }} }}
        [nodes.two]
        hlsl = 'float4 main(float2 uv : TEXCOORD) : SV_Target {{ return tex2D(input, 1 - uv); }}'
        inputs = {{ input = 'one' }}
        [nodes.out]
        sink = 'app:'
        inputs = {{ input = {{ from = 'two', delivery = 'lossless' }} }}
        [nodes.file]
        sink = '{FILE}'
        inputs = {{ input = {{ from = 'two', delivery = 'lossless' }} }}"
    );
    Graph::from_toml(&text).expect("a graph")
}

/// The second effect as it is after the swap, with a history that it did not have.
fn other() -> Node {
    let hlsl = "Texture2D past; float4 main(float2 uv : TEXCOORD) : SV_Target {
        return tex2D(input, 1 - uv) + 0 * tex2D(past, uv); }";
    effect(hlsl, &[("input", Link::from_node("one")), ("past", Link::from_node("two").delayed(1))])
}

/// What a run came to that could be started.
struct Played {
    /// Frames that came out.
    frames: u64,
    /// Frames that could not be written, so that they were not pushed.
    refused: Vec<VulkanError>,
    /// What the swap came to.
    swap: Option<RunError>,
    report: Result<LiveReport, RunError>,
}

#[expect(clippy::result_large_err, reason = "a test looks at it and lets it go")]
fn play(runtime: &Arc<StreamRuntime>, folder: &Path) -> Result<Played, RunError> {
    let options = LiveOptions { base: folder.to_owned(), ..patient() };
    let live = runtime.start(&graph(), options)?;
    let (mut frames, mut refused, mut swap) = (0, Vec::new(), None);
    feed(&live, &mut frames, &mut refused, &mut swap);
    Ok(Played { frames, refused, swap, report: live.stop() })
}

fn feed(live: &LiveGraph, frames: &mut u64, refused: &mut Vec<VulkanError>, swap: &mut Option<RunError>) {
    let (mut cam, mut out) = (live.inlet("cam").expect("an inlet"), live.outlet("out").expect("an outlet"));
    for number in 0..2 * FRAMES {
        if number == FRAMES {
            *swap = live.apply(&[replace("two", other())]).err();
        }
        let loan = cam.loan().expect("at most one frame is under way");
        let pixels = [number * 30 + 30; 4].repeat(cam.size().pixels());
        if let Err(error) = cam.write(&loan, &pixels) {
            refused.push(error);
            continue;
        }
        match cam.push(loan) {
            Ok(()) => {}
            Err(PushError::Closed) => return,
            Err(error) => panic!("at most one frame waits: {error}"),
        }
        if out.wait(LIMIT).is_none() {
            assert!(out.is_closed(), "a frame that never comes");
            return;
        }
        *frames += 1;
    }
}

/// Brightness of each frame of the file; none where there is no file. It is whole, or not there.
fn written(folder: &Path) -> Option<Vec<u8>> {
    let mut names = std::fs::read_dir(folder).expect("readable");
    let name = names.next()?.expect("readable").file_name();
    assert!(name == FILE && names.next().is_none(), "stray files");
    let mut reader = streamlib::media::open(&folder.join(FILE)).unwrap_or_else(|error| panic!("{error}"));
    let format = reader.info().format;
    let mut picture = Picture { format, timestamp: streamlib::frame::Timestamp(0), data: Vec::new() };
    let mut levels = Vec::new();
    while reader.read(&mut picture).unwrap_or_else(|error| panic!("{error}")) {
        levels.push(picture.data[0]);
    }
    Some(levels)
}

/// Whether an error is one of the GPU's, and the one that the fault makes.
fn is_of(fault: Fault, error: &RunError) -> bool {
    matches!(error, RunError::Gpu(_)) && error.is_device_lost() == (fault == Fault::DeviceLost)
}

/// Looks at what a run has come to. Whether it was as without the fault.
fn judge(played: Result<Played, RunError>, folder: &Path, fault: Fault, n: usize) -> bool {
    let file = written(folder);
    let played = match played {
        Ok(played) => played,
        Err(error) => {
            assert!(is_of(fault, &error), "call {n}: {error}");
            assert_eq!(file, None, "call {n}: nothing ran");
            return false;
        }
    };
    let Played { frames, refused, swap, report } = played;
    let levels = file.clone().unwrap_or_default();
    assert!(levels.is_sorted_by(|a, b| a < b), "call {n}: frames lost their order: {levels:?}");
    assert!(levels.len() as u64 >= frames || file.is_none(), "call {n}: {frames} frames, {levels:?}");
    let is_typed = |error: &RunError| is_of(fault, error) || matches!(error, RunError::Ended);
    assert!(swap.as_ref().is_none_or(is_typed), "call {n}: {swap:?}");
    match report {
        Ok(report) => {
            let pushed = u64::from(2 * FRAMES) - refused.len() as u64;
            assert_eq!(frames, pushed, "call {n}: it went on, {report:?}");
            let is_empty = report.notices.iter().any(|notice| notice.contains("got no frame"));
            assert!(!is_empty || frames == 0, "call {n}: {report:?}");
            assert_eq!(file.is_none(), is_empty || !report.failures.is_empty(), "call {n}: {report:?}");
            refused.is_empty() && swap.is_none() && report.failures.is_empty()
        }
        Err(error) => {
            assert!(is_of(fault, &error), "call {n}: {error}");
            false
        }
    }
}

/// One run with a device of its own, whose n-th call from the start of the graph fails; how many calls it made.
fn run(compiler: &Arc<Compiler>, folder: &Path, fault: Fault, n: usize) -> (usize, bool) {
    let device = DeviceOptions { validation: Validation::On, ..DeviceOptions::default() };
    let runtime = StreamRuntime::with_compiler(compiler.clone(), &device).expect("a device, as before");
    let runtime = Arc::new(runtime);
    fault::arm_with(n, fault);
    let played = play(&runtime, folder);
    let calls = fault::disarm();
    let is_as_ever = judge(played, folder, fault, n);
    assert_eq!(runtime.gpu().validation_messages(), 0, "{fault:?} in call {n}");
    drop(runtime);
    assert_eq!(fault::live_handles(), BTreeMap::new(), "after {fault:?} in call {n}");
    (calls, is_as_ever)
}

#[test]
fn a_vulkan_call_of_a_live_run_may_fail_wherever_it_is_and_nothing_hangs_or_stays() {
    let Ok(compiler) = Compiler::new(CompilerOptions::default()) else {
        println!("SKIPPED: no DXC here; `./x setup` gets it");
        return;
    };
    let compiler = Arc::new(compiler);
    if let Err(error) = StreamRuntime::with_compiler(compiler.clone(), &DeviceOptions::default()) {
        println!("SKIPPED: {error}");
        return;
    }
    // A run that hangs fails the test.
    let run = |fault, n| {
        let (done, result) = mpsc::channel();
        let compiler = compiler.clone();
        let worker = std::thread::spawn(move || {
            let folder = tempfile::tempdir().expect("a folder");
            done.send(run(&compiler, folder.path(), fault, n)).ok();
        });
        let result = result.recv_timeout(2 * LIMIT);
        let result =
            result.unwrap_or_else(|why| panic!("{fault:?} in call {n}: it hangs or panicked: {why}"));
        worker.join().expect("it has ended");
        result
    };
    let (calls, is_as_ever) = run(Fault::OutOfDeviceMemory, usize::MAX);
    assert!(is_as_ever, "no call failed");
    assert!(calls > RUNS, "only {calls} calls were counted");
    let step = calls.div_ceil(RUNS);
    for (first, fault) in [(0, Fault::OutOfDeviceMemory), (step / 2, Fault::DeviceLost)] {
        let failing = (first..calls).step_by(step);
        let unharmed = failing.clone().filter(|n| run(fault, *n).1).count();
        println!(
            "{fault:?}: {} of {calls} calls failed once, {unharmed} of them harmed nothing",
            failing.len()
        );
    }
}
