//! The search for a program, as execvp(3) does it.

use crate::check::access::Access;
use jobs::root::Root;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The result of a search, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lookup {
    /// It exists and is executable.
    Found,
    /// It depends on something that cannot be seen here.
    Unsure,
    NotExecutable,
    Missing,
}

pub(super) fn look_up(root: &Root, name: &[u8], path: &[u8]) -> Lookup {
    let name = Path::new(OsStr::from_bytes(name));
    if name.as_os_str().as_bytes().contains(&b'/') {
        return look_at(root, name);
    }
    let mut best = Lookup::Missing;
    for directory in path.split(|byte| *byte == b':').map(OsStr::from_bytes) {
        best = best.min(look_at(root, &Path::new(directory).join(name)));
        if best == Lookup::Found {
            break;
        }
    }
    best
}

fn look_at(root: &Root, file: &Path) -> Lookup {
    if file.as_os_str().as_bytes().starts_with(b"$") {
        return Lookup::Missing; // PATH=$PATH:/x, which cron does not expand
    }
    if !file.is_absolute() {
        return Lookup::Unsure; // it is relative to the user's home
    }
    let Ok(located) = root.locate(file) else {
        return Lookup::Unsure;
    };
    match located.metadata() {
        Ok(metadata) if metadata.is_file() && Access::from(&metadata).is_executable() => Lookup::Found,
        Ok(_) => Lookup::NotExecutable,
        Err(error) if matches!(error.raw_os_error(), Some(nix::libc::ENOENT | nix::libc::ENOTDIR)) => Lookup::Missing,
        Err(_) => Lookup::Unsure,
    }
}
