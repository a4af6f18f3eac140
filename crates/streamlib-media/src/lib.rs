//! Video files, stills and codecs in and out, in host memory.
//!
//! [`open`] reads, [`create`] writes, [`audio_of`] carries sound from one MP4 file to another. Pictures stay in the
//! layout that their codec has; [`convert`] holds the HLSL that makes RGBA of them on the GPU and back, and
//! [`generate`] holds sources that need no file. This crate knows no GPU API and compiles no shader.

mod audio;
pub mod convert;
mod create;
mod error;
pub mod generate;
mod h264;
mod mp4;
mod open;
mod partial;
mod pattern;
mod sequence;
mod still;
mod stream;
mod y4m;

pub use audio::{AudioTrack, audio_of};
pub use create::create;
pub use error::{CreateError, OpenError, ReadError, WriteError};
pub use open::open;
pub use still::encode_png;
pub use stream::{AudioInfo, Notice, OutputOptions, Quality, StreamInfo, VideoReader, VideoWriter, Written};

/// Longest side of a picture that is read or written, in pixels.
pub const MAX_SIDE: u32 = 16_384;
