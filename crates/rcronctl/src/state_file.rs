//! Writing a state file by hand: where it really is, and whether it is ours to write.

use crate::failure::Failure;
use inputs::observe::{self, Observation};
use inputs::words;
use policy::config::Config;
use policy::moment::Moment;
use policy::state::{Lease, State};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use sys::replace;

/// A state file that may be written.
pub(crate) struct StateFile {
    /// No link.
    pub(crate) path: PathBuf,
    /// What it says now.
    pub(crate) before: Observation,
}

impl StateFile {
    /// Finds it. Refused without `force`: a link that anybody could have made, and a file that a living daemon keeps.
    pub(crate) fn find(config: &Config, force: bool) -> Result<Self, Failure> {
        let named = Path::new(OsStr::from_bytes(&config.state_file));
        let path = match replace::target(named) {
            Err(replace::Refused::ForeignLink(link)) if force => follow(&link)?,
            Err(refused @ replace::Refused::ForeignLink(_)) => {
                return Err(Failure::new(format!(
                    "{refused}; remove the link, or use --force to follow it"
                )));
            }
            Err(replace::Refused::NotRegular(_)) => {
                return Err(Failure::new(format!(
                    "{} is not a regular file: name another state_file",
                    named.display()
                )));
            }
            Err(replace::Refused::System(error)) => {
                return Err(Failure::of(format!("find {}", named.display()), &error));
            }
            Ok(path) => path,
        };
        let before = observe::observe(config);
        if let Some(owner) = living_owner(&before).filter(|_| !force) {
            return Err(Failure::new(format!(
                "{} is kept by {owner}, which would write it again within seconds: switch with keepalived or whoever it is (to drain this \
                 server: systemctl stop keepalived), or use --force",
                path.display()
            )));
        }
        Ok(Self { path, before })
    }

    /// What the file says, if it says anything.
    pub(crate) fn state(&self) -> Option<&State> {
        self.before.state()
    }
}

/// Who keeps the file, where a lease shows that he lives: a state that holds only for a while is renewed by somebody.
pub(crate) fn living_owner(observation: &Observation) -> Option<String> {
    let state = observation.state()?;
    let Lease::Until { end, boot } = &state.lease else {
        return None;
    };
    let moment: &Moment = &observation.moment;
    let holds = moment.boot_id.as_ref() == Some(boot) && *end > moment.boot;
    let name = state.by.as_ref().map_or("a daemon".to_owned(), |by| words::text_of(by));
    holds.then(|| {
        format!(
            "{name} (its lease holds for another {})",
            words::seconds(end.since(moment.boot))
        )
    })
}

/// The file behind a link, all the same.
fn follow(link: &Path) -> Result<PathBuf, Failure> {
    let found = link.canonicalize();
    found.map_err(|error| Failure::of(format!("follow the link {}", link.display()), &error))
}
