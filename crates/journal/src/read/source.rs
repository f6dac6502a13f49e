//! The places of journals, and which files of whom are in them.

use super::limits::MOST_FILES;
use super::unseen::{Notes, Unseen};
use super::users;
use crate::names::{self, LAST_NUMBER, OLDEST};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use sys::environment;

/// How many names of a directory are looked at. Beyond that, only the names of known users are.
const MOST_NAMES: usize = 1_000_000;
/// The names of one user, one bit for each number and age.
const ALL_NAMES: u64 = (1 << (NUMBERS * AGES)) - 1;
const NUMBERS: u32 = LAST_NUMBER + 1;
const AGES: u32 = OLDEST + 1;

/// A journal to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// This server's directory, by its configuration.
    Own(PathBuf),
    /// A directory or a file that the user named, which may be a copy from another server.
    Named(PathBuf),
    /// What `rcronctl export` wrote on another server. What it says about unfinished runs is believed.
    Exported {
        /// The name of that server, for the user.
        host: String,
        /// The file with the records.
        file: PathBuf,
    },
}

/// The files of one owner, or of copies that may overlap.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) names: Vec<Names>,
}

/// Names of one user in one directory, or one file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names {
    /// Index of the source.
    pub(super) source: u16,
    /// `None` for a file of any name.
    pub(super) user: Option<u32>,
    /// Bit `number * AGES + age`; 1 for a file of any name.
    bits: u64,
}

/// A file of a journal, by the name that it had when the directory was listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileName {
    pub(super) source: u16,
    /// The user in the name; `None` for a file of any name.
    pub(super) user: Option<u32>,
    pub(super) number: u8,
    pub(super) age: u8,
}

/// What the sources have.
#[derive(Default)]
pub(super) struct Listing {
    pub(super) groups: Vec<Group>,
    /// Whether a directory could not be listed, so that only the files of this user can be found.
    pub(super) is_only_own: bool,
}

impl Source {
    /// The directory or file.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Own(path) | Self::Named(path) | Self::Exported { file: path, .. } => path,
        }
    }

    /// The name of the server that exported it.
    pub(super) fn host(&self) -> Option<&str> {
        match self {
            Self::Exported { host, .. } => Some(host),
            Self::Own(_) | Self::Named(_) => None,
        }
    }

    pub(super) fn is_own(&self) -> bool {
        matches!(self, Self::Own(_))
    }
}

impl Group {
    /// One file of any name.
    fn of_file(source: u16) -> Self {
        Self {
            names: vec![Names {
                source,
                user: None,
                bits: 1,
            }],
        }
    }

    /// `None` for files of any name.
    pub(super) fn owner(&self) -> Option<u32> {
        self.names.first().and_then(|names| names.user)
    }
}

impl Names {
    /// The newest file of each number comes first.
    pub(super) fn files(self) -> impl Iterator<Item = FileName> {
        let bits = (0..NUMBERS * AGES).filter(move |bit| self.bits & 1 << bit != 0);
        bits.map(move |bit| FileName {
            source: self.source,
            user: self.user,
            number: u8::try_from(bit / AGES).unwrap_or_default(),
            age: u8::try_from(bit % AGES).unwrap_or_default(),
        })
    }

    fn count(self) -> usize {
        self.bits.count_ones() as usize
    }
}

impl FileName {
    pub(super) fn path(self, sources: &[Source]) -> PathBuf {
        let source = sources[usize::from(self.source)].path();
        match self.user {
            Some(user) => names::rotated(&names::path(source, user, u32::from(self.number)), u32::from(self.age)),
            None => source.to_owned(),
        }
    }

    /// The same for a message: the file of an export has a name that means nothing to the user.
    pub(super) fn shown(self, sources: &[Source]) -> PathBuf {
        let host = sources[usize::from(self.source)].host();
        host.map_or_else(|| self.path(sources), PathBuf::from)
    }
}

/// Lists the files of all sources, by their owners: root first.
pub(super) fn list(sources: &[Source], notes: &mut Notes) -> Listing {
    let mut listing = Listing::default();
    let mut groups: BTreeMap<Option<u32>, Group> = BTreeMap::new();
    // Each export is a group of its own: no server can end or hide a run of another.
    let mut exported = Vec::new();
    for (index, source) in sources.iter().enumerate() {
        let Ok(index) = u16::try_from(index) else { break };
        if source.host().is_some() {
            exported.push(Group::of_file(index));
            continue;
        }
        let users = match list_source(source, notes) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                // Only root can list a directory of mode 1733. Other users know the names of their own files.
                listing.is_only_own = true;
                only_own(source, notes)
            }
            Err(error) => {
                notes.fail(source.path(), sys::output::error_text(&error));
                continue;
            }
            Ok(users) => users,
        };
        for (user, bits) in users {
            let names = Names {
                source: index,
                user,
                bits,
            };
            groups.entry(user).or_default().names.push(names);
        }
    }
    drop_highest(&mut groups, notes);
    // The copies of one journal may have different names.
    if sources.len() - exported.len() > 1 && groups.contains_key(&None) {
        let names = groups.into_values().flat_map(|group| group.names).collect();
        listing.groups = vec![Group { names }];
    } else {
        listing.groups = groups.into_values().collect();
    }
    listing.groups.extend(exported);
    listing
}

fn list_source(source: &Source, notes: &mut Notes) -> io::Result<BTreeMap<Option<u32>, u64>> {
    if !source.is_own() && source.path().metadata()?.is_file() {
        return Ok(BTreeMap::from([(None, 1)]));
    }
    let mut found = Found::default();
    for (count, entry) in fs::read_dir(source.path())?.enumerate() {
        if count == MOST_NAMES {
            notes.add(Unseen::TooManyNames(source.path().to_owned()));
            for user in users::known() {
                found.add_all(source, user);
            }
            break;
        }
        if let Some(name) = names::parse(&entry?.file_name()) {
            found.add(source, name);
        }
    }
    Ok(found.into_users(source, notes))
}

fn only_own(source: &Source, notes: &mut Notes) -> BTreeMap<Option<u32>, u64> {
    let mut found = Found::default();
    found.add_all(source, environment::effective_user());
    found.into_users(source, notes)
}

/// Names in a directory.
#[derive(Default)]
struct Found {
    files: usize,
    users: BTreeMap<u32, u64>,
    /// Which of the names of current files other users have taken.
    taken: BTreeMap<u32, u64>,
    omitted: usize,
}

impl Found {
    fn add_all(&mut self, source: &Source, user: u32) {
        for number in 0..NUMBERS {
            for age in 0..AGES {
                self.add(source, (user, number, age));
            }
        }
    }

    fn add(&mut self, source: &Source, (user, number, age): (u32, u32, u32)) {
        let path = names::rotated(&names::path(source.path(), user, number), age);
        let Ok(metadata) = fs::symlink_metadata(path) else {
            return;
        };
        let bit = 1 << (number * AGES + age);
        // Reading refuses what is not a regular file with one link, and says so.
        if source.is_own() && metadata.uid() != user {
            if age == 0 && self.taken.len() < MOST_FILES {
                *self.taken.entry(user).or_default() |= bit;
            }
            return;
        }
        let bits = self.users.entry(user).or_default();
        self.files += usize::from(*bits & bit == 0);
        *bits |= bit;
        while self.files > MOST_FILES && self.users.len() > 1 {
            let omitted = self.users.pop_last().map_or(0, |(_, bits)| bits.count_ones() as usize);
            self.files -= omitted;
            self.omitted += omitted;
        }
    }

    fn into_users(self, source: &Source, notes: &mut Notes) -> BTreeMap<Option<u32>, u64> {
        let all_current = (0..NUMBERS).fold(0, |bits, number| bits | 1 << (number * AGES));
        // Root takes its names back where it can.
        let takes_back =
            fs::metadata(source.path()).is_ok_and(|metadata| metadata.uid() == 0 && metadata.mode() & 0o1000 != 0);
        let is_all = |(user, bits): &(&u32, &u64)| **bits == all_current && (**user != 0 || !takes_back);
        for (user, _) in self.taken.iter().filter(is_all) {
            notes.add(Unseen::NamesTaken(source.path().to_owned(), *user));
        }
        if self.omitted > 0 {
            notes.add(Unseen::TooManyFiles(self.omitted));
        }
        self.users
            .into_iter()
            .map(|(user, bits)| (Some(user), bits & ALL_NAMES))
            .collect()
    }
}

/// Several directories together may have too many files.
fn drop_highest(groups: &mut BTreeMap<Option<u32>, Group>, notes: &mut Notes) {
    let count = |group: &Group| group.names.iter().map(|names| names.count()).sum::<usize>();
    let mut files: usize = groups.values().map(count).sum();
    let mut omitted = 0;
    while files > MOST_FILES {
        let Some((_, group)) = groups.pop_last() else { break };
        files -= count(&group);
        omitted += count(&group);
    }
    if omitted > 0 {
        notes.add(Unseen::TooManyFiles(omitted));
    }
}
