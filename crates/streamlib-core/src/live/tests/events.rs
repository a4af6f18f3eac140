//! What can happen to a live graph.

use super::rig::Rig;
use super::swaps::Change;

/// Something that happens. Places are taken modulo what there is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    Push(usize),
    Frame,
    Deliver,
    Take(usize),
    LetGo(usize),
    Set(Generation, u8),
    Swap(Change),
    /// The first half of a swap, and the second.
    Build(Change),
    Send,
    EndSource(usize),
    Die(usize),
    Time(i64),
    Stop,
}

/// Which plan parameters are meant for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Generation {
    Newest,
    Running,
    Older,
}

impl Rig {
    pub(super) fn tag(&self, place: usize) -> u64 {
        self.takers()[place % self.takers().len()].spec.tag
    }

    pub(super) fn happen(&mut self, event: Event) {
        match event {
            Event::Push(source) => drop(self.push(source)),
            Event::Frame => drop(self.frame()),
            Event::Deliver => drop(self.deliver()),
            Event::Take(place) => drop(self.take(self.tag(place))),
            Event::LetGo(place) => self.let_go(self.tag(place)),
            Event::Set(generation, amount) => {
                let running = self.values.generation;
                let generation = match generation {
                    Generation::Newest => self.generations,
                    Generation::Running => running,
                    Generation::Older => running.saturating_sub(2),
                };
                self.set(generation, (amount, !amount));
            }
            Event::Swap(change) => drop(self.swap(change)),
            Event::Build(change) => drop(self.build(change)),
            Event::Send => self.send_swap(),
            Event::EndSource(source) => self.end(source),
            Event::Die(place) => {
                let tag = self.tag(place);
                self.taker(tag).die();
            }
            Event::Time(ns) => self.clock.advance(ns),
            Event::Stop => self.stop(),
        }
    }
}
