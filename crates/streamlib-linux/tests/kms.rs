//! Pictures on the screens of real kernel drivers, looked at from outside of the machine where that can be done.
#![cfg(target_os = "linux")]
#![allow(clippy::print_stdout, reason = "a test that is skipped says why")]

#[path = "support/screen.rs"]
mod screen;
#[path = "support/turn.rs"]
mod turn;
#[path = "../../streamlib-vulkan/tests/support/udmabuf.rs"]
mod udmabuf;
#[path = "../../streamlib-vulkan/tests/support/vgem.rs"]
mod vgem;

use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use streamlib_core::format::{Size, TextureFormat};
use streamlib_linux::{
    Framebuffer, KmsError, KmsOptions, KmsScreen, ScanoutBuffer, ScreenInfo, list_screens,
};
use turn::Turn;
use udmabuf::UdmaBuf;
use vgem::VgemBuf;

/// Long enough for a screen on an emulated machine.
const PATIENCE: Duration = Duration::from_secs(20);
/// Drivers, and what the device machine calls their screens.
const HEADS: [(&str, &str); 2] = [("virtio_gpu", "gpu0"), ("cirrus", "cirrus0")];

const RED: [u8; 3] = [255, 32, 64];
const GREEN: [u8; 3] = [16, 192, 128];
const BLUE: [u8; 3] = [8, 16, 248];

/// One program shows on a card at a time, and so do these tests.
fn alone() -> [Turn; 2] {
    HEADS.map(|(driver, _)| turn::screen(driver))
}

/// The screens that are connected and free, or a word about why there is none.
fn screens() -> Vec<ScreenInfo> {
    let mut screens = list_screens();
    screens.retain(|screen| screen.is_connected);
    if screens.is_empty() {
        println!("SKIPPED: no screen on a card that this user may open (/dev/dri/card*)");
    }
    screens
}

fn of_driver<'a>(screens: &'a [ScreenInfo], driver: &str) -> Option<&'a ScreenInfo> {
    let found = screens.iter().find(|screen| screen.driver == driver);
    if found.is_none() && !screens.is_empty() {
        println!("SKIPPED: no screen of the driver {driver}");
    }
    found
}

fn options(screen: &ScreenInfo) -> KmsOptions {
    KmsOptions {
        card: Some(screen.card.clone()),
        connector: Some(screen.connector.clone()),
        ..KmsOptions::default()
    }
}

/// Opens a screen; `None` where another program has it.
fn open(screen: &ScreenInfo) -> Option<KmsScreen> {
    match KmsScreen::open(&options(screen)) {
        Ok(screen) => Some(screen),
        Err(error @ KmsError::InUse { .. }) => {
            println!("SKIPPED: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// Fills the left half with one colour and the right half with another.
fn fill(buffer: &Framebuffer, left: [u8; 3], right: [u8; 3]) {
    let width = buffer.size().width as usize;
    buffer
        .write(&mut |bytes, row_pitch| paint(bytes, (row_pitch, width), left, right))
        .expect("its own memory");
}

/// Rows of `B8G8R8X8`.
fn paint(bytes: &mut [u8], (row_pitch, width): (usize, usize), left: [u8; 3], right: [u8; 3]) {
    let half = |[r, g, b]: [u8; 3], pixels| [b, g, r, 0].repeat(pixels);
    let painted = [half(left, width / 2), half(right, width - width / 2)].concat();
    bytes.chunks_exact_mut(row_pitch).for_each(|row| row[..painted.len()].copy_from_slice(&painted));
}

/// Waits until the screen has these colours on its left and right; nothing where nobody can look.
fn stands_there(screen: &KmsScreen, driver: &str, left: [u8; 3], right: [u8; 3]) {
    let Some((_, head)) = HEADS.iter().find(|(known, _)| *known == driver) else { return };
    let (begun, size) = (Instant::now(), screen.mode().size);
    let places = [(10, 10), (size.width as i32 - 10, size.height as i32 - 10)];
    while let Some(found) = screen::pixels(head, &places) {
        if found == [left, right] {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{driver}: {found:?} stands there");
        std::thread::yield_now();
    }
    println!("SKIPPED: nobody can look at the screen");
}

#[test]
fn every_screen_is_listed_with_its_modes_the_best_one_first() {
    let _alone = alone();
    for screen in screens() {
        assert!(screen.connector.contains('-') && !screen.driver.is_empty(), "{screen:?}");
        assert!(!screen.modes.is_empty(), "{screen:?}");
        for mode in &screen.modes {
            assert!(mode.size.pixels() > 0 && mode.rate > 0.0 && mode.rate.is_finite(), "{mode:?}");
        }
        let is_preferred = screen.modes.iter().map(|mode| mode.is_preferred);
        assert!(is_preferred.is_sorted_by(|a, b| a >= b), "{screen:?}");
    }
}

#[test]
fn pictures_come_onto_the_screen_one_after_the_other() {
    let _alone = alone();
    for info in screens() {
        let Some(mut screen) = open(&info) else { continue };
        let buffers = [(); 3].map(|()| screen.create_buffer().expect("a buffer"));
        assert_eq!(screen.wait(PATIENCE).expect("nothing to wait for"), None);
        let mut last = None;
        for (left, right) in [(RED, GREEN), (GREEN, BLUE), (BLUE, RED), (RED, RED), (GREEN, RED)] {
            let free: Vec<_> = buffers.iter().filter(|buffer| !screen.uses(buffer)).collect();
            assert!(free.len() >= 2, "one is shown");
            fill(free[0], left, right);
            screen.flip(free[0]).expect("on its way");
            assert!(screen.uses(free[0]) && screen.is_flipping());
            let error = screen.flip(free[1]).expect_err("one is on its way");
            assert!(matches!(error, KmsError::Flipping), "{error}");
            let shown = screen.wait(PATIENCE).expect("it comes").expect("one was on its way");
            assert!(last.is_none_or(|last| shown.time > last), "{shown:?} follows {last:?}");
            assert!(!screen.is_flipping() && screen.uses(free[0]));
            last = Some(shown.time);
            stands_there(&screen, &info.driver, left, right);
        }
    }
}

#[test]
fn a_picture_that_is_still_drawn_comes_when_its_fence_ends() {
    let _alone = alone();
    let canvas = match VgemBuf::new(4096) {
        Ok(canvas) => canvas,
        Err(why) => {
            println!("SKIPPED: there is no driver vgem: {why}");
            return;
        }
    };
    for info in screens() {
        let Some(mut screen) = open(&info) else { continue };
        let buffers = [(); 2].map(|()| screen.create_buffer().expect("a buffer"));
        // The first picture sets the mode, and is waited for by this thread.
        fill(&buffers[0], RED, RED);
        let drawing = canvas.begin_writing();
        let fence = canvas.sync_file();
        assert!(drawing.finish());
        screen.flip_after(&buffers[0], fence.as_fd()).expect("it is drawn");
        screen.wait(PATIENCE).expect("it comes");
        let drawing = canvas.begin_writing();
        screen.flip_after(&buffers[1], canvas.sync_file().as_fd()).expect("the screen waits");
        let error = screen.wait(Duration::from_millis(300)).expect_err("it is not drawn yet");
        assert!(matches!(error, KmsError::Stalled { .. }), "{error}");
        stands_there(&screen, &info.driver, RED, RED);
        fill(&buffers[1], GREEN, BLUE);
        assert!(drawing.finish());
        screen.wait(PATIENCE).expect("it comes").expect("one was on its way");
        stands_there(&screen, &info.driver, GREEN, BLUE);
        let error = screen.flip_after(&buffers[0], std::io::stdin().as_fd()).expect_err("it is no fence");
        assert!(matches!(error, KmsError::Driver { .. }), "{error}");
        screen.flip(&buffers[0]).expect("another picture comes all the same");
        screen.wait(PATIENCE).expect("it comes");
    }
}

#[test]
fn a_screen_is_one_programs_at_a_time_and_free_again_afterwards() {
    let _alone = alone();
    let screens = screens();
    let Some(info) = screens.first() else { return };
    let Some(first) = open(info) else { return };
    let error = KmsScreen::open(&options(info)).expect_err("it is open");
    assert!(matches!(error, KmsError::InUse { .. }), "{error}");
    assert!(error.to_string().contains("text console"), "{error}");
    drop(first);
    let mut again = open(info).expect("it is free");
    let buffer = again.create_buffer().expect("a buffer");
    fill(&buffer, BLUE, BLUE);
    again.flip(&buffer).expect("on its way");
    again.wait(PATIENCE).expect("it comes");
    // What is dropped first does not matter.
    drop(again);
    drop(buffer);
    open(info).expect("it is free once more");
}

#[test]
fn what_is_not_there_is_refused_in_words_that_help() {
    let _alone = alone();
    let screens = screens();
    let Some(info) = screens.first() else { return };
    let refused = |options: KmsOptions| KmsScreen::open(&options).expect_err("there is no such thing");
    let error = refused(KmsOptions { connector: Some("HDMI-Z-9".to_owned()), ..options(info) });
    assert!(matches!(error, KmsError::NoConnector { .. }), "{error}");
    assert!(error.to_string().contains(&info.connector), "{error}");
    let error = refused(KmsOptions { card: Some(PathBuf::from("/dev/dri/card99")), ..options(info) });
    assert!(matches!(error, KmsError::NotFound { .. }), "{error}");
    for path in ["/dev/null", "/proc", "/dev/zero"] {
        let error = refused(KmsOptions { card: Some(PathBuf::from(path)), ..KmsOptions::default() });
        assert!(matches!(error, KmsError::NotACard { .. }), "{path}: {error}");
    }
    match KmsScreen::open(&KmsOptions { size: Some(Size::new(333, 7)), ..options(info) }) {
        Err(error @ KmsError::NoMode { .. }) => {
            let best = info.modes[0].size.to_string();
            assert!(error.to_string().contains(&best), "{error}");
        }
        Err(error @ KmsError::InUse { .. }) => println!("SKIPPED: {error}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn another_mode_is_set_if_the_screen_has_it() {
    let _alone = alone();
    for info in screens() {
        let Some(mode) = info.modes.iter().find(|mode| mode.size != info.modes[0].size) else { continue };
        let options =
            KmsOptions { size: Some(mode.size), rate: Some(mode.rate.round() as u32), ..options(&info) };
        let mut screen = match KmsScreen::open(&options) {
            Err(error @ KmsError::InUse { .. }) => {
                println!("SKIPPED: {error}");
                continue;
            }
            other => other.expect("it has that mode"),
        };
        assert_eq!(screen.mode().size, mode.size);
        let buffer = screen.create_buffer().expect("a buffer");
        assert_eq!(buffer.size(), mode.size);
        fill(&buffer, GREEN, BLUE);
        screen.flip(&buffer).expect("on its way");
        screen.wait(PATIENCE).expect("it comes");
        stands_there(&screen, &info.driver, GREEN, BLUE);
    }
}

/// A buffer of a screen's size that the host has, in colours.
fn foreign(size: Size, left: [u8; 3], right: [u8; 3]) -> std::io::Result<(UdmaBuf, usize)> {
    let row_pitch = size.width as usize * 4;
    let bytes = row_pitch * size.height as usize;
    let mut memory = UdmaBuf::new(bytes.next_multiple_of(4096))?;
    paint(&mut memory.bytes_mut()[..bytes], (row_pitch, size.width as usize), left, right);
    Ok((memory, row_pitch))
}

#[test]
fn buffers_of_others_are_shown_where_they_lie_or_refused() {
    let _alone = alone();
    for info in screens() {
        let Some(mut screen) = open(&info) else { continue };
        let size = screen.mode().size;
        let (memory, row_pitch) = match foreign(size, BLUE, GREEN) {
            Ok(made) => made,
            Err(why) => {
                println!("SKIPPED: no DMA-BUFs can be made: {why}");
                return;
            }
        };
        let descriptor = memory.descriptor();
        let buffer = || ScanoutBuffer {
            descriptor: descriptor.as_fd(),
            size,
            format: TextureFormat::Bgra8,
            modifier: 0,
            offset: 0,
            row_pitch: row_pitch as u64,
        };
        let shown = match screen.import(&buffer()) {
            Ok(shown) => shown,
            Err(error @ KmsError::BufferRefused { .. }) => {
                assert_eq!(info.driver, "virtio_gpu", "{error}");
                assert!(error.to_string().contains("copy into"), "{error}");
                // A card that refuses one is not gone.
                screen.create_buffer().expect("its own");
                continue;
            }
            Err(error) => panic!("{error}"),
        };
        let other = screen.import(&buffer()).expect("the same once more");
        drop(other);
        screen.flip(&shown).expect("on its way");
        screen.wait(PATIENCE).expect("it comes");
        stands_there(&screen, &info.driver, BLUE, GREEN);
        let error = shown.export().expect_err("it is not the card's");
        assert!(matches!(error, KmsError::Driver { .. }), "{error}");
        for lie in [
            ScanoutBuffer { size: Size::new(size.width, size.height * 2), ..buffer() },
            ScanoutBuffer { row_pitch: 16, ..buffer() },
            ScanoutBuffer { row_pitch: u64::MAX, ..buffer() },
            ScanoutBuffer { offset: 1 << 31, ..buffer() },
            ScanoutBuffer { format: TextureFormat::R8, ..buffer() },
            ScanoutBuffer { modifier: 0x0100_0000_0000_0002, ..buffer() },
        ] {
            let error = screen.import(&lie).expect_err("it is not like that");
            assert!(matches!(error, KmsError::BufferRefused { .. }), "{error}");
        }
        let file = std::fs::File::open("/dev/zero").expect("open");
        let error = screen.import(&ScanoutBuffer { descriptor: file.as_fd(), ..buffer() });
        assert!(matches!(error, Err(KmsError::BufferRefused { .. })), "{error:?}");
    }
}

#[test]
fn the_cards_own_buffers_are_handed_out_for_others_to_draw_into() {
    let _alone = alone();
    for info in screens() {
        let Some(mut screen) = open(&info) else { continue };
        let [first, second] = [(); 2].map(|()| screen.create_buffer().expect("a buffer"));
        fill(&first, RED, RED);
        fill(&second, RED, GREEN);
        let out = second.export().expect("handed out");
        assert_eq!((out.size, out.format, out.modifier), (screen.mode().size, TextureFormat::Bgra8, 0));
        assert!(out.row_pitch >= u64::from(out.size.width) * 4);
        assert!(screen.create_buffer().expect("another").size() == out.size);
        screen.flip(&first).expect("on its way");
        screen.wait(PATIENCE).expect("it comes");
        screen.flip(&second).expect("on its way");
        screen.wait(PATIENCE).expect("it comes");
        stands_there(&screen, &info.driver, RED, GREEN);
    }
}

/// Takes a driver away from its device, and gives it back when this ends.
struct Unbound {
    driver: PathBuf,
    device: String,
}

impl Unbound {
    fn new(card: &Path) -> std::io::Result<Self> {
        let name = card.file_name().expect("a node").to_string_lossy().into_owned();
        let device = std::fs::canonicalize(format!("/sys/class/drm/{name}/device"))?;
        let driver = std::fs::canonicalize(device.join("driver"))?;
        let device = device.file_name().expect("a device").to_string_lossy().into_owned();
        std::fs::write(driver.join("unbind"), &device)?;
        Ok(Self { driver, device })
    }
}

impl Drop for Unbound {
    fn drop(&mut self) {
        std::fs::write(self.driver.join("bind"), &self.device).expect("bound again");
    }
}

#[test]
fn a_card_that_goes_away_is_an_error_and_nothing_hangs() {
    let _alone = alone();
    let screens = screens();
    // Only a card that nobody needs.
    let Some(info) = of_driver(&screens, "cirrus") else { return };
    let Some(mut screen) = open(info) else { return };
    let buffers = [(); 2].map(|()| screen.create_buffer().expect("a buffer"));
    screen.flip(&buffers[0]).expect("on its way");
    screen.wait(PATIENCE).expect("it comes");
    let gone = match Unbound::new(&info.card) {
        Ok(gone) => gone,
        Err(why) => {
            println!("SKIPPED: the driver cannot be taken away: {why}");
            return;
        }
    };
    let error = screen.flip(&buffers[1]).expect_err("the card is gone");
    assert!(matches!(error, KmsError::Unplugged { .. }), "{error}");
    let error = screen.create_buffer().expect_err("the card is gone");
    assert!(matches!(error, KmsError::Unplugged { .. }), "{error}");
    drop(screen);
    drop(gone);
}
