//! Taking back a name of root's that another user took: docs/design/journal.md, "Names that another user took".

use super::{Opened, Taken};
use crate::names::{self, LAST_NUMBER};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use sys::environment::effective_user;
use sys::{lock, poll};

/// How often the other user may be quicker, for each name.
const TRIES: u32 = 20;
/// How often, and how long each time, to wait for another process of root's that takes a name back.
const LOCK_TRIES: u32 = 50;
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// Opens the user's file. What another user created under this name is set aside first, if that is possible.
pub(super) fn open(directory: &Path, path: &Path, uid: u32, taken: &mut Option<Taken>) -> io::Result<Opened> {
    for _ in 0..TRIES {
        let error = match super::open(path, uid) {
            Err(error) if !super::is_final(&error) => error,
            opened => return opened,
        };
        match set_aside(directory, path) {
            Ok(Some(aside)) => {
                taken.get_or_insert(Taken::SetAside(path.to_owned(), aside));
            }
            // It is gone already.
            Ok(None) => {}
            Err(_) => return Err(error),
        }
    }
    super::open(path, uid)
}

/// Renames what another user created under one of root's names. Returns the new name; `None` if there is nothing of another user.
///
/// # Errors
/// Only root can do that, only in a directory that belongs to root and has the sticky bit, and only one process at a time.
pub fn set_aside(directory: &Path, path: &Path) -> io::Result<Option<PathBuf>> {
    if effective_user() != 0 {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.uid() == 0 => return Err(io::ErrorKind::AlreadyExists.into()),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    }
    let _lock = lock(directory)?;
    let aside = aside(path);
    match fs::rename(path, &aside) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        renamed => renamed?,
    }
    if fs::symlink_metadata(&aside)?.uid() == 0 {
        // The user removed his file, and another process of root's has created one.
        put_back(directory, path, &aside)?;
        return Ok(None);
    }
    Ok(Some(aside))
}

/// Users cannot open a directory of mode 1733, so they cannot hold this lock.
fn lock(directory: &Path) -> io::Result<File> {
    let file = File::open(directory)?;
    let metadata = file.metadata()?;
    if metadata.uid() != 0 || metadata.mode() & 0o1000 == 0 {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    for _ in 0..LOCK_TRIES {
        if lock::try_exclusive(&file)? {
            return Ok(file);
        }
        poll::until_ready(&[], Some(LOCK_PAUSE));
    }
    Err(io::ErrorKind::WouldBlock.into())
}

/// `NAME.taken.XXXXXX`: no name of a journal.
fn aside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".taken.");
    for byte in &sys::random::ten_bytes()[..3] {
        name.push(format!("{byte:02x}"));
    }
    name.into()
}

/// Gives root's own file its name again, or, if that has been taken meanwhile, the next free name of a journal.
fn put_back(directory: &Path, path: &Path, aside: &Path) -> io::Result<()> {
    let numbers = (0..=LAST_NUMBER).map(|number| names::path(directory, 0, number));
    let mut free = std::iter::once(path.to_owned())
        .chain(numbers)
        .filter(|name| fs::symlink_metadata(name).is_err());
    let free = free.next().ok_or(io::ErrorKind::AlreadyExists)?;
    fs::rename(aside, free)
}
