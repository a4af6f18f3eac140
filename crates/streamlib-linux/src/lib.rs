//! What streamlib needs of Linux itself: V4L2 capture, windows, threads that keep time, memory shared with other
//! processes (and, later, DMA-BUF and KMS).
//!
//! This crate knows no GPU: a captured picture is handed on in host memory, and a window by its handle. `unsafe` stands in its module
//! `sys` alone, behind functions that are safe to call.
#![cfg(target_os = "linux")]

pub mod camera;
pub mod peer;
pub mod realtime;
pub mod shared;
mod sys;
pub mod window;

pub use camera::{Camera, CameraError, CameraFormat, CameraInfo, CameraMode, CameraOptions, list_cameras};
pub use window::{Window, WindowError, WindowOptions};
