//! A job on the active server, from start to end.

use crate::claim::HeldClaim;
use crate::guard::Guard;
use crate::job_processes::JobProcesses;
use crate::journal::{Journal, Run};
use crate::launch::{self, Environment};
use crate::log::Log;
use crate::supervise::{End, Supervision};
use inputs::clock;
use inputs::diagnostic::{Diagnostic, shown};
use inputs::observe;
use policy::claim::{Ended, Grant};
use policy::command::{Job, LONGEST_NAME, SHELL};
use policy::config::{Config, OnDemotion};
use policy::decide::{Basis, Decision, Skip, Stale};
use policy::event::{Ending, Event, Subject};
use policy::exit::{CANNOT_EXECUTE, FAILED, NOT_FOUND, Outcome, SUCCESS};
use policy::relay::GroupMode;
use policy::run_id::RunId;
use policy::shell;
use policy::tick::Attempt;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use sys::output::error_text;
use sys::random;
use sys::signal::{self, PreviousState, Signals};
use sys::spawn::{self, Failure, Launch, Started};
use sys::terminal::Terminal;

/// A job that the decision lets run on this server.
pub(crate) struct Active<'a> {
    pub(crate) config: &'a Config,
    pub(crate) job: &'a Job,
    /// How log and journal name the job.
    pub(crate) subject: Subject<'a>,
    /// What the decision rests on; checked again just before the start.
    pub(crate) basis: Basis,
}

/// What must be in place before the job is started, since it cannot be obtained while the job runs unwatched.
struct Prepared<'a> {
    /// The signal mask and dispositions that the job inherits.
    inherited: PreviousState,
    signals: Signals,
    guard: Option<Guard<'a>>,
    terminal: Option<Terminal>,
    group_mode: GroupMode,
}

impl<'a> Active<'a> {
    /// Runs the job from start to end. `log_warnings` logs what was found before.
    ///
    /// Signals are blocked first of all: from here on, none can end rcron and leave the job alone.
    pub(crate) fn run_job(&self, log: &mut Log, log_warnings: impl FnOnce(&mut Log)) -> Outcome {
        let inherited = signal::take_over();
        log_warnings(log);
        let basis = match self.current_basis(self.basis) {
            Ok(basis) => basis,
            Err(skip) => {
                log.event(&self.subject, &Event::Ignored(skip));
                return Outcome::Exited(SUCCESS);
            }
        };
        let prepared = match inherited.and_then(|inherited| self.prepare(inherited, basis, None)) {
            Ok(prepared) => prepared,
            Err(error) => return self.report_unprepared(&error, log),
        };
        let mut run = self.run(RunId::new(clock::wall_time(), random::ten_bytes()), basis, None);
        match self.run_prepared(&mut run, prepared, None, log) {
            Ok(outcome) => outcome,
            Err(skip) => {
                log.event(&self.subject, &Event::NotStarted(run.name(), skip));
                Outcome::Exited(SUCCESS)
            }
        }
    }

    /// Runs the job with the grant of a tick. `None` if it was too late for the start.
    pub(crate) fn run_granted(
        &self,
        (id, inherited): (RunId, PreviousState),
        grant: &Grant,
        claim: &mut HeldClaim,
        log: &mut Log,
    ) -> Option<Outcome> {
        let lease = (self.config.rerun > 0).then(|| grant.lease.clone());
        let prepared = match self.prepare(inherited, self.basis, lease) {
            Ok(prepared) => prepared,
            Err(error) => {
                let outcome = self.report_unprepared(&error, log);
                claim.report_not_started("failed");
                return Some(outcome);
            }
        };
        let mut run = self.run(id, self.basis, Some(grant));
        match self.run_prepared(&mut run, prepared, Some(claim), log) {
            Ok(outcome) => Some(outcome),
            Err(_) => {
                log.event(&self.subject, &Event::GivenBack(run.name()));
                None
            }
        }
    }

    /// # Errors
    /// Why the job was not started after all, although the start was logged.
    fn run_prepared(
        &self,
        run: &mut Run<'a>,
        prepared: Prepared<'a>,
        mut claim: Option<&mut HeldClaim>,
        log: &mut Log,
    ) -> Result<Outcome, Skip> {
        log.event(&self.subject, &Event::Started(run.name()));
        let (end, journal) = match self.start_in_time(run, &prepared)? {
            Ok(started) => self.supervise(started, prepared, *run, claim.as_deref_mut(), log),
            Err(failure) => self.report_failure(&failure, *run, log),
        };
        self.finish(run, &end, claim, journal, log);
        Ok(end.outcome)
    }

    fn run(&self, id: RunId, basis: Basis, grant: Option<&Grant>) -> Run<'a> {
        Run {
            id,
            subject: self.subject,
            basis,
            attempt: grant.map(|grant| Attempt {
                tick: grant.tick,
                number: grant.attempt,
            }),
            start_by: grant.map(|grant| grant.start_by),
            started: clock::wall_time(),
            began: clock::boot_time(),
        }
    }

    fn report_unprepared(&self, error: &io::Error, log: &mut Log) -> Outcome {
        let error = format!("cannot supervise the job: {}", error_text(error));
        log.report_rejection(&Diagnostic::plain(error), self.subject.command);
        Outcome::Exited(FAILED)
    }

    /// `lease`: that of the grant, if another one must end the job.
    fn prepare(&self, inherited: PreviousState, basis: Basis, lease: Option<String>) -> io::Result<Prepared<'a>> {
        let signals = Signals::open()?;
        let guard = match self.config.on_demotion {
            OnDemotion::Continue => None,
            OnDemotion::Terminate => Some(Guard::new(self.config, basis, lease)?),
        };
        let terminal = Terminal::controlling();
        let in_foreground = terminal.as_ref().is_some_and(Terminal::is_ours);
        Ok(Prepared {
            inherited,
            signals,
            guard,
            terminal,
            group_mode: if in_foreground {
                GroupMode::SharedGroup
            } else {
                GroupMode::OwnGroup
            },
        })
    }

    /// What the start rests on now, or why the job is not started after all. The lease may have ended since `earlier`: rcron was
    /// stopped, or a stuck terminal delayed a warning. A lease that was renewed meanwhile may have another epoch.
    fn current_basis(&self, earlier: Basis) -> Result<Basis, Skip> {
        match earlier.expires() {
            Some(expires) if clock::boot_time() >= expires => match observe::observe(self.config).decision {
                Decision::Run(renewed @ Basis::State { .. }) => Ok(renewed),
                Decision::Run(Basis::Default) => Err(Skip::Stale(Stale::LeaseEnded)),
                Decision::Skip(skip) => Err(skip),
            },
            _ => Ok(earlier),
        }
    }

    /// Starts the job, unless the state has expired by then and was not renewed.
    fn start_in_time(&self, run: &mut Run, prepared: &Prepared) -> Result<Result<Started, Failure>, Skip> {
        loop {
            match self.start(run, prepared).transpose() {
                Some(started) => return Ok(started),
                // A grant is not renewed.
                None if run.start_by.is_some() => return Err(Skip::Stale(Stale::LeaseEnded)),
                None => run.basis = self.current_basis(run.basis)?,
            }
        }
    }

    /// `None` if the state has expired.
    fn start(&self, run: &Run, prepared: &Prepared) -> Result<Option<Started>, Failure> {
        let text = self.job.text(LONGEST_NAME);
        let epoch = run.basis.epoch().map(|epoch| epoch.to_string());
        let tick = run.attempt.map(|attempt| attempt.tick.rfc3339());
        let attempt = run.attempt.map(|attempt| attempt.number.to_string());
        let fence = run
            .attempt
            .map(|attempt| attempt.tick.fence(attempt.number).to_string());
        let additions = [
            ("RCRON_CLUSTER", Some(self.subject.cluster)),
            ("RCRON_JOB", Some(self.subject.job.unwrap_or(&text))),
            ("RCRON_RUN", Some(run.id.as_bytes())),
            ("RCRON_EPOCH", epoch.as_ref().map(String::as_bytes)),
            ("RCRON_TICK", tick.as_ref().map(String::as_bytes)),
            ("RCRON_ATTEMPT", attempt.as_ref().map(String::as_bytes)),
            ("RCRON_FENCE", fence.as_ref().map(String::as_bytes)),
        ];
        let environment = Environment::new(self.job, &additions).map_err(|nul| Failure::Execute(nul.into()))?;
        spawn::start(&Launch {
            argv: &self.job.argv(),
            environment: &environment.entries(),
            own_group: prepared.group_mode == GroupMode::OwnGroup,
            shell: SHELL,
            nice_level: self.config.nice_level,
            not_after: run.not_after().map(|end| end.0),
            dies_with_us: self.config.on_demotion == OnDemotion::Terminate,
            signals: prepared.inherited,
        })
    }

    /// Records the start and stays until the job has ended.
    fn supervise(
        &self,
        started: Started,
        prepared: Prepared<'a>,
        run: Run<'a>,
        claim: Option<&mut HeldClaim>,
        log: &mut Log,
    ) -> (End, Journal<'a>) {
        if let Err(error) = &started.niceness {
            let (level, reason) = (self.config.nice_level, error_text(error));
            log.warn(&format!(
                "cannot set nice_level {level}: {reason}; the job keeps its niceness"
            ));
        }
        self.leave_directory();
        let mut journal = Journal::begin(self.config, run, Some(started.child.pid()), log);
        let supervision = Supervision {
            processes: JobProcesses::new(started.child, prepared.group_mode),
            signals: prepared.signals,
            guard: prepared.guard,
            terminal: prepared.terminal,
            log,
            journal: &mut journal,
            claim,
            stopped: false,
        };
        (supervision.until_end(), journal)
    }

    /// rcron must not keep the file system of the job's directory busy while it waits. It stays if it still needs a relative path.
    fn leave_directory(&self) {
        let state_file = self.config.state_file.as_slice();
        let is_watched = self.config.on_demotion == OnDemotion::Terminate;
        let needed = [
            self.config.syslog_socket.as_slice(),
            if is_watched { state_file } else { b"/" },
            if self.config.once_per_tick {
                &self.config.claim_socket
            } else {
                b"/"
            },
        ];
        if needed.iter().all(|path| path.starts_with(b"/")) {
            let _ = std::env::set_current_dir("/");
        }
    }

    /// The job was not started: says why, and records a run that ended at once.
    fn report_failure(&self, failure: &Failure, run: Run<'a>, log: &mut Log) -> (End, Journal<'a>) {
        let (status, text) = self.explain(failure);
        log.report_error(&Diagnostic::plain(text));
        let end = End {
            outcome: Outcome::Exited(status),
            demoted: false,
        };
        (end, Journal::begin(self.config, run, None, log))
    }

    /// rcron's exit status and message where the job was not started.
    fn explain(&self, failure: &Failure) -> (u8, String) {
        let program = shown(OsStr::from_bytes(&shell::quoted(self.job.argv()[0])));
        let (status, mut text) = match failure {
            Failure::Fork(error) => (FAILED, format!("cannot start a process: {}", error_text(error))),
            Failure::Execute(error) if error.kind() == io::ErrorKind::NotFound => {
                (NOT_FOUND, format!("{program}: {}", self.why_not_found()))
            }
            Failure::Execute(error) => (
                CANNOT_EXECUTE,
                format!("cannot execute {program}: {}", error_text(error)),
            ),
        };
        if self.job.looks_like_shell() {
            text.push_str("; this looks like a shell command line: quote the whole line, as in rcron 'cd /x && job'");
        }
        (status, text)
    }

    /// If the program exists, execve(2) did not find the interpreter that its first line names.
    fn why_not_found(&self) -> &'static str {
        if launch::program(self.job).is_some() {
            "its interpreter, named in its first line, was not found"
        } else if self.job.argv()[0].contains(&b'/') {
            "no such file"
        } else {
            "command not found"
        }
    }

    /// Records and logs the end.
    fn finish(&self, run: &Run, end: &End, mut claim: Option<&mut HeldClaim>, journal: Journal, log: &mut Log) {
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
        // rcrond first, then the journal: they work while the line is sent.
        if let Some(claim) = claim.as_deref_mut() {
            claim.report_end(Ended {
                outcome: ending.outcome,
                is_demoted: ending.demoted,
                lasted: ending.lasted,
            });
        }
        let writers = journal.end(&ending, log);
        log.event(&self.subject, &Event::Ended(run.name(), ending));
        writers.finish(log);
        if let Some(claim) = claim {
            claim.finish();
        }
    }
}
