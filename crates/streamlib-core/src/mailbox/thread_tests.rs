//! Mailboxes between real threads.

use std::num::NonZeroU16;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use proptest::prelude::*;

use super::{Listener, Policy, Receiver, SendError, Wake, new, with_bell};

/// Far longer than any test takes: reaching it is a failure.
const FOREVER: Duration = Duration::from_secs(600);

fn bound(bound: u16) -> NonZeroU16 {
    NonZeroU16::new(bound).unwrap()
}

fn policy() -> impl Strategy<Value = Policy> {
    (0..3, 1..9_u16).prop_map(|(kind, count)| match kind {
        0 => Policy::Latest,
        1 => Policy::Every { bound: bound(count) },
        _ => Policy::Lossless { bound: bound(count) },
    })
}

/// Everything that comes until the sender is gone.
fn drain<T>(mut receiver: Receiver<T>, mut listener: Listener) -> Vec<T> {
    let mut taken = Vec::new();
    while !receiver.is_closed() {
        match receiver.take() {
            Some(value) => taken.push(value),
            None => assert_eq!(listener.wait(None), Wake::Rung),
        }
    }
    taken
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn two_threads_lose_nothing_that_is_not_accounted_for(policy in policy(), count in 0..2_000_u32) {
        let listener = Listener::new();
        let (mut sender, receiver) = with_bell(policy, listener.bell());
        let sending = thread::spawn(move || {
            let sent = (0..count).map(|n| sender.send_blocking(n, FOREVER));
            sent.filter_map(|sent| sent.expect("the receiver takes all")).collect::<Vec<u32>>()
        });
        let taken = drain(receiver, listener);
        let displaced = sending.join().unwrap();
        prop_assert!(taken.is_sorted_by(|a, b| a < b) && displaced.is_sorted_by(|a, b| a < b));
        let mut all = [&taken[..], &displaced].concat();
        all.sort_unstable();
        prop_assert_eq!(all, (0..count).collect::<Vec<_>>());
        if matches!(policy, Policy::Lossless { .. }) {
            prop_assert_eq!(displaced, Vec::<u32>::new());
        }
        // The last value is never displaced.
        prop_assert_eq!(taken.last().copied(), count.checked_sub(1));
    }

    #[test]
    fn a_receiver_that_closes_and_its_sender_count_each_value_once(policy in policy(), before in 0..300_usize) {
        let (mut sender, mut receiver) = new(policy);
        let sending = thread::spawn(move || {
            let (mut sent, mut back) = (0_usize, 0);
            loop {
                sent += 1;
                match sender.send_blocking((), FOREVER) {
                    Ok(displaced) => back += usize::from(displaced.is_some()),
                    Err(SendError::Closed(())) => return (sent, back + 1),
                    Err(SendError::Full(())) => sent -= 1,
                }
            }
        });
        let mut taken = 0;
        while taken < before {
            taken += usize::from(receiver.take().is_some());
        }
        receiver.close();
        taken += std::iter::from_fn(|| receiver.take()).count();
        let (sent, back) = sending.join().unwrap();
        prop_assert_eq!(sent, taken + back);
    }

    #[test]
    fn a_receiver_that_leaves_keeps_nothing_alive(policy in policy(), before in 0..300_usize) {
        let value = Arc::new(());
        let (mut sender, mut receiver) = new(policy);
        let sent = value.clone();
        let sending = thread::spawn(move || {
            while !matches!(sender.send_blocking(sent.clone(), FOREVER), Err(SendError::Closed(_))) {}
            sender
        });
        (0..before).for_each(|_| drop(receiver.take()));
        drop(receiver);
        let sender = sending.join().unwrap();
        prop_assert_eq!(Arc::strong_count(&value), 1);
        drop(sender);
    }
}

#[test]
fn one_listener_hears_several_mailboxes_and_their_ends() {
    let mut listener = Listener::new();
    let (senders, mut receivers): (Vec<_>, Vec<_>) =
        (0..3).map(|_| with_bell(Policy::Every { bound: bound(200) }, listener.bell())).unzip();
    let sending = senders
        .into_iter()
        .map(|mut sender| thread::spawn(move || (0..100).for_each(|n| assert_eq!(sender.send(n), Ok(None)))));
    let sending: Vec<_> = sending.collect();
    let mut taken = [0; 3];
    while !receivers.iter().all(Receiver::is_closed) {
        for (receiver, taken) in receivers.iter_mut().zip(&mut taken) {
            while let Some(value) = receiver.take() {
                assert_eq!(value, *taken);
                *taken += 1;
            }
        }
        if !receivers.iter().all(Receiver::is_closed) {
            listener.wait(None);
        }
    }
    assert_eq!(taken, [100; 3]);
    sending.into_iter().for_each(|thread| thread.join().unwrap());
}

#[test]
fn a_sender_that_waits_for_space_gives_up_when_the_time_is_up_and_when_the_receiver_goes() {
    let (mut sender, receiver) = new(Policy::Lossless { bound: bound(1) });
    assert_eq!(sender.send_blocking(1, Duration::ZERO), Ok(None));
    assert_eq!(sender.send_blocking(2, Duration::ZERO), Err(SendError::Full(2)));
    let waiting = thread::spawn(move || sender.send_blocking(3, FOREVER));
    drop(receiver);
    assert_eq!(waiting.join().unwrap(), Err(SendError::Closed(3)));
}

#[test]
fn a_limit_that_no_clock_can_hold_is_no_limit() {
    let (mut sender, mut receiver) = new(Policy::Lossless { bound: bound(1) });
    assert_eq!(sender.send(1), Ok(None));
    let waiting = thread::spawn(move || sender.send_blocking(2, Duration::MAX));
    assert_eq!(receiver.take(), Some(1));
    assert_eq!(waiting.join().unwrap(), Ok(None));
    assert_eq!(receiver.take(), Some(2));
    assert!(receiver.is_closed());
}

#[test]
fn a_wait_without_a_ring_ends_at_its_time() {
    let mut listener = Listener::new();
    assert_eq!(listener.wait(Some(std::time::Instant::now())), Wake::TimedOut);
    listener.bell().ring();
    listener.bell().ring();
    assert_eq!(listener.wait(None), Wake::Rung);
    assert_eq!(listener.wait(Some(std::time::Instant::now())), Wake::TimedOut);
}
