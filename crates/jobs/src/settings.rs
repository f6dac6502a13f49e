//! The settings that rcron has in a line of a crontab.
//!
//! A user's job may name any file. It is read only if the user may read it, by the modes of the file and of the directories above
//! it: a daemon cannot take the user's rights for a while, since all of its threads would.

use crate::fingerprint;
use crate::rights::Rights;
use crate::root::Root;
use inputs::settings::{self, DEFAULT_FILE};
use policy::config::{Config, LARGEST_FILE};
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use sys::file::{Contents, Unreadable};

/// How many components a path has at most, after its links.
const DEEPEST: usize = 32;

/// How many components are looked up for one file, with those of its links. A path that takes more is not looked at again and again.
const LONGEST_WALK: usize = 500;

/// Why the settings of a line are not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsettled {
    /// The shell must expand an option first.
    Expansion,
    /// The configuration's name is relative to the user's home.
    Relative,
    /// The user may not read the configuration, or the user's rights are not known, or its path is unreasonably long.
    Denied,
    /// The configuration does not exist or cannot be read.
    Unreadable,
    /// rcron rejects the configuration or an option: it exits with 125.
    Rejected,
    /// The crontab names too many configurations.
    TooMany,
}

impl fmt::Display for Unsettled {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Expansion => "an option of rcron contains a variable or a command",
            Self::Relative => "the name of the configuration does not begin with a slash",
            Self::Denied => "the job's user may not read the configuration",
            Self::Unreadable => "the configuration cannot be read",
            Self::Rejected => "rcron rejects the configuration or an option",
            Self::TooMany => "the crontab names too many configurations",
        })
    }
}

type Known = Result<Arc<Config>, Unsettled>;

/// The configurations that were read.
#[derive(Debug, Default)]
pub(crate) struct Configurations {
    /// By the rights they were read with and their names.
    known: BTreeMap<(Rights, PathBuf), Known>,
    /// What each was when it was read.
    pub(crate) prints: BTreeMap<PathBuf, u64>,
}

impl Configurations {
    /// The settings of a line: its configuration and its `--option`s.
    pub(crate) fn settings(
        &mut self,
        root: &Root,
        rights: &Rights,
        conf: Option<&OsStr>,
        options: &[OsString],
        budget: &mut Budget,
    ) -> Known {
        let known = self.file(root, rights, conf, budget)?;
        if options.is_empty() {
            return Ok(known);
        }
        let mut config = Config::clone(&known);
        for option in options {
            config.set(option.as_bytes()).map_err(|_| Unsettled::Rejected)?;
        }
        Ok(Arc::new(config))
    }

    fn file(&mut self, root: &Root, rights: &Rights, conf: Option<&OsStr>, budget: &mut Budget) -> Known {
        let file = Path::new(conf.unwrap_or(OsStr::new(DEFAULT_FILE)));
        if !file.is_absolute() {
            return Err(Unsettled::Relative);
        }
        let key = (rights.clone(), file.to_owned());
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        budget.spend(root)?;
        let before = root.lookups.get();
        let print = fingerprint::of_file(root, file);
        if root.lookups.get() - before > LONGEST_WALK {
            self.known.insert(key, Err(Unsettled::Denied));
            return Err(Unsettled::Denied);
        }
        self.prints.entry(file.to_owned()).or_insert(print);
        let config = match read(root, rights, file) {
            Err(Unsettled::Unreadable) if conf.is_none() && is_missing(root, file) => Ok(Arc::default()),
            Ok(contents) => settings::interpret(file.as_os_str(), Ok(contents))
                .map(|settings| Arc::new(settings.config))
                .map_err(|_| Unsettled::Rejected),
            Err(why) => Err(why),
        };
        self.known.insert(key, config.clone());
        config
    }
}

/// How many configurations the jobs of one crontab may still name, and how many names may still be looked up for them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    files: usize,
    last_lookup: usize,
}

impl Budget {
    pub(crate) fn new(root: &Root, files: usize, lookups: usize) -> Self {
        Self {
            files,
            last_lookup: root.lookups.get().saturating_add(lookups),
        }
    }

    fn spend(&mut self, root: &Root) -> Result<(), Unsettled> {
        let files = self.files.checked_sub(1).ok_or(Unsettled::TooMany)?;
        self.files = files;
        if root.lookups.get() > self.last_lookup {
            return Err(Unsettled::TooMany);
        }
        Ok(())
    }
}

fn is_missing(root: &Root, file: &Path) -> bool {
    let Ok(located) = root.locate(file) else { return false };
    matches!(located.open(), Err(Unreadable::Missing))
}

fn read(root: &Root, rights: &Rights, file: &Path) -> Result<Contents, Unsettled> {
    let located = root.locate(file).map_err(|_| Unsettled::Unreadable)?;
    if let Rights::Of(identity) = rights {
        if located.inside.components().count() > DEEPEST {
            return Err(Unsettled::Denied);
        }
        for directory in located.inside.ancestors().skip(1) {
            let metadata = root.locate(directory).and_then(|located| located.metadata());
            if !metadata.is_ok_and(|metadata| identity.may_search(&metadata)) {
                return Err(Unsettled::Denied);
            }
        }
        let metadata = located.metadata().map_err(|_| Unsettled::Unreadable)?;
        if !identity.may_read(&metadata) {
            return Err(Unsettled::Denied);
        }
    }
    located.read(LARGEST_FILE + 1).map_err(|_| Unsettled::Unreadable)
}
