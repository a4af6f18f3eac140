//! A broker inside a program that needs one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use streamlib_core::sync::Mutex;
use tracing::{info, warn};

use super::listener::Listener;
use super::server::serve_while_needed;
use crate::error::BrokerError;
use crate::socket::pause;

/// How long the last publisher of a program waits at most for the program's broker to end, which takes it no time unless the
/// machine is busy. A broker that did not end leaves a file behind, no more.
const BROKER_ENDS: Duration = Duration::from_secs(1);

/// What this program has to do with a broker at some place.
#[derive(Debug, Default)]
struct Here {
    publishers: usize,
    broker: Option<Hosted>,
}

/// A broker in this program.
#[derive(Debug)]
struct Hosted {
    thread: JoinHandle<()>,
    serves_others: Arc<AtomicBool>,
}

fn here() -> MutexGuard<'static, BTreeMap<PathBuf, Here>> {
    static HERE: Mutex<BTreeMap<PathBuf, Here>> = Mutex::new(BTreeMap::new());
    HERE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes this process the broker at `path`, unless somebody else is or becomes it.
pub(super) fn host(path: &Path) -> Result<(), BrokerError> {
    let listener = match Listener::bind(path) {
        Err(BrokerError::AlreadyRunning { .. }) => return Ok(()),
        listener => listener?,
    };
    info!("{}: this process brokers surfaces for this user's programs", path.display());
    let (place, serves_others) = (path.to_owned(), Arc::new(AtomicBool::new(false)));
    let serves = serves_others.clone();
    let run = move || {
        if let Err(error) = serve_while_needed(listener, serves) {
            warn!("{}: the broker has ended: {error}", place.display());
        }
    };
    let thread = thread::Builder::new().name("streamlib-broker".to_owned()).spawn(run);
    let thread = thread.map_err(|source| BrokerError::System {
        path: path.to_owned(),
        action: "start a thread",
        source,
    })?;
    here().entry(path.to_owned()).or_default().broker = Some(Hosted { thread, serves_others });
    Ok(())
}

/// Says that a publisher of this program uses the broker at a place. When the last one goes, a broker in this program has time to
/// go too, and to take its socket with it.
#[derive(Debug)]
pub(crate) struct Stay {
    path: PathBuf,
}

impl Stay {
    pub(crate) fn begin(path: &Path) -> Self {
        here().entry(path.to_owned()).or_default().publishers += 1;
        Self { path: path.to_owned() }
    }

    /// Whether there is nothing to wait for, or not any more.
    fn is_over(&self) -> bool {
        let mut here = here();
        let Some(place) = here.get(&self.path) else { return true };
        if place.publishers > 0 {
            return true;
        }
        match &place.broker {
            Some(broker) if !broker.thread.is_finished() => broker.serves_others.load(Ordering::Relaxed),
            _ => {
                here.remove(&self.path);
                true
            }
        }
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        if let Some(place) = here().get_mut(&self.path) {
            place.publishers -= 1;
        }
        let deadline = Instant::now() + BROKER_ENDS;
        while !self.is_over() && Instant::now() < deadline {
            pause(Duration::from_micros(200));
        }
    }
}
