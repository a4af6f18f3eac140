//! The comparison with other programs: `./x bench peers`.
//!
//! [`conductor`] makes the pictures, starts every contender as a process of its own ([`process`]) in an order that gives
//! nobody an advantage ([`order`]), has their pixels judged ([`judge`]) against an `f64` reference ([`reference`]), and
//! keeps what came out ([`results`]) as JSON, a page and a plot.

mod cases;
mod chart;
mod conductor;
mod contender;
mod judge;
mod order;
mod page;
mod pictures;
pub(crate) mod process;
pub(crate) mod protocol;
pub(crate) mod reference;
mod results;
mod statistics;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use clap::Args;

pub(crate) use conductor::run;

/// Compares with other programs: the same pictures, checked pixels, interleaved order, several process restarts.
#[derive(Debug, Args)]
pub(crate) struct PeersArgs {
    /// GPU to use: its number in `./x doctor`, a part of its name, or `best`.
    #[arg(long, default_value = "best")]
    pub(crate) device: String,
    /// Folder that the results are written to, after each case. Cases that are not run again keep what is there.
    #[arg(long, default_value = "docs/benchmarks")]
    pub(crate) out: PathBuf,
    /// Folder of the effects.
    #[arg(long, default_value = "effects")]
    pub(crate) effects: PathBuf,
    /// Folder of the peers' programs.
    #[arg(long, default_value = "benches/peers")]
    pub(crate) peers: PathBuf,
    /// Python that has the peers' packages; a peer whose packages are missing is skipped.
    #[arg(long, default_value = "python3")]
    pub(crate) peers_python: PathBuf,
    /// Python that has GStreamer's bindings.
    #[arg(long, default_value = "/usr/bin/python3")]
    pub(crate) gstreamer_python: PathBuf,
    /// Few frames and restarts: to see that everything works, not for figures.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Process restarts of each contender in each case (5, quickly 2).
    #[arg(long)]
    pub(crate) rounds: Option<usize>,
    /// Only the cases whose names contain one of these, with commas between them.
    #[arg(long, value_delimiter = ',')]
    pub(crate) cases: Vec<String>,
    /// Only these contenders, with commas between them. Ours is always among them.
    #[arg(long, value_delimiter = ',')]
    pub(crate) contenders: Vec<String>,
}
