//! Benchmarks: our own figures, as ratios to the device's own best compute copy of the same run; and, by `peers`, the
//! comparison with other programs.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints")]

mod chain;
mod compile;
mod copy;
mod live;
mod ours;
mod passes;
mod peers;
mod play;
mod plot;
mod rig;
mod share;
mod soak;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use serde::Serialize;
use streamlib::vulkan::{DeviceChoice, DeviceOptions, Validation, VulkanGpu};
use streamlib_core::gpu::Gpu;

type Fallible<T> = Result<T, Box<dyn Error>>;

/// Times passes, compilations and whole plays, and writes the figures as JSON and as a plot.
#[derive(Debug, Parser)]
#[command(name = "./x bench", args_conflicts_with_subcommands = true)]
struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// GPU to use: its number in `./x doctor`, a part of its name, or `best`.
    #[arg(long, default_value = "best")]
    device: String,
    /// Folder that the results are written to.
    #[arg(long, default_value = "docs/benchmarks")]
    out: PathBuf,
    /// Folder of the effects.
    #[arg(long, default_value = "effects")]
    effects: PathBuf,
    /// Folder of effects that are good for nothing but being measured.
    #[arg(long, default_value = "benches/effects")]
    own_effects: PathBuf,
    /// Timed runs of each pass (fewer on a CPU device by default).
    #[arg(long)]
    repeats: Option<usize>,
    /// Frames of each play.
    #[arg(long, default_value_t = 120)]
    frames: u64,
}

#[derive(Debug, Subcommand)]
enum Command {
    Live(live::LiveArgs),
    Peers(peers::PeersArgs),
    Share(share::ShareArgs),
    Soak(soak::SoakArgs),
    #[command(hide = true)]
    ShareReader(share::ReaderArgs),
    #[command(hide = true)]
    Case(ours::CaseArgs),
}

/// Everything measured in one run.
#[derive(Serialize)]
struct Results {
    device: String,
    is_cpu: bool,
    command: String,
    passes: Vec<passes::PassSet>,
    compile: compile::CompileTimes,
    play: Vec<play::PlayTime>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let outcome = match &args.command {
        Some(Command::Live(args)) => live::run(args),
        Some(Command::Peers(args)) => peers::run(args),
        Some(Command::Share(args)) => share::run(args),
        Some(Command::ShareReader(args)) => share::read(args),
        Some(Command::Soak(args)) => match soak::run(args) {
            Ok(true) => Ok(()),
            // What was wrong has been said.
            Ok(false) => return ExitCode::FAILURE,
            Err(error) => Err(error),
        },
        Some(Command::Case(args)) => ours::run(args),
        None => run(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// The device that `--device` means.
fn device_choice(argument: &str) -> DeviceChoice {
    match (argument, argument.parse()) {
        ("best", _) => DeviceChoice::Best,
        (_, Ok(index)) => DeviceChoice::Index(index),
        (name, Err(_)) => DeviceChoice::Name(name.to_owned()),
    }
}

/// Name of a device's files: the words that tell devices apart; versions and vendors' decorations do not.
fn file_stem(device: &str) -> String {
    let letters = device.to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), " ");
    letters.split_whitespace().take(3).collect::<Vec<_>>().join("-")
}

fn run(args: &Args) -> Fallible<()> {
    let choice = device_choice(&args.device);
    // The validation layer would be timed with the rest.
    let device = DeviceOptions { choice, validation: Validation::Off };
    let gpu = std::sync::Arc::new(VulkanGpu::new(&device)?);
    let info = gpu.info().clone();
    println!("device: {}", info.name);
    let repeats = args.repeats.unwrap_or(if info.is_cpu { 4 } else { 200 });
    let mut effects = effect_files(&args.effects)?;
    effects.extend(effect_files(&args.own_effects)?);
    let compile = compile::measure(&effects)?;
    compile.print();
    let passes = passes::measure(&gpu, &args.effects, &effects, repeats)?;
    let play = play::measure(&device, &args.effects, args.frames)?;
    let command = format!("./x bench --repeats {repeats} --frames {}", args.frames);
    let results = Results { device: info.name.clone(), is_cpu: info.is_cpu, command, passes, compile, play };
    write(&args.out, &results)
}

/// The HLSL files of a folder, in name order.
fn effect_files(folder: &Path) -> Fallible<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut files = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "hlsl"));
    files.sort();
    Ok(files)
}

fn write(folder: &Path, results: &Results) -> Fallible<()> {
    std::fs::create_dir_all(folder)?;
    let name = file_stem(&results.device);
    let json = folder.join(format!("{name}.json"));
    std::fs::write(&json, serde_json::to_string_pretty(results)? + "\n")?;
    let plot = folder.join(format!("{name}.svg"));
    plot::draw(&plot, results)?;
    println!("wrote {} and {}", json.display(), plot.display());
    Ok(())
}
