//! Checks whether files can be created in a directory, without creating one: that would wake up processes that watch it.

use super::report::Report;
use inputs::diagnostic::shown;
use nix::errno::Errno;
use nix::fcntl::AT_FDCWD;
use nix::fcntl::AtFlags;
use nix::sys::statvfs::statvfs;
use nix::unistd::{AccessFlags, faccessat, geteuid};
use std::fmt;
use std::path::{Path, PathBuf};

/// Checks a directory of rcrond's own.
pub(super) fn check(what: &str, directory: &Path, report: &mut Report) {
    let named = shown(directory.as_os_str());
    match find(directory) {
        Ok(Found::Usable) => match room(directory) {
            Ok(()) => report.fine(&format!("{what} {named} can be written")),
            Err(full) => report.wrong(&format!("{what} {named}: {full}"), MAKE_ROOM),
        },
        Ok(Found::Missing) => report.fine(&format!("{what} {named} does not exist yet and can be created")),
        Err(obstacle) => report.wrong(&format!("{what} {named}: {obstacle}"), REMEDY),
    }
}

/// What to do about most obstacles.
pub(super) const REMEDY: &str =
    "make it writable for the user that rcrond runs as; if you are another user, run this check as that one";

/// What to do about a full file system.
pub(super) const MAKE_ROOM: &str = "make room on it: until then, rcrond cannot write its files there";

/// In bytes. rcrond replaces small files, and each needs a new block.
const LEAST_ROOM: u64 = 64 << 10;

/// A file system on which no file can be created.
pub(super) enum Full {
    /// With this many free bytes.
    Bytes(u64),
    Inodes,
}

impl fmt::Display for Full {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(free) => write!(out, "its file system is full ({free} bytes are free)"),
            Self::Inodes => out.write_str("its file system is full: it has no inode for another file"),
        }
    }
}

/// Whether the directory's file system has room for rcrond's files.
///
/// # Errors
/// [`Full`].
pub(super) fn room(directory: &Path) -> Result<(), Full> {
    let Ok(found) = statvfs(directory) else { return Ok(()) };
    // Some blocks and inodes are only for root.
    let is_root = geteuid().is_root();
    let pick = |for_root: u64, for_all: u64| if is_root { for_root } else { for_all };
    let free = pick(found.blocks_free(), found.blocks_available()).saturating_mul(found.fragment_size());
    if free < LEAST_ROOM {
        return Err(Full::Bytes(free));
    }
    // A file system that creates inodes as it needs them has 0 in all.
    if found.files() > 0 && pick(found.files_free(), found.files_available()) == 0 {
        return Err(Full::Inodes);
    }
    Ok(())
}

/// Whether chattr(1) protects a file from being replaced. For such a file, access(2) has an error of its own.
pub(super) fn is_immutable(path: &Path) -> bool {
    faccessat(AT_FDCWD, path, AccessFlags::W_OK, AtFlags::AT_EACCESS) == Err(Errno::EPERM)
}

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
