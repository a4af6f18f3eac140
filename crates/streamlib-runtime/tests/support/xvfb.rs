//! An X server without a screen.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use crate::common::skip;

/// It ends with the test.
pub(crate) struct Server {
    process: Child,
    /// As `DISPLAY` says it.
    pub(crate) name: String,
}

impl Server {
    /// None, and a word about why, where there can be none.
    pub(crate) fn start(size: [u16; 2]) -> Option<Self> {
        let screen = format!("{}x{}x24", size[0], size[1]);
        let mut command = Command::new("Xvfb");
        command.args(["-displayfd", "1", "-screen", "0", &screen, "-nolisten", "tcp", "-noreset"]);
        let Ok(mut process) = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn() else {
            skip("Xvfb is not installed");
            return None;
        };
        let mut number = String::new();
        BufReader::new(process.stdout.take().expect("it is piped")).read_line(&mut number).expect("a number");
        assert!(!number.trim().is_empty(), "Xvfb does not start");
        Some(Self { process, name: format!(":{}", number.trim()) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _gone = self.process.kill();
        let _gone = self.process.wait();
    }
}
