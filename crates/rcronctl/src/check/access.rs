//! Who can do what to a file, by its owner and mode.

use super::finding::{Finding, Place, Severity};
use super::kind::Kind;
use jobs::root::Root;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

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
    /// Who can write to it besides the owner: every user is wrong, a group may be intended.
    pub(crate) fn writers(self, root: &Root) -> Option<(Severity, String)> {
        if self.mode & 0o002 != 0 {
            let text = format!("every user can write to it (mode {:04o})", self.mode);
            Some((Severity::Wrong, text))
        } else if self.mode & 0o020 != 0 && self.group != root.group && self.group != 0 {
            let text = format!("its group, {}, can write to it (mode {:04o})", self.group, self.mode);
            Some((Severity::Doubtful, text))
        } else {
            None
        }
    }

    pub(crate) fn is_roots(self, root: &Root) -> bool {
        self.owner == root.owner || self.owner == 0
    }

    /// A hint that a file of root's belongs to another user.
    pub(crate) fn foreign_owner(self, kind: Kind, place: &Place) -> Finding {
        let what = format!("it belongs to user {}, not to root", self.owner);
        Finding::doubtful(kind, place, what, format!("chown root {place}"))
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
