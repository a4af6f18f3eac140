//! Cameras: which there are, and pictures from one of them.

mod capture;
mod error;
mod list;
mod pixels;

pub use capture::{Camera, CameraOptions};
pub use error::CameraError;
pub use list::{CameraFormat, CameraInfo, CameraMode, list_cameras};
