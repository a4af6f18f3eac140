//! Why effects cannot become one kernel.

use crate::error::CompileError;

/// Effects that cannot be fused; run one after the other they may well work. `stage` is the name of the effect at fault.
#[derive(Clone, Debug, thiserror::Error)]
pub enum FuseError {
    /// There are no stages.
    #[error("there is nothing to fuse: give at least one stage")]
    Empty,
    /// Two stages, or two inputs of one stage, have one name.
    #[error("`{name}` is given twice: names of stages, and of the inputs of a stage, must differ")]
    Repeated {
        /// The name; of an input as `stage.port`.
        name: String,
    },
    /// A stage is in compute form.
    #[error("`{stage}` is in compute form, and only pixel effects can be fused: run it by itself")]
    NotPixel {
        /// Which stage.
        stage: String,
    },
    /// A port reads the picture at other positions than its own.
    #[error(
        "`{stage}.{port}` is read at other positions than the pixel's own: the result of another effect must be stored before it"
    )]
    NotLocal {
        /// Which stage.
        stage: String,
        /// Which port.
        port: String,
    },
    /// A port is given the result of a stage that is not earlier.
    #[error(
        "`{stage}.{port}` asks for the result of stage {wanted}, which does not come before it: put the stages in order"
    )]
    NotEarlier {
        /// Which stage.
        stage: String,
        /// Which port.
        port: String,
        /// Index of the stage asked for.
        wanted: usize,
    },
    /// An input is given for a port that the stage does not read.
    #[error("`{stage}` reads no input `{port}`; it reads {known:?}")]
    UnknownInput {
        /// Which stage.
        stage: String,
        /// The port asked for.
        port: String,
        /// Its ports.
        known: Vec<String>,
    },
    /// A port is given no input.
    #[error("nothing is given for `{stage}.{port}`: name a texture or an earlier stage")]
    MissingInput {
        /// Which stage.
        stage: String,
        /// Which port.
        port: String,
    },
    /// A texture has a type that effects cannot share.
    #[error("`{stage}.{port}` is a `{ty}`; fused effects share textures of type `Texture2D<float4>` only")]
    TextureType {
        /// Which stage.
        stage: String,
        /// Which port.
        port: String,
        /// Its type.
        ty: String,
    },
    /// A stage has a `#pragma` that would change the stages after it.
    #[error(
        "`{stage}` has a `{pragma}`, which would hold for the effects after it too: remove it, or run it by itself"
    )]
    Pragma {
        /// Which stage.
        stage: String,
        /// The line.
        pragma: String,
    },
    /// An input, a parameter or a buffer is not declared in plain sight.
    #[error(
        "`{stage}.{name}` is declared by a macro or in a namespace, where it cannot be told from what other effects declare: declare it at the top level"
    )]
    Hidden {
        /// Which stage.
        stage: String,
        /// Its input, parameter or buffer.
        name: String,
    },
    /// An effect does not compile, by itself or with the others. In the latter case the diagnostics show the fused text.
    #[error(transparent)]
    Compile(#[from] CompileError),
}
