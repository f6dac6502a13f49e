//! One run of rcron: read the configuration and the state, decide, act.

use crate::active::Active;
use crate::cli;
use crate::dry_run;
use crate::log::Log;
use crate::once_per_tick::{self, OncePerTick};
use inputs::command_line::{self, Invocation, Options, Request, UsageError};
use inputs::diagnostic::Diagnostic;
use inputs::observe::{self, Observation};
use inputs::settings::{self, Refused, Settings};
use policy::command::joined;
use policy::config::Config;
use policy::datagram;
use policy::decide::Decision;
use policy::event::{Event, Subject};
use policy::exit::{FAILED, Outcome, SUCCESS};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use sys::output::{self, error_text};
use sys::signal;

/// The program; returns its exit status.
pub(crate) fn main() -> u8 {
    match command_line::read(lexopt::Parser::from_env()) {
        Ok(Request::Help) => print(&[cli::USAGE, cli::HELP].concat()),
        Ok(Request::Version) => print(&cli::version()),
        Ok(Request::Job(invocation)) => run_job(&invocation),
        Err(error) => reject_command_line(&error),
    }
}

fn run_job(invocation: &Invocation) -> u8 {
    let settings = match settings::read(invocation.options.conf.as_deref(), &invocation.options.settings) {
        Ok(settings) => settings,
        Err(refused) => return reject_configuration(&refused, invocation),
    };
    if let Err(diagnostic) = settings::check_together(&settings.config, &invocation.options) {
        let known = Box::new(settings.config);
        return reject_configuration(&Refused { diagnostic, known }, invocation);
    }
    let claim = once_per_tick::claim(&settings.config, &invocation.options);
    let observation = observe::observe(&settings.config);
    if invocation.options.dry_run {
        let claim = claim.map(|(_, claim)| claim);
        return print(&dry_run::report(invocation, &settings, &observation, claim));
    }
    let mut log = Log::new(&settings.config, invocation.options.verbose);
    let command = invocation.job.text(datagram::LARGEST);
    let job = invocation.options.job_name.as_deref();
    let subject = Subject {
        cluster: &settings.config.cluster_name,
        job,
        command: &command,
    };
    if let Some(claim) = claim {
        let granted = OncePerTick {
            config: &settings.config,
            job: &invocation.job,
            subject,
        };
        let outcome = granted.run(claim, &mut log, |log| log_warnings(&settings, &observation, log));
        log.finish();
        return end_as(outcome);
    }
    match observation.decision {
        Decision::Skip(skip) => {
            signal::survive_writing();
            log_warnings(&settings, &observation, &mut log);
            log.event(&subject, &Event::Ignored(skip));
            log.finish();
            SUCCESS
        }
        Decision::Run(basis) => {
            let active = Active {
                config: &settings.config,
                job: &invocation.job,
                subject,
                basis,
            };
            let outcome = active.run_job(&mut log, |log| log_warnings(&settings, &observation, log));
            log.finish();
            end_as(outcome)
        }
    }
}

/// Logs what an administrator may want to correct: no default file, odd values, a state that cannot be read.
fn log_warnings(settings: &Settings, observation: &Observation, log: &mut Log) {
    if !settings.found {
        log.note(&format!("no {}: the built-in defaults apply", settings::DEFAULT_FILE));
    }
    let by_default = observation.default_warning(&settings.config);
    for warning in settings.warnings.iter().chain(&by_default) {
        log.report_warning(warning);
    }
}

/// rcron ends as the job did. PID 1 of a container survives its own signal and exits with a status.
fn end_as(outcome: Outcome) -> u8 {
    if let Outcome::Killed(number) = outcome {
        signal::die_of(number);
    }
    outcome.status()
}

fn reject_configuration(refused: &Refused, invocation: &Invocation) -> u8 {
    let command = invocation.job.text(datagram::LARGEST);
    report_rejection(&refused.diagnostic, &refused.known, &invocation.options, &command);
    output::to_stderr(b"rcron: the job was not run\n");
    FAILED
}

fn reject_command_line(error: &UsageError) -> u8 {
    // Where the job begins is not known, so the log shows all arguments.
    let arguments: Vec<Vec<u8>> = std::env::args_os().skip(1).map(OsString::into_vec).collect();
    report_rejection(
        &Diagnostic::plain(error.mistake.to_string()),
        &settings::known(&error.options.settings),
        &error.options,
        &joined(&arguments, datagram::LARGEST),
    );
    output::to_stderr(cli::USAGE.as_bytes());
    output::to_stderr(b"Try 'rcron --help' for the options.\n");
    FAILED
}

/// A dry run logs nothing, not even that it was rejected. In the log, `command` shows which line of which crontab is meant.
fn report_rejection(diagnostic: &Diagnostic, known: &Config, options: &Options, command: &[u8]) {
    signal::survive_writing();
    if options.dry_run {
        output::to_stderr(format!("rcron: {}\n", diagnostic.full).as_bytes());
        return;
    }
    let mut log = Log::new(known, false);
    log.report_rejection(diagnostic, command);
    log.finish();
}

fn print(text: &str) -> u8 {
    match output::to_stdout(text.as_bytes()) {
        Ok(()) => SUCCESS,
        Err(error) => {
            output::to_stderr(format!("rcron: cannot write to stdout: {}\n", error_text(&error)).as_bytes());
            FAILED
        }
    }
}
