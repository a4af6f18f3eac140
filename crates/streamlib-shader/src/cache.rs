//! Remembers compiled effects: in memory for this process, on disk for all.
//!
//! An entry on disk is written to a file of its own and then renamed, so a reader sees a whole entry or none, however many
//! processes there are. It carries its key and a checksum; one that does not fit is as good as none.

use std::collections::{HashMap, VecDeque};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use streamlib_core::interface::Interface;

use crate::diagnostic::Diagnostic;
use crate::effect::Effect;
use crate::error::CompileError;
use crate::locate::DxcInfo;
use crate::source::EffectSource;

/// To be raised whenever this crate makes something else of the same source.
const FORMAT: u32 = 3;
const MAGIC: &[u8; 4] = b"SLFX";
const HASH_BYTES: usize = 32;
const HEADER_BYTES: usize = MAGIC.len() + 2 * HASH_BYTES;
/// Results kept in memory; the others are read from disk, where there is a cache, in a fiftieth of a millisecond.
const MAX_IN_MEMORY: usize = 256;

/// Where compiled effects are remembered between processes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CacheOptions {
    /// `$XDG_CACHE_HOME/streamlib/effects`, or `~/.cache/streamlib/effects`.
    #[default]
    UserDirectory,
    /// This directory, made when it is missing.
    Disk(PathBuf),
    /// Nowhere.
    MemoryOnly,
}

/// How often the cache answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CacheStats {
    /// Answered from memory.
    pub memory_hits: u64,
    /// Answered from disk.
    pub disk_hits: u64,
    /// Compiled.
    pub misses: u64,
}

/// Hash of everything that a result depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key([u8; HASH_BYTES]);

/// What distinguishes one compiler from another.
#[derive(Debug)]
pub(crate) struct CompilerIdentity([u8; HASH_BYTES]);

impl CompilerIdentity {
    pub(crate) fn of(dxc: &DxcInfo) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&FORMAT.to_le_bytes());
        hasher.update(dxc.version.as_bytes());
        hash_file(&dxc.path, &mut hasher);
        Self(*hasher.finalize().as_bytes())
    }
}

/// What a library is told by: builds of one version differ; size and time tell them apart without reading 30 MB.
fn hash_file(path: &Path, hasher: &mut blake3::Hasher) {
    if let Ok(meta) = std::fs::metadata(path) {
        hasher.update(&meta.len().to_le_bytes());
        let age = meta.modified().ok().and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok());
        hasher.update(&age.map_or(0, |a| a.as_nanos()).to_le_bytes());
    }
}

/// The file that holds the version of a library which has answered.
fn version_file(library: &Path) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&FORMAT.to_le_bytes());
    hasher.update(library.as_os_str().as_encoded_bytes());
    hash_file(library, &mut hasher);
    format!("{}.dxc", hasher.finalize().to_hex())
}

impl Key {
    pub(crate) fn new(compiler: &CompilerIdentity, source: &EffectSource) -> Self {
        let mut hasher = blake3::Hasher::new_keyed(&compiler.0);
        hasher.update(source.id().as_bytes());
        hasher.update(source.name().as_bytes());
        // Diagnostics name files, so a copy under another name is another result.
        for file in source.files() {
            hasher.update(&[0]);
            hasher.update(file.as_bytes());
        }
        Self(*hasher.finalize().as_bytes())
    }

    fn file_name(&self) -> String {
        self.0.iter().map(|b| format!("{b:02x}")).collect::<String>() + ".effect"
    }
}

type Outcome = Result<Arc<Effect>, CompileError>;

/// The cache of one compiler.
#[derive(Debug)]
pub(crate) struct Cache {
    memory: Mutex<Memory>,
    directory: Option<PathBuf>,
    memory_hits: AtomicU64,
    disk_hits: AtomicU64,
    misses: AtomicU64,
    told_of_trouble: AtomicBool,
}

#[derive(Debug, Default)]
struct Memory {
    outcomes: HashMap<Key, Outcome>,
    /// Oldest first.
    order: VecDeque<Key>,
}

impl Cache {
    pub(crate) fn new(options: &CacheOptions) -> Self {
        let directory = match options {
            CacheOptions::UserDirectory => user_directory(),
            CacheOptions::Disk(directory) => Some(directory.clone()),
            CacheOptions::MemoryOnly => None,
        };
        Self {
            memory: Mutex::default(),
            directory,
            memory_hits: AtomicU64::new(0),
            disk_hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
            told_of_trouble: AtomicBool::new(false),
        }
    }

    /// The version of a library that was loaded before, by this program or another one, and has not changed since.
    pub(crate) fn compiler(&self, library: &Path) -> Option<DxcInfo> {
        let version = std::fs::read_to_string(self.directory.as_ref()?.join(version_file(library))).ok()?;
        let is_one = !version.is_empty() && version.chars().all(|c| c.is_ascii_digit() || c == '.');
        is_one.then(|| DxcInfo { path: library.to_owned(), version })
    }

    /// Remembers a library that was loaded.
    pub(crate) fn remember_compiler(&self, dxc: &DxcInfo) {
        if let Some(directory) = &self.directory {
            self.tell(write_atomically(directory, &version_file(&dxc.path), dxc.version.as_bytes()));
        }
    }

    pub(crate) fn stats(&self) -> CacheStats {
        CacheStats {
            memory_hits: self.memory_hits.load(Ordering::Relaxed),
            disk_hits: self.disk_hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
        }
    }

    /// The outcome for `key`, made by `compile` when nothing is remembered.
    pub(crate) fn get_or(
        &self,
        key: Key,
        source: &EffectSource,
        compile: impl FnOnce() -> Outcome,
    ) -> Outcome {
        if let Some(outcome) = self.memory().outcomes.get(&key) {
            self.memory_hits.fetch_add(1, Ordering::Relaxed);
            return outcome.clone();
        }
        if let Some(effect) = self.read(&key, source) {
            self.disk_hits.fetch_add(1, Ordering::Relaxed);
            let outcome = Ok(Arc::new(effect));
            self.remember(key, outcome.clone());
            return outcome;
        }
        self.misses.fetch_add(1, Ordering::Relaxed);
        let outcome = compile();
        match &outcome {
            Ok(effect) => self.write(&key, effect),
            // It may go better next time. A source that timed out stays refused: each try costs a CPU core for good.
            Err(CompileError::CompilerFailed { .. }) => return outcome,
            Err(_) => {}
        }
        self.remember(key, outcome.clone());
        outcome
    }

    fn memory(&self) -> std::sync::MutexGuard<'_, Memory> {
        // Every change is complete before anything can panic.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, key: Key, outcome: Outcome) {
        let mut memory = self.memory();
        if memory.outcomes.insert(key, outcome).is_none() {
            memory.order.push_back(key);
        }
        if memory.order.len() > MAX_IN_MEMORY
            && let Some(oldest) = memory.order.pop_front()
        {
            memory.outcomes.remove(&oldest);
        }
    }

    fn read(&self, key: &Key, source: &EffectSource) -> Option<Effect> {
        let bytes = std::fs::read(self.directory.as_ref()?.join(key.file_name())).ok()?;
        let entry = decode(&bytes, key)?;
        Some(Effect {
            id: source.id(),
            name: source.name().to_owned(),
            interface: entry.facts.interface,
            spirv: entry.spirv,
            warnings: entry.facts.warnings,
        })
    }

    fn write(&self, key: &Key, effect: &Effect) {
        let Some(directory) = &self.directory else { return };
        let bytes = encode(effect, key);
        self.tell(bytes.and_then(|bytes| write_atomically(directory, &key.file_name(), &bytes)));
    }

    /// Warns, once, of what could not be written.
    fn tell(&self, written: std::io::Result<()>) {
        if let (Err(error), Some(directory)) = (written, &self.directory)
            && !self.told_of_trouble.swap(true, Ordering::Relaxed)
        {
            let directory = directory.display();
            tracing::warn!(
                "cannot write the effect cache {directory}: {error}; effects are compiled anew each time"
            );
        }
    }
}

fn user_directory() -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|p| p.is_absolute());
    let cache = absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|h| h.join(".cache")))?;
    Some(cache.join("streamlib/effects"))
}

/// The part of an entry that is JSON.
#[derive(Serialize, Deserialize)]
struct EntryFacts {
    interface: Interface,
    warnings: Vec<Diagnostic>,
}

struct Entry {
    facts: EntryFacts,
    spirv: Vec<u32>,
}

/// Magic, key, checksum of the rest; length of the JSON, JSON, SPIR-V.
fn encode(effect: &Effect, key: &Key) -> std::io::Result<Vec<u8>> {
    let facts = EntryFacts { interface: effect.interface.clone(), warnings: effect.warnings.clone() };
    let json = serde_json::to_vec(&facts)?;
    let mut payload = (json.len() as u64).to_le_bytes().to_vec();
    payload.extend(json);
    payload.extend(effect.spirv.iter().flat_map(|w| w.to_le_bytes()));
    let mut bytes = MAGIC.to_vec();
    bytes.extend(key.0);
    bytes.extend(blake3::hash(&payload).as_bytes());
    bytes.extend(payload);
    Ok(bytes)
}

fn decode(bytes: &[u8], key: &Key) -> Option<Entry> {
    let (header, payload) = bytes.split_at_checked(HEADER_BYTES)?;
    let (magic, hashes) = header.split_at(MAGIC.len());
    let (found_key, checksum) = hashes.split_at(HASH_BYTES);
    if magic != MAGIC || found_key != key.0 || blake3::hash(payload).as_bytes() != checksum {
        return None;
    }
    let (length, rest) = payload.split_first_chunk()?;
    let (json, spirv) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    let facts = serde_json::from_slice(json).ok()?;
    let spirv = spirv.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    Some(Entry { facts, spirv })
}

fn write_atomically(directory: &Path, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    std::fs::create_dir_all(directory)?;
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let temporary = directory.join(format!(".{}-{number}.tmp", std::process::id()));
    let written = std::fs::File::create_new(&temporary)
        .and_then(|mut file| file.write_all(bytes))
        .and_then(|()| std::fs::rename(&temporary, directory.join(name)));
    if written.is_err() {
        // It may not exist; then there is nothing to remove.
        let _ = std::fs::remove_file(&temporary);
    }
    written
}
