//! The program's ends of the graph: one thread pushes as fast as frames are taken, another takes what comes.

use std::collections::{BTreeMap, VecDeque};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::time::Duration;

use streamlib::{LiveFrame, PushError, VideoInlet, VideoOutlet};

use super::dice::Dice;
use crate::Fallible;
use crate::live::Frames;

/// Nothing to do for now: so soon it is worth a look.
const RETRY: Duration = Duration::from_micros(200);

/// What became of the frames of a source.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pushed {
    /// Pushes.
    pub(super) asked: u64,
    /// Those that the graph took.
    pub(super) taken: u64,
}

/// What came out at an outlet.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    pub(super) frames: u64,
    /// Sequence numbers between those of frames that came.
    pub(super) skipped: u64,
    /// Frames whose number was not above that of the one before.
    pub(super) disordered: u64,
}

#[derive(Debug)]
pub(super) enum ToPusher {
    Add(String, VideoInlet),
    /// Push nothing until resumed, and say what was pushed.
    Pause(Sender<BTreeMap<String, Pushed>>),
    Resume,
}

#[derive(Debug)]
pub(super) enum ToTaker {
    Add(String, VideoOutlet),
    /// Let go of an outlet, as a program that has lost interest.
    Forget(String),
    /// Hold nothing back, and say what was seen.
    Drain(Sender<BTreeMap<String, Seen>>),
    Resume,
}

/// The next command; `Err` when there will be none any more.
fn next<T>(commands: &Receiver<T>, limit: Option<Duration>) -> Result<Option<T>, ()> {
    match limit {
        None => commands.recv().map(Some).map_err(|_| ()),
        Some(Duration::ZERO) => match commands.try_recv() {
            Ok(command) => Ok(Some(command)),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => Err(()),
        },
        Some(limit) => match commands.recv_timeout(limit) {
            Ok(command) => Ok(Some(command)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(()),
        },
    }
}

/// Pushes until nobody commands any more.
pub(super) fn push_all(commands: &Receiver<ToPusher>, seed: u64) -> Fallible<()> {
    let mut dice = Dice::new(seed);
    let mut ends: Vec<(String, VideoInlet, Frames)> = Vec::new();
    let mut pushed: BTreeMap<String, Pushed> = BTreeMap::new();
    let (mut is_paused, mut is_idle) = (false, false);
    loop {
        let limit = if is_paused { None } else { Some(if is_idle { RETRY } else { Duration::ZERO }) };
        match next(commands, limit) {
            Err(()) => return Ok(()),
            Ok(None) => {}
            Ok(Some(ToPusher::Add(name, mut inlet))) => {
                let frames = Frames::new(&mut inlet)?;
                ends.push((name, inlet, frames));
                continue;
            }
            Ok(Some(ToPusher::Pause(reply))) => {
                is_paused = true;
                reply.send(pushed.clone())?;
                continue;
            }
            Ok(Some(ToPusher::Resume)) => is_paused = false,
        }
        if is_paused {
            continue;
        }
        is_idle = true;
        ends.retain_mut(|(name, inlet, frames)| {
            // Sources beside the clock have a rate of their own.
            if name != "cam" && !dice.percent(40) {
                return true;
            }
            let count = pushed.entry(name.clone()).or_default();
            count.asked += 1;
            match inlet.push(frames.get(count.taken)) {
                Ok(()) => {
                    count.taken += 1;
                    is_idle &= name != "cam";
                    true
                }
                Err(PushError::Full(_)) => true,
                Err(PushError::Closed) => false,
            }
        });
    }
}

struct Outlet {
    name: String,
    outlet: VideoOutlet,
    last: Option<u64>,
    /// Frames that are held for a while.
    held: VecDeque<LiveFrame>,
}

impl Outlet {
    fn take(&mut self, seen: &mut Seen, holds: bool) -> bool {
        let Some(frame) = self.outlet.take() else { return false };
        let number = frame.meta.sequence;
        seen.frames += 1;
        match self.last.replace(number) {
            Some(last) if number <= last => seen.disordered += 1,
            Some(last) => seen.skipped += number - last - 1,
            None => {}
        }
        if holds {
            self.held.push_back(frame);
        }
        if self.held.len() > 2 {
            self.held.pop_front();
        }
        true
    }
}

/// Takes until nobody commands any more.
pub(super) fn take_all(commands: &Receiver<ToTaker>, seed: u64) -> Fallible<()> {
    let mut dice = Dice::new(seed);
    let mut ends: Vec<Outlet> = Vec::new();
    let mut seen: BTreeMap<String, Seen> = BTreeMap::new();
    let (mut is_draining, mut is_idle) = (false, false);
    loop {
        match next(commands, Some(if is_idle { RETRY } else { Duration::ZERO })) {
            Err(()) => return Ok(()),
            Ok(None) => {}
            Ok(Some(ToTaker::Add(name, outlet))) => {
                seen.entry(name.clone()).or_default();
                ends.push(Outlet { name, outlet, last: None, held: VecDeque::new() });
            }
            Ok(Some(ToTaker::Forget(name))) => ends.retain(|end| end.name != name),
            Ok(Some(ToTaker::Drain(reply))) => {
                is_draining = true;
                reply.send(seen.clone())?;
            }
            Ok(Some(ToTaker::Resume)) => is_draining = false,
        }
        is_idle = true;
        for end in &mut ends {
            if is_draining || dice.percent(10) {
                end.held.clear();
            }
            // Some are late now and then; the graph must not be for `main`.
            if is_draining || end.name == "main" || dice.percent(50) {
                let holds = !is_draining && dice.percent(20);
                is_idle &= !end.take(seen.entry(end.name.clone()).or_default(), holds);
            }
        }
        ends.retain(|end| !end.outlet.is_closed());
    }
}
