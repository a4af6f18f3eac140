//! Looks at every pixel of the frames that have come, beside the thread that waits for them.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use streamlib::format::{Size, TextureFormat};
use streamlib::shader::EffectSource;
use streamlib::vulkan::Texture;
use streamlib::{EffectRun, StreamRuntime};
use streamlib_share::Acquired;

use crate::Fallible;

/// Compares the pixels of a block with its first one; what it answers is that one, or black where one differs.
const CHECK: &str = "
Texture2D<float4> input;
RWTexture2D<float4> output;
[numthreads(8, 8, 1)]
void main(uint3 id : SV_DispatchThreadID) {
    uint2 size, blocks;
    input.GetDimensions(size.x, size.y);
    output.GetDimensions(blocks.x, blocks.y);
    if (any(id.xy >= blocks)) return;
    uint2 from = id.xy * size / blocks, to = (id.xy + 1) * size / blocks;
    float4 first = input.Load(int3(0, 0, 0));
    bool same = true;
    for (uint y = from.y; y < to.y; ++y)
        for (uint x = from.x; x < to.x; ++x)
            same = same && all(input.Load(int3(x, y, 0)) == first);
    output[id.xy] = same ? first : float4(0, 0, 0, 0);
}";
/// Blocks of a picture, each looked at by a thread.
const BLOCKS: Size = Size::new(480, 270);
/// Frames that wait to be looked at. With that which is looked at and that which comes they are as many as a reader may hold.
const WAITING: usize = 2;

/// A frame to look at.
pub(super) struct Handed {
    pub(super) frame: Acquired,
    /// Its buffer, when it is the first in it.
    pub(super) texture: Option<Texture>,
}

/// How many were looked at, and how many of them were torn.
type Looked = Result<(u64, u64), Box<dyn Error + Send + Sync>>;

/// The thread that looks.
pub(super) struct Checker {
    frames: SyncSender<Handed>,
    thread: JoinHandle<Looked>,
}

impl Checker {
    pub(super) fn start(runtime: &Arc<StreamRuntime>) -> Fallible<Self> {
        let runtime = runtime.clone();
        let checked = runtime.create_texture(BLOCKS, TextureFormat::Rgba8)?;
        let (frames, come) = sync_channel(WAITING);
        let thread = std::thread::spawn(move || look_at_all(&runtime, &checked, &come));
        Ok(Self { frames, thread })
    }

    /// Has the frame looked at. Waits when three are not done with: then the reader is late for the next.
    pub(super) fn look(&self, handed: Handed) {
        // One that has ended says why at the end.
        let _ended = self.frames.send(handed);
    }

    /// How many were looked at, and how many of them were torn.
    pub(super) fn end(self) -> Fallible<(u64, u64)> {
        drop(self.frames);
        let looked = self.thread.join().map_err(|_| "the thread that looks has failed")?;
        Ok(looked.map_err(|error| error.to_string())?)
    }
}

fn look_at_all(runtime: &StreamRuntime, checked: &Texture, frames: &Receiver<Handed>) -> Looked {
    let effect = EffectSource::from_text("check", CHECK);
    let mut textures = BTreeMap::new();
    let (mut looked_at, mut torn) = (0, 0);
    for Handed { frame, texture } in frames {
        if let Some(texture) = texture {
            textures.insert(frame.buffer(), texture);
        }
        let input = &textures[&frame.buffer()];
        let run = EffectRun { inputs: &[("input", input)], output: Some(checked), ..EffectRun::default() };
        runtime.run_effect(&effect, &run)?;
        looked_at += 1;
        let wanted = wanted(frame.meta().sequence);
        let is_whole =
            runtime.read_texture(checked)?.read(|bytes| bytes.chunks(4).all(|pixel| pixel == wanted))?;
        torn += u64::from(!is_whole);
    }
    Ok((looked_at, torn))
}

/// What every pixel of a frame is.
fn wanted(sequence: u64) -> [u8; 4] {
    [sequence, sequence >> 8, sequence.wrapping_mul(37), sequence.wrapping_mul(101)]
        .map(|channel| channel as u8)
}
