//! Why cron ignores a whole crontab.

use crate::cron::Cron;
use crate::files::CrontabFile;
use crate::rights::Rights;
use crate::root::Root;
use crate::users::{User, Users};
use crontab::schedule::Dialect;
use std::os::unix::fs::MetadataExt;

/// Why cron ignores a file, by its owner, mode and name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// The symbolic link to a system crontab belongs to this user.
    LinkOwner(u32),
    /// Others can write to it, by this mode.
    Writable(u32),
    /// It belongs to this user, not to root.
    NotRoots(u32),
    /// It belongs to this user, not to the one whose crontab it is.
    Foreign(u32),
    /// There is no user of its name.
    NoUser,
    /// It has a mode that is not allowed.
    Mode {
        /// The mode.
        is: u32,
        /// The one that it should have.
        right: u32,
    },
    /// It has this many hard links.
    HardLinks(u64),
    /// Debian's cron reads no file of this name in /etc/cron.d.
    Name,
}

impl Rejection {
    /// `None` if cron reads the file. `dialect` is that of the cron whose rules apply.
    #[must_use]
    pub fn find(root: &Root, users: &Users, cron: &Cron, dialect: Dialect, file: &CrontabFile) -> Option<Self> {
        match file.user() {
            None => of_system(root, cron, dialect, file),
            Some(user) => of_user(root, users, dialect, file, user),
        }
    }
}

fn mode(file: &CrontabFile) -> u32 {
    file.metadata.mode() & 0o7777
}

fn of_system(root: &Root, cron: &Cron, dialect: Dialect, file: &CrontabFile) -> Option<Rejection> {
    let is_roots = |owner: u32| owner == 0 || owner == root.owner;
    if let Some(owner) = file.link_owner.filter(|owner| !is_roots(*owner)) {
        return Some(Rejection::LinkOwner(owner));
    }
    if mode(file) & 0o022 != 0 {
        return Some(Rejection::Writable(mode(file)));
    }
    if !is_roots(file.metadata.uid()) {
        return Some(Rejection::NotRoots(file.metadata.uid()));
    }
    match dialect {
        Dialect::Debian => by_links(file).or_else(|| by_name(cron, file)),
        Dialect::Cronie => by_mode(file, 0o644),
    }
}

fn of_user(root: &Root, users: &Users, dialect: Dialect, file: &CrontabFile, user: &[u8]) -> Option<Rejection> {
    let uid = match users.find(user) {
        User::None => return Some(Rejection::NoUser),
        User::Unknown => None,
        User::Known(Rights::Own) => Some(root.owner),
        User::Known(Rights::Of(identity)) => Some(identity.uid),
    };
    let owner = file.metadata.uid();
    if uid.is_some_and(|uid| owner != uid && owner != 0 && owner != root.owner) {
        return Some(Rejection::Foreign(owner));
    }
    let of_mode = match dialect {
        Dialect::Debian => (mode(file) != 0o600).then(|| Rejection::Mode {
            is: mode(file),
            right: 0o600,
        }),
        Dialect::Cronie => by_mode(file, 0o600),
    };
    of_mode.or_else(|| by_links(file))
}

/// cronie's rule for every crontab.
fn by_mode(file: &CrontabFile, right: u32) -> Option<Rejection> {
    let is = mode(file);
    (is & 0o7533 != 0o400).then_some(Rejection::Mode { is, right })
}

fn by_links(file: &CrontabFile) -> Option<Rejection> {
    let links = file.metadata.nlink();
    (links != 1).then_some(Rejection::HardLinks(links))
}

/// cron(8) of Debian: "must conform to the same naming convention as used by run-parts(8)".
fn by_name(cron: &Cron, file: &CrontabFile) -> Option<Rejection> {
    let name = file.inside.file_name().unwrap_or_default().as_encoded_bytes();
    let is_examined = file.is_drop_in() && !cron.has_lsb_names;
    (is_examined && !name.iter().copied().all(is_allowed_in_name)).then_some(Rejection::Name)
}

/// Whether Debian's cron reads a file in /etc/cron.d whose name has this byte.
#[must_use]
pub fn is_allowed_in_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}
