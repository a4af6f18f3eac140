//! Finding DXC: the order, and what is said when there is none that can be used.

use std::path::Path;

use streamlib_shader::{CacheOptions, Compiler, CompilerOptions, DxcError, find_dxc};

#[test]
fn a_library_that_was_asked_for_is_the_only_one_looked_for() {
    let missing = Path::new("/nowhere/libdxcompiler.so");
    let Err(DxcError::NotFound { searched }) = find_dxc(Some(missing)) else { panic!("it was found") };
    assert_eq!(searched.len(), 1);
    assert_eq!(searched[0].path.as_deref(), Some(missing));
    let message = DxcError::NotFound { searched }.to_string();
    for part in ["./x setup", "STREAMLIB_DXC", "/nowhere/libdxcompiler.so"] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn a_directory_stands_for_the_library_in_it() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let name = if cfg!(target_os = "macos") { "libdxcompiler.dylib" } else { "libdxcompiler.so" };
    let library = directory.path().join(name);
    std::fs::write(&library, "").expect("write");
    assert_eq!(find_dxc(Some(directory.path())), Ok(library));
}

#[test]
fn a_library_that_is_too_old_or_none_at_all_is_refused_before_it_is_called() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let new = |path: &Path| {
        Compiler::new(CompilerOptions {
            dxc: Some(path.to_owned()),
            cache: CacheOptions::MemoryOnly,
            ..CompilerOptions::default()
        })
        .map(|_| ())
    };
    let old = directory.path().join("old.so");
    std::fs::write(&old, "DXC of the years before").expect("write");
    assert_eq!(new(&old), Err(DxcError::TooOld { path: old.clone() }));
    let broken = directory.path().join("broken.so");
    std::fs::write(&broken, "cs_6_8 and no library").expect("write");
    assert!(matches!(new(&broken), Err(DxcError::Unloadable { .. })));
}
