//! One run of rcron: read the facts, ask the policy, act.

use crate::cli::{self, Invocation, Options, Request, UsageError};
use crate::dry_run;
use crate::family::Family;
use crate::guard::Guard;
use crate::launch::Environment;
use crate::log::Log;
use crate::observe::{self, Observation};
use crate::settings::{self, Complaint, Refused, Settings, shown};
use crate::supervise::{End, Supervision};
use platform::output::{self, error_text};
use platform::signal::{self, Inherited, Signals};
use platform::spawn::{self, Failure, Launch, Started};
use platform::terminal::Terminal;
use platform::{clock, random};
use policy::command::{Job, LONGEST_NAME};
use policy::config::{Config, OnDemotion};
use policy::datagram;
use policy::decide::{Decision, Grounds};
use policy::event::{Ending, Event, Subject};
use policy::exit::{CANNOT_EXECUTE, FAILED, NOT_FOUND, Outcome, SUCCESS};
use policy::moment::BootTime;
use policy::relay::Standing;
use policy::run_id::RunId;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;

/// The program; returns its exit status.
pub(crate) fn main() -> u8 {
    match cli::read(lexopt::Parser::from_env()) {
        Ok(Request::Help) => print(cli::HELP),
        Ok(Request::Version) => print(concat!("rcron ", env!("CARGO_PKG_VERSION"), "\n")),
        Ok(Request::Job(invocation)) => run(&invocation),
        Err(error) => refuse_usage(&error),
    }
}

fn run(invocation: &Invocation) -> u8 {
    let settings = match settings::read(&invocation.options) {
        Ok(settings) => settings,
        Err(refused) => return refuse(&refused, &invocation.options),
    };
    let observation = observe::observe(&settings.config);
    if invocation.options.dry_run {
        return print(&dry_run::report(invocation, &settings, &observation));
    }
    let mut log = Log::new(&settings.config, invocation.options.verbose);
    let command = invocation.job.text(datagram::LARGEST);
    let job = invocation.options.job_name.as_deref();
    let subject = Subject {
        cluster: &settings.config.cluster_name,
        job,
        command: &command,
    };
    match observation.decision {
        Decision::Skip(skip) => {
            tell_circumstances(&settings, &observation, &mut log);
            log.event(&subject, &Event::Ignored(skip));
            log.finish();
            SUCCESS
        }
        Decision::Run(grounds) => {
            let active = Active {
                config: &settings.config,
                job: &invocation.job,
                subject,
                grounds,
            };
            let outcome = active.run(&mut log, |log| tell_circumstances(&settings, &observation, log));
            log.finish();
            end_as(outcome)
        }
    }
}

/// A job on the active server.
struct Active<'a> {
    config: &'a Config,
    job: &'a Job,
    subject: Subject<'a>,
    grounds: Grounds,
}

impl Active<'_> {
    /// Runs it from start to end. `tell` gives the warnings that came before.
    ///
    /// Signals are blocked first of all: from here on none can end rcron and leave the job alone.
    fn run(&self, log: &mut Log, tell: impl FnOnce(&mut Log)) -> Outcome {
        let prepared = signal::take_over().and_then(|inherited| Ok((inherited, Signals::open()?, self.guard()?)));
        tell(log);
        let (inherited, signals, guard) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => {
                complain(
                    log,
                    &Complaint::plain(format!("cannot watch over the job: {}", error_text(&error))),
                );
                return Outcome::Exited(FAILED);
            }
        };
        let terminal = Terminal::controlling();
        let in_foreground = terminal.as_ref().is_some_and(Terminal::is_ours);
        let standing = if in_foreground {
            Standing::SharedGroup
        } else {
            Standing::OwnGroup
        };
        let run = RunId::new(clock::wall_time(), random::ten_bytes());
        log.event(&self.subject, &Event::Started(&run));
        let began = clock::boot_time();
        let end = match self.start(&run, standing, inherited) {
            Ok(started) => {
                self.tell_niceness(&started, log);
                let family = Family::new(started.child, standing);
                Supervision {
                    family,
                    signals,
                    guard,
                    terminal,
                    log,
                    stopped: false,
                }
                .until_end()
            }
            Err(failure) => End {
                outcome: self.explain(&failure, log),
                demoted: false,
            },
        };
        self.log_end(&run, &end, began, log);
        end.outcome
    }

    fn guard(&self) -> io::Result<Option<Guard<'_>>> {
        match self.config.on_demotion {
            OnDemotion::Continue => Ok(None),
            OnDemotion::Terminate => Guard::new(self.config, self.grounds).map(Some),
        }
    }

    fn start(&self, run: &RunId, standing: Standing, signals: Inherited) -> Result<Started, Failure> {
        let text = self.job.text(LONGEST_NAME);
        let epoch = match self.grounds {
            Grounds::State { epoch, .. } => epoch.map(|epoch| epoch.to_string()),
            Grounds::Default => None,
        };
        let additions = [
            ("RCRON_CLUSTER", Some(self.subject.cluster)),
            ("RCRON_JOB", Some(self.subject.job.unwrap_or(&text))),
            ("RCRON_RUN", Some(run.as_bytes())),
            ("RCRON_EPOCH", epoch.as_ref().map(String::as_bytes)),
        ];
        let environment = Environment::new(self.job, &additions).map_err(|nul| Failure::Execute(nul.into()))?;
        spawn::start(&Launch {
            argv: &self.job.argv(),
            environment: &environment.entries(),
            standing,
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
        let program = shown(OsStr::from_bytes(self.job.argv()[0]));
        let (status, mut text) = match failure {
            Failure::Fork(error) => (FAILED, format!("cannot start a process: {}", error_text(error))),
            Failure::Execute(error) if error.kind() == io::ErrorKind::NotFound => {
                (NOT_FOUND, format!("{program}: {}", not_found(self.job)))
            }
            Failure::Execute(error) => (
                CANNOT_EXECUTE,
                format!("cannot execute {program}: {}", error_text(error)),
            ),
        };
        if self.job.looks_like_shell() {
            text.push_str("; this looks like a shell command line: quote the whole of it, as in rcron 'cd /x && job'");
        }
        complain(log, &Complaint::plain(text));
        Outcome::Exited(status)
    }

    fn log_end(&self, run: &RunId, end: &End, began: BootTime, log: &mut Log) {
        let signal = match end.outcome {
            Outcome::Exited(_) => String::new(),
            Outcome::Killed(number) => signal::name(number),
        };
        let lasted = clock::boot_time().since(began);
        let ending = Ending {
            outcome: end.outcome,
            signal: &signal,
            lasted,
            demoted: end.demoted,
        };
        log.event(&self.subject, &Event::Ended(run, ending));
    }
}

/// What is told besides the decision: a missing default file, odd values, a state that cannot be read.
fn tell_circumstances(settings: &Settings, observation: &Observation, log: &mut Log) {
    if !settings.found {
        log.note(&format!("no {}: the built-in defaults apply", settings::DEFAULT_FILE));
    }
    let by_default = observation.default_warning(&settings.config).map(Complaint::plain);
    for warning in settings.warnings.iter().chain(&by_default) {
        log.warn(&warning.summary);
        output::to_stderr(format!("rcron: warning: {}\n", warning.full).as_bytes());
    }
}

/// A program that is there but cannot be found has a first line that names an interpreter that is not.
fn not_found(job: &Job) -> &'static str {
    let path = OsStr::from_bytes(job.argv()[0]);
    if path.as_bytes().contains(&b'/') && std::path::Path::new(path).exists() {
        "its interpreter, named in its first line, was not found"
    } else if path.as_bytes().contains(&b'/') {
        "no such file"
    } else {
        "command not found"
    }
}

/// The job is over: rcron ends as it did.
fn end_as(outcome: Outcome) -> u8 {
    if let Outcome::Killed(number) = outcome {
        signal::die_of(number);
    }
    outcome.status()
}

fn refuse(refused: &Refused, options: &Options) -> u8 {
    let mut log = Log::new(&refused.known, false);
    if options.dry_run {
        output::to_stderr(format!("rcron: {}\n", refused.complaint.full).as_bytes());
    } else {
        complain(&mut log, &refused.complaint);
    }
    output::to_stderr(b"rcron: the job was not run\n");
    log.finish();
    FAILED
}

fn refuse_usage(error: &UsageError) -> u8 {
    let mut known = Config::default();
    for option in &error.options.settings {
        let _ = known.set(option.as_bytes()); // only to know where to log
    }
    let mut log = Log::new(&known, false);
    complain(&mut log, &Complaint::plain(error.message.clone()));
    output::to_stderr(cli::USAGE.as_bytes());
    output::to_stderr(b"Try 'rcron --help' for the options.\n");
    log.finish();
    FAILED
}

/// The one place where errors are told: to stderr and to syslog.
fn complain(log: &mut Log, complaint: &Complaint) {
    log.error(&complaint.summary);
    output::to_stderr(format!("rcron: {}\n", complaint.full).as_bytes());
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
