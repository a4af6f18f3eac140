//! What an effect is run with.

use std::collections::BTreeMap;

use streamlib::interface::Interface;

use crate::oracle::{Case, Image, Second, Setup};
use crate::picture;

/// Textures by port name.
pub(crate) type Inputs = BTreeMap<String, Image>;

/// `case` over `inputs`, with the effect's own defaults where neither the case nor `variant` says otherwise.
pub(crate) fn of(
    case: &Case,
    interface: &Interface,
    variant: &[(&'static str, Vec<f64>)],
    inputs: Inputs,
) -> Setup {
    let stated = case.always.iter().chain(variant);
    let values = values(interface, stated.map(|(name, value)| ((*name).to_owned(), value.clone())));
    let scaled = |side: u32| (f64::from(side) * case.scale).ceil() as u32;
    Setup { width: scaled(inputs["input"].width()), height: scaled(inputs["input"].height()), inputs, values }
}

/// What is stated, the effect's own defaults, and a frame somewhere in a film of an unknown camera.
pub(crate) fn values(
    interface: &Interface,
    stated: impl Iterator<Item = (String, Vec<f64>)>,
) -> BTreeMap<String, Vec<f64>> {
    let defaults =
        interface.parameters.iter().map(|parameter| (parameter.name.clone(), parameter.default.clone()));
    let frame = [
        ("time", vec![1.3]),
        ("delta", vec![0.04]),
        ("frame_number", vec![42.0]),
        ("camera_intrinsics", vec![0.0; 4]),
    ];
    let frame = frame.into_iter().map(|(name, value)| (name.to_owned(), value));
    defaults.chain(frame).chain(stated).collect()
}

/// 97 × 61, and a second picture of the same size or of half of it.
pub(crate) fn odd_pictures(case: &Case) -> Inputs {
    let mut inputs = Inputs::from([("input".to_owned(), picture::busy(97, 61, 0))]);
    if let Some((port, second)) = case.second {
        let (width, height) = if second == Second::Glow { (49, 31) } else { (97, 61) };
        inputs.insert(port.to_owned(), picture::busy(width, height, 1));
    }
    inputs
}
