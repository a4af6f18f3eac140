//! A live graph at full speed that is edited all the time, for as long as one has patience: what it holds may not grow, and
//! every frame must be accounted for.

mod dice;
mod edits;
mod ends;
mod nodes;
mod run;
mod shared;
mod texts;
mod watch;
mod wrong;

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use serde::Serialize;
use streamlib::format::Size;
use streamlib::shader::{CacheOptions, CompilerOptions};
use streamlib::vulkan::{DeviceOptions, Validation, validation_layer};
use streamlib::{RuntimeOptions, StreamRuntime};
use streamlib_core::gpu::Gpu;

use crate::{Fallible, device_choice, file_stem};
use watch::Held;

/// Edit a live graph at random while it runs at full speed; memory may not grow, and no frame may get lost.
#[derive(Debug, Args)]
pub(crate) struct SoakArgs {
    /// How long. Caches fill for some four minutes: a run of less than twenty finds memory that grows where none leaks.
    #[arg(long, default_value_t = 30.0)]
    minutes: f64,
    /// What chance begins with.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Size of the frames.
    #[arg(long, default_value = "320x180")]
    size: String,
    /// GPU to use: its number in `./x doctor`, a part of its name, or `best`.
    #[arg(long, default_value = "best")]
    device: String,
    /// Whether the validation layer watches.
    #[arg(long, value_enum, default_value_t = Layer::On)]
    validation: Layer,
    /// Folder that the results are written to.
    #[arg(long, default_value = "docs/benchmarks")]
    out: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Layer {
    On,
    Off,
}

/// Everything found in one run.
#[derive(Serialize)]
struct Results {
    device: String,
    command: String,
    seconds: f64,
    frames: u64,
    edits: u64,
    /// Edits that were to be refused, and were.
    refused: u64,
    /// Edits by what they did.
    edits_by_kind: std::collections::BTreeMap<&'static str, u64>,
    /// Parameters that were set beside the edits.
    settings: u64,
    longest_edit_ms: f64,
    dropped: u64,
    validation_messages: u64,
    /// After the first quarter.
    quarter: Option<Held>,
    end: Option<Held>,
    minutes: Vec<run::Minute>,
    /// Sinks and processors that died and were not to, and why.
    failures: Vec<String>,
    /// What was wrong; nothing, if all is well.
    faults: Vec<String>,
}

/// Whether nothing was wrong; what was is printed.
pub(crate) fn run(args: &SoakArgs) -> Fallible<bool> {
    let (width, height) = args.size.split_once('x').ok_or("a size is WIDTHxHEIGHT")?;
    let size = Size::new(width.parse()?, height.parse()?);
    // What the validation layer says is worth reading.
    tracing_subscriber::fmt().with_max_level(tracing_subscriber::filter::LevelFilter::WARN).init();
    let validation = if args.validation == Layer::On { Validation::On } else { Validation::Off };
    if let Some(version) =
        validation_layer().filter(|version| args.validation == Layer::On && *version < (1, 4, 309))
    {
        println!(
            "note: the validation layer is of Vulkan {version:?}, and known to corrupt memory when several threads work; \
             what crashes in it is not ours: take a newer one (Debian 13's), or --validation off"
        );
    }
    let device = DeviceOptions { choice: device_choice(&args.device), validation };
    // Texts that nobody needs again stay out of the user's cache.
    let compiler = CompilerOptions { cache: CacheOptions::MemoryOnly, ..CompilerOptions::default() };
    let runtime = Arc::new(StreamRuntime::new(&RuntimeOptions { device, compiler })?);
    let name = runtime.gpu().info().name.clone();
    println!("device: {name}");
    let results = run::soak(&runtime, args, size)?;
    println!(
        "{} frames, {} edits, {} refused as they should be, {} settings, {} dropped, {} validation messages",
        results.frames,
        results.edits,
        results.refused,
        results.settings,
        results.dropped,
        results.validation_messages
    );
    std::fs::create_dir_all(&args.out)?;
    let path = args.out.join(format!("soak-{}.json", file_stem(&name)));
    std::fs::write(&path, serde_json::to_string_pretty(&results)? + "\n")?;
    println!("wrote {}", path.display());
    for failure in &results.failures {
        println!("{failure}");
    }
    for fault in &results.faults {
        eprintln!("fault: {fault}");
    }
    Ok(results.faults.is_empty())
}
