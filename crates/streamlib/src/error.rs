//! What can go wrong, one enum for starting and one for running.

use std::path::PathBuf;

use streamlib_core::engine::EngineError;
use streamlib_core::gpu::GpuError;
use streamlib_core::graph::{GraphError, GraphFileError};
use streamlib_media::{CreateError, OpenError, ReadError, WriteError};
use streamlib_shader::{CompileError, DxcError, SourceError};
use streamlib_vulkan::VulkanError;

use crate::display::DisplayError;
use crate::surface::SurfaceError;

/// A runtime that could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// No effect compiler.
    #[error(transparent)]
    Dxc(#[from] DxcError),
    /// No GPU.
    #[error(transparent)]
    Gpu(#[from] VulkanError),
}

/// A graph that could not be run to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// A graph file that cannot be read from disk.
    #[error("cannot read the graph {}: {source}", path.display())]
    GraphIo {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A graph file that is none.
    #[error("{}: {error}", path.display())]
    GraphFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: GraphFileError,
    },
    /// A graph that cannot run.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// A processor in a graph that runs from beginning to end.
    #[error("node `{node}`: processor `{processor}` cannot run here: processors run in live graphs only")]
    Processor {
        /// The node.
        node: String,
        /// The name under which it would be registered.
        processor: String,
    },
    /// A source that cannot be opened.
    #[error("source `{node}`: {error}")]
    Open {
        /// The node.
        node: String,
        /// Why.
        error: OpenError,
    },
    /// A generated source that does not exist.
    #[error("source `{node}`: there is no generated source `{name}`; there are: {known}")]
    NoGenerator {
        /// The node.
        node: String,
        /// What was asked for.
        name: String,
        /// What exists.
        known: String,
    },
    /// A program that was named as a source, but wants pictures.
    #[error("source `{node}`: {program} has the input `{input}`; a source has none, use it as an effect")]
    GeneratorWithInput {
        /// The node.
        node: String,
        /// The program.
        program: String,
        /// Its first input.
        input: String,
    },
    /// A frame rate or number of frames that makes no sense.
    #[error("source `{node}`: {what}")]
    SourceOption {
        /// The node.
        node: String,
        /// What is wrong and what may be.
        what: &'static str,
    },
    /// No camera where one was asked for.
    #[error("source `{node}`: {what}")]
    Camera {
        /// The node.
        node: String,
        /// What is wrong and what to do.
        what: String,
    },
    /// A source that failed in mid-stream.
    #[error("source `{node}`: {error}")]
    Read {
        /// The node.
        node: String,
        /// Why.
        error: ReadError,
    },
    /// A processor that nobody registered.
    #[error("node `{node}`: no processor `{processor}` is registered; there are: {known}")]
    UnknownProcessor {
        /// The node.
        node: String,
        /// What was asked for.
        processor: String,
        /// What exists.
        known: String,
    },
    /// A processor that could not be made.
    #[error("processor `{node}`: {why}")]
    MakeProcessor {
        /// The node.
        node: String,
        /// Why.
        why: String,
    },
    /// A file that is being written would get frames of another size.
    #[error(
        "sink `{node}` writes a file of {from} pixels, and would get {to}: give the sink another file with the edit"
    )]
    SinkSize {
        /// The node.
        node: String,
        /// Size of the file.
        from: streamlib_core::format::Size,
        /// Size of the frames.
        to: streamlib_core::format::Size,
    },
    /// A file that is being written would be opened again.
    #[error("sink `{node}` is writing its file: give it another file to change how it takes frames")]
    SinkBusy {
        /// The node.
        node: String,
    },
    /// A change of a graph that is none.
    #[error(transparent)]
    Edit(#[from] streamlib_core::graph::EditError),
    /// The graph does not run any more.
    #[error("the graph has ended")]
    Ended,
    /// The running plan did not make way in time.
    #[error(
        "the running plan did not come to a frame boundary within {0:?}: the GPU or a lossless consumer holds it up"
    )]
    Stuck(std::time::Duration),
    /// Something that only a live graph can have.
    #[error("node `{node}` is {what}: start the graph live")]
    LiveOnly {
        /// The node.
        node: String,
        /// What it is.
        what: &'static str,
    },
    /// A source without a frame.
    #[error("source `{0}` has no frame")]
    Empty(String),
    /// An effect whose file cannot be read.
    #[error("effect `{node}`: {error}")]
    EffectFile {
        /// The node.
        node: String,
        /// Why.
        error: SourceError,
    },
    /// An effect that does not compile.
    #[error("effect `{node}`: {error}")]
    Compile {
        /// The node.
        node: String,
        /// Why, with the author's lines.
        error: CompileError,
    },
    /// A sink that cannot be created.
    #[error("sink `{node}`: {error}")]
    Create {
        /// The node.
        node: String,
        /// Why.
        error: CreateError,
    },
    /// A window that cannot be shown in.
    #[error("sink `{node}`: {error}")]
    Display {
        /// The node.
        node: String,
        /// Why.
        error: DisplayError,
    },
    /// A surface that cannot be read or published.
    #[error("node `{node}`: {error}")]
    Surface {
        /// The node.
        node: String,
        /// Why.
        error: SurfaceError,
    },
    /// A sink that failed.
    #[error("sink `{node}`: {error}")]
    Write {
        /// The node.
        node: String,
        /// Why.
        error: WriteError,
    },
    /// The sound of a source could not be read.
    #[error("the sound of source `{node}`: {error}")]
    Audio {
        /// The node.
        node: String,
        /// Why.
        error: OpenError,
    },
    /// A trace that cannot be written where it was asked for.
    #[error("cannot write the trace {}: {source}; choose a file in a folder that exists and may be written to", path.display())]
    Trace {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The GPU failed. Where [`RunError::is_device_lost`] says so, a new runtime can go on.
    #[error(transparent)]
    Gpu(#[from] VulkanError),
    /// The engine could not run a frame.
    #[error(transparent)]
    Engine(EngineError<VulkanError>),
    /// The system gave no thread.
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
}

impl From<EngineError<VulkanError>> for RunError {
    fn from(error: EngineError<VulkanError>) -> Self {
        match error {
            EngineError::Gpu(error) => Self::Gpu(error),
            other => Self::Engine(other),
        }
    }
}

impl RunError {
    /// Whether the GPU is gone, so that a new [`StreamRuntime`](crate::StreamRuntime) is needed.
    #[must_use]
    pub fn is_device_lost(&self) -> bool {
        matches!(self, Self::Gpu(error) if error.is_device_lost())
    }
}
