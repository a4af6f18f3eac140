//! Devices that one test uses at a time, whichever program the test is in: the device machine runs several of them side by side.
//!
//! Who takes several turns takes them in the order in which they stand here.

#![allow(dead_code, reason = "not every program has tests of all devices")]

use std::fs::File;

/// What nobody else uses while this lives.
pub(crate) struct Turn(#[expect(dead_code, reason = "it is locked as long as it is open")] File);

/// All cameras but those that tests plug in.
pub(crate) fn cameras() -> Turn {
    turn("cameras")
}

/// The port that tests plug their own cameras in.
pub(crate) fn usb() -> Turn {
    turn("usb")
}

/// The screen of a driver, or rather its card.
pub(crate) fn screen(driver: &str) -> Turn {
    turn(&format!("screen-{driver}"))
}

/// The port to the device machine's host.
pub(crate) fn host() -> Turn {
    turn("host")
}

fn turn(name: &str) -> Turn {
    let path = std::env::temp_dir().join(format!("streamlib-tests-{name}.lock"));
    // Another user may have made it.
    let file = File::open(&path).or_else(|_| File::create(&path));
    let file = file.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    file.lock().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Turn(file)
}
