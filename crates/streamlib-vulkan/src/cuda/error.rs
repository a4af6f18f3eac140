//! What can go wrong with CUDA.

use crate::error::VulkanError;

/// Sharing with CUDA failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CudaError {
    /// NVIDIA's driver is not there.
    #[error(
        "CUDA is not here ({reason}): it comes with NVIDIA's driver; on other devices, go through host memory"
    )]
    NoDriver {
        /// What the dynamic linker said.
        reason: String,
    },
    /// CUDA does not know the device that Vulkan works on.
    #[error("CUDA does not know {device}: choose an NVIDIA GPU, or make it visible (CUDA_VISIBLE_DEVICES)")]
    OtherDevice {
        /// Vulkan's device.
        device: String,
    },
    /// A call failed.
    #[error("CUDA's {function} failed: {name}")]
    Call {
        /// The function.
        function: &'static str,
        /// CUDA's name for the error.
        name: String,
    },
    /// Memory that does not fit the texture.
    #[error(
        "{bytes} bytes in rows of {row_pitch} do not hold a texture of {wanted} bytes a row and {rows} rows"
    )]
    Layout {
        /// Bytes that are there.
        bytes: u64,
        /// Bytes from one row to the next.
        row_pitch: u64,
        /// Bytes of a row.
        wanted: u64,
        /// Rows.
        rows: u32,
    },
    /// Vulkan's part failed.
    #[error(transparent)]
    Vulkan(#[from] VulkanError),
}
