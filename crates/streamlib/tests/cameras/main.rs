//! Cameras of live graphs: how their pictures come to the GPU, and what becomes of a graph whose camera stalls or is unplugged. On
//! the kernel's own drivers: `./x devices` has them.
#![cfg(target_os = "linux")]
#![allow(clippy::print_stdout, reason = "a test that is skipped says why")]
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod returns;
mod rig;
#[path = "../../../streamlib-linux/tests/support/turn.rs"]
mod turn;
#[path = "../../../streamlib-linux/tests/support/usb_camera.rs"]
mod usb_camera;
mod ways;
