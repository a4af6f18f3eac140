//! What tests of windows share: a picture that says where it belongs, and the command at work.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Nothing here takes so long on anything that works.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);
/// Five colours that say where they belong: four quarters, and the bars.
pub(crate) const PAINT: &str = "float4 main(float2 uv : TEXCOORD) : SV_Target {
    return float4(uv.x < 0.5 ? 0.8 : 0.2, uv.y < 0.5 ? 0.4 : 0.6, 1, 1); }";
pub(crate) const BLACK: [u8; 3] = [0; 3];

/// Looks until there is something to see.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Result<T, String>) -> T {
    let deadline = Instant::now() + LIMIT;
    loop {
        match look() {
            Ok(seen) => return seen,
            Err(why) => assert!(Instant::now() < deadline, "{what}: {why}"),
        }
        std::thread::yield_now();
    }
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

/// The command at work; it ends with the test.
pub(crate) struct Running(pub(crate) Child);

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        command.args(["--live", "--duration", "300s"]).stderr(Stdio::piped()).stdout(Stdio::null());
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
    let status = process.0.wait().expect("it ends");
    assert!(status.success() && !said.contains("VUID") && !said.contains("panicked"), "{status}: {said}");
    said
}
