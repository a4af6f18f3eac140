//! The golden pictures: what each effect makes of one scene.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::library::{self, Library};
use crate::oracle::{Case, Image, Second, steps};
use crate::picture;
use crate::setup::{self, Inputs};

const WIDTH: u32 = 192;
const HEIGHT: u32 = 108;

/// Bytes that all golden pictures together may take in the repository.
const MOST_BYTES: u64 = 2_000_000;

/// What effects are pictured with.
pub(crate) struct Studio {
    scene: Image,
    earlier: Image,
    badge: Image,
    before: Image,
    glow: Image,
}

impl Studio {
    /// All of it, drawn once for all tests.
    pub(crate) fn get() -> &'static Self {
        static STUDIO: OnceLock<Studio> = OnceLock::new();
        STUDIO.get_or_init(Self::draw)
    }

    fn draw() -> Self {
        let scene = picture::scene(WIDTH, HEIGHT, 1.0);
        Self {
            earlier: picture::scene(WIDTH, HEIGHT, 0.85),
            badge: picture::badge(WIDTH, HEIGHT),
            before: steps::without_color(&scene),
            glow: steps::glow(&scene),
            scene,
        }
    }

    /// The untouched scene.
    pub(crate) fn scene(&self) -> &Image {
        &self.scene
    }

    /// What is bound for the golden picture of `case`.
    pub(crate) fn pictures(&self, case: &Case) -> Inputs {
        let second = case.second.map(|(port, second)| {
            let image = match second {
                Second::Overlay => &self.badge,
                Second::Before => &self.before,
                Second::Glow => &self.glow,
                Second::Earlier => &self.earlier,
            };
            (port.to_owned(), image.clone())
        });
        [("input".to_owned(), self.scene.clone())].into_iter().chain(second).collect()
    }
}

/// All golden pictures by effect; drawn anew, by the oracles, when they are to be blessed.
pub(crate) fn open(library: &Library) -> &'static BTreeMap<String, Image> {
    static GOLDENS: OnceLock<BTreeMap<String, Image>> = OnceLock::new();
    GOLDENS.get_or_init(|| {
        if library::bless() {
            let studio = Studio::get();
            for (case, effect) in library.effects() {
                let setup = setup::of(case, &effect.interface, &[], studio.pictures(case));
                write(&path(case.name), &setup.render(case.oracle));
            }
        }
        let golden = |(case, _): (&Case, _)| (case.name.to_owned(), read(&path(case.name)));
        library.effects().map(golden).collect()
    })
}

fn path(name: &str) -> PathBuf {
    library::directory().join("golden").join(name).with_extension("png")
}

/// Reads a PNG.
pub(crate) fn read(path: &Path) -> Image {
    let png = image::open(path)
        .unwrap_or_else(|error| {
            panic!("{}: {error}; draw it with STREAMLIB_BLESS=1 and look at it", path.display())
        })
        .to_rgba8();
    Image::from_rgba8(png.width(), png.height(), &png)
}

/// Writes a PNG as small as it gets, without alpha where the picture needs none.
pub(crate) fn write(path: &Path, picture: &Image) {
    use image::ImageEncoder;
    use image::codecs::png::{CompressionType, FilterType, PngEncoder};

    let mut bytes = picture.to_rgba8();
    let mut layout = image::ExtendedColorType::Rgba8;
    if bytes.chunks_exact(4).all(|texel| texel[3] == 255) {
        bytes = bytes.chunks_exact(4).flat_map(|texel| texel[..3].to_vec()).collect();
        layout = image::ExtendedColorType::Rgb8;
    }
    std::fs::create_dir_all(path.parent().expect("a file in a directory")).expect("the directory is made");
    let file = std::fs::File::create(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    PngEncoder::new_with_quality(file, CompressionType::Best, FilterType::Adaptive)
        .write_image(&bytes, picture.width(), picture.height(), layout)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

#[test]
fn golden_pictures_are_small_and_none_is_left_over() {
    let Some(library) = Library::open() else { return };
    let known = open(library);
    let directory = library::directory().join("golden");
    let mut bytes = 0;
    for entry in std::fs::read_dir(directory).expect("effects/golden can be listed") {
        let entry = entry.expect("effects/golden can be listed");
        bytes += entry.metadata().expect("a file").len();
        let name = entry.path().with_extension("");
        let name = name.file_name().expect("a name").to_string_lossy().into_owned();
        assert!(known.contains_key(&name), "golden/{name}.png has no effect: remove it");
    }
    assert!(bytes <= MOST_BYTES, "{bytes} bytes of golden pictures; {MOST_BYTES} are allowed");
}
