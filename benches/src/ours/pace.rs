//! Frames at a steady rate, as a camera would bring them.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::Fallible;
use crate::peers::protocol::{Answer, Request};

/// Has `run` make a frame at each tick.
pub(crate) fn measure(request: &Request, mut run: impl FnMut(usize) -> Fallible<()>) -> Fallible<Answer> {
    for frame in 0..request.warmup {
        run(frame)?;
    }
    let period = Duration::from_nanos(request.period_ns.ok_or("paced work needs a period")?);
    // Nobody sends: receiving with a time limit waits for the tick.
    let (_sender, clock) = mpsc::channel::<()>();
    let mut answer = Answer::default();
    let cpu = cpu_ns()?;
    let first = Instant::now() + period;
    let mut tick = first;
    for frame in 0..request.frames {
        // The only way that this ends is by time.
        let _ = clock.recv_timeout(tick.saturating_duration_since(Instant::now()));
        let late = tick.elapsed();
        run(frame)?;
        let latency = tick.elapsed();
        answer.wall_ns.push(latency.as_nanos() as u64);
        answer.late_ns.push(late.as_nanos() as u64);
        if first.elapsed().as_secs_f64() > request.seconds {
            break;
        }
        // A frame whose tick has passed is skipped, as a camera's would be.
        let passed = latency.as_nanos().div_ceil(period.as_nanos()).max(1);
        tick += period * passed as u32;
    }
    answer.cpu_ns = Some(cpu_ns()? - cpu);
    Ok(answer)
}

/// CPU time of this process so far, in the kernel's ticks of 10 ms.
fn cpu_ns() -> Fallible<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // The name of the program, in parentheses, may hold spaces; user and system time are 12th and 13th after it.
    let after = stat.rsplit(')').next().unwrap_or_default();
    let ticks: Vec<u64> =
        after.split_whitespace().skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
    Ok(ticks.iter().sum::<u64>() * 10_000_000)
}
