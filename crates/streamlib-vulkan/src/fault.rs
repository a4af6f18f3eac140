//! Makes Vulkan calls fail, and counts what is alive. Does nothing without the feature `fault-injection`.
//!
//! The state belongs to the process: tests that use it must not run at the same time.

#[cfg(feature = "fault-injection")]
pub use enabled::{Fault, arm, arm_with, disarm, live_handles};
#[cfg(feature = "fault-injection")]
pub(crate) use enabled::{created, destroyed, inject};

#[cfg(feature = "fault-injection")]
mod enabled {
    use std::collections::BTreeMap;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{MutexGuard, PoisonError};

    use ash::vk;
    use streamlib_core::sync::Mutex;

    /// How a call fails.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Fault {
        /// `VK_ERROR_OUT_OF_DEVICE_MEMORY`.
        OutOfDeviceMemory,
        /// `VK_ERROR_DEVICE_LOST`.
        DeviceLost,
        /// `VK_ERROR_INITIALIZATION_FAILED`.
        InitializationFailed,
    }

    /// Calls since the hook was armed.
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    /// The call that fails.
    static FAILING: AtomicUsize = AtomicUsize::new(0);
    /// How it fails, as a place in `RESULTS`; beyond them when the hook is not armed. No lock: the frame path's test counts
    /// those.
    static ARMED: AtomicUsize = AtomicUsize::new(usize::MAX);

    const RESULTS: [vk::Result; 3] = [
        vk::Result::ERROR_OUT_OF_DEVICE_MEMORY,
        vk::Result::ERROR_DEVICE_LOST,
        vk::Result::ERROR_INITIALIZATION_FAILED,
    ];

    static LIVE: Mutex<BTreeMap<&'static str, usize>> = Mutex::new(BTreeMap::new());

    fn live() -> MutexGuard<'static, BTreeMap<&'static str, usize>> {
        // A test that panicked elsewhere leaves counters that are still true.
        LIVE.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the `n`-th fallible Vulkan call from now (the first is 0) run out of device memory.
    pub fn arm(n: usize) {
        arm_with(n, Fault::OutOfDeviceMemory);
    }

    /// Makes the `n`-th fallible Vulkan call from now (the first is 0) fail as `fault` says.
    pub fn arm_with(n: usize, fault: Fault) {
        CALLS.store(0, Ordering::SeqCst);
        FAILING.store(n, Ordering::SeqCst);
        ARMED.store(fault as usize, Ordering::SeqCst);
    }

    /// Lets every call work again; the answer is how many were made since the hook was armed.
    pub fn disarm() -> usize {
        ARMED.store(usize::MAX, Ordering::SeqCst);
        CALLS.load(Ordering::SeqCst)
    }

    /// How many handles of each kind exist now, in the whole process. Kinds of which none exists are left out.
    #[must_use]
    pub fn live_handles() -> BTreeMap<&'static str, usize> {
        let mut live = live().clone();
        live.retain(|_, count| *count > 0);
        live
    }

    pub(crate) fn inject() -> Option<vk::Result> {
        let result = RESULTS.get(ARMED.load(Ordering::SeqCst))?;
        let call = CALLS.fetch_add(1, Ordering::SeqCst);
        (call == FAILING.load(Ordering::SeqCst)).then_some(*result)
    }

    pub(crate) fn created(kind: &'static str) {
        *live().entry(kind).or_default() += 1;
    }

    pub(crate) fn destroyed(kind: &'static str) {
        let mut live = live();
        let count = live.entry(kind).or_default();
        debug_assert!(*count > 0, "more {kind} destroyed than created");
        *count = count.saturating_sub(1);
    }
}

#[cfg(not(feature = "fault-injection"))]
pub(crate) fn inject() -> Option<ash::vk::Result> {
    None
}

#[cfg(not(feature = "fault-injection"))]
pub(crate) fn created(_kind: &'static str) {}

#[cfg(not(feature = "fault-injection"))]
pub(crate) fn destroyed(_kind: &'static str) {}
