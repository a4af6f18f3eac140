//! Runs a graph from beginning to end, while Python looks for signals.

use pyo3::prelude::*;
use streamlib::graph::Graph;
use streamlib::{Flow, RunOptions, StreamRuntime};

use crate::error;
use crate::gate::{self, released};

/// Runs the graph on a thread of its own, so that this one can look for signals; the answer is the report, as JSON.
pub(crate) fn run(
    py: Python<'_>,
    runtime: &StreamRuntime,
    graph: &Graph,
    options: &RunOptions,
) -> PyResult<String> {
    let is_stopped = std::sync::atomic::AtomicBool::new(false);
    let (done, is_done) = std::sync::mpsc::sync_channel(1);
    let flow = || match is_stopped.load(std::sync::atomic::Ordering::Relaxed) {
        true => Flow::Stop,
        false => Flow::Continue,
    };
    let ran = std::thread::scope(|scope| {
        let work = || {
            let report = runtime.run_with(graph, options, &mut |_| flow());
            let _heard = done.send(());
            report
        };
        let thread = std::thread::Builder::new().name("offline".to_owned()).spawn_scoped(scope, work);
        let thread =
            thread.map_err(|error| error::device(py, &format!("no thread could be started: {error}")))?;
        let is_done = std::sync::Mutex::new(is_done);
        let step = |slice| is_done.lock().ok()?.recv_timeout(slice).ok();
        let waited = gate::wait(py, f64::INFINITY, step);
        is_stopped.store(true, std::sync::atomic::Ordering::Relaxed);
        // What was started is finished, and files are closed.
        let ran = released(py, || thread.join());
        waited.map(|_| ran)
    });
    let report = ran?.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    let report = report.map_err(|error| error::of_run(py, &error))?;
    Ok(serde_json::to_string(&report).expect("a report is plain data"))
}
