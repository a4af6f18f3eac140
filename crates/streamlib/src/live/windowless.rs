//! Windows on systems that have none.

use std::marker::PhantomData;

use streamlib_core::format::Size;
use streamlib_core::frame::Timestamp;

/// There are none.
#[derive(Debug)]
pub(super) enum Window {}

/// There are none either.
#[derive(Debug)]
pub(super) struct Presentation<T>(Window, PhantomData<T>);

/// Nothing was.
pub(super) struct Presented {
    pub(super) time: Timestamp,
    pub(super) refresh_ns: Option<i64>,
}

impl Window {
    pub(super) fn size(&self) -> Size {
        match *self {}
    }

    pub(super) fn is_closed(&self) -> bool {
        match *self {}
    }

    pub(super) fn was_uncovered(&self) -> bool {
        match *self {}
    }

    pub(super) fn set_title(&self, _: &str) {
        match *self {}
    }
}

impl<T> Presentation<T> {
    pub(super) fn ask(&mut self) {
        match self.0 {}
    }

    pub(super) fn handed_over(&mut self, _: T) -> bool {
        match self.0 {}
    }

    pub(super) fn handed_over_unasked(&mut self) {
        match self.0 {}
    }

    pub(super) fn news(&mut self) -> Vec<(T, Option<Presented>)> {
        match self.0 {}
    }

    pub(super) fn untold(self) -> Vec<T> {
        match self.0 {}
    }
}
