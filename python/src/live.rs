//! Graphs that run live.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock, Weak};
use std::time::Duration;

use pyo3::prelude::*;
use serde_json::Value as Json;
use streamlib::graph::{Graph, Node};
use streamlib::{LiveGraph as CoreGraph, RunError, StreamRuntime};

use crate::ends::{Outlet, ProcessorEnd};
use crate::error;
use crate::gate::{self, Slow, released};
use crate::inlet::Inlet;
use crate::knobs::Knobs;
use crate::runtime::read_graph;
use crate::value;

/// Nanoseconds on the clock of live frames, which is `time.monotonic_ns` of Python.
pub(crate) fn now_ns() -> PyResult<i64> {
    Ok(streamlib::now().0)
}

/// A graph that runs, or did.
pub(crate) struct Running {
    runtime: Arc<StreamRuntime>,
    /// None once it was stopped.
    graph: RwLock<Option<CoreGraph>>,
    is_over: Arc<AtomicBool>,
    /// How it ended.
    end: OnceLock<End>,
}

struct End {
    graph: Graph,
    report: Result<Json, RunError>,
}

/// All that run, to be stopped before the interpreter ends.
static ALL: Mutex<Vec<Weak<Running>>> = Mutex::new(Vec::new());

impl Running {
    fn new(runtime: Arc<StreamRuntime>, graph: CoreGraph) -> Arc<Self> {
        let (graph, end) = (RwLock::new(Some(graph)), OnceLock::new());
        let running = Arc::new(Self { runtime, graph, is_over: Arc::default(), end });
        let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|other| other.strong_count() > 0);
        all.push(Arc::downgrade(&running));
        running
    }

    /// Frames under way are delivered, and files are closed. A second time there is nothing to stop.
    fn stop(&self) -> &End {
        self.is_over.store(true, Ordering::Release);
        let mut graph = self.graph.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(live) = graph.take() {
            let graph = live.graph();
            let report = live.stop();
            let report = report.map(|report| serde_json::to_value(report).expect("a report is plain data"));
            self.end.get_or_init(|| End { graph, report });
        }
        drop(graph);
        self.end.get().expect("who took the graph has left its end")
    }

    /// Something of the graph while it runs; `None` once it was stopped.
    fn read<T>(&self, work: impl FnOnce(&CoreGraph) -> T) -> Option<T> {
        self.graph.read().unwrap_or_else(PoisonError::into_inner).as_ref().map(work)
    }
}

/// Stops all graphs that run.
pub(crate) fn stop_all() {
    let all: Vec<_> = ALL.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect();
    for running in all.iter().filter_map(Weak::upgrade) {
        running.stop();
    }
}

/// A graph that runs.
#[pyclass(frozen, module = "streamlib._streamlib")]
pub(crate) struct LiveGraph(Slow<Arc<Running>>);

impl LiveGraph {
    pub(crate) fn new(runtime: Arc<StreamRuntime>, graph: CoreGraph) -> Self {
        Self(Slow::new(Running::new(runtime, graph)))
    }

    /// Something of the graph, which others may be changing at the moment.
    fn read<T: Send>(&self, py: Python<'_>, work: impl FnOnce(&CoreGraph) -> T + Send) -> PyResult<T> {
        let running = &**self.0;
        released(py, || running.read(work)).ok_or_else(|| {
            error::closed(py, "the graph was stopped: start it again, or keep what stop() returned")
        })
    }

    /// An end that is there to be taken once.
    fn take<T: Send>(
        &self,
        py: Python<'_>,
        (node, what): (&str, &str),
        is_it: impl Fn(&Node) -> bool + Send,
        take: impl FnOnce(&CoreGraph) -> Option<T> + Send,
    ) -> PyResult<T> {
        let (taken, graph) = self.read(py, |live| (take(live), live.graph()))?;
        taken.ok_or_else(|| {
            let known: Vec<_> = graph.nodes.iter().filter(|(_, node)| is_it(node)).collect();
            let known: Vec<_> = known.into_iter().map(|(name, _)| name.as_str()).collect();
            let text = match known.contains(&node) {
                true => {
                    format!("the {what} of `{node}` was taken before: keep it, or nothing needs this node")
                }
                false => format!("there is no {what} `{node}`; there are: {}", known.join(", ")),
            };
            error::value(py, &text)
        })
    }
}

#[pymethods]
impl LiveGraph {
    fn graph(&self, py: Python<'_>) -> PyResult<String> {
        gate::enter(py, || {
            let running = &**self.0;
            let graph = released(py, || match running.read(CoreGraph::graph) {
                Some(graph) => graph,
                None => running.stop().graph.clone(),
            });
            Ok(serde_json::to_string(&graph).expect("a graph is plain data"))
        })
    }

    fn set(&self, py: Python<'_>, node: &str, parameter: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
        gate::enter(py, || {
            let value = value::read(value)?;
            let set = self.read(py, |live| live.set(node, parameter, value))?;
            set.map_err(|error| error::of_graph(py, &error))
        })
    }

    fn set_all(&self, py: Python<'_>, settings: &Bound<'_, PyAny>) -> PyResult<()> {
        gate::enter(py, || {
            let settings = value::settings(settings)?;
            let set = self.read(py, |live| live.set_all(&settings))?;
            set.map_err(|error| error::of_graph(py, &error))
        })
    }

    fn knobs(&self, py: Python<'_>, targets: BTreeMap<String, Vec<(String, String)>>) -> PyResult<Knobs> {
        gate::enter(py, || {
            let made = self.read(py, |live| {
                let knobs = targets.into_iter().map(|(name, targets)| {
                    let targets: Vec<_> = targets.iter().map(|(n, p)| (n.as_str(), p.as_str())).collect();
                    Ok((name, live.knob(&targets)?))
                });
                knobs.collect::<Result<BTreeMap<_, _>, _>>()
            })?;
            let knobs = made.map_err(|error| error::of_graph(py, &error))?;
            Ok(Knobs::new(self.0.is_over.clone(), knobs))
        })
    }

    fn change_to(&self, py: Python<'_>, graph: &str) -> PyResult<Applied> {
        gate::enter(py, || {
            let graph = read_graph(py, graph)?;
            let changed = self.read(py, |live| live.change_to(&graph))?;
            let changed = changed.map_err(|error| error::of_run(py, &error))?;
            let ms = |duration: Duration| duration.as_secs_f64() * 1e3;
            Ok(Applied {
                generation: changed.generation,
                first_frame: changed.first_frame,
                compile_ms: ms(changed.build.compile),
                kernels_ms: ms(changed.build.kernels),
                total_ms: ms(changed.build.total),
            })
        })
    }

    fn inlet(&self, py: Python<'_>, source: &str) -> PyResult<Inlet> {
        gate::enter(py, || {
            let is_it = |node: &Node| matches!(node, Node::Source(source) if source.uri == "app:");
            let inlet = self.take(py, (source, "inlet"), is_it, |live| live.inlet(source))?;
            Ok(Inlet::new(self.0.runtime.clone(), inlet))
        })
    }

    fn outlet(&self, py: Python<'_>, sink: &str) -> PyResult<Outlet> {
        gate::enter(py, || {
            let is_it = |node: &Node| matches!(node, Node::Sink(sink) if sink.uri == "app:");
            let outlet = self.take(py, (sink, "outlet"), is_it, |live| live.outlet(sink))?;
            Ok(Outlet::new(self.0.runtime.clone(), outlet))
        })
    }

    fn end(&self, py: Python<'_>, processor: &str) -> PyResult<ProcessorEnd> {
        gate::enter(py, || {
            let is_it = |node: &Node| matches!(node, Node::Processor(_));
            let end = self.take(py, (processor, "processor"), is_it, |live| live.end(processor))?;
            Ok(ProcessorEnd::new(self.0.runtime.clone(), end))
        })
    }

    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        gate::enter(py, || {
            let running = &**self.0;
            match released(py, || running.read(CoreGraph::stats)) {
                Some(stats) => value::plain(py, &stats),
                None => self.stop(py)?.get_item("stats"),
            }
        })
    }

    fn events<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        gate::enter(py, || {
            let running = &**self.0;
            let events = released(py, || running.read(CoreGraph::events)).unwrap_or_default();
            let told = events.iter().map(|event| {
                let mut told = serde_json::to_value(event).expect("events are plain data");
                if let Json::Object(entries) = &mut told {
                    entries.insert("text".to_owned(), Json::String(event.to_string()));
                }
                told
            });
            value::json(py, &Json::Array(told.collect()))
        })
    }

    fn wait(&self, py: Python<'_>, seconds: f64) -> PyResult<bool> {
        gate::enter(py, || {
            let running = &**self.0;
            let step = |slice| running.read(|live| live.wait(slice)).unwrap_or(true).then_some(());
            Ok(gate::wait(py, seconds, step)?.is_some())
        })
    }

    fn stop<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        gate::enter(py, || {
            let running = &**self.0;
            match &released(py, || running.stop()).report {
                Ok(report) => value::json(py, report),
                Err(error) => Err(error::of_run(py, error)),
            }
        })
    }
}

/// What a change came to.
#[pyclass(frozen, get_all, module = "streamlib._streamlib")]
pub(crate) struct Applied {
    generation: u64,
    first_frame: Option<u64>,
    compile_ms: f64,
    kernels_ms: f64,
    total_ms: f64,
}

#[pymethods]
impl Applied {
    fn __repr__(&self) -> String {
        format!("<Applied generation={} total_ms={:.1}>", self.generation, self.total_ms)
    }
}
