//! Cameras that come and go.

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::list::camera_nodes;
use crate::sys::FolderWatch;

/// What happened to a camera.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CameraEvent {
    /// It was plugged in, and this user may open it.
    Appeared(PathBuf),
    /// It was unplugged, or this user may not open it any more.
    Went(PathBuf),
}

/// Tells when cameras are plugged in and unplugged.
#[derive(Debug)]
pub struct CameraWatch {
    folder: FolderWatch,
    known: BTreeSet<PathBuf>,
    events: VecDeque<CameraEvent>,
}

impl CameraWatch {
    /// Watches from now on. What is there already is no event: see [`known`](Self::known).
    ///
    /// # Errors
    ///
    /// When the system gives no more watches.
    pub fn new() -> io::Result<Self> {
        // In this order, so that nothing is missed between the two.
        let folder = FolderWatch::new(Path::new("/dev"))?;
        Ok(Self { folder, known: camera_nodes().collect(), events: VecDeque::new() })
    }

    /// The nodes of the cameras that are there, as far as events were taken.
    #[must_use]
    pub fn known(&self) -> &BTreeSet<PathBuf> {
        &self.known
    }

    /// The next event, waited for up to `timeout`; `None` when nothing happened.
    ///
    /// # Errors
    ///
    /// When the system fails to watch.
    pub fn next(&mut self, timeout: Duration) -> io::Result<Option<CameraEvent>> {
        let begun = Instant::now();
        loop {
            if let Some(event) = self.events.pop_front() {
                match &event {
                    CameraEvent::Appeared(path) => self.known.insert(path.clone()),
                    CameraEvent::Went(path) => self.known.remove(path),
                };
                return Ok(Some(event));
            }
            let left = timeout.saturating_sub(begun.elapsed());
            match self.folder.wait("video", left) {
                Ok(true) => self.events.extend(changes(&self.known, &camera_nodes().collect())),
                Ok(false) if left.is_zero() => return Ok(None),
                Ok(false) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// What went, and then what appeared.
fn changes(before: &BTreeSet<PathBuf>, now: &BTreeSet<PathBuf>) -> Vec<CameraEvent> {
    let went = before.difference(now).cloned().map(CameraEvent::Went);
    went.chain(now.difference(before).cloned().map(CameraEvent::Appeared)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_what_went_and_what_appeared() {
        let nodes = |names: &[&str]| names.iter().map(PathBuf::from).collect();
        assert_eq!(changes(&nodes(&["a", "b"]), &nodes(&["a", "b"])), []);
        assert_eq!(
            changes(&nodes(&["a", "b"]), &nodes(&["b", "c"])),
            [CameraEvent::Went("a".into()), CameraEvent::Appeared("c".into())]
        );
    }

    #[test]
    fn where_nothing_happens_the_wait_ends() {
        let mut watch = CameraWatch::new().unwrap();
        assert_eq!(watch.next(Duration::ZERO).unwrap(), None);
    }
}
