//! The HLSL that this crate ships compiles, and has the interface that its description promises.

#![allow(clippy::print_stdout, reason = "a test that cannot run says why")]

use streamlib_core::color::ColorSpace;
use streamlib_core::format::Size;
use streamlib_core::picture::PictureFormat;
use streamlib_media::convert::{self, Direction};
use streamlib_media::generate;
use streamlib_shader::{Compiler, CompilerOptions, EffectSource};

/// A compiler, or `None` where DXC is missing, which is said.
fn compiler() -> Option<Compiler> {
    match Compiler::new(CompilerOptions::default()) {
        Ok(compiler) => Some(compiler),
        Err(error) => {
            println!("SKIPPED: {error}");
            None
        }
    }
}

#[test]
fn every_conversion_compiles_and_has_the_planes_and_parameters_it_names() {
    let Some(compiler) = compiler() else { return };
    for conversion in &convert::ALL {
        let effect = compiler
            .compile(&EffectSource::from_text(conversion.name, conversion.hlsl))
            .unwrap_or_else(|error| panic!("{}: {error}", conversion.name));
        let names = |slots: &[streamlib_core::interface::TextureSlot]| {
            let mut names: Vec<String> = slots.iter().map(|slot| slot.name.clone()).collect();
            names.sort();
            names
        };
        let mut planes: Vec<String> = conversion.planes.iter().map(|&plane| plane.to_owned()).collect();
        planes.sort();
        let (inputs, outputs) = (names(&effect.interface.inputs), names(&effect.interface.outputs));
        match conversion.direction {
            Direction::ToRgba => assert_eq!((inputs, outputs), (planes, vec!["output".to_owned()])),
            Direction::FromRgba => assert_eq!((inputs, outputs), (vec!["input".to_owned()], planes)),
        }
        for layout in conversion.layouts() {
            let (size, color) = (Size::new(6, 4), ColorSpace::default());
            let parameters = conversion.parameters(PictureFormat { size, layout, color });
            assert_eq!(effect.interface.parameters.len(), parameters.len(), "{layout:?}");
            for (name, value) in parameters {
                let parameter = effect.interface.parameter(&name).expect("a parameter of that name");
                parameter.check(&value).unwrap_or_else(|error| panic!("{layout:?}: {error}"));
            }
        }
    }
}

#[test]
fn every_generated_source_compiles_without_inputs_or_parameters() {
    let Some(compiler) = compiler() else { return };
    for name in generate::NAMES {
        let text = generate::source(name).expect("a listed source");
        let effect = compiler
            .compile(&EffectSource::from_text(name, text))
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(effect.interface.inputs.is_empty(), "{name} has inputs");
        assert!(effect.interface.parameters.is_empty(), "{name} has parameters");
    }
}
