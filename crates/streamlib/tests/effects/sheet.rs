//! The contact sheet: every effect on one picture.

use crate::difference::Difference;
use crate::golden::{self, Studio};
use crate::library::{self, Library};
use crate::oracle::{Color, Image};
use crate::picture::over_grey;

const COLUMNS: u32 = 5;
const TILE: [u32; 2] = [128, 72];
const LABEL: u32 = 12;
const GAP: u32 = 4;
const PAPER: Color = [1.0, 1.0, 1.0, 1.0];
const INK: Color = [0.1, 0.1, 0.12, 1.0];

/// Bytes that the sheet may take in the repository.
const MOST_BYTES: u64 = 600_000;

#[test]
fn the_contact_sheet_shows_the_golden_pictures() {
    let Some(library) = Library::open() else { return };
    let path = library::directory().join("../docs/images/effects.png");
    let goldens = golden::open(library);
    let tiles = std::iter::once(("no_effect", Studio::get().scene()))
        .chain(goldens.iter().map(|(name, golden)| (name.as_str(), golden)))
        .collect::<Vec<_>>();
    let sheet = sheet(&tiles).rounded();
    if library::bless() {
        golden::write(&path, &sheet);
    }
    let bytes = std::fs::metadata(&path).expect("docs/images/effects.png is there").len();
    assert!(bytes <= MOST_BYTES, "{bytes} bytes of contact sheet; {MOST_BYTES} are allowed");
    let shown = golden::read(&path);
    let difference = Difference::between(&shown, &sheet).greatest(0.0);
    assert!(difference <= 1.0, "docs/images/effects.png is out of date: STREAMLIB_BLESS=1 draws it anew");
}

fn sheet(tiles: &[(&str, &Image)]) -> Image {
    let [tile_width, tile_height] = TILE;
    let (step_x, step_y) = (tile_width + GAP, tile_height + LABEL + GAP);
    let rows = (tiles.len() as u32).div_ceil(COLUMNS);
    Image::from_fn(GAP + COLUMNS * step_x, GAP + rows * step_y, |x, y| {
        let (Some(x), Some(y)) = (x.checked_sub(GAP), y.checked_sub(GAP)) else {
            return PAPER;
        };
        let (column, row) = (x / step_x, y / step_y);
        let (x, y) = (x % step_x, y % step_y);
        match tiles.get((row * COLUMNS + column) as usize) {
            Some((_, image)) if x < tile_width && y < tile_height => over_grey(shrunk(image, x, y)),
            Some((name, _)) if y >= tile_height && letter_covers(name, x, y - tile_height) => INK,
            _ => PAPER,
        }
    })
}

/// A pixel of `image` made to fit a tile: the mean of nine places.
fn shrunk(image: &Image, x: u32, y: u32) -> Color {
    let mut sum = [0.0; 4];
    for i in 0..9 {
        let at = |pixel: u32, sub: u32, size: u32| {
            (f64::from(pixel) + (f64::from(sub) + 0.5) / 3.0) / f64::from(size)
        };
        let color = image.sample([at(x, i % 3, TILE[0]), at(y, i / 3, TILE[1])]);
        sum = std::array::from_fn(|k| sum[k] + color[k] / 9.0);
    }
    sum
}

/// Whether a pixel of the line under a tile belongs to a letter of `name`, in letters of 5 × 7 pixels.
fn letter_covers(name: &str, x: u32, y: u32) -> bool {
    let letter = name.as_bytes().get((x / 6) as usize).copied();
    let row = y.checked_sub(2).filter(|row| *row < 7);
    let (Some(letter), Some(row), column @ 0..5) = (letter, row, x % 6) else {
        return false;
    };
    let rows = match letter {
        b'a'..=b'z' => LETTERS[usize::from(letter - b'a')],
        _ => [0, 0, 0, 0, 0, 0, 0b11111],
    };
    rows[row as usize] >> (4 - column) & 1 == 1
}

/// The small letters, row by row; the highest of five bits is the leftmost pixel.
#[rustfmt::skip]
const LETTERS: [[u8; 7]; 26] = [
    [0b00000, 0b00000, 0b01110, 0b00001, 0b01111, 0b10001, 0b01111],
    [0b10000, 0b10000, 0b10110, 0b11001, 0b10001, 0b10001, 0b11110],
    [0b00000, 0b00000, 0b01110, 0b10000, 0b10000, 0b10001, 0b01110],
    [0b00001, 0b00001, 0b01101, 0b10011, 0b10001, 0b10001, 0b01111],
    [0b00000, 0b00000, 0b01110, 0b10001, 0b11111, 0b10000, 0b01110],
    [0b00110, 0b01001, 0b01000, 0b11100, 0b01000, 0b01000, 0b01000],
    [0b00000, 0b01111, 0b10001, 0b10001, 0b01111, 0b00001, 0b01110],
    [0b10000, 0b10000, 0b10110, 0b11001, 0b10001, 0b10001, 0b10001],
    [0b00100, 0b00000, 0b01100, 0b00100, 0b00100, 0b00100, 0b01110],
    [0b00010, 0b00000, 0b00110, 0b00010, 0b00010, 0b10010, 0b01100],
    [0b10000, 0b10000, 0b10010, 0b10100, 0b11000, 0b10100, 0b10010],
    [0b01100, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110],
    [0b00000, 0b00000, 0b11010, 0b10101, 0b10101, 0b10001, 0b10001],
    [0b00000, 0b00000, 0b10110, 0b11001, 0b10001, 0b10001, 0b10001],
    [0b00000, 0b00000, 0b01110, 0b10001, 0b10001, 0b10001, 0b01110],
    [0b00000, 0b00000, 0b11110, 0b10001, 0b11110, 0b10000, 0b10000],
    [0b00000, 0b00000, 0b01101, 0b10011, 0b01111, 0b00001, 0b00001],
    [0b00000, 0b00000, 0b10110, 0b11001, 0b10000, 0b10000, 0b10000],
    [0b00000, 0b00000, 0b01110, 0b10000, 0b01110, 0b00001, 0b11110],
    [0b01000, 0b01000, 0b11100, 0b01000, 0b01000, 0b01001, 0b00110],
    [0b00000, 0b00000, 0b10001, 0b10001, 0b10001, 0b10011, 0b01101],
    [0b00000, 0b00000, 0b10001, 0b10001, 0b10001, 0b01010, 0b00100],
    [0b00000, 0b00000, 0b10001, 0b10001, 0b10101, 0b10101, 0b01010],
    [0b00000, 0b00000, 0b10001, 0b01010, 0b00100, 0b01010, 0b10001],
    [0b00000, 0b00000, 0b10001, 0b10001, 0b01111, 0b00001, 0b01110],
    [0b00000, 0b00000, 0b11111, 0b00010, 0b00100, 0b01000, 0b11111],
];
