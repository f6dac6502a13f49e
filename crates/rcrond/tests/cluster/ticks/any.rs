//! `run_on = "any"`: every host starts ticks, and the jobs are spread.

use super::cron::CronJob;
use super::settings;
use super::stage::{Stage, now};
use crate::node::Settings;
use crate::site::Site;
use crate::stores::etcd::Etcd;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;
use std::time::Duration;
use testing::process::run;
use testing::program::program;

const JOBS: usize = 30;
const PERIOD: u64 = 10;
/// The most and the fewest jobs of one host: 60 % and 10 %.
const MOST: usize = JOBS * 6 / 10;
const FEWEST: usize = JOBS / 10;

/// So often a slow machine is waited for.
const MOST_TICKS: usize = 20;
/// Less than the second after which the next host in the order starts a job.
const OFF_MS: [i64; 3] = [100, 0, -100];

type Places = BTreeMap<String, String>;

/// The hosts of all jobs at a tick after this moment at which they are as they should be. On a slow machine an rcron may come so late
/// that the next host in the order has started its job.
fn places(stage: &Stage, what: &str, mut after: u64, mut is_right: impl FnMut(&Places) -> bool) -> Places {
    for _ in 0..MOST_TICKS {
        let tick = (after + 1).next_multiple_of(PERIOD);
        let places = stage.wait("all jobs to be started", || {
            let lines = stage.book.lines();
            let starts = lines.into_iter().filter(|line| line.tick == tick);
            let places: Places = starts.map(|line| (line.job, line.node)).collect();
            let is_over = now() > tick + PERIOD;
            (places.len() == JOBS || is_over).then_some(places)
        });
        stage.say(&format!("{what}: {:?}", spread(&places)));
        if places.len() == JOBS && is_right(&places) {
            return places;
        }
        after = tick;
    }
    panic!("{what}: not in {MOST_TICKS} ticks");
}

fn spread(places: &Places) -> BTreeMap<&str, usize> {
    let mut spread = BTreeMap::new();
    for node in places.values() {
        *spread.entry(node.as_str()).or_default() += 1;
    }
    spread
}

fn is_spread(places: &Places) -> bool {
    let shares = spread(places);
    shares.len() == 3 && shares.values().all(|share| (FEWEST..=MOST).contains(share))
}

/// On a host that has not changed, rcronctl names the one whose crontab has one more job.
fn differences_are_found(stage: &Stage, other: &str) {
    let node = &stage.nodes[0];
    let root = node.directory().join("root");
    fs::create_dir_all(root.join("etc/rcron")).expect("made");
    fs::write(root.join("etc/rcron/rcrond.toml"), "[control]\nsocket = \"/socket\"\n").expect("written");
    fs::hard_link(node.directory().join("socket"), root.join("socket")).expect("linked");
    let text = format!(
        "wrong     {}/socket: cluster web: job alone of root is only on {other}\n",
        root.display()
    );
    stage.wait("the finding", || {
        let mut rcronctl = Command::new(program("rcronctl"));
        let done = run(rcronctl.args(["check", "--root"]).arg(&root));
        assert_eq!(done.code(), Some(1), "{}", done.stderr());
        done.stdout().contains(&text).then_some(())
    });
    let socket = node.directory().join("socket");
    let mut rcronctl = Command::new(program("rcronctl"));
    rcronctl
        .args(["status", "--conf"])
        .arg(node.rcron_conf())
        .arg("--socket")
        .arg(socket);
    let shown = run(&mut rcronctl).stdout();
    assert!(
        shown.contains(" differences between servers; run rcronctl check\n"),
        "{shown}"
    );
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
    let settings = Settings {
        lease: Duration::from_secs(5),
        ..settings(etcd.table())
    };
    let stage = Stage::with_jobs(title, &site, &settings, cluster, jobs.collect(), OFF_MS, |_| ());
    // What was seen twice is no accident.
    let mut seen = BTreeSet::new();
    let before = places(&stage, "all hosts are there", now(), |places| {
        is_spread(places) && !seen.insert(places.clone())
    });
    let lost = stage.nodes[1].name();
    stage.kill_host(1);
    let conf = stage.nodes[1].rcron_conf();
    let alone = format!("@yearly root rcron -c {} --job alone true", conf.display());
    stage.cron(1).seen_also(&alone);
    places(&stage, "one is lost, and only its jobs move", now(), |places| {
        let mut jobs = places.iter();
        jobs.all(|(job, node)| node != lost && (before[job] == lost || before[job] == *node))
    });
    stage.start_host(1);
    places(&stage, "it is back", now(), is_spread);
    differences_are_found(&stage, lost);
    stage.finish();
}
