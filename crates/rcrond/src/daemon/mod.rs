//! The loop: whatever happens becomes an input of the machine, and its actions go to those who execute them. It waits for nobody.

mod act;
mod begin;
mod cluster;
mod drain;
mod reload;
mod report;
mod start;

pub(crate) use begin::{Trouble, main};
pub(crate) use reload::Renewal;

use crate::config::Config;
use crate::disk::identity::{Held, RunDir};
use crate::disk::ledger::Ledger;
use crate::disk::scribe::Scribes;
use crate::news::{News, Newsroom};
use crate::outside::metrics::Metrics;
use crate::outside::socket::Ask;
use crate::outside::{Snapshot, systemd};
use crate::store_side::asker::Request;
use crate::store_side::card::{Card, Issue};
use crate::store_side::listener::Subject;
use cluster::Cluster;
use drain::Pending;
use inputs::clock;
use lease::{ClusterName, Input, Machine, SessionId};
use policy::moment::BootTime;
use start::Clusters;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use store::{Error, Store};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::sync::watch;

/// A stop takes two calls to the store and the clusters' `grace`; a store that does not answer is not waited for any longer.
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// Timers stand still while the machine is suspended, leases do not: after waking up nothing is later than this.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// Cron waits for the first state files, but not for a file system that hangs.
const READY_LIMIT: Duration = Duration::from_secs(2);

/// Everything that the loop knows.
pub(crate) struct Daemon {
    config: Config,
    config_file: PathBuf,
    boot: Vec<u8>,
    machine: Machine,
    clusters: Clusters,
    ledger: Ledger,
    run_dir: RunDir,
    session: Option<SessionId>,
    /// The clusters that stand beside the identity.
    kept: Held,
    scribes: Scribes,
    newsroom: Newsroom,
    store: Arc<dyn Store>,
    outlets: Outlets,
    /// Why the store did not answer the last time.
    failure: Option<Error>,
    /// Why epochs or identity could not be written the last time.
    file_failure: Option<String>,
    watching: bool,
    pending: Vec<Pending>,
    /// When the machine wants to be woken.
    wake: BootTime,
    /// When to look at the journals again.
    look_at: Option<BootTime>,
    /// When to end in any case.
    stop: Option<BootTime>,
    begun: BootTime,
    /// systemd knows that all state files say what is so.
    ready: bool,
    status: String,
    metrics: Arc<Metrics>,
}

/// To the tasks.
struct Outlets {
    requests: UnboundedSender<Request>,
    subject: watch::Sender<Subject>,
    cards: watch::Sender<Issue>,
    /// Only if somebody may look at it.
    snapshot: Option<watch::Sender<Arc<Snapshot>>>,
}

/// What comes in.
struct Inlets {
    news: UnboundedReceiver<News>,
    asks: mpsc::Receiver<Ask>,
    watchdog: Option<tokio::time::Interval>,
    signals: Signals,
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    reload: Signal,
    upgrade: Signal,
}

/// One thing that has happened.
enum Event {
    News(News),
    Ask(Ask),
    Time,
    Alive,
    Stop,
    Reload,
    Upgrade,
}

impl Daemon {
    /// Until it is told to end.
    async fn live(mut self, mut inlets: Inlets) {
        self.resume_drains();
        self.step(Input::Tick);
        loop {
            self.publish();
            let next = [self.look_at, self.stop]
                .into_iter()
                .flatten()
                .fold(self.wake, BootTime::min);
            let event = inlets.next(next).await;
            if matches!(event, Event::Upgrade) {
                log::info!("ending without giving anything away: the next rcrond takes the session up");
                break;
            }
            self.take(event);
            // What has come meanwhile, before anybody is told how things are.
            while let Ok(news) = inlets.news.try_recv() {
                self.take_news(news);
            }
            if self.is_over() {
                break;
            }
            self.see_to_drains();
        }
        if self.machine.is_finished() {
            self.run_dir.forget();
        }
        // Held until the process is gone: a thread may be writing still.
        std::mem::forget(self.run_dir);
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::News(news) => self.take_news(news),
            Event::Ask(ask) => self.take_ask(ask),
            Event::Time => self.step(Input::Tick),
            Event::Alive => systemd::alive(),
            Event::Stop => self.begin_stop(),
            Event::Reload => self.reload(),
            Event::Upgrade => {}
        }
    }

    fn take_news(&mut self, news: News) {
        match news {
            News::Input(input) => self.take_input(input),
            News::StoreFailed(failure) => self.failure = Some(failure),
            News::Concerns(concerns) => concerns.iter().for_each(|concern| log::warn!("the store: {concern}")),
            News::FileFailed(why) => self.file_failed(why),
            News::StateFailed(name, why) => {
                if let Some(cluster) = self.clusters.get_mut(&name) {
                    cluster.obstacle = Some(why);
                }
            }
            News::Renewal(renewal) => self.renew(renewal),
            News::DrainKept(done) => self.drain_kept(done),
            News::Running(name, running) => self.take_running(&name, running),
        }
    }

    fn take_input(&mut self, input: Input) {
        match &input {
            Input::StateWritten { cluster, done } => {
                let now = clock::boot_time();
                let found = self.clusters.get_mut(cluster);
                if let Some(active) = found.and_then(|found| found.written(*done, now)) {
                    self.metrics.transition(cluster.as_str(), active);
                    say_state(cluster, active);
                }
            }
            Input::EpochKept { done: true, .. } => self.file_failure = None,
            Input::Watching(watching) => self.watching = *watching,
            _ => {}
        }
        self.step(input);
    }

    /// It is tried again every second, and told once.
    fn file_failed(&mut self, why: String) {
        if self.file_failure.as_ref() != Some(&why) {
            log::error!("{why}");
            self.file_failure = Some(why);
        }
    }

    /// Gives the machine an input and has its actions executed.
    fn step(&mut self, input: Input) {
        let now = clock::boot_time();
        let mut actions = Vec::new();
        self.machine.step(now, input, &mut actions);
        self.execute(actions);
    }

    /// Once each state file says what is so: cron is started after this, and a file of before the boot may say anything.
    fn get_ready(&mut self) {
        let now = clock::boot_time();
        let late = self.begun.after(READY_LIMIT) <= now;
        if !self.ready && (late || self.clusters.values().all(Cluster::is_settled)) {
            self.ready = true;
            systemd::ready();
        }
    }

    fn begin_stop(&mut self) {
        let limit = self.longest_grace() + STOP_LIMIT;
        let now = clock::boot_time();
        if self.stop.is_none() {
            systemd::stopping();
            systemd::extend_timeout(limit + Duration::from_secs(5));
            log::info!("stopping: state files passive first, then the clusters are given away");
            self.stop = Some(now.after(limit));
        }
        self.step(Input::Stop);
    }

    /// So long the jobs of a cluster that is given away may still run.
    fn longest_grace(&self) -> Duration {
        let clusters = self.config.clusters.iter();
        clusters.map(|cluster| cluster.timing.grace()).max().unwrap_or_default()
    }

    fn is_over(&self) -> bool {
        let late = self.stop.is_some_and(|stop| stop <= clock::boot_time());
        if late {
            log::warn!("not everything could be given away in time: the leases end by themselves");
        }
        late || self.machine.is_finished()
    }
}

impl Inlets {
    /// The next thing that happens, at the latest then.
    async fn next(&mut self, at: BootTime) -> Event {
        let signals = &mut self.signals;
        let watchdog = &mut self.watchdog;
        let alive = async {
            match watchdog {
                Some(interval) => interval.tick().await,
                None => std::future::pending().await,
            }
        };
        let sleep = at.since(clock::boot_time()).min(LONGEST_SLEEP);
        tokio::select! {
            biased;
            _ = signals.terminate.recv() => Event::Stop,
            _ = signals.interrupt.recv() => Event::Stop,
            _ = signals.upgrade.recv() => Event::Upgrade,
            Some(news) = self.news.recv() => Event::News(news),
            () = tokio::time::sleep(sleep) => Event::Time,
            _ = alive => Event::Alive,
            _ = signals.reload.recv() => Event::Reload,
            Some(ask) = self.asks.recv() => Event::Ask(ask),
        }
    }
}

impl Signals {
    fn catch() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            reload: signal(SignalKind::hangup())?,
            upgrade: signal(SignalKind::user_defined1())?,
        })
    }
}

/// The moments that matter most: from here on jobs run, or do not.
fn say_state(cluster: &ClusterName, active: bool) {
    let (cluster, state) = (cluster.as_str(), if active { "active" } else { "passive" });
    log::info!(CLUSTER = cluster, STATE = state; "cluster {cluster}: {state}");
}
