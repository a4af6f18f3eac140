//! Processes of a test: its own program, started again in a role.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::eventually;

/// What a process of the test is told in its environment.
pub(crate) const ROLE: &str = "STREAMLIB_TEST_ROLE";
pub(crate) const SURFACE: &str = "STREAMLIB_TEST_SURFACE";
pub(crate) const PROGRESS: &str = "STREAMLIB_TEST_PROGRESS";

/// A process in a role, which is killed at the latest when the test ends.
pub(crate) struct Actor {
    pub(crate) child: Child,
    pub(crate) role: &'static str,
    pub(crate) surface: String,
    pub(crate) progress: PathBuf,
    pub(crate) broker: PathBuf,
}

/// Starts `program`, which is this one, in a role.
pub(crate) fn command(program: &Path, role: &str, surface: &str, broker: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(["--exact", "role", "--nocapture", "--test-threads=1"]);
    command.env(ROLE, role).env(SURFACE, surface).env("STREAMLIB_BROKER", broker);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
}

impl Actor {
    pub(crate) fn start(role: &'static str, surface: &str, broker: &Path) -> Self {
        let directory = broker.parent().unwrap().join("progress");
        std::fs::create_dir_all(&directory).unwrap();
        let progress = (0..).map(|n| directory.join(n.to_string())).find(|path| !path.exists()).unwrap();
        std::fs::write(&progress, [0; 16]).unwrap();
        let program = std::env::current_exe().unwrap();
        let child = command(&program, role, surface, broker).env(PROGRESS, &progress).spawn().unwrap();
        Self { child, role, surface: surface.to_owned(), progress, broker: broker.to_owned() }
    }

    /// How far it has come, and how many files it has open.
    pub(crate) fn progress(&self) -> (u64, u64) {
        let mut numbers = [0; 16];
        File::open(&self.progress).unwrap().read_exact_at(&mut numbers, 0).unwrap();
        let (count, files) = numbers.split_first_chunk().unwrap();
        (u64::from_le_bytes(*count), u64::from_le_bytes(files.try_into().unwrap()))
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    pub(crate) fn kill(&mut self) {
        if let Some(status) = self.child.try_wait().unwrap() {
            panic!("{} of {} had ended by itself: {status}", self.role, self.surface);
        }
        self.child.kill().unwrap();
        let status: ExitStatus = self.child.wait().unwrap();
        assert_eq!(status.signal(), Some(9), "{} of {}: {status}", self.role, self.surface);
    }

    pub(crate) fn replace(&mut self) {
        self.kill();
        *self = Self::start(self.role, &self.surface, &self.broker);
    }

    /// Waits until it gets further than it is.
    pub(crate) fn gets_on(&mut self) {
        let before = self.progress().0;
        let what = format!("{} of {} gets on", self.role, self.surface);
        eventually(&what, || {
            assert!(self.child.try_wait().unwrap().is_none(), "{} of {} has ended", self.role, self.surface);
            self.progress().0 > before
        });
    }
}

impl Drop for Actor {
    fn drop(&mut self) {
        // It may have been killed already.
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}
