//! Every interleaving of the protocol's own code, under every order of memory that the language allows.

mod sync {
    pub(super) use loom::sync::atomic::{AtomicU64, Ordering, fence};
}

#[allow(
    clippy::duplicate_mod,
    reason = "the same code, over the model checker's atomics instead of the machine's"
)]
#[path = "protocol.rs"]
mod protocol;

use loom::cell::Cell;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicU64, Ordering};
use loom::thread;

use self::protocol::{Hold, hold, is_held, offer, release};
use super::{sequence, slot, word};

/// One slot fewer than a publisher needs that never skips a frame, so that slots are wanted back at once.
const SLOTS: usize = 2;

struct Surface {
    newest: AtomicU64,
    /// The newest, done or not: each frame is offered here first.
    early: AtomicU64,
    /// What lies in each slot: its sequence number, if all is well. The model fails if it is read and written at once, or with
    /// no order between the two.
    slots: [Cell<u64>; SLOTS],
}

/// Gives back what is kept for nobody.
fn reclaim(words: &mut [u64; SLOTS], offered: [u64; 2], leases: &[Arc<AtomicU64>]) {
    for kept in words {
        if !offered.contains(kept) && !is_held(*kept, leases.iter().map(|lease| &**lease)) {
            *kept = 0;
        }
    }
}

/// Publishes up to `frames` frames, each into a slot that nobody holds; says how many found one.
fn publish(surface: &Surface, leases: &[Arc<AtomicU64>], frames: u64) -> u64 {
    let mut words = [0; SLOTS];
    let (mut newest, mut done) = (0, 0);
    let mut published = 0;
    for _ in 0..frames {
        reclaim(&mut words, [newest, done], leases);
        let Some(free) = words.iter().position(|word| *word == 0) else { continue };
        published += 1;
        surface.slots[free].set(published);
        newest = word(published, free);
        words[free] = newest;
        offer(&surface.early, newest);
        reclaim(&mut words, [newest, done], leases);
        done = newest;
        offer(&surface.newest, done);
    }
    published
}

/// Takes `count` times, and makes sure that what it holds is what it took, and stays so.
fn read(surface: &Surface, feed: &AtomicU64, lease: &AtomicU64, count: usize) -> u64 {
    let mut seen = 0;
    for _ in 0..count {
        match hold(|| feed.load(Ordering::Relaxed), lease, sequence, seen) {
            Hold::Held(word) => {
                assert!(sequence(word) > seen, "an old frame came again");
                seen = sequence(word);
                for _look in 0..2 {
                    let found = surface.slots[slot(word)].get();
                    assert_eq!(found, seen, "a frame was overwritten while it was held");
                }
                release(lease);
            }
            Hold::Nothing => thread::yield_now(),
            Hold::Contended => {}
        }
    }
    seen
}

fn surface() -> Arc<Surface> {
    Arc::new(Surface { newest: AtomicU64::new(0), early: AtomicU64::new(0), slots: Default::default() })
}

#[test]
fn no_frame_is_overwritten_while_a_reader_holds_it() {
    loom::model(|| {
        let surface = surface();
        let lease = Arc::new(AtomicU64::new(0));
        let publisher = {
            let (surface, leases) = (surface.clone(), vec![lease.clone()]);
            thread::spawn(move || publish(&surface, &leases, 4))
        };
        read(&surface, &surface.newest, &lease, 2);
        publisher.join().unwrap();
    });
}

/// Two readers of one publisher, each of frames that are done or of those that are not, too.
fn two_readers(are_early: [bool; 2]) {
    // With three threads, all orders in which none is interrupted more than three times; that keeps the test short.
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(move || {
        let surface = surface();
        let leases: Vec<_> = (0..2).map(|_| Arc::new(AtomicU64::new(0))).collect();
        let readers: Vec<_> = leases
            .iter()
            .zip(are_early)
            .map(|(lease, is_early)| {
                let (surface, lease) = (surface.clone(), lease.clone());
                thread::spawn(move || {
                    let feed = if is_early { &surface.early } else { &surface.newest };
                    read(&surface, feed, &lease, 1)
                })
            })
            .collect();
        publish(&surface, &leases, 3);
        for reader in readers {
            reader.join().unwrap();
        }
    });
}

#[test]
fn two_readers_protect_their_frames_from_one_publisher() {
    two_readers([false, false]);
}

#[test]
fn frames_that_are_not_done_are_protected_like_others() {
    two_readers([true, false]);
}

#[test]
fn a_reader_that_comes_last_gets_the_newest_frame_and_everything_is_free_when_it_lets_go() {
    loom::model(|| {
        let surface = surface();
        let lease = Arc::new(AtomicU64::new(0));
        let publisher = {
            let (surface, leases) = (surface.clone(), vec![lease.clone()]);
            thread::spawn(move || publish(&surface, &leases, 2))
        };
        read(&surface, &surface.newest, &lease, 1);
        let published = publisher.join().unwrap();
        assert_eq!(read(&surface, &surface.newest, &lease, 1), published);
        assert_eq!(lease.load(Ordering::Relaxed), 0);
    });
}
