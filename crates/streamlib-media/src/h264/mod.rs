//! H.264: parameter sets, and the OpenH264 decoder and encoder.

mod bits;
mod decode;
mod encode;
mod sps;

pub(crate) use decode::{DecodeError, Decoder};
pub(crate) use encode::Encoder;
pub(crate) use sps::Sps;
