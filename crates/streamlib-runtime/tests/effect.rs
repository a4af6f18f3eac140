//! `streamlib effect` and the smaller subcommands.

mod common;

use std::process::Command;

use common::{cannot_run, effect, files, json, repository, skip, streamlib, succeed};

#[test]
fn a_hundred_effects_are_compiled_once_and_then_come_from_the_cache() {
    if cannot_run() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let names: Vec<String> = (0..100).map(|number| format!("e{number}.hlsl")).collect();
    for (number, name) in names.iter().enumerate() {
        let text = format!(
            "float gain = {number};\n\
             float4 main(float2 uv : TEXCOORD) : SV_Target {{ return tex2D(input, uv) * gain / {}; }}",
            number + 1
        );
        std::fs::write(folder.path().join(name), text).expect("written");
    }
    let check = |names: &mut dyn Iterator<Item = &String>| {
        let mut command = streamlib(folder.path());
        command
            .env("XDG_CACHE_HOME", folder.path().join("cache"))
            .args(["effect", "check", "--json"])
            .args(names);
        json(&mut command).as_array().expect("a list").clone()
    };
    let twice = check(&mut names.iter().chain(&names));
    assert!(twice.iter().all(|result| result["ok"] == true));
    assert!(twice[..100].iter().all(|result| result["cached"] == false));
    assert!(twice[100..].iter().all(|result| result["cached"] == true));
    let from_disk = check(&mut names.iter());
    assert!(from_disk.iter().all(|result| result["cached"] == true));
}

#[test]
fn diagnostics_are_data_when_asked_for() {
    if cannot_run() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("bad.hlsl"), "float4 main() : SV_Target {\n    return oops;\n}")
        .expect("written");
    let output =
        streamlib(folder.path()).args(["effect", "check", "bad.hlsl", "--json"]).output().expect("it starts");
    assert_eq!(output.status.code(), Some(2));
    let results: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let diagnostic = &results[0]["diagnostics"][0];
    assert_eq!((&diagnostic["line"], &diagnostic["column"]), (&2.into(), &12.into()));
    assert_eq!(diagnostic["severity"], "error");
    assert_eq!(diagnostic["excerpt"], "    return oops;");
}

#[test]
fn effects_are_translated_to_spirv_and_msl() {
    if cannot_run() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let sepia = effect("sepia");
    succeed(streamlib(folder.path()).args(["effect", "compile", &sepia, "-o", "a.spv"]));
    let spirv = std::fs::read(folder.path().join("a.spv")).expect("written");
    assert_eq!(&spirv[..4], &[0x03, 0x02, 0x23, 0x07]);
    match Command::new("spirv-val").arg(folder.path().join("a.spv")).status() {
        Ok(status) => assert!(status.success()),
        Err(_) => skip("spirv-val is not installed"),
    }
    for target in ["macos", "ios"] {
        let msl = ["effect", "compile", &sepia, "--emit", "msl", "--target", target, "-o", "-"];
        assert!(succeed(streamlib(folder.path()).args(msl)).contains("kernel void"));
    }
    assert_eq!(files(folder.path()), ["a.spv"]);
}

#[test]
fn inspection_lists_what_can_be_set() {
    if cannot_run() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let seen = json(streamlib(folder.path()).args(["effect", "inspect", &effect("split_screen"), "--json"]));
    let inputs: Vec<_> =
        seen["inputs"].as_array().expect("a list").iter().map(|input| &input["name"]).collect();
    assert!(inputs.contains(&&"input".into()) && inputs.contains(&&"before".into()), "{inputs:?}");
    let position = seen["parameters"].as_array().expect("a list").iter().find(|p| p["name"] == "position");
    assert_eq!(position.expect("it has a position")["max"], 1.0);
    let text = succeed(streamlib(folder.path()).args(["effect", "inspect", &effect("split_screen")]));
    assert!(text.contains("position: float"), "{text}");
}

#[test]
fn a_contact_sheet_shows_the_video() {
    if cannot_run() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let scene = ["play", "generate:scene", "--size", "128x72", "--frames", "7", "-o", "a.mp4", "-q"];
    succeed(streamlib(folder.path()).args(scene));
    let sheet = ["sheet", "a.mp4", "-o", "sheet.png", "--columns", "3", "--rows", "2", "--width", "320"];
    assert!(succeed(streamlib(folder.path()).args(sheet)).contains("6 pictures"));
    let sheet = image::open(folder.path().join("sheet.png")).expect("a picture").to_rgb8();
    // Every cell has more than one colour.
    for (column, row) in (0..3).flat_map(|column| (0..2).map(move |row| (column, row))) {
        let (x, y) = (6 + column * (sheet.width() - 6) / 3, 6 + row * (sheet.height() - 6) / 2);
        let corner = sheet.get_pixel(x + 4, y + 4);
        let cell = (0..40).map(|step| sheet.get_pixel(x + 4 + step, y + 20 + step / 4));
        assert!(cell.into_iter().any(|pixel| pixel != corner), "cell {column}, {row} is empty");
    }
}

#[test]
fn completions_and_help_name_the_subcommands() {
    let folder = repository();
    for shell in ["bash", "zsh", "fish"] {
        assert!(succeed(streamlib(&folder).args(["completions", shell])).contains("play"));
    }
    let help = succeed(streamlib(&folder).args(["play", "--help"]));
    assert!(help.contains("Examples:") && help.contains("--effect"));
}
