//! What streamlib needs of Linux itself: V4L2 capture, windows, screens without a window system (KMS), memory that processes share,
//! threads that keep time.
//!
//! This crate knows no GPU: a captured picture is handed on in host memory or as DMA-BUFs, a window by its handle, and what a screen
//! shows as a DMA-BUF. `unsafe` stands in its module `sys` alone, behind functions that are safe to call.
#![cfg(target_os = "linux")]

pub mod camera;
pub mod kms;
pub mod peer;
pub mod realtime;
pub mod shared;
mod sys;
pub mod window;

pub use camera::{
    BufferMemory, BufferPlane, Camera, CameraBuffer, CameraControl, CameraControls, CameraError, CameraEvent,
    CameraFormat, CameraIdentity, CameraInfo, CameraMode, CameraOptions, CameraWatch, CapturedBuffer,
    ControlValues, LostFrames, SharedCamera, allocate_dma_memory, find_camera, list_cameras,
};
pub use kms::{
    Framebuffer, KmsError, KmsOptions, KmsScreen, ScanoutBuffer, ScreenInfo, ScreenMode, Shown, list_screens,
};
pub use window::{Presentation, Presented, Window, WindowError, WindowOptions};
