//! `rcronctl ticks --reopen JOB`: lowers what a wrong clock has closed ahead of time.

use super::{cluster_names, only, retain_clusters};
use crate::cli::{self, Common};
use crate::daemon::{self, NoReport, Reason};
use crate::failure::Failure;
use crate::output::{print_json, print_text, warn};
use crate::when;
use control::{Request, Response, TicksReport};
use jiff::Timestamp;
use policy::display::escaped;
use serde::Serialize;
use std::collections::BTreeSet;
use std::process::ExitCode;
use sys::output::to_stderr;

/// The exit status if rcrond did not do it.
const NOT_DONE: u8 = 1;

#[derive(Serialize)]
struct ReopenJson {
    done: bool,
    lines: Vec<String>,
    error: Option<String>,
}

pub(super) fn reopen_job(job: &str, options: &cli::Ticks, common: &Common) -> Result<ExitCode, Failure> {
    let (cluster, user) = find_job(job, options, common)?;
    let request = Request::Reopen {
        cluster,
        user: user.clone(),
        job: job.to_owned(),
    };
    let socket = options.socket.path();
    let (lines, error) = match daemon::ask_store(socket, &request)? {
        Response::Done { lines } => (lines, None),
        Response::Error { message } => (Vec::new(), Some(message)),
        _ => {
            let reason = Reason::OtherAnswer;
            return Err(NoReport { socket, reason }.into());
        }
    };
    let done = error.is_none();
    if common.json {
        print_json(&ReopenJson { done, lines, error })?;
    } else {
        for line in &lines {
            print_text(&format!("{}\n", escaped(line)))?;
        }
        if done {
            warn_of_clocks(job, &user);
        }
        if let Some(error) = error {
            to_stderr(format!("rcronctl: {}\n", escaped(&error)).as_bytes());
        }
    }
    Ok(ExitCode::from(if done { 0 } else { NOT_DONE }))
}

/// The cluster and the user of the job, if the options and the records leave only one possibility.
fn find_job(job: &str, options: &cli::Ticks, common: &Common) -> Result<(String, String), Failure> {
    let clusters = cluster_names(options, common)?;
    if let (Some(cluster), Some(user)) = (only(&clusters), &options.user) {
        return Ok((cluster, user.clone()));
    }
    let request = Request::Ticks {
        cluster: only(&clusters),
        user: options.user.clone(),
        job: Some(job.to_owned()),
        since_ms: None,
        missed_only: false,
    };
    let mut report = daemon::fetch_ticks(options.socket.path(), &request)?;
    retain_clusters(&mut report, &clusters);
    let mut candidates = candidates(&report);
    match candidates.len() {
        0 => Err(Failure::new(format!(
            "no ticks of a job {} are recorded: check the name, or name its --cluster and --user",
            escaped(job)
        ))),
        1 => candidates.pop_first().ok_or_else(|| Failure::new("no job")),
        _ => {
            let each = candidates
                .iter()
                .map(|(cluster, user)| format!("{user} in cluster {cluster}"));
            let list = each.collect::<Vec<_>>().join(", ");
            Err(Failure::new(format!(
                "several jobs have this name ({}): say which with --user NAME and --cluster NAME",
                escaped(&list)
            )))
        }
    }
}

/// Jobs that are closed ahead of time; without any, all jobs with a record.
fn candidates(report: &TicksReport) -> BTreeSet<(String, String)> {
    let ahead = report.ahead.iter();
    let ahead: BTreeSet<_> = ahead
        .filter_map(|ahead| Some((ahead.cluster.clone(), ahead.user.clone()?)))
        .collect();
    if !ahead.is_empty() {
        return ahead;
    }
    let recorded = report.ticks.iter();
    recorded.map(|tick| (tick.cluster.clone(), tick.user.clone())).collect()
}

/// rcrond goes by its own clock.
fn warn_of_clocks(job: &str, user: &str) {
    warn(format_args!(
        "ticks of the job {} of {} after {} can be started again, also those that ran while a clock was wrong. Check that the clocks \
         of all servers are right now",
        escaped(job),
        escaped(user),
        when::local(Timestamp::now())
    ));
}
