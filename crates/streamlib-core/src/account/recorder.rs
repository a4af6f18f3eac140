//! Recording delivered frames, and reading the accounts meanwhile.

use std::sync::{Arc, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use super::counters::FrameCounters;
use super::histogram::Durations;
use super::passes::PassTimes;
use super::rate::Rate;
use super::stats::Stats;
use super::times::FrameTimes;
use crate::frame::Timestamp;
use crate::sync::Mutex;

/// Frames that can wait while somebody reads. A reading takes less than a millisecond.
const BACKLOG: usize = 64;

/// What is recorded of one delivered frame.
#[derive(Clone, Copy, Debug)]
pub struct FrameRecord<'a> {
    /// Where it was, when.
    pub times: FrameTimes,
    /// CPU time that the frame thread spent on it, nanoseconds.
    pub frame_cpu_ns: Option<u64>,
    /// GPU times of its passes in nanoseconds, in the plan's order; empty where the device cannot tell.
    pub pass_ns: &'a [u64],
}

/// Starts the accounts of a graph. `interval` is the wanted time between deliveries, where there is one.
#[must_use]
pub fn recorder(
    counters: FrameCounters,
    passes: PassTimes,
    interval: Option<Duration>,
) -> (Recorder, StatsReader) {
    let interval_ns = interval.map(|interval| interval.as_nanos().try_into().unwrap_or(i64::MAX));
    let backlog = Backlog::new(passes.len());
    let book = Arc::new(Mutex::new(Book::new(counters, passes, interval_ns)));
    (Recorder { book: book.clone(), backlog }, StatsReader(book))
}

/// Records frames; it belongs to the thread that delivers them. Dropping it leaves the accounts readable.
#[derive(Debug)]
pub struct Recorder {
    book: Arc<Mutex<Book>>,
    backlog: Backlog,
}

impl Recorder {
    /// Records a frame. It allocates nothing, and does not wait for a reader: what cannot be written now is written with a
    /// later frame.
    pub fn record(&mut self, frame: &FrameRecord<'_>) {
        let mut book = match self.book.try_lock() {
            Ok(book) => book,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                if self.backlog.keep(frame) {
                    return;
                }
                // A reader that takes as long as the whole backlog: rather wait than lose frames of the account.
                lock(&self.book)
            }
        };
        self.backlog.write_into(&mut book);
        book.write(frame);
    }

    /// Writes what was delivered while somebody read, unless somebody reads now: for when no frame comes that would do it.
    pub fn catch_up(&mut self) {
        if self.backlog.frames.is_empty() {
            return;
        }
        match self.book.try_lock() {
            Ok(mut book) => self.backlog.write_into(&mut book),
            Err(TryLockError::Poisoned(poisoned)) => self.backlog.write_into(&mut poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => {}
        }
    }

    /// Goes on with the next plan. Returns what the old one left, so that it can be freed elsewhere.
    pub fn change(&mut self, counters: FrameCounters, passes: PassTimes) -> (FrameCounters, PassTimes) {
        let mut book = lock(&self.book);
        self.backlog.write_into(&mut book);
        self.backlog = Backlog::new(passes.len());
        (std::mem::replace(&mut book.counters, counters), std::mem::replace(&mut book.passes, passes))
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.backlog.write_into(&mut lock(&self.book));
    }
}

/// Reads the accounts from any thread, while they are written or after.
#[derive(Clone, Debug)]
pub struct StatsReader(Arc<Mutex<Book>>);

impl StatsReader {
    /// The accounts at `now`, a time on the frames' clock.
    #[must_use]
    pub fn read(&self, now: Timestamp) -> Stats {
        lock(&self.0).stats(now)
    }

    /// How many frames have been delivered, as [`Stats::frames`]: to be asked often, since nothing is computed for it.
    #[must_use]
    pub fn frames(&self) -> u64 {
        lock(&self.0).frames
    }
}

/// A book whose writer panicked holds whole numbers still.
fn lock(book: &Mutex<Book>) -> MutexGuard<'_, Book> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The accounts themselves.
#[derive(Debug)]
struct Book {
    counters: FrameCounters,
    passes: PassTimes,
    interval_ns: Option<i64>,
    last: Option<FrameTimes>,
    frames: u64,
    rate: Rate,
    latency: Durations,
    capture_to_submit: Durations,
    submit_to_gpu_end: Durations,
    jitter: Durations,
    frame_cpu: Durations,
}

impl Book {
    fn new(counters: FrameCounters, passes: PassTimes, interval_ns: Option<i64>) -> Self {
        let [latency, capture_to_submit, submit_to_gpu_end, jitter, frame_cpu] =
            [(); 5].map(|()| Durations::new());
        Self {
            counters,
            passes,
            interval_ns,
            last: None,
            frames: 0,
            rate: Rate::new(),
            latency,
            capture_to_submit,
            submit_to_gpu_end,
            jitter,
            frame_cpu,
        }
    }

    fn write(&mut self, frame: &FrameRecord<'_>) {
        let times = &frame.times;
        let between = |from: Timestamp, to: Timestamp| to.0.saturating_sub(from.0);
        self.latency.record(between(times.captured, times.delivered));
        self.capture_to_submit.record(between(times.captured, times.submitted));
        if let Some(end) = times.gpu_end {
            self.submit_to_gpu_end.record(between(times.submitted, end));
        }
        if let Some(last) = self.last.replace(*times) {
            let wanted = self.interval_ns.unwrap_or_else(|| between(last.captured, times.captured));
            let found = between(last.delivered, times.delivered);
            self.jitter.record(found.saturating_sub(wanted).saturating_abs());
        }
        if let Some(cpu) = frame.frame_cpu_ns {
            self.frame_cpu.record(cpu.try_into().unwrap_or(i64::MAX));
        }
        self.passes.record(frame.pass_ns);
        self.rate.record(times.delivered);
        self.frames += 1;
    }

    fn stats(&self, now: Timestamp) -> Stats {
        Stats {
            at: now,
            frames: self.frames,
            fps: self.rate.per_second(now),
            graph: self.counters.graph().counts(),
            nodes: self.counters.node_stats(),
            latency: self.latency.summary(),
            capture_to_submit: self.capture_to_submit.summary(),
            submit_to_gpu_end: self.submit_to_gpu_end.summary(),
            jitter: self.jitter.summary(),
            frame_cpu: self.frame_cpu.summary(),
            passes: self.passes.stats(),
        }
    }
}

/// Frames that were delivered while somebody read.
#[derive(Debug)]
struct Backlog {
    frames: Vec<(FrameTimes, Option<u64>, usize)>,
    pass_ns: Vec<u64>,
    /// Passes of the plan; a frame may have fewer times.
    passes: usize,
}

impl Backlog {
    fn new(passes: usize) -> Self {
        let pass_ns = Vec::with_capacity(BACKLOG * passes);
        Self { frames: Vec::with_capacity(BACKLOG), pass_ns, passes }
    }

    /// Keeps a frame if there is room.
    fn keep(&mut self, frame: &FrameRecord<'_>) -> bool {
        if self.frames.len() == BACKLOG {
            return false;
        }
        let pass_ns = &frame.pass_ns[..frame.pass_ns.len().min(self.passes)];
        self.frames.push((frame.times, frame.frame_cpu_ns, pass_ns.len()));
        self.pass_ns.extend_from_slice(pass_ns);
        true
    }

    fn write_into(&mut self, book: &mut Book) {
        let mut pass_ns = &self.pass_ns[..];
        for (times, frame_cpu_ns, passes) in self.frames.drain(..) {
            let (own, rest) = pass_ns.split_at(passes);
            book.write(&FrameRecord { times, frame_cpu_ns, pass_ns: own });
            pass_ns = rest;
        }
        self.pass_ns.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(recorder: &mut Recorder, milliseconds: i64) {
        let times = FrameTimes { delivered: Timestamp(milliseconds * 1_000_000), ..FrameTimes::default() };
        let pass_ns = &[milliseconds as u64 * 1_000_000, 7_000][..];
        recorder.record(&FrameRecord { times, frame_cpu_ns: None, pass_ns });
    }

    #[test]
    fn frames_delivered_while_somebody_reads_are_written_afterwards_in_order() {
        let (mut recorder, reader) = recorder(
            FrameCounters::default(),
            PassTimes::new(["one", "two"]),
            Some(Duration::from_millis(1)),
        );
        let reading = reader.0.clone();
        let guard = reading.lock().unwrap();
        (1..=BACKLOG as i64).for_each(|n| record(&mut recorder, n));
        assert_eq!(guard.frames, 0);
        drop(guard);
        record(&mut recorder, BACKLOG as i64 + 1);
        let stats = reader.read(Timestamp::default());
        assert_eq!(stats.frames, BACKLOG as u64 + 1);
        assert_eq!(stats.jitter.max_us, 0.0, "out of order");
        assert_eq!((stats.passes[0].gpu.max_us, stats.passes[1].gpu.max_us), (65_000.0, 7.0));
    }

    #[test]
    fn frames_delivered_while_somebody_read_are_written_when_no_other_comes() {
        let (mut recorder, reader) = recorder(FrameCounters::default(), PassTimes::default(), None);
        let reading = reader.0.clone();
        let guard = reading.lock().unwrap();
        record(&mut recorder, 1);
        recorder.catch_up();
        assert_eq!(guard.frames, 0, "it waited for nobody");
        drop(guard);
        recorder.catch_up();
        recorder.catch_up();
        assert_eq!(reader.read(Timestamp::default()).frames, 1);
    }

    #[test]
    fn a_recorder_that_ends_while_somebody_reads_leaves_nothing_unwritten() {
        let (mut recorder, reader) = recorder(FrameCounters::default(), PassTimes::default(), None);
        let reading = reader.0.clone();
        let guard = reading.lock().unwrap();
        record(&mut recorder, 1);
        drop(guard);
        drop(recorder);
        assert_eq!(reader.read(Timestamp::default()).frames, 1);
    }
}
