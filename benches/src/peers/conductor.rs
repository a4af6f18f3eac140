//! Runs the cases one after the other, and keeps what each found as soon as it is there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use streamlib::vulkan::{DeviceOptions, Validation, VulkanGpu};
use streamlib_core::gpu::Gpu;

use super::cases::{Case, Memory};
use super::contender::{Contender, OURS};
use super::judge::{PixelErrors, Tolerance};
use super::process;
use super::protocol::{Answer, Request, Work};
use super::reference::{self, Reference};
use super::results::{CaseResult, Comparison, Entry, Outcome, Round, merge};
use super::{PeersArgs, cases, chart, contender, order, page, pictures};
use crate::{Fallible, device_choice, file_stem};

/// How long a probe may take: a driver that compiles for the first time, a framework that is imported from a cold disk.
const PROBE_LIMIT: Duration = Duration::from_secs(180);
/// What a run may take beside its timed frames: start, set-up, compilations, the choice of a variant, warm-up.
const SETUP_LIMIT: Duration = Duration::from_secs(240);

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    pub(crate) rounds: usize,
    pub(crate) frames: usize,
    pub(crate) seconds: f64,
    pub(crate) warmup: usize,
    pub(crate) limit: Duration,
}

impl Effort {
    const FULL: Self = Self { rounds: 5, frames: 300, seconds: 20.0, warmup: 10, limit: SETUP_LIMIT };
    const QUICK: Self = Self { rounds: 2, frames: 10, seconds: 3.0, warmup: 1, limit: SETUP_LIMIT };
}

/// Somebody who takes part, or why not.
#[derive(Debug)]
pub(crate) struct Entrant {
    pub(crate) contender: Contender,
    /// Set when it is not there.
    pub(crate) skipped: Option<String>,
}

/// What all cases of a run share.
#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) device: String,
    pub(crate) is_cpu: bool,
    pub(crate) effects: PathBuf,
    pub(crate) folder: PathBuf,
    pub(crate) command: String,
    pub(crate) effort: Effort,
}

pub(crate) fn run(args: &PeersArgs) -> Fallible<()> {
    let options = DeviceOptions { choice: device_choice(&args.device), validation: Validation::Off };
    let info = VulkanGpu::new(&options)?.info().clone();
    println!("device: {}", info.name);
    let folder = tempfile::tempdir()?;
    let base = if args.quick { Effort::QUICK } else { Effort::FULL };
    let setting = Setting {
        is_cpu: info.is_cpu,
        effects: std::path::absolute(&args.effects)?,
        folder: folder.path().to_owned(),
        command: command(args),
        effort: Effort { rounds: args.rounds.unwrap_or(base.rounds).max(1), ..base },
        device: info.name,
    };
    let own_program = std::env::current_exe()?;
    let contenders = contender::all(args, &own_program, info.is_cpu);
    let wanted = |name: &str| {
        name == OURS || args.contenders.is_empty() || args.contenders.iter().any(|wanted| wanted == name)
    };
    let contenders = contenders.into_iter().filter(|contender| wanted(&contender.name));
    let entrants: Vec<Entrant> = contenders.map(|contender| enter(contender, folder.path())).collect();
    let output = Output::new(&args.out, &setting)?;
    let mut comparison = output.earlier().unwrap_or_else(|| Comparison {
        device: setting.device.clone(),
        is_cpu: setting.is_cpu,
        cores: 0,
        cases: Vec::new(),
    });
    comparison.cores = std::thread::available_parallelism()?.get();
    for case in cases::all(setting.is_cpu, args.quick) {
        if args.cases.is_empty() || args.cases.iter().any(|part| case.name.contains(part.as_str())) {
            comparison.put(compare(&case, &entrants, &setting)?);
            output.write(&comparison)?;
        }
    }
    println!("wrote {}, with a page and a plot beside it", output.json.display());
    Ok(())
}

fn command(args: &PeersArgs) -> String {
    let mut command = "./x bench peers".to_owned();
    if args.quick {
        command += " --quick";
    }
    if let Some(rounds) = args.rounds {
        command += &format!(" --rounds {rounds}");
    }
    command
}

fn enter(contender: Contender, folder: &Path) -> Entrant {
    let probed = process::probe(&contender, folder, PROBE_LIMIT);
    match &probed {
        Ok(words) => println!("{}: {words}", contender.name),
        Err(reason) => println!("{}: skipped: {reason}", contender.name),
    }
    Entrant { contender, skipped: probed.err() }
}

/// Where results go.
struct Output {
    json: PathBuf,
    page: PathBuf,
    plot: PathBuf,
}

impl Output {
    fn new(folder: &Path, setting: &Setting) -> Fallible<Self> {
        std::fs::create_dir_all(folder)?;
        let stem = format!("peers-{}", file_stem(&setting.device));
        let path = |extension: &str| folder.join(format!("{stem}.{extension}"));
        Ok(Self { json: path("json"), page: path("md"), plot: path("svg") })
    }

    /// What an earlier run found, when it can be read.
    fn earlier(&self) -> Option<Comparison> {
        serde_json::from_str(&std::fs::read_to_string(&self.json).ok()?).ok()
    }

    fn write(&self, comparison: &Comparison) -> Fallible<()> {
        std::fs::write(&self.json, serde_json::to_string_pretty(comparison)? + "\n")?;
        let plot = self.plot.file_name().unwrap_or_default().to_string_lossy();
        std::fs::write(&self.page, page::write(comparison, &plot))?;
        chart::draw(&self.plot, comparison)
    }
}

/// Everything about one contender in one case, while its rounds run.
struct Progress {
    entry: Entry,
    rounds: Vec<Round>,
    is_over: bool,
}

impl Progress {
    fn new(entrant: &Entrant) -> Self {
        let reason = entrant.skipped.clone().unwrap_or_default();
        let entry = Entry {
            contender: entrant.contender.name.clone(),
            versions: BTreeMap::new(),
            device: String::new(),
            note: String::new(),
            outcome: Outcome::Skipped { reason },
        };
        Self { entry, rounds: Vec::new(), is_over: entrant.skipped.is_some() }
    }

    fn end(&mut self, outcome: Outcome) {
        (self.entry.outcome, self.is_over) = (outcome, true);
    }
}

/// One case, all rounds of all contenders.
///
/// # Errors
/// When the machine does not let us write files; whatever a contender does is a result.
pub(crate) fn compare(case: &Case, entrants: &[Entrant], setting: &Setting) -> Fallible<CaseResult> {
    println!("\n{}:", case.name);
    let folder = setting.folder.join(&case.name);
    std::fs::create_dir_all(&folder)?;
    // A CPU's caches hold no picture; of eight, no GPU's cache today holds all.
    let pictures: Vec<Vec<u8>> = (0..if setting.is_cpu { 2 } else { 8 })
        .map(|seed| pictures::make(case.work, case.size, seed + 1))
        .collect();
    let mut inputs = Vec::new();
    for (index, picture) in pictures.iter().enumerate() {
        let path = folder.join(format!("input-{index}.raw"));
        std::fs::write(&path, picture)?;
        inputs.push(path);
    }
    let rounds = if case.pace.is_some() { 1 } else { setting.effort.rounds };
    let mut progress: Vec<Progress> = entrants.iter().map(Progress::new).collect();
    for round in 0..rounds {
        for index in order::of_round(entrants.len(), round) {
            let (entrant, progress) = (&entrants[index], &mut progress[index]);
            if progress.is_over {
                continue;
            }
            let place =
                Place { folder: folder.join(&entrant.contender.name), inputs: &inputs, pictures: &pictures };
            one_run(case, &entrant.contender, &place, setting, (round, progress))?;
        }
    }
    std::fs::remove_dir_all(&folder)?;
    let period_ns = case.pace.map(cases::Pace::period_ns);
    let entries = progress.into_iter().map(|progress| finish(progress, period_ns)).collect();
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let mut result = CaseResult {
        name: case.name.clone(),
        title: case.title.clone(),
        measured_at: since.as_secs(),
        command: setting.command.clone(),
        rounds,
        period_ns,
        entries,
    };
    result.set_ratios(OURS);
    Ok(result)
}

fn finish(progress: Progress, period_ns: Option<u64>) -> Entry {
    let Progress { mut entry, rounds, is_over } = progress;
    if !is_over {
        entry.outcome = match merge(&rounds, period_ns) {
            Some(measured) => Outcome::Measured(measured),
            None => Outcome::Failed { reason: "no samples".to_owned() },
        };
    }
    entry
}

/// Where one contender works, and on what.
struct Place<'a> {
    folder: PathBuf,
    inputs: &'a [PathBuf],
    pictures: &'a [Vec<u8>],
}

fn one_run(
    case: &Case,
    contender: &Contender,
    place: &Place<'_>,
    setting: &Setting,
    (round, progress): (usize, &mut Progress),
) -> Fallible<()> {
    let cache = place.folder.join("cache");
    if case.memory != Memory::Cached && cache.exists() {
        std::fs::remove_dir_all(&cache)?;
    }
    std::fs::create_dir_all(cache.join("runtime"))?;
    let request = request(case, place, setting, round);
    let limit = setting.effort.limit + Duration::from_secs_f64(request.seconds);
    let ask = || process::ask(contender, &request, &place.folder, limit);
    // The first of all only fills what is cached.
    let filled = if case.memory == Memory::Cached && round == 0 { ask().map(drop) } else { Ok(()) };
    let outcome = filled.and_then(|()| ask()).and_then(|answer| judged(case, &request, place, answer));
    match outcome {
        Err(reason) => {
            println!("  {}: failed in round {}: {reason}", contender.name, round + 1);
            progress.end(Outcome::Failed { reason });
        }
        Ok(Round { answer: Answer { unsupported: Some(reason), .. }, .. }) => {
            println!("  {}: no: {reason}", contender.name);
            progress.end(Outcome::Unsupported { reason });
        }
        Ok(done) => {
            let (entry, answer) = (&mut progress.entry, &done.answer);
            (entry.versions, entry.device) = (answer.versions.clone(), answer.device.clone());
            entry.note.clone_from(&answer.note);
            report(contender, round, &done);
            match done.errors {
                Some(errors) if !done.is_right => progress.end(Outcome::Wrong { errors }),
                _ => progress.rounds.push(done),
            }
        }
    }
    Ok(())
}

fn report(contender: &Contender, round: usize, done: &Round) {
    let median = |samples: &[u64]| {
        super::statistics::Spread::of(samples.iter().copied()).map(|spread| spread.p50_us / 1e3)
    };
    let wall = median(&done.answer.wall_ns).unwrap_or_default();
    let gpu = median(&done.answer.gpu_ns).map(|ms| format!(", {ms:.4} ms on the GPU")).unwrap_or_default();
    let off =
        done.errors.map(|errors| format!(", off by {:.2} at most", errors.max_codes)).unwrap_or_default();
    println!("  {:<10} round {}: {wall:.4} ms{gpu}{off} ({})", contender.name, round + 1, done.answer.note);
}

fn request(case: &Case, place: &Place<'_>, setting: &Setting, round: usize) -> Request {
    let effort = setting.effort;
    let seconds = case.pace.map_or(effort.seconds, |pace| f64::from(pace.seconds));
    let frames = case.pace.map_or(effort.frames, |pace| (pace.seconds * pace.frames_per_second) as usize);
    Request {
        case: case.name.clone(),
        work: case.work,
        width: case.size.width,
        height: case.size.height,
        inputs: place.inputs.to_vec(),
        output: place.folder.join("output.raw"),
        frames,
        warmup: effort.warmup,
        seconds,
        period_ns: case.pace.map(cases::Pace::period_ns),
        weights: reference::weights(),
        tint: reference::TINT,
        tints: tints(case.memory, round, effort),
        nodes: 10,
        cache: place.folder.join("cache"),
        effects: setting.effects.clone(),
        device: setting.device.clone(),
    }
}

/// A tint, and so a text, that nobody has seen; for what is cached, always the same.
fn tints(memory: Memory, round: usize, effort: Effort) -> Vec<[f64; 3]> {
    let tint = |number: usize| [0.95 - number as f64 * 0.0005, 0.7, 0.4 + number as f64 * 0.0005];
    match memory {
        Memory::None => Vec::new(),
        Memory::Cold => vec![tint(round)],
        Memory::Cached => vec![tint(0)],
        // The first one is not timed.
        Memory::Warm => (0..=effort.frames.min(20)).map(|number| tint(round * 21 + number)).collect(),
    }
}

/// An answer with the errors of its pixels; without the samples that do not count.
fn judged(case: &Case, request: &Request, place: &Place<'_>, mut answer: Answer) -> Result<Round, String> {
    if answer.unsupported.is_some() || !case.work.has_pixels() {
        return Ok(Round { answer, errors: None, is_right: true });
    }
    let last = if case.work == Work::Shader { 0 } else { (answer.wall_ns.len() - 1) % place.pictures.len() };
    if case.memory == Memory::Warm {
        answer.wall_ns.remove(0);
    }
    let pixels = std::fs::read(&request.output).map_err(|_| "wrote no pixels".to_owned())?;
    let mut request = request.clone();
    if (case.work, answer.judged_as) == (Work::ChainFused, Some(Work::ChainPasses)) {
        request.work = Work::ChainPasses;
    }
    let reference = Reference::new(&request, &place.pictures[last]);
    let errors = PixelErrors::of(&pixels, &reference, request.width)?;
    Ok(Round { answer, errors: Some(errors), is_right: errors.are_within(Tolerance::of(request.work)) })
}
