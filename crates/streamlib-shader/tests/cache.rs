//! The cache: what it answers, and that nothing can make it answer wrongly or fail a compile.

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use common::{compiler_with, inputs};
use streamlib_shader::{CacheOptions, CacheStats, Compiler, CompilerOptions, DxcError, EffectSource};

fn on_disk(directory: &Path) -> Option<Compiler> {
    compiler_with(CacheOptions::Disk(directory.to_owned()), Duration::from_secs(60))
}

fn source() -> EffectSource {
    EffectSource::from_file(inputs().join("parameters.hlsl")).expect("readable")
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    with_extension(directory, "effect")
}

fn with_extension(directory: &Path, extension: &str) -> Vec<PathBuf> {
    let paths = std::fs::read_dir(directory).expect("cache").map(|e| e.expect("entry").path());
    paths.filter(|path| path.extension().is_some_and(|found| found == extension)).collect()
}

#[test]
fn a_second_compile_comes_from_memory_and_a_second_compiler_reads_the_disk() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let Some(first) = on_disk(directory.path()) else {
        return;
    };
    let made = first.compile(&source()).expect("compiles");
    let again = first.compile(&source()).expect("compiles");
    assert!(std::sync::Arc::ptr_eq(&made, &again));
    assert_eq!(first.cache_stats(), CacheStats { memory_hits: 1, disk_hits: 0, misses: 1 });
    let second = on_disk(directory.path()).expect("DXC was there");
    assert_eq!(*second.compile(&source()).expect("compiles"), *made);
    assert_eq!(second.cache_stats(), CacheStats { memory_hits: 0, disk_hits: 1, misses: 0 });
}

#[test]
fn another_text_or_another_name_is_another_entry() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let Some(compiler) = on_disk(directory.path()) else {
        return;
    };
    let text = "float4 main() : SV_Target { return 1; }";
    let compile = |name: &str, text: &str| {
        let effect = compiler.compile(&EffectSource::from_text(name, text)).expect("compiles");
        (effect.name.clone(), effect.id)
    };
    let (name, id) = compile("a", text);
    assert_eq!((name.as_str(), compile("b", text)), ("a", ("b".to_owned(), id)));
    assert_ne!(compile("a", &text.replace('1', "2")).1, id);
    assert_eq!(compiler.cache_stats().misses, 3);
}

#[test]
fn a_refused_source_is_refused_from_memory() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let Some(compiler) = on_disk(directory.path()) else {
        return;
    };
    let bad = EffectSource::from_text("bad", "float4 main() : SV_Target { return nope; }");
    let first = compiler.compile(&bad).expect_err("refused");
    let second = compiler.compile(&bad).expect_err("refused");
    assert_eq!(first.diagnostics(), second.diagnostics());
    assert_eq!(compiler.cache_stats(), CacheStats { memory_hits: 1, disk_hits: 0, misses: 1 });
}

#[test]
fn damaged_and_foreign_entries_are_ignored_and_written_anew() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let Some(compiler) = on_disk(directory.path()) else {
        return;
    };
    let made = compiler.compile(&source()).expect("compiles");
    let [path] = entries(directory.path()).try_into().expect("one entry");
    let good = std::fs::read(&path).expect("entry");
    let flipped = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        bytes
    };
    // Another effect's entry under this one's name.
    let elsewhere = tempfile::tempdir().expect("temporary directory");
    let other = on_disk(elsewhere.path()).expect("DXC was there");
    other
        .compile(&EffectSource::from_text("x", "float4 main() : SV_Target { return 1; }"))
        .expect("compiles");
    let foreign = std::fs::read(&entries(elsewhere.path())[0]).expect("entry");
    let damaged = [
        vec![],
        good[..20].to_vec(),
        good[..good.len() - 1].to_vec(),
        [good.as_slice(), &[0]].concat(),
        flipped(0),
        flipped(10),
        flipped(40),
        flipped(70),
        flipped(good.len() - 1),
        foreign,
    ];
    for bytes in damaged {
        std::fs::write(&path, &bytes).expect("write");
        let compiler = on_disk(directory.path()).expect("DXC was there");
        assert_eq!(*compiler.compile(&source()).expect("compiles"), *made);
        assert_eq!(compiler.cache_stats().misses, 1);
        assert_eq!(std::fs::read(&path).expect("entry"), good);
    }
}

#[test]
fn a_lazy_compiler_loads_dxc_when_something_has_to_be_compiled_and_says_so_when_that_fails() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let Some(found) = on_disk(directory.path()) else {
        return;
    };
    let cache = || CacheOptions::Disk(directory.path().join("cache"));
    let lazy = |dxc: &Path| {
        let options = CompilerOptions {
            dxc: Some(dxc.to_owned()),
            cache: cache(),
            is_lazy: true,
            ..CompilerOptions::default()
        };
        Compiler::new(options)
    };
    // A library of its own: one that is loaded already would be found again.
    let library = directory.path().join("libdxcompiler.so");
    std::fs::copy(&found.dxc().path, &library).expect("copied");
    let first = lazy(&library).expect("loaded, since nobody knows it");
    let made = first.compile(&source()).expect("compiles");
    assert_eq!(with_extension(&directory.path().join("cache"), "dxc").len(), 1);
    let version = first.dxc().version.clone();
    // While it is loaded, its name stands for it.
    drop(first);

    // A file of the same size and time that is no library: it is not looked into as long as nothing new comes.
    let meta = library.metadata().expect("it is there");
    let other = directory.path().join("other");
    let file = std::fs::File::create(&other).expect("a file");
    file.set_len(meta.len()).expect("long enough");
    file.set_modified(meta.modified().expect("a time")).expect("a time");
    std::fs::rename(&other, &library).expect("in its place");
    let second = lazy(&library).expect("known");
    assert_eq!(second.dxc().version, version);
    assert_eq!(*second.compile(&source()).expect("it is remembered"), *made);
    let new = EffectSource::from_text("new", "float4 main() : SV_Target { return 1; }");
    let said = second.compile(&new).expect_err("there is no compiler").to_string();
    assert!(said.contains("cannot load the HLSL compiler"), "{said}");

    // Another time is another library, which is loaded at once, and refused.
    let later = meta.modified().expect("a time") + Duration::from_secs(1);
    std::fs::File::options()
        .write(true)
        .open(&library)
        .and_then(|file| file.set_modified(later))
        .expect("a time");
    assert!(matches!(lazy(&library), Err(DxcError::TooOld { .. })));
    // What is known and told to be there at once is loaded at once.
    std::fs::File::options()
        .write(true)
        .open(&library)
        .and_then(|file| file.set_modified(meta.modified()?))
        .expect("a time");
    let at_once = CompilerOptions { dxc: Some(library), cache: cache(), ..CompilerOptions::default() };
    assert!(matches!(Compiler::new(at_once), Err(DxcError::Unloadable { .. })));
}

#[test]
fn a_cache_directory_that_cannot_be_used_fails_no_compile() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let file = directory.path().join("file");
    std::fs::write(&file, "not a directory").expect("write");
    for place in [file.join("cache"), PathBuf::from("/dev/full"), PathBuf::from("/proc/nowhere")] {
        let Some(compiler) = on_disk(&place) else { return };
        compiler.compile(&source()).expect("compiles");
    }
}

const CHILD: &str = "STREAMLIB_CACHE_TEST_DIRECTORY";

/// Does nothing unless the test below starts it in a process of its own.
#[test]
fn child_process_of_the_next_test() {
    let Some(directory) = std::env::var_os(CHILD).map(PathBuf::from) else {
        return;
    };
    for round in 0..3 {
        let Some(compiler) = on_disk(&directory) else {
            return;
        };
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let compiler = &compiler;
                scope.spawn(move || {
                    for number in 0..8 {
                        let text = format!(
                            "float4 main() : SV_Target {{ return {}; }}",
                            (number + thread + round) % 8
                        );
                        compiler.compile(&EffectSource::from_text("shared", text)).expect("compiles");
                    }
                });
            }
        });
    }
}

#[test]
fn several_processes_and_threads_share_one_directory() {
    let directory = tempfile::tempdir().expect("temporary directory");
    if on_disk(directory.path()).is_none() {
        return;
    }
    let program = std::env::current_exe().expect("this program");
    let children: Vec<_> = (0..3)
        .map(|_| {
            Command::new(&program)
                .args(["--exact", "child_process_of_the_next_test", "--nocapture"])
                .env(CHILD, directory.path())
                // What it prints would be taken for a result of this program.
                .stdout(Stdio::null())
                .spawn()
                .expect("a child")
        })
        .collect();
    for mut child in children {
        assert!(child.wait().expect("an exit status").success());
    }
    assert_eq!(entries(directory.path()).len(), 8, "no temporary file may stay behind");
    let compiler = on_disk(directory.path()).expect("DXC was there");
    for number in 0..8 {
        let text = format!("float4 main() : SV_Target {{ return {number}; }}");
        compiler.compile(&EffectSource::from_text("shared", text)).expect("compiles");
    }
    assert_eq!(compiler.cache_stats(), CacheStats { memory_hits: 0, disk_hits: 8, misses: 0 });
}

/// Resident memory of this process in bytes.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| kib * 1024)
}

#[test]
fn compiling_a_hundred_effects_again_and_again_takes_no_more_memory() {
    let round = || {
        let compiler = compiler_with(CacheOptions::MemoryOnly, Duration::from_secs(60))?;
        for number in 0..100 {
            let text = match number % 10 {
                9 => format!("float4 main() : SV_Target {{ return nope + {number}; }}"),
                _ => format!(
                    "float k; float4 main(float2 uv : TEXCOORD) : SV_Target {{ return tex2D(input, uv) * k + {number}; }}"
                ),
            };
            let _ = compiler.compile(&EffectSource::from_text("leak", text));
        }
        Some(())
    };
    let mut sizes = Vec::new();
    for _ in 0..6 {
        if round().is_none() {
            return;
        }
        let Some(size) = resident() else {
            println!("SKIPPED: this system does not tell a process's size");
            return;
        };
        sizes.push(size);
    }
    // The first rounds fill allocator pools. One compile that leaked its module would add 40 MiB here.
    assert!(sizes[5] < sizes[2] + (8 << 20), "{sizes:?}");
}
