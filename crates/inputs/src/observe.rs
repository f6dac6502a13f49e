//! The facts of the decision: the state file and the clocks, read together.

use crate::clock;
use crate::diagnostic::{Diagnostic, shown};
use crate::state_file::{self, Content};
use policy::config::Config;
use policy::decide::{self, Basis, Decision, Reading, Skip};
use policy::moment::Moment;
use policy::state::{NoState, State};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use sys::file::Unreadable;

/// What was read, when, and what follows from it.
pub struct Observation {
    /// What the state file said.
    pub reading: Reading,
    /// When it was read.
    pub moment: Moment,
    /// What follows from it.
    pub decision: Decision,
    /// Why there is no state in the reading, if there is none.
    pub obstacle: Option<String>,
}

/// Reads the state file and decides. The same at the start of a job and while it runs.
pub fn observe(config: &Config) -> Observation {
    let (reading, obstacle) = match state_file::read(Path::new(OsStr::from_bytes(&config.state_file))) {
        Ok(Content { state, modified }) => {
            let obstacle = state.as_ref().err().map(|why| explain(*why).to_owned());
            let content = state;
            (Reading::File { content, modified }, obstacle)
        }
        Err(Unreadable::Missing) => (Reading::Missing, Some(Unreadable::Missing.to_string())),
        Err(error) => (Reading::Unreadable, Some(error.to_string())),
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
    /// The warning that goes with taking `default_state`; it names the file and what is wrong with it.
    pub fn default_warning(&self, config: &Config) -> Option<Diagnostic> {
        let is_default = matches!(
            self.decision,
            Decision::Run(Basis::Default) | Decision::Skip(Skip::PassiveByDefault)
        );
        let obstacle = self.obstacle.as_ref().filter(|_| is_default)?;
        let summary = format!(
            "cannot read the state from {}: {obstacle}; taking default_state = {}",
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

    /// What the file says, if it says anything.
    pub fn state(&self) -> Option<&State> {
        match &self.reading {
            Reading::File { content, .. } => content.as_ref().ok(),
            _ => None,
        }
    }

    /// Whether the file says anything at all. It may be just being written by one who does not rename.
    pub fn is_clear(&self) -> bool {
        self.obstacle.is_none()
    }
}

fn explain(why: NoState) -> &'static str {
    match why {
        NoState::Empty => "the file is empty",
        NoState::BlankLine => "its first line is blank",
        NoState::OtherWord => "its first word is neither `active` nor `passive`",
        NoState::LongLine => "its first line is longer than 4096 bytes",
    }
}
