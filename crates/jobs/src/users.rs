//! The users of the examined system, from its passwd(5) and group(5): a static program cannot ask the name service, and the name
//! service of this system knows nothing of another one.

use crate::rights::{Identity, Rights};
use crate::root::Root;
use crate::unread::Unread;
use policy::display::escaped;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use sys::file::Unreadable;

/// In bytes, of passwd and of group: more than a hundred thousand users.
const LARGEST: usize = 16 << 20;

/// The users of a system.
#[derive(Debug, Default)]
pub struct Users {
    known: BTreeMap<Vec<u8>, User>,
    /// Whether all users are in passwd(5): no other source is configured in nsswitch.conf(5), and the file could be read.
    are_complete: bool,
}

/// A user that a crontab names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum User {
    /// This user has these rights.
    Known(Rights),
    /// Certainly none.
    None,
    /// Perhaps known to a directory service that cannot be asked here. Or there are no rights that could be taken for this user.
    Unknown,
}

impl Users {
    /// Reads them. What could not be read is added to `unread`.
    pub fn read(root: &Root, unread: &mut Vec<Unread>) -> Self {
        let Some(passwd) = contents(root, "/etc/passwd", unread) else {
            return Self::default();
        };
        let group = contents(root, "/etc/group", unread).unwrap_or_default();
        let memberships = memberships(&group);
        let mut known = BTreeMap::new();
        for (name, uid, gid) in lines(&passwd).filter_map(account) {
            let user = match uid {
                0 => User::Known(Rights::Own),
                // Everything in an image that a user has unpacked is this user's: his rights would open all of it.
                _ if uid == root.owner => User::Unknown,
                _ => User::Known(Rights::Of(Arc::new(Identity {
                    name: escaped(name).into_owned(),
                    uid,
                    gid,
                    groups: memberships.get(name).cloned().unwrap_or_default(),
                }))),
            };
            known.entry(name.to_owned()).or_insert(user);
        }
        let has_imports = lines(&passwd).any(|line| line.starts_with(b"+"));
        Self {
            known,
            are_complete: !has_imports && is_local_only(root),
        }
    }

    /// The user of this name.
    #[must_use]
    pub fn find(&self, name: &[u8]) -> User {
        match self.known.get(name) {
            Some(user) => user.clone(),
            None if self.are_complete => User::None,
            None => User::Unknown,
        }
    }

    /// The rights of the user who has written a file.
    #[must_use]
    pub fn owner(&self, uid: u32, gid: u32) -> Rights {
        let known = self.known.values().find_map(|user| match user {
            User::Known(rights @ Rights::Of(identity)) if identity.uid == uid => Some(rights.clone()),
            _ => None,
        });
        known.unwrap_or_else(|| {
            Rights::Of(Arc::new(Identity {
                name: format!("user {uid}"),
                uid,
                gid,
                groups: Vec::new(),
            }))
        })
    }
}

fn contents(root: &Root, file: &str, unread: &mut Vec<Unread>) -> Option<Vec<u8>> {
    let located = root.locate(Path::new(file)).ok()?;
    match located.read(LARGEST) {
        Ok(contents) => Some(contents.bytes),
        Err(Unreadable::Missing) => None,
        Err(error) => {
            unread.push(Unread::File(located.outside, error));
            None
        }
    }
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n')
}

/// `name:password:uid:gid:…`
fn account(line: &[u8]) -> Option<(&[u8], u32, u32)> {
    let mut fields = line.split(|byte| *byte == b':');
    let name = fields.next().filter(|name| !name.is_empty())?;
    Some((name, number(fields.nth(1)?)?, number(fields.next()?)?))
}

/// The groups of each user: `name:password:gid:user,user`
fn memberships(group: &[u8]) -> BTreeMap<&[u8], Vec<u32>> {
    let mut memberships: BTreeMap<&[u8], Vec<u32>> = BTreeMap::new();
    for line in lines(group) {
        let mut fields = line.split(|byte| *byte == b':');
        let (Some(gid), Some(users)) = (fields.nth(2).and_then(number), fields.next()) else {
            continue;
        };
        for user in users.split(|byte| *byte == b',') {
            memberships.entry(user).or_default().push(gid);
        }
    }
    memberships
}

fn number(text: &[u8]) -> Option<u32> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Without the file, or without a line for passwd, the C library reads the files only.
fn is_local_only(root: &Root) -> bool {
    let Ok(located) = root.locate(Path::new("/etc/nsswitch.conf")) else {
        return false;
    };
    let text = match located.read(LARGEST) {
        Ok(contents) => contents.bytes,
        Err(error) => return matches!(error, Unreadable::Missing),
    };
    let Some(sources) = lines(&text).find_map(|line| line.trim_ascii().strip_prefix(b"passwd:")) else {
        return true;
    };
    let sources = sources.split(|byte| *byte == b'#').next().unwrap_or_default();
    let mut words = sources.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    // nss-systemd(8) adds the users of running units and containers, which have no crontabs.
    words.all(|word| matches!(word, b"files" | b"compat" | b"db" | b"systemd") || word.starts_with(b"["))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\nbroken\ntoor:x:0:0:::\n\
                          alice:x:0:0:again::\n";

    fn users(passwd: Option<&str>, nsswitch: Option<&str>) -> Users {
        let tree = tempfile::tempdir().expect("a directory");
        let etc = tree.path().join("etc");
        fs::create_dir(&etc).expect("made");
        for (name, text) in [
            ("passwd", passwd),
            ("group", Some("a:x:1:bob\nb:x:2:bob,alice\nc:x:3:\nd:x:4:alice\n")),
            ("nsswitch.conf", nsswitch),
        ] {
            if let Some(text) = text {
                fs::write(etc.join(name), text).expect("written");
            }
        }
        Users::read(&Root::new(Some(tree.path())).expect("a root"), &mut Vec::new())
    }

    #[test]
    fn users_are_found_with_their_groups() {
        let users = users(Some(PASSWD), None);
        let User::Known(Rights::Of(alice)) = users.find(b"alice") else {
            panic!("{users:?}");
        };
        assert_eq!(
            (alice.uid, alice.gid, alice.groups.as_slice()),
            (1000, 1000, &[2, 4][..])
        );
        assert_eq!(users.find(b"root"), User::Known(Rights::Own));
        assert_eq!(users.find(b"toor"), User::Known(Rights::Own));
        assert_eq!(users.find(b"broken"), User::None);
        assert_eq!(users.owner(1000, 7), Rights::Of(alice));
        assert!(matches!(users.owner(1001, 7), Rights::Of(other) if (other.uid, other.gid) == (1001, 7)));
    }

    #[test]
    fn users_of_a_directory_service_are_not_denied() {
        for (nsswitch, user) in [
            (Some("group: sss\npasswd:\tfiles systemd # sss\n"), User::None),
            (Some("passwd: files [NOTFOUND=return] sss\n"), User::Unknown),
            (Some("passwd: files ldap\n"), User::Unknown),
            (Some("shadow: files\n"), User::None),
            (None, User::None),
        ] {
            assert_eq!(users(Some(PASSWD), nsswitch).find(b"carol"), user, "{nsswitch:?}");
        }
        let imported = format!("{PASSWD}+@staff::::::\n");
        assert_eq!(users(Some(&imported), None).find(b"carol"), User::Unknown);
        assert_eq!(users(None, None).find(b"root"), User::Unknown);
    }
}
