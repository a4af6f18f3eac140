//! Uploads, downloads and clears.

use streamlib_core::format::{Size, TextureFormat};
use streamlib_core::gpu::{Command, Gpu, HostBuffer, HostBufferUse};

use crate::steps::{buffer_of, contents, download, pattern, run, texture};

pub(crate) fn what_is_uploaded_is_downloaded<G: Gpu>(gpu: &G) {
    for format in TextureFormat::ALL {
        for (width, height) in [(1, 1), (17, 5), (1921, 3), (64, 64)] {
            let size = Size::new(width, height);
            let bytes = pattern(size.pixels() * format.bytes_per_texel());
            let image = texture(gpu, "copied", size, format);
            let shifted = [vec![0; 32], bytes.clone()].concat();
            let up = buffer_of(gpu, &shifted, HostBufferUse::Upload);
            let down =
                gpu.create_host_buffer("down", bytes.len() + 16, HostBufferUse::Readback).expect("a buffer");
            let commands = [
                Command::Upload { from: &up, offset: 32, to: &image },
                Command::Download { from: &image, to: &down, offset: 16 },
            ];
            run(gpu, &commands);
            let found = contents::<G>(&down);
            assert!(found[16..] == bytes, "{format:?} {size}");
            assert!(found[..16] == [0; 16], "bytes before the offset were touched");
        }
    }
}

pub(crate) fn a_clear_fills_the_texture_in_linear_light<G: Gpu>(gpu: &G) {
    let size = Size::new(3, 2);
    let color = [0.5, 0.0, 1.0, 0.5];
    let expected: [(TextureFormat, &[u8]); 5] = [
        (TextureFormat::Rgba8, &[128, 0, 255, 128]),
        // 0.5 in linear light is 188 in sRGB.
        (TextureFormat::Rgba8Srgb, &[188, 0, 255, 128]),
        (TextureFormat::Bgra8Srgb, &[255, 0, 188, 128]),
        (TextureFormat::Rg8, &[128, 0]),
        (TextureFormat::Rgba16Float, &[0x00, 0x38, 0, 0, 0x00, 0x3c, 0x00, 0x38]),
    ];
    for (format, texel) in expected {
        let image = texture(gpu, "cleared", size, format);
        run(gpu, &[Command::Clear { texture: &image, color }]);
        let found = download(gpu, &image, size.pixels() * texel.len());
        for found in found.chunks(texel.len()) {
            let near = found.iter().zip(texel).all(|(f, t)| f.abs_diff(*t) <= 1);
            assert!(near, "{format:?}: {found:?}, not {texel:?}");
        }
    }
}

pub(crate) fn an_untouched_texture_shows_nobody_elses_memory<G: Gpu>(gpu: &G) {
    let size = Size::new(64, 64);
    let image = texture(gpu, "secret", size, TextureFormat::Rgba8);
    let color = [1.0; 4];
    run(gpu, &[Command::Clear { texture: &image, color }]);
    drop(image);
    let image = texture(gpu, "untouched", size, TextureFormat::Rgba8);
    assert!(download(gpu, &image, size.pixels() * 4).iter().all(|byte| *byte == 0));
}

pub(crate) fn host_buffers_start_as_zeros<G: Gpu>(gpu: &G) {
    for usage in [HostBufferUse::Upload, HostBufferUse::Readback, HostBufferUse::Parameters] {
        let buffer = gpu.create_host_buffer("new", 1000, usage).expect("a buffer");
        assert_eq!(buffer.len(), 1000);
        assert!(!buffer.is_empty());
        assert!(contents::<G>(&buffer).iter().all(|byte| *byte == 0));
    }
}
