//! A window on an X server without a screen: every Vulkan call fails once, and nothing is left behind.
//!
//! The test runs itself once more, in a process that has the server in its environment.
#![allow(clippy::print_stdout, reason = "a skipped test says so")]

#[path = "conformance/steps.rs"]
mod steps;
mod support;

use std::ffi::CString;
use std::io::{BufRead, BufReader};
use std::num::NonZeroU32;
use std::process::{Command as Process, Stdio};
use std::ptr::NonNull;
use std::sync::Arc;
use std::time::{Duration, Instant};

use raw_window_handle::{
    DisplayHandle, HandleError, HasDisplayHandle, HasWindowHandle, RawDisplayHandle, RawWindowHandle,
    WindowHandle, XcbDisplayHandle, XcbWindowHandle,
};
use steps::LONG;
use streamlib_core::format::{Size, TextureFormat};
use streamlib_core::gpu::{Command, Gpu, TextureDesc};
use streamlib_vulkan::fault::{self, Fault};
use streamlib_vulkan::{Scaling, Screen, ScreenOptions, Texture, VulkanError, VulkanGpu};
use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{
    ConfigureWindowAux, ConnectionExt as _, CreateWindowAux, ImageFormat, WindowClass,
};
use x11rb::xcb_ffi::XCBConnection;

const SIZES: [Size; 2] = [Size::new(64, 48), Size::new(90, 40)];
/// Red, green, blue and alpha of the texture, and the bytes that the server has for it.
const COLOR: [f32; 4] = [1.0, 0.0, 0.2, 1.0];
const STORED: [u8; 3] = [51, 0, 255];

/// A window that is there for as long as this value.
struct XWindow {
    connection: XCBConnection,
    window: NonZeroU32,
}

impl XWindow {
    fn open() -> Arc<Self> {
        let name = CString::new(std::env::var("DISPLAY").expect("the parent has set it")).expect("text");
        let (connection, screen) = XCBConnection::connect(Some(&name)).expect("a connection");
        let window = connection.generate_id().expect("a number");
        let root = connection.setup().roots[screen].root;
        let (width, height) = (SIZES[0].width as u16, SIZES[0].height as u16);
        let class = WindowClass::INPUT_OUTPUT;
        let aux = CreateWindowAux::new();
        connection
            .create_window(0, window, root, 0, 0, width, height, 0, class, 0, &aux)
            .expect("sent")
            .check()
            .expect("a window");
        connection.map_window(window).expect("sent").check().expect("mapped");
        Arc::new(Self { connection, window: NonZeroU32::new(window).expect("a number") })
    }

    fn resize(&self, size: Size) {
        let aux = ConfigureWindowAux::new().width(size.width).height(size.height);
        self.connection.configure_window(self.window.get(), &aux).expect("sent").check().expect("resized");
    }

    /// Waits until the pixel in the middle has the texture's colour.
    fn shows(&self, size: Size) {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let (x, y) = ((size.width / 2) as i16, (size.height / 2) as i16);
            let image = self.connection.get_image(ImageFormat::Z_PIXMAP, self.window.get(), x, y, 1, 1, !0);
            let pixel = image.expect("sent").reply().expect("a pixel").data;
            if pixel[..3] == STORED {
                return;
            }
            assert!(Instant::now() < deadline, "{pixel:?}");
            std::thread::yield_now();
        }
    }
}

#[allow(unsafe_code, reason = "lends handles")]
impl HasWindowHandle for XWindow {
    fn window_handle(&self) -> Result<WindowHandle<'_>, HandleError> {
        // SAFETY: the window is there for as long as `self` is.
        Ok(unsafe { WindowHandle::borrow_raw(RawWindowHandle::Xcb(XcbWindowHandle::new(self.window))) })
    }
}

#[allow(unsafe_code, reason = "lends handles")]
impl HasDisplayHandle for XWindow {
    fn display_handle(&self) -> Result<DisplayHandle<'_>, HandleError> {
        let connection = NonNull::new(self.connection.get_raw_xcb_connection());
        let handle = XcbDisplayHandle::new(connection.map(NonNull::cast), 0);
        // SAFETY: the connection is there for as long as `self` is.
        Ok(unsafe { DisplayHandle::borrow_raw(RawDisplayHandle::Xcb(handle)) })
    }
}

/// Everything that a window takes, from opening the device to its other size.
fn play(window: &Arc<XWindow>, vsync: bool, mut look: impl FnMut(Size)) -> Result<(), VulkanError> {
    let gpu = support::open()?;
    let texture = filled(&gpu)?;
    window.resize(SIZES[0]);
    let options = ScreenOptions { scaling: Scaling::Fit, vsync };
    let mut screen: Screen<Arc<()>> = gpu.open_screen(window.clone(), options)?;
    let held = Arc::new(());
    assert!(!screen.show(&texture, held.clone(), Size::new(0, 40))?, "there is nothing to show in");
    for size in SIZES {
        window.resize(size);
        for _ in 0..3 {
            screen.make_room()?;
            screen.show(&texture, held.clone(), size)?;
            assert!(Arc::strong_count(&held) <= 3, "the screen holds two pictures");
        }
        screen.show_again(size)?;
        look(size);
    }
    drop(screen);
    assert_eq!(Arc::strong_count(&held), 1);
    assert_eq!(gpu.validation_messages(), 0, "the validation layer spoke");
    Ok(())
}

/// A texture of one colour.
fn filled(gpu: &VulkanGpu) -> Result<Texture, VulkanError> {
    let desc = TextureDesc { label: "shown", size: Size::new(16, 16), format: TextureFormat::Rgba8 };
    let texture = gpu.create_texture(&desc)?;
    let mut recording = gpu.record("fill", &[Command::Clear { texture: &texture, color: COLOR }])?;
    let done = gpu.submit_one(&mut recording)?;
    gpu.wait(done, LONG)?;
    Ok(texture)
}

#[test]
fn a_failure_of_any_call_for_a_window_leaves_nothing_behind() {
    const NAME: &str = "a_failure_of_any_call_for_a_window_leaves_nothing_behind";
    if std::env::var_os("STREAMLIB_WINDOW_TEST").is_some() {
        return fail_everything();
    }
    if support::gpu().is_none() {
        return;
    }
    let server = Process::new("Xvfb")
        .args(["-displayfd", "1", "-screen", "0", "320x240x24", "-nolisten", "tcp", "-noreset"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut server) = server else {
        println!("SKIPPED: Xvfb is not installed");
        return;
    };
    let mut number = String::new();
    BufReader::new(server.stdout.take().expect("it is piped")).read_line(&mut number).expect("a number");
    let again = Process::new(std::env::current_exe().expect("this program"))
        .args(["--exact", NAME, "--nocapture"])
        .env("STREAMLIB_WINDOW_TEST", "1")
        .env("DISPLAY", format!(":{}", number.trim()))
        .output();
    server.kill().expect("ended");
    server.wait().expect("ended");
    // Printed by itself it would be counted as a test program that has no result.
    let again = again.expect("it starts");
    let said = String::from_utf8_lossy(&again.stdout);
    said.lines().filter(|line| line.starts_with("SKIPPED: ")).for_each(|line| println!("{line}"));
    assert!(again.status.success(), "{said}\n{}", String::from_utf8_lossy(&again.stderr));
}

fn fail_everything() {
    let window = XWindow::open();
    if let Err(error @ VulkanError::Window { .. }) = play(&window, true, |_| ()) {
        println!("SKIPPED: no windows on Xvfb with this device: {error}");
        return;
    }
    for vsync in [true, false] {
        play(&window, vsync, |size| window.shows(size)).expect("nothing fails");
    }
    assert!(fault::live_handles().is_empty(), "{:?}", fault::live_handles());
    // What comes before the window is looked at in another test.
    fault::arm(usize::MAX);
    filled(&support::open().expect("a device")).expect("a texture");
    let before = fault::disarm();
    fault::arm(usize::MAX);
    play(&window, false, |_| ()).expect("nothing fails");
    let calls = fault::disarm();
    assert!(calls > before + 60, "the hook sees only {calls} calls");
    for kind in [Fault::OutOfDeviceMemory, Fault::DeviceLost] {
        for n in before..calls {
            fault::arm_with(n, kind);
            let result = play(&window, false, |_| ());
            fault::disarm();
            let live = fault::live_handles();
            assert!(live.is_empty(), "{kind:?} in call {n} ({result:?}) leaves {live:?}");
        }
    }
    play(&window, true, |size| window.shows(size)).expect("the next device works");
}
