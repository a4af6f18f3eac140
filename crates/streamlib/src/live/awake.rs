//! Threads that look for work without sleeping, kept off the CPUs that serve the GPU's interrupts: there the kernel would hold them up
//! just when the GPU has finished.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use streamlib_core::gpu::DeviceInfo;
use streamlib_linux::realtime::{Affinity, DeviceInterrupts};

/// Those of a live graph.
#[derive(Debug)]
pub(crate) struct AwakeThreads {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// None where nobody stays awake, and of devices of which the system does not tell.
    interrupts: Option<DeviceInterrupts>,
    /// CPUs that were last seen to serve them.
    busy: Vec<usize>,
    threads: BTreeMap<u64, Affinity>,
    entered: u64,
}

impl AwakeThreads {
    /// For a graph whose threads stay awake for so long around a frame.
    pub(super) fn new(device: &DeviceInfo, awake: Duration) -> Arc<Self> {
        let address = device.pci_address.as_deref().filter(|_| !awake.is_zero());
        let interrupts = address.and_then(|address| {
            DeviceInterrupts::of_pci_device(address)
                .inspect_err(|error| tracing::debug!("who serves the GPU's interrupts is not known: {error}"))
                .ok()
        });
        Arc::new(Self { state: Mutex::new(State { interrupts, ..State::default() }) })
    }

    /// The calling thread stays awake until it drops this.
    pub(super) fn enter(self: &Arc<Self>) -> Option<Entered> {
        let mut state = self.state();
        state.interrupts.as_ref()?;
        let affinity = Affinity::of_this_thread().ok()?;
        if !state.busy.is_empty() {
            keep_off(&affinity, &state.busy);
        }
        state.entered += 1;
        let number = state.entered;
        state.threads.insert(number, affinity);
        Some(Entered { all: self.clone(), number })
    }

    /// Sees who serves the GPU's interrupts by now.
    pub(super) fn step_aside(&self) {
        let mut state = self.state();
        let Some(interrupts) = &mut state.interrupts else { return };
        let busy = match interrupts.served_since() {
            Ok(busy) => busy,
            Err(error) => {
                tracing::debug!("who serves the GPU's interrupts is no longer known: {error}");
                state.interrupts = None;
                return;
            }
        };
        // A GPU that nobody sleeps for may not interrupt anybody for a while.
        if busy.is_empty() || busy == state.busy {
            return;
        }
        state.threads.values().for_each(|thread| keep_off(thread, &busy));
        state.busy = busy;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn keep_off(thread: &Affinity, cpus: &[usize]) {
    if let Err(error) = thread.keep_off(cpus) {
        tracing::debug!("a thread stays on CPUs that serve the GPU: {error}");
    }
}

/// A thread that stays awake.
#[derive(Debug)]
pub(super) struct Entered {
    all: Arc<AwakeThreads>,
    number: u64,
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.all.state().threads.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_are_known_for_as_long_as_they_stay() {
        let interrupts =
            std::fs::read_dir("/sys/bus/pci/devices").ok().and_then(|mut devices| devices.next());
        let address = interrupts.map(|device| device.unwrap().file_name().into_string().unwrap());
        let device =
            DeviceInfo { name: "a GPU".into(), is_cpu: false, max_texture_size: 1, pci_address: address };
        for (awake, may_know) in
            [(Duration::ZERO, false), (Duration::from_millis(2), device.pci_address.is_some())]
        {
            let threads = AwakeThreads::new(&device, awake);
            let (first, second) = (threads.enter(), threads.enter());
            assert_eq!((first.is_some(), second.is_some()), (may_know, may_know));
            threads.step_aside();
            assert_eq!(threads.state().threads.len(), if may_know { 2 } else { 0 });
            drop(first);
            assert_eq!(threads.state().threads.len(), usize::from(may_know));
        }
    }

    #[test]
    fn a_device_that_cannot_be_looked_at_changes_nothing() {
        for address in [None, Some("ffff:ff:1f.7".to_owned())] {
            let device =
                DeviceInfo { name: "a GPU".into(), is_cpu: false, max_texture_size: 1, pci_address: address };
            let threads = AwakeThreads::new(&device, Duration::from_millis(2));
            assert!(threads.enter().is_none());
            threads.step_aside();
        }
    }
}
