//! Reading small files without ever waiting, even if another user replaced them by a FIFO or a device.

use std::ffi::OsStr;
use std::fmt;
use std::fs::{File, FileType, Metadata, OpenOptions, Permissions};
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

/// The beginning of a regular file.
#[derive(Debug)]
pub struct Contents {
    /// At most as many bytes as requested.
    pub bytes: Vec<u8>,
    /// When it was last modified, since 1970-01-01 UTC.
    pub modified: Duration,
    /// It has no name any more: it was removed, or another file was renamed over it. A mount of the single file still leads to it.
    pub is_removed: bool,
}

/// Why a file cannot be read.
#[derive(Debug)]
pub enum Unreadable {
    /// The file does not exist.
    Missing,
    /// It is this kind of file, not a regular one.
    NotRegular(&'static str),
    /// The system's error.
    System(io::Error),
}

/// Reads up to `limit` bytes of a regular file; a symbolic link is followed.
///
/// A FIFO, a device or a directory is rejected before it is opened: opening it may wait for a writer, or rewind a tape.
///
/// # Errors
/// [`Unreadable`].
pub fn read_beginning(path: &OsStr, limit: usize) -> Result<Contents, Unreadable> {
    let (file, _) = open_regular(Path::new(path), Links::Followed)?;
    contents(file, limit)
}

/// Reads up to `limit` bytes of a file that is open, if it is a regular one.
///
/// # Errors
/// [`Unreadable`].
pub fn contents(file: File, limit: usize) -> Result<Contents, Unreadable> {
    let metadata = file.metadata()?;
    regular(&metadata)?;
    let mut bytes = Vec::new();
    let expected = usize::try_from(metadata.len()).unwrap_or(limit);
    bytes.reserve_exact(expected.min(limit) + 1);
    let most = u64::try_from(limit).unwrap_or(u64::MAX);
    file.take(most).read_to_end(&mut bytes)?;
    Ok(Contents {
        bytes,
        modified: modified(&metadata),
        is_removed: metadata.nlink() == 0,
    })
}

/// Reads a file of `/proc` in one read(2), which returns all of it if the buffer is large enough. (The standard library's buffer grows
/// from 32 bytes, and the kernel may have to compose the text again for each read.) `None` if it cannot be read.
pub(crate) fn read_proc<'b>(path: &str, buffer: &'b mut [u8]) -> Option<&'b [u8]> {
    let length = File::open(path).ok()?.read(buffer).ok()?;
    buffer.get(..length)
}

/// What to do with a symbolic link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// The file that it leads to is opened.
    Followed,
    /// It is rejected: another user may have created it.
    Refused,
}

/// Opens a regular file for reading, as [`read_beginning`] does.
///
/// # Errors
/// [`Unreadable`].
pub fn open_regular(path: &Path, links: Links) -> Result<(File, Metadata), Unreadable> {
    let metadata = match links {
        Links::Followed => std::fs::metadata(path)?,
        Links::Refused => std::fs::symlink_metadata(path)?,
    };
    regular(&metadata)?;
    let file = open(path, links)?;
    // Check again what was opened: it may be another file by now.
    let metadata = file.metadata()?;
    regular(&metadata)?;
    Ok((file, metadata))
}

/// Opens a file for reading and appending, or creates it with exactly this mode, whatever the umask. A symbolic link is not followed,
/// and a FIFO is not waited for. The caller must check that it is a regular file, and its owner.
///
/// # Errors
/// The system's.
pub fn open_for_append(path: &Path, mode: u32) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options
        .read(true)
        .append(true)
        .mode(mode)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY);
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => match options.create_new(true).open(path) {
            // Another process created it meanwhile.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => options.create_new(false).open(path),
            created => {
                let created = created?;
                created.set_permissions(Permissions::from_mode(mode))?;
                Ok(created)
            }
        },
        opened => opened,
    }
}

/// Opens a file without waiting for a writer, without acquiring a controlling terminal, and not as descriptor 0, 1 or 2.
fn open(path: &Path, links: Links) -> io::Result<File> {
    let no_link = match links {
        Links::Followed => 0,
        Links::Refused => libc::O_NOFOLLOW,
    };
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY | no_link)
        .open(path)?;
    let descriptor: OwnedFd = file.into();
    crate::own(std::os::fd::IntoRawFd::into_raw_fd(descriptor)).map(File::from)
}

/// Whether it is a regular file.
///
/// # Errors
/// [`Unreadable::NotRegular`].
pub fn regular(metadata: &Metadata) -> Result<(), Unreadable> {
    if metadata.is_file() {
        Ok(())
    } else {
        Err(Unreadable::NotRegular(kind(metadata.file_type())))
    }
}

pub(crate) fn kind(file_type: FileType) -> &'static str {
    if file_type.is_dir() {
        "a directory"
    } else if file_type.is_symlink() {
        "a symbolic link"
    } else if file_type.is_fifo() {
        "a FIFO"
    } else if file_type.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

fn modified(metadata: &Metadata) -> Duration {
    let seconds = u64::try_from(metadata.mtime()).unwrap_or_default();
    Duration::new(seconds, u32::try_from(metadata.mtime_nsec()).unwrap_or_default())
}

impl From<io::Error> for Unreadable {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::NotFound {
            Self::Missing
        } else {
            Self::System(error)
        }
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => out.write_str("no such file"),
            Self::NotRegular(kind) => write!(out, "it is {kind}, not a regular file"),
            Self::System(error) => out.write_str(&crate::output::error_text(error)),
        }
    }
}
