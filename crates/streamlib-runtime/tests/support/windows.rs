//! What tests of windows share: a picture that says where it belongs, and the command at work.

#![allow(dead_code, reason = "every test file uses a part of it")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use image::RgbImage;
use serde_json::Value;

use crate::common::{text, wait_for};

/// Nothing here takes so long on anything that works.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);
/// Five colours that say where they belong: four quarters, and the bars.
pub(crate) const PAINT: &str = "float4 main(float2 uv : TEXCOORD) : SV_Target {
    return float4(uv.x < 0.5 ? 0.8 : 0.2, uv.y < 0.5 ? 0.4 : 0.6, 1, 1); }";
/// As the first, in other colours.
pub(crate) const OTHER: &str = "float4 main(float2 uv : TEXCOORD) : SV_Target {
    return float4(uv.x < 0.5 ? 0 : 0.4, 1, uv.y < 0.5 ? 0.2 : 0.8, 1); }";
pub(crate) const BLACK: [u8; 3] = [0; 3];

/// Looks until there is something to see.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Result<T, String>) -> T {
    let mut seen = None;
    wait_for(what, LIMIT, || look().map(|found| seen = Some(found)));
    seen.expect("it was waited for")
}

/// What has to stand at a place of a window that shows [`PAINT`] in the area that begins at `from` and ends before `to`; `None` where
/// quarters meet, and are mixed.
pub(crate) fn quarter(at: [u16; 2], from: [u16; 2], to: [u16; 2]) -> Option<[u8; 3]> {
    let mut half = [false; 2];
    for side in 0..2 {
        if at[side] < from[side] || at[side] >= to[side] {
            return Some(BLACK);
        }
        let middle = from[side] + (to[side] - from[side]) / 2;
        if at[side].abs_diff(middle) < 8 {
            return None;
        }
        half[side] = at[side] >= middle;
    }
    Some([if half[0] { 51 } else { 204 }, if half[1] { 153 } else { 102 }, 255])
}

/// A painter of [`PAINT`].
pub(crate) fn as_it_is(color: [u8; 3]) -> [u8; 3] {
    color
}

/// One of [`OTHER`]; bars stay.
pub(crate) fn other([r, g, b]: [u8; 3]) -> [u8; 3] {
    if b == 0 {
        return [r, g, b];
    }
    [if r == 204 { 0 } else { 102 }, 255, if g == 102 { 51 } else { 204 }]
}

/// Finds on a screen a window of that size that shows the four quarters, as `paint` has them, between two corners, and nothing around.
pub(crate) fn find(
    screen: &RgbImage,
    paint: impl Fn([u8; 3]) -> [u8; 3],
    size: [u16; 2],
    [from, to]: [[u16; 2]; 2],
) -> Result<(), String> {
    let wanted = |at| quarter(at, from, to).map(&paint);
    let is =
        |pixel: &image::Rgb<u8>, wanted: [u8; 3]| pixel.0.iter().zip(wanted).all(|(a, b)| a.abs_diff(b) <= 1);
    let corner = wanted([from[0] + 1, from[1] + 1]).expect("a quarter");
    let first = screen.enumerate_pixels().find(|(.., pixel)| is(pixel, corner));
    let Some((x, y, _)) = first else { return Err("there is none".to_owned()) };
    let origin = (x.checked_sub(from[0].into()), y.checked_sub(from[1].into()));
    let (Some(left), Some(top)) = origin else { return Err(format!("it begins at {x}, {y}")) };
    for at in (0..size[1]).flat_map(|y| (0..size[0]).map(move |x| [x, y])) {
        let Some(wanted) = wanted(at) else { continue };
        match screen.get_pixel_checked(left + u32::from(at[0]), top + u32::from(at[1])) {
            Some(pixel) if is(pixel, wanted) => {}
            other => return Err(format!("at {at:?} stands {other:?}, not {wanted:?}")),
        }
    }
    Ok(())
}

/// The command at work; it ends with the test.
pub(crate) struct Running(pub(crate) Child);

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        command.args(["--live", "--duration", "300s"]).stderr(Stdio::piped()).stdout(Stdio::null());
        Self(command.spawn().expect("it starts"))
    }

    /// It will report on its standard output.
    pub(crate) fn reporting(command: &mut Command) -> Self {
        command.args(["--live", "--duration", "300s", "--json"]);
        command.stderr(Stdio::piped()).stdout(Stdio::piped());
        Self(command.spawn().expect("it starts"))
    }

    /// As Ctrl-C does.
    pub(crate) fn interrupt(&self) {
        let sent = Command::new("kill").args(["-INT", &self.0.id().to_string()]).status();
        assert!(sent.expect("there is a kill").success(), "it still runs");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

/// Tells that its sink `window` is gone, runs on, and ends in order when it is told to.
pub(crate) fn outlives_its_window(mut process: Running) {
    let mut stderr = BufReader::new(process.0.stderr.take().expect("it is piped"));
    let (mut said, mut line) = (String::new(), String::new());
    // Which comes first: the window system's last word, or the driver's.
    while !said.contains("sink `window` died") && !said.contains("the window of sink `window` was closed") {
        line.clear();
        assert!(stderr.read_line(&mut line).expect("text") > 0, "it ended:\n{said}");
        said.push_str(&line);
    }
    process.interrupt();
    stderr.read_to_string(&mut said).expect("text");
    let code = process.0.wait().expect("it ends").code();
    assert!(matches!(code, Some(0 | 2)) && !said.contains("panicked"), "{code:?}: {said}");
}

/// Ends well, and gives what it said.
pub(crate) fn ends(mut process: Running) -> String {
    let mut said = String::new();
    process.0.stderr.take().expect("it is piped").read_to_string(&mut said).expect("text");
    ended_well(&mut process, &said);
    said
}

/// Ends well when it is told to; of its windows only that of the sink `two` had been closed, and its film `out.y4m` is whole.
pub(crate) fn ends_without_two(process: Running, folder: &Path) {
    process.interrupt();
    let said = ends(process);
    assert!(said.contains("the window of sink `two` was closed") && !said.contains("`one` was"), "{said}");
    let film = std::fs::read(folder.join("out.y4m")).expect("a whole file");
    assert!(text(&film[..60]).starts_with("YUV4MPEG2 W64 H48"), "{}", text(&film[..60]));
}

/// Ends well, and gives what it reported.
pub(crate) fn reports(mut process: Running) -> Value {
    let (mut report, mut said) = (String::new(), String::new());
    process.0.stdout.take().expect("it is piped").read_to_string(&mut report).expect("text");
    process.0.stderr.take().expect("it is piped").read_to_string(&mut said).expect("text");
    ended_well(&mut process, &said);
    serde_json::from_str(&report).expect("a report")
}

/// The account of the node of that name.
pub(crate) fn account<'a>(report: &'a Value, node: &str) -> &'a Value {
    let nodes = report["stats"]["nodes"].as_array().expect("nodes");
    nodes.iter().find(|found| found["name"] == node).expect("the node")
}

fn ended_well(process: &mut Running, said: &str) {
    let status = process.0.wait().expect("it ends");
    assert!(status.success() && !said.contains("VUID") && !said.contains("panicked"), "{status}: {said}");
}
