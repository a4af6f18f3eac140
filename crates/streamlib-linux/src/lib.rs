//! What streamlib needs of Linux itself: V4L2 capture, threads that keep time (and, later, DMA-BUF and displays).
//!
//! This crate knows no GPU: a captured picture is handed on in host memory. `unsafe` stands in its module
//! `sys` alone, behind functions that are safe to call.
#![cfg(target_os = "linux")]

pub mod camera;
pub mod realtime;
mod sys;

pub use camera::{Camera, CameraError, CameraFormat, CameraInfo, CameraMode, CameraOptions, list_cameras};
