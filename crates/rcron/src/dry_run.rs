//! `--dry-run`: what would be done, and why.

use crate::cli::Invocation;
use crate::complaint::shown;
use crate::launch;
use crate::observe::Observation;
use crate::settings::Settings;
use policy::command::Mode;
use policy::config::{Config, OnDemotion};
use policy::decide::{Decision, Grounds, Reading, Skip, Stale};
use policy::escape;
use policy::moment::{Moment, WallTime};
use policy::state::{Lease, State};
use std::ffi::OsStr;
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

/// The whole report, for stdout.
pub(crate) fn report(invocation: &Invocation, settings: &Settings, observation: &Observation) -> String {
    let config = &settings.config;
    let mut text = String::new();
    for warning in &settings.warnings {
        line(&mut text, "warning", &warning.summary);
    }
    line(&mut text, "configuration", &configuration(settings));
    line(&mut text, "cluster", &text_of(&config.cluster_name));
    line(&mut text, "state file", &state_file(config));
    line(&mut text, "it says", &content(observation));
    line(&mut text, "decision", &decision(observation, config));
    line(&mut text, "argv", &argv(invocation));
    line(&mut text, "program", &program(invocation));
    for assignment in invocation.job.assignments() {
        line(&mut text, "environment", &text_of(assignment));
    }
    line(&mut text, "niceness", &config.nice_level.to_string());
    line(&mut text, "on demotion", &on_demotion(config));
    line(&mut text, "log", &log(config));
    text
}

fn line(text: &mut String, name: &str, value: &str) {
    let _ = writeln!(text, "{:15}{value}", format!("{name}:"));
}

fn configuration(settings: &Settings) -> String {
    let file = shown(&settings.file);
    if settings.found {
        file
    } else {
        format!("{file} is missing: built-in defaults")
    }
}

fn state_file(config: &Config) -> String {
    let path = OsStr::from_bytes(&config.state_file);
    match std::fs::canonicalize(path) {
        Ok(real) if real.as_os_str() != path => format!("{} -> {}", shown(path), shown(real.as_os_str())),
        Err(_) if !Path::new(path).is_absolute() => {
            format!(
                "{} (relative to the working directory; `~` and `$` are not expanded)",
                shown(path)
            )
        }
        _ => shown(path),
    }
}

fn content(observation: &Observation) -> String {
    match (&observation.reading, &observation.obstacle) {
        (
            Reading::File {
                content: Ok(state),
                modified,
            },
            _,
        ) => {
            format!(
                "{} (modified {})",
                state_line(state, &observation.moment),
                age(*modified, observation.moment.wall)
            )
        }
        (_, obstacle) => format!("nothing: {}", obstacle.as_deref().unwrap_or_default()),
    }
}

fn state_line(state: &State, now: &Moment) -> String {
    let mut line = state.word.as_str().to_owned();
    if state.draining {
        line.push_str(", draining");
    }
    match &state.lease {
        Lease::None => {}
        Lease::Malformed => line.push_str(", with a malformed lease"),
        Lease::Until { end, .. } if *end > now.boot => {
            let _ = write!(line, ", for another {}", seconds(end.since(now.boot)));
        }
        Lease::Until { end, .. } => {
            let _ = write!(line, ", ended {} ago", seconds(now.boot.since(*end)));
        }
    }
    if let Some(epoch) = state.epoch {
        let _ = write!(line, ", epoch {epoch}");
    }
    for (word, value) in [("by", &state.by), ("since", &state.since)] {
        if let Some(value) = value {
            let _ = write!(line, ", {word} {}", text_of(value));
        }
    }
    line
}

fn decision(observation: &Observation, config: &Config) -> String {
    let default = config.default_state.as_str();
    match observation.decision {
        Decision::Run(Grounds::State { .. }) => "run: this server is active".to_owned(),
        Decision::Run(Grounds::Default) => format!("run: the state cannot be read and default_state is {default}"),
        Decision::Skip(skip) => format!("do not run: {}", reason(skip, default)),
    }
}

fn reason(skip: Skip, default: &str) -> String {
    match skip {
        Skip::Passive => "this server is passive".to_owned(),
        Skip::PassiveByDefault => format!("the state cannot be read and default_state is {default}"),
        Skip::Stale(stale) => format!("the state is stale: {}", staleness(stale)),
        Skip::Draining => "the server is draining: running jobs may end, none is started".to_owned(),
        Skip::NoLease => "require_lease is set and the state has no lease".to_owned(),
    }
}

fn staleness(stale: Stale) -> &'static str {
    match stale {
        Stale::LeaseEnded => "the lease has ended",
        Stale::OtherBoot => "the lease is of another boot of this server",
        Stale::Malformed => "until, boot or epoch is malformed, given twice, or one of the first two is missing",
        Stale::TooFarAhead => "the lease ends more than ten minutes ahead",
        Stale::TooOld => "the file is older than state_max_age",
        Stale::FromTheFuture => "the file is from the future, further than state_max_age",
        Stale::NotThere => "state_max_age is set and the file cannot be read",
    }
}

fn argv(invocation: &Invocation) -> String {
    let words: Vec<String> = invocation
        .job
        .argv()
        .into_iter()
        .map(|word| text_of(&escape::shell_quoted(word)))
        .collect();
    let how = match invocation.job.mode {
        Mode::Direct => "directly",
        Mode::Shell => "by the shell",
    };
    format!("{} ({how})", words.join(" "))
}

/// What the program's name leads to. A dry run by hand may have another PATH than cron.
fn program(invocation: &Invocation) -> String {
    match launch::program(&invocation.job) {
        Some(path) => shown(path.as_os_str()),
        None if invocation.job.looks_like_shell() => {
            "not found; for a shell command line, quote the whole of it".to_owned()
        }
        None => "not found, or may not be executed".to_owned(),
    }
}

fn log(config: &Config) -> String {
    let path = OsStr::from_bytes(&config.syslog_socket);
    if Path::new(path).exists() {
        shown(path)
    } else {
        format!("{} is missing: log lines go nowhere", shown(path))
    }
}

fn on_demotion(config: &Config) -> String {
    match config.on_demotion {
        OnDemotion::Continue => "the job goes on".to_owned(),
        OnDemotion::Terminate => format!("the job gets SIGTERM, after {} SIGKILL", seconds(config.kill_after)),
    }
}

fn age(modified: WallTime, now: WallTime) -> String {
    let distance = seconds(modified.distance(now));
    if modified <= now {
        format!("{distance} ago")
    } else {
        format!("{distance} in the future")
    }
}

fn seconds(span: Duration) -> String {
    format!("{:.1} s", span.as_secs_f64())
}

fn text_of(bytes: &[u8]) -> String {
    shown(OsStr::from_bytes(bytes))
}
