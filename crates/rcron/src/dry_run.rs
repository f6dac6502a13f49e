//! `--dry-run`: prints what would be done, and why.

use crate::claim;
use crate::launch;
use inputs::command_line::Invocation;
use inputs::diagnostic::shown;
use inputs::observe::Observation;
use inputs::settings::Settings;
use inputs::words::{age, decision, seconds, state_line, why};
use policy::claim::{Answer, Claim};
use policy::command::Mode;
use policy::config::{Config, OnDemotion};
use policy::decide::Reading;
use policy::display::escaped;
use policy::shell;
use policy::tick::TickTime;
use std::ffi::OsStr;
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The whole report, a line for each fact.
pub(crate) fn report(
    invocation: &Invocation,
    settings: &Settings,
    observation: &Observation,
    claim: Option<Claim>,
) -> String {
    let config = &settings.config;
    let mut text = String::new();
    for warning in &settings.warnings {
        line(&mut text, "warning", &warning.summary);
    }
    line(&mut text, "configuration", &configuration(settings));
    line(&mut text, "cluster", &escaped(&config.cluster_name));
    line(&mut text, "state file", &state_file(config));
    line(&mut text, "it says", &content(observation));
    match claim {
        None => line(&mut text, "decision", &decision(observation, config)),
        Some(claim) => append_claim(&mut text, claim, observation, config),
    }
    line(&mut text, "argv", &argv(invocation));
    line(&mut text, "program", &program(invocation));
    for assignment in invocation.job.assignments() {
        line(&mut text, "environment", &escaped(assignment));
    }
    line(&mut text, "niceness", &config.nice_level.to_string());
    line(&mut text, "on demotion", &on_demotion(config));
    line(&mut text, "log", &log(config));
    line(&mut text, "journal", &journal(config));
    text
}

/// With `once_per_tick`, rcrond decides.
fn append_claim(text: &mut String, claim: Claim, observation: &Observation, config: &Config) {
    let decision = format!("ask rcrond for the tick; {}", why(observation, config));
    line(text, "decision", &decision);
    let (tick, answer) = match claim::ask(config, claim) {
        Ok(Answer::Would { tick, text }) => (tick, escaped(&text).into_owned()),
        Ok(Answer::Refused { message }) => (None, format!("refuses: {}", escaped(&message))),
        Ok(_) => (None, "unexpected answer; it may have another version".to_owned()),
        Err(error) => {
            let socket = escaped(&config.claim_socket);
            (None, format!("no answer on {socket}: {error}"))
        }
    };
    let tick = tick.map_or_else(|| "not known".to_owned(), TickTime::rfc3339);
    line(text, "tick", &tick);
    line(text, "rcrond", &answer);
}

fn line(text: &mut String, name: &str, value: &str) {
    let _ = writeln!(text, "{:15}{value}", format!("{name}:"));
}

fn configuration(settings: &Settings) -> String {
    let file = shown(&settings.file);
    if settings.found {
        file
    } else {
        format!("{file} is missing: the built-in defaults apply")
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
        (_, Some(obstacle)) => format!("nothing: {obstacle}"),
        (_, None) => "nothing that counts: the file was removed or replaced".to_owned(),
    }
}

fn argv(invocation: &Invocation) -> String {
    let words: Vec<String> = invocation
        .job
        .argv()
        .into_iter()
        .map(|word| escaped(&shell::quoted(word)).into_owned())
        .collect();
    let how = match invocation.job.mode {
        Mode::Direct => "directly",
        Mode::Shell => "by the shell",
    };
    format!("{} ({how})", words.join(" "))
}

/// The program's file. A dry run by hand may have another PATH than cron.
fn program(invocation: &Invocation) -> String {
    match launch::program(&invocation.job) {
        Some(path) => shown(path.as_os_str()),
        None if invocation.job.looks_like_shell() => {
            "not found; for a shell command line, quote the whole line".to_owned()
        }
        None => "not found, or not executable".to_owned(),
    }
}

fn log(config: &Config) -> String {
    let path = OsStr::from_bytes(&config.syslog_socket);
    if Path::new(path).exists() {
        shown(path)
    } else {
        format!("{} is missing: nothing is logged", shown(path))
    }
}

fn journal(config: &Config) -> String {
    let Some(directory) = config.journal.as_deref().map(OsStr::from_bytes) else {
        return "none".to_owned();
    };
    if Path::new(directory).is_dir() {
        shown(directory)
    } else {
        format!("{} is missing: runs are not recorded", shown(directory))
    }
}

fn on_demotion(config: &Config) -> String {
    match config.on_demotion {
        OnDemotion::Continue => "the job continues".to_owned(),
        OnDemotion::Terminate => format!("the job gets SIGTERM, and SIGKILL after {}", seconds(config.kill_after)),
    }
}
