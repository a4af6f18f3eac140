//! Where a picture stands in a window of another size.

use streamlib_core::format::Size;

/// How a picture is brought to the size of a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scaling {
    /// All of the picture, with bars beside it or above and below.
    #[default]
    Fit,
    /// All of the window, and of the picture what has room.
    Fill,
    /// All of both; the picture's proportions change.
    Stretch,
}

/// A part of a picture: left, top, right and bottom edge.
pub(crate) type Area = [u32; 4];

/// Which part of the picture goes to which part of the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Placed {
    pub(crate) from: Area,
    pub(crate) to: Area,
    /// Whether parts of the window stay without picture.
    pub(crate) has_bars: bool,
}

/// Where a picture goes. No side of either is 0.
pub(crate) fn place(scaling: Scaling, picture: Size, window: Size) -> Placed {
    let all = |size: Size| [0, 0, size.width, size.height];
    let (from, to) = match scaling {
        Scaling::Stretch => (all(picture), all(window)),
        Scaling::Fit => (all(picture), inside(picture, window)),
        Scaling::Fill => (inside(window, picture), all(window)),
    };
    Placed { from, to, has_bars: to != all(window) }
}

/// The greatest area in the middle of `frame` that has the proportions of `shape`.
fn inside(shape: Size, frame: Size) -> Area {
    let [sw, sh, fw, fh] = [shape.width, shape.height, frame.width, frame.height].map(u64::from);
    let scaled = |side: u64, by: u64, of: u64| ((side * by + of / 2) / of.max(1)).max(1);
    let (width, height) = if sw * fh > fw * sh { (fw, scaled(sh, fw, sw)) } else { (scaled(sw, fh, sh), fh) };
    let (left, top) = ((fw - width) / 2, (fh - height) / 2);
    [left, top, left + width, top + height].map(|edge| edge as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_fit_fill_and_stretch() {
        let (wide, tall) = (Size::new(160, 90), Size::new(100, 200));
        let placed = place(Scaling::Fit, wide, tall);
        assert_eq!(placed, Placed { from: [0, 0, 160, 90], to: [0, 72, 100, 128], has_bars: true });
        let placed = place(Scaling::Fill, wide, tall);
        assert_eq!(placed, Placed { from: [57, 0, 102, 90], to: [0, 0, 100, 200], has_bars: false });
        let placed = place(Scaling::Stretch, wide, tall);
        assert_eq!(placed, Placed { from: [0, 0, 160, 90], to: [0, 0, 100, 200], has_bars: false });
        let same = place(Scaling::Fit, wide, Size::new(320, 180));
        assert_eq!(same, Placed { from: [0, 0, 160, 90], to: [0, 0, 320, 180], has_bars: false });
    }

    #[test]
    fn no_area_is_empty_or_outside() {
        for (a, b, c, d) in [(1, 1, 1, 1), (10_000, 1, 1, 10_000), (1, 10_000, 3, 1), (7, 5, 16_384, 16_384)]
        {
            for scaling in [Scaling::Fit, Scaling::Fill, Scaling::Stretch] {
                let (picture, window) = (Size::new(a, b), Size::new(c, d));
                let placed = place(scaling, picture, window);
                for ([left, top, right, bottom], size) in [(placed.from, picture), (placed.to, window)] {
                    assert!(left < right && top < bottom, "{placed:?}");
                    assert!(right <= size.width && bottom <= size.height, "{placed:?}");
                }
            }
        }
    }
}
