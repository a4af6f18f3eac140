//! Arguments of commands about surfaces.

use std::path::PathBuf;

use clap::Args;

use super::RunningArgs;

pub(super) const EXAMPLES: &str = "Examples:
  streamlib play camera: --effect warm.hlsl -o surface:front            # publish
  streamlib watch front                                                 # look at it
  streamlib play surface:front --effect edges.hlsl -o surface:edges
  streamlib surfaces

Textures are shared, not copied. Programs of the same user may open a surface; surface:front?access=everyone lets all
of this machine. surface:front?memory=dma-buf is for other APIs and devices, too, and memory=dma-buf-linear for programs
without a GPU.";

#[derive(Debug, Args)]
pub(crate) struct SurfacesArgs {
    /// Socket of the broker, where it is not the usual one.
    #[arg(long, value_name = "SOCKET")]
    pub(crate) broker: Option<PathBuf>,
    /// Print the list for machines.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct WatchArgs {
    /// The surface.
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) running: RunningArgs,
}

#[derive(Debug, Args)]
pub(crate) struct BrokerArgs {
    /// Socket to listen at: by default the usual one, or what systemd hands over.
    #[arg(long, value_name = "SOCKET")]
    pub(crate) socket: Option<PathBuf>,
}
