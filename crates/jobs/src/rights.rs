//! Whose rights a file is opened with. What an ordinary user's crontab names must not be shown to anybody else by root's check.

use nix::unistd::{Gid, Uid, getegid, geteuid, getgroups, getuid, setegid, seteuid, setgroups};
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

/// The rights to open a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rights {
    /// Those of this process. Root's lines are examined with them, and everything that root has configured.
    Own,
    /// Those of an ordinary user, if this process may take them: it must be root's.
    Of(Arc<Identity>),
}

/// An ordinary user.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity {
    /// For messages.
    pub name: String,
    /// The user.
    pub uid: u32,
    /// The user's own group.
    pub gid: u32,
    /// Without `gid`.
    pub groups: Vec<u32>,
}

impl Rights {
    /// Does something with these rights. An ordinary user who runs the check has only his own. All threads of the process get the
    /// rights, so this is for a program with one thread.
    ///
    /// # Errors
    /// The rights cannot be taken. Nothing was done then.
    pub fn with<T>(&self, act: impl FnOnce() -> T) -> io::Result<T> {
        let Self::Of(identity) = self else { return Ok(act()) };
        if !geteuid().is_root() {
            return Ok(act());
        }
        let _taken = Taken::take(identity)?;
        Ok(act())
    }

    /// Whether they are those of an ordinary user whom this process cannot become. The real user stays while rights are taken.
    pub fn are_out_of_reach(&self) -> bool {
        *self != Self::Own && !getuid().is_root()
    }
}

impl Identity {
    /// Whether the mode of a file lets this user read it: for a process that cannot take the user's rights.
    #[must_use]
    pub fn may_read(&self, metadata: &Metadata) -> bool {
        self.has(0o444, metadata)
    }

    /// Whether the mode of a directory lets this user look up a name in it.
    #[must_use]
    pub fn may_search(&self, metadata: &Metadata) -> bool {
        self.has(0o111, metadata)
    }

    /// Whether the mode has a right for this user, which is given for owner, group and others.
    fn has(&self, right: u32, metadata: &Metadata) -> bool {
        let is_member = self.gid == metadata.gid() || self.groups.contains(&metadata.gid());
        let bit = match () {
            () if self.uid == metadata.uid() => 0o700,
            () if is_member => 0o070,
            () => 0o007,
        };
        metadata.mode() & right & bit != 0
    }
}

/// Gives the rights back when it is dropped.
struct Taken {
    gid: Gid,
    groups: Vec<Gid>,
}

impl Taken {
    /// The user comes last: only root may change groups. A change that fails half-way is undone by the drop.
    fn take(identity: &Identity) -> io::Result<Self> {
        let taken = Self {
            gid: getegid(),
            groups: getgroups()?,
        };
        let groups = identity.groups.iter().chain([&identity.gid]);
        let groups: Vec<Gid> = groups.map(|gid| Gid::from_raw(*gid)).collect();
        setgroups(&groups)?;
        setegid(Gid::from_raw(identity.gid))?;
        seteuid(Uid::from_raw(identity.uid))?;
        Ok(taken)
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let restored = seteuid(Uid::from_raw(0))
            .and_then(|()| setegid(self.gid))
            .and_then(|()| setgroups(&self.groups));
        if restored.is_err() {
            std::process::abort(); // the rest of the report would be about another user's view
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    fn identity(uid: u32, gid: u32, groups: &[u32]) -> Identity {
        Identity {
            name: "alice".to_owned(),
            uid,
            gid,
            groups: groups.to_vec(),
        }
    }

    #[test]
    fn mode_decides_for_owner_group_or_others() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let (me, mine) = (geteuid().as_raw(), getegid().as_raw());
        for (mode, owner, member, other) in [
            (0o400, true, false, false),
            (0o040, false, true, false),
            (0o004, false, false, true),
            (0o644, true, true, true),
        ] {
            file.as_file()
                .set_permissions(Permissions::from_mode(mode))
                .expect("chmod");
            let metadata = file.as_file().metadata().expect("there");
            assert_eq!(identity(me, 9, &[]).may_read(&metadata), owner, "{mode:o}");
            assert_eq!(identity(me + 1, mine, &[]).may_read(&metadata), member, "{mode:o}");
            assert_eq!(
                identity(me + 1, mine + 1, &[mine]).may_read(&metadata),
                member,
                "{mode:o}"
            );
            assert_eq!(identity(me + 1, mine + 1, &[]).may_read(&metadata), other, "{mode:o}");
        }
    }
}
