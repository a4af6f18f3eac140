//! What an effect's source says about itself: inputs, outputs and typed parameters, found by reflection.
//!
//! Names are the interface. The `binding` numbers are the compiler's choice, in descriptor set 0, and are of use only
//! to a backend.

mod animated;
mod error;
mod parameter;

use serde::{Deserialize, Serialize};

pub use animated::AnimatedComponent;
pub use error::ParameterError;
pub use parameter::{BufferSlot, Parameter, ParameterType, ParameterValue, Scalar};

/// Which of the two forms an effect is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EffectForm {
    /// A function from a position in the picture to a colour.
    Pixel,
    /// A compute kernel that writes its outputs itself.
    Compute,
}

/// A texture that an effect reads or writes, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextureSlot {
    /// Port name: the name of the variable in the source.
    pub name: String,
    /// Descriptor binding.
    pub binding: u32,
    /// Whether it is read only at the pixel's own position, so that it may be replaced by the value that another effect
    /// computes there.
    pub is_local: bool,
}

/// Filtering of a sampler.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Filter {
    /// Bilinear.
    #[default]
    Linear,
    /// The nearest texel.
    Nearest,
}

/// What a sampler answers outside 0..=1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AddressMode {
    /// The edge texel.
    #[default]
    Clamp,
    /// The texture again.
    Repeat,
    /// The texture mirrored.
    Mirror,
    /// Transparent black.
    Border,
}

/// A sampler that an effect uses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SamplerSlot {
    /// Name in the source.
    pub name: String,
    /// Descriptor binding.
    pub binding: u32,
    /// Filtering.
    pub filter: Filter,
    /// Behaviour outside the texture.
    pub address: AddressMode,
}

/// Values that the runtime sets for every frame when an effect declares or uses them by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FrameUniform {
    /// `float time`: seconds since the first frame.
    Time,
    /// `float delta`: seconds since the previous frame; 0 for the first.
    Delta,
    /// `uint frame_number`: the frame's sequence number.
    FrameNumber,
    /// `float2 resolution`: size of the output in pixels.
    Resolution,
    /// `float4 camera_intrinsics`: `fx, fy, cx, cy` in pixels; zeros when unknown.
    CameraIntrinsics,
    /// `float4x4 camera_pose`: `world_from_camera`; identity when unknown.
    CameraPose,
}

impl FrameUniform {
    /// Every frame uniform.
    pub const ALL: [Self; 6] = [
        Self::Time,
        Self::Delta,
        Self::FrameNumber,
        Self::Resolution,
        Self::CameraIntrinsics,
        Self::CameraPose,
    ];

    /// Name in HLSL.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Delta => "delta",
            Self::FrameNumber => "frame_number",
            Self::Resolution => "resolution",
            Self::CameraIntrinsics => "camera_intrinsics",
            Self::CameraPose => "camera_pose",
        }
    }

    /// Type in HLSL.
    #[must_use]
    pub const fn hlsl_type(self) -> &'static str {
        match self {
            Self::Time | Self::Delta => "float",
            Self::FrameNumber => "uint",
            Self::Resolution => "float2",
            Self::CameraIntrinsics => "float4",
            Self::CameraPose => "float4x4",
        }
    }
}

/// A frame uniform that an effect uses, laid out like a parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FrameUniformSlot {
    /// Which value.
    pub uniform: FrameUniform,
    /// Where it goes. Name, type and offset are set; the rest is empty.
    pub parameter: Parameter,
}

/// The uniform block that holds all parameters and frame uniforms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UniformBlock {
    /// Descriptor binding.
    pub binding: u32,
    /// Size in bytes.
    pub size: u32,
}

/// Everything that can be bound to or set on an effect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interface {
    /// Pixel or compute form.
    pub form: EffectForm,
    /// What the header comment of the source says.
    pub description: String,
    /// Threads in a group, as compiled.
    pub group_size: [u32; 3],
    /// Whether a backend may choose another group size (true for the pixel form).
    pub group_size_is_free: bool,
    /// Pixels that one thread computes in x and y, as compiled.
    pub pixels_per_thread: [u32; 2],
    /// Id of the specialisation constant for the rows of pixels that one thread computes, when a backend may choose them.
    pub rows_constant: Option<u32>,
    /// Id of the specialisation constant (0 or 1) that makes lookups of local inputs loads, when there is one. It may be 1
    /// where those inputs have the size of the output.
    pub loads_constant: Option<u32>,
    /// Id of the specialisation constant (0 or 1) that makes a pixel effect encode sRGB on write, when there is one.
    pub encode_srgb_constant: Option<u32>,
    /// Textures read.
    pub inputs: Vec<TextureSlot>,
    /// Textures written.
    pub outputs: Vec<TextureSlot>,
    /// Samplers.
    pub samplers: Vec<SamplerSlot>,
    /// Buffers read.
    pub buffers: Vec<BufferSlot>,
    /// The uniform block, when the effect has parameters or frame uniforms.
    pub uniforms: Option<UniformBlock>,
    /// Parameters, in source order.
    pub parameters: Vec<Parameter>,
    /// Frame uniforms in use. One may occur several times.
    pub frame_uniforms: Vec<FrameUniformSlot>,
}

impl Interface {
    /// The parameter called `name`.
    ///
    /// # Errors
    /// When there is none; the error lists those that exist.
    pub fn parameter(&self, name: &str) -> Result<&Parameter, ParameterError> {
        self.index(name).map(|index| &self.parameters[index])
    }

    /// Its place among the parameters.
    fn index(&self, name: &str) -> Result<usize, ParameterError> {
        self.parameters
            .iter()
            .position(|p| p.name == name)
            .ok_or_else(|| ParameterError::Unknown { name: name.to_owned(), known: self.parameter_names() })
    }

    /// Names of everything that can be set: parameters, then buffers.
    #[must_use]
    pub fn parameter_names(&self) -> Vec<String> {
        let buffers = self.buffers.iter().map(|buffer| &buffer.name);
        self.parameters.iter().map(|parameter| &parameter.name).chain(buffers).cloned().collect()
    }

    /// A uniform block with every parameter at its default and every frame uniform at zero.
    #[must_use]
    pub fn default_block(&self) -> Vec<u8> {
        let mut block = vec![0; self.uniforms.map_or(0, |u| u.size as usize)];
        for parameter in &self.parameters {
            parameter.write(&parameter.default, &mut block);
        }
        block
    }
}
