//! `rcronctl interrupted --log`: the report at boot.

use super::key;
use crate::cli::Common;
use crate::failure::Failure;
use crate::marks::{Mark, Marks};
use crate::run_table::user;
use crate::syslog::Log;
use inputs::clusters;
use journal::Runs;
use journal::run::Run;
use policy::config::Config;
use policy::priority::{Facility, Level};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::time::{Duration, Instant};

/// How long the report waits for the log daemon altogether. Nothing waits for this command except the unit that runs it at boot.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many runs of one user, and of all users, are logged in lines of their own: the newest ones.
const MOST_OF_USER: usize = 100;
const MOST: usize = 2_000;
/// How often the marks are written while the log is.
const MARKS_INTERVAL: Duration = Duration::from_secs(1);

/// Logs one line for each run that has no mark, as the configuration of the run's cluster says, and marks it: root's runs first, and
/// the runs of each user in order of time.
pub(super) fn log_runs(
    runs: &mut Runs,
    marks: &mut Marks,
    unmarked: &mut usize,
    common: &Common,
) -> Result<(), Failure> {
    runs.sort_by_owner();
    let mut report = Report::new(common)?;
    let mut owner = Owner::default();
    let mut result = Ok(());
    for run in runs.iter().map(Some).chain([None]) {
        let is_marked = |run: &Run| marks.of_run(key(run)).is_some();
        if run.as_ref().is_some_and(is_marked) {
            continue;
        }
        if run.as_ref().map(|run| run.uid) != owner.uid {
            result = report.log_owner(&std::mem::take(&mut owner), marks, unmarked);
            if result.is_err() {
                break;
            }
        }
        if let Some(run) = run {
            owner.add(run, report.lines);
        }
    }
    if result.is_ok() {
        result = report.log_rest();
    }
    if result.is_err() {
        marks.write()?;
    }
    result
}

/// The runs of one user.
#[derive(Default)]
struct Owner {
    uid: Option<u32>,
    name: String,
    /// The newest start first.
    runs: Vec<Run>,
    /// Those that get no line of their own.
    more: Vec<crate::marks::RunKey>,
}

struct Report {
    configurations: Vec<Config>,
    /// One connection for each socket and facility.
    logs: Vec<(Vec<u8>, Facility, Log)>,
    began: Instant,
    marks_written: Instant,
    lines: usize,
    /// Users and runs without any line.
    silent: (usize, usize),
}

impl Owner {
    fn add(&mut self, run: Run, lines: usize) {
        if self.uid.is_none() {
            self.uid = Some(run.uid);
            self.name = user(&run);
        }
        if self.runs.len() < MOST_OF_USER && lines + self.runs.len() < MOST {
            self.runs.push(run);
        } else {
            self.more.push(key(&run));
        }
    }
}

impl Report {
    fn new(common: &Common) -> Result<Self, Failure> {
        Ok(Self {
            configurations: clusters::all(&common.conf)?
                .into_iter()
                .filter_map(|cluster| Some(cluster.settings.ok()?.config))
                .collect(),
            logs: Vec::new(),
            began: Instant::now(),
            marks_written: Instant::now(),
            lines: 0,
            silent: (0, 0),
        })
    }

    fn log_owner(&mut self, owner: &Owner, marks: &mut Marks, unmarked: &mut usize) -> Result<(), Failure> {
        for run in owner.runs.iter().rev() {
            self.send(&run.cluster, &log_line(run))?;
            *unmarked += usize::from(!marks.add(key(run), Mark::Logged));
            if self.marks_written.elapsed() > MARKS_INTERVAL {
                marks.write()?;
                self.marks_written = Instant::now();
            }
        }
        if owner.more.is_empty() {
            return Ok(());
        }
        if self.lines < MOST {
            let (name, more) = (&owner.name, owner.more.len());
            let cluster = owner.runs.first().map_or("", |run| &run.cluster);
            let line =
                format!("state=active status=interrupted user={name} more={more}: rcronctl interrupted lists them");
            self.send(cluster, &line)?;
        } else {
            self.silent = (self.silent.0 + 1, self.silent.1 + owner.more.len());
        }
        for key in &owner.more {
            *unmarked += usize::from(!marks.add(*key, Mark::Logged));
        }
        Ok(())
    }

    /// A line about the users whose runs have none.
    fn log_rest(&mut self) -> Result<(), Failure> {
        let (users, runs) = self.silent;
        if users == 0 {
            return Ok(());
        }
        let line =
            format!("state=active status=interrupted users={users} more={runs}: rcronctl interrupted lists them");
        self.send("", &line)
    }

    fn send(&mut self, cluster: &str, line: &str) -> Result<(), Failure> {
        let own = self
            .configurations
            .iter()
            .find(|config| config.cluster_name == cluster.as_bytes())
            .or(self.configurations.first());
        let config = own.cloned().unwrap_or_default();
        let (socket, facility) = (config.syslog_socket, config.syslog_facility);
        let is_same = |log: &(Vec<u8>, Facility, Log)| log.0 == socket && log.1 == facility;
        let index = self.logs.iter().position(is_same).unwrap_or_else(|| {
            let log = Log::new(OsString::from_vec(socket.clone()), facility);
            self.logs.push((socket.clone(), facility, log));
            self.logs.len() - 1
        });
        let patience = PATIENCE.saturating_sub(self.began.elapsed());
        if !self.logs[index].2.send(Level::WARNING, line.as_bytes(), patience) {
            return Err(Failure::new(format!(
                "the log daemon does not accept the lines: {} logged; the next `rcronctl interrupted --log` logs the others",
                match self.lines {
                    1 => "1 line was".to_owned(),
                    lines => format!("{lines} lines were"),
                }
            )));
        }
        self.lines += 1;
        Ok(())
    }
}

/// Has the form of rcron's own lines, so that one pattern finds both.
fn log_line(run: &Run) -> String {
    let job = run
        .job
        .as_ref()
        .map(|job| format!(" job={}", one_word(job)))
        .unwrap_or_default();
    format!(
        "cluster={} state=active status=interrupted started={} user={}{job} run={} cmd={}",
        one_word(&run.cluster),
        run.started,
        one_word(&user(run)),
        one_word(&run.id),
        run.command
    )
}

/// A user chooses these texts in his journal. With a blank in it, a cluster could look like the fields of root's run.
fn one_word(text: &str) -> String {
    text.replace(' ', "\\x20")
}
