//! One effect, run once.

use streamlib_core::expression::FrameVariables;
use streamlib_core::format::{Size, TextureFormat};
use streamlib_core::gpu::{Command, Dispatch, Gpu, HostBuffer as _, HostBufferUse};
use streamlib_core::interface::{FrameUniform, Interface};
use streamlib_core::plan::{Code, PlanKernel};
use streamlib_core::value::Value;
use streamlib_shader::{Effect, EffectSource};
use streamlib_vulkan::{HostBuffer, Texture};

use super::EagerError;
use super::host::LIMIT;
use crate::runtime::StreamRuntime;

/// What an effect is run once with.
#[derive(Clone, Debug)]
pub struct EffectRun<'a> {
    /// Textures by input.
    pub inputs: &'a [(&'a str, &'a Texture)],
    /// Values by parameter or buffer; the others have the author's default.
    pub parameters: &'a [(&'a str, Value)],
    /// Pixels of the result; that of the input called `input`, or of the first one, when not stated.
    pub size: Option<Size>,
    /// Format of the result.
    pub format: TextureFormat,
    /// What is written; a new texture of that size and format when not stated.
    pub output: Option<&'a Texture>,
    /// What the effect finds in `time`, seconds.
    pub time: f64,
    /// What it finds in `frame_number`.
    pub frame: u64,
}

impl Default for EffectRun<'_> {
    fn default() -> Self {
        let format = TextureFormat::Rgba8;
        Self { inputs: &[], parameters: &[], size: None, format, output: None, time: 0.0, frame: 0 }
    }
}

/// A uniform block, and buffers by name.
type Values<'e> = (Vec<u8>, Vec<(&'e str, HostBuffer)>);

impl StreamRuntime {
    /// Runs an effect once and waits for the result: its first output. Its kernel is kept for the next time.
    ///
    /// # Errors
    /// When the effect does not compile, an input, parameter, size or output does not fit, or the GPU fails.
    pub fn run_effect(&self, effect: &EffectSource, run: &EffectRun<'_>) -> Result<Texture, EagerError> {
        let effect = self.compiler().compile(effect)?;
        let interface = &effect.interface;
        check_inputs(&effect, run)?;
        let size = output_size(&effect, run)?;
        let mut outputs = Vec::with_capacity(interface.outputs.len());
        for (index, slot) in interface.outputs.iter().enumerate() {
            let texture = match run.output {
                Some(texture) if index == 0 => texture.clone(),
                _ => self.create_texture(size, run.format)?,
            };
            outputs.push((slot.name.as_str(), texture));
        }
        let (block, buffers) = self.values(&effect, run, size)?;
        let kernel = PlanKernel {
            code: Code::Node(effect.name.clone()),
            outputs: outputs.iter().map(|(name, texture)| ((*name).to_owned(), texture.format())).collect(),
        };
        let kernel = self.kernel(&kernel, &effect)?;

        let buffers: Vec<_> = buffers.iter().map(|(name, buffer)| (*name, buffer)).collect();
        let written: Vec<_> = outputs.iter().map(|(name, texture)| (*name, texture)).collect();
        let dispatch = Command::Dispatch(Dispatch {
            label: &effect.name,
            kernel: &kernel,
            inputs: run.inputs,
            outputs: &written,
            buffers: &buffers,
            threads: size,
        });
        let gpu = self.gpu();
        let mut recording = gpu.record(&effect.name, &[dispatch])?;
        if !block.is_empty() {
            gpu.set_uniforms(&mut recording, 0, &block)?;
        }
        let done = gpu.submit_one(&mut recording)?;
        gpu.wait(done, LIMIT)?;
        Ok(outputs.swap_remove(0).1)
    }

    /// The uniform block, and the buffers.
    fn values<'e>(
        &self,
        effect: &'e Effect,
        run: &EffectRun<'_>,
        size: Size,
    ) -> Result<Values<'e>, EagerError> {
        let wrong = |error| EagerError::Parameter { effect: effect.name.clone(), error };
        let interface = &effect.interface;
        let (mut block, mut animated) = (interface.default_block(), Vec::new());
        for (name, value) in run.parameters {
            if interface.buffers.iter().all(|buffer| buffer.name != **name) {
                interface.set(name, value, &mut block, &mut animated).map_err(wrong)?;
            }
        }
        write_frame(interface, run, size, &mut block);
        let now = FrameVariables { time: run.time, delta: 0.0, frame: run.frame as f64 };
        animated.iter().for_each(|component| component.write(interface, &now, &mut block));
        let mut buffers = Vec::with_capacity(interface.buffers.len());
        for slot in &interface.buffers {
            let Some((_, value)) = run.parameters.iter().find(|(name, _)| *name == slot.name) else {
                let (effect, buffer) = (effect.name.clone(), slot.name.clone());
                return Err(EagerError::MissingBuffer { effect, buffer });
            };
            let bytes = slot.encode(value).map_err(wrong)?;
            let usage = HostBufferUse::Parameters;
            let buffer = self.gpu().create_host_buffer(&slot.name, bytes.len(), usage)?;
            let written = buffer.write(&mut |memory| memory.copy_from_slice(&bytes));
            written.expect("nothing submitted uses a new buffer");
            buffers.push((slot.name.as_str(), buffer));
        }
        Ok((block, buffers))
    }
}

fn names(interface: &Interface) -> String {
    let names: Vec<_> = interface.inputs.iter().map(|slot| slot.name.as_str()).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn check_inputs(effect: &Effect, run: &EffectRun<'_>) -> Result<(), EagerError> {
    let (interface, name) = (&effect.interface, &effect.name);
    for (input, texture) in run.inputs {
        let (effect, owned) = (name.clone(), (*input).to_owned());
        if interface.inputs.iter().all(|slot| slot.name != **input) {
            return Err(EagerError::UnknownInput { effect, input: owned, known: names(interface) });
        }
        if run.output.is_some_and(|output| output.is(texture)) {
            return Err(EagerError::InputIsOutput { effect, input: owned });
        }
    }
    let is_given = |port: &str| run.inputs.iter().any(|(input, _)| *input == port);
    match interface.inputs.iter().find(|slot| !is_given(&slot.name)) {
        Some(slot) => Err(EagerError::MissingInput {
            effect: name.clone(),
            input: slot.name.clone(),
            known: names(interface),
        }),
        None => Ok(()),
    }
}

fn output_size(effect: &Effect, run: &EffectRun<'_>) -> Result<Size, EagerError> {
    if let (Some(asked), Some(found)) = (run.size, run.output.map(Texture::size))
        && asked != found
    {
        return Err(EagerError::OutputSize { asked, found });
    }
    let stated = run.size.or_else(|| run.output.map(Texture::size));
    let main = run.inputs.iter().find(|(input, _)| *input == streamlib_core::graph::INPUT);
    let first = effect.interface.inputs.first();
    let first = first.and_then(|slot| run.inputs.iter().find(|(input, _)| *input == slot.name));
    let of_input = main.or(first).map(|(_, texture)| texture.size());
    stated.or(of_input).ok_or_else(|| EagerError::NoSize(effect.name.clone()))
}

/// What the runtime tells the effect about the frame; no camera is known.
fn write_frame(interface: &Interface, run: &EffectRun<'_>, size: Size, block: &mut [u8]) {
    for slot in &interface.frame_uniforms {
        let mut identity = [0.0; 16];
        (0..4).for_each(|diagonal| identity[diagonal * 5] = 1.0);
        let numbers = match slot.uniform {
            FrameUniform::Time => vec![run.time],
            FrameUniform::Delta => vec![0.0],
            FrameUniform::FrameNumber => vec![run.frame as f64],
            FrameUniform::Resolution => vec![f64::from(size.width), f64::from(size.height)],
            FrameUniform::CameraIntrinsics => vec![0.0; 4],
            FrameUniform::CameraPose => identity.to_vec(),
        };
        slot.parameter.write(&numbers, block);
    }
}
