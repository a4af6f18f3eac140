//! Effects that compare a frame with one before it.

use super::{Case, Color, Second, Setup, rgb};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("frame_difference", frame_difference)
            .second("previous", Second::Earlier)
            .variant(&[("gain", &[1.0])])
            .variant(&[("gain", &[10.0])]),
        Case::new("trails", trails)
            .second("previous", Second::Earlier)
            .variant(&[("persistence", &[0.5])])
            .variant(&[("persistence", &[1.0])]),
    ]
}

fn frame_difference(s: &Setup, x: u32, y: u32) -> Color {
    let (now, before) = (s.here(x, y), s.there("previous", x, y));
    rgb(now[3], |i| (now[i] - before[i]).abs() * s.number("gain"))
}

fn trails(s: &Setup, x: u32, y: u32) -> Color {
    let (now, before) = (s.here(x, y), s.there("previous", x, y));
    rgb(now[3], |i| now[i].max(before[i] * s.number("persistence")))
}
