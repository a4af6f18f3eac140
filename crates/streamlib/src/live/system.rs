//! Surfaces, and screens without a window system, where they exist.

#[cfg(target_os = "linux")]
pub(super) use super::awake::AwakeThreads;
#[cfg(target_os = "linux")]
pub(super) use super::publish::{Publication, open};
#[cfg(target_os = "linux")]
pub(super) use super::scanout::{ScanoutJob, ScanoutScreen, open_screen};
#[cfg(target_os = "linux")]
pub(crate) use super::subscribe::SurfaceSource;
#[cfg(target_os = "linux")]
pub(super) use super::subscribe::{SurfaceJob, SurfaceThread};

#[cfg(not(target_os = "linux"))]
pub(crate) use elsewhere::*;

/// There are none on other systems.
#[cfg(not(target_os = "linux"))]
mod elsewhere {
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;
    use std::time::Duration;

    use streamlib_core::account::{DropReason, NodeCounters};
    use streamlib_core::format::{Size, TextureFormat};
    use streamlib_core::gpu::DeviceInfo;
    use streamlib_core::live::AtOnce;
    use streamlib_core::mailbox::{Listener, Receiver};
    use streamlib_vulkan::VulkanGpu;

    use crate::display::DisplayError;
    use crate::live::LiveFrame;
    use crate::live::driver::Arrivals;
    use crate::live::event::Events;
    use crate::live::pulse::Pulse;
    use crate::live::showing::ScreenFacts;
    use crate::runtime::StreamRuntime;
    use crate::scanout::ScanoutOptions;
    use crate::surface::{PublishOptions, ReadOptions, SurfaceError};

    /// The system does not tell who serves the GPU's interrupts.
    #[derive(Debug)]
    pub(crate) struct AwakeThreads;

    impl AwakeThreads {
        pub(crate) fn new(_: &DeviceInfo, _: Duration) -> Arc<Self> {
            Arc::new(Self)
        }

        pub(crate) fn enter(self: &Arc<Self>) -> Option<Nothing> {
            None
        }

        pub(crate) fn step_aside(&self) {}
    }

    /// Never there.
    #[derive(Debug)]
    pub(crate) enum Nothing {}

    #[derive(Debug)]
    pub(crate) enum Publication {}

    impl Publication {
        pub(crate) fn with_events(self, _: &Arc<Events>) -> Self {
            match self {}
        }
    }

    impl AtOnce<VulkanGpu> for Publication {
        fn take(&mut self, _: LiveFrame) -> Result<(), DropReason> {
            match *self {}
        }

        fn let_go(&mut self) {
            match *self {}
        }
    }

    /// Refuses.
    pub(crate) fn open(_: &str, _: &Arc<VulkanGpu>, _: &PublishOptions) -> Result<Publication, SurfaceError> {
        Err(SurfaceError::Platform)
    }

    #[derive(Debug)]
    pub(crate) struct ScanoutScreen {
        never: Nothing,
        pub(crate) listener: Listener,
    }

    impl ScanoutScreen {
        pub(crate) fn facts(&self) -> ScreenFacts {
            match self.never {}
        }
    }

    pub(crate) struct ScanoutJob {
        pub(crate) node: String,
        pub(crate) screen: ScanoutScreen,
        pub(crate) frames: Receiver<LiveFrame>,
        pub(crate) counters: Arc<NodeCounters>,
        pub(crate) events: Arc<Events>,
    }

    impl ScanoutJob {
        pub(crate) fn run(self, _: &AtomicBool) {
            match self.screen.never {}
        }
    }

    /// Refuses.
    pub(crate) fn open_screen(_: &Arc<VulkanGpu>, _: &ScanoutOptions) -> Result<ScanoutScreen, DisplayError> {
        Err(DisplayError::Platform)
    }

    #[derive(Debug)]
    pub(crate) struct SurfaceSource {
        never: Nothing,
        pub(crate) size: Size,
        pub(crate) format: TextureFormat,
    }

    impl SurfaceSource {
        /// Refuses.
        pub(crate) fn open(_: &ReadOptions) -> Result<Self, SurfaceError> {
            Err(SurfaceError::Platform)
        }

        pub(crate) fn stay_awake(&mut self, _: Duration) {
            match self.never {}
        }
    }

    pub(crate) struct SurfaceJob {
        pub(crate) node: String,
        pub(crate) source: SurfaceSource,
        pub(crate) frames: Option<u64>,
        pub(crate) runtime: Arc<StreamRuntime>,
        pub(crate) arrivals: Arrivals,
        pub(crate) counters: Arc<NodeCounters>,
        pub(crate) events: Arc<Events>,
        pub(crate) pulse: Arc<Pulse>,
        pub(crate) awake: Arc<AwakeThreads>,
    }

    #[derive(Debug)]
    pub(crate) enum SurfaceThread {}

    impl SurfaceThread {
        pub(crate) fn start(job: SurfaceJob) -> std::io::Result<Self> {
            match job.source.never {}
        }

        pub(crate) fn stop(&mut self) {
            match *self {}
        }
    }
}
