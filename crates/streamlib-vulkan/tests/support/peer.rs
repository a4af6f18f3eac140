//! Another process that is handed textures: this test program once more.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::process::Command as Process;

use streamlib_core::format::{Size, TextureFormat};
use streamlib_vulkan::{SharedTexture, SharedTiling, SharingKind};

/// Where a process finds the words about the textures that it was handed, a line for each.
const WORDS: &str = "STREAMLIB_TEST_SHARED";

/// Runs the test of this name in another process, which has all that is `shared` as well.
pub(crate) fn hand_over(test: &str, shared: &[SharedTexture]) {
    let words = shared.iter().map(words).collect::<Vec<_>>().join("\n");
    shared.iter().for_each(|shared| pass_on(shared.descriptor.as_raw_fd()));
    let ended = Process::new(std::env::current_exe().expect("this program"))
        .args(["--exact", test, "--nocapture"])
        .env(WORDS, words)
        .output()
        .expect("it starts");
    // Printed by itself it would be counted as a test program that has no result.
    let (said, complained) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert!(ended.status.success(), "the other process: {said}\n{complained}");
}

/// In the other process: what it was handed.
pub(crate) fn handed_over() -> Option<Vec<SharedTexture>> {
    let words = std::env::var(WORDS).ok()?;
    Some(words.lines().map(taken_over).collect())
}

fn taken_over(words: &str) -> SharedTexture {
    let mut words = words.split(' ');
    let mut next = || words.next().expect("another word");
    let mut number = || next().parse::<u64>().expect("a number");
    let descriptor = take_over(number() as RawFd);
    let kind = SharingKind::ALL[number() as usize];
    let size = Size::new(number() as u32, number() as u32);
    let format = TextureFormat::ALL[number() as usize];
    let allocation = number();
    let tiling = match number() {
        0 => SharedTiling::Optimal,
        1 => SharedTiling::Linear,
        _ => SharedTiling::Modifier(number()),
    };
    let (offset, row_pitch) = (number(), number());
    let mut id = || next().parse::<u128>().expect("an id").to_le_bytes();
    let (device, driver) = (id(), id());
    SharedTexture { descriptor, kind, size, format, allocation, tiling, offset, row_pitch, device, driver }
}

fn words(shared: &SharedTexture) -> String {
    let place = |found: Option<usize>| found.expect("a known one").to_string();
    let tiling = match shared.tiling {
        SharedTiling::Optimal => "0".to_owned(),
        SharedTiling::Linear => "1".to_owned(),
        SharedTiling::Modifier(modifier) => format!("2 {modifier}"),
    };
    [
        shared.descriptor.as_raw_fd().to_string(),
        place(SharingKind::ALL.iter().position(|kind| *kind == shared.kind)),
        shared.size.width.to_string(),
        shared.size.height.to_string(),
        place(TextureFormat::ALL.iter().position(|format| *format == shared.format)),
        shared.allocation.to_string(),
        tiling,
        shared.offset.to_string(),
        shared.row_pitch.to_string(),
        u128::from_le_bytes(shared.device).to_string(),
        u128::from_le_bytes(shared.driver).to_string(),
    ]
    .join(" ")
}

/// Lets programs that are started have the descriptor.
#[allow(unsafe_code, reason = "sets a flag of a descriptor")]
fn pass_on(descriptor: RawFd) {
    // SAFETY: takes numbers.
    assert_eq!(unsafe { libc::fcntl(descriptor, libc::F_SETFD, 0) }, 0, "it is open");
}

#[allow(unsafe_code, reason = "takes over a descriptor that was inherited")]
fn take_over(descriptor: RawFd) -> OwnedFd {
    // SAFETY: it was opened for this process, where nothing else has it.
    unsafe { OwnedFd::from_raw_fd(descriptor) }
}

/// A copy of what was shared, with a descriptor of its own.
pub(crate) fn copy(shared: &SharedTexture) -> SharedTexture {
    SharedTexture { descriptor: shared.descriptor.try_clone().expect("a descriptor"), ..*shared }
}
