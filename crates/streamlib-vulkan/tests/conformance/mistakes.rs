//! Wrong input is an error, and leaves the device working.

use streamlib_core::format::{Size, TextureFormat};
use streamlib_core::gpu::{Command, Dispatch, Gpu, HostBufferUse, KernelDesc, TextureDesc};

use crate::steps::{Kernels, kernel, run, texture};

const SIZE: Size = Size::new(8, 8);

pub(crate) fn sizes_beyond_the_device_are_refused<G: Gpu>(gpu: &G) {
    let max = gpu.info().max_texture_size;
    for (width, height) in [(0, 1), (1, 0), (max + 1, 1), (1, max + 1), (u32::MAX, u32::MAX)] {
        let desc = TextureDesc { label: "bad", size: Size::new(width, height), format: TextureFormat::Rgba8 };
        assert!(gpu.create_texture(&desc).is_err(), "{width} x {height}");
    }
    for usage in [HostBufferUse::Upload, HostBufferUse::Readback, HostBufferUse::Parameters] {
        assert!(gpu.create_host_buffer("empty", 0, usage).is_err());
        assert!(gpu.create_host_buffer("huge", usize::MAX, usage).is_err());
        assert!(gpu.create_host_buffer("huge", 1 << 60, usage).is_err());
    }
}

pub(crate) fn copies_that_do_not_fit_are_refused<G: Gpu>(gpu: &G) {
    let image = texture(gpu, "image", SIZE, TextureFormat::Rgba8);
    let up = gpu.create_host_buffer("up", 8 * 8 * 4 + 16, HostBufferUse::Upload).expect("a buffer");
    let down = gpu.create_host_buffer("down", 8 * 8 * 4 + 16, HostBufferUse::Readback).expect("a buffer");
    for offset in [1, 8, 32, usize::MAX - 15] {
        let upload = Command::Upload { from: &up, offset, to: &image };
        let download = Command::Download { from: &image, to: &down, offset };
        for command in [upload, download] {
            assert!(gpu.record("bad", std::slice::from_ref(&command)).is_err(), "{command:?}");
        }
    }
    let swapped = [
        Command::Upload { from: &down, offset: 0, to: &image },
        Command::Download { from: &image, to: &up, offset: 0 },
    ];
    for command in &swapped {
        assert!(gpu.record("bad", std::slice::from_ref(command)).is_err(), "{command:?}");
    }
    run(gpu, &[Command::Upload { from: &up, offset: 16, to: &image }]);
}

pub(crate) fn dispatches_with_wrong_bindings_are_refused<G: Gpu>(gpu: &G, kernels: &Kernels) {
    let format = TextureFormat::Rgba8;
    let [a, b] = ["a", "b"].map(|label| texture(gpu, label, SIZE, format));
    let srgb = texture(gpu, "srgb", SIZE, TextureFormat::Rgba8Srgb);
    let tint = kernel(gpu, "tint", &kernels.tint, format);
    let palette = kernel(gpu, "palette", &kernels.palette, format);
    let buffer = gpu.create_host_buffer("p", 16, HostBufferUse::Parameters).expect("a buffer");
    let upload = gpu.create_host_buffer("u", 16, HostBufferUse::Upload).expect("a buffer");
    let good = Dispatch {
        label: "good",
        kernel: &tint,
        inputs: &[("input", &a)],
        outputs: &[("output", &b)],
        buffers: &[],
        threads: SIZE,
    };
    let good_palette = Dispatch {
        label: "good palette",
        kernel: &palette,
        inputs: &[],
        outputs: &[("output", &b)],
        buffers: &[("palette", &buffer)],
        threads: SIZE,
    };
    let bad = [
        Dispatch { label: "no input", inputs: &[], ..good },
        Dispatch { label: "unknown input", inputs: &[("input", &a), ("mask", &a)], ..good },
        Dispatch { label: "input twice", inputs: &[("input", &a), ("input", &a)], ..good },
        Dispatch { label: "no output", outputs: &[], ..good },
        Dispatch { label: "in place", outputs: &[("output", &a)], ..good },
        Dispatch { label: "other encoding", outputs: &[("output", &srgb)], ..good },
        Dispatch { label: "a buffer too many", buffers: &[("palette", &buffer)], ..good },
        Dispatch { label: "no threads", threads: Size::new(0, 1), ..good },
        Dispatch { label: "too many threads", threads: Size::new(u32::MAX, u32::MAX), ..good },
        Dispatch { label: "no buffer", buffers: &[], ..good_palette },
        Dispatch { label: "wrong buffer", buffers: &[("palette", &upload)], ..good_palette },
    ];
    for dispatch in bad {
        let label = dispatch.label;
        let error = gpu.record("bad", &[Command::Dispatch(dispatch)]).expect_err(label);
        assert!(!error.to_string().is_empty());
    }
    let mut recording = run(gpu, &[Command::Dispatch(good), Command::Dispatch(good_palette)]);
    for (pass, bytes) in [(0, 17), (1, 1), (2, 0), (usize::MAX, 4)] {
        let set = gpu.set_uniforms(&mut recording, pass, &vec![0; bytes]);
        assert!(set.is_err(), "{bytes} bytes to dispatch {pass}");
    }
    gpu.set_uniforms(&mut recording, 0, &[0; 16]).expect("a block");
    gpu.set_uniforms(&mut recording, 1, &[]).expect("nothing");
}

pub(crate) fn bad_code_is_refused<G: Gpu>(gpu: &G, kernels: &Kernels) {
    let code = &kernels.tint;
    let outputs: &[(&str, TextureFormat)] = &[("output", TextureFormat::Rgba8)];
    let refuse = |what: &str, spirv: &[u32], outputs: &[(&str, TextureFormat)]| {
        let interface = &code.interface;
        let error =
            gpu.create_kernel(&KernelDesc { label: "bad", spirv, interface, outputs }).expect_err(what);
        assert!(!error.to_string().is_empty());
    };
    refuse("nothing", &[], outputs);
    refuse("no SPIR-V", &[1, 2, 3, 4, 5, 6], outputs);
    for length in 1..code.spirv.len() {
        refuse("cut off", &code.spirv[..length], outputs);
    }
    refuse("other code", &kernels.palette.spirv, outputs);
    refuse("no output format", &code.spirv, &[]);
    refuse("unknown output", &code.spirv, &[outputs[0], ("other", TextureFormat::Rgba8)]);
    let mut zero_length = code.spirv.clone();
    zero_length[5] = 0;
    refuse("an instruction of no words", &zero_length, outputs);
    let capability = [&code.spirv[..5], &[0x0002_0011, 5352], &code.spirv[5..]].concat();
    refuse("a capability that nobody has", &capability, outputs);

    let compute = KernelDesc {
        label: "palette",
        spirv: &kernels.palette.spirv,
        interface: &kernels.palette.interface,
        outputs: &[("output", TextureFormat::Rgba8Srgb)],
    };
    let error = gpu.create_kernel(&compute).expect_err("compute kernels cannot encode");
    assert!(error.to_string().contains("pixel form"), "no advice: {error}");
}
