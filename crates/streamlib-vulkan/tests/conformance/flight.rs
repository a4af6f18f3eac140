//! Work in flight: what may be touched, dropped and waited for.

use std::time::Duration;

use streamlib_core::format::{Size, TextureFormat};
use streamlib_core::gpu::{Command, Gpu, HostBuffer, HostBufferUse};

use crate::steps::{LONG, contents, run, submit_and_wait, texture};

const SIZE: Size = Size::new(1024, 1024);

/// A recording that keeps the device busy for a while, and the buffer that it fills at its end.
fn slow<G: Gpu>(gpu: &G) -> (G::Recording, G::HostBuffer) {
    let image = texture(gpu, "slow", SIZE, TextureFormat::Rgba8);
    let down = gpu.create_host_buffer("slow", SIZE.pixels() * 4, HostBufferUse::Readback).expect("a buffer");
    let mut commands = Vec::new();
    for _ in 0..20 {
        commands.push(Command::Clear { texture: &image, color: [1.0; 4] });
        commands.push(Command::Download { from: &image, to: &down, offset: 0 });
    }
    (gpu.record("slow", &commands).expect("a recording"), down)
}

pub(crate) fn the_host_is_kept_out_while_work_is_in_flight<G: Gpu>(gpu: &G) {
    let (mut recording, down) = slow(gpu);
    let mut refused = 0;
    for _ in 0..50 {
        let value = gpu.submit_one(&mut recording).expect("a submission");
        match down.read(&mut |_| ()) {
            Err(_) => {
                refused += 1;
                // Each of these may succeed only because the work has just ended.
                let over = || gpu.wait(value, Duration::ZERO).is_ok();
                assert!(down.write(&mut |_| ()).is_err() || over());
                assert!(gpu.submit_one(&mut recording).is_err() || over());
                assert!(gpu.set_uniforms(&mut recording, 0, &[]).is_err() || over());
            }
            Ok(()) => gpu.wait(value, Duration::ZERO).expect("it was read, so it is over"),
        }
        // The newest submission may be one of those above.
        while gpu.times(&recording, &mut Vec::new()).is_err() {
            let _timeout = gpu.wait(value + 1, Duration::from_millis(10));
        }
        assert!(contents::<G>(&down).iter().all(|byte| *byte == 255));
    }
    assert!(refused > 0, "the device was never caught at work");
}

pub(crate) fn an_open_buffer_cannot_be_submitted<G: Gpu>(gpu: &G) {
    let (mut recording, down) = slow(gpu);
    down.read(&mut |_| {
        assert!(gpu.submit_one(&mut recording).is_err());
        down.read(&mut |_| ()).expect("readers share");
        assert!(down.write(&mut |_| ()).is_err(), "a writer is alone");
    })
    .expect("nothing uses it");
    down.write(&mut |_| assert!(gpu.submit_one(&mut recording).is_err())).expect("nothing uses it");
    submit_and_wait(gpu, &mut recording);
}

pub(crate) fn everything_can_be_dropped_in_flight<G: Gpu>(gpu: &G) {
    let mut last = 0;
    for _ in 0..5 {
        let (mut recording, down) = slow(gpu);
        last = gpu.submit_one(&mut recording).expect("a submission");
        drop(down);
        drop(recording);
    }
    gpu.wait(last, LONG).expect("it ends");
    // And without a wait, to see that the device itself can go first.
    let (mut recording, _down) = slow(gpu);
    gpu.submit_one(&mut recording).expect("a submission");
}

pub(crate) fn values_grow_by_one_and_a_wait_can_time_out<G: Gpu>(gpu: &G) {
    let image = texture(gpu, "small", Size::new(1, 1), TextureFormat::R8);
    let clear = [Command::Clear { texture: &image, color: [0.0; 4] }];
    let mut recording = gpu.record("clear", &clear).expect("a recording");
    let first = gpu.submit_one(&mut recording).expect("a submission");
    gpu.wait(first, LONG).expect("it ends");
    for expected in first + 1..first + 10 {
        assert_eq!(gpu.submit_one(&mut recording).expect("a submission"), expected);
        gpu.wait(expected, LONG).expect("it ends");
    }
    gpu.wait(0, Duration::ZERO).expect("reached from the start");
    let never = first + 100;
    for timeout in [Duration::ZERO, Duration::from_millis(1), Duration::from_millis(250)] {
        let error = gpu.wait(never, timeout).expect_err("nobody submits that");
        assert!(!streamlib_core::gpu::GpuError::is_device_lost(&error));
    }
    run(gpu, &clear);
}

pub(crate) fn an_empty_recording_is_a_recording<G: Gpu>(gpu: &G) {
    let recording = run(gpu, &[]);
    let mut times = Vec::new();
    gpu.times(&recording, &mut times).expect("times");
    assert!(times.is_empty());
}
