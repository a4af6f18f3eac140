//! Moments: on the device's clock, on the host's, and on the timeline before they come.

use std::time::Duration;

use streamlib_core::format::{Size, TextureFormat};
use streamlib_core::gpu::{Command, Gpu};

use crate::steps::{LONG, run, submit_and_wait, texture};

/// What reads `CLOCK_MONOTONIC`, in nanoseconds.
pub(crate) type Now = fn() -> i64;

pub(crate) fn timestamps_lie_between_submission_and_end<G: Gpu>(gpu: &G, now: &Now) {
    let image = texture(gpu, "image", Size::new(64, 64), TextureFormat::Rgba8);
    let clear = || Command::Clear { texture: &image, color: [1.0; 4] };
    let mut recording = gpu.record("clears", &[clear(), clear(), clear()]).expect("a recording");
    let mut moments = vec![7];
    gpu.timestamps(&recording, &mut moments).expect("never submitted");
    assert!(moments.is_empty());
    let mut last = 0;
    for _ in 0..5 {
        let before = now();
        submit_and_wait(gpu, &mut recording);
        let after = now();
        gpu.timestamps(&recording, &mut moments).expect("it has ended");
        let Some(&first) = moments.first() else { return };
        assert_eq!(moments.len(), 4, "the beginning and the end of each step: {moments:?}");
        assert!(moments.is_sorted() && first >= last, "{moments:?} after {last}");
        last = moments[3];
        let mut times = Vec::new();
        gpu.times(&recording, &mut times).expect("it has ended");
        assert!(times.iter().eq(moments.windows(2).map(|pair| pair[1] - pair[0]).collect::<Vec<_>>().iter()));

        let Some(calibration) = gpu.calibrate().expect("no loss") else { continue };
        let slack = calibration.uncertainty_ns as i64;
        assert!((after..=now()).contains(&calibration.host_ns), "another clock: {calibration:?}");
        for moment in [first, last].map(|moment| calibration.to_host(moment)) {
            assert!(
                (before - slack..=after + slack).contains(&moment),
                "{moment} is not between {before} and {after}, {calibration:?}"
            );
        }
    }
}

pub(crate) fn a_wait_may_come_before_its_submission<G: Gpu>(gpu: &G) {
    let image = texture(gpu, "small", Size::new(1, 1), TextureFormat::R8);
    let clear = [Command::Clear { texture: &image, color: [0.0; 4] }];
    let recording = run(gpu, &clear);
    let mut recordings = [recording, gpu.record("next", &clear).expect("a recording")];
    let last = gpu.submit(&mut []).expect("nothing");
    for round in 0..20 {
        let (first, second) = (last + round * 2 + 1, last + round * 2 + 2);
        assert!(gpu.wait(first, Duration::from_millis(1)).is_err(), "nobody submitted it yet");
        std::thread::scope(|scope| {
            let waiting = [first, second].map(|value| scope.spawn(move || gpu.wait(value, LONG)));
            for (recording, expected) in recordings.iter_mut().zip([first, second]) {
                assert_eq!(gpu.submit_one(recording).expect("a submission"), expected);
            }
            for wait in waiting {
                wait.join().expect("no panic").expect("it ends");
            }
        });
        gpu.wait(second, LONG).expect("it ends");
    }
}
