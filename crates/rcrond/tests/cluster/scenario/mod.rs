//! Three nodes with cron. Their state files and runs are recorded all the time.

mod fault;

use crate::check::{self, Run};
use crate::node::{Node, Settings};
use crate::sampler::{Holder, Sampler};
use crate::site::Site;
use crate::table::{Row, table};
use crate::ticker::Ticker;
use inputs::clock::boot_time;
use nix::sys::signal::Signal;
use std::cell::RefCell;
use std::thread;
use std::time::{Duration, Instant};
use testing::lab::Host;
use testing::until;

/// The same jitter each time.
const SEED: u64 = 4;
/// If more than this part (one of 20) of the starts is too late, the test does not prove anything.
const TOO_SLOW: usize = 20;

/// From one fault to the next, in hundredths of the time between two renewals: each fault strikes at another point.
const POINT: u32 = 37;
/// Between two looks at the processes.
const WATCH_INTERVAL: Duration = Duration::from_millis(20);
/// How much of each node's log is printed after a failure.
const LAST_LINES: usize = 40;

/// A running scenario.
pub(crate) struct Scenario {
    // The fields are dropped in this order.
    ticker: Ticker,
    sampler: Sampler,
    pub(crate) nodes: Vec<Node>,
    pub(crate) settings: Settings,
    begun: Instant,
    rows: RefCell<Vec<Row>>,
    title: &'static str,
}

impl Scenario {
    /// Starts cron and rcrond on all nodes, and waits until one is active.
    pub(crate) fn begin(title: &'static str, site: &Site, nodes: Vec<Node>, settings: Settings) -> Self {
        let sampler = Sampler::start(nodes.iter().map(Node::state_file).collect());
        let ticker = Ticker::start(&nodes, &site.directory(), SEED);
        let scenario = Self {
            ticker,
            sampler,
            nodes,
            settings,
            begun: Instant::now(),
            rows: RefCell::default(),
            title,
        };
        scenario.say("start of all nodes");
        for node in &scenario.nodes {
            node.configure(&scenario.settings);
            node.start();
        }
        for node in &scenario.nodes {
            node.wait_until_ready();
        }
        let holder = scenario.holder();
        scenario.wait("the first run", || scenario.ticker.runs().first().cloned());
        scenario.say(&format!("{} is active", scenario.node(holder).name()));
        scenario
    }

    pub(crate) fn say(&self, what: &str) {
        println!("{:8.3} s  {what}", self.begun.elapsed().as_secs_f64());
    }

    /// Waits until a node is active.
    pub(crate) fn holder(&self) -> Holder {
        self.wait("a node to be active", || self.sampler.active().first().copied())
    }

    /// Waits until the active node has renewed its lease and has run a job, so that the last fault is over. Then waits a little
    /// longer, each time until another point between two renewals, so that faults strike at different points.
    pub(crate) fn steady_holder(&self) -> Holder {
        let (first, begun) = (self.holder(), boot_time());
        let renewed = |now: &Holder| now.epoch != first.epoch || now.until > first.until;
        self.wait("a renewed lease", || self.sampler.active().into_iter().find(renewed));
        let is_new = |run: &Run| run.at > begun;
        self.wait("a run", || self.ticker.runs().iter().any(is_new).then_some(()));
        let third = self.settings.lease / 3;
        let point = u32::try_from(self.rows.borrow().len()).expect("few faults") * POINT % 100;
        thread::sleep(third * point / 100);
        self.holder()
    }

    pub(crate) fn node(&self, holder: Holder) -> &Node {
        &self.nodes[holder.node]
    }

    /// The nodes that are active now.
    pub(crate) fn active(&self) -> Vec<Holder> {
        self.sampler.active()
    }

    /// Waits until this moment. Fails if a daemon exits.
    pub(crate) fn watch_until(&self, moment: Instant) {
        while Instant::now() < moment {
            self.assert_alive();
            thread::sleep(moment.saturating_duration_since(Instant::now()).min(WATCH_INTERVAL));
        }
    }

    fn assert_alive(&self) {
        self.ticker.assert_alive();
        for node in &self.nodes {
            node.assert_alive();
        }
    }

    pub(crate) fn is_any_active(&self) -> bool {
        !self.sampler.active().is_empty()
    }

    pub(crate) fn hosts(&self) -> Vec<&Host> {
        self.nodes.iter().map(|node| &*node.host).collect()
    }

    /// The longest failover after a crash, while the store has a leader.
    pub(crate) fn crash_bound(&self) -> Duration {
        self.settings.lease * 11 / 10 + Duration::from_secs(1) + self.settings.settle
    }

    /// The longest failover after a release.
    pub(crate) fn release_bound(&self) -> Duration {
        self.settings.settle + Duration::from_millis(200)
    }

    /// Waits for a fact. Fails if a daemon exits.
    pub(crate) fn wait<T>(&self, what: &str, mut fact: impl FnMut() -> Option<T>) -> T {
        until(what, || {
            self.assert_alive();
            fact()
        })
    }

    /// Ends everything, and checks what was recorded.
    pub(crate) fn end(self) {
        let title = self.title;
        let faults = self.finish();
        assert!(faults.is_empty(), "{title}:\n{}", faults.join("\n"));
        println!("never two active, never two runs for one tick, epochs only grow\n");
    }

    /// Ends everything, prints the table, and returns the violations that were recorded.
    pub(crate) fn finish(mut self) -> Vec<String> {
        self.ticker.stop();
        for node in &self.nodes {
            if node.runs() {
                node.end(Signal::SIGTERM);
            }
        }
        let (runs, seen) = (self.ticker.runs(), self.sampler.seen());
        let (starts, late) = (self.ticker.starts(), check::late(&runs, &self.ticker.schedule));
        println!("\n{}", self.title);
        if !self.rows.borrow().is_empty() {
            println!("{}", table(&self.rows.borrow()));
        }
        println!(
            "rcron started {starts} times; {} runs, {late} of them too late after their tick to show anything",
            runs.len()
        );
        println!(
            "state files read {} times, at most {:.1} ms apart; {} contents seen; from one active to the next at least {:?}",
            seen.reads,
            seen.widest.as_secs_f64() * 1000.0,
            seen.versions.len(),
            check::closest(&seen.versions).unwrap_or_default()
        );
        let faults = check::faults(&seen.versions, &runs, &self.ticker.schedule);
        assert!(
            late * TOO_SLOW <= runs.len(),
            "this machine is too slow for this test: {late} of {} runs were too late",
            runs.len()
        );
        faults
    }
}

impl Drop for Scenario {
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
        let faults = check::faults(
            &self.sampler.seen().versions,
            &self.ticker.runs(),
            &self.ticker.schedule,
        );
        println!("--- violations found so far: {faults:#?}");
    }
}
