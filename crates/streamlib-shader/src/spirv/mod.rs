//! Reads and changes the SPIR-V that DXC makes.

pub(crate) mod module;
pub(crate) mod patch;
pub(crate) mod reflect;
