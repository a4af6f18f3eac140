//! Frames whose pixels tell where they come from, and the kernels that write them.

use std::sync::Arc;

use crate::color::{ColorSpace, YuvMatrix, YuvRange};
use crate::engine::Content;
use crate::format::Size;
use crate::frame::Timestamp;
use crate::picture::{Picture, PictureFormat, PictureLayout};
use crate::testing::{CpuGpu, CpuTexture, KernelFn};

/// Texels of a frame: number of the camera's frame, number of the other source's, what the effects did, count of frames.
pub(super) const FORMAT: PictureFormat = PictureFormat {
    size: Size::new(4, 1),
    layout: PictureLayout::Rgba8,
    color: ColorSpace { matrix: YuvMatrix::Bt709, range: YuvRange::Full },
};

/// What a frame's pixels say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// Newest frame of the camera; sources count from 1.
    pub(super) camera: u64,
    /// Newest frame of the other source; the camera's again where there is no other.
    pub(super) other: u64,
    /// The amount of the effect `one`, and of the effect `two`.
    pub(super) amounts: (u8, u8),
    /// Version of the effect `one`.
    pub(super) version: u8,
    /// Whether the effect `extra` ran.
    pub(super) extra: bool,
    /// Frames counted by an effect that reads its own last output.
    pub(super) count: u64,
}

/// Two bytes as colours.
fn number(value: u64) -> [u8; 4] {
    [value as u8, (value >> 8) as u8, 0, 255]
}

fn value(color: [u8; 4]) -> u64 {
    u64::from(color[0]) | u64::from(color[1]) << 8
}

fn bytes(color: [f32; 4]) -> [u8; 4] {
    color.map(|channel| (channel * 255.0).round() as u8)
}

fn color(bytes: [u8; 4]) -> [f32; 4] {
    bytes.map(|byte| f32::from(byte) / 255.0)
}

/// The picture that a source pushes.
pub(super) fn numbered(frame: u64) -> Picture {
    Picture { format: FORMAT, timestamp: Timestamp(0), data: number(frame).repeat(4) }
}

/// Fills a texture as [`numbered`] fills a picture.
pub(super) fn fill(texture: &CpuTexture, frame: u64) {
    texture.fill(color(number(frame)));
}

/// Reads what a consumer holds.
pub(super) fn see(content: &Content<CpuGpu>) -> Seen {
    let texels: [[u8; 4]; 4] = match content {
        Content::Texture(leased) => {
            std::array::from_fn(|place| bytes(leased.texture.texel((place as u32, 0))))
        }
        Content::Picture(host) => {
            let mut picture = numbered(0);
            host.copy_to(Timestamp(0), &mut picture).expect("a delivered picture is complete");
            std::array::from_fn(|place| std::array::from_fn(|channel| picture.data[place * 4 + channel]))
        }
    };
    let [camera, other, [one, two, version, extra], count] = texels;
    Seen {
        camera: value(camera),
        other: value(other),
        amounts: (one, two),
        version,
        extra: extra == 1,
        count: value(count),
    }
}

/// The uniform block's one number.
fn amount(block: &[u8]) -> u8 {
    f32::from_le_bytes(block[..4].try_into().expect("four bytes")) as u8
}

/// A kernel that passes on its first input but for one texel.
fn change(
    place: u32,
    change: impl Fn([u8; 4], &[&CpuTexture], &[u8]) -> [u8; 4] + Send + Sync + 'static,
) -> KernelFn {
    Arc::new(move |inputs, block, at| {
        let texel = inputs[0].texel(at);
        if at.0 == place { color(change(bytes(texel), inputs, block)) } else { texel }
    })
}

/// `mix` puts two sources side by side; `one-0` … `one-3` write their amount and version, `two` its amount, `extra` that it
/// ran; `count` adds one to what it wrote a frame ago; `copy` copies.
pub(super) fn kernels() -> impl Iterator<Item = (&'static str, KernelFn)> {
    let mix: KernelFn = Arc::new(|inputs, _, (x, _)| match x {
        0 => inputs[0].texel((0, 0)),
        1 => inputs[1].texel((0, 0)),
        _ => [0.0; 4],
    });
    let ones = ["one-0", "one-1", "one-2", "one-3"].into_iter().zip(0..).map(|(name, version)| {
        (name, change(2, move |[_, g, _, a], _, block| [amount(block), g, version, a]))
    });
    let others: [(&'static str, KernelFn); 5] = [
        ("mix", mix),
        ("two", change(2, |[r, _, b, a], _, block| [r, amount(block), b, a])),
        ("extra", change(2, |[r, g, b, _], _, _| [r, g, b, 1])),
        ("count", change(3, |_, inputs, _| number(value(bytes(inputs[1].texel((3, 0)))) + 1))),
        ("copy", change(9, |texel, _, _| texel)),
    ];
    ones.chain(others)
}
