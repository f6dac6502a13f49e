//! A job on the active server, from start to end.

use crate::guard::Guard;
use crate::job_processes::JobProcesses;
use crate::journal::{Journal, Run};
use crate::launch::{self, Environment};
use crate::log::Log;
use crate::supervise::{End, Supervision};
use inputs::clock;
use inputs::diagnostic::{Diagnostic, shown};
use inputs::observe;
use policy::command::{Job, LONGEST_NAME, SHELL};
use policy::config::{Config, OnDemotion};
use policy::decide::{Basis, Decision, Skip, Stale};
use policy::event::{Ending, Event, Subject};
use policy::exit::{CANNOT_EXECUTE, FAILED, NOT_FOUND, Outcome, SUCCESS};
use policy::relay::GroupMode;
use policy::run_id::RunId;
use policy::shell;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use sys::output::error_text;
use sys::random;
use sys::signal::{self, PreviousState, Signals};
use sys::spawn::{self, Failure, Launch, Started};
use sys::terminal::Terminal;

/// A job on the active server.
pub(crate) struct Active<'a> {
    pub(crate) config: &'a Config,
    pub(crate) job: &'a Job,
    pub(crate) subject: Subject<'a>,
    pub(crate) basis: Basis,
}

impl Active<'_> {
    /// Runs it from start to end. `tell` gives the warnings that came before.
    ///
    /// Signals are blocked first of all: from here on none can end rcron and leave the job alone.
    pub(crate) fn run(&self, log: &mut Log, tell: impl FnOnce(&mut Log)) -> Outcome {
        let inherited = signal::take_over();
        tell(log);
        let basis = match self.basis_now() {
            Ok(basis) => basis,
            Err(skip) => {
                log.event(&self.subject, &Event::Ignored(skip));
                return Outcome::Exited(SUCCESS);
            }
        };
        let prepared = inherited.and_then(|inherited| Ok((inherited, Signals::open()?, self.guard(basis)?)));
        let (inherited, signals, guard) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => {
                log.tell_error(&Diagnostic::plain(format!(
                    "cannot watch over the job: {}",
                    error_text(&error)
                )));
                return Outcome::Exited(FAILED);
            }
        };
        let terminal = Terminal::controlling();
        let in_foreground = terminal.as_ref().is_some_and(Terminal::is_ours);
        let group_mode = if in_foreground {
            GroupMode::SharedGroup
        } else {
            GroupMode::OwnGroup
        };
        let run = Run {
            id: RunId::new(clock::wall_time(), random::ten_bytes()),
            subject: self.subject,
            basis,
            started: clock::wall_time(),
            began: clock::boot_time(),
        };
        log.event(&self.subject, &Event::Started(&run.id));
        let (journal, end) = match self.start(&run, group_mode, inherited) {
            Ok(started) => {
                self.tell_niceness(&started, log);
                let mut journal = Journal::begin(self.config, run, Some(started.child.pid()), log);
                let supervision = Supervision {
                    processes: JobProcesses::new(started.child, group_mode),
                    signals,
                    guard,
                    terminal,
                    log,
                    journal: &mut journal,
                    stopped: false,
                };
                let end = supervision.until_end();
                (journal, end)
            }
            Err(failure) => {
                let outcome = self.explain(&failure, log);
                let end = End {
                    outcome,
                    demoted: false,
                };
                (Journal::begin(self.config, run, None, log), end)
            }
        };
        self.record_end(&run, &end, journal, log);
        end.outcome
    }

    /// What the start rests on now, or why the job is not to be run after all: what came between may have outlasted the
    /// lease, telling a warning to a stuck terminal for one, or rcron was stopped. A lease that was renewed meanwhile may
    /// have another epoch.
    fn basis_now(&self) -> Result<Basis, Skip> {
        match self.basis {
            Basis::State {
                expires: Some(expires), ..
            } if clock::boot_time() >= expires => match observe::observe(self.config).decision {
                Decision::Run(renewed @ Basis::State { .. }) => Ok(renewed),
                Decision::Run(Basis::Default) => Err(Skip::Stale(Stale::LeaseEnded)),
                Decision::Skip(skip) => Err(skip),
            },
            basis => Ok(basis),
        }
    }

    fn guard(&self, basis: Basis) -> io::Result<Option<Guard<'_>>> {
        match self.config.on_demotion {
            OnDemotion::Continue => Ok(None),
            OnDemotion::Terminate => Guard::new(self.config, basis).map(Some),
        }
    }

    fn start(&self, run: &Run, group_mode: GroupMode, signals: PreviousState) -> Result<Started, Failure> {
        let text = self.job.text(LONGEST_NAME);
        let epoch = run.basis.epoch().map(|epoch| epoch.to_string());
        let additions = [
            ("RCRON_CLUSTER", Some(self.subject.cluster)),
            ("RCRON_JOB", Some(self.subject.job.unwrap_or(&text))),
            ("RCRON_RUN", Some(run.id.as_bytes())),
            ("RCRON_EPOCH", epoch.as_ref().map(String::as_bytes)),
        ];
        let environment = Environment::new(self.job, &additions).map_err(|nul| Failure::Execute(nul.into()))?;
        spawn::start(&Launch {
            argv: &self.job.argv(),
            environment: &environment.entries(),
            own_group: group_mode == GroupMode::OwnGroup,
            shell: SHELL,
            nice_level: self.config.nice_level,
            dies_with_us: self.config.on_demotion == OnDemotion::Terminate,
            signals,
        })
    }

    fn tell_niceness(&self, started: &Started, log: &mut Log) {
        if let Err(error) = &started.niceness {
            let reason = error_text(error);
            log.warn(&format!(
                "the job keeps its niceness: nice_level {}: {reason}",
                self.config.nice_level
            ));
        }
    }

    /// Tells why the job did not start; returns how rcron ends.
    fn explain(&self, failure: &Failure, log: &mut Log) -> Outcome {
        let program = shown(OsStr::from_bytes(&shell::quoted(self.job.argv()[0])));
        let (status, mut text) = match failure {
            Failure::Fork(error) => (FAILED, format!("cannot start a process: {}", error_text(error))),
            Failure::Execute(error) if error.kind() == io::ErrorKind::NotFound => {
                (NOT_FOUND, format!("{program}: {}", self.not_found()))
            }
            Failure::Execute(error) => (
                CANNOT_EXECUTE,
                format!("cannot execute {program}: {}", error_text(error)),
            ),
        };
        if self.job.looks_like_shell() {
            text.push_str("; this looks like a shell command line: quote the whole of it, as in rcron 'cd /x && job'");
        }
        log.tell_error(&Diagnostic::plain(text));
        Outcome::Exited(status)
    }

    /// A program that is there but cannot be found has a first line that names an interpreter that is not.
    fn not_found(&self) -> &'static str {
        if launch::program(self.job).is_some() {
            "its interpreter, named in its first line, was not found"
        } else if self.job.argv()[0].contains(&b'/') {
            "no such file"
        } else {
            "command not found"
        }
    }

    fn record_end(&self, run: &Run, end: &End, journal: Journal, log: &mut Log) {
        let signal = match end.outcome {
            Outcome::Exited(_) => String::new(),
            Outcome::Killed(number) => signal::name(number),
        };
        let ending = Ending {
            outcome: end.outcome,
            signal: &signal,
            lasted: clock::boot_time().since(run.began),
            demoted: end.demoted,
        };
        // The journal first: it is written while the line is sent.
        let closing = journal.end(&ending, log);
        log.event(&self.subject, &Event::Ended(&run.id, ending));
        closing.finish();
    }
}
