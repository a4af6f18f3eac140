//! Our own part in the comparison with other programs: the hidden command `case`.

mod frames;
mod live;
mod pace;
mod shaders;
mod texts;
mod works;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use streamlib::vulkan::{DeviceChoice, DeviceOptions, Validation, VulkanGpu};

use crate::Fallible;
use crate::peers::protocol::{Request, Work};

/// Does one case, as the conductor asks.
#[derive(Debug, Args)]
pub(crate) struct CaseArgs {
    /// The request.
    #[arg(required_unless_present = "probe")]
    request: Option<PathBuf>,
    /// Where the answer goes.
    #[arg(required_unless_present = "probe")]
    answer: Option<PathBuf>,
    /// Only says which version this is.
    #[arg(long)]
    probe: bool,
}

pub(crate) fn run(args: &CaseArgs) -> Fallible<()> {
    let (Some(request), Some(answer)) = (&args.request, &args.answer) else {
        println!("version {}", env!("CARGO_PKG_VERSION"));
        return Ok(());
    };
    answer_to(request, answer)
}

fn answer_to(request: &Path, answer: &Path) -> Fallible<()> {
    let request: Request = serde_json::from_str(&std::fs::read_to_string(request)?)?;
    let mut done = match request.work {
        // These open the device by themselves: a second one beside it would be in the way.
        Work::Graph => live::nodes(&request)?,
        _ if request.period_ns.is_some() => live::paced(&request)?,
        work => {
            let choice = DeviceChoice::Name(request.device.clone());
            let gpu = VulkanGpu::new(&DeviceOptions { choice, validation: Validation::Off })?;
            if work == Work::Shader {
                shaders::measure(&gpu, &request)?
            } else {
                works::measure(&gpu, &request)?
            }
        }
    };
    done.device.clone_from(&request.device);
    done.versions = BTreeMap::from([("streamlib".to_owned(), env!("CARGO_PKG_VERSION").to_owned())]);
    std::fs::write(answer, serde_json::to_string(&done)?)?;
    Ok(())
}
