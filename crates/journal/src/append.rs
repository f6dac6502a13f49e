//! Appending to the run journal, in a directory that every user can write to.
//!
//! The directory has mode 1733, so that any user can create a file under any name. A file is used only if it is a regular file with
//! one link that belongs to the effective user; a name that another user took is skipped, or, by root, taken back. See
//! docs/design/journal.md.

mod reclaim;

pub use reclaim::set_aside;

use crate::names::{self, LAST_NUMBER, OLDEST, rotated};
use std::fs::{self, File, Metadata};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use sys::environment::effective_user;
use sys::file::open_for_append;
use sys::lock;

/// In bytes: a file of this size is renamed to `.1` before the next record.
pub const LARGEST: u64 = 16 << 20;

/// An append that succeeded.
#[derive(Debug)]
pub struct Appended {
    /// The file, for the caller to sync.
    pub file: File,
    /// The first name that could not be used as it was.
    pub taken: Option<Taken>,
}

/// A name of the user that another user took.
#[derive(Debug)]
pub enum Taken {
    /// It could not be used, for this reason.
    Skipped(PathBuf, io::Error),
    /// What had the name was renamed to the second name.
    SetAside(PathBuf, PathBuf),
}

/// Appends one record, which ends with a newline, to the effective user's file in `directory`.
///
/// May wait for the disk, so it is called in the background.
///
/// # Errors
/// The system's for the last name that was tried: no such directory, a full disk, no permission.
pub fn append(directory: &Path, record: &[u8]) -> io::Result<Appended> {
    let mut taken = None;
    let mut full = None;
    let uid = effective_user();
    for number in 0..=LAST_NUMBER {
        let path = names::path(directory, uid, number);
        let opened = reclaim::open(directory, &path, uid, &mut taken);
        match opened.and_then(|opened| make_room(opened, directory, &path, uid)) {
            Ok(Room::Here(opened)) => return write(opened, record, taken),
            // Another user took a name that the file must be renamed to.
            Ok(Room::Full(opened, error)) => {
                taken.get_or_insert(Taken::Skipped(path, error));
                full.get_or_insert(opened);
            }
            Err(error) if is_final(&error) => return Err(error),
            Err(error) => {
                taken.get_or_insert(Taken::Skipped(path, error));
            }
        }
    }
    match (full, taken) {
        // A file that is too large is better than a lost record.
        (Some(opened), taken) => write(opened, record, taken),
        (None, Some(Taken::Skipped(_, error))) => Err(error),
        (None, _) => Err(io::Error::other("files of other users occupy all names")),
    }
}

/// Whether a file has room for a record.
enum Room {
    /// It has.
    Here(Opened),
    /// It is full and cannot be renamed.
    Full(Opened, io::Error),
}

/// Whether another name would fail in the same way.
fn is_final(error: &io::Error) -> bool {
    use io::ErrorKind::{NotADirectory, NotFound, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    matches!(
        error.kind(),
        NotFound | NotADirectory | ReadOnlyFilesystem | StorageFull | QuotaExceeded
    )
}

/// The user's own file.
struct Opened {
    file: File,
    /// In bytes, when it was opened.
    length: u64,
}

/// Opens the user's file, or creates it. Another user's file is refused.
fn open(path: &Path, uid: u32) -> io::Result<Opened> {
    let file = open_for_append(path, 0o600)?;
    let metadata = file.metadata()?;
    if is_ours(&metadata, uid) {
        let length = metadata.len();
        Ok(Opened { file, length })
    } else {
        Err(io::Error::other(
            "it belongs to another user, or is not a regular file with one link",
        ))
    }
}

fn is_ours(metadata: &Metadata, uid: u32) -> bool {
    metadata.is_file() && metadata.nlink() == 1 && metadata.uid() == uid
}

/// The file, or a new one if it is full and was rotated.
fn make_room(mut opened: Opened, directory: &Path, path: &Path, uid: u32) -> io::Result<Room> {
    while opened.length >= LARGEST {
        // Closing the file releases the lock.
        if !lock::try_exclusive(&opened.file).is_ok_and(|taken| taken) {
            // Another process is renaming the file. The record is found in `.1` then.
            return Ok(Room::Here(opened));
        }
        if is_still(&opened.file, path) {
            if let Err(error) = rotate(directory, path, uid) {
                return Ok(Room::Full(opened, error));
            }
        }
        opened = open(path, uid)?;
    }
    Ok(Room::Here(opened))
}

/// Whether the path still leads to this file: it may have been renamed before we got the lock.
fn is_still(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(ours), Ok(there)) => (ours.dev(), ours.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

/// Renames the file to `.1`, after renaming `.1` to `.2` and so on. A crash between two renames leaves a gap, and the next rotation
/// only moves files into that gap, so that no file is overwritten.
fn rotate(directory: &Path, path: &Path, uid: u32) -> io::Result<()> {
    let ages = 1..=OLDEST;
    for age in ages.clone() {
        // Whatever cannot be set aside is found below.
        let _ = set_aside(directory, &rotated(path, age));
    }
    let gap = ages
        .clone()
        .find(|age| fs::symlink_metadata(rotated(path, *age)).is_err());
    for age in 1..gap.unwrap_or(OLDEST + 1) {
        if !is_ours(&fs::symlink_metadata(rotated(path, age))?, uid) {
            return Err(io::Error::other(format!(
                "{} belongs to another user",
                rotated(path, age).display()
            )));
        }
    }
    if gap.is_none() {
        fs::remove_file(rotated(path, OLDEST))?;
    }
    for age in (0..gap.unwrap_or(OLDEST)).rev() {
        fs::rename(rotated(path, age), rotated(path, age + 1))?;
    }
    Ok(())
}

/// Writes the record in one write(2), after a newline if a crash or a full disk cut the last record.
fn write(opened: Opened, record: &[u8], taken: Option<Taken>) -> io::Result<Appended> {
    let Opened { mut file, length } = opened;
    let mut last = [b'\n'];
    if length > 0 {
        file.read_exact_at(&mut last, length - 1)?;
    }
    let whole = if last == [b'\n'] {
        record.to_vec()
    } else {
        [b"\n", record].concat()
    };
    if file.write(&whole)? < whole.len() {
        return Err(io::ErrorKind::StorageFull.into());
    }
    Ok(Appended { file, taken })
}

#[cfg(test)]
mod tests;
