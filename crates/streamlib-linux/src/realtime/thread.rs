//! Getting the calling thread ready for work with deadlines.

use std::ffi::CString;
use std::io;

use crate::sys;

/// Bytes of a name that the kernel keeps.
const NAME_BYTES: usize = 15;
/// Wake-ups as exact as the kernel can; by default it may be 50 µs late.
const TIMER_SLACK_NS: u32 = 1;

/// What a thread would like to be. What the system refuses, it does without.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ThreadRequest {
    /// Name, as `top -H` and debuggers show it: the first 15 bytes.
    pub name: String,
    /// Level of `SCHED_FIFO`, 1 (lowest) to 99: the thread runs before all ordinary ones.
    pub priority: Option<u8>,
    /// The only CPU to run on.
    pub cpu: Option<usize>,
}

/// What a thread has become.
#[derive(Debug, Default)]
pub struct ThreadOutcome {
    /// Its level of `SCHED_FIFO`; none if it is an ordinary thread.
    pub priority: Option<u8>,
    /// The only CPU that it runs on; none if it runs on any.
    pub cpu: Option<usize>,
    /// What the system refused, for the user to act on. Everything works without it, at worse times.
    pub refused: Vec<ThreadRefusal>,
}

/// Something that the system refused a thread.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ThreadRefusal {
    /// This process may not have real-time threads, or none of this level.
    #[error(
        "SCHED_FIFO at level {level} was refused to thread `{thread}`: give the process CAP_SYS_NICE, or an rtprio \
         limit of at least {level} (`ulimit -r {level}`, /etc/security/limits.conf)"
    )]
    PriorityDenied {
        /// The thread.
        thread: String,
        /// The level that was asked for.
        level: u8,
    },
    /// There is no such level.
    #[error("thread `{thread}` was to have SCHED_FIFO level {level}: choose one from {lowest} to {highest}")]
    NoSuchPriority {
        /// The thread.
        thread: String,
        /// The level that was asked for.
        level: u8,
        /// Lowest level.
        lowest: i32,
        /// Highest level.
        highest: i32,
    },
    /// There is no such CPU, or this process may not use it.
    #[error(
        "thread `{thread}` cannot run on CPU {cpu}: choose one of {allowed:?}, or allow this process more of them \
         (taskset, the cgroup's cpuset)"
    )]
    NoSuchCpu {
        /// The thread.
        thread: String,
        /// The CPU that was asked for.
        cpu: usize,
        /// The CPUs that this thread may run on.
        allowed: Vec<usize>,
    },
    /// The system refused for another reason.
    #[error("the system refused to {action} of thread `{thread}`: {source}; it runs on without")]
    Other {
        /// The thread.
        thread: String,
        /// What was asked of the system.
        action: &'static str,
        /// Its answer.
        source: io::Error,
    },
}

/// Names the calling thread, lets it be woken exactly, and gives it priority and place as far as the system allows.
#[must_use = "it says what was refused"]
pub fn prepare_thread(request: &ThreadRequest) -> ThreadOutcome {
    let mut outcome = ThreadOutcome::default();
    let other = |action| {
        let thread = request.name.clone();
        move |source| ThreadRefusal::Other { thread, action, source }
    };
    if let Err(refusal) = sys::thread::set_name(&kernel_name(&request.name)).map_err(other("set the name")) {
        outcome.refused.push(refusal);
    }
    let slack = sys::clock::set_timer_slack(TIMER_SLACK_NS).map_err(other("set the timer slack"));
    outcome.refused.extend(slack.err());
    // The place first: a thread that has priority already would push others aside while it moves.
    if let Some(cpu) = request.cpu {
        match pin(&request.name, cpu) {
            Ok(()) => outcome.cpu = Some(cpu),
            Err(refusal) => outcome.refused.push(refusal),
        }
    }
    if let Some(level) = request.priority {
        match raise(&request.name, level) {
            Ok(()) => outcome.priority = Some(level),
            Err(refusal) => outcome.refused.push(refusal),
        }
    }
    outcome
}

/// As much of `name` as fits, in whole characters.
fn kernel_name(name: &str) -> CString {
    let mut kept = String::new();
    for c in name.chars().filter(|&c| c != '\0') {
        if kept.len() + c.len_utf8() > NAME_BYTES {
            break;
        }
        kept.push(c);
    }
    CString::new(kept).unwrap_or_default()
}

fn pin(thread: &str, cpu: usize) -> Result<(), ThreadRefusal> {
    let thread = || thread.to_owned();
    let refused = |action| move |source| ThreadRefusal::Other { thread: thread(), action, source };
    let allowed = sys::thread::allowed_cpus(0).map_err(refused("list the CPUs"))?;
    if !allowed.contains(&cpu) {
        return Err(ThreadRefusal::NoSuchCpu { thread: thread(), cpu, allowed });
    }
    sys::thread::allow_cpus(0, &[cpu]).map_err(refused("set the CPU"))
}

fn raise(thread: &str, level: u8) -> Result<(), ThreadRefusal> {
    let (thread, levels) = (thread.to_owned(), sys::thread::fifo_levels());
    if !levels.contains(&i32::from(level)) {
        let (lowest, highest) = levels.into_inner();
        return Err(ThreadRefusal::NoSuchPriority { thread, level, lowest, highest });
    }
    sys::thread::set_fifo(level.into()).map_err(|source| match source.kind() {
        io::ErrorKind::PermissionDenied => ThreadRefusal::PriorityDenied { thread, level },
        _ => ThreadRefusal::Other { thread, action: "set the priority", source },
    })
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    /// Prepares a thread of its own, and looks at it from within.
    fn prepared<R: Send>(request: &ThreadRequest, look: impl FnOnce(ThreadOutcome) -> R + Send) -> R {
        thread::scope(|scope| scope.spawn(|| look(prepare_thread(request))).join().unwrap())
    }

    fn named(name: &str) -> ThreadRequest {
        ThreadRequest { name: name.to_owned(), ..ThreadRequest::default() }
    }

    fn texts(outcome: &ThreadOutcome) -> Vec<String> {
        outcome.refused.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_kernel_knows_the_thread_by_as_much_of_its_name_as_fits() {
        for (name, expected) in [
            ("frames", "frames"),
            ("streamlib-frame-thread", "streamlib-frame"),
            ("Bildausgabe-öäü", "Bildausgabe-ö"),
            ("a\0b", "ab"),
            ("", ""),
        ] {
            let found = prepared(&named(name), |outcome| {
                assert_eq!(texts(&outcome), [""; 0]);
                std::fs::read_to_string("/proc/thread-self/comm").unwrap()
            });
            assert_eq!(found.trim_end_matches('\n'), expected);
        }
    }

    #[test]
    fn priority_is_in_force_or_refused_in_words_that_help() {
        let request = ThreadRequest { priority: Some(10), ..named("frames") };
        prepared(&request, |outcome| {
            let (policy, level) = sys::thread::scheduling().unwrap();
            if outcome.priority.is_some() {
                assert_eq!((policy, level), (libc::SCHED_FIFO, 10));
                let child = thread::spawn(|| sys::thread::scheduling().unwrap());
                assert_eq!(child.join().unwrap(), (libc::SCHED_OTHER, 0), "a thread's children are ordinary");
            } else {
                assert_eq!((policy, level), (libc::SCHED_OTHER, 0));
                let texts = texts(&outcome);
                assert!(texts[0].contains("CAP_SYS_NICE") && texts[0].contains("ulimit -r 10"), "{texts:?}");
                println!("SKIPPED: SCHED_FIFO in force: {}", texts[0]);
            }
        });
    }

    #[test]
    fn a_level_that_does_not_exist_is_refused() {
        for level in [0, 100, 255] {
            let request = ThreadRequest { priority: Some(level), ..named("frames") };
            let outcome = prepared(&request, |outcome| outcome);
            assert!(texts(&outcome)[0].contains("from 1 to 99") && outcome.priority.is_none());
        }
    }

    #[test]
    fn a_pinned_thread_may_run_on_its_cpu_only() {
        let cpu = *sys::thread::allowed_cpus(0).unwrap().last().unwrap();
        let request = ThreadRequest { cpu: Some(cpu), ..named("frames") };
        prepared(&request, |outcome| {
            if outcome.cpu.is_none() {
                println!("SKIPPED: this system pins no thread: {:?}", texts(&outcome));
                return;
            }
            assert_eq!(sys::thread::allowed_cpus(0).unwrap(), [cpu]);
        });
    }

    #[test]
    fn a_cpu_that_does_not_exist_is_refused_and_the_others_are_named() {
        for cpu in [1_000, 1_024, usize::MAX] {
            let request = ThreadRequest { cpu: Some(cpu), ..named("frames") };
            let outcome = prepared(&request, |outcome| outcome);
            let allowed = sys::thread::allowed_cpus(0).unwrap();
            assert!(texts(&outcome)[0].contains(&format!("choose one of {allowed:?}")), "{outcome:?}");
        }
    }
}
