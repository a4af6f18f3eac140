//! How long a frame takes from one process to another: from the call that publishes it to the return of the call that takes it.
//!
//! `cargo run --release -p streamlib-share --example handoff`. One process publishes 2,000 frames a second, another takes them,
//! first asleep between two frames, as programs do, then looking all the time. Both threads ask for real-time priority and a CPU of
//! their own, as those of the runtime do that frames wait for.
#![allow(clippy::print_stdout, reason = "a program that measures says what it found")]

use std::error::Error;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use streamlib_core::format::Size;
use streamlib_core::frame::FrameMeta;
use streamlib_linux::realtime::{ThreadRequest, prepare_thread};
use streamlib_share::{
    BufferDescription, BufferKind, FormatCode, Publisher, PublisherOptions, Reader, ReaderOptions,
};

const SURFACE: &str = "handoff";
const FRAMES: usize = 4_000;
const PERIOD: Duration = Duration::from_micros(500);
/// In the environment of the process that reads: how it waits.
const READS: &str = "STREAMLIB_HANDOFF_READS";

fn now_ns() -> i64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec * 1_000_000_000 + now.tv_nsec
}

fn print(what: &str, mut times: Vec<i64>) {
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize] as f64 / 1_000.0;
    let (p50, p99, p999, max) = (at(0.5), at(0.99), at(0.999), at(1.0));
    println!(
        "{what:<34} p50 {p50:8.2}  p99 {p99:8.2}  p99.9 {p999:8.2}  max {max:8.2} µs  ({} frames)",
        times.len()
    );
}

/// Makes this thread one that keeps time, as far as the system lets it.
fn prepare(name: &str, cpu: usize) {
    let request = ThreadRequest { name: name.to_owned(), priority: Some(10), cpu: Some(cpu) };
    for refused in prepare_thread(&request).refused {
        println!("{refused}");
    }
}

/// Takes frames until it has most of them.
fn read(waits: bool) -> Result<(), Box<dyn Error>> {
    prepare("reader", 1);
    let patience = Duration::from_secs(10);
    let mut reader = Reader::open(SURFACE, &ReaderOptions { patience, ..Default::default() })?;
    let mut times = Vec::with_capacity(FRAMES);
    let timeout = if waits { Duration::from_secs(1) } else { Duration::ZERO };
    while times.len() < FRAMES * 9 / 10 {
        if let Some(frame) = reader.acquire(timeout)? {
            times.push(now_ns() - frame.published().0);
        }
    }
    print(if waits { "publish to acquire, asleep" } else { "publish to acquire, awake" }, times);
    Ok(())
}

fn publish(broker: &Path, reads: &str) -> Result<(), Box<dyn Error>> {
    let options = PublisherOptions { broker: Some(broker.to_owned()), ..Default::default() };
    let mut publisher = Publisher::create(SURFACE, &options)?;
    let description = BufferDescription {
        kind: BufferKind::Memory,
        size: Size::new(1920, 1080),
        format: FormatCode(1),
        allocation: 0,
        tiling: 0,
        offset: 0,
        pitch: 0,
        device: [0; 16],
        driver: [0; 16],
    };
    let buffer = publisher.add_buffer(description, || Ok(std::fs::File::open("/dev/zero")?.into()));
    let mut reader = Command::new(std::env::current_exe()?)
        .env(READS, reads)
        .env("STREAMLIB_BROKER", broker)
        .stdin(Stdio::null())
        .spawn()?;
    prepare("publisher", 0);
    let mut calls = Vec::with_capacity(FRAMES);
    let mut due = now_ns();
    while reader.try_wait()?.is_none() {
        due += PERIOD.as_nanos() as i64;
        let left = Duration::from_nanos(due.saturating_sub(now_ns()).max(0) as u64);
        rustix::event::poll(&mut [], Some(&left.try_into()?))?;
        let before = now_ns();
        let published = publisher.publish(&buffer, &FrameMeta::default(), ());
        calls.push(now_ns() - before);
        published.map_err(|()| "the reader holds everything")?;
    }
    print(&format!("the call of publish, reader {reads}"), calls);
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    if let Ok(reads) = std::env::var(READS) {
        return read(reads == "asleep");
    }
    let broker = std::env::temp_dir().join(format!("streamlib-handoff-{}.sock", std::process::id()));
    for reads in ["asleep", "awake"] {
        // A thread of its own, whose place the next reader does not inherit.
        let published = thread::scope(|scope| {
            scope.spawn(|| publish(&broker, reads).map_err(|error| error.to_string())).join()
        });
        published.map_err(|_panic| "the publisher has panicked")??;
    }
    Ok(())
}
