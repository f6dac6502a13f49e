//! Jobs with `once_per_tick`: whether rcron and rcrond accept their lines, and whether their ticks can be started in time.

mod claims;
mod lines;

pub(crate) use lines::{Lines, NamedLine};

use super::configuration::Cluster;
use super::crontab::Usage;
use super::finding::{Finding, Place};
use super::kind::{Group, Kind};
use super::report::Report;
use super::switch::Switch;
use crate::daemon;
use crate::when::duration;
use control::ClusterReport;
use inputs::observe::observation;
use inputs::state_file::{Content, READ_BYTES};
use jobs::root::Root;
use policy::config::{Config, OnDemotion};
use policy::display::escaped;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

/// What a takeover takes beside the lease, `settle` and `grace`.
const MARGIN: Duration = Duration::from_secs(1);

const REFUSED: &str = "rcron exits with 125, and the job does not run";

/// A line with rcron, with the values that apply to its job.
pub(super) struct Job<'a> {
    pub(super) line: &'a NamedLine,
    pub(super) cluster: &'a Cluster,
    /// The file's values with those of the line's `--option`.
    pub(super) config: Config,
}

/// `answer` is that of rcrond, if it answers.
pub(crate) fn check(
    root: &Root,
    switch: &Switch,
    usage: &Usage,
    clusters: &[Cluster],
    answer: Option<&control::Report>,
    report: &mut Report,
) {
    let all: Vec<Job> = usage.lines.iter().filter_map(|line| job(line, clusters)).collect();
    check_shared(root, &all, answer, report);
    let jobs: Vec<Job> = all.into_iter().filter(|job| job.config.once_per_tick).collect();
    if usage.lines.is_cut() {
        let text = format!(
            "jobs after the first {}: whether once_per_tick works for them",
            lines::MOST
        );
        report.missed(Group::Crontabs, text);
    }
    let Some(first) = jobs.first() else { return };
    for job in &jobs {
        check_line(job, report);
        let found = answer.and_then(|answer| daemon::cluster(answer, &job.config));
        if let Some(cluster) = found {
            check_times(job, cluster, report);
        }
    }
    check_names(&jobs, report);
    claims::check(root, switch, &first.line.place, report);
}

/// A line of a cluster whose jobs the servers share runs nowhere without `once_per_tick`. rcrond says that they do, or the state file if
/// rcrond does not answer.
fn check_shared(root: &Root, jobs: &[Job], answer: Option<&control::Report>, report: &mut Report) {
    let mut known: BTreeMap<&[u8], bool> = BTreeMap::new();
    for job in jobs.iter().filter(|job| !job.config.once_per_tick) {
        let is_shared = *known.entry(&job.config.state_file).or_insert_with(|| {
            let found = answer.and_then(|answer| daemon::cluster(answer, &job.config));
            found.map_or_else(|| says_shared(root, &job.config), |cluster| cluster.shared)
        });
        if is_shared {
            let name = job.cluster.name();
            let what =
                format!("the servers share the jobs of cluster {name}, but once_per_tick is not set for this one");
            let remedy =
                "set once_per_tick = yes, and give the line a name with --job; or run_on = \"active\" in rcrond.toml";
            let finding = Finding::wrong(Kind::SharedNotOncePerTick, &job.line.place, what, remedy);
            report.add(finding.because("it never runs on any server"));
        }
    }
}

/// Whether the state file says that the servers share the jobs.
fn says_shared(root: &Root, config: &Config) -> bool {
    let located = root.locate(Path::new(OsStr::from_bytes(&config.state_file)));
    located.is_ok_and(|located| {
        let read = located.read(READ_BYTES).map(Content::from);
        observation(read, config).is_shared(config)
    })
}

/// The job, with the values that apply to it.
fn job<'a>(line: &'a NamedLine, clusters: &'a [Cluster]) -> Option<Job<'a>> {
    let cluster = clusters.iter().find(|cluster| cluster.inside == line.conf)?;
    let mut config = cluster.config.clone();
    for setting in &line.settings {
        config.set(setting).ok()?;
    }
    Some(Job { line, cluster, config })
}

/// What rcron and rcrond reject.
fn check_line(job: &Job, report: &mut Report) {
    let refused = |what: String, remedy: &str| {
        Finding::wrong(Kind::OncePerTickRefused, &job.line.place, what, remedy).because(REFUSED)
    };
    if let Err(conflict) = job.config.check_once_per_tick(job.line.name.as_deref(), job.line.tick) {
        let (what, remedy) = conflict.explain();
        report.add(refused(what, remedy));
    } else if job.line.is_at_boot && job.line.tick.is_none() {
        let what = "once_per_tick does not work with @reboot: a boot is no scheduled time".to_owned();
        report.add(refused(what, "set once_per_tick = no for this line, with -o"));
    }
}

/// Two lines of one name, user and cluster: rcrond would not know which one is meant.
fn check_names(jobs: &[Job], report: &mut Report) {
    let mut known: BTreeMap<[&[u8]; 3], &Place> = BTreeMap::new();
    // With --tick, the line's schedule is not needed.
    for job in jobs.iter().filter(|job| job.line.tick.is_none()) {
        let Some(name) = job.line.name.as_deref() else { continue };
        let key = [job.config.state_file.as_slice(), job.line.user.as_slice(), name];
        match known.get(&key) {
            None => drop(known.insert(key, &job.line.place)),
            Some(first) if **first == job.line.place => {}
            Some(first) => {
                let (name, user) = (escaped(name), escaped(&job.line.user));
                let what = format!("the line at {first} has the name {name} too, for the same user {user} and cluster");
                let remedy = "give each line its own --job name";
                let finding = Finding::wrong(Kind::OncePerTickName, &job.line.place, what, remedy);
                report.add(
                    finding.because("rcrond cannot tell their ticks apart: rcron exits with 125, and neither job runs"),
                );
            }
        }
    }
}

/// `start_within` and `kill_after` against the values of rcrond.toml(5), which only rcrond knows.
fn check_times(job: &Job, cluster: &ClusterReport, report: &mut Report) {
    let place = &job.line.place;
    let (Some(settle), Some(grace)) = (cluster.settle_ms, cluster.grace_ms) else {
        return;
    };
    let grace = Duration::from_millis(grace);
    let least = least(
        Duration::from_millis(cluster.lease_ms),
        Duration::from_millis(settle),
        grace,
    );
    if let Some(within) = job.config.start_within.filter(|within| *within < least) {
        let what = format!(
            "start_within = {} is shorter than a failover, which takes up to {}",
            duration(within),
            duration(least)
        );
        let remedy = format!("set start_within to {} or more, or a shorter lease", duration(least));
        let finding = Finding::wrong(Kind::StartWithin, place, what, remedy);
        report.add(finding.because("if the active server dies just before a tick, the tick is missed"));
    }
    let is_rerun = job.config.rerun > 0 && job.config.on_demotion == OnDemotion::Terminate;
    if is_rerun && grace < job.config.kill_after {
        let what = format!(
            "rerun is set, but grace of the cluster {} in rcrond.toml is {}, less than kill_after = {}",
            job.cluster.name(),
            duration(grace),
            duration(job.config.kill_after)
        );
        let remedy = "set grace to at least kill_after plus one second, on all servers";
        report.add(Finding::wrong(Kind::RerunGrace, place, what, remedy).because(REFUSED));
    }
}

/// The longest failover after the death of the active server, up to the moment when another one may start ticks.
fn least(lease: Duration, settle: Duration, grace: Duration) -> Duration {
    lease * 11 / 10 + MARGIN + settle + grace
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failover_takes_the_lease_and_more() {
        let seconds = Duration::from_secs;
        assert_eq!(least(seconds(10), seconds(1), Duration::ZERO), seconds(13));
        assert_eq!(least(seconds(60), seconds(5), seconds(11)), seconds(83));
    }
}
