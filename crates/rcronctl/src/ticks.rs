//! `rcronctl ticks`: which server started each tick of `once_per_tick`, and which ticks were missed. See rcronctl-ticks(8).

mod json;
mod reopen;
mod shown;
mod table;

use crate::cli::{self, Common};
use crate::daemon;
use crate::failure::{FAILED, Failure};
use crate::output::{print_text, warn};
use crate::screen::Screen;
use crate::when;
use control::{AheadReport, Request, TicksReport};
use inputs::clusters;
use jiff::Timestamp;
use policy::display::escaped;
use shown::Tick;
use std::process::ExitCode;
use std::time::Duration;

/// How many ticks are shown without `--limit` and `--since`.
const DEFAULT_LIMIT: usize = 50;

/// The exit status of `--missed` if there are any.
const MISSED: u8 = 1;

/// What rcrond has answered, as it is shown.
struct Found {
    /// The latest first.
    ticks: Vec<Tick>,
    /// Whether `--limit` has left ticks out.
    is_limited: bool,
    /// Whether rcrond has left ticks out.
    is_cut: bool,
    ahead: Vec<AheadReport>,
    /// What could not be read, in words.
    unseen: Vec<String>,
}

/// Prints the ticks, the latest first. With `--missed`, the exit status says whether there are any.
pub(crate) fn print_ticks(options: &cli::Ticks, common: &Common) -> Result<ExitCode, Failure> {
    if let Some(job) = &options.reopen {
        return reopen::reopen_job(job, options, common);
    }
    let found = Found::fetch(options, common)?;
    if common.json {
        json::print(&found)?;
    } else {
        print_found(&found, options)?;
        found.warn();
    }
    Ok(ExitCode::from(found.status(options.missed)))
}

impl Found {
    fn fetch(options: &cli::Ticks, common: &Common) -> Result<Self, Failure> {
        let clusters = cluster_names(options, common)?;
        let since_ms = options
            .since
            .map(|since| u64::try_from(since.as_millisecond()).unwrap_or_default());
        let request = Request::Ticks {
            cluster: only(&clusters),
            user: options.user.clone(),
            job: options.job.clone(),
            since_ms,
            missed_only: options.missed,
        };
        let mut report = daemon::fetch_ticks(options.socket.path(), &request)?;
        retain_clusters(&mut report, &clusters);
        let ticks: Option<Vec<Tick>> = report.ticks.into_iter().map(Tick::read).collect();
        let mut ticks = ticks.ok_or_else(|| Failure::new("the answer of rcrond has a time that cannot be read"))?;
        ticks.sort_by(Tick::order);
        let limit = match (options.limit, options.since) {
            (Some(0), _) | (None, Some(_)) => usize::MAX,
            (limit, _) => limit.unwrap_or(DEFAULT_LIMIT),
        };
        let is_limited = shown::keep_newest(&mut ticks, limit);
        Ok(Self {
            ticks,
            is_limited,
            is_cut: report.is_cut,
            ahead: report.ahead,
            unseen: report.unreadable,
        })
    }

    /// "None were missed" is an answer only if everything was read.
    fn status(&self, missed_only: bool) -> u8 {
        let is_complete = self.unseen.is_empty() && !self.is_cut;
        match (self.ticks.is_empty(), missed_only) {
            (false, true) => MISSED,
            (true, _) if !is_complete => FAILED,
            _ => 0,
        }
    }

    fn warn(&self) {
        for ahead in &self.ahead {
            let ClosedAhead { what, remedy } = ClosedAhead::explain(ahead);
            warn(format_args!("{what}; {remedy}"));
        }
        for line in &self.unseen {
            warn(escaped(line));
        }
    }
}

fn print_found(found: &Found, options: &cli::Ticks) -> Result<(), Failure> {
    let is_root = sys::environment::effective_user() == 0;
    let is_filtered = options.job.is_some() || options.user.is_some() || options.cluster.is_some();
    if found.ticks.is_empty() {
        let text = match found.status(options.missed) {
            FAILED => "",
            _ if options.missed => "no tick was missed\n",
            _ if is_filtered || options.since.is_some() || !is_root => "no such ticks\n",
            _ => "no ticks are recorded: no job with once_per_tick has been due yet\n",
        };
        print_text(text)?;
    } else {
        print_text(&table::format_ticks(
            &found.ticks,
            Timestamp::now(),
            Screen::of_stdout(),
        ))?;
    }
    if found.is_cut {
        print_text("(there are too many ticks: choose with --cluster, --user or --job)\n")?;
    } else if found.is_limited {
        print_text("(older ticks are not shown; -n 0 shows all that are kept)\n")?;
    }
    if !is_root {
        print_text("(these are the ticks of your own jobs; only root sees those of other users)\n")?;
    }
    Ok(())
}

/// What is closed ahead of time, in words.
pub(crate) struct ClosedAhead {
    pub(crate) what: String,
    pub(crate) remedy: String,
}

impl ClosedAhead {
    pub(crate) fn explain(ahead: &AheadReport) -> Self {
        let cluster = escaped(&ahead.cluster);
        let until = ahead.closed.parse();
        let until = until.map_or_else(|_| escaped(&ahead.closed).into_owned(), when::local);
        let distance = when::duration(Duration::from_millis(ahead.ahead_ms));
        let (what, options) = match (&ahead.job, &ahead.user) {
            (Some(job), Some(user)) => {
                let (job, user) = (escaped(job), escaped(user));
                (
                    format!("the job {job} of {user} in cluster {cluster}"),
                    format!("{job} --user {user}"),
                )
            }
            _ => (format!("any job of cluster {cluster}"), "JOB".to_owned()),
        };
        Self {
            what: format!(
                "no tick of {what} up to {until} is started, which is {distance} ahead of this server's clock"
            ),
            remedy: format!(
                "set the clocks of all servers, then run: rcronctl ticks --reopen {options} --cluster {cluster}"
            ),
        }
    }
}

/// The clusters that `--cluster` and `--conf` name; none means all.
fn cluster_names(options: &cli::Ticks, common: &Common) -> Result<Vec<String>, Failure> {
    let mut names: Vec<String> = options.cluster.iter().cloned().collect();
    if !common.conf.is_empty() {
        for cluster in clusters::all(&common.conf)? {
            let settings = cluster.settings.map_err(|diagnostic| Failure::new(diagnostic.full))?;
            names.push(escaped(&settings.config.cluster_name).into_owned());
        }
    }
    names.sort();
    names.dedup();
    Ok(names)
}

/// The one name, if there is only one: rcrond then reads no other cluster.
fn only(clusters: &[String]) -> Option<String> {
    match clusters {
        [name] => Some(name.clone()),
        _ => None,
    }
}

fn retain_clusters(report: &mut TicksReport, clusters: &[String]) {
    if !clusters.is_empty() {
        report.ticks.retain(|tick| clusters.contains(&tick.cluster));
        report.ahead.retain(|ahead| clusters.contains(&ahead.cluster));
    }
}
