//! Reads the configuration, and the files that it names.

use inputs::diagnostic::shown;
use nix::unistd::{getegid, geteuid, getgroups};
use std::fmt;
use std::fs::Metadata;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use sys::file::{Links, Unreadable, open_regular};
use sys::output::error_text;

/// In bytes. No file of rcrond's is larger.
const MAX_SIZE: u64 = 1 << 20;

/// The content of a file, and who may read and write it.
pub(super) struct Contents {
    pub(super) bytes: Vec<u8>,
    pub(super) access: Access,
}

/// Why a file is not read.
#[derive(Debug)]
pub(super) enum ReadError {
    Open(Unreadable),
    System(io::Error),
    TooLarge,
}

impl fmt::Display for ReadError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(error) => error.fmt(out),
            Self::System(error) => out.write_str(&error_text(error)),
            Self::TooLarge => out.write_str("it is larger than 1 MiB"),
        }
    }
}

/// Reads a whole file. A link is followed. A FIFO or a device is an error, so that this does not wait.
///
/// # Errors
/// [`ReadError`].
pub(super) fn read(path: &Path) -> Result<Contents, ReadError> {
    let (file, metadata) = open_regular(path, Links::Followed).map_err(ReadError::Open)?;
    let mut bytes = Vec::new();
    file.take(MAX_SIZE + 1)
        .read_to_end(&mut bytes)
        .map_err(ReadError::System)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MAX_SIZE) {
        return Err(ReadError::TooLarge);
    }
    Ok(Contents {
        bytes,
        access: Access::of(&metadata),
    })
}

/// A path for a message.
pub(super) fn named(path: &Path) -> String {
    shown(path.as_os_str())
}

/// Owner, group and mode of a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Access {
    owner: u32,
    group: u32,
    mode: u32,
}

impl Access {
    fn of(metadata: &Metadata) -> Self {
        Self {
            owner: metadata.uid(),
            group: metadata.gid(),
            mode: metadata.mode() & 0o7777,
        }
    }

    /// A clause that says which other users than root and the daemon's may read the file.
    pub(super) fn readers(self) -> Option<String> {
        self.others(0o040, 0o004, "read")
    }

    /// A clause that says which other users than root and the daemon's may write the file.
    pub(super) fn writers(self) -> Option<String> {
        if self.owner != 0 && self.owner != geteuid().as_raw() {
            return Some(format!("it belongs to user {}, not to root", self.owner));
        }
        self.others(0o020, 0o002, "write")
    }

    fn others(self, by_group: u32, by_all: u32, act: &str) -> Option<String> {
        let mode = self.mode;
        if mode & by_all != 0 {
            return Some(format!("every user may {act} it (mode {mode:04o})"));
        }
        if mode & by_group != 0 && !is_own_group(self.group) {
            return Some(format!("its group, {}, may {act} it (mode {mode:04o})", self.group));
        }
        None
    }
}

/// A daemon that is not root may read its files through a group.
fn is_own_group(group: u32) -> bool {
    let others = getgroups().unwrap_or_default();
    group == 0 || group == getegid().as_raw() || others.iter().any(|own| own.as_raw() == group)
}
