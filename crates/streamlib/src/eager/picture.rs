//! Textures as pictures for people.

use streamlib_core::format::TextureFormat;
use streamlib_media::encode_png;
use streamlib_shader::EffectSource;
use streamlib_vulkan::Texture;

use super::{EagerError, EffectRun};
use crate::adapt::{COPY, ENCODE};
use crate::runtime::StreamRuntime;

impl StreamRuntime {
    /// Writes what one texture shows into another of the same size, by a pass of the GPU, and waits for it.
    ///
    /// # Errors
    /// When the sizes differ, both are the same texture, or the GPU fails.
    pub fn copy_texture(&self, from: &Texture, to: &Texture) -> Result<(), EagerError> {
        if from.size() != to.size() {
            return Err(EagerError::OutputSize { asked: from.size(), found: to.size() });
        }
        let run = EffectRun { inputs: &[("input", from)], output: Some(to), ..EffectRun::default() };
        self.run_effect(&EffectSource::from_text("copy", COPY), &run).map(drop)
    }

    /// A texture as a PNG file: 8 bits a channel, what is beyond 0..=1 clamped, one channel as grey.
    ///
    /// # Errors
    /// When the GPU fails, or the texture is another device's.
    pub fn texture_png(&self, texture: &Texture) -> Result<Vec<u8>, EagerError> {
        let text = match texture.format() {
            TextureFormat::Rgba8 | TextureFormat::Rgba8Srgb => None,
            TextureFormat::Bgra8Srgb => Some(ENCODE),
            TextureFormat::R8 => Some(GREY),
            TextureFormat::Bgra8 | TextureFormat::Rgba16Float | TextureFormat::Rg8 => Some(COPY),
        };
        let run = EffectRun { inputs: &[("input", texture)], ..EffectRun::default() };
        let converted = text.map(|text| self.run_effect(&EffectSource::from_text("to rgba8", text), &run));
        let converted = converted.transpose()?;
        let copy = self.read_texture(converted.as_ref().unwrap_or(texture))?;
        let png = copy.read(|rgba| encode_png(copy.size(), rgba));
        Ok(png.expect("nothing else uses a copy"))
    }
}

const GREY: &str =
    "float4 main(float2 uv : TEXCOORD) : SV_Target { return float4(tex2D(input, uv).rrr, 1); }";
