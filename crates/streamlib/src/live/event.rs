//! What happens in a live graph besides frames.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum LiveEvent {
    /// A camera gives its pictures, in this way.
    CameraOpened {
        /// The node.
        node: String,
        /// Layout of the pictures, and how they come to the GPU.
        how: String,
    },
    /// A source has given no frame for longer than it should.
    SourceStalled {
        /// The node.
        node: String,
    },
    /// A camera that gives no frames, or was unplugged, is started or opened once more, and is so again and again until it is back
    /// or was waited for long enough.
    SourceRestarting {
        /// The node.
        node: String,
        /// What is wrong with it.
        why: String,
    },
    /// A source that had stalled gives frames again.
    SourceIsBack {
        /// The node.
        node: String,
    },
    /// A source has come to its end.
    SourceEnded {
        /// The node.
        node: String,
    },
    /// A source died; the others go on.
    SourceFailed {
        /// The node.
        node: String,
        /// Why.
        why: String,
    },
    /// A sink died; the others go on.
    SinkFailed {
        /// The node.
        node: String,
        /// Why.
        why: String,
    },
    /// A file sink came to its end before there was a frame: there is no file.
    NothingWritten {
        /// The node.
        node: String,
    },
    /// A screen without a window system shows frames, in this way from now on.
    ScreenShows {
        /// The sink.
        node: String,
        /// Its connector and mode, and whether frames are shown where they lie, or why they are not.
        how: String,
    },
    /// A window was closed; the graph goes on.
    WindowClosed {
        /// The sink.
        node: String,
    },
    /// A processor died; the others go on.
    ProcessorFailed {
        /// The node.
        node: String,
        /// Why.
        why: String,
    },
    /// What a processor sent did not fit where it went.
    DataRefused {
        /// The processor.
        node: String,
        /// Why.
        why: String,
    },
    /// The system refused a thread what would make frames steadier.
    ThreadRefused {
        /// The thread.
        thread: String,
        /// What, and what to do about it.
        why: String,
    },
    /// Another plan runs.
    PlanChanged {
        /// Its number.
        generation: u64,
        /// Number of the first frame that it ran.
        first_frame: u64,
    },
    /// The GPU failed; the graph has ended.
    GpuFailed {
        /// Why.
        why: String,
    },
}

impl LiveEvent {
    /// Whether a part of the graph, or all of it, has failed.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        match self {
            Self::SourceFailed { .. }
            | Self::SinkFailed { .. }
            | Self::ProcessorFailed { .. }
            | Self::GpuFailed { .. } => true,
            Self::CameraOpened { .. }
            | Self::SourceStalled { .. }
            | Self::SourceRestarting { .. }
            | Self::SourceIsBack { .. }
            | Self::SourceEnded { .. }
            | Self::NothingWritten { .. }
            | Self::ScreenShows { .. }
            | Self::WindowClosed { .. }
            | Self::DataRefused { .. }
            | Self::ThreadRefused { .. }
            | Self::PlanChanged { .. } => false,
        }
    }
}

impl std::fmt::Display for LiveEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::CameraOpened { node, how } => write!(f, "source `{node}`: {how}"),
            Self::SourceStalled { node } => write!(f, "source `{node}` has stalled; the others go on"),
            Self::SourceRestarting { node, why } => write!(f, "source `{node}` is being restarted: {why}"),
            Self::SourceIsBack { node } => write!(f, "source `{node}` is back"),
            Self::SourceEnded { node } => write!(f, "source `{node}` has ended"),
            Self::SourceFailed { node, why } => write!(f, "source `{node}` died: {why}"),
            Self::SinkFailed { node, why } => write!(f, "sink `{node}` died: {why}"),
            Self::NothingWritten { node } => write!(f, "sink `{node}` got no frame, so it wrote no file"),
            Self::ScreenShows { node, how } => write!(f, "screen `{node}`: {how}"),
            Self::WindowClosed { node } => {
                write!(f, "the window of sink `{node}` was closed")
            }
            Self::ProcessorFailed { node, why } => write!(f, "processor `{node}` died: {why}"),
            Self::DataRefused { node, why } => write!(f, "what processor `{node}` sent was refused: {why}"),
            Self::ThreadRefused { thread, why } => write!(f, "thread `{thread}`: {why}"),
            Self::PlanChanged { generation, first_frame } => {
                write!(f, "plan {generation} runs from frame {first_frame} on")
            }
            Self::GpuFailed { why } => write!(f, "the GPU failed: {why}"),
        }
    }
}

/// What has happened.
#[derive(Debug, Default)]
pub(crate) struct Events(Mutex<Told>);

#[derive(Debug, Default)]
struct Told {
    /// Events that nobody has asked for yet. Beyond [`Events::KEPT`], the oldest are forgotten.
    events: Vec<LiveEvent>,
    /// Failures since the start, asked for or not, as text; there are as few as the graph has parts.
    failures: Vec<String>,
}

impl Events {
    const KEPT: usize = 1000;

    fn lock(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn tell(&self, event: LiveEvent) {
        tracing::info!("{event}");
        let mut told = self.lock();
        if event.is_failure() {
            told.failures.push(event.to_string());
        }
        if told.events.len() == Self::KEPT {
            told.events.remove(0);
        }
        told.events.push(event);
    }

    pub(crate) fn take(&self) -> Vec<LiveEvent> {
        std::mem::take(&mut self.lock().events)
    }

    pub(crate) fn failures(&self) -> Vec<String> {
        self.lock().failures.clone()
    }
}
