//! The live engine on the CPU test double.
//!
//! Every pixel tells where it comes from ([`picture`]), a model says what each frame must be and who must get it ([`rig`]), and
//! both are driven through chosen, all, and random orders of events.

mod at_once;
mod clock;
mod consumer;
mod ends;
mod events;
mod examples;
mod model;
mod orders;
mod pace;
mod picture;
mod plans;
mod random;
mod rig;
mod source;
mod swaps;
mod threads;
