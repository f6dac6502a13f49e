//! One call of rcron in a crontab.

use crate::settings::Unsettled;
use crontab::schedule::{Dialect, Schedule};
use crontab::tick::{Ticks, Unmodelled};
use policy::config::Config;
use policy::time_zone::Zone;
use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

/// A line of a crontab that calls rcron. A line with two calls is there twice.
#[derive(Clone, Debug)]
pub struct JobLine {
    /// The crontab, as a path of the examined system.
    pub file: Arc<Path>,
    /// The number of the line, from 1.
    pub line: usize,
    /// The name of the user that the job runs as.
    pub user: Arc<[u8]>,
    /// The user's number, if it is known.
    pub uid: Option<u32>,
    /// The value of `--job`.
    pub name: Option<Vec<u8>>,
    /// The value of `--conf`.
    pub conf: Option<OsString>,
    /// The values of `--option`, each `KEY=VALUE`.
    pub options: Vec<OsString>,
    /// Whether rcron only says what it would do: `--dry-run`.
    pub is_dry_run: bool,
    /// The schedule as it is written.
    pub schedule_text: Vec<u8>,
    /// The schedule.
    pub schedule: Schedule,
    /// Whose rules apply to it. `None` for a cron whose rules are not known.
    pub dialect: Option<Dialect>,
    /// cronie's `CRON_TZ`, as it is written.
    pub zone: Option<Vec<u8>>,
    /// Whether cronie delays the job: `RANDOM_DELAY`.
    pub is_delayed: bool,
    /// [`crate::hash::of_command`] of the whole command, as the shell gets it.
    pub command_hash: u16,
    /// What rcron is configured to do in this line.
    pub config: Result<Arc<Config>, Unsettled>,
    /// The zone that `zone` names, if it is one of the system's.
    pub own_zone: Option<Arc<Zone>>,
}

impl JobLine {
    /// Its ticks. `system` is cron's own zone.
    ///
    /// # Errors
    /// [`Unmodelled`].
    pub fn ticks<'z>(&'z self, system: &'z Zone) -> Result<Ticks<'z, Zone>, Unmodelled> {
        let ticks = Ticks::new(&self.schedule, system, self.own_zone.as_deref())?;
        match () {
            () if self.dialect.is_none() => Err(Unmodelled::OtherCron),
            () if self.is_delayed => Err(Unmodelled::RandomDelay),
            () if self.zone.is_some() && self.own_zone.is_none() => Err(Unmodelled::UnknownZone),
            () => Ok(ticks),
        }
    }
}
