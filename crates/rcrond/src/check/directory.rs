//! Checks whether files can be created in a directory, without creating one: that would wake up processes that watch it.

use super::report::Report;
use inputs::diagnostic::shown;
use nix::errno::Errno;
use nix::fcntl::AT_FDCWD;
use nix::fcntl::AtFlags;
use nix::unistd::{AccessFlags, faccessat};
use std::fmt;
use std::path::{Path, PathBuf};

/// Checks a directory of rcrond's own.
pub(super) fn check(what: &str, directory: &Path, report: &mut Report) {
    let named = shown(directory.as_os_str());
    match find(directory) {
        Ok(Found::Usable) => report.fine(&format!("{what} {named} can be written")),
        Ok(Found::Missing) => report.fine(&format!("{what} {named} does not exist yet and can be created")),
        Err(obstacle) => report.wrong(&format!("{what} {named}: {obstacle}"), REMEDY),
    }
}

/// What to do about most obstacles.
pub(super) const REMEDY: &str =
    "make it writable for the user that rcrond runs as; if you are another user, run this check as that one";

/// A directory that rcrond can use.
pub(super) enum Found {
    Usable,
    /// It can be created.
    Missing,
}

/// Why rcrond cannot use a directory.
pub(super) enum Obstacle {
    NotADirectory,
    NotWritable(Errno),
    /// It does not exist, and its next existing parent is not writable.
    ParentNotWritable(PathBuf, Errno),
}

impl fmt::Display for Obstacle {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotADirectory => out.write_str("it is not a directory"),
            Self::NotWritable(error) => write!(out, "it cannot be written: {}", error.desc()),
            Self::ParentNotWritable(parent, error) => {
                let parent = shown(parent.as_os_str());
                write!(
                    out,
                    "it does not exist, and {parent} cannot be written: {}",
                    error.desc()
                )
            }
        }
    }
}

/// # Errors
/// [`Obstacle`].
pub(super) fn find(directory: &Path) -> Result<Found, Obstacle> {
    match writable(directory) {
        Ok(()) if directory.is_dir() => Ok(Found::Usable),
        Ok(()) => Err(Obstacle::NotADirectory),
        Err(Errno::ENOENT) => match directory.ancestors().skip(1).find(|parent| parent.exists()) {
            Some(parent) => match writable(parent) {
                Ok(()) => Ok(Found::Missing),
                Err(error) => Err(Obstacle::ParentNotWritable(parent.to_owned(), error)),
            },
            None => Err(Obstacle::NotWritable(Errno::ENOENT)),
        },
        Err(error) => Err(Obstacle::NotWritable(error)),
    }
}

/// For the effective user, like open(2). A read-only file system is an error, too.
fn writable(path: &Path) -> Result<(), Errno> {
    faccessat(
        AT_FDCWD,
        path,
        AccessFlags::W_OK | AccessFlags::X_OK,
        AtFlags::AT_EACCESS,
    )
}
