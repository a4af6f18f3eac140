//! Arguments.

mod live;
mod surfaces;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use streamlib::format::Size;
use streamlib::shader::CompilerOptions;
use streamlib::value::Value;
use streamlib::vulkan::{DeviceChoice, DeviceOptions};
use streamlib::{RuntimeOptions, StreamRuntime};

pub(crate) use live::LiveArgs;
pub(crate) use surfaces::{BrokerArgs, SurfacesArgs, WatchArgs};

/// HLSL effects over video, on the GPU.
#[derive(Debug, Parser)]
#[command(name = "streamlib", version, about, propagate_version = true, max_term_width = 100)]
pub(crate) struct Cli {
    /// Say more on standard error (-v information, -vv details).
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub(crate) verbose: u8,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a chain of effects over one input.
    #[command(after_help = PLAY_EXAMPLES)]
    Play(PlayArgs),
    /// Run a graph file: several sources, effects with several inputs, several sinks.
    #[command(after_help = RUN_EXAMPLES)]
    Run(RunArgs),
    /// Say what a graph becomes on a device: passes, fused effects, memory.
    Graph(GraphArgs),
    /// Check, compile or look into effects.
    Effect(EffectArgs),
    /// Draw a contact sheet of a video.
    Sheet(SheetArgs),
    /// List the surfaces that programs of this machine publish.
    #[command(after_help = surfaces::EXAMPLES)]
    Surfaces(SurfacesArgs),
    /// Show a surface in a window.
    Watch(WatchArgs),
    /// Bring those who publish surfaces and those who read them together, until Ctrl-C.
    Broker(BrokerArgs),
    /// Say what was found on this machine, and what to do about what was not.
    Doctor(DoctorArgs),
    /// Print a completion script for a shell.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
}

const PLAY_EXAMPLES: &str = "Examples:
  streamlib play in.mp4 --effect effects/sepia.hlsl -o out.mp4
  streamlib play in.mp4 --effect effects/tint.hlsl --set tint.strength=0.3 -o frames/%04d.png
  streamlib play in.mp4 --effect effects/rotate.hlsl --set 'rotate.degrees_turned=30*sin(time)' -o out.mp4
  streamlib play generate:scene --size 1920x1080 --frames 120 -o scene.mp4

INPUT is an MP4 (H.264) or Y4M file, a PNG or JPEG picture, a pattern such as frames/%04d.png,
camera: (the first camera) or camera:NAME?size=1280x720&fps=30&wait=10, generate:scene, generate:bars, an HLSL file
without inputs, or, live, surface:NAME (what another program publishes).

OUT is .mp4, .y4m, .png, .jpg, a pattern such as frame-%04d.png, or, live:
  display:      a window; display:?title=T&width=W&height=H&scale=fit|fill|stretch&vsync=on|off&fps=on|off
                numbers over the frames, also with kms: stats=on, or an effect of your own, stats=FILE.hlsl
  kms:          a screen without a window system; kms:HDMI-A-1?mode=1920x1080@60&scale=fit
  surface:NAME  for other programs; surface:NAME?access=user|everyone|group:N&buffers=8
  null:         frames are counted

Live:
  streamlib play camera: --effect warm.hlsl -o out.mp4 --live          # Ctrl-C finishes the file
  streamlib play camera: --effect warm.hlsl -o display: --watch        # edit warm.hlsl meanwhile";

const RUN_EXAMPLES: &str = "Examples:
  streamlib run effects/graphs/bloom.toml
  streamlib run effects/graphs/bloom.toml --source camera=in.mp4 --sink out=bloom.mp4

Live:
  streamlib run effects/graphs/bloom.toml --source camera=camera: --live --duration 30s
  streamlib run effects/graphs/bloom.toml --sink out=null: --watch --stats
  streamlib run effects/graphs/bloom.toml --free --frames 1000 --trace trace.json

A sink may be null: in a live graph; its frames are counted. A part that fails while a live graph
runs is named, the others go on, and the command ends with 2.";

/// Arguments that everything that runs frames has.
#[derive(Debug, Args)]
pub(crate) struct RunningArgs {
    /// Set a parameter: EFFECT.PARAMETER=VALUE, such as blur.radius=4 or tint.color=1,0.5,0.
    #[arg(long = "set", value_name = "NODE.PARAM=VALUE", value_parser = parse_setting)]
    pub(crate) settings: Vec<Setting>,
    /// Stop after so many frames.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) frames: Option<u64>,
    /// H.264 quantiser, from 0 (best) to 51; also decides the quality of JPEG.
    #[arg(long, value_name = "QP", value_parser = clap::value_parser!(u8).range(0..=51))]
    pub(crate) quality: Option<u8>,
    /// Store the result of every effect instead of running effects together where that gives the same picture.
    #[arg(long)]
    pub(crate) no_fusion: bool,
    #[command(flatten)]
    pub(crate) device: DeviceArgs,
    /// Print a report for machines on standard output, and no progress.
    #[arg(long)]
    pub(crate) json: bool,
    /// Print nothing but errors.
    #[arg(short, long, conflicts_with = "json")]
    pub(crate) quiet: bool,
    #[command(flatten)]
    pub(crate) live: LiveArgs,
}

/// Which GPU.
#[derive(Debug, Args)]
pub(crate) struct DeviceArgs {
    /// GPU to use: its number in `streamlib doctor`, a part of its name, or `best`.
    #[arg(long, value_name = "DEVICE", env = "STREAMLIB_DEVICE", default_value = "best")]
    pub(crate) device: String,
}

impl DeviceArgs {
    /// A runtime on it; `compiles_later` when new effects may come while frames run, which are not to wait for the compiler.
    pub(crate) fn start(&self, compiles_later: bool) -> Result<StreamRuntime, streamlib::StartError> {
        let choice = match (self.device.as_str(), self.device.parse()) {
            ("best", _) => DeviceChoice::Best,
            (_, Ok(index)) => DeviceChoice::Index(index),
            (name, Err(_)) => DeviceChoice::Name(name.to_owned()),
        };
        let device = DeviceOptions { choice, ..DeviceOptions::default() };
        let compiler = CompilerOptions { is_lazy: !compiles_later, ..crate::compiler() };
        StreamRuntime::new(&RuntimeOptions { device, compiler })
    }
}

#[derive(Debug, Args)]
pub(crate) struct PlayArgs {
    /// What to read.
    pub(crate) input: String,
    /// An effect, an HLSL file; several run one after the other.
    #[arg(short, long = "effect", value_name = "FILE")]
    pub(crate) effects: Vec<PathBuf>,
    /// What to write: .mp4, .y4m, .png, .jpg, or a pattern such as frame-%04d.png.
    #[arg(short, long, value_name = "OUT")]
    pub(crate) output: String,
    /// Size to work at, in pixels: the size of a generated input; any other input is scaled.
    #[arg(long, value_name = "WIDTHxHEIGHT", value_parser = parse_size)]
    pub(crate) size: Option<Size>,
    /// Frames per second of a generated input.
    #[arg(long)]
    pub(crate) fps: Option<f64>,
    #[command(flatten)]
    pub(crate) running: RunningArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// The graph, a TOML file.
    pub(crate) graph: PathBuf,
    /// Read a source node from somewhere else.
    #[arg(long = "source", value_name = "NODE=INPUT", value_parser = parse_assignment)]
    pub(crate) sources: Vec<(String, String)>,
    /// Write a sink node to somewhere else.
    #[arg(long = "sink", value_name = "NODE=OUT", value_parser = parse_assignment)]
    pub(crate) sinks: Vec<(String, String)>,
    #[command(flatten)]
    pub(crate) running: RunningArgs,
}

#[derive(Debug, Args)]
pub(crate) struct GraphArgs {
    #[command(subcommand)]
    pub(crate) action: GraphAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum GraphAction {
    /// Print passes, barriers, what was fused and what was not and why, and textures; or draw them.
    Explain {
        /// The graph, a TOML file.
        graph: PathBuf,
        /// Read a source node from somewhere else.
        #[arg(long = "source", value_name = "NODE=INPUT", value_parser = parse_assignment)]
        sources: Vec<(String, String)>,
        #[command(flatten)]
        device: DeviceArgs,
        /// Explain the plan in which every effect stores its result.
        #[arg(long)]
        no_fusion: bool,
        /// Draw the plan into this file as well.
        #[arg(long, value_name = "OUT.svg")]
        svg: Option<PathBuf>,
        /// Print the plan for machines.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct EffectArgs {
    #[command(subcommand)]
    pub(crate) action: EffectAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum EffectAction {
    /// Compile effects and print what the compiler says of them; nothing is written.
    Check {
        /// HLSL files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Print results for machines.
        #[arg(long)]
        json: bool,
    },
    /// Translate an effect.
    Compile {
        /// An HLSL file.
        file: PathBuf,
        /// What to write.
        #[arg(long, value_enum, default_value_t = Emit::Spirv)]
        emit: Emit,
        /// System that MSL is for.
        #[arg(long, value_enum, default_value_t = Target::Macos)]
        target: Target,
        /// Where to write it: by default beside the file, as .spv or .metal; `-` is standard output.
        #[arg(short, long)]
        output: Option<PathBuf>,
        /// Print the result's name, size and reflection for machines.
        #[arg(long)]
        json: bool,
    },
    /// Show an effect's inputs, outputs and parameters.
    Inspect {
        /// An HLSL file.
        file: PathBuf,
        /// Print them for machines.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Emit {
    /// SPIR-V, binary.
    Spirv,
    /// Metal shading language, text.
    Msl,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Target {
    /// Macs.
    Macos,
    /// iPhones and iPads.
    Ios,
}

#[derive(Debug, Args)]
pub(crate) struct SheetArgs {
    /// A video or picture file.
    pub(crate) input: PathBuf,
    /// The PNG or JPEG file to write.
    #[arg(short, long)]
    pub(crate) output: PathBuf,
    /// Pictures in a row.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=32))]
    pub(crate) columns: u32,
    /// Rows.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=32))]
    pub(crate) rows: u32,
    /// Width of the sheet in pixels.
    #[arg(long, default_value_t = 1280, value_parser = clap::value_parser!(u32).range(64..=16384))]
    pub(crate) width: u32,
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Print what was found for machines.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `NODE.PARAM=VALUE`; without a node it is for the only effect there is.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub(crate) node: Option<String>,
    pub(crate) parameter: String,
    pub(crate) value: Value,
}

fn parse_setting(text: &str) -> Result<Setting, String> {
    let (name, value) = parse_assignment(text)?;
    let value = Value::parse(&value).map_err(|error| error.to_string())?;
    let (node, parameter) = match name.split_once('.') {
        Some((node, parameter)) => (Some(node.to_owned()), parameter.to_owned()),
        None => (None, name),
    };
    Ok(Setting { node, parameter, value })
}

fn parse_assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err("write NAME=VALUE".to_owned()),
    }
}

fn parse_size(text: &str) -> Result<Size, String> {
    let side = |side: &str| side.trim().parse::<u32>().ok().filter(|&side| side > 0);
    let parts = text.split_once(['x', 'X', '×']).and_then(|(w, h)| Some((side(w)?, side(h)?)));
    parts.map(Size::from).ok_or_else(|| "write WIDTHxHEIGHT, such as 1280x720".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn sizes_and_settings_are_read_as_people_write_them() {
        assert_eq!(parse_size("1280x720"), Ok(Size::new(1280, 720)));
        for bad in ["1280", "0x3", "ax4", "-1x2"] {
            assert!(parse_size(bad).is_err(), "{bad}");
        }
        let setting = parse_setting("tint.color=1,0.5,0").expect("a setting");
        assert_eq!((setting.node.as_deref(), setting.parameter.as_str()), (Some("tint"), "color"));
        assert!(parse_setting("tint.color").is_err() && parse_setting("=1").is_err());
    }
}
