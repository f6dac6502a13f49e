//! A run with `once_per_tick`: waits for a grant of rcrond, and runs the job with it.

use crate::active::Active;
use crate::claim::{Claiming, Waited};
use crate::log::Log;
use inputs::clock;
use inputs::command_line::Options;
use inputs::diagnostic::Diagnostic;
use inputs::observe;
use policy::claim::wait::{Event as WaitEvent, NotGranted, Reason};
use policy::claim::{Claim, ClaimId};
use policy::command::Job;
use policy::config::{Config, OnDemotion, Overlap};
use policy::decide::Decision;
use policy::event::{Event, RunName, Subject};
use policy::exit::{FAILED, Outcome, SUCCESS};
use policy::run_id::RunId;
use policy::state::Word;
use std::io::{self, IsTerminal};
use sys::output::{self, error_text};
use sys::random;
use sys::signal::{self, PreviousState};

/// A job that is started only with a grant.
pub(crate) struct OncePerTick<'a> {
    pub(crate) config: &'a Config,
    pub(crate) job: &'a Job,
    /// How log and journal name the job.
    pub(crate) subject: Subject<'a>,
}

/// The claim of a run that starts now; `None` without `once_per_tick`.
pub(crate) fn claim(config: &Config, options: &Options) -> Option<(RunId, Claim)> {
    if !config.once_per_tick {
        return None;
    }
    let (started_wall, started_boot) = (clock::wall_time(), clock::boot_time());
    let id = RunId::new(started_wall, random::ten_bytes());
    // The rules have been checked: there is a name, and it is UTF-8.
    let job = options.job_name.as_deref().unwrap_or_default();
    let claim = Claim {
        run: ClaimId::from(&id),
        started_wall,
        started_boot,
        start_within: config.start_within,
        rerun: config.rerun,
        skips_overlap: config.overlap == Overlap::Skip,
        kill_after: (config.on_demotion == OnDemotion::Terminate).then_some(config.kill_after),
        tick: options.tick,
        job: String::from_utf8_lossy(job).into_owned(),
        state_file: config.state_file.clone(),
    };
    Some((id, claim))
}

impl<'a> OncePerTick<'a> {
    /// Waits for a grant, and runs the job if there is one. `log_warnings` logs what was found before.
    ///
    /// Signals are blocked first of all, as without a grant.
    pub(crate) fn run(
        &self,
        (id, claim): (RunId, Claim),
        log: &mut Log,
        log_warnings: impl FnOnce(&mut Log),
    ) -> Outcome {
        let inherited = signal::take_over();
        log_warnings(log);
        let begun = inherited.and_then(|inherited| Ok((inherited, Claiming::new(self.config, claim, inherited)?)));
        match begun {
            Ok((inherited, claiming)) => self.wait_and_run(id, claiming, inherited, log),
            Err(error) => {
                let error = format!("cannot wait for a grant: {}", error_text(&error));
                self.reject(error, log)
            }
        }
    }

    fn wait_and_run(&self, id: RunId, mut claiming: Claiming<'a>, inherited: PreviousState, log: &mut Log) -> Outcome {
        let mut event = WaitEvent::Time;
        loop {
            let (grant, basis) = match claiming.wait(event, log) {
                Waited::Granted(grant, basis) => (grant, basis),
                Waited::NotGranted(not_granted) => return self.report(&id, &not_granted, log),
                Waited::Rejected(message) => return self.reject(message, log),
            };
            let active = Active {
                config: self.config,
                job: self.job,
                subject: self.subject,
                basis,
            };
            let mut held = claiming.hold(&grant);
            if let Some(outcome) = active.run_granted((id, inherited), &grant, &mut held, log) {
                return outcome;
            }
            claiming.take_back(held);
            event = WaitEvent::TooLate;
        }
    }

    /// The claim is wrong, or cannot be made.
    fn reject(&self, error: String, log: &mut Log) -> Outcome {
        log.report_rejection(&Diagnostic::plain(error), self.subject.command);
        output::to_stderr(b"rcron: the job was not run\n");
        Outcome::Exited(FAILED)
    }

    /// Logs why the job is not run. On a terminal, also prints it: somebody waits for the job.
    fn report(&self, id: &RunId, not_granted: &NotGranted, log: &mut Log) -> Outcome {
        let state = match observe::observe(self.config).decision {
            Decision::Run(_) => Word::Active,
            Decision::Skip(_) => Word::Passive,
        };
        let (signal, outcome) = match not_granted.reason {
            Reason::Signal(number) => (signal::name(number), Outcome::Killed(number)),
            _ => (String::new(), Outcome::Exited(SUCCESS)),
        };
        let run = RunName { id, attempt: None };
        log.event(&self.subject, &Event::NotGranted(run, state, not_granted, &signal));
        if io::stderr().is_terminal() {
            let why = not_granted.explanation();
            let advice = "-o once_per_tick=no runs it without a grant";
            output::to_stderr(format!("rcron: the job was not run: {why}\n  {advice}\n").as_bytes());
        }
        outcome
    }
}
