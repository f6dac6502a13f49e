//! The rcron jobs of this server: its crontabs, as root reads them, and the lines in them that call rcron.
//!
//! Any user may have written a crontab, so nothing here waits, follows a user's links to another place, or grows without bound.
#![forbid(unsafe_code)]

pub mod cron;
pub mod files;
mod fingerprint;
pub mod hash;
mod limits;
mod line;
mod read;
pub mod rejection;
pub mod rights;
pub mod root;
mod settings;
pub mod unread;
pub mod users;
mod zones;

pub use limits::Limits;
pub use line::JobLine;
pub use settings::Unsettled;

use policy::time_zone::Zone;
use root::Root;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use unread::Unread;

/// Where the lines of each user and job name are.
type Places = BTreeMap<(Arc<[u8]>, Vec<u8>), Vec<usize>>;

/// The lines that call rcron in the crontabs that cron reads.
#[derive(Debug)]
pub struct Jobs {
    lines: Vec<JobLine>,
    named: Places,
    /// The names of the users, by their numbers.
    users: BTreeMap<u32, BTreeSet<Arc<[u8]>>>,
    unread: Vec<Unread>,
    system_zone: Zone,
    /// What the crontabs were before they were read.
    print: u64,
    /// The same of each configuration that they name.
    configurations: BTreeMap<PathBuf, u64>,
}

impl Jobs {
    /// Reads the crontabs. This takes time in proportion to what they contain, up to the limits: a server with many users may need
    /// seconds, so it is for a thread of its own. For all crontabs the process must be root's.
    #[must_use]
    pub fn read(root: &Root, limits: &Limits) -> Self {
        read::read(root, limits)
    }

    /// Whether the files are as they were when they were read. This looks at each, and reads none.
    #[must_use]
    pub fn is_current(&self, root: &Root) -> bool {
        let is_same = |(file, print): (&PathBuf, &u64)| fingerprint::of_file(root, file) == *print;
        fingerprint::of_crontabs(root) == self.print && self.configurations.iter().all(is_same)
    }

    /// The lines of a user's job in the cluster with this state file, and those of the same user and name whose cluster is not
    /// known: [`JobLine::config`] has the reason. A job whose ticks are claimed must have exactly one.
    #[must_use]
    pub fn lookup(&self, user: &[u8], name: &[u8], state_file: &[u8]) -> Vec<&JobLine> {
        let places = self.named.get(&(Arc::from(user), name.to_vec()));
        let lines = places.into_iter().flatten().map(|place| &self.lines[*place]);
        let may_be_meant = |line: &&JobLine| {
            let config = line.config.as_ref();
            !line.is_dry_run && config.map_or(true, |config| config.state_file == state_file)
        };
        lines.filter(may_be_meant).collect()
    }

    /// As [`Self::lookup`], for a user of whom only the number is known: SO_PEERCRED of unix(7). Several names may have one number.
    #[must_use]
    pub fn lookup_by_uid(&self, uid: u32, name: &[u8], state_file: &[u8]) -> Vec<&JobLine> {
        let users = self.users.get(&uid).into_iter().flatten();
        let found = users.flat_map(|user| self.lookup(user, name, state_file));
        found.collect()
    }

    /// All lines, in the order of the crontabs: the system's first, each crontab from its beginning.
    #[must_use]
    pub fn lines(&self) -> &[JobLine] {
        &self.lines
    }

    /// What could not be read, or was left out. The jobs there are not known.
    #[must_use]
    pub fn unread(&self) -> &[Unread] {
        &self.unread
    }

    /// cron's own time zone.
    #[must_use]
    pub fn system_zone(&self) -> &Zone {
        &self.system_zone
    }
}
