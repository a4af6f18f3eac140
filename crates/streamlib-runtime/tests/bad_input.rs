//! Whatever is wrong with the input: exit code 2, a sentence that helps, and no file left behind.

mod common;

use std::path::Path;
use std::process::Command;

use common::{cannot_run, effect, fails_saying, files, streamlib, succeed};

/// Runs `play generate:bars` with one effect of this text and expects to fail.
fn refuses_effect(text: &str, parts: &[&str]) {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("bad.hlsl"), text).expect("written");
    let mut command = small(folder.path());
    fails_saying(command.args(["--effect", "bad.hlsl"]), parts);
    assert_eq!(files(folder.path()), ["bad.hlsl"], "something was left behind");
}

fn small(folder: &Path) -> Command {
    let mut command = streamlib(folder);
    command.args(["play", "generate:bars", "--size", "64x48", "--frames", "3", "-o", "out.mp4"]);
    command
}

#[test]
fn effects_that_are_wrong_are_refused_with_the_authors_line() {
    if cannot_run() {
        return;
    }
    let main = "float4 main(float2 uv : TEXCOORD) : SV_Target";
    refuses_effect(
        &format!("// a comment\n{main} {{\n  return nonsense;\n}}"),
        &["bad.hlsl:3:10", "nonsense"],
    );
    refuses_effect("float4 helper(float2 uv) { return 0; }", &["main"]);
    refuses_effect(
        &format!("float f(float x) {{ return x > 1 ? f(x - 1) : 1; }}\n{main} {{ return f(uv.x); }}"),
        &["recurs"],
    );
    refuses_effect(&format!("#include \"missing.hlsli\"\n{main} {{ return 1; }}"), &["missing.hlsli"]);
    refuses_effect(
        &format!("Texture2D mask;\n{main} {{ return tex2D(input, uv) * tex2D(mask, uv); }}"),
        &["input `mask` of node `bad` is not linked"],
    );
}

#[test]
fn parameters_that_do_not_fit_are_refused() {
    if cannot_run() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let text = "float gain <min = 0; max = 2;> = 1;\n\
                float4 main(float2 uv : TEXCOORD) : SV_Target { return tex2D(input, uv) * gain; }";
    std::fs::write(folder.path().join("gain.hlsl"), text).expect("written");
    let set = |setting: &str| {
        let mut command = small(folder.path());
        command.args(["--effect", "gain.hlsl", "--set", setting]);
        command
    };
    fails_saying(&mut set("gain.gian=1"), &["no parameter `gian`", "gain"]);
    fails_saying(&mut set("gain.gain=3"), &["outside 0..=2"]);
    fails_saying(&mut set("gain.gain=1,2"), &["takes 1 number"]);
    fails_saying(&mut set("gain.gain=much"), &["is not a value", "no variable `much`; there are time"]);
    fails_saying(&mut set("gain.gain=sin(time"), &["at character 9", "`)` is expected here, not the end"]);
    fails_saying(&mut set("gain.gain=time,time"), &["takes 1 number"]);
    fails_saying(&mut set("nobody.gain=1"), &["no effect `nobody`", "gain"]);
    assert_eq!(files(folder.path()), ["gain.hlsl"]);
    let graph = "[nodes.bars]\nsource = 'generate:bars'\n[nodes.gain]\neffect = 'gain.hlsl'\n\
                 inputs = { input = 'bars' }\nset = { gain = 'sine(time)' }\n\
                 [nodes.out]\nsink = 'out.mp4'\ninputs = { input = 'gain' }\n";
    std::fs::write(folder.path().join("gain.toml"), graph).expect("written");
    let parts =
        ["line 6", "parameter `gain`", "at character 1: there is no function `sine`; there are sin, cos"];
    fails_saying(streamlib(folder.path()).args(["run", "gain.toml"]), &parts);
}

#[test]
fn files_that_are_no_video_are_refused() {
    if cannot_run() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    succeed(small(folder.path()).args(["-q"]));
    let whole = std::fs::read(path("out.mp4")).expect("there");
    std::fs::remove_file(path("out.mp4")).expect("removed");
    std::fs::write(path("cut.mp4"), &whole[..whole.len() / 2]).expect("written");
    std::fs::write(path("text.mp4"), "this is no video").expect("written");
    std::fs::write(path("empty.mp4"), "").expect("written");
    let before = files(folder.path());
    for (input, part) in [
        ("cut.mp4", "cut.mp4"),
        ("text.mp4", "is not a video"),
        ("empty.mp4", "is empty"),
        ("nowhere.mp4", "nowhere.mp4"),
        ("generate:nothing", "there are: "),
    ] {
        let mut command = streamlib(folder.path());
        fails_saying(command.args(["play", input, "-o", "out.mp4"]), &[part]);
    }
    assert_eq!(files(folder.path()), before);
}

#[test]
fn outputs_that_cannot_be_written_are_refused() {
    if cannot_run() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let write = |output: &str| {
        let mut command = streamlib(folder.path());
        command.args(["play", "generate:bars", "--size", "64x48", "--frames", "3", "-o", output]);
        command
    };
    fails_saying(&mut write("no/such/folder/out.mp4"), &["no/such/folder/out.mp4"]);
    fails_saying(&mut write("out.xyz"), &[".mp4"]);
    fails_saying(&mut write("out.png"), &["second frame", "%"]);
    fails_saying(&mut write("/proc/out.mp4"), &["/proc/out.mp4"]);
    assert!(files(folder.path()).is_empty());
}

/// The largest file is limited, so that writing fails in the middle as it does when a disk is full.
#[test]
fn a_disk_that_fills_up_leaves_no_file() {
    if cannot_run() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let play =
        "trap '' XFSZ; ulimit -f 8; exec \"$0\" play generate:scene --size 320x240 --frames 30 -o \"$1\"";
    for output in ["out.mp4", "out.y4m", "out%03d.png"] {
        let mut command = Command::new("bash");
        command.current_dir(folder.path()).args(["-c", play, env!("CARGO_BIN_EXE_streamlib"), output]);
        fails_saying(&mut command, &["out"]);
        assert!(files(folder.path()).is_empty(), "{output} left {:?}", files(folder.path()));
    }
}

#[test]
fn a_machine_without_vulkan_or_dxc_is_told_what_to_install() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut no_vulkan = small(folder.path());
    no_vulkan.env("VK_ICD_FILENAMES", "/nonexistent.json").env("VK_DRIVER_FILES", "/nonexistent.json");
    if !cannot_run() {
        fails_saying(&mut no_vulkan, &["mesa-vulkan-drivers"]);
    }
    let mut no_dxc = small(folder.path());
    fails_saying(no_dxc.env("STREAMLIB_DXC", "/nonexistent.so"), &["/nonexistent.so", "./x setup"]);
    let mut doctor = streamlib(folder.path());
    fails_saying(doctor.args(["doctor"]).env("STREAMLIB_DXC", "/nonexistent.so"), &["cannot run"]);
    assert!(files(folder.path()).is_empty());
}

#[test]
fn graphs_that_cannot_run_are_refused_by_node_and_port() {
    if cannot_run() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let run = |text: &str, parts: &[&str]| {
        let head = "[nodes.cam]\nsource = 'generate:bars'\nsize = [64, 48]\nframes = 2\n";
        std::fs::write(folder.path().join("g.toml"), format!("{head}{text}")).expect("written");
        fails_saying(streamlib(folder.path()).args(["run", "g.toml"]), parts);
        assert_eq!(files(folder.path()), ["g.toml"]);
    };
    let sink = "[nodes.out]\nsink = 'o.mp4'\ninputs = { input = 'e' }\n";
    let sepia = effect("sepia");
    run("", &["no sink"]);
    run(sink, &["there is no node of that name"]);
    run(&format!("[nodes.e]\neffect = '{sepia}'\n{sink}"), &["input `input` of node `e` is not linked"]);
    run(
        &format!("[nodes.e]\neffect = '{sepia}'\ninputs = {{ input = 'e' }}\n{sink}"),
        &["e → e", "delay = 1"],
    );
    run(&format!("[nodes.e]\neffect = 'gone.hlsl'\ninputs = {{ input = 'cam' }}\n{sink}"), &["gone.hlsl"]);
    run("[nodes.e]\neffct = 'x'\n", &["unknown field `effct`"]);
    fails_saying(streamlib(folder.path()).args(["run", "gone.toml"]), &["gone.toml"]);
}

#[test]
fn arguments_that_make_no_sense_together_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let play = |args: &[&str]| {
        let mut command = streamlib(folder.path());
        command.args(["play", "generate:bars", "--size", "64x48"]).args(args);
        command
    };
    let file = ["-o", "out.y4m"];
    for (args, part) in [
        (&["--rate", "30"][..], "--live"),
        (&["--awake", "2ms"], "--live"),
        (&["--free"], "--live"),
        (&["--duration", "3s"], "--live"),
        (&["--live", "--rate", "30", "--free"], "cannot be used with"),
        (&["--stats", "--quiet"], "cannot be used with"),
        (&["--live", "--rate", "0"], "above 0"),
        (&["--live", "--duration", "30"], "unit"),
        (&["--watch"], "nothing to watch"),
    ] {
        fails_saying(play(&file).args(args), &[part]);
    }
    fails_saying(&mut play(&["-o", "app:", "--live"]), &["sink `output` is `app:`", "null:"]);
    let graph =
        "[nodes.in]\nsource = 'app:'\nsize = [8, 8]\n[nodes.out]\nsink = 'null:'\ninputs = { input = 'in' }";
    std::fs::write(folder.path().join("app.toml"), graph).expect("written");
    for extra in [&["--live"][..], &[]] {
        fails_saying(
            streamlib(folder.path()).args(["run", "app.toml"]).args(extra),
            &["source `in` is `app:`"],
        );
    }
    assert_eq!(files(folder.path()), ["app.toml"]);
}
