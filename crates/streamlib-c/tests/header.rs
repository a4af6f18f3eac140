//! The header says what the library is.
#![cfg(target_os = "linux")]

mod support;

use std::collections::BTreeSet;
use std::mem::{offset_of, size_of};
use std::process::Command;

use streamlib_c::{AccessKind, Buffer, Frame, Meta, OK, Stats, Surface, TIMEOUT, code};
use streamlib_core::format::TextureFormat;
use streamlib_share::{BufferKind, FormatCode};
use support::{compile, header, prefix, succeed};

/// Lines about a structure: its size, and of each field offset and size.
macro_rules! lines_of {
    ($type:ty, $name:literal: $($field:ident),+) => {{
        fn size_of_field<T, F>(_: fn(&T) -> &F) -> usize {
            size_of::<F>()
        }
        let mut lines = vec![format!("sizeof {} {}", $name, size_of::<$type>())];
        $(lines.push(format!(
            "field {}.{} {} {}",
            $name,
            stringify!($field),
            offset_of!($type, $field),
            size_of_field(|it: &$type| &it.$field),
        ));)+
        lines
    }};
}

fn structures() -> Vec<String> {
    [
        lines_of!(Buffer, "streamlib_buffer": kind, format, width, height, allocation, tiling, offset, pitch,
            device_uuid, driver_uuid),
        lines_of!(Meta, "streamlib_meta": captured_ns, sequence, has_camera, intrinsics, world_from_camera),
        lines_of!(Frame, "streamlib_frame": lease, number, buffer, width, height, format, published_ns, skipped,
            meta),
        lines_of!(Stats, "streamlib_stats": published, dropped, readers, released, skipped),
        lines_of!(Surface, "streamlib_surface": name, pid, uid, width, height, format, rate, readers, published,
            dropped, newest_age_ns),
    ]
    .concat()
}

fn values() -> Vec<(&'static str, i64)> {
    let format = |format: TextureFormat| i64::from(FormatCode::from(format).0);
    let code = |code: std::ffi::c_int| i64::from(code);
    vec![
        ("OK", code(OK)),
        ("TIMEOUT", code(TIMEOUT)),
        ("ERROR_ARGUMENT", code(code::ARGUMENT)),
        ("ERROR_BAD_NAME", code(code::BAD_NAME)),
        ("ERROR_NO_BROKER", code(code::NO_BROKER)),
        ("ERROR_NO_SURFACE", code(code::NO_SURFACE)),
        ("ERROR_NAME_TAKEN", code(code::NAME_TAKEN)),
        ("ERROR_NOT_PERMITTED", code(code::NOT_PERMITTED)),
        ("ERROR_TOO_MANY", code(code::TOO_MANY)),
        ("ERROR_PUBLISHER_GONE", code(code::PUBLISHER_GONE)),
        ("ERROR_PUBLISHER_SILENT", code(code::PUBLISHER_SILENT)),
        ("ERROR_NO_BUFFER", code(code::NO_BUFFER)),
        ("ERROR_TOO_MANY_FRAMES", code(code::TOO_MANY_FRAMES)),
        ("ERROR_NO_FREE_BUFFER", code(code::NO_FREE_BUFFER)),
        ("ERROR_NOT_TAKEN", code(code::NOT_TAKEN)),
        ("ERROR_PROTOCOL", code(code::PROTOCOL)),
        ("ERROR_SYSTEM", code(code::SYSTEM)),
        ("ERROR_INTERNAL", code(code::INTERNAL)),
        ("OPAQUE_FD", BufferKind::Opaque as i64),
        ("DMA_BUF", BufferKind::DmaBuf as i64),
        ("MEMORY", BufferKind::Memory as i64),
        ("RGBA8", format(TextureFormat::Rgba8)),
        ("RGBA8_SRGB", format(TextureFormat::Rgba8Srgb)),
        ("BGRA8", format(TextureFormat::Bgra8)),
        ("BGRA8_SRGB", format(TextureFormat::Bgra8Srgb)),
        ("RGBA16_FLOAT", format(TextureFormat::Rgba16Float)),
        ("R8", format(TextureFormat::R8)),
        ("RG8", format(TextureFormat::Rg8)),
        ("MAX_FRAMES", 4),
        ("ACCESS_USER", AccessKind::User as i64),
        ("ACCESS_GROUP", AccessKind::Group as i64),
        ("ACCESS_EVERYONE", AccessKind::Everyone as i64),
    ]
}

#[test]
fn structures_and_values_are_the_same_in_c() {
    let Some(program) = compile("tests/c/layout.c", "layout", false) else { return };
    let found = succeed(&mut Command::new(program));
    let values = values().into_iter().map(|(name, value)| format!("value STREAMLIB_{name} {value}"));
    let wanted: Vec<String> = structures().into_iter().chain(values).collect();
    assert_eq!(found.lines().collect::<Vec<_>>(), wanted);
}

/// Names in the header's code, comments aside, that begin with `start`.
fn names(start: &str) -> BTreeSet<String> {
    let text = std::fs::read_to_string(header()).expect("the header is there");
    let mut code = String::new();
    for (index, part) in text.split("/*").enumerate() {
        code += if index == 0 { part } else { part.split_once("*/").expect("comments end").1 };
    }
    let words = code.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    words.filter(|word| word.starts_with(start)).map(str::to_owned).collect()
}

#[test]
fn no_value_of_the_header_is_left_out() {
    let listed = values().into_iter().map(|(name, _)| format!("STREAMLIB_{name}"));
    let mut listed: BTreeSet<_> = listed.collect();
    listed.insert("STREAMLIB_H".to_owned());
    assert_eq!(names("STREAMLIB_"), listed);
}

#[test]
fn the_library_has_the_functions_that_the_header_declares_and_no_others() {
    let Some(prefix) = prefix() else { return };
    let library = prefix.join("lib/libstreamlib.so");
    let symbols = succeed(Command::new("nm").args(["-D", "--defined-only"]).arg(library));
    let exported: BTreeSet<_> = symbols
        .lines()
        .filter_map(|line| line.split_whitespace().last())
        .map(|name| name.split('@').next().unwrap_or(name).to_owned())
        .filter(|name| name.starts_with("streamlib_"))
        .collect();
    let types = [
        "streamlib_buffer",
        "streamlib_frame",
        "streamlib_lease",
        "streamlib_meta",
        "streamlib_publisher",
        "streamlib_reader",
        "streamlib_stats",
        "streamlib_surface",
    ];
    let declared = names("streamlib_").into_iter().filter(|name| !types.contains(&name.as_str())).collect();
    assert_eq!(exported, declared);
}

#[test]
fn the_header_is_c99_and_cpp_alike() {
    if prefix().is_none() {
        return;
    }
    for (compiler, language, standard) in [("cc", "c", "-std=c99"), ("c++", "c++", "-std=c++11")] {
        if Command::new(compiler).arg("--version").output().is_err() {
            support::skip(&format!("there is no {compiler}"));
            continue;
        }
        let mut command = Command::new(compiler);
        command.args([
            "-x",
            language,
            standard,
            "-Wall",
            "-Wextra",
            "-Wpedantic",
            "-Werror",
            "-fsyntax-only",
        ]);
        succeed(command.arg(header()));
    }
}

#[test]
fn pkg_config_finds_what_was_installed() {
    let Some(prefix) = prefix() else { return };
    let mut command = Command::new("pkg-config");
    if Command::new("pkg-config").arg("--version").output().is_err() {
        return support::skip("there is no pkg-config");
    }
    command.args(["--cflags", "--libs", "streamlib"]).env("PKG_CONFIG_PATH", prefix.join("lib/pkgconfig"));
    let flags = succeed(&mut command);
    assert!(flags.contains("-lstreamlib") && flags.contains("include"), "{flags}");
    // The programs that people read are built as they would build them.
    let mut make = Command::new("make");
    if Command::new("make").arg("--version").output().is_err() {
        return support::skip("there is no make");
    }
    make.arg("-C").arg(support::folder().join("../../examples/c")).arg(format!("OUT={}", prefix.display()));
    succeed(make.env("PKG_CONFIG_PATH", prefix.join("lib/pkgconfig")).env("CFLAGS", "-O2 -Werror"));
    let help = Command::new(prefix.join("read")).env("STREAMLIB_BROKER", prefix.join("none")).output();
    assert!(help.expect("it starts").status.success(), "it lists no surfaces");
}
