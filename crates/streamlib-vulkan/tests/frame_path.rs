//! What happens for every frame allocates nothing.
#![allow(unsafe_code, reason = "a counting allocator")]

#[path = "conformance/steps.rs"]
mod steps;
mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use steps::{LONG, floats, kernel, submit_and_wait, texture};
use streamlib_core::format::{Size, TextureFormat};
use streamlib_core::gpu::{Command, Dispatch, Gpu};

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
fn uniforms_submit_wait_and_times_allocate_nothing() {
    let Some(gpu) = support::gpu() else { return };
    let (size, format) = (Size::new(64, 64), TextureFormat::Rgba8);
    let [input, output] = ["in", "out"].map(|label| texture(&gpu, label, size, format));
    let tint = kernel(&gpu, "tint", &support::kernels().tint, format);
    let dispatch = Dispatch {
        label: "tint",
        kernel: &tint,
        inputs: &[("input", &input)],
        outputs: &[("output", &output)],
        buffers: &[],
        threads: size,
    };
    let mut recording = gpu.record("frame", &[Command::Dispatch(dispatch)]).expect("a recording");
    let block = floats(&[1.0; 4]);
    let mut times = Vec::with_capacity(1);
    submit_and_wait(&gpu, &mut recording);
    let before = ALLOCATIONS.get();
    for _ in 0..20 {
        gpu.set_uniforms(&mut recording, 0, &block).expect("a block");
        let value = gpu.submit_one(&mut recording).expect("a submission");
        gpu.wait(value, LONG).expect("it ends");
        gpu.times(&recording, &mut times).expect("times");
    }
    assert_eq!(ALLOCATIONS.get() - before, 0);
}
