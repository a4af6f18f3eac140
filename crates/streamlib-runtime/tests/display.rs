//! Windows, on an X server of the test's own, looked at from outside: by what stands on its screen.

mod common;
#[path = "support/windows.rs"]
mod windows;
#[path = "support/xvfb.rs"]
mod xvfb;

use std::path::Path;
use std::process::Command;

use common::{cannot_run, fails_saying, skip, streamlib, text};
use windows::{PAINT, Running, ends, ends_without_two, outlives_its_window, quarter, until};
use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{
    AtomEnum, ClientMessageEvent, ConfigureWindowAux, ConnectionExt as _, EventMask, ImageFormat, Window,
};
use x11rb::rust_connection::RustConnection;
use xvfb::Server;

/// An X server of the test's own. None, and a word about why, where there can be none or the device shows nothing on it.
fn start() -> Option<Server> {
    let server = Server::start([640, 480])?;
    let folder = tempfile::tempdir().expect("a folder");
    let one = ["play", "generate:bars", "--size", "16x16", "--frames", "1", "-o", "display:", "--live"];
    let tried = server.streamlib(folder.path()).args(one).output().expect("it starts");
    let said = text(&tried.stderr);
    if said.contains("cannot show frames in the window") {
        skip(&format!("no windows on Xvfb with this device: {said}"));
        return None;
    }
    assert!(tried.status.success(), "{said}");
    Some(server)
}

impl Server {
    /// The command, whose windows are on this server.
    fn streamlib(&self, folder: &Path) -> Command {
        let mut command = streamlib(folder);
        command.env("DISPLAY", &self.name).env_remove("WAYLAND_DISPLAY").env_remove("WAYLAND_SOCKET");
        command
    }
}

/// A window of another program, as others see it.
struct Seen {
    server: RustConnection,
    window: Window,
}

impl Seen {
    /// The window with that title.
    fn find(server: &Server, title: &str) -> Self {
        Self::find_by(server, |found| found == title)
    }

    /// The window whose title is as wanted.
    fn find_by(server: &Server, is_wanted: impl Fn(&str) -> bool) -> Self {
        let (connection, screen) = x11rb::connect(Some(&server.name)).expect("a connection");
        let root = connection.setup().roots[screen].root;
        let window = until("a window", || {
            let children = connection.query_tree(root).expect("sent").reply().expect("a tree").children;
            let is_it = |window: &Window| {
                let name = connection.get_property(false, *window, AtomEnum::WM_NAME, AtomEnum::ANY, 0, 1024);
                name.expect("sent").reply().is_ok_and(|name| is_wanted(&text(&name.value)))
            };
            children.into_iter().find(is_it).ok_or_else(|| "none has that title".to_owned())
        });
        Self { server: connection, window }
    }

    /// Size and pixels, row by row, at this moment.
    fn look(&self) -> Result<([u16; 2], Vec<[u8; 3]>), String> {
        let size = self.server.get_geometry(self.window).map_err(|e| e.to_string())?;
        let size = size.reply().map_err(|error| error.to_string())?;
        let (width, height) = (size.width, size.height);
        let image = self.server.get_image(ImageFormat::Z_PIXMAP, self.window, 0, 0, width, height, !0);
        let image = image.map_err(|e| e.to_string())?.reply().map_err(|error| error.to_string())?;
        Ok(([width, height], image.data.chunks_exact(4).map(|bgrx| [bgrx[2], bgrx[1], bgrx[0]]).collect()))
    }

    /// Waits until the window shows the four quarters in the area that begins at `from` and ends before `to`, and nothing around.
    fn shows(&self, size: [u16; 2], from: [u16; 2], to: [u16; 2]) {
        until("the picture", || {
            let (found, pixels) = self.look()?;
            if found != size {
                return Err(format!("the window has a size of {found:?}"));
            }
            for (place, pixel) in pixels.iter().enumerate() {
                let at = [place % usize::from(size[0]), place / usize::from(size[0])].map(|side| side as u16);
                let Some(wanted) = quarter(at, from, to) else { continue };
                let is_near = wanted.iter().zip(pixel).all(|(a, b)| a.abs_diff(*b) <= 1);
                if !is_near {
                    return Err(format!("at {at:?} stands {pixel:?}, not {wanted:?}"));
                }
            }
            Ok(())
        });
    }

    /// Gives the window another size, as its user would.
    fn resize(&self, width: u32, height: u32) {
        let size = ConfigureWindowAux::new().width(width).height(height);
        self.server.configure_window(self.window, &size).expect("sent");
        self.server.flush().expect("sent");
    }

    /// Moves it to the right: the server keeps no pixels that another window covers.
    fn move_to(&self, x: i32) {
        self.server.configure_window(self.window, &ConfigureWindowAux::new().x(x)).expect("sent");
        self.server.flush().expect("sent");
    }

    /// Presses the button that closes it.
    fn close(&self) {
        let atom = |name: &str| {
            let reply = self.server.intern_atom(false, name.as_bytes()).expect("sent").reply();
            reply.expect("an atom").atom
        };
        let (protocols, delete) = (atom("WM_PROTOCOLS"), atom("WM_DELETE_WINDOW"));
        let message = ClientMessageEvent::new(32, self.window, protocols, [delete, 0, 0, 0, 0]);
        self.server.send_event(false, self.window, EventMask::NO_EVENT, message).expect("sent");
        self.server.flush().expect("sent");
    }
}

#[test]
fn a_window_shows_the_frames_at_any_size_and_the_command_ends_when_it_is_closed() {
    if cannot_run() {
        return;
    }
    let Some(server) = start() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("paint.hlsl"), PAINT).expect("written");
    let sink = "display:?title=quarters&width=160&height=160";
    let mut command = server.streamlib(folder.path());
    let process = Running::start(command.args(["play", "paint.hlsl", "--size", "80x40", "-o", sink]));
    let seen = Seen::find(&server, "quarters");
    seen.shows([160, 160], [0, 40], [160, 120]);
    for (width, height, from, to) in
        [(320, 80, [80, 0], [240, 80]), (100, 300, [0, 125], [100, 175]), (400, 200, [0, 0], [400, 200])]
    {
        seen.resize(width, height);
        seen.shows([width as u16, height as u16], from, to);
    }
    // Sizes that follow each other fast, as when an edge is dragged.
    for step in 0..40 {
        seen.resize(100 + 5 * step, 100 + 3 * step);
    }
    seen.resize(160, 80);
    seen.shows([160, 80], [0, 0], [160, 80]);
    seen.close();
    assert!(ends(process).contains("the window of sink `output` was closed"));
}

#[test]
fn a_window_tells_its_rate_in_its_title_when_it_is_asked_to() {
    if cannot_run() {
        return;
    }
    let Some(server) = start() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let sink = "display:?title=Kitchen%00&fps=on";
    let mut command = server.streamlib(folder.path());
    let process = Running::start(command.args(["play", "generate:bars", "--size", "32x32", "-o", sink]));
    let rate = |title: &str| title.strip_prefix("Kitchen, ")?.strip_suffix(" fps")?.parse::<u32>().ok();
    let seen = Seen::find_by(&server, |title| rate(title).is_some_and(|rate| rate > 0));
    seen.close();
    ends(process);
}

/// What stands at a place.
type Pixels<'a> = dyn Fn(usize, usize) -> [u8; 3] + 'a;

#[test]
fn numbers_are_drawn_over_the_frames_by_an_effect_that_ships_or_by_ones_own() {
    if cannot_run() {
        return;
    }
    let Some(server) = start() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("paint.hlsl"), PAINT).expect("written");
    let mine = "float frame_rate; uint dropped; float4 main(float2 uv : TEXCOORD) : SV_Target {
        return frame_rate > 0 && dropped < 1000000 ? float4(0, 1, 0, 1) : tex2D(input, uv); }";
    std::fs::write(folder.path().join("mine.hlsl"), mine).expect("written");
    let shown = |sink: &str, is_it: &dyn Fn(&Pixels<'_>) -> Result<(), String>| {
        let mut command = server.streamlib(folder.path());
        let process = Running::start(command.args(["play", "paint.hlsl", "--size", "480x480", "-o", sink]));
        let seen = Seen::find(&server, "counted");
        until("the numbers", || {
            let ([width, _], pixels) = seen.look()?;
            is_it(&|x, y| pixels.get(y * usize::from(width) + x).copied().unwrap_or_default())
        });
        seen.close();
        ends(process);
    };
    shown("display:?title=counted&width=480&stats=on", &|at| {
        // Dots of 2 by 2 pixels; the panel begins at the second, and the text two later.
        let dots = |column: usize| {
            let dot = move |bit: usize| at(8 + 8 * column + 2 * (bit % 3), 8 + 2 * (bit / 3)) == [255; 3];
            (0..15).fold(0, |dots, bit| dots << 1 | u16::from(dot(bit)))
        };
        let (panel, beside, label) = (at(5, 5), at(470, 10), [0, 1, 2].map(dots));
        // FPS, and a number before the point that is not 0.
        let is_label = label == [0x79e4, 0x7be4, 0x79cf];
        let is_above_zero = dots(8) != 0 || dots(9) != 0x7b6f;
        if panel == [71, 36, 89] && beside == [51, 102, 255] && is_label && is_above_zero {
            Ok(())
        } else {
            Err(format!(
                "{panel:?} on the panel, {beside:?} beside it, {label:x?}, {:x} {:x}",
                dots(8),
                dots(9)
            ))
        }
    });
    shown("display:?title=counted&width=480&stats=mine.hlsl", &|at| {
        if at(10, 10) == [0, 255, 0] { Ok(()) } else { Err(format!("{:?}", at(10, 10))) }
    });
}

#[test]
fn a_window_that_is_closed_ends_alone() {
    if cannot_run() {
        return;
    }
    let Some(server) = start() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("paint.hlsl"), PAINT).expect("written");
    let sink =
        |name: &str, uri: &str| format!("[nodes.{name}]\nsink = '{uri}'\ninputs = {{ input = 'paint' }}\n");
    let graph = format!(
        "[nodes.paint]\neffect = 'paint.hlsl'\nsize = [64, 48]\n{}{}{}",
        sink("one", "display:?title=one&scale=stretch&width=200&height=100"),
        sink("two", "display:?title=two&scale=fill&width=96&height=96&vsync=off"),
        sink("file", "out.y4m"),
    );
    std::fs::write(folder.path().join("paint.toml"), graph).expect("written");
    let process = Running::start(server.streamlib(folder.path()).args(["run", "paint.toml"]));
    let (one, two) = (Seen::find(&server, "one"), Seen::find(&server, "two"));
    two.move_to(400);
    one.shows([200, 100], [0, 0], [200, 100]);
    two.shows([96, 96], [0, 0], [96, 96]);
    two.close();
    until("the end of the window", || {
        let there = two.server.get_geometry(two.window).expect("sent").reply();
        there.map_or(Ok(()), |_| Err("it is still there".to_owned()))
    });
    one.shows([200, 100], [0, 0], [200, 100]);
    one.resize(300, 100);
    one.shows([300, 100], [0, 0], [300, 100]);
    ends_without_two(process, folder.path());
}

#[test]
fn a_window_system_that_goes_away_ends_its_windows_alone() {
    if cannot_run() {
        return;
    }
    let Some(server) = start() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("paint.hlsl"), PAINT).expect("written");
    let graph = "[nodes.paint]\neffect = 'paint.hlsl'\nsize = [64, 48]\n\
                 [nodes.window]\nsink = 'display:?title=lost&width=80&height=60'\ninputs = { input = 'paint' }\n\
                 [nodes.file]\nsink = 'out.y4m'\ninputs = { input = 'paint' }\n";
    std::fs::write(folder.path().join("paint.toml"), graph).expect("written");
    let process = Running::start(server.streamlib(folder.path()).args(["run", "paint.toml"]));
    Seen::find(&server, "lost").shows([80, 60], [0, 0], [80, 60]);
    drop(server);
    outlives_its_window(process);
    assert!(std::fs::metadata(folder.path().join("out.y4m")).expect("a whole file").len() > 1000);
}

#[test]
fn windows_that_cannot_be_are_refused_with_the_next_step() {
    if cannot_run() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let play = |sink: &str, more: &[&str]| {
        let mut command = streamlib(folder.path());
        command.args(["play", "generate:bars", "--size", "32x32", "--frames", "2", "-o", sink]).args(more);
        for name in ["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"] {
            command.env_remove(name);
        }
        command
    };
    let parts =
        ["sink `output`: no window can be opened", "DISPLAY is set", "ssh -X", "write a file instead"];
    fails_saying(&mut play("display:", &["--live"]), &parts);
    let mut nobody = play("display:", &["--live"]);
    fails_saying(nobody.env("DISPLAY", ":2147"), &["no window can be opened", "X server"]);
    // It runs live by itself: a window shows frames as they come.
    fails_saying(&mut play("display:", &[]), &parts);
    fails_saying(&mut play("display:?scale=big", &["--live"]), &["`scale=big`", "fit, fill or stretch"]);
}
