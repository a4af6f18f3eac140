//! Every effect that ships becomes a kernel and runs, with the validation layer watching.
#![allow(clippy::print_stdout, reason = "a skipped test says why")]

#[path = "conformance/steps.rs"]
mod steps;
mod support;

use std::path::Path;

use steps::{run, texture};
use streamlib_core::format::{Size, TextureFormat};
use streamlib_core::gpu::{Command, Dispatch, Gpu, HostBufferUse, KernelDesc};
use streamlib_core::interface::EffectForm;
use streamlib_shader::{CacheOptions, Compiler, CompilerOptions, DxcError, Effect, EffectSource};
use streamlib_vulkan::{Shortfall, VulkanError, VulkanGpu};

const SIZE: Size = Size::new(65, 33);

fn compiler() -> Option<Compiler> {
    let options = CompilerOptions { cache: CacheOptions::MemoryOnly, ..CompilerOptions::default() };
    match Compiler::new(options) {
        Ok(compiler) => Some(compiler),
        Err(error @ DxcError::NotFound { .. }) => {
            println!("SKIPPED: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

fn run_effect(gpu: &VulkanGpu, effect: &Effect, format: TextureFormat) -> Result<(), VulkanError> {
    let interface = &effect.interface;
    let outputs: Vec<_> = interface.outputs.iter().map(|slot| (slot.name.as_str(), format)).collect();
    let kernel = gpu.create_kernel(&KernelDesc {
        label: &effect.name,
        spirv: &effect.spirv,
        interface,
        outputs: &outputs,
    })?;
    let sources: Vec<_> =
        interface.inputs.iter().map(|slot| texture(gpu, &slot.name, SIZE, format)).collect();
    let targets: Vec<_> =
        interface.outputs.iter().map(|slot| texture(gpu, &slot.name, SIZE, format)).collect();
    let buffer = gpu.create_host_buffer("parameters", 4096, HostBufferUse::Parameters)?;
    let inputs: Vec<_> = interface.inputs.iter().map(|slot| slot.name.as_str()).zip(&sources).collect();
    let outputs: Vec<_> = interface.outputs.iter().map(|slot| slot.name.as_str()).zip(&targets).collect();
    let buffers: Vec<_> = interface.buffers.iter().map(|slot| (slot.name.as_str(), &buffer)).collect();
    let dispatch = Dispatch {
        label: &effect.name,
        kernel: &kernel,
        inputs: &inputs,
        outputs: &outputs,
        buffers: &buffers,
        threads: SIZE,
    };
    run(gpu, &[Command::Dispatch(dispatch)]);
    Ok(())
}

#[test]
fn every_effect_that_ships_runs_into_linear_and_srgb_textures() {
    let (Some(gpu), Some(compiler)) = (support::gpu(), compiler()) else { return };
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../effects");
    let mut count = 0;
    for entry in std::fs::read_dir(directory).expect("the effects") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "hlsl") {
            continue;
        }
        let source = EffectSource::from_file(&path).expect("readable");
        let effect = compiler.compile(&source).unwrap_or_else(|error| panic!("{error}"));
        for format in [TextureFormat::Rgba8, TextureFormat::Rgba8Srgb, TextureFormat::Rgba16Float] {
            if format.is_srgb() && effect.interface.form == EffectForm::Compute {
                continue;
            }
            match run_effect(&gpu, &effect, format) {
                Ok(()) => count += 1,
                Err(VulkanError::MissingFeature { shortfall: Shortfall::Capability(what), .. }) => {
                    println!("SKIPPED: {} needs {what}", effect.name);
                }
                Err(error) => panic!("{}: {error}", effect.name),
            }
            assert_eq!(gpu.validation_messages(), 0, "{} to {format:?}", effect.name);
        }
    }
    assert!(count > 40, "only {count} runs");
}
