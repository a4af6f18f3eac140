//! What [`super::protocol`] is built on; the model checker compiles the same file over its own.

pub(super) use std::sync::atomic::{AtomicU64, Ordering, fence};
