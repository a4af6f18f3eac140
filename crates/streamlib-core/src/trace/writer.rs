//! Writes events as a trace.

use std::io::{self, Write};
use std::sync::Arc;

use super::event::{FrameTrace, PassTrace, TraceEvent, TraceNames};
use super::json::{Args, Event};
use super::lanes::{LANES, Lanes};
use crate::account::DropReason;
use crate::frame::Timestamp;

/// Bytes that are written at once.
const CHUNK: usize = 64 * 1024;
const OPENING: &[u8] = b"[\n";
/// The format wants a process; a trace has one.
const PID: u32 = 1;

/// A row of the picture, top first.
#[derive(Clone, Copy, Debug)]
enum Track {
    Capture,
    Wait,
    Submit,
    Gpu,
    Deliver,
    Events,
}

impl Track {
    const ALL: [Self; 6] = [Self::Capture, Self::Wait, Self::Submit, Self::Gpu, Self::Deliver, Self::Events];

    fn name(self) -> &'static str {
        ["capture", "wait", "submit", "GPU", "deliver", "events"][self as usize]
    }
}

/// The stretch of a frame's life on one track.
#[derive(Clone, Copy, Debug)]
struct Slice<'a> {
    track: Track,
    name: &'a str,
    frame: u64,
    begin: Timestamp,
    end: Timestamp,
}

/// Writes one trace. The output is an array whose end may be missing: viewers accept that, so a trace of a process that was
/// killed can be read.
#[derive(Debug)]
pub(super) struct Writer<W> {
    out: W,
    /// Whole lines that are not written yet.
    lines: Vec<u8>,
    names: Arc<TraceNames>,
    lanes: [Lanes; Track::ALL.len()],
    /// Time of the newest event, for those that have none of their own.
    newest: Timestamp,
    left_out: u64,
}

impl<W: Write> Writer<W> {
    pub(super) fn new(out: W, names: Arc<TraceNames>) -> io::Result<Self> {
        let mut writer = Self {
            out,
            lines: Vec::with_capacity(2 * CHUNK),
            names,
            lanes: Default::default(),
            newest: Timestamp::default(),
            left_out: 0,
        };
        let names = writer.names.clone();
        writer.lines.extend_from_slice(OPENING);
        writer.metadata("process_name", 0, Args { name: Some(&names.title), ..Args::default() })?;
        writer.open_lane(Track::Events, 0)?;
        Ok(writer)
    }

    pub(super) fn write(&mut self, event: &TraceEvent) -> io::Result<()> {
        match event {
            TraceEvent::Frame(frame) => self.frame(frame),
            TraceEvent::Pass(pass) => self.pass(pass),
            TraceEvent::Drop { at, node, reason } => self.drop_of(*at, *node, *reason),
            TraceEvent::Swap { at, names } => {
                self.names = names.clone();
                let args = Args { name: Some(&names.title), ..Args::default() };
                self.instant(*at, "plan swapped", "swap", args)
            }
            TraceEvent::Queue { at, queue, length } => {
                let names = self.names.clone();
                let args = Args { count: Some((*length).into()), ..Args::default() };
                let name = entry(&names.queues, *queue);
                self.put(&Event { name, cat: "queue", ph: "C", ts: *at, args, ..Event::default() })
            }
        }
    }

    fn frame(&mut self, frame: &FrameTrace) -> io::Result<()> {
        let FrameTrace { number, times } = *frame;
        let slice = |track, name, begin, end| Slice { track, name, frame: number, begin, end };
        let done = times.gpu_end.unwrap_or(times.submitted);
        let captured = self.slice(&slice(Track::Capture, "capture", times.captured, times.arrived))?;
        self.flow("s", captured, number, times.captured)?;
        self.slice(&slice(Track::Wait, "wait for the frame thread", times.arrived, times.submitted))?;
        if let Some(begin) = times.gpu_begin {
            let submitted = self.slice(&slice(Track::Submit, "wait for the GPU", times.submitted, begin))?;
            self.flow("t", submitted, number, times.submitted)?;
        }
        let delivered = self.slice(&slice(Track::Deliver, "deliver", done, times.delivered))?;
        self.flow("f", delivered, number, done)
    }

    fn pass(&mut self, pass: &PassTrace) -> io::Result<()> {
        let names = self.names.clone();
        let PassTrace { frame, begin, end, .. } = *pass;
        let name = entry(&names.passes, pass.pass);
        self.slice(&Slice { track: Track::Gpu, name, frame, begin, end }).map(drop)
    }

    fn drop_of(&mut self, at: Timestamp, node: Option<u16>, reason: DropReason) -> io::Result<()> {
        let names = self.names.clone();
        let node = node.map_or("graph", |node| entry(&names.nodes, node));
        let args = Args { name: Some(node), reason: Some(reason.text()), ..Args::default() };
        self.instant(at, "frame dropped", "drop", args)
    }

    /// Says that `count` events are missing here.
    pub(super) fn leave_out(&mut self, count: u64) -> io::Result<()> {
        self.left_out += count;
        let args = Args { count: Some(count), ..Args::default() };
        self.instant(self.newest, "trace events left out", "trace", args)
    }

    /// Events that the trace lacks.
    pub(super) fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Writes a slice; returns the row that it is in.
    fn slice(&mut self, slice: &Slice<'_>) -> io::Result<u32> {
        let Slice { track, name, frame, begin, end } = *slice;
        // Clocks that disagree give a slice of no length.
        let end = end.max(begin);
        let (lane, new) = self.lanes[track as usize].place(begin, end);
        if new {
            self.open_lane(track, lane)?;
        }
        let (dur, args) =
            (Timestamp(end.0.saturating_sub(begin.0)), Args { frame: Some(frame), ..Args::default() });
        let tid = row(track, lane);
        self.put(&Event {
            name,
            cat: "frame",
            ph: "X",
            tid,
            ts: begin,
            dur: Some(dur),
            args,
            ..Event::default()
        })?;
        Ok(tid)
    }

    /// Begins, continues or ends the arrow from a frame's capture to its delivery, in the slice at `tid` that begins `at`.
    fn flow(&mut self, phase: &'static str, tid: u32, frame: u64, at: Timestamp) -> io::Result<()> {
        let bp = (phase == "f").then_some("e");
        let event = Event {
            name: "frame",
            cat: "frame",
            ph: phase,
            tid,
            ts: at,
            id: Some(frame),
            bp,
            ..Event::default()
        };
        self.put(&event)
    }

    fn instant(&mut self, at: Timestamp, name: &str, cat: &str, args: Args<'_>) -> io::Result<()> {
        let tid = row(Track::Events, 0);
        self.put(&Event { name, cat, ph: "i", tid, ts: at, s: Some("t"), args, ..Event::default() })
    }

    fn open_lane(&mut self, track: Track, lane: usize) -> io::Result<()> {
        let tid = row(track, lane);
        let numbered = format!("{} {}", track.name(), lane + 1);
        let name = if lane == 0 { track.name() } else { numbered.as_str() };
        self.metadata("thread_name", tid, Args { name: Some(name), ..Args::default() })?;
        self.metadata("thread_sort_index", tid, Args { sort_index: Some(tid), ..Args::default() })
    }

    fn metadata(&mut self, name: &str, tid: u32, args: Args<'_>) -> io::Result<()> {
        self.put(&Event { name, cat: "__metadata", ph: "M", tid, args, ..Event::default() })
    }

    fn put(&mut self, event: &Event<'_>) -> io::Result<()> {
        self.newest = self.newest.max(event.ts);
        if self.lines != OPENING {
            self.lines.extend_from_slice(b",\n");
        }
        serde_json::to_writer(&mut self.lines, &Event { pid: PID, ..*event })?;
        if self.lines.len() >= CHUNK { self.flush() } else { Ok(()) }
    }

    /// Writes whole events only, so that what a reader finds is never cut within one.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.write_all(&self.lines)?;
        self.lines.clear();
        self.out.flush()
    }

    /// Completes the array.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.lines.extend_from_slice(b"\n]\n");
        self.flush()
    }
}

fn row(track: Track, lane: usize) -> u32 {
    (track as usize * LANES + lane + 1) as u32
}

/// A name that is missing is a fault of whoever sent the event; the trace goes on.
fn entry(names: &[String], index: u16) -> &str {
    names.get(usize::from(index)).map_or("unnamed", String::as_str)
}
