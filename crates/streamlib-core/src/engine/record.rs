//! Records a plan's passes and transfers, once for every slot and every piece of host memory.

use super::resources::Resources;
use super::transfer::{HostPicture, Upload, UploadMemory};
use crate::gpu::{Command, Dispatch, Gpu, HostBuffer, HostBufferUse};
use crate::plan::{Plan, PlanPass, PlanPictures, TextureUse};

/// Everything that a recording refers to.
pub(super) struct Recorder<'a, G: Gpu> {
    pub(super) gpu: &'a G,
    pub(super) plan: &'a Plan,
    pub(super) kernels: &'a [G::Kernel],
    pub(super) resources: &'a Resources<G>,
    /// Of the textures that keep history.
    pub(super) slot: usize,
}

/// A pass with its textures looked up; a [`Dispatch`] borrows from it.
struct Bound<'a, G: Gpu> {
    inputs: Vec<(&'a str, &'a G::Texture)>,
    outputs: Vec<(&'a str, &'a G::Texture)>,
    buffers: Vec<(&'a str, &'a G::HostBuffer)>,
}

impl<'a, G: Gpu> Recorder<'a, G> {
    pub(super) fn in_slot(&self, slot: usize) -> Self {
        Self { slot, ..*self }
    }

    fn texture(&self, wanted: TextureUse) -> &'a G::Texture {
        self.resources.texture(self.plan, self.slot, wanted)
    }

    fn bind(&self, pass: &'a PlanPass, buffers: &'a [G::HostBuffer]) -> Bound<'a, G> {
        let names = pass.buffers.iter().map(|(name, _)| name.as_str());
        let output = |texture: usize| self.texture(TextureUse::now(texture));
        Bound {
            inputs: pass.inputs.iter().map(|(port, used)| (port.as_str(), self.texture(*used))).collect(),
            outputs: pass.outputs.iter().map(|(port, t)| (port.as_str(), output(*t))).collect(),
            buffers: names.zip(buffers).collect(),
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

    /// Buffers of a pass with the contents that the plan states.
    pub(super) fn buffers(&self, pass: &PlanPass) -> Result<Vec<G::HostBuffer>, G::Error> {
        let buffer = |(name, bytes): &(String, Vec<u8>)| {
            let label = format!("{}.{name}", pass.label);
            let buffer = self.gpu.create_host_buffer(&label, bytes.len(), HostBufferUse::Parameters)?;
            let written = buffer.write(&mut |memory| memory[..bytes.len()].copy_from_slice(bytes));
            written.expect("nothing submitted uses a new buffer");
            Ok(buffer)
        };
        pass.buffers.iter().map(buffer).collect()
    }

    /// The passes of a frame. `buffers` are by pass.
    pub(super) fn frame(&self, buffers: &[Vec<G::HostBuffer>]) -> Result<G::Recording, G::Error> {
        let passes = self.plan.passes.iter().zip(buffers);
        let bound: Vec<_> = passes.map(|(pass, buffers)| self.bind(pass, buffers)).collect();
        let passes = self.plan.passes.iter().zip(&bound);
        let commands: Vec<_> = passes.map(|(pass, bound)| self.dispatch(pass, bound)).collect();
        self.gpu.record("frame", &commands)
    }

    /// Host memory for one picture of a source, and its way to the source's texture.
    pub(super) fn upload(
        &self,
        node: &str,
        pictures: &PlanPictures,
        (tag, number): (u64, usize),
    ) -> Result<Upload<G>, G::Error> {
        let host = HostPicture::new(self.gpu, node, pictures.format, HostBufferUse::Upload)?;
        let planes = pictures.planes.iter().zip(host.offsets());
        let mut commands: Vec<_> = planes
            .map(|(&plane, &offset)| Command::Upload { from: host.buffer(), offset, to: self.texture(plane) })
            .collect();
        let (buffers, bound);
        if let Some(pass) = &pictures.convert {
            buffers = self.buffers(pass)?;
            bound = self.bind(pass, &buffers);
            commands.push(self.dispatch(pass, &bound));
        }
        let mut recording = self.gpu.record(node, &commands)?;
        drop(commands);
        self.set_block(&mut recording, pictures)?;
        Ok(Upload { memory: UploadMemory { host: Some(host), tag, number }, recording })
    }

    /// The way of a picture whose planes lie in `planes`, textures that a device writes, to the source's texture; `None` where
    /// no conversion would read them.
    pub(super) fn import(
        &self,
        node: &str,
        pictures: &PlanPictures,
        planes: &[G::Texture],
        (tag, number): (u64, usize),
    ) -> Result<Option<Upload<G>>, G::Error> {
        let Some(pass) = &pictures.convert else { return Ok(None) };
        let buffers = self.buffers(pass)?;
        let mut bound = self.bind(pass, &buffers);
        for (input, (_, used)) in bound.inputs.iter_mut().zip(&pass.inputs) {
            let plane = pictures.planes.iter().position(|plane| plane == used);
            if let Some(imported) = plane.and_then(|plane| planes.get(plane)) {
                input.1 = imported;
            }
        }
        let mut recording = self.gpu.record(node, &[self.dispatch(pass, &bound)])?;
        self.set_block(&mut recording, pictures)?;
        Ok(Some(Upload { memory: UploadMemory { host: None, tag, number }, recording }))
    }

    /// The way of an outlet's picture into host memory.
    pub(super) fn readback(
        &self,
        host: &HostPicture<G>,
        pictures: &PlanPictures,
    ) -> Result<G::Recording, G::Error> {
        let mut commands = Vec::new();
        let (buffers, bound);
        if let Some(pass) = &pictures.convert {
            buffers = self.buffers(pass)?;
            bound = self.bind(pass, &buffers);
            commands.push(self.dispatch(pass, &bound));
        }
        let planes = pictures.planes.iter().zip(host.offsets());
        commands.extend(planes.map(|(&plane, &offset)| Command::Download {
            from: self.texture(plane),
            to: host.buffer(),
            offset,
        }));
        let mut recording = self.gpu.record(host.node(), &commands)?;
        drop(commands);
        self.set_block(&mut recording, pictures)?;
        Ok(recording)
    }

    /// A conversion's parameters stay as they are.
    fn set_block(&self, recording: &mut G::Recording, pictures: &PlanPictures) -> Result<(), G::Error> {
        match &pictures.convert {
            Some(pass) => self.gpu.set_uniforms(recording, 0, &pass.block),
            None => Ok(()),
        }
    }
}
