//! What sources bring their frames in with.

use super::record::Recorder;
use super::{Engine, TexturePool, Upload};
use crate::gpu::{Gpu, TextureDesc};

impl<G: Gpu> Engine<G> {
    /// Host memory for `count` pictures of a source that feeds pictures. It stays good in plans that take over with this
    /// one's textures.
    ///
    /// # Errors
    /// When memory runs out.
    ///
    /// # Panics
    /// When the source feeds textures.
    pub fn uploads(&self, source: usize, tag: u64, count: usize) -> Result<Vec<Upload<G>>, G::Error> {
        let source = &self.plan.sources[source];
        let pictures = source.pictures.as_ref().expect("a source that feeds pictures");
        let (gpu, plan, kernels) = (&*self.gpu, &*self.plan, self.kernels.as_slice());
        let at = Recorder { gpu, plan, kernels, resources: &self.resources, slot: 0 };
        (0..count).map(|number| at.upload(&source.node, pictures, (tag, number))).collect()
    }

    /// Pictures of a source whose planes a device writes into textures by itself: one upload for each of `pictures`, which are
    /// the planes of one picture each. `None` where the plan takes the source's pictures as they are, so that nothing would read
    /// the planes. What a device writes while the upload is under way is seen: it has to wait until the upload is back.
    ///
    /// # Errors
    /// When a plane does not have the size and format of the source's, or memory runs out.
    ///
    /// # Panics
    /// When the source feeds textures.
    pub fn imports(
        &self,
        source: usize,
        tag: u64,
        pictures: &[Vec<G::Texture>],
    ) -> Result<Option<Vec<Upload<G>>>, G::Error> {
        let source = &self.plan.sources[source];
        let planned = source.pictures.as_ref().expect("a source that feeds pictures");
        let (gpu, plan, kernels) = (&*self.gpu, &*self.plan, self.kernels.as_slice());
        let at = Recorder { gpu, plan, kernels, resources: &self.resources, slot: 0 };
        let pictures = pictures.iter().enumerate();
        pictures.map(|(number, planes)| at.import(&source.node, planned, planes, (tag, number))).collect()
    }

    /// `count` textures for a source that feeds textures, to be filled and shown.
    ///
    /// # Errors
    /// When memory runs out.
    pub fn textures(&self, source: usize, count: usize) -> Result<TexturePool<G>, G::Error> {
        let texture = &self.plan.textures[self.plan.sources[source].texture];
        let desc = TextureDesc { label: &texture.label, size: texture.size, format: texture.format };
        TexturePool::new(&*self.gpu, &desc, count)
    }
}
