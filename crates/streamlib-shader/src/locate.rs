//! Finds the DXC library on this machine.

use std::path::{Path, PathBuf};

use serde::Serialize;

/// The library's file name on this platform.
#[cfg(target_os = "macos")]
const FILE_NAME: &str = "libdxcompiler.dylib";
#[cfg(not(target_os = "macos"))]
const FILE_NAME: &str = "libdxcompiler.so";

/// Text that only libraries with the present COM interface contain: shader model 6.8 came after the interface lost its two
/// destructor slots (v1.7.2212). Calling an older library through today's interface crashes.
const NEW_ENOUGH: &[u8] = b"cs_6_8";

/// The compiler in use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DxcInfo {
    /// The library file.
    pub path: PathBuf,
    /// Its version: major, minor, release, commits.
    pub version: String,
}

/// A place where the library was looked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SearchedPlace {
    /// Why there.
    pub reason: &'static str,
    /// The file; `None` when the reason names no place on this machine.
    pub path: Option<PathBuf>,
    /// Whether the file exists.
    pub found: bool,
}

/// DXC cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DxcError {
    /// There is no library in any of the places.
    #[error(
        "the HLSL compiler ({FILE_NAME}) was not found; run `./x setup`, or set STREAMLIB_DXC to the library. Looked in:{}",
        places(searched)
    )]
    NotFound {
        /// Where it was looked for, in order.
        searched: Vec<SearchedPlace>,
    },
    /// The file cannot be loaded as a library.
    #[error("cannot load the HLSL compiler {}: {reason}; run `./x setup`, or set STREAMLIB_DXC to another library", path.display())]
    Unloadable {
        /// The library.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// The library is older than what this program can call.
    #[error("the HLSL compiler {} is too old or not DXC; it must be DXC 1.8 or later. Run `./x setup`, or set STREAMLIB_DXC to another library", path.display())]
    TooOld {
        /// The library.
        path: PathBuf,
    },
}

fn places(searched: &[SearchedPlace]) -> String {
    searched
        .iter()
        .map(|s| match &s.path {
            Some(path) => format!("\n  {} ({})", path.display(), s.reason),
            None => format!("\n  - ({}: not set)", s.reason),
        })
        .collect()
}

/// Finds the library: `explicit`, else `STREAMLIB_DXC`, beside the executable, the user's data directory, the Vulkan SDK, the
/// system's library path. An explicit path or `STREAMLIB_DXC` is used or is an error; nothing else is tried then.
///
/// # Errors
/// [`DxcError::NotFound`], with every place in order.
pub fn find_dxc(explicit: Option<&Path>) -> Result<PathBuf, DxcError> {
    let mut searched = Vec::new();
    for (reason, path, is_order) in candidates(explicit) {
        let found = path.as_ref().is_some_and(|p| p.is_file());
        let asked_for = is_order && path.is_some();
        searched.push(SearchedPlace { reason, path: path.clone(), found });
        match path {
            Some(path) if found => return Ok(path),
            _ if asked_for => break,
            _ => {}
        }
    }
    Err(DxcError::NotFound { searched })
}

/// Reason, file, and whether the user named the file.
fn candidates(explicit: Option<&Path>) -> Vec<(&'static str, Option<PathBuf>, bool)> {
    let variable = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let library = |path: PathBuf| if path.is_dir() { path.join(FILE_NAME) } else { path };
    let mut all = Vec::new();
    if let Some(path) = explicit {
        all.push(("asked for", Some(library(path.to_owned())), true));
        return all;
    }
    all.push(("STREAMLIB_DXC", variable("STREAMLIB_DXC").map(library), true));
    let beside = std::env::current_exe().ok().and_then(|e| Some(e.parent()?.join(FILE_NAME)));
    all.push(("beside the program", beside, false));
    let data = variable("XDG_DATA_HOME")
        .filter(|p| p.is_absolute())
        .or_else(|| variable("HOME").map(|h| h.join(".local/share")));
    all.push(("the user's data directory", data.map(|d| d.join("streamlib/dxc").join(FILE_NAME)), false));
    all.push(("VULKAN_SDK", variable("VULKAN_SDK").map(|d| d.join("lib").join(FILE_NAME)), false));
    let listed = std::env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
    let listed = std::env::split_paths(&listed).filter(|p| p.is_absolute()).collect::<Vec<_>>();
    let usual = [
        "/usr/local/lib",
        "/usr/lib",
        "/usr/lib/x86_64-linux-gnu",
        "/usr/lib/aarch64-linux-gnu",
        "/usr/lib64",
    ];
    for directory in listed.into_iter().chain(usual.map(PathBuf::from)) {
        all.push(("the system's library path", Some(directory.join(FILE_NAME)), false));
    }
    all
}

/// Refuses a library that is too old to be called, by looking into the file.
pub(crate) fn check_age(path: &Path) -> Result<(), DxcError> {
    let bytes = std::fs::read(path)
        .map_err(|e| DxcError::Unloadable { path: path.to_owned(), reason: e.to_string() })?;
    match memchr::memmem::find(&bytes, NEW_ENOUGH) {
        Some(_) => Ok(()),
        None => Err(DxcError::TooOld { path: path.to_owned() }),
    }
}
