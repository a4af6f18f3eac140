//! Pictures that a camera writes into textures by itself.

use std::time::Instant;

use streamlib_core::engine::Upload;
use streamlib_linux::CameraError;
use streamlib_vulkan::VulkanGpu;

use super::source::{SLICE, Worker};
use crate::error::RunError;
use crate::sources::CAMERA_LIMIT;

impl Worker<'_> {
    /// Pushes the camera's pictures, and lets it fill buffers again that the engine has done with. No pixel passes through here.
    pub(super) fn push_lent(&mut self) -> Result<(), RunError> {
        // Those in the camera's hands, by number.
        let mut idle: Vec<Option<Upload<VulkanGpu>>> = Vec::new();
        let mut last = Instant::now();
        while self.job.frames.is_none_or(|frames| self.pushed < frames) {
            if self.is_stopping() || self.job.arrivals.is_closed() {
                return Ok(());
            }
            self.give_back(&mut idle);
            let Some(camera) = self.job.source.lent() else { return Ok(()) };
            if !camera.can_capture() {
                // The engine has them all, so that it is behind, and not the camera.
                self.job.pulse.beat();
                last = Instant::now();
                self.listener.wait(Some(Instant::now() + SLICE));
                continue;
            }
            let (number, captured) = match camera.next(SLICE) {
                Ok(next) => next,
                Err(CameraError::Stalled { .. }) if last.elapsed() < CAMERA_LIMIT => continue,
                Err(error) => return Err(self.failed(&error)),
            };
            last = Instant::now();
            self.job.counters.came_in();
            let upload = idle.get_mut(number).and_then(Option::take);
            let upload = upload.expect("a buffer that the camera had is not under way");
            if !self.push(captured, upload) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Takes in what the engine has done with.
    fn give_back(&mut self, idle: &mut Vec<Option<Upload<VulkanGpu>>>) {
        while let Some(upload) = self.empties.pop() {
            let number = upload.number();
            if idle.len() <= number {
                idle.resize_with(number + 1, || None);
            }
            idle[number] = Some(upload);
            if let Some(camera) = self.job.source.lent() {
                camera.give_back(number);
            }
        }
    }

    fn failed(&self, error: &CameraError) -> RunError {
        RunError::Camera { node: self.job.node.clone(), what: error.to_string() }
    }
}
