//! Three hosts, each with rcrond and cron, and the book in which their jobs write.

use super::book::{self, Book, Line};
use super::cron::{CronJob, HostCron};
use super::table::{Row, table};
use crate::node::{Extras, Node, Settings};
use crate::sampler::{Holder, Sampler};
use crate::site::Site;
use control::{Request, Response, TickResult};
use inputs::clock::wall_time;
use nix::sys::signal::Signal;
use std::cell::{RefCell, RefMut};
use std::fs;
use std::thread;
use std::time::{Duration, Instant};
use testing::program::program;
use testing::until;

/// How far each host's cron is ahead, in milliseconds.
const OFF_MS: [i64; 3] = [700, 0, -1800];
/// Which the clocks of the hosts themselves, which are one, keep easily. The offset of a cron that is ahead must be less.
const TOP: &str = "max_skew = \"2s\"\n";
/// No longer than `kill_after`.
const CLUSTER: &str = "grace = \"1s\"\n";
/// Three times the longest failover, and then a little.
pub(super) const START_WITHIN: Duration = Duration::from_secs(18);
/// How much of each node's log is printed after a failure.
const LAST_LINES: usize = 60;

/// Due each second.
pub(super) const EVERY: &str = "every";
/// Due each third second: one is due shortly before, at, or after each fault.
pub(super) const THIRD: &str = "third";
/// A job that runs for seconds, and may be started again.
pub(super) const AGAIN: &str = "again";
pub(super) const PERIOD_OF_THIRD: u64 = 3;
const PERIOD_OF_AGAIN: u64 = 20;

/// The jobs of each host.
fn jobs() -> Vec<CronJob> {
    let job = |name: &str, period, options, tenths| CronJob {
        name: name.to_owned(),
        period,
        options,
        tenths,
    };
    vec![
        job(EVERY, 1, "-o start_within=90s", 0),
        job(THIRD, PERIOD_OF_THIRD, "-o start_within=18s", 1),
        job(
            AGAIN,
            PERIOD_OF_AGAIN,
            "-o start_within=18s -o rerun=2 -o on_demotion=terminate -o kill_after=1s",
            45,
        ),
    ]
}

/// Everything that runs.
pub(super) struct Stage {
    sampler: Sampler,
    pub(super) nodes: Vec<Node>,
    crons: Vec<RefCell<HostCron>>,
    pub(super) book: Book,
    jobs: Vec<(String, u64)>,
    rows: RefCell<Vec<Row>>,
    begun: Instant,
    title: &'static str,
}

impl Stage {
    /// Starts everything, and waits until a tick of each job but the rare one was started.
    pub(super) fn begin(title: &'static str, site: &Site, settings: &Settings, prepare: impl FnOnce(&Node)) -> Self {
        let stage = Self::with_jobs(title, site, settings, CLUSTER, jobs(), OFF_MS, prepare);
        stage.wait("the first ticks", || {
            let started = |job: &str| !stage.book.starts(job).is_empty();
            (started(EVERY) && started(THIRD)).then_some(())
        });
        stage.say(&format!("{} is active", stage.nodes[stage.active().node].name()));
        stage
    }

    /// Starts everything. `cluster` is for the cluster's table, `off_ms` says how far each cron is ahead.
    pub(super) fn with_jobs(
        title: &'static str,
        site: &Site,
        settings: &Settings,
        cluster: &'static str,
        jobs: Vec<CronJob>,
        off_ms: [i64; 3],
        prepare: impl FnOnce(&Node),
    ) -> Self {
        let (script, book) = (site.directory().join("job"), site.directory().join("book"));
        fs::write(&script, book::JOB).expect("written");
        let rcron = program("rcron").canonicalize().expect("rcron");
        let mut nodes = site.nodes();
        let mut crons = Vec::new();
        for (node, off_ms) in nodes.iter_mut().zip(off_ms) {
            let cron = HostCron::new(&node.host, node.directory(), off_ms);
            cron.install(&jobs, &rcron, &node.rcron_conf(), &script, &book);
            node.extras = Extras {
                top: TOP,
                cluster,
                mounts: Some(cron.mounts_for_rcrond()),
            };
            node.configure(settings);
            let conf = fs::read_to_string(node.rcron_conf()).expect("there");
            let socket = node.directory().join("run/claims");
            let text = format!("{conf}\nonce_per_tick = yes\nclaim_socket = {}\n", socket.display());
            fs::write(node.rcron_conf(), text).expect("written");
            crons.push(RefCell::new(cron));
        }
        prepare(&nodes[0]);
        let stage = Self {
            sampler: Sampler::start(nodes.iter().map(Node::state_file).collect()),
            nodes,
            crons,
            book: Book(book),
            jobs: jobs.into_iter().map(|job| (job.name, job.period)).collect(),
            rows: RefCell::default(),
            begun: Instant::now(),
            title,
        };
        stage.say("start of all hosts");
        for node in &stage.nodes {
            node.start();
        }
        for (node, cron) in stage.nodes.iter().zip(&stage.crons) {
            node.wait_until_ready();
            cron.borrow_mut().start();
        }
        stage
    }

    pub(super) fn say(&self, what: &str) {
        println!("{:8.3} s  {what}", self.begun.elapsed().as_secs_f64());
    }

    /// Waits for a fact. Fails if a daemon exits.
    pub(super) fn wait<T>(&self, what: &str, mut fact: impl FnMut() -> Option<T>) -> T {
        until(what, || {
            for node in &self.nodes {
                node.assert_alive();
            }
            // The book is read as a whole each time.
            thread::sleep(Duration::from_millis(10));
            fact()
        })
    }

    pub(super) fn cron(&self, host: usize) -> RefMut<'_, HostCron> {
        self.crons[host].borrow_mut()
    }

    /// The number of the host with this name.
    pub(super) fn position(&self, name: &str) -> usize {
        let found = self.nodes.iter().position(|node| node.name() == name);
        found.unwrap_or_else(|| panic!("no host {name}"))
    }

    /// The host that is active, once one is.
    pub(super) fn active(&self) -> Holder {
        self.wait("a host to be active", || self.sampler.active().first().copied())
    }

    /// Another host than this one that is active, once one is.
    pub(super) fn active_but(&self, host: usize) -> Holder {
        self.wait("another host to be active", || {
            self.sampler.active().into_iter().find(|holder| holder.node != host)
        })
    }

    /// Waits until a tick that is still to come was started, so that the last fault is over.
    fn settles(&self) {
        let now = now();
        self.wait("new ticks to be started", || {
            let is_new = |line: &Line| line.tick > now;
            self.book.starts(EVERY).iter().any(is_new).then_some(())
        });
    }

    /// The next tick of [`THIRD`] for which this host's cron fires in a second or later.
    pub(super) fn next_third(&self, host: usize) -> u64 {
        let mut tick = now().next_multiple_of(PERIOD_OF_THIRD);
        while self.crons[host].borrow().until_fires(tick) < Duration::from_secs(1) {
            tick += PERIOD_OF_THIRD;
        }
        tick
    }

    /// Sleeps until this long after the host's cron fires for a tick.
    pub(super) fn sleep_until(&self, host: usize, tick: u64, after_ms: i64) {
        let left = self.crons[host].borrow().until_fires(tick);
        let left = if after_ms < 0 {
            left.saturating_sub(Duration::from_millis(after_ms.unsigned_abs()))
        } else {
            left + Duration::from_millis(after_ms.unsigned_abs())
        };
        thread::sleep(left);
    }

    /// Waits until a tick was started, or a later one was, which says that this one never will be.
    pub(super) fn is_started(&self, job: &str, tick: u64) -> Option<Line> {
        let last = tick + START_WITHIN.as_secs();
        self.wait(&format!("tick {tick} of {job} to be started"), || {
            let starts = self.book.starts(job);
            let found = starts.iter().find(|line| line.tick == tick).cloned();
            (found.is_some() || starts.iter().any(|line| line.tick > last)).then_some(found)
        })
    }

    /// Waits until a tick was started, which it must be.
    pub(super) fn must_start(&self, job: &str, tick: u64) -> Line {
        let line = self.is_started(job, tick);
        line.unwrap_or_else(|| panic!("{job} {tick} was never started"))
    }

    /// The nodes that have this tick running, according to the store.
    pub(super) fn granted(&self, asked: usize, job: &str, tick: u64) -> Vec<String> {
        let request = Request::Ticks {
            cluster: None,
            user: None,
            job: Some(job.to_owned()),
            since_ms: None,
            missed_only: false,
        };
        let Some(Response::Ticks(report)) = self.nodes[asked].ask(&request) else {
            return Vec::new();
        };
        let time = jiff::Timestamp::from_second(i64::try_from(tick).expect("small")).expect("a time");
        let is_it = |tick: &&control::TickReport| {
            tick.result == TickResult::Running && tick.tick.parse::<jiff::Timestamp>().ok() == Some(time)
        };
        report
            .ticks
            .iter()
            .filter(is_it)
            .map(|tick| tick.node.clone())
            .collect()
    }

    /// The whole host fails: cron, all rcrons and jobs, and rcrond.
    pub(super) fn kill_host(&self, host: usize) {
        self.cron(host).kill();
        self.nodes[host].end(Signal::SIGKILL);
    }

    /// The host is switched on again.
    pub(super) fn start_host(&self, host: usize) {
        self.nodes[host].comes_up();
        self.cron(host).start();
    }

    /// Plays a story, waits until it is over, and notes what has become of the ticks that were due meanwhile.
    pub(super) fn story(&self, name: &str, play: impl FnOnce(usize)) {
        let host = self.active().node;
        self.say(&format!("{name} ({} is active)", self.nodes[host].name()));
        let first = now();
        play(host);
        self.settles();
        let row = Row {
            story: name.to_owned(),
            first,
            end: now(),
        };
        self.rows.borrow_mut().push(row);
    }

    /// Ends everything, and checks what was recorded.
    pub(super) fn end(self) {
        self.settles();
        self.finish();
    }

    /// The same, without waiting for new ticks.
    pub(super) fn finish(self) {
        for cron in &self.crons {
            cron.borrow_mut().kill();
        }
        for node in &self.nodes {
            if node.runs() {
                node.end(Signal::SIGTERM);
            }
        }
        let lines = self.book.lines();
        let off: Vec<_> = self.crons.iter().map(|cron| cron.borrow().off_ms).collect();
        println!("\n{} (the hosts' crons are {off:?} ms ahead)", self.title);
        if !self.rows.borrow().is_empty() {
            println!("{}", table(&self.rows.borrow(), &lines, &self.jobs));
        }
        let faults = book::faults(&lines, |job| job == AGAIN);
        assert!(faults.is_empty(), "{}:\n{}", self.title, faults.join("\n"));
        println!("no tick was started twice, no two attempts lived at once, fences only grow\n");
    }
}

/// In seconds since 1970.
pub(super) fn now() -> u64 {
    wall_time().0.as_secs()
}

impl Drop for Stage {
    /// After a failure, prints what helps to find the reason.
    fn drop(&mut self) {
        if !thread::panicking() {
            return;
        }
        for node in &self.nodes {
            let log = node.log();
            let lines: Vec<_> = log.lines().collect();
            let last = &lines[lines.len().saturating_sub(LAST_LINES)..];
            println!("--- {}, the end of its log:\n{}", node.name(), last.join("\n"));
        }
        let lines = self.book.lines();
        let starts: Vec<_> = lines.iter().filter(|line| line.what == book::What::Start).collect();
        for line in &starts[starts.len().saturating_sub(LAST_LINES)..] {
            println!("--- {line:?}");
        }
        println!("--- violations so far: {:#?}", book::faults(&lines, |job| job == AGAIN));
    }
}
