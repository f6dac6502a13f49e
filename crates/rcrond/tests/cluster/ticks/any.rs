//! `run_on = "any"`: every host starts ticks, and the jobs are spread.

use super::cron::CronJob;
use super::settings;
use super::stage::{Stage, now};
use crate::site::Site;
use crate::stores::etcd::Etcd;
use std::collections::BTreeMap;

const JOBS: usize = 30;
const PERIOD: u64 = 10;
/// The most and the fewest jobs of one host: 60 % and 10 %.
const MOST: usize = JOBS * 6 / 10;
const FEWEST: usize = JOBS / 10;

/// Less than the second after which the next host in the order starts a job.
const OFF_MS: [i64; 3] = [200, 0, -300];

/// The hosts of all jobs at the first tick after this, once all are started.
fn places(stage: &Stage, after: u64) -> (u64, BTreeMap<String, String>) {
    let tick = (after + 1).next_multiple_of(PERIOD);
    let places = stage.wait("all jobs to be started", || {
        let lines = stage.book.lines();
        let starts = lines.into_iter().filter(|line| line.tick == tick);
        let places: BTreeMap<_, _> = starts.map(|line| (line.job, line.node)).collect();
        (places.len() == JOBS).then_some(places)
    });
    (tick, places)
}

fn spread(places: &BTreeMap<String, String>) -> BTreeMap<&str, usize> {
    let mut spread = BTreeMap::new();
    for node in places.values() {
        *spread.entry(node.as_str()).or_default() += 1;
    }
    spread
}

#[test]
#[ignore = "needs root, cron, etcd, nftables, iproute2 and libfaketime: `make test` installs them and runs it"]
fn jobs_are_spread_over_all_hosts_and_only_those_of_a_lost_host_move() {
    let site = Site::new();
    let etcd = Etcd::start(&site.lab, &site.data(), &site.directory());
    let jobs = (0..JOBS).map(|number| CronJob {
        name: format!("job{number}"),
        period: PERIOD,
        options: "-o start_within=18s",
        tenths: 0,
    });
    let cluster = "grace = \"1s\"\nrun_on = \"any\"\n";
    let title = "once per tick on any host, etcd";
    let stage = Stage::with_jobs(
        title,
        &site,
        &settings(etcd.table()),
        cluster,
        jobs.collect(),
        OFF_MS,
        |_| (),
    );
    // At the first ticks, not all hosts may know of each other, and the late one may not be there yet.
    let (first, _) = places(&stage, now() + PERIOD);
    let (second, before) = places(&stage, first);
    let shares = spread(&before);
    stage.say(&format!("30 jobs at one tick: {shares:?}"));
    assert_eq!(shares.len(), 3, "{shares:?}");
    assert!(
        shares.values().all(|share| (FEWEST..=MOST).contains(share)),
        "{shares:?}"
    );

    stage.kill_host(1);
    let lost = stage.nodes[1].name();
    stage.say(&format!("{lost} is lost"));
    let (third, after) = places(&stage, second.max(now()));
    stage.say(&format!("    {:?}", spread(&after)));
    assert!(after.values().all(|node| node != lost), "{after:?}");
    for (job, node) in &before {
        assert!(
            node == lost || after[job] == *node,
            "{job} has moved from {node} to {}",
            after[job]
        );
    }
    stage.start_host(1);
    let (_, again) = places(&stage, third.max(now() + PERIOD));
    stage.say(&format!("    back: {:?}", spread(&again)));
    stage.finish();
}
