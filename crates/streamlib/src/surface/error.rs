//! Why a surface cannot be a source or a sink.

use streamlib_vulkan::VulkanError;

/// Why a surface cannot be read or published.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SurfaceError {
    /// Something in the node's name that is no wish a surface can meet.
    #[error("`{found}` in `{uri}` {what}")]
    Option {
        /// The node's name for it.
        uri: String,
        /// The part of it.
        found: String,
        /// What is wrong with it, and what may be.
        what: &'static str,
    },
    /// It is not to be had.
    #[cfg(target_os = "linux")]
    #[error(transparent)]
    Share(#[from] streamlib_share::SurfaceError),
    /// Its textures are nothing for this device.
    #[error(transparent)]
    Texture(#[from] VulkanError),
    /// Readers would hold up their publisher.
    #[error(
        "a surface cannot be `lossless`: its readers take the newest frame and hold up nobody; leave the delivery out, or write a file"
    )]
    Lossless,
    /// It is there, and nothing comes.
    #[error("the surface {name} has had no frame for {seconds} s: its program may wait for its own source")]
    Silent {
        /// Its name.
        name: String,
        /// How long was waited.
        seconds: u64,
    },
    /// Buffers that nothing here can read.
    #[error(
        "the surface {name} has {what}, which is no texture here: publish it with this version of streamlib"
    )]
    Buffer {
        /// Its name.
        name: String,
        /// What its buffers are.
        what: String,
    },
    /// Another size in mid-stream.
    #[error("the surface {name} has changed from {from} to {to}")]
    Changed {
        /// Its name.
        name: String,
        /// What it was.
        from: String,
        /// What it is.
        to: String,
    },
    /// Another system.
    #[cfg(not(target_os = "linux"))]
    #[error("surfaces are shared on Linux only, so far: write a file")]
    Platform,
}
