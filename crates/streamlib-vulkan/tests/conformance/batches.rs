//! Several recordings submitted as one piece of work.

use std::time::Duration;

use streamlib_core::format::{Size, TextureFormat};
use streamlib_core::gpu::{Command, Gpu, HostBuffer, HostBufferUse};

use crate::steps::{LONG, buffer_of, contents, pattern, submit_and_wait, texture};

const SIZE: Size = Size::new(40, 30);
const BYTES: usize = SIZE.pixels() * 4;

fn clear<'a, G: Gpu>(texture: &'a G::Texture, level: f32) -> Command<'a, G> {
    Command::Clear { texture, color: [level; 4] }
}

fn record<G: Gpu>(gpu: &G, commands: &[Command<'_, G>]) -> G::Recording {
    gpu.record("part", commands).expect("a recording")
}

fn readback<G: Gpu>(gpu: &G) -> G::HostBuffer {
    gpu.create_host_buffer("down", BYTES, HostBufferUse::Readback).expect("a buffer")
}

pub(crate) fn batches_run_in_order_and_see_each_others_writes<G: Gpu>(gpu: &G) {
    let [image, other] = ["a", "b"].map(|label| texture(gpu, label, SIZE, TextureFormat::Rgba8));
    let texels = pattern(BYTES);
    let up = buffer_of(gpu, &texels, HostBufferUse::Upload);
    let downs: [_; 3] = std::array::from_fn(|_| readback(gpu));
    let download = |from, to| Command::Download { from, to, offset: 0 };
    let mut first = [
        record(gpu, &[clear(&image, 1.0)]),
        // Two recordings use the same buffers and textures.
        record(gpu, &[download(&image, &downs[0]), Command::Upload { from: &up, offset: 0, to: &image }]),
    ];
    let mut second = [record(gpu, &[download(&image, &downs[1]), clear(&image, 0.0)])];
    let mut third =
        [record(gpu, &[Command::Upload { from: &up, offset: 0, to: &other }, download(&image, &downs[2])])];
    let mut before = 0;
    for _ in 0..10 {
        let value = gpu.submit(&mut [&mut first, &mut second, &mut [], &mut third]).expect("a submission");
        assert!(before == 0 || value == before + 1, "one value for all of them");
        before = value;
        gpu.wait(value, LONG).expect("it ends");
        assert!(gpu.reached(value).expect("no loss"));
        assert!(contents::<G>(&downs[0]).iter().all(|byte| *byte == 255));
        assert!(contents::<G>(&downs[1]) == texels);
        assert!(contents::<G>(&downs[2]).iter().all(|byte| *byte == 0));
    }
    let mut many: Vec<_> = (0..200_u8)
        .map(|level| record(gpu, &[clear(&image, f32::from(level) / 255.0), download(&image, &downs[0])]))
        .collect();
    let value = gpu.submit(&mut [&mut many]).expect("more than ever before");
    gpu.wait(value, LONG).expect("it ends");
    assert!(contents::<G>(&downs[0]).iter().all(|byte| *byte == 199), "the last one was last");
}

pub(crate) fn nothing_can_be_submitted_too<G: Gpu>(gpu: &G) {
    let first = gpu.submit(&mut []).expect("no batch");
    let second = gpu.submit(&mut [&mut []]).expect("an empty batch");
    assert_eq!(second, first + 1);
    gpu.wait(second, LONG).expect("it ends");
    assert!(gpu.reached(first).expect("no loss"));
    assert!(!gpu.reached(second + 1).expect("no loss"));
}

pub(crate) fn a_submission_that_is_refused_changes_nothing<G: Gpu>(gpu: &G) {
    let images: [_; 3] = std::array::from_fn(|_| texture(gpu, "image", SIZE, TextureFormat::Rgba8));
    let downs: [_; 3] = std::array::from_fn(|_| readback(gpu));
    let mut recordings: [_; 3] = std::array::from_fn(|index| {
        let (from, to) = (&images[index], &downs[index]);
        record(gpu, &[clear(from, 1.0), Command::Download { from, to, offset: 0 }])
    });
    let last = gpu.submit(&mut []).expect("nothing");
    for open in [0, 1, 2] {
        let refused = |recordings: &mut [G::Recording]| {
            let (front, back) = recordings.split_at_mut(1);
            gpu.submit(&mut [front, back]).expect_err("one of its buffers is open");
        };
        downs[open].read(&mut |_| refused(&mut recordings)).expect("not in use");
        downs[open].write(&mut |_| refused(&mut recordings)).expect("not in use");
        for down in &downs {
            down.write(&mut |memory| memory.fill(7)).expect("a submission that was refused holds no buffer");
        }
        assert!(gpu.wait(last + 1, Duration::ZERO).is_err(), "it took a value");
    }
    // The second one alone, then again together with the others while it may be under way.
    let value = gpu.submit_one(&mut recordings[1]).expect("a submission");
    assert_eq!(value, last + 1);
    if let Ok(value) = gpu.submit(&mut [&mut recordings]) {
        gpu.wait(value, LONG).expect("it ends");
    } else {
        gpu.set_uniforms(&mut recordings[0], 0, &[]).expect_err("no dispatch, but not in flight either");
        gpu.wait(value, LONG).expect("it ends");
        let value = gpu.submit(&mut [&mut recordings]).expect("all are free");
        assert_eq!(value, last + 2);
        gpu.wait(value, LONG).expect("it ends");
    }
    recordings.iter_mut().for_each(|recording| submit_and_wait(gpu, recording));
    assert!(downs.iter().all(|down| contents::<G>(down).iter().all(|byte| *byte == 255)));
}
