//! Jobs that are due ten times a second and each second, and what the journals of all servers say about them.

use super::server::{Server, Servers};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;
use testing::process::Running;

/// Due ten times a second, on the server that is active. The command contains the number of the tick.
const TENTH: &str = r#"
while :; do
    now=$(date +%s%N)
    tick=$((now / 100000000 + 1))
    sleep "$(printf '0.%09d' $((tick * 100000000 - now)))"
    rcron --job tenth true $tick 2>/dev/null
done
"#;
/// Due each second, once per tick. While a run waits for its tick, the next ones begin.
const SECOND: &str = r#"
while :; do
    now=$(date +%s%N)
    tick=$((now / 1000000000 + 1))
    sleep "$(printf '0.%09d' $((tick * 1000000000 - now)))"
    rcron --job second -o once_per_tick=yes -o start_within=60s --tick @$tick true $tick 2>/dev/null &
done
"#;
/// rcrond names the ticks of a job only if it is in a crontab. They are due by `--tick`.
const CRONTAB: &str = "0 0 29 2 * root rcron --job second -o once_per_tick=yes true\n";

/// A run of a job.
#[derive(Debug)]
struct Run {
    job: String,
    tick: u64,
    /// keepalived gives none.
    epoch: Option<u64>,
    started: Timestamp,
}

/// The loops on all servers. They end when they are dropped.
pub(super) struct Jobs(Vec<Running>);

impl Jobs {
    /// Starts the job of each tenth of a second on each server.
    pub(super) fn start(servers: &Servers) -> Self {
        Self(servers.nodes.iter().map(|node| node.start(TENTH)).collect())
    }

    /// Starts the job of each second, too.
    pub(super) fn start_with_ticks(servers: &Servers) -> Self {
        for node in &servers.nodes {
            node.run(&format!("echo '{}' >/etc/cron.d/second", CRONTAB.trim_end()));
        }
        let mut jobs = Self::start(servers);
        jobs.0.extend(servers.nodes.iter().map(|node| node.start(SECOND)));
        jobs
    }
}

/// How many runs of this job are in all journals.
pub(super) fn count(servers: &Servers, job: &str) -> usize {
    runs(servers).iter().filter(|run| run.job == job).count()
}

/// Fails if a tick has run twice, or an epoch was less than one before. Returns the longest time without a start of each job, in
/// seconds.
pub(super) fn check(servers: &Servers) -> BTreeMap<String, f64> {
    let mut runs = runs(servers);
    runs.sort_by_key(|run| run.started);
    let (mut seen, mut last, mut gaps) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for run in &runs {
        let twice = seen.insert((run.job.as_str(), run.tick), run);
        assert!(twice.is_none(), "started twice: {run:?} and {twice:?}");
        let before = last.insert(run.job.as_str(), run);
        let Some(before) = before else { continue };
        assert!(
            run.epoch.is_none() || run.epoch >= before.epoch,
            "an epoch went back: {before:?}, {run:?}"
        );
        let gap = (run.started - before.started)
            .total(jiff::Unit::Second)
            .expect("seconds");
        let longest: &mut f64 = gaps.entry(run.job.clone()).or_default();
        *longest = longest.max(gap);
    }
    println!(
        "{} runs, no tick twice, epochs only grow; the longest gaps in seconds: {gaps:?}",
        runs.len()
    );
    gaps
}

fn runs(servers: &Servers) -> Vec<Run> {
    servers.nodes.iter().flat_map(runs_of).collect()
}

fn runs_of(server: &Server) -> Vec<Run> {
    let history = server.run("rcronctl history --json --limit 0");
    let history: Value = serde_json::from_str(&history).expect("JSON");
    let runs = history["runs"].as_array().expect("runs");
    runs.iter().map(run).collect()
}

fn run(run: &Value) -> Run {
    let text = |key: &str| run[key].as_str().unwrap_or_else(|| panic!("{key}: {run}"));
    Run {
        job: text("job").to_owned(),
        tick: text("command")
            .rsplit(' ')
            .next()
            .and_then(|tick| tick.parse().ok())
            .expect("a tick"),
        epoch: run["epoch"].as_u64(),
        started: text("started").parse().expect("a time"),
    }
}
