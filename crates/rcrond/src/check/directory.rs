//! Whether a file can be put into a directory, without doing so: those who watch it would wake up.

use super::report::Report;
use inputs::diagnostic::shown;
use nix::errno::Errno;
use nix::fcntl::AT_FDCWD;
use nix::fcntl::AtFlags;
use nix::unistd::{AccessFlags, faccessat};
use std::path::Path;

/// A directory of rcrond's own.
pub(super) fn check(what: &str, directory: &Path, report: &mut Report) {
    let named = shown(directory.as_os_str());
    match obstacle(directory) {
        Ok(Found::Usable) => report.fine(&format!("{what} {named} can be written")),
        Ok(Found::Missing) => report.fine(&format!("{what} {named} does not exist yet and can be made")),
        Err(why) => report.wrong(&format!("{what} {named}: {why}"), REMEDY),
    }
}

/// What to do about most obstacles.
pub(super) const REMEDY: &str =
    "let the user that rcrond runs as write it; if that is another one, run this check as that user";

/// A directory that will do.
pub(super) enum Found {
    Usable,
    /// It can be made.
    Missing,
}

/// Whether files can be made in it.
///
/// # Errors
/// Why not, as the end of a sentence.
pub(super) fn obstacle(directory: &Path) -> Result<Found, String> {
    match writable(directory) {
        Ok(()) if directory.is_dir() => Ok(Found::Usable),
        Ok(()) => Err("it is no directory".into()),
        Err(Errno::ENOENT) => match directory.ancestors().skip(1).find(|parent| parent.exists()) {
            Some(parent) => writable(parent).map(|()| Found::Missing).map_err(|error| {
                format!(
                    "it does not exist, and {} cannot be written: {}",
                    shown(parent.as_os_str()),
                    error.desc()
                )
            }),
            None => Err(Errno::ENOENT.desc().into()),
        },
        Err(error) => Err(format!("it cannot be written: {}", error.desc())),
    }
}

/// By the effective user, as open(2) would see it. A file system that is mounted read-only says so here, too.
fn writable(path: &Path) -> Result<(), Errno> {
    faccessat(
        AT_FDCWD,
        path,
        AccessFlags::W_OK | AccessFlags::X_OK,
        AtFlags::AT_EACCESS,
    )
}
