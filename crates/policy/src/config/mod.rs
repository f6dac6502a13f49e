//! The configuration file: `key = value` lines (rcron.conf(5)).

mod key;
mod line;
mod problem;

pub use key::{Key, Value};
pub use problem::{Problem, Report};

use crate::decide::Rules;
use crate::priority::{Facility, Level};
use crate::state::Word;
use alloc::vec::Vec;
use core::time::Duration;
use line::Line;

/// The directory of the journal by default. Where it is missing, nothing was installed to keep one, and none is missed.
pub const DEFAULT_JOURNAL: &[u8] = b"/var/lib/rcron/journal";

/// A larger file is refused: it is no configuration.
pub const LARGEST_FILE: usize = 1 << 20;

/// Every key's value. [`Config::default`] holds the built-in defaults.
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
}

/// What happens to a running job when the state stops being active.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDemotion {
    /// Nothing.
    Continue,
    /// Its process group gets SIGTERM, after `kill_after` SIGKILL.
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
        }
    }
}

impl Config {
    /// Takes over every line of a configuration file; the last of duplicate keys wins.
    ///
    /// Returns what is wrong but no reason to refuse the file (`nice_level` out of range).
    ///
    /// # Errors
    /// Every line that is refused. Nothing may run on such a file.
    pub fn read(&mut self, text: &[u8]) -> Result<Vec<Problem>, Vec<Problem>> {
        let (mut warnings, mut errors) = (Vec::new(), Vec::new());
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text); // a byte order mark, as some editors leave it
        for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
            match Line::parse(line).and_then(|entry| entry.map_or(Ok(None), |entry| self.take(&entry))) {
                Ok(warning) => warnings.extend(warning.map(|problem| problem.on_line(index + 1, line))),
                Err(problem) => errors.push(problem.on_line(index + 1, line)),
            }
        }
        if errors.is_empty() { Ok(warnings) } else { Err(errors) }
    }

    /// Takes over one `KEY=VALUE` of the command line. The value is all that follows the first `=`, without quoting.
    ///
    /// Returns a warning as [`Config::read`] does.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn set(&mut self, option: &[u8]) -> Result<Option<Problem>, Problem> {
        Line::parse_option(option)
            .and_then(|entry| self.take(&entry))
            .map(|warning| warning.map(|problem| problem.on_line(1, option)))
            .map_err(|problem| problem.on_line(1, option))
    }

    /// The keys that decide whether a job runs.
    #[must_use]
    pub fn rules(&self) -> Rules {
        Rules {
            default_state: self.default_state,
            state_max_age: self.state_max_age,
            require_lease: self.require_lease,
        }
    }

    fn take(&mut self, entry: &Line) -> Result<Option<Problem>, Problem> {
        let key = Key::parse(entry.key)?;
        let (value, warning) = key.value(entry.value)?;
        match value {
            Value::ClusterName(name) => self.cluster_name = name,
            Value::StateFile(path) => self.state_file = path,
            Value::DefaultState(word) => self.default_state = word,
            Value::SyslogFacility(facility) => self.syslog_facility = facility,
            Value::SyslogLevel(level) => self.syslog_level = level,
            Value::SyslogSocket(path) => self.syslog_socket = path,
            Value::NiceLevel(level) => self.nice_level = level,
            Value::StateMaxAge(age) => self.state_max_age = age,
            Value::RequireLease(yes) => self.require_lease = yes,
            Value::OnDemotion(act) => self.on_demotion = act,
            Value::KillAfter(span) => self.kill_after = span,
            Value::Journal(directory) => self.journal = directory,
        }
        Ok(warning)
    }
}

#[cfg(test)]
mod tests;
