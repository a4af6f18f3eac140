//! What can be wrong with a single run of an effect.

use streamlib_core::format::Size;
use streamlib_core::interface::ParameterError;
use streamlib_shader::CompileError;
use streamlib_vulkan::VulkanError;
use streamlib_vulkan::cuda::CudaError;

/// An effect that could not be run once, or a texture that could not be made, read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EagerError {
    /// An effect that does not compile.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// An input without a texture.
    #[error("effect `{effect}` reads `{input}`, and was given no texture for it; it has the inputs: {known}")]
    MissingInput {
        /// The effect.
        effect: String,
        /// The input.
        input: String,
        /// Inputs that exist.
        known: String,
    },
    /// A texture for an input that is not there.
    #[error("effect `{effect}` has no input `{input}`; it has: {known}")]
    UnknownInput {
        /// The effect.
        effect: String,
        /// The missing input.
        input: String,
        /// Inputs that exist.
        known: String,
    },
    /// A parameter that is not there, or a value that does not fit.
    #[error("effect `{effect}`: {error}")]
    Parameter {
        /// The effect.
        effect: String,
        /// What is wrong.
        error: ParameterError,
    },
    /// A buffer that was given no contents.
    #[error("effect `{effect}` reads the buffer `{buffer}`: give it contents among the parameters")]
    MissingBuffer {
        /// The effect.
        effect: String,
        /// The buffer.
        buffer: String,
    },
    /// An effect without an input to take its size from.
    #[error("effect `{0}` has no input to take its size from: give a size or an output texture")]
    NoSize(String),
    /// A size that the given output has not.
    #[error("the output texture is {found}, and a size of {asked} was asked for: give one of the two")]
    OutputSize {
        /// What was asked for.
        asked: Size,
        /// The texture's.
        found: Size,
    },
    /// A texture that would be read while it is written.
    #[error("effect `{effect}` would write the texture that it reads as `{input}`: give it another output")]
    InputIsOutput {
        /// The effect.
        effect: String,
        /// The input.
        input: String,
    },
    /// Sharing with CUDA failed.
    #[error(transparent)]
    Cuda(#[from] CudaError),
    /// The GPU refused or failed.
    #[error(transparent)]
    Gpu(#[from] VulkanError),
}
