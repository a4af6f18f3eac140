//! Buffers in memory files whose content shows which frame it is, and whether somebody wrote into it.
#![allow(dead_code, reason = "each test binary uses a part of it")]

pub(crate) mod actor;

use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use rustix::fs::{MemfdFlags, memfd_create};
use streamlib_core::format::{Size, TextureFormat};
use streamlib_core::frame::{FrameMeta, Timestamp};
use streamlib_share::{
    Access, Acquired, BufferDescription, BufferId, BufferKind, Publisher, PublisherOptions, Reader,
    ReaderOptions, SharedBuffer, SurfaceError,
};

/// Far longer than anything takes: reaching it is a failure.
pub(crate) const LONG: Duration = Duration::from_secs(60);

pub(crate) fn publisher_options(broker: &Path) -> PublisherOptions {
    PublisherOptions { broker: Some(broker.to_owned()), access: Access::SameUser }
}

pub(crate) fn reader_options(broker: &Path) -> ReaderOptions {
    ReaderOptions { broker: Some(broker.to_owned()), ..ReaderOptions::default() }
}

pub(crate) fn patient(broker: &Path) -> ReaderOptions {
    ReaderOptions { patience: LONG, ..reader_options(broker) }
}

/// A place for a broker, which goes with its directory.
pub(crate) fn place() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("broker.sock");
    (directory, path)
}

pub(crate) fn description(size: Size) -> BufferDescription {
    BufferDescription {
        kind: BufferKind::Memory,
        size,
        format: TextureFormat::R8.into(),
        allocation: size.pixels() as u64,
        tiling: 0,
        offset: 0,
        pitch: size.width.into(),
        device: *b"0123456789abcdef",
        driver: *b"fedcba9876543210",
    }
}

/// What lies in the buffer of frame `number`: bytes that depend on it, each in another way.
pub(crate) fn pattern(number: u64, bytes: usize) -> Vec<u8> {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut out = Vec::with_capacity(bytes + 8);
    while out.len() < bytes {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        out.extend(state.to_le_bytes());
    }
    out.truncate(bytes);
    out
}

/// A buffer to write into. It comes back when nobody looks at it any more.
#[derive(Debug)]
pub(crate) struct Canvas {
    pub(crate) shared: SharedBuffer,
    file: File,
    size: Size,
}

/// Sends a canvas back when it is dropped.
#[derive(Debug)]
pub(crate) struct Keep {
    canvas: Option<Canvas>,
    home: Sender<Canvas>,
}

impl Drop for Keep {
    fn drop(&mut self) {
        if let Some(canvas) = self.canvas.take() {
            let _program_ends = self.home.send(canvas);
        }
    }
}

/// A publisher with buffers of its own.
pub(crate) struct Painter {
    pub(crate) publisher: Publisher<Keep>,
    home: Sender<Canvas>,
    idle: Receiver<Canvas>,
    free: Vec<Canvas>,
    pub(crate) painted: u64,
}

impl Painter {
    pub(crate) fn new(
        name: &str,
        options: &PublisherOptions,
        buffers: usize,
        size: Size,
    ) -> Result<Self, SurfaceError> {
        let publisher = Publisher::create(name, options)?;
        let (home, idle) = channel();
        let mut painter = Self { publisher, home, idle, free: Vec::new(), painted: 0 };
        (0..buffers).for_each(|_| painter.add(size));
        Ok(painter)
    }

    pub(crate) fn add(&mut self, size: Size) {
        let file: OwnedFd = memfd_create("test-buffer", MemfdFlags::CLOEXEC).unwrap();
        rustix::fs::ftruncate(&file, size.pixels() as u64).unwrap();
        let file = File::from(file);
        let exported = file.try_clone().unwrap();
        let shared = self.publisher.add_buffer(description(size), move || Ok(exported.try_clone()?.into()));
        self.free.push(Canvas { shared, file, size });
    }

    /// Withdraws every buffer that is free.
    pub(crate) fn discard(&mut self) {
        self.collect();
        for canvas in self.free.drain(..) {
            self.publisher.remove_buffer(&canvas.shared);
        }
    }

    fn collect(&mut self) {
        self.publisher.reclaim();
        self.free.extend(self.idle.try_iter());
    }

    /// Publishes one frame, if a buffer is free for it: its number.
    pub(crate) fn paint(&mut self) -> Option<u64> {
        self.collect();
        // The one that came back last, so that a mistake shows soonest.
        let Some(canvas) = self.free.pop() else {
            self.publisher.count_dropped(1);
            return None;
        };
        self.painted += 1;
        let number = self.painted;
        canvas.file.write_all_at(&pattern(number, canvas.size.pixels()), 0).unwrap();
        let shared = canvas.shared;
        let keep = Keep { canvas: Some(canvas), home: self.home.clone() };
        let meta = FrameMeta { captured: Timestamp(number as i64), sequence: number, camera: None };
        self.publisher.publish(&shared, &meta, keep).ok()
    }
}

/// A reader that looks at everything it gets.
pub(crate) struct Viewer {
    pub(crate) reader: Reader,
    known: BTreeMap<BufferId, File>,
    /// Frames that were whole.
    pub(crate) seen: u64,
}

impl Viewer {
    pub(crate) fn new(reader: Reader) -> Self {
        Self { reader, known: BTreeMap::new(), seen: 0 }
    }

    pub(crate) fn open(name: &str, options: &ReaderOptions) -> Result<Self, SurfaceError> {
        Reader::open(name, options).map(Self::new)
    }

    pub(crate) fn reopen(&mut self) -> Result<(), SurfaceError> {
        self.known.clear();
        self.reader.reopen()
    }

    /// Makes sure that `frame` holds what its publisher painted, and all of it.
    pub(crate) fn check(&mut self, frame: &Acquired) -> Result<(), SurfaceError> {
        let file = match self.known.entry(frame.buffer()) {
            std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::btree_map::Entry::Vacant(new) => {
                let (description, file) = self.reader.buffer(frame.buffer())?;
                assert_eq!(description, self::description(frame.size()));
                new.insert(file.into())
            }
        };
        let mut found = vec![0; frame.size().pixels()];
        file.read_exact_at(&mut found, 0).unwrap();
        let number = frame.meta().sequence;
        assert_eq!(frame.meta().captured, Timestamp(number as i64));
        assert!(found == pattern(number, found.len()), "frame {number} was overwritten while it was held");
        self.seen += 1;
        Ok(())
    }

    /// Takes a frame and looks at it twice.
    pub(crate) fn look(&mut self, timeout: Duration) -> Result<Option<u64>, SurfaceError> {
        let Some(frame) = self.reader.acquire(timeout)? else { return Ok(None) };
        self.check(&frame)?;
        self.check(&frame)?;
        Ok(Some(frame.number()))
    }
}

/// Descriptors that this process has open.
pub(crate) fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Waits until `is_so`, which some other thread or process makes so.
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = std::time::Instant::now();
    while !is_so() {
        assert!(start.elapsed() < LONG, "still not so: {what}");
        pause(Duration::from_millis(2));
    }
}

pub(crate) fn pause(time: Duration) {
    let _over = rustix::event::poll(&mut [], Some(&time.try_into().unwrap()));
}
