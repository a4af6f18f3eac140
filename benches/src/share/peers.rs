//! The same hand-off by others, as their Python packages do it.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Percentiles, ShareArgs};
use crate::Fallible;
use crate::peers::process;

/// What a peer needs besides the seconds of its run: to start, and to end.
const SPARE: Duration = Duration::from_secs(120);
/// A port of this machine that nothing else of the benchmark uses; for the peer that finds its reader by one.
const PORT: u16 = 17_447;

/// The peers, and how each hands frames over.
const PEERS: [(&str, &str, &str); 3] = [
    (
        "iceoryx2",
        "handoff_iceoryx2.py",
        "copied into shared memory, an event wakes the reader, copied to its GPU",
    ),
    ("Zenoh", "handoff_zenoh.py", "copied into shared memory, twice more by its Python, copied to its GPU"),
    ("torch", "handoff_torch.py", "CUDA IPC: tensors that both have, a pipe tells which one"),
];

#[derive(Serialize)]
struct Request<'a> {
    width: u32,
    height: u32,
    fps: f64,
    seconds: f64,
    token: &'a str,
    port: u16,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Answer {
    Unsupported { unsupported: String },
    Run { published: u64, torn: u64, has_gpu: bool, samples_ns: Vec<f64> },
}

/// What came of a peer.
#[derive(Serialize)]
pub(super) struct Peer {
    name: &'static str,
    how: &'static str,
    /// In its own words.
    versions: String,
    published: u64,
    read: u64,
    /// Frames with pixels of more than one frame, or of another than they were said to be.
    torn: u64,
    /// Whether frames were on a GPU; else in host memory.
    has_gpu: bool,
    gpu_done_to_reader_us: Percentiles,
}

/// Runs all peers that are there, one after the other, and says why the others are not.
pub(super) fn run(args: &ShareArgs, python: &Path, folder: &Path) -> Fallible<Vec<Peer>> {
    let (width, height) = args.size.split_once('x').ok_or("a size is WIDTHxHEIGHT")?;
    let token = std::process::id().to_string();
    let (width, height) = (width.parse()?, height.parse()?);
    let request =
        Request { width, height, fps: args.fps, seconds: args.peer_seconds, token: &token, port: PORT };
    let (asked, answered) = (folder.join("request.json"), folder.join("answer.json"));
    std::fs::write(&asked, serde_json::to_string(&request)?)?;
    let mut peers = Vec::new();
    for (name, program, how) in PEERS {
        let command = |arguments: &[&Path]| {
            let mut command = Command::new(python);
            command.arg(args.peers.join(program)).args(arguments).env("PYTHONDONTWRITEBYTECODE", "1");
            command
        };
        if let Err(why) = process::run(command(&[Path::new("--probe")]), folder, SPARE) {
            println!("{name}: not here: {why}");
            continue;
        }
        let versions = std::fs::read_to_string(folder.join("stdout"))?.trim().to_owned();
        let limit = SPARE + Duration::from_secs_f64(2.0 * args.peer_seconds);
        if let Err(why) = process::run(command(&[Path::new("write"), &asked, &answered]), folder, limit) {
            println!("{name}: {why}");
            continue;
        }
        match serde_json::from_slice(&std::fs::read(&answered)?)? {
            Answer::Unsupported { unsupported } => println!("{name}: not here: {unsupported}"),
            Answer::Run { published, torn, has_gpu, samples_ns } => {
                let read = samples_ns.len() as u64;
                let times = Percentiles::of(samples_ns.into_iter().map(|ns| ns / 1e3).collect());
                println!(
                    "{name}: {published} frames, {read} read, {torn} torn; done to reader p50 {:.1} us, p99 {:.1}, p99.9 {:.1}",
                    times.p50, times.p99, times.p99_9
                );
                peers.push(Peer {
                    name,
                    how,
                    versions,
                    published,
                    read,
                    torn,
                    has_gpu,
                    gpu_done_to_reader_us: times,
                });
            }
        }
    }
    Ok(peers)
}
