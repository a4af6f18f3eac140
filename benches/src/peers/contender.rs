//! Who takes part, and how each is started.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::PeersArgs;

/// Ours, in results and pages.
pub(crate) const OURS: &str = "streamlib";

/// A program that takes a request and writes an answer.
#[derive(Clone, Debug)]
pub(crate) struct Contender {
    pub(crate) name: String,
    program: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(&'static str, String)>,
}

impl Contender {
    pub(crate) fn new(name: &str, program: impl Into<PathBuf>, arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        Self { name: name.to_owned(), program: program.into(), arguments, environment: Vec::new() }
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.environment.push((name, value.to_owned()));
        self
    }

    /// The command, to which request and answer are to be added.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).envs(self.environment.iter().map(|(name, value)| (name, value)));
        // The peers' folder is part of the source tree, which a run leaves as it is.
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }
}

/// Everybody, ours first. `is_cpu`: the device is a CPU, so that OpenGL is to be one as well.
pub(crate) fn all(args: &PeersArgs, own_program: &Path, is_cpu: bool) -> Vec<Contender> {
    let script = |name: &str| args.peers.join(format!("peer_{name}.py")).to_string_lossy().into_owned();
    let python = |name: &str| Contender::new(name, &args.peers_python, &[&script(name)]);
    let software = |contender: Contender| {
        if is_cpu { contender.with("LIBGL_ALWAYS_SOFTWARE", "1") } else { contender }
    };
    let gstreamer_python = args.gstreamer_python.to_string_lossy().into_owned();
    let gstreamer = Contender::new("gstreamer", "xvfb-run", &["-a", &gstreamer_python, &script("gstreamer")])
        .with("GST_GL_PLATFORM", "egl")
        .with("GST_GL_API", "gles2");
    // Holoscan asks for a bigger stack than shells give.
    let with_stack = "ulimit -s 32768; exec \"$@\"";
    let peers_python = args.peers_python.to_string_lossy().into_owned();
    let holoscan =
        Contender::new("holoscan", "sh", &["-c", with_stack, "sh", &peers_python, &script("holoscan")]);
    vec![
        Contender::new(OURS, own_program, &["case"]),
        python("wgpu"),
        software(python("moderngl")),
        python("opencv"),
        software(gstreamer),
        python("torch"),
        python("cupy"),
        holoscan,
    ]
}
