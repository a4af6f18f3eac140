//! Effects and textures outside of graphs: what is asked for is done when the call returns.

mod cuda;
mod error;
mod host;
mod picture;
mod run;

use std::sync::Arc;

pub use cuda::CudaTensor;
pub use error::EagerError;
pub use host::HostCopy;
pub use run::EffectRun;

use host::Staging;

/// What such calls share.
#[derive(Debug, Default)]
pub(crate) struct Eager {
    staging: Arc<Staging>,
    cuda: cuda::Cuda,
}
