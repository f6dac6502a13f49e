//! A run in `--json`: rcronctl(8), "JSON".

use crate::failure::Failure;
use crate::output::print_json;
use crate::prefetch::with_runs;
use crate::runs::Selected;
use jiff::Timestamp;
use journal::Runs;
use journal::run::{Fate, Outcome, Run};
use serde::ser::{SerializeSeq, SerializeStruct};
use serde::{Serialize, Serializer};
use std::cell::{Cell, RefCell};
use std::time::Duration;

/// The object of `history` and `interrupted`. The runs are read while they are written.
pub(crate) struct RunsJson<'a> {
    found: RefCell<&'a mut Selected>,
    /// Whether it has the field `more`.
    is_history: bool,
    /// What else could not be seen.
    notes: Vec<String>,
    count: Cell<usize>,
}

impl<'a> RunsJson<'a> {
    pub(crate) fn of_history(found: &'a mut Selected) -> Self {
        Self {
            found: RefCell::new(found),
            is_history: true,
            notes: Vec::new(),
            count: Cell::new(0),
        }
    }

    pub(crate) fn of_interrupted(found: &'a mut Selected, notes: Vec<String>) -> Self {
        Self {
            is_history: false,
            notes,
            ..Self::of_history(found)
        }
    }

    /// Returns the number of runs.
    pub(crate) fn print(&self) -> Result<usize, Failure> {
        print_json(self)?;
        Ok(self.count.get())
    }
}

impl Serialize for RunsJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Runs", 3)?;
        let mut found = self.found.borrow_mut();
        object.serialize_field("runs", &RunList::new(&mut found.runs, &self.count))?;
        if self.is_history {
            object.serialize_field("more", &found.runs.more)?;
        }
        let unseen: Vec<String> = self.notes.iter().cloned().chain(found.unseen()).collect();
        object.serialize_field("unseen", &unseen)?;
        if let Some(hosts) = &found.hosts {
            object.serialize_field("hosts", &hosts.json())?;
        }
        object.end()
    }
}

/// A list of runs that are read while they are written.
pub(crate) struct RunList<'a> {
    runs: RefCell<&'a mut Runs>,
    count: &'a Cell<usize>,
}

impl<'a> RunList<'a> {
    /// `count` becomes the number of runs.
    pub(crate) fn new(runs: &'a mut Runs, count: &'a Cell<usize>) -> Self {
        Self {
            runs: RefCell::new(runs),
            count,
        }
    }
}

impl Serialize for RunList<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        with_runs(&mut self.runs.borrow_mut(), |runs| {
            for run in runs {
                list.serialize_element(&RunJson::from(&run))?;
                self.count.set(self.count.get() + 1);
            }
            Ok(())
        })?;
        list.end()
    }
}

#[derive(Serialize)]
pub(crate) struct RunJson<'a> {
    run: &'a str,
    /// Only if `--host` or `--hosts` names servers.
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<&'a str>,
    node: &'a str,
    cluster: &'a str,
    job: Option<&'a str>,
    command: &'a str,
    user: Option<&'a str>,
    uid: u32,
    epoch: Option<u64>,
    pid: u32,
    started: Timestamp,
    ended: Option<Timestamp>,
    /// Seconds, to the end of the run or until now.
    duration: Option<f64>,
    status: &'static str,
    exit: Option<u8>,
    signal: Option<&'a str>,
    demoted: bool,
    escaped: bool,
    cut: bool,
}

impl<'a> From<&'a Run> for RunJson<'a> {
    fn from(run: &'a Run) -> Self {
        let ending = Ending::of_run(run);
        Self {
            run: &run.id,
            host: run.host.as_deref(),
            node: &run.node,
            cluster: &run.cluster,
            job: run.job.as_deref(),
            command: &run.command,
            user: run.user.as_deref(),
            uid: run.uid,
            epoch: run.epoch,
            pid: run.pid,
            started: run.started,
            ended: ending.at,
            duration: ending.lasted.map(|lasted| lasted.as_secs_f64()),
            status: run.fate.word(),
            exit: ending.exit,
            signal: ending.signal,
            demoted: ending.demoted,
            escaped: run.escaped,
            cut: run.cut,
        }
    }
}

/// What is known about the end of a run, as independent fields.
#[derive(Default)]
pub(crate) struct Ending<'a> {
    pub(crate) at: Option<Timestamp>,
    /// To the end of the run, or until now if it is running.
    pub(crate) lasted: Option<Duration>,
    pub(crate) exit: Option<u8>,
    pub(crate) signal: Option<&'a str>,
    pub(crate) demoted: bool,
}

impl<'a> Ending<'a> {
    pub(crate) fn of_run(run: &'a Run) -> Self {
        let end = match &run.fate {
            Fate::Ended(end) => end,
            Fate::Running(lasts) | Fate::Unwatched(lasts) => {
                return Self {
                    lasted: Some(*lasts),
                    ..Self::default()
                };
            }
            Fate::Interrupted | Fate::Unknown => return Self::default(),
        };
        let (exit, signal) = match &end.outcome {
            Outcome::Exited(status) => (Some(*status), None),
            Outcome::Killed(signal) => (None, Some(signal.as_str())),
        };
        Self {
            at: Some(end.at),
            lasted: Some(end.lasted),
            exit,
            signal,
            demoted: end.demoted,
        }
    }
}
