//! Writing the run journal: at the start and the end of a run, each time in the background.
//!
//! Everything that could be held up by a stalled disk happens in a process of its own, the questions to `/proc` and to
//! `/etc/passwd` too. That process also tells what went wrong; rcron itself neither waits for it nor fails for it.

use crate::log::Log;
use facts::complaint::shown;
use platform::output::error_text;
use platform::process_tree::{self, Process};
use platform::{background, child, clock, environment, journal, poll};
use policy::config::Config;
use policy::decide::Grounds;
use policy::event::{Ending, Subject};
use policy::exit::Outcome;
use policy::journal::{self as format, Entry};
use policy::moment::{BootTime, WallTime};
use policy::run_id::RunId;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

/// Where the package keeps it. Where this folder is missing, nothing was installed to keep a journal.
const DEFAULT_FOLDER: &[u8] = b"/var/lib/rcron/journal";
/// The writer's exit status where the record could not be written, and syslog has been told.
const TROUBLE: u8 = 1;
/// How long PID 1 waits for the last record: when it ends, the kernel ends all of its namespace.
const LAST_RECORD: Duration = Duration::from_millis(200);

/// The journal of one run.
pub(crate) struct Journal<'a> {
    config: &'a Config,
    run: Run<'a>,
    /// The job's first process; `None` if it could not be started.
    leader: Option<i32>,
    /// Who writes the start, as long as it has not been seen to end.
    writer: Option<i32>,
    /// Whether syslog has been told of trouble: once is enough for one run.
    told: bool,
}

/// What is known of a run without asking anybody.
#[derive(Clone, Copy)]
pub(crate) struct Run<'a> {
    pub(crate) id: RunId,
    pub(crate) subject: Subject<'a>,
    pub(crate) grounds: Grounds,
    pub(crate) started: WallTime,
    pub(crate) began: BootTime,
}

impl<'a> Journal<'a> {
    /// Records the start, right after it: the job is not held up even by a fork.
    pub(crate) fn begin(config: &'a Config, run: Run<'a>, leader: Option<i32>, log: &mut Log) -> Self {
        let mut journal = Self {
            config,
            run,
            leader,
            writer: None,
            told: false,
        };
        #[expect(
            clippy::redundant_closure_for_method_calls,
            reason = "the method alone is not general enough in its lifetime"
        )]
        let writer = journal.write(log, |entry| entry.start());
        journal.writer = writer;
        journal
    }

    /// A child has ended: perhaps the writer.
    pub(crate) fn notice(&mut self, pid: i32, outcome: Outcome) {
        if self.writer == Some(pid) {
            self.writer = None;
            self.told |= !outcome.is_ok();
        }
    }

    /// Records the end.
    pub(crate) fn end(mut self, ending: &Ending, log: &mut Log) {
        if let Some((pid, outcome)) = self.writer.and_then(|pid| Some((pid, child::try_reap(pid)?))) {
            self.notice(pid, outcome);
        }
        let writer = self.write(log, |entry| entry.end(ending, clock::wall_time()));
        if std::process::id() == 1 {
            wait_a_little(self.writer.into_iter().chain(writer));
        }
    }

    fn write(&mut self, log: &mut Log, record: impl FnOnce(&Entry) -> Vec<u8>) -> Option<i32> {
        let folder = self.config.journal.as_deref()?;
        let folder = Path::new(OsStr::from_bytes(folder));
        let wrapper = std::process::id();
        let tell = !self.told;
        let started = background::start(|| {
            let trouble = trouble(folder, &self.with_entry(wrapper, record));
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

    /// Puts the entry together: what is slow to find out is asked for here, in the background.
    fn with_entry(&self, wrapper: u32, record: impl FnOnce(&Entry) -> Vec<u8>) -> Vec<u8> {
        let run = &self.run;
        let uid = journal::effective_user();
        record(&Entry {
            run: run.id,
            node: &environment::node_name(),
            cluster: run.subject.cluster,
            job: run.subject.job,
            command: run.subject.command,
            user: user(uid).as_deref(),
            uid,
            wrapper: process(wrapper),
            leader: self.leader.and_then(|pid| u32::try_from(pid).ok()).map(process),
            boot: clock::boot_id().as_deref(),
            pid_namespace: process_tree::namespace(),
            by_default: run.grounds == Grounds::Default,
            epoch: run.grounds.epoch(),
            started: run.started,
            began: run.began,
        })
    }
}

/// Writes it; returns what is to be told.
fn trouble(folder: &Path, record: &[u8]) -> Option<String> {
    let advice = "the job runs all the same; see rcronctl check";
    match journal::append(folder, record) {
        Ok(appended) => {
            let (path, error) = appended.skipped?;
            Some(format!(
                "the journal takes another name than {}: {}; {advice}",
                shown(path.as_os_str()),
                error_text(&error)
            ))
        }
        Err(error) if is_not_installed(folder, &error) => None,
        Err(error) => Some(format!(
            "cannot write the journal in {}: {}; {advice}",
            shown(folder.as_os_str()),
            error_text(&error)
        )),
    }
}

fn is_not_installed(folder: &Path, error: &io::Error) -> bool {
    folder.as_os_str().as_bytes() == DEFAULT_FOLDER && error.kind() == io::ErrorKind::NotFound && !folder.exists()
}

fn process(pid: u32) -> format::Process {
    let born = i32::try_from(pid)
        .ok()
        .and_then(Process::of)
        .map(|process| process.born);
    format::Process { pid, born }
}

/// The user's name by passwd(5): a static program cannot ask the name service. Else what the caller says, if it says so.
fn user(uid: u32) -> Option<Vec<u8>> {
    let passwd = std::fs::read("/etc/passwd").unwrap_or_default();
    let uid = uid.to_string();
    let known = passwd.split(|byte| *byte == b'\n').find_map(|line| {
        let mut fields = line.split(|byte| *byte == b':');
        let name = fields.next()?;
        (fields.nth(1)? == uid.as_bytes()).then(|| name.to_vec())
    });
    known.or_else(|| Some(std::env::var_os("LOGNAME")?.as_bytes().to_vec()))
}

fn wait_a_little(writers: impl Iterator<Item = i32>) {
    let given_up_at = clock::boot_time().after(LAST_RECORD);
    for writer in writers {
        while child::try_reap(writer).is_none() && clock::boot_time() < given_up_at {
            poll::until_ready(&[], Some(Duration::from_millis(1)));
        }
    }
}
