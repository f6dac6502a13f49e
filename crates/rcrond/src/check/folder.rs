//! Whether a file can be put into a folder, without doing so: those who watch it would wake up.

use super::report::Report;
use inputs::complaint::shown;
use nix::errno::Errno;
use nix::fcntl::AT_FDCWD;
use nix::fcntl::AtFlags;
use nix::unistd::{AccessFlags, faccessat};
use std::path::Path;

/// A folder of rcrond's own.
pub(super) fn check(what: &str, folder: &Path, report: &mut Report) {
    let named = shown(folder.as_os_str());
    match obstacle(folder) {
        Ok(Found::Usable) => report.fine(&format!("{what} {named} can be written")),
        Ok(Found::Missing) => report.fine(&format!("{what} {named} does not exist yet and can be made")),
        Err(why) => report.wrong(&format!("{what} {named}: {why}"), REMEDY),
    }
}

/// What to do about most obstacles.
pub(super) const REMEDY: &str =
    "let the user that rcrond runs as write it; if that is another one, run this check as that user";

/// A folder that will do.
pub(super) enum Found {
    Usable,
    /// It can be made.
    Missing,
}

/// Whether files can be made in it.
///
/// # Errors
/// Why not, as the end of a sentence.
pub(super) fn obstacle(folder: &Path) -> Result<Found, String> {
    match writable(folder) {
        Ok(()) if folder.is_dir() => Ok(Found::Usable),
        Ok(()) => Err("it is no folder".into()),
        Err(Errno::ENOENT) => match folder.ancestors().skip(1).find(|parent| parent.exists()) {
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
