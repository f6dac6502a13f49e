//! The configuration file: `key = value` lines (rcron.conf(5)).

mod key;
mod line;
mod once_per_tick;
mod problem;

pub use key::Key;
pub use once_per_tick::Conflict;
pub use problem::{Problem, Report};

use crate::claim::DEFAULT_SOCKET;
use crate::decide::Rules;
use crate::priority::{Facility, Level};
use crate::state::Word;
use alloc::vec::Vec;
use core::time::Duration;
use line::Line;

/// The default directory of the journal. If it is missing, journaling is off; this is not an error.
pub const DEFAULT_JOURNAL: &[u8] = b"/var/lib/rcron/journal";

/// In bytes. A larger file is not a configuration and is rejected.
pub const LARGEST_FILE: usize = 1 << 20;

/// The value of every key. [`Config::default`] has the built-in defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `cluster_name`.
    pub cluster_name: Vec<u8>,
    /// `state_file`.
    pub state_file: Vec<u8>,
    /// `default_state`.
    pub default_state: Word,
    /// `syslog_facility`.
    pub syslog_facility: Facility,
    /// `syslog_level`.
    pub syslog_level: Level,
    /// `syslog_socket`.
    pub syslog_socket: Vec<u8>,
    /// `nice_level`, absolute, -20 to 19.
    pub nice_level: i8,
    /// `state_max_age`.
    pub state_max_age: Option<Duration>,
    /// `require_lease`.
    pub require_lease: bool,
    /// `on_demotion`.
    pub on_demotion: OnDemotion,
    /// `kill_after`.
    pub kill_after: Duration,
    /// `journal`; `None` for `none`.
    pub journal: Option<Vec<u8>>,
    /// `once_per_tick`: the job is started only with a grant of rcrond.
    pub once_per_tick: bool,
    /// `start_within`, 1 s to 1 day; `None` for `auto`.
    pub start_within: Option<Duration>,
    /// `rerun`, 0 to [`crate::claim::MOST_RERUNS`].
    pub rerun: u32,
    /// `overlap`.
    pub overlap: Overlap,
    /// `claim_socket`.
    pub claim_socket: Vec<u8>,
}

/// With `once_per_tick`: what happens to a tick while an earlier one of the same job still runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overlap {
    /// It is started.
    Allow,
    /// It is not started, on any server.
    Skip,
}

/// What happens to a running job when the state stops being active.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDemotion {
    /// The job continues.
    Continue,
    /// Its process group gets SIGTERM, and SIGKILL after `kill_after`.
    Terminate,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            cluster_name: b"default_cluster".to_vec(),
            state_file: b"/var/run/rcron/state".to_vec(),
            default_state: Word::Active,
            syslog_facility: Facility::CRON,
            syslog_level: Level::INFO,
            syslog_socket: b"/dev/log".to_vec(),
            nice_level: 19,
            state_max_age: None,
            require_lease: false,
            on_demotion: OnDemotion::Continue,
            kill_after: Duration::from_secs(10),
            journal: Some(DEFAULT_JOURNAL.to_vec()),
            once_per_tick: false,
            start_within: None,
            rerun: 0,
            overlap: Overlap::Allow,
            claim_socket: DEFAULT_SOCKET.to_vec(),
        }
    }
}

impl Config {
    /// Applies every line of a configuration file; the last of duplicate keys wins.
    ///
    /// Returns warnings about values that do not reject the file (`nice_level` out of range).
    ///
    /// # Errors
    /// Every invalid line. No job may run with such a file.
    pub fn read(&mut self, text: &[u8]) -> Result<Vec<Problem>, Vec<Problem>> {
        let (mut warnings, mut errors) = (Vec::new(), Vec::new());
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text); // a byte order mark, as some editors leave it
        for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
            match Line::parse(line).and_then(|entry| entry.map_or(Ok(None), |entry| self.apply(&entry))) {
                Ok(warning) => warnings.extend(warning.map(|problem| problem.on_line(index + 1, line))),
                Err(problem) => errors.push(problem.on_line(index + 1, line)),
            }
        }
        if errors.is_empty() { Ok(warnings) } else { Err(errors) }
    }

    /// Applies one `KEY=VALUE` of the command line. The value is everything after the first `=`, without quoting.
    ///
    /// Returns a warning as [`Config::read`] does.
    ///
    /// # Errors
    /// What is wrong with the option.
    pub fn set(&mut self, option: &[u8]) -> Result<Option<Problem>, Problem> {
        Line::parse_option(option)
            .and_then(|entry| self.apply(&entry))
            .map(|warning| warning.map(|problem| problem.on_line(1, option)))
            .map_err(|problem| problem.on_line(1, option))
    }

    /// The values that decide whether a job runs.
    #[must_use]
    pub fn rules(&self) -> Rules {
        Rules {
            default_state: self.default_state,
            state_max_age: self.state_max_age,
            require_lease: self.require_lease,
            once_per_tick: self.once_per_tick,
        }
    }

    fn apply(&mut self, entry: &Line) -> Result<Option<Problem>, Problem> {
        Key::parse(entry.key)?.set(entry.value, self)
    }
}

#[cfg(test)]
mod tests;
