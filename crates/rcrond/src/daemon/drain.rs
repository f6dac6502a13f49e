//! What rcronctl asks for: how things are, `drain`, `undrain`; and the waiting for jobs.

use super::Daemon;
use super::cluster::is_active;
use crate::disk::ledger::Drained;
use crate::news::News;
use crate::outside::socket::Ask;
use crate::store_side::survey;
use control::{Report, Request, Response, Role};
use inputs::clock;
use journal::Query;
use journal::files::Source;
use journal::run::Fate;
use lease::{ClusterName, Input, Mode};
use policy::moment::BootTime;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use store::Store;
use tokio::sync::mpsc::Sender;

/// How often the journals are looked at while jobs are waited for.
const LOOK: Duration = Duration::from_secs(1);
/// A release is two calls to the store. Where that takes longer the client is told why.
const PATIENCE: Duration = Duration::from_secs(10);

/// Somebody waits for clusters to be given away.
pub(super) struct Pending {
    clusters: Vec<ClusterName>,
    replies: Sender<Response>,
    /// Whether it was kept on disk, once that is known.
    kept: Option<bool>,
    /// When to answer in any case.
    until: BootTime,
    told: Vec<String>,
}

impl Daemon {
    pub(super) fn take_ask(&mut self, ask: Ask) {
        let Ask { request, replies } = ask;
        match request {
            Request::Status { nodes } => self.answer_status(nodes, replies),
            Request::Drain { clusters, wait_ms } => match self.named(&clusters) {
                Ok(names) => self.drain(names, wait_ms, replies),
                Err(message) => answer(&replies, Response::Error { message }),
            },
            Request::Undrain { clusters } => match self.named(&clusters) {
                Ok(names) => self.undrain(&names, &replies),
                Err(message) => answer(&replies, Response::Error { message }),
            },
        }
    }

    fn answer_status(&self, nodes: bool, replies: Sender<Response>) {
        let report = self.report(clock::boot_time());
        let store = Arc::clone(&self.store);
        tokio::spawn(async move {
            // A store that does not answer would cost the caller the whole time limit.
            let report = if nodes && report.store.answers {
                with_nodes(report, &store).await
            } else {
                report
            };
            // Who asked may be gone.
            let _ = replies.send(Response::Status(report)).await;
        });
    }

    /// The clusters of these names, or all.
    fn named(&self, names: &[String]) -> Result<Vec<ClusterName>, String> {
        let all: Vec<_> = self
            .config
            .clusters
            .iter()
            .map(|cluster| cluster.name.clone())
            .collect();
        if names.is_empty() {
            return Ok(all);
        }
        let known = || all.iter().map(ClusterName::as_str).collect::<Vec<_>>().join(", ");
        let find = |name: &String| {
            let found = all.iter().find(|cluster| cluster.as_str() == name).cloned();
            found.ok_or_else(|| format!("rcrond knows no cluster {name:?}; it has: {}", known()))
        };
        names.iter().map(find).collect()
    }

    fn drain(&mut self, names: Vec<ClusterName>, wait_ms: Option<u64>, replies: Sender<Response>) {
        for name in &names {
            self.ledger.set_drained(name, Some(Drained { wait_ms }));
            log::info!(
                "cluster {}: drain{}",
                name.as_str(),
                wait_ms.map_or("", |_| ", waiting for running jobs")
            );
        }
        let newsroom = self.newsroom.clone();
        self.write_ledger(move |done| newsroom.tell(News::DrainKept(done)));
        let now = clock::boot_time();
        let wait = wait_ms.map(Duration::from_millis);
        for name in &names {
            if let Some(wait) = wait {
                self.wait_for_jobs(name, now, wait);
            }
        }
        self.pending.push(Pending {
            clusters: names.clone(),
            replies,
            kept: None,
            until: now.after(wait.unwrap_or_default() + self.longest_grace() + PATIENCE),
            told: Vec::new(),
        });
        let wait = wait.is_some();
        for cluster in names {
            self.step(Input::Drain { cluster, wait });
        }
    }

    fn undrain(&mut self, names: &[ClusterName], replies: &Sender<Response>) {
        let mut lines = Vec::new();
        for name in names {
            let was = self.ledger.entry(name).drained.is_some();
            self.ledger.set_drained(name, None);
            if let Some(cluster) = self.clusters.get_mut(name) {
                cluster.drain = None;
            }
            self.step(Input::Undrain(name.clone()));
            lines.push(format!(
                "{}: {}",
                name.as_str(),
                if was { "takes part again" } else { "took part already" }
            ));
            log::info!("cluster {}: undrain", name.as_str());
        }
        let replies = replies.clone();
        self.write_ledger(move |done| {
            let answer = if done {
                Response::Done { lines }
            } else {
                let message =
                    "it takes part again, but that could not be kept on disk: after a restart it is drained again"
                        .to_owned();
                Response::Error { message }
            };
            self::answer(&replies, answer);
        });
    }

    /// Goes on with the waiting that an earlier process had begun.
    pub(super) fn resume_drains(&mut self) {
        let now = clock::boot_time();
        let names: Vec<_> = self.clusters.keys().cloned().collect();
        for name in names {
            let Some(wait_ms) = self.ledger.entry(&name).drained.and_then(|drained| drained.wait_ms) else {
                continue;
            };
            self.wait_for_jobs(&name, now, Duration::from_millis(wait_ms));
            self.step(Input::Drain {
                cluster: name,
                wait: true,
            });
        }
    }

    fn wait_for_jobs(&mut self, name: &ClusterName, now: BootTime, limit: Duration) {
        if let Some(cluster) = self.clusters.get_mut(name) {
            cluster.begin_drain(now.after(limit));
            self.look_at = Some(now);
        }
    }

    pub(super) fn drain_kept(&mut self, done: bool) {
        for waiting in &mut self.pending {
            waiting.kept = waiting.kept.or(Some(done));
        }
    }

    pub(super) fn take_running(&mut self, name: &ClusterName, running: Result<usize, String>) {
        if let Some(drain) = self.clusters.get_mut(name).and_then(|cluster| cluster.drain.as_mut()) {
            drain.looking = false;
            drain.running = running;
        }
    }

    /// After each event: who has waited long enough, and who has been told everything.
    pub(super) fn see_to_drains(&mut self) {
        let now = clock::boot_time();
        let drained: Vec<_> = self
            .clusters
            .iter()
            .filter(|(_, cluster)| cluster.is_drained(now))
            .map(|(name, _)| name.clone())
            .collect();
        for name in drained {
            if let Some(drain) = self.clusters.get_mut(&name).and_then(|cluster| cluster.drain.take()) {
                if drain.running != Ok(0) {
                    log::warn!(
                        "cluster {}: given away though jobs may still run: the time is over",
                        name.as_str()
                    );
                }
            }
            self.ledger.set_drained(&name, Some(Drained { wait_ms: None }));
            self.write_ledger(|_| {});
            self.step(Input::Drained(name));
        }
        self.look_at_journals(now);
        self.answer_pending(now);
    }

    fn look_at_journals(&mut self, now: BootTime) {
        if self.look_at.is_none_or(|at| at > now) {
            return;
        }
        self.look_at = None;
        for (name, cluster) in &mut self.clusters {
            let Some(drain) = &mut cluster.drain else { continue };
            self.look_at = Some(now.after(LOOK));
            if drain.looking {
                continue;
            }
            drain.looking = true;
            let (newsroom, of, directory) = (self.newsroom.clone(), name.clone(), cluster.settings.journal.clone());
            // A thread of its own: a journal may be large, or its disk slow.
            tokio::task::spawn_blocking(move || {
                let running = running(directory, of.as_str());
                newsroom.tell(News::Running(of, running));
            });
        }
    }

    fn answer_pending(&mut self, now: BootTime) {
        let mut pending = std::mem::take(&mut self.pending);
        pending.retain_mut(|waiting| {
            let open: Vec<_> = waiting
                .clusters
                .iter()
                .filter(|name| !self.is_given_away(name))
                .collect();
            if let (true, Some(false)) = (open.is_empty(), waiting.kept) {
                let message =
                    "drained, but that could not be kept on disk: after a restart rcrond takes part again".to_owned();
                answer(&waiting.replies, Response::Error { message });
                return false;
            }
            if open.is_empty() && waiting.kept.is_some() {
                let lines = waiting
                    .clusters
                    .iter()
                    .map(|name| format!("{}: drained", name.as_str()))
                    .collect();
                answer(&waiting.replies, Response::Done { lines });
                return false;
            }
            if waiting.until <= now {
                let names: Vec<_> = open.iter().map(|name| name.as_str()).collect();
                let why = self
                    .failure
                    .as_ref()
                    .map(|failure| format!(": {failure}"))
                    .unwrap_or_default();
                let message = format!(
                    "{}: not given away yet, but drained: rcrond goes on with it{why}",
                    names.join(", ")
                );
                answer(&waiting.replies, Response::Error { message });
                return false;
            }
            let lines: Vec<_> = open.iter().filter_map(|name| self.waits_for(name)).collect();
            if lines != waiting.told {
                for text in &lines {
                    answer(&waiting.replies, Response::Progress { text: text.clone() });
                }
                waiting.told = lines;
            }
            !waiting.replies.is_closed()
        });
        if let Some(first) = pending.iter().map(|waiting| waiting.until).min() {
            self.look_at = Some(self.look_at.unwrap_or(first).min(first));
        }
        self.pending = pending;
    }

    /// The file is passive and the cluster another's to take.
    fn is_given_away(&self, name: &ClusterName) -> bool {
        let view = self.machine.views().find(|view| view.config.name == *name);
        let out = view.is_none_or(|view| view.held_lease.is_none() && view.mode != Mode::Serve);
        let says = self.clusters.get(name).and_then(|cluster| cluster.says);
        out && says.is_some_and(|content| !is_active(content))
    }

    fn waits_for(&self, name: &ClusterName) -> Option<String> {
        let drain = self.clusters.get(name)?.drain.as_ref()?;
        Some(match &drain.running {
            Ok(0) => return None,
            Ok(1) => format!("{}: waiting for 1 running job", name.as_str()),
            Ok(count) => format!("{}: waiting for {count} running jobs", name.as_str()),
            Err(why) => format!("{}: waiting: {why}", name.as_str()),
        })
    }
}

/// Who asked may be gone.
fn answer(replies: &Sender<Response>, response: Response) {
    let _ = replies.try_send(response);
}

/// How many jobs of the cluster run here, by the journal.
fn running(directory: Option<PathBuf>, cluster: &str) -> Result<usize, String> {
    let Some(directory) = directory else {
        return Err("no journal is kept, so nobody knows what runs".to_owned());
    };
    let query = Query {
        cluster: Some(cluster.to_owned()),
        unfinished: true,
        ..Query::default()
    };
    let runs = journal::read(&[Source::Own(directory)], &query);
    if let Some((path, why)) = runs.unreadable.first() {
        return Err(format!("cannot read {}: {why}", path.display()));
    }
    let lives = |fate: &Fate| matches!(fate, Fate::Running(_) | Fate::Unwatched(_));
    Ok(runs.runs.iter().filter(|run| lives(&run.fate)).count())
}

/// The report with the other nodes, as far as the store tells.
async fn with_nodes(mut report: Report, store: &Arc<dyn Store>) -> Report {
    let names: Vec<_> = report.clusters.iter().map(|cluster| cluster.name.clone()).collect();
    match survey::take(store, &names).await {
        Ok(survey) => {
            for cluster in &mut report.clusters {
                cluster.nodes = survey.nodes(
                    &cluster.name,
                    Duration::from_millis(cluster.lease_ms),
                    clock::wall_time(),
                );
                let own = cluster.nodes.iter_mut().find(|node| node.name == report.node);
                if let (Some(own), true) = (own, report.store.session) {
                    own.role = cluster.role;
                    own.lease_left_ms = cluster.lease_left_ms;
                    own.epoch = own
                        .epoch
                        .filter(|_| matches!(own.role, Role::Active | Role::Holding | Role::Draining));
                }
            }
        }
        Err(failure) => report.store.failure = report.store.failure.or(Some(failure.to_string())),
    }
    report
}
