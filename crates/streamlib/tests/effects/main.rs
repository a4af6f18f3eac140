//! Every effect of `effects/` on a real device, against an oracle in `f64` and against its golden picture.
//!
//! The oracle runs see a small picture of odd size with everything that upsets filters, with the defaults and with other
//! values. The golden pictures guard against a change that moves effect and oracle together, and are what the contact sheet
//! shows. After a change that is meant: `STREAMLIB_BLESS=1 cargo test -p streamlib --test effects`, then look at the
//! pictures. What is written then comes from the oracles, so that no device's rounding gets into it.

#![expect(clippy::print_stdout, reason = "tests say what they skip and what they found")]

mod device;
mod golden;
mod gpu;
mod graphs;
mod library;
mod oracle;
mod picture;
mod readme;
mod sheet;

use std::collections::BTreeMap;

use device::Device;
use library::Library;
use oracle::{Case, Image, Setup};
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
    let (Some(library), Some(device)) = (Library::open(), Device::open()) else {
        return;
    };
    println!("on {}", device.gpu.info().name);
    let mut worst = Vec::new();
    let mut wrong = Vec::new();
    for (case, effect) in library.effects() {
        let defaults = Vec::new();
        for variant in std::iter::once(&defaults).chain(&case.variants) {
            let setup = setup(case, &effect.interface, variant, odd_pictures(case));
            let got = gpu::run(&device.gpu, &effect.interface, &effect.spirv, &setup)
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
    let (Some(library), Some(device)) = (Library::open(), Device::open()) else {
        return;
    };
    let goldens = golden::open(library);
    let studio = golden::Studio::get();
    let mut wrong = Vec::new();
    for (case, effect) in library.effects() {
        let setup = setup(case, &effect.interface, &[], studio.pictures(case));
        let got = gpu::run(&device.gpu, &effect.interface, &effect.spirv, &setup)
            .unwrap_or_else(|error| panic!("{}: {error}", case.name));
        let difference = Difference::between(&got, &goldens[case.name]);
        wrong.extend(difference.verdict(case, "golden picture"));
    }
    device.assert_valid();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// 97 × 61, and a second picture of the same size or of half of it.
fn odd_pictures(case: &Case) -> BTreeMap<&'static str, Image> {
    let mut inputs = BTreeMap::from([("input", picture::busy(97, 61, 0))]);
    if let Some((port, second)) = case.second {
        let (width, height) = if second == oracle::Second::Glow { (49, 31) } else { (97, 61) };
        inputs.insert(port, picture::busy(width, height, 1));
    }
    inputs
}

/// `case` over `inputs`, with the effect's own defaults where neither the case nor `variant` says otherwise.
fn setup(
    case: &Case,
    interface: &streamlib_core::interface::Interface,
    variant: &[(&'static str, Vec<f64>)],
    inputs: BTreeMap<&'static str, Image>,
) -> Setup {
    let defaults =
        interface.parameters.iter().map(|parameter| (parameter.name.clone(), parameter.default.clone()));
    let frame = [
        ("time", vec![1.3]),
        ("delta", vec![0.04]),
        ("frame_number", vec![42.0]),
        ("camera_intrinsics", vec![0.0; 4]),
    ];
    let stated = frame.iter().chain(&case.always).chain(variant);
    let values = defaults.chain(stated.map(|(name, value)| ((*name).to_owned(), value.clone()))).collect();
    let scaled = |side: u32| (f64::from(side) * case.scale).ceil() as u32;
    Setup { width: scaled(inputs["input"].width()), height: scaled(inputs["input"].height()), inputs, values }
}

/// How far a result is from what it should be, pixel by pixel, in 8-bit code values, the farthest first.
struct Difference(Vec<(f64, u32, u32)>);

impl Difference {
    fn between(got: &Image, wanted: &Image) -> Self {
        assert_eq!((got.width(), got.height()), (wanted.width(), wanted.height()));
        let mut pixels = Vec::new();
        for (x, y) in (0..got.height()).flat_map(|y| (0..got.width()).map(move |x| (x, y))) {
            let (got, wanted) = (got.texel(x.into(), y.into()), wanted.texel(x.into(), y.into()));
            let difference =
                (0..4).map(|i| (got[i] - wanted[i].clamp(0.0, 1.0)).abs() * 255.0).fold(0.0, f64::max);
            pixels.push((difference, x, y));
        }
        pixels.sort_by(|a, b| b.0.total_cmp(&a.0));
        Self(pixels)
    }

    /// The greatest difference when a fraction of the pixels does not count.
    fn greatest(&self, outliers: f64) -> f64 {
        self.0[(self.0.len() as f64 * outliers) as usize].0
    }

    /// A sentence when the case does not allow this.
    fn verdict(&self, case: &Case, what: &str) -> Option<String> {
        let greatest = self.greatest(case.outliers);
        // The last digits of a code value that an f64 came through.
        (greatest > case.tolerance + 1e-9).then(|| {
            let (most, x, y) = self.0[0];
            let beyond = self.0.iter().take_while(|pixel| pixel.0 > case.tolerance).count();
            format!(
                "{}, {what}: {greatest:.2} code values off where {} are allowed; {beyond} pixels are, the worst by {most:.2} at \
                 ({x}, {y})",
                case.name, case.tolerance
            )
        })
    }
}
