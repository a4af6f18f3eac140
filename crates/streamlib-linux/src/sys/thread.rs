//! Name, priority and place of threads.

use std::ffi::CStr;
use std::io;
use std::mem;
use std::ops::RangeInclusive;

fn check(result: libc::c_int) -> io::Result<()> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Names the calling thread; the kernel cuts off what exceeds 15 bytes.
pub(crate) fn set_name(name: &CStr) -> io::Result<()> {
    // SAFETY: the string ends with a null byte and lives beyond the call, which copies it.
    check(unsafe { libc::prctl(libc::PR_SET_NAME, name.as_ptr()) })
}

/// Levels that `SCHED_FIFO` has.
pub(crate) fn fifo_levels() -> RangeInclusive<i32> {
    // SAFETY: takes a number and touches no memory of this process.
    unsafe { libc::sched_get_priority_min(libc::SCHED_FIFO)..=libc::sched_get_priority_max(libc::SCHED_FIFO) }
}

/// Puts the calling thread under `SCHED_FIFO`; threads that it starts are ordinary ones.
pub(crate) fn set_fifo(level: i32) -> io::Result<()> {
    // SAFETY: every bit pattern is a `sched_param`, which has further fields on some targets.
    let mut param: libc::sched_param = unsafe { mem::zeroed() };
    param.sched_priority = level;
    // SAFETY: 0 is the calling thread, and `param` is borrowed for the call.
    check(unsafe {
        libc::sched_setscheduler(0, libc::SCHED_FIFO | libc::SCHED_RESET_ON_FORK, &raw const param)
    })
}

/// The calling thread, as other threads of its process name it to the kernel.
pub(crate) fn current() -> libc::pid_t {
    // SAFETY: takes nothing and touches no memory of this process.
    unsafe { libc::gettid() }
}

/// CPUs that a thread of this process may run on; 0 is the calling one.
pub(crate) fn allowed_cpus(thread: libc::pid_t) -> io::Result<Vec<usize>> {
    // SAFETY: a CPU set is a bit mask, for which zeros are valid.
    let mut set: libc::cpu_set_t = unsafe { mem::zeroed() };
    // SAFETY: `set`, of the size given, is exclusively borrowed for the call.
    check(unsafe { libc::sched_getaffinity(thread, size_of::<libc::cpu_set_t>(), &raw mut set) })?;
    let cpus = 0..libc::CPU_SETSIZE as usize;
    // SAFETY: each index is below the number of bits in the set.
    Ok(cpus.filter(|&cpu| unsafe { libc::CPU_ISSET(cpu, &set) }).collect())
}

/// Lets a thread of this process run on `cpus` only; 0 is the calling one.
pub(crate) fn allow_cpus(thread: libc::pid_t, cpus: &[usize]) -> io::Result<()> {
    // SAFETY: a CPU set is a bit mask, for which zeros are valid.
    let mut set: libc::cpu_set_t = unsafe { mem::zeroed() };
    for &cpu in cpus {
        if cpu >= libc::CPU_SETSIZE as usize {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        // SAFETY: the index is below the number of bits in the set.
        unsafe { libc::CPU_SET(cpu, &mut set) };
    }
    // SAFETY: `set`, of the size given, is borrowed for the call.
    check(unsafe { libc::sched_setaffinity(thread, size_of::<libc::cpu_set_t>(), &raw const set) })
}

/// Policy and level of the calling thread, as the kernel has them.
#[cfg(test)]
pub(crate) fn scheduling() -> io::Result<(i32, i32)> {
    // SAFETY: 0 is the calling thread.
    let policy = unsafe { libc::sched_getscheduler(0) };
    check(policy.min(0))?;
    // SAFETY: every bit pattern is a `sched_param`, which has further fields on some targets.
    let mut param: libc::sched_param = unsafe { mem::zeroed() };
    // SAFETY: 0 is the calling thread, and `param` is exclusively borrowed for the call.
    check(unsafe { libc::sched_getparam(0, &raw mut param) })?;
    Ok((policy & !libc::SCHED_RESET_ON_FORK, param.sched_priority))
}
