//! Writing the run journal: at the start and the end of a run, each time in the background.
//!
//! Everything that could be held up by a stalled disk happens in a process of its own. That process also tells what went wrong;
//! rcron itself waits for it no longer than a moment, and does not fail for it.

use crate::log::Log;
use inputs::clock;
use inputs::diagnostic::shown;
use journal::append::{self, Appended};
use journal::format::{self, Entry};
use policy::config::{Config, DEFAULT_JOURNAL};
use policy::decide::Basis;
use policy::event::{Ending, Subject};
use policy::moment::{BootTime, WallTime};
use policy::run_id::RunId;
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

/// The writer's exit status where a record could not be written, and syslog has been told.
const TROUBLE: u8 = 1;
/// How long the writer of the start waits for the end before it lets the disk have the start. A quick job needs one process only,
/// and no disk.
const AT_ONCE: Duration = Duration::from_millis(100);
/// Far more than a record: its texts are cut, and escaped to six times their length at most.
const LONGEST_RECORD: usize = 64 << 10;
/// How long rcron waits at its end for records to be written. Usually it is a tenth of a millisecond. Where the disk takes longer,
/// rcron ends before: an orphan is lost where the end of a container's first process ends everything, and stays a zombie
/// where that process reaps none.
const LAST_RECORD: Duration = Duration::from_millis(20);
/// How long a writer may take until it is scheduled at all. Until then it holds our caller's descriptors, and with them his locks.
const BIRTH: Duration = Duration::from_secs(1);

/// The journal of one run.
pub(crate) struct Journal<'a> {
    config: &'a Config,
    run: Run<'a>,
    /// `None` where no journal is kept.
    origin: Option<Origin>,
    /// Who writes the start, as long as it has not been seen to end.
    writer: Option<Worker>,
    /// Whether syslog has been told of trouble: once is enough for one run.
    told: bool,
}

/// What is known of a run without asking anybody.
#[derive(Clone, Copy)]
pub(crate) struct Run<'a> {
    pub(crate) id: RunId,
    pub(crate) subject: Subject<'a>,
    pub(crate) basis: Basis,
    pub(crate) started: WallTime,
    pub(crate) began: BootTime,
}

/// Where a run happens: what the kernel and the caller know, and no disk can hold up. Found out once, while the job begins.
struct Origin {
    node: Vec<u8>,
    /// As the caller says, and cron does. A static program cannot ask the name service, and a file is on a disk.
    user: Option<Vec<u8>>,
    wrapper: format::Process,
    /// `None` if it could not be started.
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
    /// Records the start, right after it: the job is not held up even by a fork. `leader` is its first process; `None` if it could
    /// not be started.
    pub(crate) fn begin(config: &'a Config, run: Run<'a>, leader: Option<i32>, log: &mut Log) -> Self {
        let mut journal = Self {
            config,
            run,
            origin: config.journal.as_ref().map(|_| Origin::of(leader)),
            writer: None,
            told: false,
        };
        if let Some(record) = journal.record(None) {
            journal.writer = journal.write(&record, Turn::First, log);
        }
        journal
    }

    /// A child has ended: perhaps the writer.
    pub(crate) fn notice(&mut self, pid: i32, status: ExitStatus) {
        if self.writer.as_ref().is_some_and(|writer| writer.pid() == pid) {
            self.writer = None;
            self.told |= !status.success();
        }
    }

    /// Records the end.
    ///
    /// Not synced: a run that ended seconds before a power cut may look cut off, which is better than a disk's wait for each job.
    pub(crate) fn end(mut self, ending: &Ending, log: &mut Log) -> Closing {
        let mut writers: Vec<Worker> = self.writer.take().into_iter().collect();
        let Some(record) = self.record(Some(ending)) else {
            return Closing(writers);
        };
        // A job that was quick still has the writer of its start.
        if !writers.iter().any(|writer| writer.send(&record)) {
            if let Some(status) = writers.first().and_then(Worker::try_reap) {
                self.told |= !status.success();
            }
            writers.extend(self.write(&record, Turn::Last, log));
        }
        Closing(writers)
    }

    /// The record of the start, or of this end. `None` where no journal is kept.
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
            started: run.started,
            began: run.began,
        };
        Some(match ending {
            None => entry.start(),
            Some(ending) => entry.end(ending, clock::wall_time()),
        })
    }

    fn write(&mut self, record: &[u8], turn: Turn, log: &mut Log) -> Option<Worker> {
        let directory = Path::new(OsStr::from_bytes(self.config.journal.as_deref()?));
        let wrapper = std::process::id();
        let tell = !self.told;
        let started = background::start(|line| {
            let trouble = match turn {
                Turn::First => first(directory, record, line),
                Turn::Last => trouble(directory, append::append(directory, record)),
            };
            if let Some(trouble) = trouble.as_ref().filter(|_| tell) {
                let mut log = Log::of(self.config, wrapper);
                log.warn(trouble);
                log.finish();
            }
            if trouble.is_some() { TROUBLE } else { 0 }
        });
        match started {
            Ok(writer) => Some(writer),
            Err(error) => {
                if !std::mem::replace(&mut self.told, true) {
                    log.warn(&format!("no process to write the journal: {}", error_text(&error)));
                }
                None
            }
        }
    }
}

/// Which of a run's two records.
#[derive(Clone, Copy)]
enum Turn {
    First,
    Last,
}

/// What the writer of the start does: the record, and that of the end if it comes at once; else the disk is to have the start.
/// Returns what is to be told.
fn first(directory: &Path, record: &[u8], line: &Line) -> Option<String> {
    let start = append::append(directory, record);
    if let Some(record) = line.receive(LONGEST_RECORD, AT_ONCE) {
        let end = append::append(directory, &record);
        return trouble(directory, start).or(trouble(directory, end));
    }
    if let Ok(appended) = &start {
        // Not every file system can: then it is as safe as that one makes it.
        let _ = appended.file.sync_data();
    }
    trouble(directory, start)
}

/// What is to be told of an append.
fn trouble(directory: &Path, appended: io::Result<Appended>) -> Option<String> {
    let advice = "the job runs all the same; see rcronctl check";
    match appended {
        Ok(appended) => {
            let (path, error) = appended.skipped?;
            Some(format!(
                "the journal takes another name than {}: {}; {advice}",
                shown(path.as_os_str()),
                error_text(&error)
            ))
        }
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

/// The writers that are still at it when the run is over.
#[must_use]
pub(crate) struct Closing(Vec<Worker>);

impl Closing {
    /// Waits until they have let go of what is our caller's, and a little for their end.
    pub(crate) fn finish(self) {
        for writer in &self.0 {
            writer.has_let_go(BIRTH);
        }
        let given_up_at = clock::boot_time().after(LAST_RECORD);
        for writer in &self.0 {
            let _ = writer.wait(given_up_at.since(clock::boot_time()));
        }
    }
}
