//! What may happen around a tick.

use super::cron::HostCron;
use super::stage::{AGAIN, EVERY, PERIOD_OF_THIRD, Stage, THIRD, now};
use crate::site::Site;
use control::Request;
use nix::sys::signal::Signal;
use std::thread;
use std::time::Duration;
use testing::lab::Host;

/// Less than a lease.
const MOMENT: Duration = Duration::from_secs(1);
/// An hour of cron's time.
const HOUR: i64 = 60;

/// A store that can be restarted.
pub(super) trait Store {
    /// Kills all of it.
    fn kill(&mut self);

    /// Starts it with the data that it has.
    fn start(&mut self);

    /// Removes the data of a store that is down.
    fn lose_data(&mut self);

    /// What an administrator does after a loss of data.
    fn prepare(&self);
}

/// The active host is lost this many milliseconds after its cron fires; before, if less than 0.
pub(super) fn kills(stage: &Stage, moments: &[i64]) {
    for moment in moments {
        let when = match moment {
            0 => "as cron fires".to_owned(),
            after if *after > 0 => format!("{after} ms after"),
            before => format!("{} ms before", before.unsigned_abs()),
        };
        stage.story(&format!("host lost {when}"), |host| {
            let tick = stage.next_third(host);
            stage.sleep_until(host, tick, *moment);
            stage.kill_host(host);
            if *moment < 0 {
                let line = stage.must_start(THIRD, tick);
                assert_ne!(line.node, stage.nodes[host].name());
            } else {
                // It may have been granted to a run that had not begun.
                stage.active_but(host);
                stage.must_start(THIRD, stage.next_third(host));
            }
            stage.start_host(host);
        });
    }
}

/// The host of a run is lost, and the run may be started anew.
pub(super) fn cut_off_run(stage: &Stage) {
    stage.story("host lost while a job with rerun runs", |_| {
        let since = now();
        let first = stage.wait("a run of the job with rerun", || {
            let starts = stage.book.starts(AGAIN);
            starts.into_iter().find(|line| line.tick > since)
        });
        let host = stage.position(&first.node);
        stage.kill_host(host);
        let second = stage.wait("another attempt", || {
            let starts = stage.book.starts(AGAIN);
            let newer = starts.iter().any(|line| line.tick > first.tick);
            assert!(!newer, "{} was not started again", first.tick);
            starts
                .into_iter()
                .find(|line| line.tick == first.tick && line.attempt > first.attempt)
        });
        stage.say(&format!("    {} started attempt {}", second.node, second.attempt));
        stage.start_host(host);
    });
}

/// rcrond stands still from the moment at which cron fires until another host is active.
pub(super) fn frozen_daemon(stage: &Stage) {
    stage.story("rcrond frozen as cron fires, and thawed", |host| {
        let tick = stage.next_third(host);
        stage.sleep_until(host, tick, 0);
        stage.nodes[host].signal(Signal::SIGSTOP);
        stage.active_but(host);
        stage.must_start(THIRD, tick + PERIOD_OF_THIRD);
        stage.nodes[host].signal(Signal::SIGCONT);
        stage.nodes[host].comes_up();
    });
}

/// The rcrons that wait for a tick stand still. One of them is granted it, and continues when its host is not active any more.
pub(super) fn frozen_rcrons(stage: &Stage) {
    stage.story("rcron frozen between grant and start", |host| {
        let tick = stage.next_third(host);
        stage.sleep_until(host, tick, -500);
        stage.kill_host(host);
        let others: Vec<usize> = (0..3).filter(|other| *other != host).collect();
        let frozen: Vec<Frozen> = others.iter().map(|other| freeze(stage, *other, tick)).collect();
        let granted = stage.wait("a grant, or a start", || {
            let found = others.iter().flat_map(|other| stage.granted(*other, THIRD, tick));
            found.chain(stage.book.start(THIRD, tick).map(|line| line.node)).next()
        });
        let first = stage.position(&granted);
        // A slow machine may have frozen the rcron too late.
        let is_started = stage.book.start(THIRD, tick).is_some();
        stage.nodes[first].order(&Request::Drain {
            clusters: Vec::new(),
            wait_ms: None,
        });
        let second = stage.active_but(first);
        for frozen in &frozen {
            HostCron::thaw(&frozen.rcrons);
            HostCron::thaw(&frozen.cron);
        }
        // Each rcron gets the next ticks later than its last word about this one. That word may be that another has it.
        stage.must_start(THIRD, stage.next_third(second.node) + PERIOD_OF_THIRD);
        let line = stage.book.start(THIRD, tick);
        let starter = line.as_ref().map_or("nobody", |line| &line.node);
        stage.say(&format!("    granted to {granted}, started by {starter}"));
        let is_old_grant = !is_started && starter == granted;
        assert!(
            !is_old_grant,
            "a grant of {granted} for {tick} was used too late: {line:?}"
        );
        stage.nodes[first].order(&Request::Undrain { clusters: Vec::new() });
        stage.start_host(host);
    });
}

/// Processes that stand still.
struct Frozen {
    rcrons: Vec<i32>,
    cron: Vec<i32>,
}

/// Waits for a host's rcrons that wait for this tick, and freezes them. Its cron starts none for a newer tick, because that would close
/// this one.
fn freeze(stage: &Stage, host: usize, tick: u64) -> Frozen {
    stage.sleep_until(host, tick, 0);
    let rcrons = stage.wait("a waiting rcron", || {
        Some(stage.cron(host).rcrons(Some(THIRD))).filter(|found| !found.is_empty())
    });
    HostCron::freeze(&rcrons);
    let cron = stage.cron(host).daemon();
    HostCron::freeze(&cron);
    Frozen { rcrons, cron }
}

/// The active host is cut off from the store shortly before cron fires.
pub(super) fn partition(stage: &Stage, site: &Site, stores: &[&Host]) {
    stage.story("cut off from the store", |host| {
        let tick = stage.next_third(host);
        stage.sleep_until(host, tick, -500);
        site.lab.part(&[&stage.nodes[host].host], stores);
        stage.active_but(host);
        stage.must_start(THIRD, tick);
        site.lab.heal();
        stage.nodes[host].comes_up();
    });
}

/// The active host is cut off from the store, and then from the other hosts, which changes nothing.
pub(super) fn partitions(stage: &Stage, site: &Site, stores: &[&Host]) {
    partition(stage, site, stores);
    stage.story("cut off from the other hosts only", |host| {
        let tick = stage.next_third(host);
        stage.sleep_until(host, tick, -500);
        let others = stage.nodes.iter().enumerate().filter(|(other, _)| *other != host);
        let others: Vec<&Host> = others.map(|(_, node)| &*node.host).collect();
        site.lab.part(&[&stage.nodes[host].host], &others);
        stage.must_start(THIRD, tick + PERIOD_OF_THIRD);
        site.lab.heal();
    });
}

/// An upgrade and a drain at the moment at which cron fires.
pub(super) fn ends_of_a_daemon(stage: &Stage) {
    stage.story("rcrond upgraded as cron fires", |host| {
        let tick = stage.next_third(host);
        stage.sleep_until(host, tick, 0);
        stage.nodes[host].end(Signal::SIGUSR1);
        stage.nodes[host].start();
        stage.must_start(THIRD, tick);
    });
    stage.story("drained as cron fires", |host| {
        let tick = stage.next_third(host);
        stage.sleep_until(host, tick, 0);
        stage.nodes[host].order(&Request::Drain {
            clusters: Vec::new(),
            wait_ms: None,
        });
        stage.active_but(host);
        stage.must_start(THIRD, tick + PERIOD_OF_THIRD);
        stage.nodes[host].order(&Request::Undrain { clusters: Vec::new() });
    });
}

/// cron's clock on the active host goes back an hour, and cron fires again for ticks that were started.
pub(super) fn wrong_clock(stage: &Stage) {
    stage.story("cron's clock an hour back, and right again", |host| {
        // So that the ticks are those of this test.
        stage.cron(host).set_clock(-HOUR);
        let until = now() + 4;
        stage.wait("some seconds to pass", || (now() > until).then_some(()));
        stage.cron(host).set_clock(0);
        stage.must_start(EVERY, now() + 4);
    });
}

/// The store is restarted, with its data and without. rcrond cannot know of every store that it has all its data.
pub(super) fn restarts(stage: &Stage, store: &mut impl Store) {
    stage.story("store restarted", |host| {
        let tick = stage.next_third(host);
        stage.sleep_until(host, tick, -100);
        store.kill();
        thread::sleep(MOMENT);
        store.start();
    });
    stage.story("store restarted without its data", |host| {
        let tick = stage.next_third(host);
        stage.sleep_until(host, tick, -100);
        store.kill();
        store.lose_data();
        store.start();
        store.prepare();
    });
}
