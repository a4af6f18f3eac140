//! Live graphs, run by the command as a user runs it.

mod common;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

use common::{cannot_run, fails_saying, files, has, json, streamlib, succeed, text};
use serde_json::Value;

/// The command at work. What it says on standard error is read line by line, so that a test waits for events and not for time;
/// each one is started with `--duration`, so that no test waits for ever.
struct Running {
    child: Child,
    stderr: BufReader<ChildStderr>,
    said: String,
}

impl Running {
    fn start(command: &mut Command) -> Self {
        command.args(["--duration", "60s"]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let stderr = BufReader::new(child.stderr.take().expect("it is piped"));
        Self { child, stderr, said: String::new() }
    }

    /// The next line that holds `part`.
    fn wait_for(&mut self, part: &str) -> String {
        loop {
            let mut line = String::new();
            let length = self.stderr.read_line(&mut line).expect("text");
            assert!(length > 0, "it never said `{part}`:\n{}", self.said);
            self.said.push_str(&line);
            if line.contains(part) {
                return line;
            }
        }
    }

    /// Presses Ctrl-C; gives the exit code, standard output, and all of standard error.
    fn interrupt(mut self) -> (Option<i32>, String, String) {
        succeed(Command::new("kill").args(["-INT", &self.child.id().to_string()]));
        self.stderr.read_to_string(&mut self.said).expect("text");
        let output = self.child.wait_with_output().expect("it ends");
        assert!(!self.said.contains("VUID") && !self.said.contains("panicked"), "{}", self.said);
        (output.status.code(), text(&output.stdout), self.said)
    }
}

/// The number after `word` in a line.
fn number_after(line: &str, word: &str) -> u64 {
    let after = line.split(word).nth(1).unwrap_or_else(|| panic!("no `{word}` in {line}"));
    let digits: String = after.trim_start().chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or_else(|_| panic!("no number after `{word}` in {line}"))
}

/// How many frames ffprobe decodes.
fn frames_in(path: &Path) -> usize {
    let entries =
        ["-v", "error", "-count_frames", "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0"];
    let out = succeed(Command::new("ffprobe").args(entries).arg(path));
    out.trim().trim_end_matches(',').parse().unwrap_or_else(|_| panic!("ffprobe says `{out}`"))
}

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).expect("written");
}

/// As editors save: beside the file, then over it.
fn save(folder: &Path, name: &str, text: &str) {
    let beside = format!(".{name}.tmp");
    write(folder, &beside, text);
    std::fs::rename(folder.join(beside), folder.join(name)).expect("renamed");
}

const SCENE: &str = "
    [nodes.scene]
    source = 'generate:scene'
    size = [160, 90]
    fps = 60";

/// The scene into a file that gets every frame.
fn into_file(out: &str) -> String {
    format!(
        "{SCENE}
        [nodes.out]
        sink = '{out}'
        inputs = {{ input = {{ from = 'scene', delivery = 'lossless', bound = 4 }} }}"
    )
}

#[test]
fn a_scene_runs_live_into_a_file_that_has_exactly_the_frames_that_were_asked_for() {
    if cannot_run() || !has("ffprobe") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), "scene.toml", &into_file("out.mp4"));
    let report =
        json(streamlib(folder.path()).args(["run", "scene.toml", "--live", "--frames", "25", "--json"]));
    assert_eq!(report["stats"]["frames"], 25);
    assert_eq!(report["sinks"][0]["frames"], 25);
    assert_eq!(report["failures"], Value::Array(vec![]));
    assert_eq!(frames_in(&folder.path().join("out.mp4")), 25);
    assert_eq!(files(folder.path()), ["out.mp4", "scene.toml"]);
}

#[test]
fn a_file_ends_a_live_play_which_prints_what_it_wrote_and_how_long_frames_took() {
    if cannot_run() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let make =
        ["play", "generate:bars", "--size", "64x48", "--fps", "50", "--frames", "10", "-o", "in.y4m", "-q"];
    succeed(streamlib(folder.path()).args(make));
    let said = succeed(streamlib(folder.path()).args(["play", "in.y4m", "-o", "out.y4m", "--live"]));
    // A busy machine may have been late for some; each of the file's ten was written, or counted as displaced.
    let row = said.lines().find_map(|line| line.strip_prefix("input ")).expect("the file's row");
    let counts: Vec<u32> = row.split_whitespace().map(|count| count.parse().expect("a number")).collect();
    let [10, written, _, displaced] = counts[..] else { panic!("{counts:?} in\n{said}") };
    assert!(written > 0 && written + displaced == 10, "{said}");
    for part in [format!("wrote out.y4m (64x48, {written} frame(s)"), format!("{written} frame(s) in ")] {
        assert!(said.contains(&part), "no `{part}` in\n{said}");
    }
    assert!(said.contains("latency") && said.contains("node "), "{said}");

    // Without a time to keep, each picture runs once, and all are written.
    let free = ["play", "in.y4m", "-o", "free.y4m", "--live", "--free"];
    let said = succeed(streamlib(folder.path()).args(free));
    for part in ["wrote free.y4m (64x48, 10 frame(s)", "10 frame(s) in ", "0 dropped"] {
        assert!(said.contains(part), "no `{part}` in\n{said}");
    }
    let pictures = |name| std::fs::read(folder.path().join(name)).expect("a file");
    succeed(streamlib(folder.path()).args(["play", "in.y4m", "-o", "offline.y4m"]));
    assert!(
        pictures("free.y4m") == pictures("offline.y4m"),
        "other pictures than offline, or in another order"
    );

    // At a rate of its own, a graph ends with its file as well.
    let said = succeed(
        streamlib(folder.path()).args(["play", "in.y4m", "-o", "rate.y4m", "--live", "--rate", "25"]),
    );
    assert!(said.contains("wrote rate.y4m (64x48, "), "{said}");
}

#[test]
fn ctrl_c_in_the_middle_leaves_a_playable_file() {
    if cannot_run() || !has("ffprobe") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), "scene.toml", &into_file("out.mp4"));
    let mut running =
        Running::start(streamlib(folder.path()).args(["run", "scene.toml", "--stats", "--json"]));
    running.wait_for("frames/s, latency in ms");
    // The first line is of the start; by the second one, a second of frames has gone through.
    running.wait_for(" fps ");
    running.wait_for(" fps ");
    let (code, report, said) = running.interrupt();
    assert_eq!(code, Some(0), "{said}");
    let report: Value = serde_json::from_str(&report).expect("standard output is JSON");
    let frames = report["sinks"][0]["frames"].as_u64().expect("a number");
    assert!(frames > 0 && report["stats"]["frames"] == frames, "{report}");
    assert_eq!(frames_in(&folder.path().join("out.mp4")) as u64, frames);
    assert_eq!(files(folder.path()), ["out.mp4", "scene.toml"]);
}

/// An effect that fills every pixel.
fn fill(color: &str) -> String {
    format!(
        "#include \"level.hlsli\"\nfloat level = 1;\nfloat4 main(float2 uv : TEXCOORD) : SV_Target {{\n\
         return {color} * tex2D(input, uv).a; }}"
    )
}

/// Waits until a frame of a picture sequence is written, which is hidden until the sequence is whole.
fn wait_for_picture(folder: &Path, frame: u64, running: &mut Running) {
    let hidden = format!(".out-{frame:05}.png.");
    while !files(folder).iter().any(|name| name.starts_with(&hidden)) {
        assert!(running.child.try_wait().expect("a status").is_none(), "it ended before frame {frame}");
        std::thread::yield_now();
    }
}

#[test]
fn what_is_watched_is_reloaded_when_it_is_good_and_frames_go_on_when_it_is_not() {
    if cannot_run() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let graph = format!(
        "{SCENE}
        [nodes.fill]
        effect = 'fill.hlsl'
        inputs = {{ input = 'scene' }}
        [nodes.out]
        sink = 'out-%05d.png'
        inputs = {{ input = {{ from = 'fill', delivery = 'lossless', bound = 4 }} }}"
    );
    write(folder, "graph.toml", &graph.replace("160, 90", "16, 8").replace("fps = 60", "fps = 20"));
    write(folder, "level.hlsli", "#define LEVEL level");
    write(folder, "fill.hlsl", &fill("float4(LEVEL, 0, 0, 1)"));
    let watch =
        ["run", "graph.toml", "--watch", "--set", "fill.level=0.5", "--trace", "trace.json", "--json"];
    let mut running = Running::start(streamlib(folder).args(watch));
    running.wait_for("running graph.toml live");

    save(folder, "fill.hlsl", &fill("float4(0, LEVEL, 0, 1)"));
    let first = number_after(&running.wait_for("reloaded fill in "), ", frame");
    wait_for_picture(folder, first, &mut running);
    save(folder, "fill.hlsl", &fill("nonsense"));
    running.wait_for("bad  fill.hlsl");
    running.wait_for("nonsense");
    running.wait_for("fill.hlsl:4:8");
    running.wait_for("what ran before runs on");
    save(folder, "fill.hlsl", &fill("float4(0, 0, LEVEL, 1)"));
    let second = number_after(&running.wait_for("reloaded fill in "), ", frame");
    assert!(second > first, "no frame ran from {first} to {second}");
    wait_for_picture(folder, second, &mut running);

    std::fs::remove_file(folder.join("fill.hlsl")).expect("removed");
    let said = running.wait_for("error: ");
    assert!(said.contains("effect `fill`") && said.contains("fill.hlsl"), "{said}");
    write(folder, "fill.hlsl", &fill("float4(0, 0, LEVEL, 1)"));
    running.wait_for("reloaded fill in ");
    // An included file, written in place; then the graph itself.
    write(folder, "level.hlsli", "#define LEVEL (level * 0.5)");
    running.wait_for("reloaded fill in ");
    write(folder, "graph.toml", "[nodes.fill]\neffect = 7");
    running.wait_for("bad  graph.toml");
    running.wait_for("what ran before runs on");
    let with_tail = graph
        .replace("'fill', ", "'tail', ")
        .replace("160, 90", "16, 8")
        .replace("fps = 60", "fps = 20")
        + "\n[nodes.tail]\nhlsl = 'float4 main(float2 uv : TEXCOORD) : SV_Target { return 1 - tex2D(input, uv); }'\ninputs = { input = 'fill' }";
    save(folder, "graph.toml", &with_tail);
    let third = number_after(&running.wait_for("reloaded out, tail in "), ", frame");
    wait_for_picture(folder, third, &mut running);

    let (code, report, said) = running.interrupt();
    assert_eq!(code, Some(0), "{said}");
    let report: Value = serde_json::from_str(&report).expect("standard output is JSON");
    let frames = report["stats"]["frames"].as_u64().expect("a number");
    assert!(frames > third, "no frame of the last plan ran");
    assert_eq!(report["sinks"][0]["frames"], frames, "a frame was lost: {report}");
    let color = |frame: u64| {
        let path = folder.join(format!("out-{frame:05}.png"));
        image::open(path).expect("a picture").to_rgb8().get_pixel(3, 3).0
    };
    assert_eq!(color(first), [0, 128, 0], "what was set stays set");
    assert_eq!(color(second), [0, 0, 128]);
    assert_eq!(color(third), [255, 255, 191]);
    assert_eq!(color(frames - 1), [255, 255, 191]);
    check_trace(
        &folder.join("trace.json"),
        frames,
        &["graph, plan 2", "graph, plan 3", "graph, plan 4", "graph, plan 5", "graph, plan 6"],
    );
}

/// Every frame leads from its capture to its delivery, and swaps are told in order.
fn check_trace(path: &Path, frames: u64, swaps: &[&str]) {
    let text = std::fs::read_to_string(path).expect("the trace is there");
    let events: Vec<Value> = serde_json::from_str(&text).expect("the trace is JSON");
    let numbers = |name: &str| -> BTreeSet<u64> {
        let slices = events.iter().filter(|event| event["ph"] == "X" && event["name"] == name);
        slices.map(|slice| slice["args"]["frame"].as_u64().expect("a frame")).collect()
    };
    let all: BTreeSet<u64> = (0..frames).collect();
    assert_eq!(numbers("capture"), all);
    assert_eq!(numbers("deliver"), all);
    let arrows = |phase: &str| events.iter().filter(|event| event["ph"] == phase).count() as u64;
    assert_eq!((arrows("s"), arrows("f")), (frames, frames));
    let told = events.iter().filter(|event| event["name"] == "plan swapped");
    assert_eq!(told.map(|swap| swap["args"]["name"].as_str().expect("a name")).collect::<Vec<_>>(), swaps);
}

#[test]
fn a_trace_names_passes_and_queues_and_a_trace_that_cannot_be_written_is_refused() {
    if cannot_run() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let graph = into_file("out.y4m");
    write(folder, "scene.toml", &graph);
    let run = |trace: &str| {
        let mut command = streamlib(folder);
        command.args(["run", "scene.toml", "--frames", "12", "--free", "--json", "--trace", trace]);
        command
    };
    fails_saying(
        &mut run("no/such/trace.json"),
        &["cannot write the trace no/such/trace.json", "choose a file"],
    );
    assert_eq!(files(folder), ["scene.toml"], "something was left behind");
    assert_eq!(json(&mut run("trace.json"))["stats"]["frames"], 12);
    check_trace(&folder.join("trace.json"), 12, &[]);
    let events: Vec<Value> =
        serde_json::from_slice(&std::fs::read(folder.join("trace.json")).expect("there")).expect("JSON");
    assert!(events.iter().any(|event| event["ph"] == "C" && event["name"] == "waiting for out"));
    if events.iter().any(|event| event["name"] == "wait for the GPU") {
        let passes = events.iter().filter(|event| event["ph"] == "X" && event["name"] == "scene");
        assert_eq!(passes.count(), 12);
    }
}

#[test]
fn a_sink_that_fails_is_named_and_the_graph_goes_on_and_the_command_fails() {
    if cannot_run() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let graph = into_file("out.y4m") + "\n[nodes.count]\nsink = 'null:'\ninputs = { input = 'scene' }";
    write(folder.path(), "two.toml", &graph);
    let run = "trap '' XFSZ; ulimit -f 8; exec \"$0\" run two.toml --live --frames 40 --json";
    let mut command = Command::new("bash");
    command.current_dir(folder.path()).args(["-c", run, env!("CARGO_BIN_EXE_streamlib")]);
    let output = command.output().expect("it starts");
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("error: sink `out` died: "), "{said}");
    let report: Value = serde_json::from_slice(&output.stdout).expect("standard output is JSON");
    assert_eq!(report["stats"]["frames"], 40);
    let nodes = report["stats"]["nodes"].as_array().expect("a list");
    let count = nodes.iter().find(|node| node["name"] == "count").expect("counted");
    assert_eq!(count["frames_out"], 40);
    assert_eq!(files(folder.path()), ["two.toml"]);
}

#[test]
fn a_source_that_dies_is_named_and_the_others_go_on() {
    if cannot_run() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let make = ["play", "generate:bars", "--size", "160x90", "--frames", "3", "-o", "slow.y4m", "-q"];
    succeed(streamlib(folder).args(make));
    let whole = std::fs::read(folder.join("slow.y4m")).expect("there");
    std::fs::write(folder.join("slow.y4m"), &whole[..whole.len() - 1000]).expect("cut");
    let graph = format!(
        "clock = 'scene'
        {SCENE}
        [nodes.slow]
        source = 'slow.y4m'
        [nodes.both]
        effect = '{}'
        inputs = {{ input = 'scene', overlay = 'slow' }}
        [nodes.out]
        sink = 'out-%05d.png'
        inputs = {{ input = {{ from = 'both', delivery = 'lossless', bound = 4 }} }}",
        common::effect("mix")
    );
    write(folder, "two.toml", &graph);
    let mut running = Running::start(streamlib(folder).args(["run", "two.toml", "--watch", "--json"]));
    running.wait_for("error: source `slow` died: ");
    // A plan takes over at a frame, so frames go on if one does.
    save(
        folder,
        "two.toml",
        &graph.replace("source = 'slow.y4m'", "source = 'generate:bars'\nsize = [160, 90]"),
    );
    let frame = number_after(&running.wait_for("reloaded slow in "), ", frame");
    wait_for_picture(folder, frame, &mut running);
    let (code, report, said) = running.interrupt();
    assert_eq!(code, Some(2), "{said}");
    let report: Value = serde_json::from_str(&report).expect("standard output is JSON");
    assert_eq!(report["failures"].as_array().map(Vec::len), Some(1), "{report}");
    assert!(report["stats"]["frames"].as_u64() > Some(frame), "frames did not go on: {report}");
}
