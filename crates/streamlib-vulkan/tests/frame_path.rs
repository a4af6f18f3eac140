//! What happens for every frame allocates nothing and takes no lock.
#![allow(unsafe_code, reason = "a counting allocator")]

#[path = "conformance/steps.rs"]
mod steps;
mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use steps::{LONG, floats, kernel, texture};
use streamlib_core::format::{Size, TextureFormat};
use streamlib_core::gpu::{Command, Dispatch, Gpu, HostBufferUse};
use streamlib_core::sync::locks_taken;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: forwards to the system's allocator and counts.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // A thread that is ending has no counter any more.
        let _ending = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        // SAFETY: forwarded.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: forwarded.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn what_happens_for_every_frame_allocates_nothing_and_takes_no_lock() {
    let Some(gpu) = support::gpu() else { return };
    let (size, format) = (Size::new(64, 64), TextureFormat::Rgba8);
    let [input, other, output] = ["in", "other", "out"].map(|label| texture(&gpu, label, size, format));
    let tint = kernel(&gpu, "tint", &support::kernels().tint, format);
    let down = gpu.create_host_buffer("down", size.pixels() * 4, HostBufferUse::Readback).expect("a buffer");
    let dispatch = Dispatch {
        label: "tint",
        kernel: &tint,
        inputs: &[("input", &input)],
        outputs: &[("output", &output)],
        buffers: &[],
        threads: size,
    };
    let record = |commands: &[Command<'_, _>]| [gpu.record("frame", commands).expect("a recording")];
    let mut before = record(&[Command::Clear { texture: &input, color: [1.0; 4] }]);
    let mut pass = record(&[Command::Dispatch(dispatch)]);
    let mut after = record(&[Command::Download { from: &output, to: &down, offset: 0 }]);
    let block = floats(&[1.0; 4]);
    let mut moments = Vec::with_capacity(2);
    // The first time is like every other.
    let (allocations, locks) = (ALLOCATIONS.get(), locks_taken());
    for round in 0..20 {
        gpu.set_uniforms(&mut pass[0], 0, &block).expect("a block");
        gpu.rebind(&mut pass[0], &input, if round % 2 == 0 { &other } else { &input }).expect("an input");
        let value = gpu.submit(&mut [&mut before, &mut pass, &mut after]).expect("a submission");
        gpu.wait(value, LONG).expect("it ends");
        assert!(gpu.reached(value).expect("no loss"));
        gpu.timestamps(&pass[0], &mut moments).expect("timestamps");
        gpu.calibrate().expect("no loss");
    }
    assert_eq!(ALLOCATIONS.get() - allocations, 0, "allocations");
    assert_eq!(locks_taken() - locks, 0, "locks");
    assert_eq!(gpu.validation_messages(), 0);
}

#[test]
fn locks_are_counted() {
    let Some(gpu) = support::gpu() else { return };
    let before = locks_taken();
    texture(&gpu, "image", Size::new(1, 1), TextureFormat::R8);
    assert!(locks_taken() > before, "the allocator of device memory has one");
}
