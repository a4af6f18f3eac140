//! What one frame under way needs: recordings and host memory.

use std::time::Duration;

use crate::format::{Size, TextureFormat};
use crate::gpu::{Command, Dispatch, Gpu, HostBufferUse, TextureDesc};
use crate::plan::{Plan, PlanPass, TextureUse};

/// Before the first frame, history is opaque black.
const BLACK: [f32; 4] = [0.0, 0.0, 0.0, 1.0];
/// Where a plane may start in a host buffer.
const ALIGNMENT: usize = 16;
/// Clearing takes no longer than this on anything that works.
const CLEAR_LIMIT: Duration = Duration::from_secs(30);

/// What all slots share.
#[derive(Debug)]
pub(super) struct Resources<G: Gpu> {
    /// By plan texture: one copy, or one per slot where history is kept.
    textures: Vec<Vec<G::Texture>>,
    /// By plan pass: its buffers, by name.
    buffers: Vec<Vec<(String, G::HostBuffer)>>,
    /// By plan source: the buffers of its conversion.
    source_buffers: Vec<Vec<(String, G::HostBuffer)>>,
}

impl<G: Gpu> Resources<G> {
    pub(super) fn new(gpu: &G, plan: &Plan) -> Result<Self, G::Error> {
        let textures = plan.textures.iter().map(|texture| {
            let copies = 0..if texture.keeps_history { plan.slots } else { 1 };
            let desc = TextureDesc { label: &texture.label, size: texture.size, format: texture.format };
            copies.map(|_| gpu.create_texture(&desc)).collect::<Result<Vec<_>, _>>()
        });
        let parameters = |pass: &PlanPass| {
            let buffers = pass.buffers.iter().map(|(name, bytes)| {
                let label = format!("{}.{name}", pass.label);
                let buffer = gpu.create_host_buffer(&label, bytes.len(), HostBufferUse::Parameters)?;
                crate::gpu::HostBuffer::write(&buffer, &mut |memory| {
                    memory[..bytes.len()].copy_from_slice(bytes);
                })
                .expect("nothing submitted uses a new buffer");
                Ok((name.clone(), buffer))
            });
            buffers.collect::<Result<Vec<_>, G::Error>>()
        };
        let sources =
            plan.sources.iter().map(|source| source.convert.as_ref().map_or(Ok(vec![]), parameters));
        Ok(Self {
            textures: textures.collect::<Result<_, _>>()?,
            buffers: plan.passes.iter().map(parameters).collect::<Result<_, _>>()?,
            source_buffers: sources.collect::<Result<_, _>>()?,
        })
    }

    /// The copy of a texture that a frame in `slot` means.
    fn texture(&self, plan: &Plan, slot: usize, wanted: TextureUse) -> &G::Texture {
        let copies = &self.textures[wanted.texture];
        let slots = plan.slots as usize;
        &copies[(slot + slots - wanted.delay as usize) % slots % copies.len()]
    }

    pub(super) fn clear_history(&self, gpu: &G, plan: &Plan) -> Result<(), G::Error> {
        let kept = plan.textures.iter().zip(&self.textures).filter(|(texture, _)| texture.keeps_history);
        let copies = kept.flat_map(|(_, copies)| copies);
        let commands: Vec<_> = copies.map(|texture| Command::Clear { texture, color: BLACK }).collect();
        if commands.is_empty() {
            return Ok(());
        }
        let mut recording = gpu.record("clear history", &commands)?;
        let done = gpu.submit_one(&mut recording)?;
        gpu.wait(done, CLEAR_LIMIT)
    }
}

/// The way of one source's or sink's pictures between host and GPU.
#[derive(Debug)]
pub(super) struct Feed<G: Gpu> {
    pub(super) buffer: G::HostBuffer,
    /// Where each plane starts.
    pub(super) offsets: Vec<usize>,
    pub(super) recording: G::Recording,
}

/// Host memory that a sink's planes are read back into.
#[derive(Debug)]
pub(super) struct Drain<G: Gpu> {
    pub(super) buffer: G::HostBuffer,
    /// Where each plane starts.
    pub(super) offsets: Vec<usize>,
}

/// One frame under way.
#[derive(Debug)]
pub(super) struct Slot<G: Gpu> {
    pub(super) feeds: Vec<Feed<G>>,
    pub(super) drains: Vec<Drain<G>>,
    pub(super) recording: G::Recording,
    /// Timeline value of the last submission.
    pub(super) value: u64,
    /// Whether a frame is in it that was not collected.
    pub(super) busy: bool,
}

impl<G: Gpu> Slot<G> {
    pub(super) fn new(
        gpu: &G,
        plan: &Plan,
        kernels: &[G::Kernel],
        resources: &Resources<G>,
        slot: usize,
    ) -> Result<Self, G::Error> {
        let at = Recorder { gpu, plan, kernels, resources, slot };
        let feeds = (0..plan.sources.len()).map(|source| at.feed(source)).collect::<Result<_, _>>()?;
        let drains = plan.sinks.iter().map(|sink| {
            let planes: Vec<_> = sink.format.layout.planes(sink.format.size);
            let (offsets, bytes) = plane_offsets(&planes);
            let buffer = gpu.create_host_buffer(&sink.node, bytes, HostBufferUse::Readback)?;
            Ok(Drain { buffer, offsets })
        });
        let drains = drains.collect::<Result<Vec<Drain<G>>, G::Error>>()?;
        let recording = at.frame(&drains)?;
        Ok(Self { feeds, drains, recording, value: 0, busy: false })
    }
}

/// Start of every plane in a host buffer, and the buffer's size.
fn plane_offsets(planes: &[(Size, TextureFormat)]) -> (Vec<usize>, usize) {
    let mut end = 0_usize;
    let offsets = planes.iter().map(|(size, format)| {
        let start = end.next_multiple_of(ALIGNMENT);
        end = start + size.pixels() * format.bytes_per_texel();
        start
    });
    (offsets.collect(), end)
}

/// Everything that a recording of one slot refers to.
struct Recorder<'a, G: Gpu> {
    gpu: &'a G,
    plan: &'a Plan,
    kernels: &'a [G::Kernel],
    resources: &'a Resources<G>,
    slot: usize,
}

/// A pass with its textures looked up; a [`Dispatch`] borrows from it.
struct Bound<'a, G: Gpu> {
    inputs: Vec<(&'a str, &'a G::Texture)>,
    outputs: Vec<(&'a str, &'a G::Texture)>,
    buffers: Vec<(&'a str, &'a G::HostBuffer)>,
}

impl<'a, G: Gpu> Recorder<'a, G> {
    fn texture(&self, wanted: TextureUse) -> &'a G::Texture {
        self.resources.texture(self.plan, self.slot, wanted)
    }

    fn bind(&self, pass: &'a PlanPass, buffers: &'a [(String, G::HostBuffer)]) -> Bound<'a, G> {
        let now = |texture| TextureUse { texture, delay: 0 };
        Bound {
            inputs: pass.inputs.iter().map(|(port, used)| (port.as_str(), self.texture(*used))).collect(),
            outputs: pass.outputs.iter().map(|(port, t)| (port.as_str(), self.texture(now(*t)))).collect(),
            buffers: buffers.iter().map(|(name, buffer)| (name.as_str(), buffer)).collect(),
        }
    }

    fn dispatch<'b>(&self, pass: &'b PlanPass, bound: &'b Bound<'a, G>) -> Command<'b, G>
    where
        'a: 'b,
    {
        Command::Dispatch(Dispatch {
            label: &pass.label,
            kernel: &self.kernels[pass.kernel],
            inputs: &bound.inputs,
            outputs: &bound.outputs,
            buffers: &bound.buffers,
            threads: pass.threads,
        })
    }

    fn feed(&self, source: usize) -> Result<Feed<G>, G::Error> {
        let planned = &self.plan.sources[source];
        let planes: Vec<_> = planned.format.layout.planes(planned.format.size);
        let (offsets, bytes) = plane_offsets(&planes);
        let buffer = self.gpu.create_host_buffer(&planned.node, bytes, HostBufferUse::Upload)?;
        let targets = planned.planes.iter().map(|&texture| self.texture(TextureUse { texture, delay: 0 }));
        let uploads =
            targets.zip(&offsets).map(|(to, &offset)| Command::Upload { from: &buffer, offset, to });
        let mut commands: Vec<_> = uploads.collect();
        let bound;
        if let Some(pass) = &planned.convert {
            bound = self.bind(pass, &self.resources.source_buffers[source]);
            commands.push(self.dispatch(pass, &bound));
        }
        let recording = self.gpu.record(&planned.node, &commands)?;
        drop(commands);
        Ok(Feed { buffer, offsets, recording })
    }

    fn frame(&self, drains: &[Drain<G>]) -> Result<G::Recording, G::Error> {
        let passes = self.plan.passes.iter().zip(&self.resources.buffers);
        let bound: Vec<_> = passes.map(|(pass, buffers)| self.bind(pass, buffers)).collect();
        let passes = self.plan.passes.iter().zip(&bound).map(|(pass, bound)| self.dispatch(pass, bound));
        let downloads = self.plan.sinks.iter().zip(drains).flat_map(|(sink, drain)| {
            let planes = sink.planes.iter().zip(&drain.offsets);
            planes.map(|(&plane, &offset)| Command::Download {
                from: self.texture(plane),
                to: &drain.buffer,
                offset,
            })
        });
        let commands: Vec<_> = passes.chain(downloads).collect();
        self.gpu.record("frame", &commands)
    }
}
