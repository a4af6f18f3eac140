//! Where the broker's socket is.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Mode};
use rustix::io::Errno;

use crate::error::BrokerError;

/// Directory of a broker for all users, if it exists.
const SYSTEM: &str = "/run/streamlib";
const SOCKET: &str = "broker.sock";

/// Path of the broker's socket: `$STREAMLIB_BROKER`; else `/run/streamlib/broker.sock`, if that directory exists; else
/// `streamlib/broker.sock` in `$XDG_RUNTIME_DIR`; else `/tmp/streamlib-UID/broker.sock`.
///
/// # Errors
/// When `$STREAMLIB_BROKER` is no absolute path.
pub fn socket_path() -> Result<PathBuf, BrokerError> {
    place(&|name| std::env::var_os(name), Path::new(SYSTEM).is_dir())
}

fn place(variable: &dyn Fn(&str) -> Option<OsString>, has_system: bool) -> Result<PathBuf, BrokerError> {
    match variable("STREAMLIB_BROKER").filter(|path| !path.is_empty()).map(PathBuf::from) {
        Some(path) if path.is_absolute() => Ok(path),
        Some(path) => Err(BrokerError::BadPath { path, found: "not an absolute path" }),
        None if has_system => Ok(Path::new(SYSTEM).join(SOCKET)),
        None => Ok(private_directory(variable).join(SOCKET)),
    }
}

/// The directory for sockets of this user alone.
fn private_directory(variable: &dyn Fn(&str) -> Option<OsString>) -> PathBuf {
    let runtime = variable("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute());
    match runtime {
        Some(runtime) => runtime.join("streamlib"),
        None => PathBuf::from(format!("/tmp/streamlib-{}", rustix::process::geteuid().as_raw())),
    }
}

/// Makes the directory of `socket`, if it is the one for this user alone, and makes sure that nobody else can use it.
pub(super) fn prepare(socket: &Path) -> Result<(), BrokerError> {
    let directory = private_directory(&|name| std::env::var_os(name));
    if socket.parent() == Some(&directory) { make_private(&directory) } else { Ok(()) }
}

fn make_private(path: &Path) -> Result<(), BrokerError> {
    match rustix::fs::mkdir(path, Mode::RWXU) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(error) => return Err(BrokerError::system(path, "make the directory")(error)),
    }
    let stat = rustix::fs::lstat(path).map_err(BrokerError::system(path, "look at the directory"))?;
    let uid = rustix::process::geteuid().as_raw();
    let mode = stat.st_mode & 0o777;
    let found = if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
        "it is no directory".to_owned()
    } else if stat.st_uid != uid {
        format!("it belongs to user {}", stat.st_uid)
    } else if mode != 0o700 {
        format!("its mode is {mode:04o}")
    } else {
        return Ok(());
    };
    Err(BrokerError::UnsafeDirectory { path: path.to_owned(), found, uid })
}

/// Whether only this user can put files into the directory of `socket`, so that a file there is the one that it has made.
pub(super) fn is_guarded(socket: &Path) -> bool {
    let parent = socket.parent().unwrap_or(Path::new("/"));
    rustix::fs::stat(parent)
        .is_ok_and(|stat| stat.st_uid == rustix::process::geteuid().as_raw() && stat.st_mode & 0o022 == 0)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn found(variables: &[(&str, &str)], has_system: bool) -> Result<String, String> {
        let variable = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value))
        };
        place(&variable, has_system)
            .map(|path| path.to_str().unwrap().to_owned())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_first_place_that_is_set_counts() {
        let uid = rustix::process::geteuid().as_raw();
        let (own, xdg) = (("STREAMLIB_BROKER", "/a/b.sock"), ("XDG_RUNTIME_DIR", "/run/user/7"));
        assert_eq!(found(&[own, xdg], true).unwrap(), "/a/b.sock");
        assert_eq!(found(&[xdg], true).unwrap(), "/run/streamlib/broker.sock");
        assert_eq!(found(&[xdg], false).unwrap(), "/run/user/7/streamlib/broker.sock");
        let in_tmp = format!("/tmp/streamlib-{uid}/broker.sock");
        assert_eq!(found(&[("STREAMLIB_BROKER", "")], false).unwrap(), in_tmp);
        assert_eq!(found(&[("XDG_RUNTIME_DIR", "run")], false).unwrap(), in_tmp);
        assert!(found(&[("STREAMLIB_BROKER", "a.sock")], false).unwrap_err().contains("absolute"));
    }

    #[test]
    fn a_private_directory_is_made_and_one_that_others_can_use_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("own");
        make_private(&path).unwrap();
        make_private(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o750)).unwrap();
        assert!(make_private(&path).unwrap_err().to_string().contains("0750"));
        let link = root.path().join("link");
        std::os::unix::fs::symlink(root.path(), &link).unwrap();
        assert!(make_private(&link).unwrap_err().to_string().contains("no directory"));
        assert!(make_private(&root.path().join("a/b")).is_err());
    }
}
