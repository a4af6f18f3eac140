//! Live graphs on a real device.

mod delivery;
mod edits;
mod parameters;
mod processors;
mod rig;
mod sources;
