//! Live graphs on a real device.

mod delivery;
mod rig;
