//! GPU-native vision runtime: HLSL effects over live and recorded video.
//!
//! [`StreamRuntime`] holds a GPU and a compiler. It runs a [`graph::Graph`], plain data that is built in Rust or read
//! from TOML:
//!
//! ```no_run
//! use streamlib::{RunOptions, RuntimeOptions, StreamRuntime, graph::Graph};
//!
//! let runtime = StreamRuntime::new(&RuntimeOptions::default())?;
//! let graph = Graph::from_toml(&std::fs::read_to_string("bloom.toml")?)?;
//! let report = runtime.run(&graph, &RunOptions::default())?;
//! println!("{} frames", report.frames_out);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod adapt;
#[cfg(target_os = "linux")]
mod cameras;
mod conversions;
mod display;
mod doctor;
mod eager;
mod error;
mod explain;
mod feeds;
mod kernels;
mod live;
mod load;
mod offline;
mod overlay;
mod programs;
mod report;
mod runtime;
mod scanout;
mod sinks;
mod sources;
mod stages;
mod surface;

pub use display::DisplayError;
pub use doctor::{CameraReport, DeviceSummary, Doctor};
pub use eager::{CudaTensor, EagerError, EffectRun, HostCopy};
pub use error::{RunError, StartError};
pub use explain::{Explanation, Fate, LinkPlan, NodeKind, NodePlan, PassPlan, TexturePlan};
pub use live::{
    Applied, BuildTimes, DataMessage, Knob, LiveEvent, LiveFrame, LiveGraph, LiveOptions, LiveReport, Loan,
    Outputs, Pacing, Processor, ProcessorEnd, ProcessorError, ProcessorInput, ProcessorKind,
    ProcessorOutputs, Processors, PushError, Setting, Taken, UnknownPort, VideoInlet, VideoOutlet, View, now,
};
pub use load::{load_graph, play_graph, program_files};
pub use offline::{Flow, Progress, RunOptions};
pub use report::{Report, SinkReport, SourceReport, StageReport};
pub use runtime::{RuntimeOptions, StreamRuntime};
pub use surface::SurfaceError;

pub use streamlib_core::engine::{Content, HostPicture, Leased};
pub use streamlib_core::{account, color, expression, format, frame, gpu, graph, interface, picture, value};
pub use streamlib_media as media;
pub use streamlib_shader as shader;
#[cfg(target_os = "linux")]
pub use streamlib_share as share;
pub use streamlib_vulkan as vulkan;
