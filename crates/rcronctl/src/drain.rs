//! `rcronctl drain` and `undrain`: rcrond releases clusters and does not take them over again until undrain.

use crate::cli::{self, Common, Which};
use crate::daemon::{self, NoReport, QUICK, Reason};
use crate::failure::Failure;
use crate::output::{print_json, print_text};
use control::client::{Connection, NoAnswer};
use control::{Request, Response};
use inputs::clusters;
use policy::display::escaped;
use serde::Serialize;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use sys::output::to_stderr;

/// The exit status if rcrond failed or did not finish in time. 2 means that it could not be asked.
const NOT_DONE: u8 = 1;
/// How long `drain --wait` waits for running jobs without `--timeout`.
const DEFAULT_WAIT: Duration = Duration::from_secs(600);
/// For rcrond's answer, unless rcrond says how long it takes. rcrond's own limit is shorter.
const LIMIT: Duration = Duration::from_secs(15);
/// After the time that rcrond has said.
const MARGIN: Duration = Duration::from_secs(5);
/// No clock ends before this.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

#[derive(Serialize)]
struct DrainJson {
    done: bool,
    /// The result for each cluster.
    lines: Vec<String>,
    error: Option<String>,
}

pub(crate) fn drain_clusters(options: &cli::Drain, common: &Common) -> Result<ExitCode, Failure> {
    let wait = options.wait.then(|| options.timeout.unwrap_or(DEFAULT_WAIT));
    let request = Request::Drain {
        clusters: choose_clusters(&options.which, common)?,
        wait_ms: wait.map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)),
    };
    send_request(&options.which, &request, common)
}

pub(crate) fn undrain_clusters(options: &cli::Undrain, common: &Common) -> Result<ExitCode, Failure> {
    let clusters = choose_clusters(&options.which, common)?;
    send_request(&options.which, &Request::Undrain { clusters }, common)
}

/// The clusters' names; none means all. If rcrond has several clusters, the user must choose: draining the wrong one stops its
/// jobs here.
fn choose_clusters(which: &Which, common: &Common) -> Result<Vec<String>, Failure> {
    if which.all {
        return match common.conf.as_slice() {
            [] => Ok(Vec::new()),
            _ => Err(Failure::new("--all and --conf cannot be used together")),
        };
    }
    let mut names = which.cluster.clone();
    if !common.conf.is_empty() {
        for cluster in clusters::all(&common.conf)? {
            let settings = cluster.settings.map_err(|diagnostic| Failure::new(diagnostic.full))?;
            let name = escaped(&settings.config.cluster_name).into_owned();
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    if !names.is_empty() {
        return Ok(names);
    }
    let report = daemon::fetch_report(which.socket.path(), false)?;
    let known: Vec<String> = report.clusters.into_iter().map(|cluster| cluster.name).collect();
    match known.len() {
        0 => Err(Failure::new("rcrond has no clusters: see rcrond.toml(5)")),
        1 => Ok(known),
        _ => Err(Failure::new(format!(
            "rcrond has several clusters ({}): say which with --cluster NAME, or --all",
            escaped(&known.join(", "))
        ))),
    }
}

/// Sends the request, prints the progress, then the result.
fn send_request(which: &Which, request: &Request, common: &Common) -> Result<ExitCode, Failure> {
    let no_report = |no_answer: NoAnswer, limit| NoReport {
        socket: which.socket.path(),
        reason: Reason::NoAnswer(no_answer, limit),
    };
    let not_asked = |no_answer| no_report(no_answer, QUICK);
    let mut connection = Connection::open(which.socket.path(), QUICK).map_err(not_asked)?;
    connection.ask(request, QUICK).map_err(not_asked)?;
    let mut limit = LIMIT;
    let mut deadline = Instant::now() + limit;
    let result = loop {
        match connection.answer(deadline) {
            Ok(Response::Progress { text, answer_within_ms }) => {
                if let Some(within) = answer_within_ms {
                    limit = Duration::from_millis(within).saturating_add(MARGIN).min(LONGEST);
                    deadline = Instant::now() + limit;
                }
                if !text.is_empty() {
                    to_stderr(format!("{}\n", escaped(&text)).as_bytes());
                }
            }
            Ok(Response::Done { lines }) => break Ok(lines),
            Ok(Response::Error { message }) => break Err(message),
            Ok(Response::Refused { message }) => return Err(Failure::new(escaped(&message))),
            Ok(_) => break Err("the answer does not match the request".to_owned()),
            Err(no_answer) => {
                let why = no_report(no_answer, limit);
                break Err(format!(
                    "{why}; rcrond may still carry out the request: check with rcronctl status"
                ));
            }
        }
    };
    print_result(result, common)
}

fn print_result(result: Result<Vec<String>, String>, common: &Common) -> Result<ExitCode, Failure> {
    let done = result.is_ok();
    let (lines, error) = match result {
        Ok(lines) => (lines, None),
        Err(error) => (Vec::new(), Some(error)),
    };
    if common.json {
        print_json(&DrainJson { done, lines, error })?;
    } else {
        for line in &lines {
            print_text(&format!("{}\n", escaped(line)))?;
        }
        if let Some(error) = error {
            to_stderr(format!("rcronctl: {}\n", escaped(&error)).as_bytes());
        }
    }
    Ok(ExitCode::from(if done { 0 } else { NOT_DONE }))
}
