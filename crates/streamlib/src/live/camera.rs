//! Cameras of a live graph: their pictures, where they lie or copied, and their coming back.

use std::time::Instant;

use streamlib_core::account::DropReason;
use streamlib_core::engine::Upload;
use streamlib_core::frame::Timestamp;
use streamlib_core::picture::Picture;
use streamlib_linux::{CameraError, CameraEvent, CameraWatch};
use streamlib_vulkan::{Texture, VulkanGpu};

use super::event::LiveEvent;
use super::source::{SLICE, Worker};
use crate::cameras::{CameraSource, Outage, Reopening};
use crate::error::RunError;

/// When a picture was captured, and the upload that brings it in.
type Next = (Timestamp, Upload<VulkanGpu>);

/// What is at hand for the next pictures.
struct Hand {
    /// Uploads that are not under way, by number: of a camera that is read where it writes, those in the camera's hands.
    idle: Vec<Option<Upload<VulkanGpu>>>,
    /// The textures that these were made with.
    made_with: Vec<Vec<Texture>>,
    /// For a camera that is copied.
    picture: Picture,
    outage: Outage,
    /// What was last told of the outage.
    told: String,
}

impl Hand {
    /// Whether the camera's buffers are read where they lie.
    fn is_lent(&self) -> bool {
        !self.made_with.is_empty()
    }
}

impl Worker<'_> {
    /// Pushes the camera's pictures until it is gone for good.
    pub(super) fn push_camera(&mut self) -> Result<(), RunError> {
        let format = self.job.source.format;
        let mut hand = Hand {
            idle: Vec::new(),
            made_with: self.camera().pictures().unwrap_or_default().to_vec(),
            picture: Picture { format, timestamp: Timestamp(0), data: Vec::new() },
            outage: Outage::new(Instant::now()),
            told: String::new(),
        };
        while self.job.frames.is_none_or(|frames| self.pushed < frames) {
            if self.is_over() {
                return Ok(());
            }
            self.take_back(&mut hand);
            let next = if hand.is_lent() { self.next_lent(&mut hand) } else { self.next_copied(&mut hand) };
            match next {
                Ok(Some((captured, mut upload))) => {
                    hand.outage.end(Instant::now());
                    hand.told.clear();
                    self.job.counters.came_in();
                    // Nothing is done where the picture is read where it lies.
                    if let Err(error) = upload.fill(&hand.picture) {
                        self.job.counters.dropped(DropReason::FormatChanged);
                        return Err(error.into());
                    }
                    if !self.push(captured, upload) {
                        return Ok(());
                    }
                }
                // The engine is behind, and not the camera.
                Ok(None) => {
                    self.job.pulse.beat();
                    hand.outage.end(Instant::now());
                    self.listener.wait(Some(Instant::now() + SLICE));
                }
                Err(CameraError::Stalled { .. })
                    if hand.outage.is_patient(Instant::now(), self.job.source.frame_rate) => {}
                Err(error) => {
                    if !self.bring_back(&mut hand, &error)? {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    fn camera(&mut self) -> &mut CameraSource {
        self.job.source.camera().expect("the source is a camera")
    }

    fn is_over(&self) -> bool {
        self.is_stopping() || self.job.arrivals.is_closed()
    }

    /// Takes in what the engine has done with.
    fn take_back(&mut self, hand: &mut Hand) {
        while let Some(upload) = self.empties.pop() {
            let number = upload.number();
            if hand.idle.len() <= number {
                hand.idle.resize_with(number + 1, || None);
            }
            hand.idle[number] = Some(upload);
            if let Some(camera) = self.camera().lent() {
                camera.give_back(number);
            }
        }
    }

    /// The next picture where it lies: no pixel passes through here. `None` while the engine has all buffers.
    fn next_lent(&mut self, hand: &mut Hand) -> Result<Option<Next>, CameraError> {
        let camera = self.camera().lent().expect("an open camera whose buffers are lent");
        if !camera.can_capture() {
            return Ok(None);
        }
        let (number, captured) = camera.next(SLICE)?;
        let upload = hand.idle.get_mut(number).and_then(Option::take);
        Ok(Some((captured, upload.expect("a buffer that the camera had is not under way"))))
    }

    /// The next picture, read into `hand.picture`. `None` while the engine has all memory.
    fn next_copied(&mut self, hand: &mut Hand) -> Result<Option<Next>, CameraError> {
        let Some(place) = hand.idle.iter().position(Option::is_some) else { return Ok(None) };
        self.camera().read(&mut hand.picture, SLICE)?;
        Ok(hand.idle[place].take().map(|upload| (hand.picture.timestamp, upload)))
    }

    /// Does something about a camera that gives nothing: begins its stream anew, and opens it again where that has not helped or
    /// cannot help. `false` when the source is to stop.
    fn bring_back(&mut self, hand: &mut Hand, error: &CameraError) -> Result<bool, RunError> {
        self.job.pulse.stall(&self.job.node, &self.job.events);
        let why = match error {
            CameraError::Stalled { path, .. } => {
                let seconds = hand.outage.lasted(Instant::now()).as_secs_f64();
                format!("{}: no picture has come for {seconds:.1} s", path.display())
            }
            error => error.to_string(),
        };
        self.give_up_in_time(hand, &why)?;
        self.tell(hand, &why);
        let may_stream = matches!(error, CameraError::Stalled { .. } | CameraError::Driver { .. });
        if hand.outage.attempt(Instant::now()) && may_stream && self.camera().restart().is_ok() {
            return Ok(true);
        }
        self.reopen(hand, why)
    }

    /// Opens the camera again, as soon as that is possible.
    fn reopen(&mut self, hand: &mut Hand, mut why: String) -> Result<bool, RunError> {
        // Only then its node is free for the camera that comes back.
        self.camera().close();
        let mut watch = CameraWatch::new().ok();
        loop {
            self.take_back(hand);
            // What is under way reads the buffers that were.
            if !hand.is_lent() || hand.idle.iter().flatten().count() == self.empties.capacity() {
                match self.camera().reopen(hand.is_lent()) {
                    Ok(is_new) => {
                        self.rebind(hand)?;
                        if is_new {
                            let (node, how) = (self.job.node.clone(), self.camera().how.clone());
                            self.job.events.tell(LiveEvent::CameraOpened { node, how });
                        }
                        hand.outage.attempt(Instant::now());
                        return Ok(true);
                    }
                    Err(Reopening::NotYet(error)) => why = error,
                    Err(error @ Reopening::Other { .. }) => return Err(self.failed(error.to_string())),
                }
            }
            self.give_up_in_time(hand, &why)?;
            self.tell(hand, &why);
            self.pause(hand, &mut watch);
            if self.is_over() {
                return Ok(false);
            }
            hand.outage.attempt(Instant::now());
        }
    }

    /// Lets the uploads read the buffers that the camera has now.
    fn rebind(&mut self, hand: &mut Hand) -> Result<(), RunError> {
        let camera = self.camera();
        let (Some(gpu), Some(pictures)) = (camera.gpu().cloned(), camera.pictures().map(<[_]>::to_vec))
        else {
            return Ok(());
        };
        let (wanted, found) = (hand.made_with.len(), pictures.len());
        if wanted != found {
            let what =
                format!("the camera is back with {found} buffers, not {wanted}; start the graph again");
            return Err(self.failed(what));
        }
        for (upload, (made_with, planes)) in hand.idle.iter_mut().zip(hand.made_with.iter().zip(&pictures)) {
            if let Some(upload) = upload {
                upload.rebind(&gpu, made_with, planes).map_err(|error| self.failed(error.to_string()))?;
            }
        }
        Ok(())
    }

    /// Waits before the next try, which comes at once when a camera is plugged in.
    fn pause(&mut self, hand: &mut Hand, watch: &mut Option<CameraWatch>) {
        let until = Instant::now() + hand.outage.pause();
        while !self.is_over() {
            let left = until.saturating_duration_since(Instant::now()).min(SLICE);
            if left.is_zero() {
                return;
            }
            match watch.as_mut().map(|watch| watch.next(left)) {
                Some(Ok(Some(CameraEvent::Appeared(_)))) => return hand.outage.hope(),
                Some(Ok(_)) => {}
                // Without a watch it is looked for all the same.
                Some(Err(_)) => *watch = None,
                None => drop(self.listener.wait(Some(Instant::now() + left))),
            }
        }
    }

    fn give_up_in_time(&mut self, hand: &Hand, why: &str) -> Result<(), RunError> {
        let wait = self.camera().wait();
        if hand.outage.lasted(Instant::now()) < wait {
            return Ok(());
        }
        let seconds = wait.as_secs_f64();
        Err(self.failed(format!("{why}; it was waited for {seconds} s (`wait` in its name sets how long)")))
    }

    /// Tells why the camera is restarted, unless that was told.
    fn tell(&self, hand: &mut Hand, why: &str) {
        if hand.told != why {
            why.clone_into(&mut hand.told);
            let (node, why) = (self.job.node.clone(), why.to_owned());
            self.job.events.tell(LiveEvent::SourceRestarting { node, why });
        }
    }

    fn failed(&self, what: String) -> RunError {
        RunError::Camera { node: self.job.node.clone(), what }
    }
}
