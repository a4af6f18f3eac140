//! What the threads of a soak share, and the small ones among them.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use streamlib::LiveGraph;
use streamlib::value::Value;

use crate::Fallible;

/// An edit that takes longer hangs.
const HANGS: Duration = Duration::from_secs(30);

/// What the threads share.
pub(super) struct Shared {
    pub(super) started: Instant,
    pub(super) is_over: AtomicBool,
    /// Milliseconds from the start to that of the edit that is being made; 0 for none.
    pub(super) edit_began_ms: AtomicU64,
    pub(super) settings: AtomicU64,
    faults: Mutex<Vec<String>>,
}

impl Shared {
    pub(super) fn new() -> Self {
        Self {
            started: Instant::now(),
            is_over: AtomicBool::new(false),
            edit_began_ms: AtomicU64::new(0),
            settings: AtomicU64::new(0),
            faults: Mutex::default(),
        }
    }

    pub(super) fn fault(&self, what: String) {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }

    pub(super) fn take_faults(&self) -> Vec<String> {
        std::mem::take(&mut *self.faults.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn is_faulty(&self) -> bool {
        !self.faults.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

pub(super) fn tell(shared: &Shared, thread: &str, outcome: Fallible<()>) {
    if let Err(error) = outcome {
        shared.fault(format!("the {thread} failed: {error}"));
    }
}

/// Sets parameters, alone and in groups, beside the edits.
pub(super) fn turn_knobs(live: &LiveGraph, shared: &Shared) {
    let mut turns = 0_u32;
    while !shared.is_over.load(Ordering::Acquire) && !live.wait(Duration::from_millis(7)) {
        turns = turns.wrapping_add(1);
        let part = f64::from(turns % 100) / 100.0;
        let gain = ("tint".to_owned(), "gain".to_owned(), Value::Float(part));
        let shift = Value::List(vec![Value::Float(part), Value::Float(-part)]);
        let set = if turns.is_multiple_of(3) {
            live.set_all(&[gain, ("mix".to_owned(), "shift".to_owned(), shift)])
        } else {
            live.set("tint", "gain", gain.2)
        };
        match set {
            Ok(()) => drop(shared.settings.fetch_add(1, Ordering::Relaxed)),
            Err(error) => return shared.fault(format!("a parameter was refused: {error}")),
        }
    }
}

/// A hung edit cannot be ended, so the process is.
pub(super) fn die_if_hung(shared: &Shared) {
    let began = shared.edit_began_ms.load(Ordering::Acquire);
    let now = shared.started.elapsed().as_millis() as u64;
    if began > 0 && now.saturating_sub(began) > HANGS.as_millis() as u64 {
        eprintln!("fault: an edit hung: it was begun {} s ago", (now - began) / 1000);
        std::process::exit(1);
    }
}
