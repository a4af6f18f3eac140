//! A graph compiled for one device, as plain data: textures, passes and transfers. What runs it is [`crate::engine`].

mod alias;
#[cfg(test)]
mod alias_tests;
mod build;
mod fusion;
#[cfg(test)]
mod fusion_tests;
mod layout;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::format::{Size, TextureFormat};
use crate::gpu::Sharing;
use crate::graph::Ports;
use crate::interface::{AnimatedComponent, Interface};
use crate::picture::PictureFormat;
use crate::value::Value;

pub use fusion::{Fusion, Group, GroupInput, MAX_FUSED, Verdict, Why};
pub use layout::Layout;

/// Frames that may be under way at once: one is decoded and uploaded while one is computed and one is read back.
pub const SLOTS: u32 = 3;

/// A kernel between the planes of pictures and an RGBA texture, with the values that make it right for one stream.
#[derive(Clone, Debug)]
pub struct Conversion {
    /// What it is called; kernels of the same name and output formats are built once.
    pub name: String,
    /// Its reflection.
    pub interface: Arc<Interface>,
    /// The port of each plane, in plane order: inputs when it makes a texture, outputs when it takes one apart.
    pub ports: Vec<String>,
    /// Parameter values.
    pub parameters: Vec<(String, Value)>,
    /// Threads in x and y.
    pub threads: Size,
}

/// What a source will feed the plan with.
#[derive(Clone, Debug)]
pub enum Feed {
    /// Pictures of this format, turned into RGBA by a kernel unless they are RGBA already.
    Pictures(PictureFormat, Option<Conversion>),
    /// Textures of this size and format that are in GPU memory already.
    Textures(Size, TextureFormat),
    /// Nothing: an effect without inputs draws its frames.
    Generated(Size, Arc<Interface>),
}

/// What a consumer outside the plan (a sink, or an input of a processor) takes.
#[derive(Clone, Debug)]
pub enum Drain {
    /// Pictures of a format, taken from RGBA by a kernel unless the texture can be read back as it is.
    Pictures(PictureFormat, Option<Conversion>),
    /// The texture itself.
    Textures,
    /// The texture itself, in memory that other processes may open as well.
    Shared(Sharing),
    /// The texture itself, as a screen shows it where it lies: in one of these ways ([`PlanTexture::layouts`]). Of consumers that
    /// take one texture only one may be such a screen, and none [`Shared`](Self::Shared).
    Scanout(Vec<u64>),
}

/// Everything that a graph needs besides itself to become a plan.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    /// Reflection of every effect, by node.
    pub effects: &'a BTreeMap<String, Arc<Interface>>,
    /// Ports of every processor, by node.
    pub processors: &'a BTreeMap<String, Ports>,
    /// The groups that run as one kernel, with the kernel's reflection: its inputs are called by
    /// [`Group::texture_name`], its parameters and buffers `NODE.NAME`. An effect that is in none runs by itself.
    pub fused: &'a [(Group, Arc<Interface>)],
    /// What each source delivers, by node.
    pub feeds: &'a BTreeMap<String, Feed>,
    /// What each sink and processor takes, by node and input port.
    pub drains: &'a BTreeMap<(String, String), Drain>,
}

/// A graph compiled for one device. The default one computes nothing.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Frames under way at once, and copies of every texture that a delayed link reads.
    pub slots: u32,
    /// Textures to create.
    pub textures: Vec<PlanTexture>,
    /// Kernels to build.
    pub kernels: Vec<PlanKernel>,
    /// Sources that are fed from outside.
    pub sources: Vec<PlanSource>,
    /// Passes of every frame, in order.
    pub passes: Vec<PlanPass>,
    /// Where frames leave the plan.
    pub outlets: Vec<PlanOutlet>,
}

/// A texture to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanTexture {
    /// Name in debuggers.
    pub label: String,
    /// The outputs that lie in it, `NODE.PORT`, in the order in which passes write them: several where results that are not
    /// needed at the same time share it.
    pub holds: Vec<String>,
    /// Size.
    pub size: Size,
    /// Texel format.
    pub format: TextureFormat,
    /// Whether there is one per slot, because a delayed link reads what earlier frames left in it.
    pub keeps_history: bool,
    /// Whether consumers outside the plan keep it for a while, so that each frame gets one that nobody holds.
    pub is_leased: bool,
    /// Who else may open those that consumers keep, if anybody.
    pub sharing: Option<Sharing>,
    /// Ways in which those may lie that consumers keep, so that a screen can show them where they lie; the numbers are the device's
    /// and the screen's. Empty where none does.
    pub layouts: Vec<u64>,
}

/// A texture of this frame or of an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextureUse {
    /// Index into [`Plan::textures`].
    pub texture: usize,
    /// Frames ago.
    pub delay: u32,
}

impl TextureUse {
    /// The texture of this frame.
    #[must_use]
    pub const fn now(texture: usize) -> Self {
        Self { texture, delay: 0 }
    }
}

/// Where the code of a kernel comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Code {
    /// The effect of that node, or the generated source.
    Node(String),
    /// The effects of the group that ends with that node.
    Group(String),
    /// A conversion of that name.
    Conversion(String),
}

/// A kernel to build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanKernel {
    /// Its code.
    pub code: Code,
    /// Formats of its outputs by port.
    pub outputs: Vec<(String, TextureFormat)>,
}

/// One run of a kernel.
#[derive(Clone, Debug)]
pub struct PlanPass {
    /// Name in timings.
    pub label: String,
    /// The nodes that it computes, several when they are fused.
    pub nodes: Vec<String>,
    /// Index into [`Plan::kernels`].
    pub kernel: usize,
    /// Reflection of the kernel.
    pub interface: Arc<Interface>,
    /// Input textures by port.
    pub inputs: Vec<(String, TextureUse)>,
    /// Output textures by port, as indices into [`Plan::textures`].
    pub outputs: Vec<(String, usize)>,
    /// Contents of its buffers by name.
    pub buffers: Vec<(String, Vec<u8>)>,
    /// Threads in x and y.
    pub threads: Size,
    /// Size of its outputs: the frame uniform `resolution`.
    pub size: Size,
    /// The uniform block at start.
    pub block: Vec<u8>,
    /// What of it is computed for every frame.
    pub animated: Vec<AnimatedComponent>,
}

impl PlanPass {
    /// What the kernel calls a parameter of one of the pass's nodes.
    #[must_use]
    pub fn parameter_name(&self, node: &str, parameter: &str) -> String {
        if self.nodes.len() > 1 { format!("{node}.{parameter}") } else { parameter.to_owned() }
    }
}

/// A source that is fed from outside.
#[derive(Clone, Debug)]
pub struct PlanSource {
    /// The node.
    pub node: String,
    /// Its RGBA texture.
    pub texture: usize,
    /// How pictures become that texture; none when textures come.
    pub pictures: Option<PlanPictures>,
}

/// Where frames leave the plan: an input of a sink or of a processor.
#[derive(Clone, Debug)]
pub struct PlanOutlet {
    /// The node.
    pub node: String,
    /// Its input port.
    pub port: String,
    /// What it takes.
    pub from: TextureUse,
    /// How the texture becomes pictures; none when the texture itself is taken.
    pub pictures: Option<PlanPictures>,
}

/// Between pictures in host memory and an RGBA texture.
#[derive(Clone, Debug)]
pub struct PlanPictures {
    /// Format of the pictures.
    pub format: PictureFormat,
    /// The texture of each plane.
    pub planes: Vec<TextureUse>,
    /// The pass between planes and texture; none when the one plane is the texture.
    pub convert: Option<PlanPass>,
}
