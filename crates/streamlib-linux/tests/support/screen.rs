//! What stands on a screen of the device machine (`devices/host.py`), for tests that put something there.

use std::fs::OpenOptions;
use std::io::{BufRead as _, BufReader, ErrorKind, Write as _};

/// The port that the machine's host listens at.
const PORT: &str = "/dev/virtio-ports/host.ctl";

/// RGB of the pixels at `places` (x, y; below zero counts from the right or the bottom) on the screen of `head`, which is
/// `gpu0` (driver virtio_gpu) or `cirrus0` (driver cirrus). `None` where no host can look at a screen.
///
/// # Panics
///
/// When the host has no such head, or the screen no such pixel.
pub(crate) fn pixels(head: &str, places: &[(i32, i32)]) -> Option<Vec<[u8; 3]>> {
    let places: String = places.iter().map(|(x, y)| format!(" {x},{y}")).collect();
    let answer = ask(&format!("pixels {head}{places}"))?;
    let pixel = |word: &str| {
        let code = u32::from_str_radix(word, 16).unwrap_or_else(|_| panic!("the host answered: {answer}"));
        let [_, rgb @ ..] = code.to_be_bytes();
        rgb
    };
    Some(answer.split_whitespace().map(pixel).collect())
}

/// Lets the host keep the picture on the screen of `head`, as `out/devices/NAME.ppm`; nothing where no host can.
#[allow(dead_code, reason = "not every test that looks at a screen keeps what it saw")]
pub(crate) fn keep(name: &str, head: &str) {
    let answer = ask(&format!("shot {name} {head}"));
    assert!(answer.is_none_or(|answer| answer == "ok"), "the host could not keep the picture");
}

/// The host's answer to `request`. The port has one user at a time.
fn ask(request: &str) -> Option<String> {
    let turn = crate::turn::host();
    let mut port = match OpenOptions::new().read(true).write(true).open(PORT) {
        Ok(port) => port,
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        Err(error) => panic!("{PORT}: {error}"),
    };
    writeln!(port, "{request}").expect("the host listens");
    let mut answer = String::new();
    BufReader::new(port).read_line(&mut answer).expect("the host answers");
    drop(turn);
    Some(answer.trim().to_owned())
}
