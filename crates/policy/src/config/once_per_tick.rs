//! What `once_per_tick` needs besides its own key: rules over several keys and the command line.

use super::{Config, OnDemotion};
use crate::claim::{LONGEST_JOB_NAME, is_job_name};
use crate::tick::TickTime;
use alloc::format;
use alloc::string::String;

/// Why a configuration and the options of the command line do not fit together. The job is not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// `once_per_tick` without `--job`.
    NoJobName,
    /// The job's name is too long for a claim, is not UTF-8, or has control characters.
    JobName,
    /// `rerun` without `on_demotion = terminate`: two attempts could be alive at once.
    RerunWithoutTerminate,
    /// `--tick` without `once_per_tick`.
    TickWithoutKey,
}

impl Config {
    /// Checks the rules of `once_per_tick`, with the values of `--job` and `--tick`.
    ///
    /// # Errors
    /// [`Conflict`].
    pub fn check_once_per_tick(&self, job: Option<&[u8]>, tick: Option<TickTime>) -> Result<(), Conflict> {
        if !self.once_per_tick {
            return tick.map_or(Ok(()), |_| Err(Conflict::TickWithoutKey));
        }
        let job = core::str::from_utf8(job.ok_or(Conflict::NoJobName)?);
        if !job.is_ok_and(is_job_name) {
            Err(Conflict::JobName)
        } else if self.rerun > 0 && self.on_demotion != OnDemotion::Terminate {
            Err(Conflict::RerunWithoutTerminate)
        } else {
            Ok(())
        }
    }
}

impl Conflict {
    /// A message, and what to do.
    #[must_use]
    pub fn explain(self) -> (String, &'static str) {
        match self {
            Self::NoJobName => (
                "once_per_tick needs the job's name".into(),
                "add `--job NAME` to the crontab line, with another NAME for each line of this user and cluster",
            ),
            Self::JobName => (
                format!("once_per_tick needs a job name of at most {LONGEST_JOB_NAME} bytes of UTF-8"),
                "give the job another name with `--job`",
            ),
            Self::RerunWithoutTerminate => (
                "rerun needs on_demotion = terminate".into(),
                "set `on_demotion = terminate`: otherwise a job could run twice at the same time",
            ),
            Self::TickWithoutKey => (
                "--tick has no meaning without once_per_tick".into(),
                "set `once_per_tick = yes`, or remove `--tick`",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_of_once_per_tick() {
        let long = [b'x'; LONGEST_JOB_NAME + 1];
        let tick = Some(TickTime(60));
        for (options, job, tick, expected) in [
            ("", None, None, Ok(())),
            ("rerun = 1", None, None, Ok(())),
            ("", Some(&b"b"[..]), tick, Err(Conflict::TickWithoutKey)),
            ("once_per_tick = yes", None, None, Err(Conflict::NoJobName)),
            ("once_per_tick = yes", Some(b"b"), tick, Ok(())),
            ("once_per_tick = yes", Some(&long[1..]), None, Ok(())),
            ("once_per_tick = yes", Some(&long), None, Err(Conflict::JobName)),
            ("once_per_tick = yes", Some(b"\xff"), None, Err(Conflict::JobName)),
            (
                "once_per_tick = yes\nrerun = 1",
                Some(b"b"),
                None,
                Err(Conflict::RerunWithoutTerminate),
            ),
            (
                "once_per_tick = yes\nrerun = 1\non_demotion = terminate",
                Some(b"b"),
                None,
                Ok(()),
            ),
        ] {
            let mut config = Config::default();
            config.read(options.as_bytes()).expect("valid");
            assert_eq!(config.check_once_per_tick(job, tick), expected, "{options}");
        }
    }
}
