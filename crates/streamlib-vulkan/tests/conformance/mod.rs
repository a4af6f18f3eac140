//! What every backend must do, generic over the backend.
//!
//! The kernels come from the caller, because each backend has its own kind of code.

pub(crate) mod batches;
pub(crate) mod clocks;
pub(crate) mod copies;
pub(crate) mod flight;
pub(crate) mod kernels;
pub(crate) mod mistakes;
pub(crate) mod rebinding;
