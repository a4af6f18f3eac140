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
    use std::sync::{Mutex, MutexGuard, PoisonError};

    use ash::vk;

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

    struct State {
        calls: usize,
        armed: Option<(usize, Fault)>,
        live: BTreeMap<&'static str, usize>,
    }

    static STATE: Mutex<State> = Mutex::new(State { calls: 0, armed: None, live: BTreeMap::new() });

    fn state() -> MutexGuard<'static, State> {
        // A test that panicked elsewhere leaves counters that are still true.
        STATE.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the `n`-th fallible Vulkan call from now (the first is 0) run out of device memory.
    pub fn arm(n: usize) {
        arm_with(n, Fault::OutOfDeviceMemory);
    }

    /// Makes the `n`-th fallible Vulkan call from now (the first is 0) fail as `fault` says.
    pub fn arm_with(n: usize, fault: Fault) {
        let mut state = state();
        state.calls = 0;
        state.armed = Some((n, fault));
    }

    /// Lets every call work again; the answer is how many were made since the hook was armed.
    pub fn disarm() -> usize {
        let mut state = state();
        state.armed = None;
        state.calls
    }

    /// How many handles of each kind exist now, in the whole process. Kinds of which none exists are left out.
    #[must_use]
    pub fn live_handles() -> BTreeMap<&'static str, usize> {
        let mut live = state().live.clone();
        live.retain(|_, count| *count > 0);
        live
    }

    pub(crate) fn inject() -> Option<vk::Result> {
        let mut state = state();
        let (n, fault) = state.armed?;
        let call = state.calls;
        state.calls += 1;
        (call == n).then_some(match fault {
            Fault::OutOfDeviceMemory => vk::Result::ERROR_OUT_OF_DEVICE_MEMORY,
            Fault::DeviceLost => vk::Result::ERROR_DEVICE_LOST,
            Fault::InitializationFailed => vk::Result::ERROR_INITIALIZATION_FAILED,
        })
    }

    pub(crate) fn created(kind: &'static str) {
        *state().live.entry(kind).or_default() += 1;
    }

    pub(crate) fn destroyed(kind: &'static str) {
        let mut state = state();
        let count = state.live.entry(kind).or_default();
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
