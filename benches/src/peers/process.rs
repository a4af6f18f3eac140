//! A contender as a process that may crash, hang or talk nonsense: each is an answer, none ends the run.

use std::fs::File;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use super::contender::Contender;
use super::protocol::{Answer, Request};

/// Runs a contender once. The answer, or why there is none.
///
/// # Errors
/// When it cannot be started, fails, does not end in time, or answers with something that is no answer.
pub(crate) fn ask(
    contender: &Contender,
    request: &Request,
    folder: &Path,
    limit: Duration,
) -> Result<Answer, String> {
    let (asked, answered) = (folder.join("request.json"), folder.join("answer.json"));
    for stale in [&answered, &request.output] {
        // What an earlier run left must not pass for what this one did not write.
        if stale.exists() {
            std::fs::remove_file(stale).map_err(|error| format!("{}: {error}", stale.display()))?;
        }
    }
    let text = serde_json::to_string_pretty(request).map_err(|error| error.to_string())?;
    std::fs::write(&asked, text).map_err(|error| format!("{}: {error}", asked.display()))?;
    let mut command = contender.command();
    command.arg(&asked).arg(&answered);
    for (name, folder) in CACHES {
        command.env(name, request.cache.join(folder));
    }
    run(command, folder, limit)?;
    let text = std::fs::read_to_string(&answered).map_err(|_| "ended without an answer".to_owned())?;
    let answer: Answer =
        serde_json::from_str(&text).map_err(|error| format!("its answer is no JSON of ours: {error}"))?;
    if answer.unsupported.is_none() && answer.wall_ns.is_empty() {
        return Err("answered without a single sample".to_owned());
    }
    Ok(answer)
}

/// Asks a contender whether it is there: its own words about its versions.
///
/// # Errors
/// When it is not; the text is the reason.
pub(crate) fn probe(contender: &Contender, folder: &Path, limit: Duration) -> Result<String, String> {
    let mut command = contender.command();
    command.arg("--probe");
    run(command, folder, limit)?;
    let said = std::fs::read_to_string(folder.join("stdout")).map_err(|error| error.to_string())?;
    Ok(said.lines().last().unwrap_or_default().to_owned())
}

/// Where drivers and compilers remember things between processes: in folders of ours, so that we know what is there.
const CACHES: [(&str, &str); 8] = [
    ("XDG_CACHE_HOME", "xdg"),
    ("MESA_SHADER_CACHE_DIR", "mesa"),
    ("__GL_SHADER_DISK_CACHE_PATH", "nvidia"),
    ("CUDA_CACHE_PATH", "cuda"),
    ("CUPY_CACHE_DIR", "cupy"),
    ("TORCHINDUCTOR_CACHE_DIR", "torch"),
    ("TRITON_CACHE_DIR", "triton"),
    ("XDG_RUNTIME_DIR", "runtime"),
];

/// Runs a command; what it says goes to `stdout` and `stderr` in `folder`.
///
/// # Errors
/// When it cannot be started, fails, or does not end in time.
pub(crate) fn run(mut command: Command, folder: &Path, limit: Duration) -> Result<(), String> {
    let file = |name: &str| File::create(folder.join(name)).map_err(|error| error.to_string());
    command.stdin(Stdio::null()).stdout(file("stdout")?).stderr(file("stderr")?);
    // A group of its own, so that what it started ends with it.
    command.process_group(0);
    let name = command.get_program().to_string_lossy().into_owned();
    let mut child = command.spawn().map_err(|error| format!("{name} cannot be started: {error}"))?;
    let group = child.id();
    let (ended, end) = mpsc::channel();
    let waiter = std::thread::spawn(move || {
        // The receiver is there until the end: it waits for this thread below.
        let _ = ended.send(child.wait());
    });
    let outcome = match end.recv_timeout(limit) {
        Ok(status) => status.map_err(|error| error.to_string()).and_then(|status| verdict(status, folder)),
        Err(_) => Err(format!("did not end within {} s, and was killed", limit.as_secs_f64())),
    };
    // After a crash as well: a display or a worker of its may be left.
    kill_group(group);
    if waiter.join().is_err() {
        return Err("waiting for it failed".to_owned());
    }
    outcome
}

fn kill_group(group: u32) {
    let kill =
        Command::new("kill").args(["-KILL", "--", &format!("-{group}")]).stderr(Stdio::null()).status();
    // Most often there is nothing left to end, which `kill` reports as a failure.
    drop(kill);
}

fn verdict(status: ExitStatus, folder: &Path) -> Result<(), String> {
    if status.success() {
        return Ok(());
    }
    let how = match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with {code}"),
        (None, Some(signal)) => format!("was ended by signal {signal}"),
        (None, None) => "did not end well".to_owned(),
    };
    let said = std::fs::read(folder.join("stderr")).unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    let last = said.lines().rev().find(|line| !line.trim().is_empty());
    Err(last.map_or(how.clone(), |line| format!("{how}: {}", line.trim())))
}
