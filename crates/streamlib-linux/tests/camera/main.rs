//! Capture from real kernel drivers: any V4L2 camera of this machine, and more of it where that is vivid, the kernel's own
//! test driver, whose pictures are known. `./x devices` has both.
#![cfg(target_os = "linux")]
#![allow(clippy::print_stdout, reason = "a test that is skipped says why")]
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod bars;
mod cameras;
mod controls;
mod find;
#[path = "../support/input.rs"]
mod input;
mod losses;
#[path = "../support/mapped.rs"]
mod mapped;
mod pictures;
mod shared;
#[path = "../support/turn.rs"]
mod turn;
mod unplug;
mod usb;
#[path = "../support/usb_camera.rs"]
mod usb_camera;
