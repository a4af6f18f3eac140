//! The runtime: one GPU, one effect compiler, and what is done with them at once.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping};
use streamlib::format::{Size, TextureFormat};
use streamlib::gpu::Gpu;
use streamlib::graph::{Graph, Port, PortKind, Ports};
use streamlib::shader::EffectSource;
use streamlib::vulkan::{DeviceChoice, DeviceOptions, Validation};
use streamlib::{
    EffectRun, LiveOptions, Pacing, ProcessorKind, Processors, RunOptions, RuntimeOptions, StreamRuntime,
    View,
};

use crate::command::compiler;
use crate::effect::Interface;
use crate::error;
use crate::gate::{self, Slow, released};
use crate::live::LiveGraph;
use crate::texture::Texture;
use crate::value;

/// One GPU and one effect compiler.
#[pyclass(frozen, module = "streamlib._streamlib")]
pub(crate) struct Runtime(Slow<Arc<StreamRuntime>>);

/// Reads a graph: JSON, or TOML as in files.
pub(crate) fn read_graph(py: Python<'_>, text: &str) -> PyResult<Graph> {
    let wrong = |error: String| error::value(py, &format!("not a graph: {error}"));
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text).map_err(|error| wrong(error.to_string()));
    }
    Graph::from_toml(text).map_err(|error| error::value(py, &error.to_string()))
}

fn choice(device: Option<&Bound<'_, PyAny>>) -> PyResult<DeviceChoice> {
    let Some(device) = device else { return Ok(DeviceChoice::Best) };
    if let Ok(index) = device.extract() {
        return Ok(DeviceChoice::Index(index));
    }
    let wrong = |_| PyTypeError::new_err("a device is named by its number or by a part of its name");
    device.extract().map(DeviceChoice::Name).map_err(wrong)
}

fn format(py: Python<'_>, name: &str) -> PyResult<TextureFormat> {
    TextureFormat::ALL.into_iter().find(|format| format.name() == name).ok_or_else(|| {
        let known = TextureFormat::ALL.map(TextureFormat::name).join(", ");
        error::value(py, &format!("there is no format `{name}`; there are: {known}"))
    })
}

/// How a program registers a processor: inputs and outputs by name, each `video` or `data`, and whether it wants pictures.
type Registered<'py> = (Bound<'py, PyDict>, Bound<'py, PyDict>, bool);

fn processors(registered: Option<&Bound<'_, PyMapping>>) -> PyResult<Processors> {
    let mut kinds = Processors::new();
    let Some(registered) = registered else { return Ok(kinds) };
    for entry in registered.items()? {
        let (name, (inputs, outputs, pictures)): (String, Registered<'_>) = entry.extract()?;
        let ports = Ports { inputs: ports(&inputs)?, outputs: ports(&outputs)? };
        let view = if pictures { View::Picture } else { View::Texture };
        kinds.insert(name, ProcessorKind::held(ports, view));
    }
    Ok(kinds)
}

fn ports(named: &Bound<'_, PyDict>) -> PyResult<Vec<Port>> {
    let port = |(name, kind): (Bound<'_, PyAny>, Bound<'_, PyAny>)| {
        let (name, kind): (String, String) = (name.extract()?, kind.extract()?);
        let kind = match kind.as_str() {
            "video" => PortKind::Video,
            "data" => PortKind::Data,
            other => {
                let text = format!("port `{name}` is `{other}`: a port is `video` or `data`");
                return Err(error::value(named.py(), &text));
            }
        };
        Ok(Port { name, kind })
    };
    named.iter().map(port).collect()
}

#[pymethods]
impl Runtime {
    #[new]
    #[pyo3(signature = (device = None, *, validation = None))]
    fn new(py: Python<'_>, device: Option<&Bound<'_, PyAny>>, validation: Option<bool>) -> PyResult<Self> {
        gate::enter(py, || {
            let validation = match validation {
                None => Validation::Auto,
                Some(true) => Validation::On,
                Some(false) => Validation::Off,
            };
            let device = DeviceOptions { choice: choice(device)?, validation };
            let options = RuntimeOptions { device, compiler: compiler(py)? };
            let made = released(py, || StreamRuntime::new(&options));
            Ok(Self(Slow::new(Arc::new(made.map_err(|error| error::of_start(py, &error))?))))
        })
    }

    #[getter]
    fn device_name(&self) -> &str {
        &self.0.gpu().info().name
    }

    #[getter]
    fn is_cpu(&self) -> bool {
        self.0.gpu().info().is_cpu
    }

    #[pyo3(signature = (hlsl, name = "effect"))]
    fn compile(&self, py: Python<'_>, hlsl: &str, name: &str) -> PyResult<Interface> {
        gate::enter(py, || {
            let source = EffectSource::from_text(file_name(name), hlsl);
            let compiled = released(py, || self.0.compiler().compile(&source));
            let compiled = compiled.map_err(|error| error::of_compile(py, &error, &error.to_string()))?;
            Interface::of(py, &compiled.interface)
        })
    }

    #[pyo3(signature = (graph, *, svg = false, base = ""))]
    fn explain(&self, py: Python<'_>, graph: &str, svg: bool, base: &str) -> PyResult<String> {
        gate::enter(py, || {
            let graph = read_graph(py, graph)?;
            let options = RunOptions { base: PathBuf::from(base), ..RunOptions::default() };
            let explained = released(py, || self.0.explain(&graph, &options));
            let explained = explained.map_err(|error| error::of_run(py, &error))?;
            Ok(if svg { explained.to_svg() } else { streamlib_runtime::explanation(&explained) })
        })
    }

    #[pyo3(signature = (graph, *, base = ""))]
    fn run(&self, py: Python<'_>, graph: &str, base: &str) -> PyResult<String> {
        gate::enter(py, || {
            let graph = read_graph(py, graph)?;
            let options = RunOptions { base: PathBuf::from(base), ..RunOptions::default() };
            crate::offline::run(py, &self.0, &graph, &options)
        })
    }

    #[pyo3(signature = (
        graph, *, base = "", fps = None, free = false, frames = None, fuse = true, trace = None, processors = None,
        patience = 1.0, awake = 0.0
    ))]
    #[expect(clippy::too_many_arguments, reason = "Python names them")]
    fn start(
        &self,
        py: Python<'_>,
        graph: &str,
        base: &str,
        fps: Option<f64>,
        free: bool,
        frames: Option<u64>,
        fuse: bool,
        trace: Option<PathBuf>,
        processors: Option<&Bound<'_, PyMapping>>,
        patience: f64,
        awake: f64,
    ) -> PyResult<LiveGraph> {
        gate::enter(py, || {
            let graph = read_graph(py, graph)?;
            let patience = Duration::try_from_secs_f64(patience)
                .map_err(|_| error::value(py, "`patience` is a number of seconds, 0 or more"))?;
            let awake = Duration::try_from_secs_f64(awake)
                .map_err(|_| error::value(py, "`awake` is a number of seconds, 0 or more"))?;
            let pacing = match (fps, free) {
                (Some(_), true) => return Err(error::value(py, "give `fps` or `free`, not both")),
                (Some(fps), false) if fps.is_finite() && fps > 0.0 => Pacing::Rate(fps),
                (Some(_), false) => return Err(error::value(py, "`fps` is a number above 0")),
                (None, true) => Pacing::Free,
                (None, false) => Pacing::Clock,
            };
            let processors = self::processors(processors)?;
            let base = PathBuf::from(base);
            let options = LiveOptions {
                base,
                pacing,
                frames,
                fuse,
                trace,
                processors,
                patience,
                awake,
                ..LiveOptions::default()
            };
            if gate::is_closing() {
                return Err(error::closed(
                    py,
                    "the interpreter is about to end: no graph is started any more",
                ));
            }
            let started = released(py, || self.0.start(&graph, options));
            Ok(LiveGraph::new(self.0.clone(), started.map_err(|error| error::of_run(py, &error))?))
        })
    }

    #[pyo3(signature = (width, height, format = "rgba8"))]
    fn create_texture(&self, py: Python<'_>, width: u32, height: u32, format: &str) -> PyResult<Texture> {
        gate::enter(py, || {
            let format = self::format(py, format)?;
            let made = released(py, || self.0.create_texture(Size::new(width, height), format));
            Ok(Texture::own(self.0.clone(), made.map_err(|error| error::of_gpu(py, &error))?))
        })
    }

    #[pyo3(signature = (
        hlsl, inputs, parameters = None, *, size = None, output = None, time = 0.0, frame = 0, name = "effect"
    ))]
    #[expect(clippy::too_many_arguments, reason = "Python names them")]
    fn run_effect(
        &self,
        py: Python<'_>,
        hlsl: &str,
        inputs: &Bound<'_, PyMapping>,
        parameters: Option<&Bound<'_, PyMapping>>,
        size: Option<(u32, u32)>,
        output: Option<&Bound<'_, Texture>>,
        time: f64,
        frame: u64,
        name: &str,
    ) -> PyResult<Py<Texture>> {
        gate::enter(py, || {
            let source = EffectSource::from_text(file_name(name), hlsl);
            let inputs = inputs.items()?.iter().map(|entry| {
                let (port, texture): (String, Bound<'_, PyAny>) = entry.extract()?;
                let wrong = |_| PyTypeError::new_err(format!("input `{port}` takes a Texture"));
                let texture = texture.cast::<Texture>().map_err(wrong)?.get().on(py, &self.0)?;
                Ok((port, texture))
            });
            let inputs = inputs.collect::<PyResult<Vec<_>>>()?;
            let parameters = parameters.map(|parameters| parameters.items()).transpose()?;
            let parameters = parameters.iter().flatten().map(|entry| {
                let (name, value): (String, Bound<'_, PyAny>) = entry.extract()?;
                Ok((name, value::read(&value)?))
            });
            let parameters = parameters.collect::<PyResult<Vec<_>>>()?;
            let written = output.map(|texture| texture.get().writable(py, &self.0)).transpose()?;
            let made = released(py, || {
                let inputs: Vec<_> = inputs.iter().map(|(port, texture)| (port.as_str(), texture)).collect();
                let parameters: Vec<_> = parameters.iter().map(|(n, v)| (n.as_str(), v.clone())).collect();
                let run = EffectRun {
                    inputs: &inputs,
                    parameters: &parameters,
                    size: size.map(Size::from),
                    output: written.as_ref(),
                    time,
                    frame,
                    ..EffectRun::default()
                };
                self.0.run_effect(&source, &run)
            });
            let made = made.map_err(|error| error::of_eager(py, &error))?;
            match output {
                Some(output) => Ok(output.clone().unbind()),
                None => Py::new(py, Texture::own(self.0.clone(), made)),
            }
        })
    }

    fn __repr__(&self) -> String {
        format!("<Runtime on {}>", self.device_name())
    }
}

/// What diagnostics call the text.
fn file_name(name: &str) -> String {
    if name.ends_with(".hlsl") { name.to_owned() } else { format!("{name}.hlsl") }
}
