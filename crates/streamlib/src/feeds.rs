//! Reads pictures ahead of the engine, on a thread per source.

use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;

use streamlib_core::engine::Upload;
use streamlib_core::frame::Timestamp;
use streamlib_core::picture::{Picture, PictureFormat};
use streamlib_vulkan::VulkanGpu;

use crate::error::RunError;
use crate::sources::PictureSource;
use crate::stages::Stages;

/// Pictures decoded ahead.
const AHEAD: usize = 3;

/// Host memory that a reader needs beside that of the frames under way: what is decoded ahead, the picture that is being
/// decoded, and the next one that is not due yet.
pub(crate) const READER_UPLOADS: usize = AHEAD + 2;

/// A picture that was read, in host memory that the GPU reaches.
pub(crate) struct Read {
    pub(crate) timestamp: Timestamp,
    /// None when no pass needs the source, which then only sets the pace.
    pub(crate) upload: Option<Upload<VulkanGpu>>,
}

/// A source that is read ahead. Hands out the newest picture that is due at a time.
pub(crate) struct ReadAhead {
    pub(crate) node: String,
    /// Pictures received, and those of them that were never shown.
    pub(crate) received: u64,
    pub(crate) passed_over: u64,
    pictures: Receiver<Result<Read, RunError>>,
    empties: Sender<Upload<VulkanGpu>>,
    next: Option<Read>,
    has_shown: bool,
    thread: Option<JoinHandle<Stages>>,
}

impl ReadAhead {
    /// `uploads` is the memory to read into; none when no pass needs the source.
    pub(crate) fn start(
        node: &str,
        mut source: PictureSource,
        uploads: Option<Vec<Upload<VulkanGpu>>>,
    ) -> Result<Self, RunError> {
        let (send, pictures) = sync_channel(AHEAD);
        let (empties, refill) = channel();
        let refill = uploads.map(|uploads| {
            for upload in uploads {
                // The receiver is right here.
                let _ = empties.send(upload);
            }
            refill
        });
        let (name, format) = (node.to_owned(), source.format);
        let read = move || read_all(&name, format, &mut source, &send, refill.as_ref());
        let thread = std::thread::Builder::new().name(format!("read {node}")).spawn(read);
        Ok(Self {
            node: node.to_owned(),
            received: 0,
            passed_over: 0,
            pictures,
            empties,
            next: None,
            has_shown: false,
            thread: Some(thread.map_err(RunError::Thread)?),
        })
    }

    /// The next picture in order; `None` after the last.
    pub(crate) fn next_picture(&mut self) -> Result<Option<Read>, RunError> {
        // A closed channel is the end of the source.
        let read = self.pictures.recv().ok().transpose()?;
        self.received += u64::from(read.is_some());
        Ok(read)
    }

    /// Moves on to the newest picture that is due at `time`; `None` when that is the one before. The first picture is due
    /// from the start.
    pub(crate) fn due(&mut self, time: Timestamp) -> Result<Option<Upload<VulkanGpu>>, RunError> {
        let mut newest = None;
        loop {
            if self.next.is_none() {
                self.next = self.next_picture()?;
            }
            let is_first = !self.has_shown;
            let Some(next) = self.next.take_if(|next| next.timestamp <= time || is_first) else {
                break;
            };
            self.has_shown = true;
            if let Some(passed_over) = std::mem::replace(&mut newest, next.upload) {
                self.passed_over += 1;
                self.give_back(passed_over);
            }
        }
        if self.has_shown { Ok(newest) } else { Err(RunError::Empty(self.node.clone())) }
    }

    /// Lets memory be read into again.
    pub(crate) fn give_back(&self, upload: Upload<VulkanGpu>) {
        // After the source's end nobody needs empties any more.
        let _ = self.empties.send(upload);
    }

    /// Stops reading and gives the times of the reader.
    pub(crate) fn finish(mut self) -> Stages {
        let Some(thread) = self.thread.take() else {
            return Stages::default();
        };
        // The reader ends when its channels have no other end.
        drop(self);
        thread.join().unwrap_or_default()
    }
}

fn read_all(
    node: &str,
    format: PictureFormat,
    source: &mut PictureSource,
    send: &SyncSender<Result<Read, RunError>>,
    refill: Option<&Receiver<Upload<VulkanGpu>>>,
) -> Stages {
    let mut stages = Stages::default();
    let (decode, fill) = (format!("decode {node}"), format!("upload {node}"));
    let mut first = None;
    let mut picture = Picture { format, timestamp: Timestamp(0), data: Vec::new() };
    loop {
        let mut upload = None;
        if let Some(refill) = refill {
            let Ok(empty) = refill.recv() else { break };
            upload = Some(empty);
        }
        let message = match stages.time(&decode, || source.read(node, &mut picture)) {
            Ok(true) => {
                if source.is_live() {
                    // Times in files count from the first frame.
                    let start = *first.get_or_insert(picture.timestamp);
                    picture.timestamp = Timestamp(picture.timestamp.0 - start.0);
                }
                let filled = stages.time(&fill, || upload.as_mut().map_or(Ok(()), |u| u.fill(&picture)));
                let timestamp = picture.timestamp;
                filled.map(|()| Read { timestamp, upload }).map_err(RunError::from)
            }
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
