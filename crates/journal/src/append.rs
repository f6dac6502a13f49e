//! The files of the run journal, in a directory that every user may write: whose they must be, and how they grow.
//!
//! The directory has mode 1733, so anybody may put anything under anybody's name. A file is taken only if it is a regular one
//! with one link that belongs to us; a name that somebody else took is skipped. See docs/design/journal.md.

use std::fs::{self, File, Metadata};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use sys::environment::effective_user;
use sys::file::open_for_append;
use sys::lock;

/// At this size a file becomes `.1`.
pub const LARGEST: u64 = 16 << 20;
/// `.1` to `.4` are kept.
pub const OLDEST: u32 = 4;
/// `UID-0.jsonl` to `UID-8.jsonl`.
pub const LAST_NAME: u32 = 8;

/// An append that succeeded.
#[derive(Debug)]
pub struct Appended {
    /// The file, to be synced.
    pub file: File,
    /// A name that could not be taken, and why.
    pub skipped: Option<(PathBuf, io::Error)>,
}

/// Appends one record, which ends with a newline, to the effective user's file in `directory`.
///
/// Waits for the disk: to be called in the background.
///
/// # Errors
/// The system's words for the last name that was tried: no such directory, a full disk, no permission.
pub fn append(directory: &Path, record: &[u8]) -> io::Result<Appended> {
    let mut skipped = None;
    let mut full = None;
    let uid = effective_user();
    for number in 0..=LAST_NAME {
        let path = name(directory, uid, number);
        match open(&path, uid).and_then(|file| make_room(file, &path, uid)) {
            Ok(Room::Here(file)) => return write(file, record, skipped),
            // Others have taken the names that it should be renamed to.
            Ok(Room::Full(file, error)) => {
                skipped.get_or_insert((path, error));
                full.get_or_insert(file);
            }
            Err(error) if is_final(&error) => return Err(error),
            Err(error) => {
                skipped.get_or_insert((path, error));
            }
        }
    }
    match (full, skipped) {
        // Rather too large than lost.
        (Some(file), skipped) => write(file, record, skipped),
        (None, Some((_, error))) => Err(error),
        (None, None) => Err(io::ErrorKind::NotFound.into()),
    }
}

/// A user's file: `UID-N.jsonl`.
#[must_use]
pub fn name(directory: &Path, uid: u32, number: u32) -> PathBuf {
    directory.join(format!("{uid}-{number}.jsonl"))
}

/// What the file was renamed to so many times ago: `UID-N.jsonl.1`; the file itself for 0.
#[must_use]
pub fn rotated(path: &Path, age: u32) -> PathBuf {
    if age == 0 {
        return path.to_owned();
    }
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{age}"));
    name.into()
}

/// Where a file stands.
enum Room {
    /// It takes the record.
    Here(File),
    /// It is full and cannot be renamed.
    Full(File, io::Error),
}

/// Another name would fare no better.
fn is_final(error: &io::Error) -> bool {
    use io::ErrorKind::{NotADirectory, NotFound, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    matches!(
        error.kind(),
        NotFound | NotADirectory | ReadOnlyFilesystem | StorageFull | QuotaExceeded
    )
}

/// Opens the user's file, or creates it. Another user's file is refused.
fn open(path: &Path, uid: u32) -> io::Result<File> {
    let file = open_for_append(path, 0o600)?;
    if is_ours(&file.metadata()?, uid) {
        Ok(file)
    } else {
        Err(io::Error::other(
            "it is another user's, or not a regular file with one link",
        ))
    }
}

fn is_ours(metadata: &Metadata, uid: u32) -> bool {
    metadata.is_file() && metadata.nlink() == 1 && metadata.uid() == uid
}

/// The file, or a new one in its place where it is full.
fn make_room(mut file: File, path: &Path, uid: u32) -> io::Result<Room> {
    while file.metadata()?.len() >= LARGEST {
        // Closing the file releases the lock.
        if !lock::try_exclusive(&file).is_ok_and(|taken| taken) {
            // Another one is just renaming it. What we append is found in `.1`.
            return Ok(Room::Here(file));
        }
        if is_still(&file, path) {
            if let Err(error) = rotate(path, uid) {
                return Ok(Room::Full(file, error));
            }
        }
        file = open(path, uid)?;
    }
    Ok(Room::Here(file))
}

/// Whether the path still leads to this file: it may have been renamed before we had the lock.
fn is_still(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(ours), Ok(there)) => (ours.dev(), ours.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

/// Renames the file to `.1` after those before it. A crash between two renames leaves a gap, and the next rotation stops
/// there, so that nothing is renamed over anything.
fn rotate(path: &Path, uid: u32) -> io::Result<()> {
    let ages = 1..=OLDEST;
    let gap = ages
        .clone()
        .find(|age| fs::symlink_metadata(rotated(path, *age)).is_err());
    for age in 1..gap.unwrap_or(OLDEST + 1) {
        if !is_ours(&fs::symlink_metadata(rotated(path, age))?, uid) {
            return Err(io::Error::other(format!(
                "{} is another user's",
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

/// One write(2), with a newline before it where a crash or a full disk has cut the last record.
fn write(mut file: File, record: &[u8], skipped: Option<(PathBuf, io::Error)>) -> io::Result<Appended> {
    let length = file.metadata()?.len();
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
    Ok(Appended { file, skipped })
}

#[cfg(test)]
mod tests;
