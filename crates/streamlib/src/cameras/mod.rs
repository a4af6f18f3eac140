//! Cameras as sources: how they are named, how their pictures come to the GPU, and how they come back.

mod handable;
mod lent;
mod outage;
mod request;
mod source;

pub(crate) use outage::Outage;
pub(crate) use source::{CameraSource, Reopening};
