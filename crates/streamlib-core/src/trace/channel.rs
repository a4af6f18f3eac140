//! From the thread where things happen to the one that writes them down.

use std::io::{self, Write};
use std::num::NonZeroU16;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::event::{TraceEvent, TraceNames};
use super::writer::Writer;
use crate::mailbox::{self, Listener, Policy, Receiver, SendError, Sender};

/// A trace that could not be written; what was written until then can be opened.
#[derive(Debug, thiserror::Error)]
#[error("the trace could not be written: {source}; choose a place with free space, or trace a shorter run")]
pub struct TraceError {
    #[from]
    source: io::Error,
}

#[derive(Debug)]
enum Message {
    Event(TraceEvent),
    /// So many events were left out here.
    LeftOut(u64),
}

/// A channel in which `bound` events may wait to be written.
#[must_use]
pub fn channel(bound: NonZeroU16) -> (TraceSender, TraceReceiver) {
    let listener = Listener::new();
    let (sender, receiver) = mailbox::with_bell(Policy::Lossless { bound }, listener.bell());
    let left_out_last = Arc::new(AtomicU64::new(0));
    let sender = TraceSender { sender, left_out: 0, left_out_last: left_out_last.clone() };
    (sender, TraceReceiver { receiver, listener, left_out_last })
}

/// Sends events. It never waits and allocates nothing. Dropping it ends the trace.
#[derive(Debug)]
pub struct TraceSender {
    sender: Sender<Message>,
    /// Events left out since the last one that was sent.
    left_out: u64,
    /// The same for the receiver, when nothing is sent any more.
    left_out_last: Arc<AtomicU64>,
}

impl TraceSender {
    /// Sends an event. When as many wait as may, it is left out and counted.
    pub fn send(&mut self, event: TraceEvent) {
        if self.left_out > 0 && self.sender.send(Message::LeftOut(self.left_out)).is_ok() {
            self.left_out = 0;
        }
        // Not before the gap is told of, as the event would appear to stand before it.
        if self.left_out > 0 || matches!(self.sender.send(Message::Event(event)), Err(SendError::Full(_))) {
            self.left_out += 1;
        }
    }

    /// Whether somebody still writes the events down.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }
}

impl Drop for TraceSender {
    fn drop(&mut self) {
        self.left_out_last.store(self.left_out, Ordering::Release);
    }
}

/// Receives events and writes them.
#[derive(Debug)]
pub struct TraceReceiver {
    receiver: Receiver<Message>,
    listener: Listener,
    left_out_last: Arc<AtomicU64>,
}

impl TraceReceiver {
    /// Writes events to `out` until the sender is dropped: one thread's whole work. Events refer to `names` until a swap
    /// brings others. What was received is handed to `out` whenever no event waits.
    ///
    /// Returns how many events were left out.
    ///
    /// # Errors
    /// When `out` cannot be written to; the sender is closed then.
    pub fn write_to(mut self, out: impl Write, names: Arc<TraceNames>) -> Result<u64, TraceError> {
        let mut writer = Writer::new(out, names)?;
        while !self.receiver.is_closed() {
            match self.receiver.take() {
                Some(Message::Event(event)) => writer.write(&event)?,
                Some(Message::LeftOut(count)) => writer.leave_out(count)?,
                None => {
                    writer.flush()?;
                    self.listener.wait(None);
                }
            }
        }
        let last = self.left_out_last.load(Ordering::Acquire);
        if last > 0 {
            writer.leave_out(last)?;
        }
        let left_out = writer.left_out();
        writer.finish()?;
        Ok(left_out)
    }
}
