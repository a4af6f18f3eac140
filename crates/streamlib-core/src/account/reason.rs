//! Why a frame was dropped.

use serde::{Deserialize, Serialize};

/// Why a frame was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DropReason {
    /// A newer frame came before it was taken.
    Displaced,
    /// The inlet held as many frames as it may.
    InletFull,
    /// Consumers hold every texture that it could be written to.
    NoFreeTexture,
    /// Every slot was under way.
    NoFreeSlot,
    /// The source stopped delivering; this frame never came.
    SourceStalled,
    /// The source delivered another size or format than the plan was made for.
    FormatChanged,
    /// Whoever wrote it had not finished with it in time.
    Unfinished,
    /// The GPU failed while it worked on it.
    GpuFailed,
    /// The consumer failed on it or before it, or its window was closed.
    ConsumerFailed,
    /// The graph stopped while it was under way.
    Stopped,
}

impl DropReason {
    /// Every reason, in the order in which reports list them.
    pub const ALL: [Self; 10] = [
        Self::Displaced,
        Self::InletFull,
        Self::NoFreeTexture,
        Self::NoFreeSlot,
        Self::SourceStalled,
        Self::FormatChanged,
        Self::Unfinished,
        Self::GpuFailed,
        Self::ConsumerFailed,
        Self::Stopped,
    ];

    /// The reason, for people; it completes "dropped: …".
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Displaced => "displaced by a newer frame",
            Self::InletFull => "the inlet was full",
            Self::NoFreeTexture => "no free texture: a consumer holds them all",
            Self::NoFreeSlot => "no free slot: the GPU is behind",
            Self::SourceStalled => "the source stalled",
            Self::FormatChanged => "the source changed its format",
            Self::Unfinished => "its writer did not finish it in time",
            Self::GpuFailed => "the GPU failed",
            Self::ConsumerFailed => "the consumer failed or was closed",
            Self::Stopped => "the graph stopped",
        }
    }
}

impl std::fmt::Display for DropReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.text())
    }
}
