//! What can go wrong while a plan runs.

use crate::gpu::{GpuError, HostAccessError};
use crate::picture::PictureFormat;

/// A frame that could not be run.
#[derive(Debug, thiserror::Error)]
pub enum EngineError<E: GpuError> {
    /// The GPU said no.
    #[error(transparent)]
    Gpu(#[from] E),
    /// A picture that is not what the plan was made for: its stream changed.
    #[error(
        "source `{node}` was planned for {expected:?}, and got {bytes} bytes of {found:?}: build a new plan when \
         a stream changes"
    )]
    WrongPicture {
        /// The source.
        node: String,
        /// Format in the plan.
        expected: PictureFormat,
        /// Format of the picture.
        found: PictureFormat,
        /// Bytes of the picture.
        bytes: usize,
    },
    /// Host memory is still in use by the GPU.
    #[error(transparent)]
    HostAccess(#[from] HostAccessError),
}
