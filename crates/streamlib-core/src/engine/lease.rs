//! Textures that leave or enter the plan, and are used again when nobody holds them any more.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::gpu::{Gpu, Sharing, TextureDesc};

/// A texture of a pool. Whoever holds the `Arc` may read it; it is written again when all have let go.
#[derive(Debug)]
pub struct Leased<G: Gpu> {
    /// The texture.
    pub texture: G::Texture,
    /// Tells textures apart without holding them.
    id: u64,
    /// What whoever owns the texture has to be told when nobody holds it any more.
    _keeper: Option<Box<dyn Any + Send + Sync>>,
}

impl<G: Gpu> Leased<G> {
    /// A texture that comes from elsewhere, such as another process, and is nobody's to write.
    pub fn new(texture: G::Texture) -> Arc<Self> {
        static IDS: AtomicU64 = AtomicU64::new(1);
        Arc::new(Self { texture, id: IDS.fetch_add(1, Ordering::Relaxed), _keeper: None })
    }

    /// The same texture under the same id, for a frame: `keeper` is dropped when nobody holds that any more, and no work of the
    /// engine's reads it.
    #[must_use]
    pub fn lend(&self, keeper: impl Send + Sync + 'static) -> Arc<Self> {
        let (texture, id) = (self.texture.clone(), self.id);
        Arc::new(Self { texture, id, _keeper: Some(Box::new(keeper)) })
    }

    /// Never the same for two textures of a process.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }
}

/// Textures of one size and format.
#[derive(Debug)]
pub struct TexturePool<G: Gpu> {
    textures: Vec<Arc<Leased<G>>>,
}

impl<G: Gpu> TexturePool<G> {
    /// A pool of `count` textures.
    ///
    /// # Errors
    /// When memory runs out.
    pub fn new(gpu: &G, desc: &TextureDesc<'_>, count: usize) -> Result<Self, G::Error> {
        let textures = (0..count).map(|_| gpu.create_texture(desc).map(Leased::new));
        Ok(Self { textures: textures.collect::<Result<_, _>>()? })
    }

    /// A pool of `count` textures that other processes may open.
    ///
    /// # Errors
    /// When memory runs out, or the device does not share such textures in that way.
    pub fn shared(gpu: &G, desc: &TextureDesc<'_>, sharing: Sharing, count: usize) -> Result<Self, G::Error> {
        let textures = (0..count).map(|_| gpu.create_shared_texture(desc, sharing).map(Leased::new));
        Ok(Self { textures: textures.collect::<Result<_, _>>()? })
    }

    /// A pool of `count` textures that a screen shows where they lie, in one of the ways `layouts`.
    ///
    /// # Errors
    /// When memory runs out, or the device writes no such textures.
    pub fn scanout(gpu: &G, desc: &TextureDesc<'_>, layouts: &[u64], count: usize) -> Result<Self, G::Error> {
        let textures = (0..count).map(|_| gpu.create_scanout_texture(desc, layouts).map(Leased::new));
        Ok(Self { textures: textures.collect::<Result<_, _>>()? })
    }

    /// A pool that is to get its textures from another one.
    pub(super) fn empty() -> Self {
        Self { textures: Vec::new() }
    }

    /// How many textures there are.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.textures.len()
    }

    /// A texture that nobody holds, the one with the id `preferred` before others.
    pub fn take(&mut self, preferred: Option<u64>) -> Option<Arc<Leased<G>>> {
        let count = self.textures.len();
        let textures = &mut self.textures;
        let at = preferred.and_then(|id| textures.iter().position(|leased| leased.id == id));
        // `get_mut` also sees to it that what the last holder did is over.
        let mut is_free = |index: usize| Arc::get_mut(&mut textures[index]).is_some();
        let mut places = 0..count;
        let free = at.filter(|&index| is_free(index)).or_else(|| places.find(|&index| is_free(index)))?;
        Some(self.textures[free].clone())
    }

    /// Whether [`take`](Self::take) would find one.
    pub fn has_free(&mut self) -> bool {
        self.textures.iter_mut().any(|leased| Arc::get_mut(leased).is_some())
    }
}
