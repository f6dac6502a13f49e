//! Who may do what to a file, from its owner and mode.

use super::finding::Severity;
use super::root::Root;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

/// The part of an inode that says who may do what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Access {
    pub(crate) owner: u32,
    group: u32,
    pub(crate) mode: u32,
}

impl From<&Metadata> for Access {
    fn from(metadata: &Metadata) -> Self {
        Self {
            owner: metadata.uid(),
            group: metadata.gid(),
            mode: metadata.mode() & 0o7777,
        }
    }
}

impl Access {
    /// Who may write besides the owner, in words; everybody is wrong, a group may be meant.
    pub(crate) fn writers(self, root: &Root) -> Option<(Severity, String)> {
        if self.mode & 0o002 != 0 {
            Some((
                Severity::Wrong,
                format!("everybody may write it (mode {:04o})", self.mode),
            ))
        } else if self.mode & 0o020 != 0 && self.group != root.group && self.group != 0 {
            let text = format!("its group, {}, may write it (mode {:04o})", self.group, self.mode);
            Some((Severity::Doubtful, text))
        } else {
            None
        }
    }

    pub(crate) fn is_roots(self, root: &Root) -> bool {
        self.owner == root.owner || self.owner == 0
    }

    pub(crate) fn is_executable(self) -> bool {
        self.mode & 0o111 != 0
    }

    pub(crate) fn everybody_may_read(self) -> bool {
        self.mode & 0o004 != 0
    }

    pub(crate) fn everybody_may_search(self) -> bool {
        self.mode & 0o001 != 0
    }
}
