//! What [`super::state`] is built on; the model checker compiles the same file over its own.

pub(super) use crate::sync::RwLock;
pub(super) use std::sync::atomic::{AtomicU8, Ordering};
pub(super) use std::thread::{Thread, current};
