//! Where a thread may run.

use std::io;

use crate::sys;

/// A thread gives up a part of its CPUs at most, one in so many: with fewer, threads would get in each other's way, which is worse.
const PART: usize = 4;

/// The CPUs that a thread of this process may run on, to be narrowed by another of its threads.
#[derive(Debug)]
pub struct Affinity {
    thread: i32,
    /// Those that it was allowed to begin with.
    allowed: Vec<usize>,
}

impl Affinity {
    /// That of the calling thread.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn of_this_thread() -> io::Result<Self> {
        let thread = sys::thread::current();
        Ok(Self { thread, allowed: sys::thread::allowed_cpus(thread)? })
    }

    /// Keeps the thread off `cpus`, and lets it go back to all others that it was allowed to begin with. Whether it is kept off:
    /// where this would cost it more than a quarter of its CPUs, it may run on all of them.
    ///
    /// # Errors
    /// When the thread is gone, or the system takes CPUs away from this process.
    pub fn keep_off(&self, cpus: &[usize]) -> io::Result<bool> {
        let left = without(&self.allowed, cpus);
        sys::thread::allow_cpus(self.thread, left.as_ref().unwrap_or(&self.allowed))?;
        Ok(left.is_some())
    }
}

/// What is left of `allowed` without `cpus`, if that is enough.
fn without(allowed: &[usize], cpus: &[usize]) -> Option<Vec<usize>> {
    let left: Vec<usize> = allowed.iter().copied().filter(|cpu| !cpus.contains(cpu)).collect();
    ((allowed.len() - left.len()) * PART <= allowed.len()).then_some(left)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::thread;

    use super::*;

    #[test]
    fn a_quarter_of_the_cpus_is_given_up_at_most() {
        let many: Vec<usize> = (0..8).collect();
        assert_eq!(without(&many, &[6, 2]).unwrap(), [0, 1, 3, 4, 5, 7]);
        assert_eq!(without(&many, &[]).unwrap(), many);
        assert_eq!(without(&many, &[8, 9, 1000, 3]).unwrap(), [0, 1, 2, 4, 5, 6, 7]);
        for (allowed, cpus) in [(&many[..], &[0, 1, 2][..]), (&many[..3], &[1]), (&many[..1], &[0])] {
            assert_eq!(without(allowed, cpus), None, "{allowed:?} without {cpus:?}");
        }
    }

    #[test]
    fn a_thread_is_kept_off_and_comes_back() {
        let (told, tell) = channel();
        let (end, wait) = channel::<()>();
        let other = thread::spawn(move || {
            told.send(Affinity::of_this_thread().unwrap()).unwrap();
            let _ended = wait.recv();
        });
        let affinity = tell.recv().unwrap();
        let now = || sys::thread::allowed_cpus(affinity.thread).unwrap();
        let all = affinity.allowed.clone();
        for lost in 0..=all.len() {
            let (lost, left) = all.split_at(lost);
            let may_lose = lost.len() * PART <= all.len();
            assert_eq!(affinity.keep_off(lost).unwrap(), may_lose, "{lost:?} of {all:?}");
            assert_eq!(now(), if may_lose { left } else { &all });
        }
        assert!(affinity.keep_off(&[libc::CPU_SETSIZE as usize]).unwrap(), "one that it never had");
        assert_eq!(now(), all);
        drop(end);
        other.join().unwrap();
    }
}
