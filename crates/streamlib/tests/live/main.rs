//! Live graphs on a real device.

mod delivery;
mod edits;
mod ends;
mod expressions;
mod parameters;
mod processors;
mod rig;
mod sources;
