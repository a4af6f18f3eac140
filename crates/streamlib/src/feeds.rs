//! Reads pictures ahead of the engine, on a thread per source.

use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;

use streamlib_core::frame::Timestamp;
use streamlib_core::picture::{Picture, PictureFormat};

use crate::error::RunError;
use crate::sources::PictureSource;
use crate::stages::Stages;

/// Pictures decoded ahead.
const AHEAD: usize = 3;

/// A source that is read ahead. Hands out the newest picture that is due at a time.
pub(crate) struct ReadAhead {
    pub(crate) node: String,
    /// Pictures received, and those of them that were never shown.
    pub(crate) received: u64,
    pub(crate) passed_over: u64,
    pictures: Receiver<Result<Picture, RunError>>,
    empties: Sender<Picture>,
    current: Option<Picture>,
    next: Option<Picture>,
    thread: Option<JoinHandle<Stages>>,
}

impl ReadAhead {
    pub(crate) fn start(node: &str, mut source: PictureSource) -> Result<Self, RunError> {
        let (send, pictures) = sync_channel(AHEAD);
        let (empties, refill) = channel();
        let (name, format) = (node.to_owned(), source.format);
        let thread = std::thread::Builder::new()
            .name(format!("read {node}"))
            .spawn(move || read_all(&name, format, &mut source, &send, &refill))
            .map_err(RunError::Thread)?;
        Ok(Self {
            node: node.to_owned(),
            received: 0,
            passed_over: 0,
            pictures,
            empties,
            current: None,
            next: None,
            thread: Some(thread),
        })
    }

    /// The next picture in order; `None` after the last.
    pub(crate) fn next_picture(&mut self) -> Result<Option<&Picture>, RunError> {
        let Some(picture) = self.receive()? else {
            return Ok(None);
        };
        self.show(picture);
        Ok(self.current.as_ref())
    }

    /// Moves on to the newest picture that is due at `time`. The answer is that picture, and whether it is a new one; the
    /// first picture is due from the start.
    pub(crate) fn due(&mut self, time: Timestamp) -> Result<(&Picture, bool), RunError> {
        let mut fresh = false;
        loop {
            if self.next.is_none() {
                self.next = self.receive()?;
            }
            let Some(next) = self.next.take_if(|next| next.timestamp <= time || self.current.is_none())
            else {
                break;
            };
            self.passed_over += u64::from(fresh);
            fresh = true;
            self.show(next);
        }
        match &self.current {
            Some(picture) => Ok((picture, fresh)),
            None => Err(RunError::Empty(self.node.clone())),
        }
    }

    fn receive(&mut self) -> Result<Option<Picture>, RunError> {
        // A closed channel is the end of the source.
        let picture = self.pictures.recv().ok().transpose()?;
        self.received += u64::from(picture.is_some());
        Ok(picture)
    }

    fn show(&mut self, picture: Picture) {
        if let Some(shown) = self.current.replace(picture) {
            // After the source's end nobody needs empties any more.
            let _ = self.empties.send(shown);
        }
    }

    /// Stops reading and gives the times of the reader.
    pub(crate) fn finish(mut self) -> Stages {
        let Some(thread) = self.thread.take() else {
            return Stages::default();
        };
        // The reader ends when its channel has no receiver.
        drop(self);
        thread.join().unwrap_or_default()
    }
}

fn read_all(
    node: &str,
    format: PictureFormat,
    source: &mut PictureSource,
    send: &SyncSender<Result<Picture, RunError>>,
    refill: &Receiver<Picture>,
) -> Stages {
    let mut stages = Stages::default();
    let stage = format!("decode {node}");
    loop {
        let empty = || Picture { format, timestamp: Timestamp(0), data: Vec::new() };
        let mut picture = refill.try_recv().unwrap_or_else(|_| empty());
        let message = match stages.time(&stage, || source.read(node, &mut picture)) {
            Ok(true) => Ok(picture),
            Ok(false) => break,
            Err(error) => Err(error),
        };
        let failed = message.is_err();
        if send.send(message).is_err() || failed {
            break;
        }
    }
    stages
}
