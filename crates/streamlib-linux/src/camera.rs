//! Cameras: which there are, and pictures from one of them.

mod capture;
mod codes;
mod color;
mod controls;
mod counter;
mod error;
mod find;
mod identity;
mod jpeg;
mod list;
mod memory;
mod negotiate;
mod pixels;
mod places;
mod shared;
mod stream;
mod watch;

pub use capture::{Camera, CameraOptions};
pub use controls::{CameraControl, CameraControls, ControlValues};
pub use counter::LostFrames;
pub use error::CameraError;
pub use find::find_camera;
pub use identity::CameraIdentity;
pub use list::{CameraFormat, CameraInfo, CameraMode, list_cameras};
pub use memory::allocate_dma_memory;
pub use shared::{BufferMemory, BufferPlane, CameraBuffer, CapturedBuffer, SharedCamera};
pub use watch::{CameraEvent, CameraWatch};
