//! Output that appears under its name only when it is complete.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// A file in the making, hidden beside its destination; dropped, it is removed.
pub(crate) struct PartialFile {
    writer: BufWriter<File>,
    hidden: Hidden,
}

/// A file that is complete but not yet called by its name; dropped, it is removed.
pub(crate) struct Hidden {
    /// `None` when there is nothing to rename: after publishing, and for a device or pipe, written in place.
    path: Option<PathBuf>,
    destination: PathBuf,
}

impl PartialFile {
    /// Starts a file that will be called `path`. An existing file of that name stays until the new one is complete.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let existing = std::fs::metadata(path).ok();
        if existing.as_ref().is_some_and(std::fs::Metadata::is_dir) {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if existing.as_ref().is_some_and(|found| !found.is_file()) {
            let file = OpenOptions::new().write(true).open(path)?;
            let hidden = Hidden { path: None, destination: path.to_owned() };
            return Ok(Self { writer: BufWriter::new(file), hidden });
        }
        if existing.is_some_and(|found| found.permissions().readonly()) {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        // Through a link, the file that it names is what is replaced.
        let destination = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let name = destination.file_name().ok_or(io::ErrorKind::IsADirectory)?.to_string_lossy();
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let hidden = destination.with_file_name(format!(".{name}.{}-{number}.partial", std::process::id()));
        let file = OpenOptions::new().write(true).create_new(true).open(&hidden)?;
        let writer = BufWriter::with_capacity(1 << 18, file);
        Ok(Self { writer, hidden: Hidden { path: Some(hidden), destination } })
    }

    /// Where the bytes go.
    pub(crate) fn writer(&mut self) -> &mut (impl Write + Seek + use<>) {
        &mut self.writer
    }

    /// Flushes and closes the file. Returns it and its size in bytes.
    pub(crate) fn close(mut self) -> io::Result<(Hidden, u64)> {
        self.writer.flush()?;
        let bytes = self.writer.get_ref().metadata()?.len();
        Ok((self.hidden, bytes))
    }

    /// Flushes, gives the file its name and returns its size in bytes.
    pub(crate) fn finish(self) -> io::Result<u64> {
        let (hidden, bytes) = self.close()?;
        hidden.publish()?;
        Ok(bytes)
    }
}

impl Hidden {
    /// Gives the file its name.
    pub(crate) fn publish(mut self) -> io::Result<()> {
        if let Some(path) = &self.path {
            std::fs::rename(path, &self.destination)?;
            self.path = None;
        }
        Ok(())
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        if let Some(path) = &self.path
            && let Err(error) = std::fs::remove_file(path)
        {
            tracing::warn!(path = %path.display(), %error, "a partial output file could not be removed");
        }
    }
}
