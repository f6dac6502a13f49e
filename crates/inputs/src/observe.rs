//! The state file and the clocks, read together, and the decision that follows.

use crate::clock;
use crate::diagnostic::{Diagnostic, shown};
use crate::state_file::{self, Content};
use policy::config::Config;
use policy::decide::{self, Basis, Decision, Reading, Rules, Skip};
use policy::moment::Moment;
use policy::state::{NoState, State};
use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use sys::file::Unreadable;

/// What was read, when, and what follows from it.
pub struct Observation {
    /// What the state file said.
    pub reading: Reading,
    /// When the file was read.
    pub moment: Moment,
    /// What follows from it.
    pub decision: Decision,
    /// Why the reading contains no state; `None` if it contains one.
    pub obstacle: Option<Obstacle>,
}

/// Why there is no state.
#[derive(Debug)]
pub enum Obstacle {
    /// The file cannot be read.
    Unreadable(Unreadable),
    /// The file contains no state.
    NoState(NoState),
}

/// Reads the state file and decides. Used in the same way before a job is started and while it runs.
pub fn observe(config: &Config) -> Observation {
    observation(
        state_file::read(Path::new(OsStr::from_bytes(&config.state_file))),
        config,
    )
}

/// The same for a state file that the caller has read in its own way.
pub fn observation(read: Result<Content, Unreadable>, config: &Config) -> Observation {
    let (reading, obstacle) = match read {
        Ok(Content { is_removed: true, .. }) => (Reading::Removed, None),
        Ok(Content { state, modified, .. }) => {
            let obstacle = state.as_ref().err().copied().map(Obstacle::NoState);
            let content = state;
            (Reading::File { content, modified }, obstacle)
        }
        Err(error) => {
            let reading = match error {
                Unreadable::Missing => Reading::Missing,
                _ => Reading::Unreadable,
            };
            (reading, Some(Obstacle::Unreadable(error)))
        }
    };
    let boot_id = if reading.has_lease() { clock::boot_id() } else { None };
    let moment = Moment {
        boot: clock::boot_time(),
        wall: clock::wall_time(),
        boot_id,
    };
    let decision = decide::decide(&reading, &config.rules(), &moment);
    Observation {
        reading,
        moment,
        decision,
        obstacle,
    }
}

impl Observation {
    /// The warning if `default_state` decides: it names the file and what is wrong with it.
    pub fn default_warning(&self, config: &Config) -> Option<Diagnostic> {
        let is_default = matches!(
            self.decision,
            Decision::Run(Basis::Default) | Decision::Skip(Skip::PassiveByDefault)
        );
        let obstacle = self.obstacle.as_ref().filter(|_| is_default)?;
        let summary = format!(
            "cannot read the state from {}: {obstacle}; using default_state = {}",
            shown(OsStr::from_bytes(&config.state_file)),
            config.default_state.as_str()
        );
        let help = match self.reading {
            Reading::Unreadable => "it must be a regular file that the job's user can read",
            _ => "write `active` or `passive` as its first word",
        };
        Some(Diagnostic {
            full: format!("{summary}\n  {help}; see rcron.conf(5)"),
            summary,
        })
    }

    /// The state in the file, if there is one.
    pub fn state(&self) -> Option<&State> {
        match &self.reading {
            Reading::File { content, .. } => content.as_ref().ok(),
            _ => None,
        }
    }

    /// Whether the servers share the cluster's jobs, and this one may start those with `once_per_tick` that rcrond grants.
    pub fn is_shared(&self, config: &Config) -> bool {
        let rules = Rules {
            once_per_tick: true,
            ..config.rules()
        };
        let has_session = self.state().is_some_and(|state| state.shared.is_some());
        has_session && matches!(decide::decide(&self.reading, &rules, &self.moment), Decision::Run(_))
    }

    /// Whether the file contains a state. If not, somebody may be writing it just now without renaming.
    pub fn has_state(&self) -> bool {
        self.obstacle.is_none()
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => error.fmt(out),
            Self::NoState(NoState::Empty) => out.write_str("the file is empty"),
            Self::NoState(NoState::BlankLine) => out.write_str("its first line is blank"),
            Self::NoState(NoState::OtherWord) => out.write_str("its first word is neither `active` nor `passive`"),
        }
    }
}
