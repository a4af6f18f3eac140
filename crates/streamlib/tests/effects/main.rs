//! Every effect of `effects/` on a real device, against an oracle in `f64` and against its golden picture.
//!
//! The oracle runs see a small picture of odd size with everything that upsets filters, with the defaults and with other
//! values. The golden pictures guard against a change that moves effect and oracle together, and are what the contact sheet
//! shows. After a change that is meant: `STREAMLIB_BLESS=1 cargo test -p streamlib --test effects`, then look at the
//! pictures. What is written then comes from the oracles, so that no device's rounding gets into it.

#![expect(clippy::print_stdout, reason = "tests say what they skip and what they found")]

mod device;
mod difference;
mod golden;
mod gpu;
mod graphs;
mod library;
mod oracle;
mod picture;
mod readme;
mod setup;
mod sheet;

use device::Device;
use difference::Difference;
use library::Library;
use streamlib_core::gpu::Gpu;

/// The effects that the Python API has always had.
const PYTHON_API: [&str; 22] = [
    "box_blur",
    "gaussian_blur",
    "grayscale",
    "sepia",
    "brightness",
    "contrast",
    "saturation",
    "hue_shift",
    "edge_detect",
    "sharpen",
    "emboss",
    "pixelate",
    "vignette",
    "chromatic_aberration",
    "flip_horizontal",
    "flip_vertical",
    "rotate",
    "scale",
    "blend_alpha",
    "blend_additive",
    "blend_multiply",
    "blend_screen",
];

#[test]
fn every_effect_has_an_oracle_and_every_oracle_an_effect() {
    let files = library::names();
    let cases: Vec<&str> = oracle::cases().iter().map(|case| case.name).collect();
    assert_eq!(files, cases, "left: effects/*.hlsl; right: cases of the oracles");
    for name in PYTHON_API {
        assert!(cases.contains(&name), "the Python API has `{name}`, effects/ has not");
    }
}

#[test]
fn every_effect_with_parameters_is_tried_with_two_other_sets_of_values() {
    let Some(library) = Library::open() else { return };
    for (case, effect) in library.effects() {
        if !effect.interface.parameters.is_empty() {
            assert!(case.variants.len() >= 2, "{}: add variants to its case", case.name);
        }
    }
}

#[test]
fn every_effect_shows_what_its_oracle_says() {
    let Some(library) = Library::open() else { return };
    let Some(device) = Device::open(library) else { return };
    println!("on {}", device.gpu().info().name);
    let mut worst = Vec::new();
    let mut wrong = Vec::new();
    for (case, effect) in library.effects() {
        let defaults = Vec::new();
        for variant in std::iter::once(&defaults).chain(&case.variants) {
            let setup = setup::of(case, &effect.interface, variant, setup::odd_pictures(case));
            let got = gpu::run(device.gpu().as_ref(), &effect.interface, &effect.spirv, &setup)
                .unwrap_or_else(|error| panic!("{}: {error}", case.name));
            let difference = Difference::between(&got, &setup.render(case.oracle));
            worst.push(format!("{:>6.2}  {}", difference.greatest(case.outliers), case.name));
            wrong.extend(difference.verdict(case, &format!("{variant:?}")));
        }
    }
    println!("greatest differences in code values:\n{}", worst.join("\n"));
    device.assert_valid();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_effect_looks_like_its_golden_picture() {
    let Some(library) = Library::open() else { return };
    let Some(device) = Device::open(library) else { return };
    let goldens = golden::open(library);
    let studio = golden::Studio::get();
    let mut wrong = Vec::new();
    for (case, effect) in library.effects() {
        let setup = setup::of(case, &effect.interface, &[], studio.pictures(case));
        let got = gpu::run(device.gpu().as_ref(), &effect.interface, &effect.spirv, &setup)
            .unwrap_or_else(|error| panic!("{}: {error}", case.name));
        let difference = Difference::between(&got, &goldens[case.name]);
        wrong.extend(difference.verdict(case, "golden picture"));
    }
    device.assert_valid();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
