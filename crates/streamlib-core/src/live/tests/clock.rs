//! Time that the tests make.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::frame::Timestamp;
use crate::live::Clock;

/// A clock that stands until it is set.
#[derive(Debug, Default)]
pub(super) struct ManualClock(AtomicI64);

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

impl ManualClock {
    pub(super) fn advance(&self, ns: i64) {
        self.0.fetch_add(ns, Ordering::SeqCst);
    }
}
