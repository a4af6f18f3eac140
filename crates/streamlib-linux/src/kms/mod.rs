//! Screens without a window system (KMS): which there are, and pictures on one of them.

mod buffer;
mod card;
mod error;
mod formats;
mod list;
mod screen;
mod way;

pub use buffer::{Framebuffer, ScanoutBuffer};
pub use error::KmsError;
pub use list::{ScreenInfo, ScreenMode, list_screens};
pub use screen::{KmsOptions, KmsScreen, Shown};
