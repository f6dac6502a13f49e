//! What the service logs. A condition that lasts is logged when it begins, and not again.

use crate::event::Event;
use crate::fifo::FifoError;
use crate::instances::{Change, MAX_INSTANCES};
use crate::log::Log;
use crate::pauses::HoldChange;
use crate::saved_states::SavedStatesFile;
use crate::targets::{TargetError, Targets};
use crate::unreported::PATIENCE;
use inputs::diagnostic::shown;
use inputs::state_file::WriteError;
use policy::display::escaped;
use policy::state::Reason;
use std::collections::BTreeSet;
use std::io;
use std::mem;
use std::path::{Path, PathBuf};
use sys::output::error_text;
use sys::process_tree::Process;

const EVENTS_LOST: &str =
    "every instance is passive until its next event; restart keepalived to get the current states";

/// The log, and what it already contains.
pub(crate) struct Reporter {
    log: Log,
    keepalived: Option<Process>,
    fifo_error: Option<FifoError>,
    /// The states could not be saved at the last attempt.
    save_fails: bool,
    /// State files that could not be written at the last attempt.
    failing: BTreeSet<PathBuf>,
    /// Instances about which there is a warning because keepalived has not reported them.
    unreported: BTreeSet<Vec<u8>>,
    /// Instances whose events are ignored.
    ignored: BTreeSet<Vec<u8>>,
}

impl Reporter {
    pub(crate) fn new(log: Log) -> Self {
        Self {
            log,
            keepalived: None,
            fifo_error: None,
            save_fails: false,
            failing: BTreeSet::new(),
            unreported: BTreeSet::new(),
            ignored: BTreeSet::new(),
        }
    }

    pub(crate) fn stopping(&mut self) {
        self.log
            .info("stopping; the state files are valid until their leases expire");
    }

    /// The result of reading the configurations again. A cluster whose configuration is rejected does not keep the others from being
    /// served.
    pub(crate) fn reload(&mut self, read: &Result<Targets, TargetError>) {
        match read {
            Ok(targets) => {
                self.ignored.clear();
                self.rejected(targets);
                self.log.info("the configurations were reloaded");
            }
            Err(error) => self.log.error(&format!(
                "the configurations cannot be used, and the previous ones remain in effect: {error}"
            )),
        }
    }

    pub(crate) fn rejected(&mut self, targets: &Targets) {
        for diagnostic in &targets.rejected {
            self.log.error(&diagnostic.summary);
        }
    }

    pub(crate) fn resumed(&mut self, keepalived: Process) {
        self.keepalived = Some(keepalived);
        let pid = keepalived.pid;
        self.log.info(&format!(
            "continuing with the saved states: keepalived is still process {pid}"
        ));
    }

    pub(crate) fn reopened(&mut self, keepalived: Process) {
        let pid = keepalived.pid;
        self.log.error(&format!(
            "keepalived (process {pid}) has reopened the FIFO while no process was reading it, and events may be lost: {EVENTS_LOST}"
        ));
    }

    pub(crate) fn overflow(&mut self, waiting: usize) {
        self.log.error(&format!(
            "{waiting} bytes are waiting in the FIFO, and keepalived may have had no space for further events: {EVENTS_LOST}"
        ));
    }

    pub(crate) fn not_consumed(&mut self, error: &io::Error) {
        self.log.error(&format!(
            "cannot consume the events that were read from the FIFO: {}; every instance is passive until its next event; \
             check that no other process reads the FIFO",
            error_text(error)
        ));
    }

    pub(crate) fn keepalived(&mut self, process: Option<Process>) {
        if mem::replace(&mut self.keepalived, process) != process {
            match process {
                Some(process) => self.log.info(&format!("keepalived is process {}", process.pid)),
                None => self.log.warn("keepalived has ended, or has closed its FIFO"),
            }
        }
    }

    pub(crate) fn fifo_error(&mut self, fifo: &Path, error: Option<FifoError>) {
        let before = mem::replace(&mut self.fifo_error, error);
        if let Some(error) = error.filter(|_| error != before) {
            self.log.warn(&format!("{}: {error}", shown(fifo.as_os_str())));
        }
    }

    pub(crate) fn change(&mut self, event: &Event, change: &Change, has_target: bool) {
        let name = escaped(event.instance);
        match change {
            Change::To(word) if has_target => {
                let (word, keepalived) = (word.as_str(), escaped(event.keepalived_state));
                self.log.info(&format!("{name}: {word} (keepalived: {keepalived})"));
            }
            Change::To(_) if self.ignored.insert(event.instance.to_vec()) => self.log.warn(&format!(
                "{name}: ignored, because no configuration has this cluster_name and no --instance names it"
            )),
            // An instance has a name, so that of all others is free.
            Change::TooMany if self.ignored.insert(Vec::new()) => self.log.warn(&format!(
                "keepalived has more than {MAX_INSTANCES} instances; the others are ignored"
            )),
            Change::To(_) | Change::TooMany | Change::Unchanged => {}
        }
    }

    pub(crate) fn demoted(&mut self, instance: &[u8], reason: &str) {
        let name = escaped(instance);
        self.log.warn(&format!("{name}: passive ({reason})"));
    }

    /// The reason for which an instance is passive. A loss of events, and the end of keepalived, are logged when they happen.
    pub(crate) fn reason(&mut self, instance: &[u8], reason: Option<Reason>) {
        if reason != Some(Reason::NotReported) {
            self.unreported.remove(instance);
        } else if self.unreported.insert(instance.to_vec()) {
            let (name, seconds) = (escaped(instance), PATIENCE.as_secs());
            self.log.warn(&format!(
                "{name}: passive, because keepalived has had the FIFO open for {seconds} seconds and has not reported a state of \
                 this instance; if keepalived was running before its configuration named the FIFO, restart it (a reload is not \
                 enough); otherwise define vrrp_instance {name} in keepalived.conf"
            ));
        }
    }

    pub(crate) fn hold(&mut self, change: &HoldChange) {
        match change {
            HoldChange::BeginsForKeepalived => self
                .log
                .warn("keepalived is stopped; every instance is passive until it continues"),
            HoldChange::BeginsForService => self.log.warn(
                "this service was paused; every instance is passive until keepalived has had time to hear the other servers",
            ),
            HoldChange::Ends => self
                .log
                .info("the pause is over; the instances have the states that keepalived reports"),
        }
    }

    pub(crate) fn saved(&mut self, file: &SavedStatesFile, saved: io::Result<()>) {
        let failed_before = mem::replace(&mut self.save_fails, saved.is_err());
        if let Some(error) = saved.err().filter(|_| !failed_before) {
            let error = error_text(&error);
            self.log.error(&format!(
                "cannot write {file}: {error}; if this service is killed, every instance is passive until its next event"
            ));
        }
    }

    pub(crate) fn written(&mut self, file: &Path, written: Result<(), WriteError>) {
        let name = shown(file.as_os_str());
        match written {
            Ok(()) if self.failing.remove(file) => self.log.info(&format!("{name} can be written again")),
            Err(error) if self.failing.insert(file.to_owned()) => self.log.error(&format!(
                "cannot write {name}: {error}; its old state is valid until its lease expires"
            )),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use policy::state::Word;
    use sys::replace::Refused;

    impl Reporter {
        pub(crate) fn lines(&self) -> &[String] {
            match &self.log {
                Log::Memory(lines) => lines,
                _ => panic!("not a test's log"),
            }
        }
    }

    fn logged(report: impl Fn(&mut Reporter)) -> Vec<String> {
        let mut reporter = Reporter::new(Log::Memory(Vec::new()));
        report(&mut reporter);
        reporter.lines().to_vec()
    }

    #[test]
    fn logs_a_failure_once_and_the_recovery() {
        let lines = logged(|reporter| {
            for fails in [true, true, false, false, true] {
                let error = || WriteError::Refused(Refused::NotRegular("a directory"));
                reporter.written(Path::new("/f"), if fails { Err(error()) } else { Ok(()) });
            }
        });
        let fails = "error: cannot write /f: it is a directory, not a regular file: name another state_file; \
                     its old state is valid until its lease expires";
        assert_eq!(lines, [fails, "/f can be written again", fails]);
    }

    #[test]
    fn logs_ignored_instances_once() {
        let lines = logged(|reporter| {
            for instance in ["a", "a", "b"] {
                let event = Event {
                    instance: instance.as_bytes(),
                    word: Word::Active,
                    keepalived_state: b"MASTER",
                };
                reporter.change(&event, &Change::To(Word::Active), instance == "b");
                reporter.change(&event, &Change::TooMany, false);
            }
        });
        assert_eq!(
            lines,
            [
                "warning: a: ignored, because no configuration has this cluster_name and no --instance names it",
                "warning: keepalived has more than 1000 instances; the others are ignored",
                "b: active (keepalived: MASTER)",
            ]
        );
    }

    #[test]
    fn logs_an_unreported_instance_once_until_it_is_reported() {
        let lines = logged(|reporter| {
            let silent = Some(Reason::NotReported);
            for reason in [
                Some(Reason::NoKeepalived),
                silent,
                silent,
                None,
                Some(Reason::EventsLost),
                silent,
            ] {
                reporter.reason(b"web", reason);
            }
        });
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines[0].starts_with("warning: web: passive, because keepalived has had the FIFO open for 5 seconds"));
    }

    #[test]
    fn logs_keepalived_when_it_begins_and_ends() {
        let lines = logged(|reporter| {
            let process = Some(Process { pid: 812, born: 7 });
            for keepalived in [None, process, process, None, None] {
                reporter.keepalived(keepalived);
            }
        });
        let expected = [
            "keepalived is process 812",
            "warning: keepalived has ended, or has closed its FIFO",
        ];
        assert_eq!(lines, expected);
    }
}
