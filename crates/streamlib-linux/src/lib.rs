//! What streamlib needs of Linux itself: V4L2 capture (and, later, DMA-BUF, displays and real-time scheduling).
//!
//! This crate knows no GPU: a captured picture is handed on in host memory. `unsafe` stands in its module
//! `sys` alone, behind functions that are safe to call.
#![cfg(target_os = "linux")]

pub mod camera;
mod sys;

pub use camera::{Camera, CameraError, CameraFormat, CameraInfo, CameraMode, CameraOptions, list_cameras};
