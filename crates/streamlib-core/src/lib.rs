//! Frames, graphs, plans, the engine, and the contract that GPU backends meet.
//!
//! This crate knows no operating system, no GPU API, no file path and no codec. Everything here is either plain
//! data ([`graph`], [`interface`], [`mod@format`], [`color`]) or logic that is generic over [`gpu::Gpu`].

pub mod account;
pub mod color;
pub mod engine;
pub mod expression;
pub mod format;
pub mod frame;
pub mod gpu;
pub mod graph;
pub mod hazard;
pub mod interface;
pub mod live;
pub mod mailbox;
pub mod picture;
pub mod plan;
pub mod sync;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod trace;
pub mod value;
