//! Timelines that two devices have.

#[path = "conformance/steps.rs"]
mod steps;
mod support;

use std::fs::File;
use std::time::Duration;

use streamlib_core::format::{Size, TextureFormat};
use streamlib_core::gpu::{Command, Gpu};
use streamlib_vulkan::{SharedTimeline, SharingProblem, VulkanError, VulkanGpu};

const LONG: Duration = Duration::from_secs(60);

/// What is handed out, or a word about why nothing is.
#[allow(clippy::print_stdout, reason = "standard output is where skips are counted")]
fn shared(gpu: &VulkanGpu) -> Option<SharedTimeline> {
    let shared = gpu.share_timeline().expect("the device is there");
    if shared.is_none() {
        println!("SKIPPED: {} shares no timelines", gpu.report().name);
    }
    shared
}

#[test]
fn it_reaches_the_value_of_a_submission_when_that_is_done() {
    let (Some(one), Some(other)) = (support::gpu(), support::gpu()) else { return };
    let Some(timeline) = shared(&one) else { return };
    let theirs = other.import_timeline("theirs", timeline).expect("imported");
    // Whoever asks later sees the same.
    let again = shared(&one).expect("once more");
    let same = other.import_timeline("the same", again).expect("imported");
    let texture = steps::texture(&one, "texture", Size::new(64, 64), TextureFormat::Rgba8);
    let mut recording =
        one.record("clear", &[Command::Clear { texture: &texture, color: [0.0; 4] }]).expect("a recording");
    for _ in 0..3 {
        let value = one.submit_one(&mut recording).expect("a submission");
        for timeline in [&theirs, &same] {
            assert!(timeline.wait(value, LONG).expect("it is there"));
            assert!(timeline.reached(value).expect("it is there"));
            assert!(!timeline.reached(value + 1).expect("it is there"), "nobody has submitted that");
        }
        one.wait(value, LONG).expect("it ends");
        let limit = Duration::from_millis(1);
        assert!(!theirs.wait(value + 1, limit).expect("it is there"), "nobody has submitted that");
    }
    drop(one);
    assert!(!theirs.wait(u64::MAX, Duration::from_millis(1)).expect("it is there"));
    assert_eq!(other.validation_messages(), 0);
}

#[test]
fn what_is_no_timeline_of_this_device_is_refused_in_words() {
    let Some(gpu) = support::gpu() else { return };
    let report = gpu.report();
    let [device, driver] = match gpu.share_timeline().expect("the device is there") {
        Some(shared) => [shared.device, shared.driver],
        None => [[0; 16]; 2],
    };
    let pipe = || std::io::pipe().expect("a pipe").0.into();
    let zero = || File::open("/dev/zero").expect("open").into();
    for descriptor in [pipe(), zero(), File::open("/proc/self/exe").expect("open").into()] {
        let error = gpu.import_timeline("theirs", SharedTimeline { descriptor, device, driver });
        let Err(VulkanError::Sharing { problem, .. }) = error else { panic!("{}: {error:?}", report.name) };
        let is_known = matches!(problem, SharingProblem::NoTimeline { .. } | SharingProblem::OtherDevice);
        assert!(is_known, "{problem}");
    }
    let other = SharedTimeline { descriptor: pipe(), device: [7; 16], driver };
    let error = gpu.import_timeline("theirs", other).expect_err("another device's");
    assert!(matches!(error, VulkanError::Sharing { problem: SharingProblem::OtherDevice, .. }), "{error}");
    assert_eq!(gpu.validation_messages(), 0);
}
