//! Makes the table from the files, again and again.

use crate::crontabs::CrontabJobs;
use crate::history::Histories;
use crate::marks::SeenRuns;
use crate::table::{Sources, Table};
use crate::users::Users;
use journal::tail::{Judge, Missed, Tail};
use journal::{Source, Unseen};
use policy::config::DEFAULT_JOURNAL;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use sys::{environment, poll};

/// A process in the background records the end a moment after the run has ended.
const JUST_ENDED: Duration = Duration::from_millis(100);

/// Whose jobs are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All users', as far as this process may read their journals.
    All,
    /// Only those of the effective user.
    Own,
}

/// Remembers what was read, so that only new records are read the next time.
#[derive(Debug)]
pub struct Collector {
    directories: Vec<PathBuf>,
    scope: Scope,
    tail: Tail,
    histories: Histories,
    seen: SeenRuns,
    users: Users,
    unseen: Vec<Unseen>,
}

impl Collector {
    /// For the jobs of these clusters, with their journals in these directories.
    #[must_use]
    pub fn new(clusters: &[String], directories: Vec<PathBuf>, scope: Scope) -> Self {
        let clusters = clusters.iter().map(|cluster| Arc::from(cluster.as_str())).collect();
        Self {
            tail: Tail::new(directories.iter().cloned().map(Source::Own).collect()),
            directories,
            scope,
            histories: Histories::new(clusters),
            seen: SeenRuns::default(),
            users: Users::default(),
            unseen: Vec::new(),
        }
    }

    /// Reads what is new. `now` is in microseconds since 1970. This reads files and looks at processes; the first time, it may take
    /// seconds.
    pub fn update(&mut self, crontabs: &CrontabJobs, now: i64) -> Table {
        let mut missed = self.read(crontabs, now);
        if self.judge() {
            poll::until_ready(&[], Some(JUST_ENDED));
            missed = self.read(crontabs, now);
        }
        if self.histories.has_interrupted() {
            self.seen.refresh(self.directories.iter().map(PathBuf::as_path));
        }
        self.users.refresh();
        let sources = Sources {
            histories: &self.histories,
            crontabs,
            only: (self.scope == Scope::Own).then(environment::effective_user),
            now,
        };
        let is_seen = |owner, run| self.seen.has(owner, run);
        let table = Table::build(&sources, |uid| self.users.name(uid), is_seen);
        let unlisted = if missed.is_only_own && self.scope == Scope::All {
            self.directories.len()
        } else {
            0
        };
        missed.unseen.retain(|unseen| !is_missing_default(unseen));
        self.unseen = missed.unseen;
        Table {
            unreadable: unlisted + self.unseen.iter().map(unreadable).sum::<usize>(),
            ..table
        }
    }

    /// What could not be read at the last update.
    #[must_use]
    pub fn unseen(&self) -> &[Unseen] {
        &self.unseen
    }

    fn read(&mut self, crontabs: &CrontabJobs, now: i64) -> Missed {
        let histories = &mut self.histories;
        self.tail.read(|news| histories.take(&news, crontabs, now))
    }

    fn judge(&mut self) -> bool {
        let mut judge = Judge::new();
        let files = self.tail.files();
        self.histories
            .judge(&files, |owner, _, origin| judge.fate(origin, owner))
    }
}

/// Whether it says that the default directory does not exist: then no journal is kept, which is not an error.
fn is_missing_default(unseen: &Unseen) -> bool {
    let Unseen::Unreadable(path, _) = unseen else {
        return false;
    };
    path.as_os_str().as_bytes() == DEFAULT_JOURNAL && !path.try_exists().unwrap_or(true)
}

/// How many files a note is about. A user who spoils his own file causes no alert.
fn unreadable(unseen: &Unseen) -> usize {
    match unseen {
        Unseen::Unreadable(..) | Unseen::Unusable(_, Some(0), _) => 1,
        Unseen::TooManyFiles(files) => *files,
        _ => 0,
    }
}
