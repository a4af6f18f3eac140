//! A trace of a run that Perfetto (ui.perfetto.dev) and `chrome://tracing` open: where each frame was, when.
//!
//! The thread that delivers frames sends [`TraceEvent`]s through a bounded mailbox ([`channel`]); another one writes them
//! ([`TraceReceiver::write_to`]), event by event, so that a long run needs no more memory than a short one. When the writer
//! cannot keep up, events are left out and the trace says how many.

mod channel;
mod event;
mod json;
mod lanes;
mod writer;

pub use channel::{TraceError, TraceReceiver, TraceSender, channel};
pub use event::{FrameTrace, PassTrace, TraceEvent, TraceNames};

#[cfg(test)]
mod tests;
