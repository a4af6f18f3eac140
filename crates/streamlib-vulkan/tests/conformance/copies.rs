//! Uploads, downloads and clears.

use std::time::Duration;

use streamlib_core::format::{Size, TextureFormat};
use streamlib_core::gpu::{Command, Gpu, HostBuffer, HostBufferUse, TextureDesc};

const SECOND: Duration = Duration::from_secs(10);

/// Bytes that differ from texel to texel; half floats stay finite.
pub fn pattern(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|i| ((i * 31 + i / 255) % 120) as u8).collect()
}

pub fn what_is_uploaded_is_downloaded<G: Gpu>(gpu: &G) {
    for format in TextureFormat::ALL {
        for (width, height) in [(1, 1), (17, 5), (1921, 3), (64, 64)] {
            let size = Size::new(width, height);
            let bytes = pattern(size.pixels() * format.bytes_per_texel());
            let texture = gpu
                .create_texture(&TextureDesc {
                    label: "copied",
                    size,
                    format,
                })
                .expect("texture");
            let up = gpu
                .create_host_buffer("up", bytes.len() + 32, HostBufferUse::Upload)
                .expect("buffer");
            let down = gpu
                .create_host_buffer("down", bytes.len() + 16, HostBufferUse::Readback)
                .expect("buffer");
            up.write(&mut |memory| memory[32..].copy_from_slice(&bytes))
                .expect("not in use");
            let commands = [
                Command::Upload {
                    from: &up,
                    offset: 32,
                    to: &texture,
                },
                Command::Download {
                    from: &texture,
                    to: &down,
                    offset: 16,
                },
            ];
            let mut recording = gpu.record("round trip", &commands).expect("recording");
            let value = gpu.submit(&mut recording).expect("submitted");
            gpu.wait(value, SECOND).expect("finished");
            down.read(&mut |memory| assert!(memory[16..] == bytes, "{format:?} {size}"))
                .expect("not in use");
        }
    }
}
