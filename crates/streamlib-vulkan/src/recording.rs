//! Commands that are recorded once and submitted any number of times.
#![allow(unsafe_code, reason = "changes what a recording uses, between two submissions")]

use std::sync::Arc;

use streamlib_core::gpu::Command;

use crate::VulkanGpu;
use crate::check;
use crate::device::Device;
use crate::error::VulkanError;
use crate::memory::MemoryPool;
use crate::parts::Parts;
use crate::retire::RetireQueue;
use crate::texture::Texture;
use crate::timeline::Timeline;

/// Steps that can be submitted any number of times, one submission at a time.
pub struct Recording {
    /// Always there until drop.
    parts: Option<Parts>,
    label: String,
    /// Timeline value of the last submission; 0 before the first.
    pending: u64,
    device: Arc<Device>,
    timeline: Arc<Timeline>,
    retired: Arc<RetireQueue<Parts>>,
}

impl Recording {
    pub(crate) fn new(
        (device, pool, timeline): (&Arc<Device>, &Arc<MemoryPool>, &Arc<Timeline>),
        retired: &Arc<RetireQueue<Parts>>,
        label: &str,
        commands: &[Command<'_, VulkanGpu>],
    ) -> Result<Self, VulkanError> {
        let steps =
            commands.iter().map(|command| check::step(device, command)).collect::<Result<Vec<_>, _>>()?;
        let parts = Parts::new(device, pool, label, &steps)?;
        Ok(Self {
            parts: Some(parts),
            label: label.to_owned(),
            pending: 0,
            device: Arc::clone(device),
            timeline: Arc::clone(timeline),
            retired: Arc::clone(retired),
        })
    }

    pub(crate) fn check_finished(&self) -> Result<(), VulkanError> {
        if self.timeline.reached(self.pending)? {
            return Ok(());
        }
        Err(VulkanError::StillInFlight { recording: self.label.clone(), value: self.pending })
    }

    pub(crate) fn belongs_to(&self, device: &Arc<Device>) -> Result<(), VulkanError> {
        if Arc::ptr_eq(&self.device, device) {
            Ok(())
        } else {
            let label = self.label.clone();
            Err(VulkanError::ForeignHandle { label })
        }
    }

    pub(crate) fn parts(&self) -> Option<&Parts> {
        self.parts.as_ref()
    }

    pub(crate) fn set_uniforms(&mut self, pass: usize, block: &[u8]) -> Result<(), VulkanError> {
        self.device.check_lost()?;
        self.check_finished()?;
        let Some(parts) = &mut self.parts else {
            return Ok(());
        };
        // SAFETY: the last submission has finished.
        if unsafe { parts.slab.write(pass, block) } {
            return Ok(());
        }
        Err(VulkanError::Uniforms {
            recording: self.label.clone(),
            pass,
            bytes: block.len(),
            sizes: parts.slab.sizes().collect(),
        })
    }

    pub(crate) fn rebind(&mut self, recorded: &Texture, texture: &Texture) -> Result<(), VulkanError> {
        self.device.check_lost()?;
        self.check_finished()?;
        check::own_texture(&self.device, recorded)?;
        check::own_texture(&self.device, texture)?;
        let Some(parts) = &mut self.parts else {
            return Ok(());
        };
        // SAFETY: the last submission has finished.
        unsafe { parts.rebind(recorded, texture) }.map_err(|problem| VulkanError::Rebind {
            recording: self.label.clone(),
            recorded: recorded.0.label.clone(),
            problem,
        })
    }

    /// Sees to it that the recording can be submitted at once: it is of this device, not in flight, and its command buffer
    /// is executable.
    pub(crate) fn make_ready(&mut self, device: &Arc<Device>) -> Result<(), VulkanError> {
        self.belongs_to(device)?;
        self.check_finished()?;
        // SAFETY: the last submission has finished.
        self.parts.as_mut().map_or(Ok(()), |parts| unsafe { parts.write() })
    }

    /// Work that uses the recording was submitted; `value` tells when it is over.
    pub(crate) fn note_submission(&mut self, value: u64) {
        self.pending = value;
    }

    pub(crate) fn timestamps(&self, into: &mut Vec<u64>) -> Result<(), VulkanError> {
        into.clear();
        self.device.check_lost()?;
        self.check_finished()?;
        match &self.parts {
            // SAFETY: it was submitted, and that has finished.
            Some(parts) if self.pending > 0 => unsafe { parts.timestamps(into) },
            _ => Ok(()),
        }
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        let Some(parts) = self.parts.take() else { return };
        // When the timeline cannot be read, the parts wait with the rest until the device is dropped.
        if !self.timeline.reached(self.pending).unwrap_or(false) {
            self.retired.collect(&self.timeline);
            self.retired.push(self.pending, parts);
        }
    }
}

impl std::fmt::Debug for Recording {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Recording({:?}, last submission {})", self.label, self.pending)
    }
}
