//! Sending, taking and ringing allocate nothing. A file of its own, as the allocator that counts is the process's.

use std::num::NonZeroU16;
use std::time::{Duration, Instant};

use streamlib_core::mailbox::{self, Listener, Policy, SendError, Wake};

#[test]
fn mailboxes_allocate_nothing_once_they_are_made() {
    let bound = NonZeroU16::new(3).unwrap();
    for policy in [Policy::Latest, Policy::Every { bound }, Policy::Lossless { bound }] {
        let mut listener = Listener::new();
        let (mut sender, mut receiver) = mailbox::with_bell(policy, listener.bell());
        // The standard library makes a thread's handle on first use.
        assert_eq!(listener.wait(Some(Instant::now())), Wake::TimedOut);
        let allocations = allocation_counter::measure(|| {
            for round in 0..100_u64 {
                for value in 0..5 {
                    match sender.send(round * 5 + value) {
                        Ok(_) => {}
                        Err(SendError::Full(value)) => {
                            assert!(sender.send_blocking(value, Duration::ZERO).is_err());
                        }
                        Err(SendError::Closed(_)) => panic!("the receiver is there"),
                    }
                }
                assert_eq!(listener.wait(None), Wake::Rung);
                while receiver.take().is_some() {}
                assert_eq!(listener.wait(Some(Instant::now())), Wake::TimedOut);
            }
        });
        assert_eq!(allocations.count_total, 0, "{policy:?}");
    }
}
