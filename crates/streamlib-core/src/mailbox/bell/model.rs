//! Every interleaving of the bell's own code, under every order of memory that the language allows.

mod sync {
    pub(super) use loom::sync::RwLock;
    pub(super) use loom::sync::atomic::{AtomicU8, Ordering};
    pub(super) use loom::thread::{Thread, current};
}

#[allow(
    clippy::duplicate_mod,
    reason = "the same code, over the model checker's atomics instead of the machine's"
)]
#[path = "state.rs"]
mod state;

use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

use state::State;

/// Waits without a time limit.
fn wait(state: &State) {
    let rung = state.wait(|| {
        thread::park();
        true
    });
    assert!(rung);
}

/// Waits with a limit that passes at once.
fn glance(state: &State) -> bool {
    state.wait(|| false)
}

/// A thread that puts one value into `shelf` and rings.
fn bring(state: &Arc<State>, shelf: &Arc<AtomicUsize>) -> thread::JoinHandle<()> {
    let (state, shelf) = (state.clone(), shelf.clone());
    thread::spawn(move || {
        shelf.fetch_add(1, Ordering::Relaxed);
        state.ring();
    })
}

fn parts() -> (Arc<State>, Arc<AtomicUsize>) {
    (Arc::new(State::default()), Arc::new(AtomicUsize::new(0)))
}

#[test]
fn a_ring_ends_the_wait_and_shows_what_was_written_before_it() {
    loom::model(|| {
        let (state, shelf) = parts();
        let ringer = bring(&state, &shelf);
        wait(&state);
        assert_eq!(shelf.load(Ordering::Relaxed), 1);
        ringer.join().unwrap();
    });
}

#[test]
fn a_listener_that_looks_before_each_wait_misses_no_value_of_two_senders() {
    // With three threads, all orders in which none is interrupted more than three times; that keeps the test short.
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(|| {
        let (state, shelf) = parts();
        let ringers = [bring(&state, &shelf), bring(&state, &shelf)];
        while shelf.load(Ordering::Relaxed) < 2 {
            wait(&state);
        }
        ringers.into_iter().for_each(|ringer| ringer.join().unwrap());
    });
}

#[test]
fn a_ring_at_the_moment_the_time_is_up_is_heard_by_this_wait_or_the_next() {
    loom::model(|| {
        let (state, shelf) = parts();
        let ringer = bring(&state, &shelf);
        if !glance(&state) {
            wait(&state);
        }
        assert_eq!(shelf.load(Ordering::Relaxed), 1);
        ringer.join().unwrap();
        assert!(!glance(&state), "one ring was heard twice");
    });
}

#[test]
fn a_listener_that_moved_to_another_thread_is_woken_there() {
    loom::model(|| {
        let (state, shelf) = parts();
        glance(&state);
        let moved = state.clone();
        let listener = thread::spawn(move || wait(&moved));
        bring(&state, &shelf).join().unwrap();
        listener.join().unwrap();
    });
}
