//! Runs DXC, on a thread of its own and under a time limit.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hassle_rs::{Dxc, HassleError};

use crate::locate::{DxcError, DxcInfo, check_age};

/// DXC's parser recurses on nested expressions; the usual 2 MiB overflow long before its own limit.
const STACK_BYTES: usize = 64 << 20;

const ARGUMENTS: &[&str] = &[
    "-spirv",
    "-fspv-target-env=vulkan1.1",
    "-HV",
    "2021",
    "-O3",
    "-Zpc",
    // Parameters and ports that the code does not use yet must be there all the same.
    "-fspv-preserve-bindings",
];

/// The name under which DXC sees the text; its messages start with it.
pub(crate) const FILE: &str = "effect.hlsl";

/// A DXC that has been loaded, now or before.
#[derive(Debug)]
pub(crate) struct Library {
    dxc: OnceLock<Result<Arc<Dxc>, DxcError>>,
    info: DxcInfo,
}

/// What DXC made of a text.
#[derive(Debug)]
pub(crate) struct Output {
    /// SPIR-V words; `None` when the text was refused.
    pub(crate) spirv: Option<Vec<u32>>,
    /// Everything it said.
    pub(crate) messages: String,
}

/// DXC gave no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    TimedOut,
    /// It broke down: why.
    Broken(String),
}

impl Library {
    /// Loads the library at `path` and asks it for its version.
    pub(crate) fn load(path: &Path) -> Result<Self, DxcError> {
        check_age(path)?;
        let dxc = open(path)?;
        let asked = Arc::clone(&dxc);
        let version = on_own_thread(Duration::from_secs(10), move || version(&asked))
            .and_then(|v| v)
            .map_err(|e| unloadable(path, format!("it does not answer: {e:?}")))?;
        let info = DxcInfo { path: PathBuf::from(path), version };
        Ok(Self { dxc: OnceLock::from(Ok(dxc)), info })
    }

    /// One that was loaded before, and then said its version.
    pub(crate) fn known(info: DxcInfo) -> Self {
        Self { dxc: OnceLock::new(), info }
    }

    /// Loads it if it is not yet.
    pub(crate) fn dxc(&self) -> Result<&Arc<Dxc>, DxcError> {
        self.dxc.get_or_init(|| open(&self.info.path)).as_ref().map_err(Clone::clone)
    }

    pub(crate) fn info(&self) -> &DxcInfo {
        &self.info
    }

    /// Compiles `text`.
    pub(crate) fn compile(
        &self,
        text: String,
        function: &'static str,
        limit: Duration,
    ) -> Result<Output, Failure> {
        let dxc = Arc::clone(self.dxc().map_err(|e| Failure::Broken(e.to_string()))?);
        on_own_thread(limit, move || compile(&dxc, &text, function))?
    }
}

fn open(path: &Path) -> Result<Arc<Dxc>, DxcError> {
    let dxc = Dxc::new(Some(path.to_owned())).map_err(|e| unloadable(path, describe(&e)))?;
    Ok(Arc::new(dxc))
}

fn unloadable(path: &Path, reason: String) -> DxcError {
    DxcError::Unloadable { path: path.to_owned(), reason }
}

/// Runs `work` on a thread with a large stack. A thread that takes longer than `limit` is abandoned: it keeps its memory and
/// a CPU core, because a thread cannot be killed.
///
/// The worker process that compiles effects from the network belongs here: it can be killed, and survives what DXC does to
/// its own memory.
fn on_own_thread<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    let (send, receive) = sync_channel(1);
    std::thread::Builder::new()
        .name("hlsl-compiler".to_owned())
        .stack_size(STACK_BYTES)
        .spawn(move || {
            // When nobody waits any more, the result is not wanted.
            let _ = send.send(work());
        })
        .map_err(|e| Failure::Broken(format!("cannot start a thread: {e}")))?;
    receive.recv_timeout(limit).map_err(|e| match e {
        RecvTimeoutError::Timeout => Failure::TimedOut,
        // Only a panic drops the sender unused.
        RecvTimeoutError::Disconnected => Failure::Broken("it stopped without an answer".to_owned()),
    })
}

fn compile(dxc: &Dxc, text: &str, function: &str) -> Result<Output, Failure> {
    let broken = |e: HassleError| Failure::Broken(describe(&e));
    let compiler = dxc.create_compiler().map_err(broken)?;
    let library = dxc.create_library().map_err(broken)?;
    // The blob borrows `text`, which outlives it.
    let blob = library.create_blob_with_encoding_from_str(text).map_err(broken)?;
    let (operation, accepted) = match compiler.compile(&blob, FILE, function, "cs_6_0", ARGUMENTS, None, &[])
    {
        Ok(operation) => (operation, true),
        Err((operation, _)) => (operation, false),
    };
    // Never empty: the prelude makes DXC say something.
    let messages = operation.get_error_buffer().map_err(broken)?;
    let messages = library.get_blob_as_string(&messages.into()).map_err(broken)?;
    let spirv = if accepted { Some(operation.get_result().map_err(broken)?.to_vec()) } else { None };
    Ok(Output { spirv, messages })
}

fn version(dxc: &Dxc) -> Result<String, Failure> {
    let broken = |e: HassleError| Failure::Broken(describe(&e));
    let text = "__DXC_VERSION_MAJOR.__DXC_VERSION_MINOR.__DXC_VERSION_RELEASE.__DXC_VERSION_COMMITS\n";
    let library = dxc.create_library().map_err(broken)?;
    let blob = library.create_blob_with_encoding_from_str(text).map_err(broken)?;
    let operation = dxc
        .create_compiler()
        .and_then(|c| {
            c.preprocess(&blob, FILE, &[], None, &[]).map_err(|(_, code)| HassleError::Win32Error(code))
        })
        .map_err(broken)?;
    let answer = operation.get_result().map_err(broken)?;
    let answer = library.get_blob_as_string(&answer).map_err(broken)?;
    let version: String = answer
        .lines()
        .filter(|l| !l.starts_with('#'))
        .flat_map(str::chars)
        .filter(|c| c.is_ascii_digit() || *c == '.')
        .collect();
    if version.is_empty() {
        Err(Failure::Broken(format!("its version reads {answer:?}")))
    } else {
        Ok(version)
    }
}

fn describe(error: &HassleError) -> String {
    error.to_string()
}
