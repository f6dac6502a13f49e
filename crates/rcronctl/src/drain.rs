//! `rcronctl drain` and `undrain`: rcrond gives clusters away and stays out, or takes part again.

use crate::cli::{self, Common, Which};
use crate::daemon;
use crate::failure::Failure;
use crate::json;
use crate::table::visible;
use control::client::{Connection, NoAnswer};
use control::{Request, Response};
use inputs::clusters;
use inputs::words;
use policy::duration;
use serde::Serialize;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// It was not done, or not in time. (2 is that rcrond could not be asked.)
const NOT_DONE: u8 = 1;
/// How long running jobs are waited for.
const PATIENCE: Duration = Duration::from_secs(600);
/// For rcrond to write the state files and release the leases, beside the time that it waits for jobs. It ends at its own limit before that.
const LIMIT: Duration = Duration::from_secs(15);

#[derive(Serialize)]
struct Document {
    done: bool,
    /// What has become of each cluster.
    lines: Vec<String>,
    error: Option<String>,
}

/// Gives clusters away.
pub(crate) fn drain(options: &cli::Drain, common: &Common) -> Result<ExitCode, Failure> {
    let wait = match &options.timeout {
        _ if !options.wait => None,
        None => Some(PATIENCE),
        Some(text) => Some(span(text)?),
    };
    let request = Request::Drain {
        clusters: choose(&options.which, common)?,
        wait_ms: wait.map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)),
    };
    converse(&options.which, &request, LIMIT + wait.unwrap_or_default(), common)
}

/// Takes part again.
pub(crate) fn undrain(options: &cli::Undrain, common: &Common) -> Result<ExitCode, Failure> {
    let clusters = choose(&options.which, common)?;
    converse(&options.which, &Request::Undrain { clusters }, LIMIT, common)
}

fn span(text: &str) -> Result<Duration, Failure> {
    duration::parse(text.as_bytes())
        .map_err(|_| Failure::new(format!("--timeout: `{text}` is no span: write 90s, 10m or 1h")))
}

/// The clusters' names, or none for all. Where there are several, the user must say: another cluster's jobs are at stake.
fn choose(which: &Which, common: &Common) -> Result<Vec<String>, Failure> {
    if which.all {
        return match common.conf.as_slice() {
            [] => Ok(Vec::new()),
            _ => Err(Failure::new("--all and --conf contradict each other")),
        };
    }
    let mut names = which.cluster.clone();
    if !common.conf.is_empty() {
        for cluster in clusters::all(&common.conf)? {
            let settings = cluster.settings.map_err(|diagnostic| Failure::new(diagnostic.full))?;
            let name = words::text_of(&settings.config.cluster_name);
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    if !names.is_empty() {
        return Ok(names);
    }
    let report = daemon::report(&which.socket.socket, false)?;
    let known: Vec<String> = report.clusters.into_iter().map(|cluster| cluster.name).collect();
    match known.len() {
        0 => Err(Failure::new("rcrond has no clusters: see rcrond.toml(5)")),
        1 => Ok(known),
        _ => {
            let list = known.join(", ");
            Err(Failure::new(format!(
                "rcrond has several clusters ({}): say which with --cluster NAME, or --all",
                visible(&list)
            )))
        }
    }
}

/// Asks, shows how it goes, and how it ended.
fn converse(which: &Which, request: &Request, limit: Duration, common: &Common) -> Result<ExitCode, Failure> {
    let socket = &which.socket.socket;
    let unheard = |no_answer: NoAnswer| Failure::new(daemon::why(socket, &no_answer, daemon::QUICK));
    let mut connection = Connection::open(socket, daemon::QUICK).map_err(unheard)?;
    connection.ask(request, daemon::QUICK).map_err(unheard)?;
    let deadline = Instant::now() + limit;
    loop {
        match connection.answer(deadline) {
            Ok(Response::Progress { text }) => {
                sys::output::to_stderr(format!("{}\n", visible(&text)).as_bytes());
            }
            Ok(Response::Done { lines }) => return done(lines, common),
            Ok(Response::Error { message }) => return not_done(message, common),
            Ok(Response::Refused { message }) => return Err(Failure::new(visible(&message))),
            Ok(Response::Status(_)) => return not_done("rcrond has answered another question".to_owned(), common),
            Err(no_answer) => {
                let why = daemon::why(socket, &no_answer, limit);
                let message = format!("{why}; it may still do it: rcronctl status shows whether it has");
                return not_done(message, common);
            }
        }
    }
}

fn done(lines: Vec<String>, common: &Common) -> Result<ExitCode, Failure> {
    if common.json {
        json::print(&Document {
            done: true,
            lines,
            error: None,
        })?;
    } else {
        for line in &lines {
            json::say(&format!("{}\n", visible(line)))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn not_done(message: String, common: &Common) -> Result<ExitCode, Failure> {
    if common.json {
        json::print(&Document {
            done: false,
            lines: Vec::new(),
            error: Some(message),
        })?;
    } else {
        sys::output::to_stderr(format!("rcronctl: {}\n", visible(&message)).as_bytes());
    }
    Ok(ExitCode::from(NOT_DONE))
}
