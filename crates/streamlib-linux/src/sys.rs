//! The V4L2 interface of the kernel, as safe calls on plain data: no policy, no pixels.
#![allow(unsafe_code, reason = "ioctl, mmap and poll; every other module uses them through here")]

pub(crate) mod abi;
mod device;
mod queue;

pub(crate) use device::{Device, Readiness, monotonic_now};
pub(crate) use queue::Queue;
