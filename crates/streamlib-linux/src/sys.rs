//! Interfaces of the kernel (V4L2, clocks, scheduling, shared memory, sockets) and of the window systems, as safe calls on plain data: no policy, no pixels.
#![allow(unsafe_code, reason = "ioctl, mmap, poll and others; every other module uses them through here")]

pub(crate) mod abi;
pub(crate) mod clock;
mod device;
pub(crate) mod dma;
mod inotify;
pub(crate) mod mapping;
pub(crate) mod peer;
mod poll;
mod queue;
pub(crate) mod thread;
pub(crate) mod wayland;
pub(crate) mod x11;

pub(crate) use device::{Device, monotonic_now};
pub(crate) use inotify::FolderWatch;
pub(crate) use poll::{Readiness, wait_readable};
pub(crate) use queue::{Exported, Filled, Queue};
