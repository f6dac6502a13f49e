//! The files: the configuration itself, and those that it names.

use inputs::diagnostic::shown;
use nix::unistd::{getegid, geteuid, getgroups};
use std::fs::Metadata;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use sys::file::{Links, open_regular};
use sys::output::error_text;

/// A larger one is none of ours.
const LARGEST: u64 = 1 << 20;

/// A file's bytes, and who may do what with it.
pub(super) struct Contents {
    pub(super) bytes: Vec<u8>,
    pub(super) access: Access,
}

/// Reads a file whole. A link is followed; a FIFO or a device is refused, never waited for.
///
/// # Errors
/// The reason, as the end of a sentence.
pub(super) fn read(path: &Path) -> Result<Contents, String> {
    let (file, metadata) = open_regular(path, Links::Followed).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    file.take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| error_text(&error))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > LARGEST) {
        return Err("it is larger than 1 MiB".into());
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

    /// Who may read it besides root and us, as a sentence.
    pub(super) fn readers(self) -> Option<String> {
        self.others(0o040, 0o004, "read")
    }

    /// Who may write it besides root and us, as a sentence.
    pub(super) fn writers(self) -> Option<String> {
        if self.owner != 0 && self.owner != geteuid().as_raw() {
            return Some(format!("it belongs to user {}, not to root", self.owner));
        }
        self.others(0o020, 0o002, "write")
    }

    fn others(self, by_group: u32, by_all: u32, act: &str) -> Option<String> {
        let mode = self.mode;
        if mode & by_all != 0 {
            return Some(format!("everybody may {act} it (mode {mode:04o})"));
        }
        if mode & by_group != 0 && !is_own_group(self.group) {
            return Some(format!("its group, {}, may {act} it (mode {mode:04o})", self.group));
        }
        None
    }
}

/// A daemon that is not root reads its files by its group.
fn is_own_group(group: u32) -> bool {
    let others = getgroups().unwrap_or_default();
    group == 0 || group == getegid().as_raw() || others.iter().any(|own| own.as_raw() == group)
}
