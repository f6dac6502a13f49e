//! Writing the run journal: a record at the start of a run and one at its end, each by a process in the background.
//!
//! A stalled disk can only delay that process. The process also logs what went wrong; rcron waits for it only briefly, and a
//! failure does not change rcron's exit status.

use crate::log::Log;
use inputs::clock;
use inputs::diagnostic::shown;
use journal::append::{self, Appended, Taken};
use journal::format::{self, Entry, Event};
use policy::config::{Config, DEFAULT_JOURNAL};
use policy::decide::Basis;
use policy::event::{Ending, RunName, Subject};
use policy::moment::{BootTime, WallTime};
use policy::run_id::RunId;
use policy::tick::Attempt;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;
use sys::background::{self, Line, Worker};
use sys::environment;
use sys::output::error_text;
use sys::process_tree::{self, Process};

/// The writer's exit status if it logged that a record could not be written.
const NOT_WRITTEN: u8 = 1;
/// How long the writer of the start waits for the record of the end before it syncs the start to disk. So a short job needs
/// only one process, and does not wait for a disk.
const SHORT_JOB: Duration = Duration::from_millis(100);
/// More than the longest record, in bytes: the texts of a record are cut, and escaping makes them at most six times as long.
const LONGEST_RECORD: usize = 64 << 10;
/// How long rcron waits at its end for its writers. They usually take a tenth of a millisecond. If the disk takes longer, rcron
/// leaves the writer behind. In a container, such an orphan is killed with the first process, or stays a zombie if that process
/// does not reap it; so rcron waits a little first.
const LAST_WAIT: Duration = Duration::from_millis(20);
/// How long a new writer may take until it has closed the descriptors that it inherited, which may be locks of our caller.
const RELEASE: Duration = Duration::from_secs(1);

/// The journal of one run.
pub(crate) struct Journal<'a> {
    config: &'a Config,
    run: Run<'a>,
    /// `None` if journaling is off.
    origin: Option<Origin>,
    /// The process that writes the record of the start; `None` once it has been reaped.
    writer: Option<Worker>,
    /// Whether a failure has been logged. One warning for each run is enough.
    warned: bool,
}

/// One run of the job, as rcron itself knows it: both records, the log lines and the job's environment describe it.
#[derive(Clone, Copy)]
pub(crate) struct Run<'a> {
    pub(crate) id: RunId,
    pub(crate) subject: Subject<'a>,
    pub(crate) basis: Basis,
    /// With `once_per_tick`: which tick it starts.
    pub(crate) attempt: Option<Attempt>,
    /// With `once_per_tick`: when the grant ends.
    pub(crate) start_by: Option<BootTime>,
    /// The start, for people.
    pub(crate) started: WallTime,
    /// The same moment, for the duration: nobody can set this clock.
    pub(crate) began: BootTime,
}

impl Run<'_> {
    pub(crate) fn name(&self) -> RunName<'_> {
        RunName {
            id: &self.id,
            attempt: self.attempt,
        }
    }

    /// When the permission to start the job ends.
    pub(crate) fn not_after(&self) -> Option<BootTime> {
        [self.basis.expires(), self.start_by].into_iter().flatten().min()
    }
}

/// Where a run takes place, as the kernel and the environment know it: no disk can delay this. Found out once, after the start.
struct Origin {
    node: Vec<u8>,
    /// `LOGNAME`, which cron sets. The real name is not looked up: a static program cannot ask the name service, and a file is on
    /// a disk.
    user: Option<Vec<u8>>,
    wrapper: format::Process,
    /// `None` if the job could not be started.
    leader: Option<format::Process>,
    boot: Option<Vec<u8>>,
    pid_namespace: Option<u64>,
}

impl Origin {
    fn of(leader: Option<i32>) -> Self {
        Self {
            node: environment::node_name(),
            user: std::env::var_os("LOGNAME").map(OsStringExt::into_vec),
            wrapper: process(std::process::id()),
            leader: leader.and_then(|pid| u32::try_from(pid).ok()).map(process),
            boot: clock::boot_id(),
            pid_namespace: process_tree::namespace(),
        }
    }
}

impl<'a> Journal<'a> {
    /// Records the start, after the job was started, so that not even a fork delays the job. `leader` is the job's first process;
    /// `None` if it could not be started.
    pub(crate) fn begin(config: &'a Config, run: Run<'a>, leader: Option<i32>, log: &mut Log) -> Self {
        let mut journal = Self {
            config,
            run,
            origin: config.journal.as_ref().map(|_| Origin::of(leader)),
            writer: None,
            warned: false,
        };
        if let Some(record) = journal.record(None) {
            journal.writer = journal.write(&record, Event::Start, log);
        }
        journal
    }

    /// Notes that a child has been reaped, which may be the writer.
    pub(crate) fn child_reaped(&mut self, pid: i32, status: ExitStatus, log: &mut Log) {
        if self.writer.as_ref().is_some_and(|writer| writer.pid() == pid) {
            self.writer = None;
            self.writer_ended(status, log);
        }
    }

    fn writer_ended(&mut self, status: ExitStatus, log: &mut Log) {
        self.warned = report_end(status, self.warned, log);
    }

    /// Records the end, and returns the writers that may still be busy.
    ///
    /// The record is not synced: a run that ended seconds before a power cut may look interrupted, but no job waits for the disk.
    pub(crate) fn end(mut self, ending: &Ending, log: &mut Log) -> Writers {
        let mut writers: Vec<Worker> = self.writer.take().into_iter().collect();
        let Some(record) = self.record(Some(ending)) else {
            return Writers {
                writers,
                warned: self.warned,
            };
        };
        // After a short job, the writer of its start still waits for this record.
        if !writers.iter().any(|writer| writer.send(&record)) {
            if let Some(status) = writers.first().and_then(Worker::try_reap) {
                writers.clear();
                self.writer_ended(status, log);
            }
            writers.extend(self.write(&record, Event::End, log));
        }
        Writers {
            writers,
            warned: self.warned,
        }
    }

    /// The record of the start, or of this end; `None` if journaling is off.
    fn record(&self, ending: Option<&Ending>) -> Option<Vec<u8>> {
        let (run, origin) = (&self.run, self.origin.as_ref()?);
        let entry = Entry {
            run: run.id,
            node: &origin.node,
            cluster: run.subject.cluster,
            job: run.subject.job,
            command: run.subject.command,
            user: origin.user.as_deref(),
            uid: environment::effective_user(),
            wrapper: origin.wrapper,
            leader: origin.leader,
            boot: origin.boot.as_deref(),
            pid_namespace: origin.pid_namespace,
            by_default: run.basis == Basis::Default,
            epoch: run.basis.epoch(),
            attempt: run.attempt,
            started: run.started,
            began: run.began,
        };
        Some(match ending {
            None => entry.start(),
            Some(ending) => entry.end(ending, clock::wall_time()),
        })
    }

    /// Starts a process that writes the record. If that fails, the run has no record, and a warning is logged.
    fn write(&mut self, record: &[u8], event: Event, log: &mut Log) -> Option<Worker> {
        let directory = Path::new(OsStr::from_bytes(self.config.journal.as_deref()?));
        let wrapper = std::process::id();
        let may_warn = !self.warned;
        let started = background::start(|line| {
            let warning = match event {
                Event::Start => append_start(directory, record, line),
                Event::End => warning(directory, append::append(directory, record)),
            };
            if let Some(warning) = warning.as_ref().filter(|_| may_warn) {
                let mut log = Log::on_behalf_of(self.config, wrapper);
                log.warn(warning);
                log.finish();
            }
            if warning.is_some() { NOT_WRITTEN } else { 0 }
        });
        match started {
            Ok(writer) => Some(writer),
            Err(error) => {
                if !std::mem::replace(&mut self.warned, true) {
                    log.warn(&format!(
                        "cannot start a process to write the journal: {}",
                        error_text(&error)
                    ));
                }
                None
            }
        }
    }
}

/// Appends the record of the start. Then waits briefly for that of the end and appends it, too; if it does not come, syncs the
/// start to disk. Returns the warning to log.
fn append_start(directory: &Path, record: &[u8], line: &Line) -> Option<String> {
    let start = append::append(directory, record);
    if let Some(record) = line.receive(LONGEST_RECORD, SHORT_JOB) {
        let end = append::append(directory, &record);
        return warning(directory, start).or(warning(directory, end));
    }
    if let Ok(appended) = &start {
        // Not every file system can sync.
        let _ = appended.file.sync_data();
    }
    warning(directory, start)
}

/// The warning to log after an append.
fn warning(directory: &Path, appended: io::Result<Appended>) -> Option<String> {
    let advice = "the job runs anyway; see rcronctl check";
    match appended {
        Ok(appended) => Some(match appended.taken? {
            Taken::Skipped(path, error) => format!(
                "cannot write {}: {}; the journal uses another name; {advice}",
                shown(path.as_os_str()),
                error_text(&error)
            ),
            Taken::SetAside(path, aside) => format!(
                "{} belonged to another user and was renamed to {}; see rcronctl check",
                shown(path.as_os_str()),
                shown(aside.as_os_str())
            ),
        }),
        Err(error) if is_not_installed(directory, &error) => None,
        Err(error) => Some(format!(
            "cannot write the journal in {}: {}; {advice}",
            shown(directory.as_os_str()),
            error_text(&error)
        )),
    }
}

fn is_not_installed(directory: &Path, error: &io::Error) -> bool {
    directory.as_os_str().as_bytes() == DEFAULT_JOURNAL
        && error.kind() == io::ErrorKind::NotFound
        && !directory.exists()
}

fn process(pid: u32) -> format::Process {
    let born = i32::try_from(pid)
        .ok()
        .and_then(Process::of)
        .map(|process| process.born);
    format::Process { pid, born }
}

/// The processes that may still write when the run is over.
#[must_use]
pub(crate) struct Writers {
    writers: Vec<Worker>,
    /// Whether a failure has been logged.
    warned: bool,
}

impl Writers {
    /// Waits until they have closed our caller's descriptors, and then briefly for their end.
    pub(crate) fn finish(mut self, log: &mut Log) {
        for writer in &self.writers {
            writer.has_released_ours(RELEASE);
        }
        let deadline = clock::boot_time().after(LAST_WAIT);
        for writer in &self.writers {
            if let Some(status) = writer.wait(deadline.since(clock::boot_time())) {
                self.warned = report_end(status, self.warned, log);
            }
        }
    }
}

/// Logs that a writer was killed or could not begin, unless a failure has been logged already. Returns whether one has.
fn report_end(status: ExitStatus, warned: bool, log: &mut Log) -> bool {
    if !warned && !status.success() && status.code() != Some(NOT_WRITTEN.into()) {
        log.warn(&format!(
            "the process that writes the journal has failed: {status}; records of this run may be missing"
        ));
    }
    warned || !status.success()
}
