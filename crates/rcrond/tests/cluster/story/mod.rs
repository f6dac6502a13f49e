//! Three nodes with cron on them, watched from the first moment to the last.

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

/// A made-up number: the same jitter each time.
const SEED: u64 = 4;
/// More starts too late than this share, and the test has shown nothing.
const TOO_SLOW: usize = 20;

/// Hundredths of the time between two renewals, from one fault to the next: all are different.
const POINT: u32 = 37;
/// Of each node's log, after a failure.
const LAST_LINES: usize = 40;

/// What is told, and by whom.
pub(crate) struct Story {
    // Dropped in this order.
    ticker: Ticker,
    sampler: Sampler,
    pub(crate) nodes: Vec<Node>,
    pub(crate) settings: Settings,
    begun: Instant,
    rows: RefCell<Vec<Row>>,
    title: &'static str,
}

impl Story {
    /// Starts cron and rcrond on all nodes, and waits until one is active.
    pub(crate) fn begin(title: &'static str, site: &Site, nodes: Vec<Node>, settings: Settings) -> Self {
        let sampler = Sampler::start(nodes.iter().map(Node::state_file).collect());
        let ticker = Ticker::start(&nodes, &site.directory(), SEED);
        let story = Self {
            ticker,
            sampler,
            nodes,
            settings,
            begun: Instant::now(),
            rows: RefCell::default(),
            title,
        };
        story.say("start of all nodes");
        for node in &story.nodes {
            node.configure(&story.settings);
            node.start();
        }
        for node in &story.nodes {
            node.wait_until_ready();
        }
        let holder = story.holder();
        story.wait("the first run", || story.ticker.runs().first().cloned());
        story.say(&format!("{} is active", story.node(holder).name()));
        story
    }

    pub(crate) fn say(&self, what: &str) {
        println!("{:8.3} s  {what}", self.begun.elapsed().as_secs_f64());
    }

    /// Who is active, once somebody is.
    pub(crate) fn holder(&self) -> Holder {
        self.wait("a node to be active", || self.sampler.active().first().copied())
    }

    /// The same, once it has renewed its lease and a job has run there: what went before is over. And somewhat later, each time
    /// at another point between two renewals, so that faults strike at all of them.
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

    pub(crate) fn is_anybody_active(&self) -> bool {
        !self.sampler.active().is_empty()
    }

    pub(crate) fn hosts(&self) -> Vec<&Host> {
        self.nodes.iter().map(|node| &*node.host).collect()
    }

    /// After a crash, while the store has its leader.
    pub(crate) fn crash_bound(&self) -> Duration {
        self.settings.lease * 11 / 10 + Duration::from_secs(1) + self.settings.settle
    }

    /// After a release.
    pub(crate) fn release_bound(&self) -> Duration {
        self.settings.settle + Duration::from_millis(200)
    }

    /// Waits for a fact while all daemons live.
    pub(crate) fn wait<T>(&self, what: &str, mut fact: impl FnMut() -> Option<T>) -> T {
        until(what, || {
            self.ticker.assert_alive();
            for node in &self.nodes {
                node.assert_alive();
            }
            fact()
        })
    }

    /// Ends everything, holds what was seen against what may be, and prints the table.
    pub(crate) fn end(mut self) {
        self.ticker.stop();
        for node in &self.nodes {
            if node.runs() {
                node.end(Signal::SIGTERM);
            }
        }
        let (runs, seen) = (self.ticker.runs(), self.sampler.seen());
        let (starts, late) = (self.ticker.starts(), check::late(&runs, &self.ticker.beat));
        println!("\n{}\n{}", self.title, table(&self.rows.borrow()));
        println!(
            "rcron started {starts} times; {} runs, {late} of them too late after their tick to show anything",
            runs.len()
        );
        println!(
            "state files looked at {} times, at most {:.1} ms apart; {} contents seen; from one active to the next at least {:?}",
            seen.looks,
            seen.widest.as_secs_f64() * 1000.0,
            seen.versions.len(),
            check::closest(&seen.versions).unwrap_or_default()
        );
        let faults = check::faults(&seen.versions, &runs, &self.ticker.beat);
        assert!(faults.is_empty(), "{}:\n{}", self.title, faults.join("\n"));
        assert!(
            late * TOO_SLOW <= runs.len(),
            "this machine is too slow for this test: {late} of {} runs were too late",
            runs.len()
        );
        println!("never two active, never two runs for one tick, epochs only grow\n");
    }
}

impl Drop for Story {
    /// Where something failed, what there is to find the reason in.
    fn drop(&mut self) {
        if !thread::panicking() {
            return;
        }
        for node in &self.nodes {
            let log = node.log();
            let lines: Vec<_> = log.lines().collect();
            let last = &lines[lines.len().saturating_sub(LAST_LINES)..];
            println!("--- {}, the last of its log:\n{}", node.name(), last.join("\n"));
        }
        let faults = check::faults(&self.sampler.seen().versions, &self.ticker.runs(), &self.ticker.beat);
        println!("--- found in what was seen so far: {faults:#?}");
    }
}
