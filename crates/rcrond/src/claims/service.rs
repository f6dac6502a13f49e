//! The claims machine and what belongs to it: the clients that wait for answers, the crontabs, the other servers.
//!
//! It lives in the daemon's loop, and waits for nothing.

mod ask;
mod execute;

use super::crontabs::Crontabs;
use super::due::{DueTicks, Outages};
use super::messages::{Answers, Asked, ClaimsEvent, ClientEvent};
use super::naming::{self, Named, NotNamed, Terms};
use super::node_jobs::NodeJobs;
use super::peers::Peers;
use super::socket::ClientNumbers;
use crate::api::metrics::Metrics;
use crate::store_tasks::claims_codec::{self, ClaimsCodec};
use crate::store_tasks::client::StoreRequest;
use crate::store_tasks::node_jobs::JobsSpec;
use crate::store_tasks::watcher::WatchSpec;
use claims::{Claim, Client, Facts, Held, Input, JobKey, Machine, Now, Reopen, Schedule, Start};
use control::Response;
use lease::{ClusterName, NodeName};
use policy::claim::{Answer, Over, OverReason, Request};
use policy::moment::BootTime;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;
use store::Store;
use tokio::sync::mpsc::{Sender, UnboundedSender};
use tokio::sync::watch;

/// Between two messages about the same failure of the store.
const LOG_PAUSE: Duration = Duration::from_secs(300);

/// The service's ends of the channels to its tasks. A task ends when its sender is dropped.
pub(crate) struct Senders {
    pub(crate) store_requests: UnboundedSender<StoreRequest<ClaimsCodec>>,
    pub(crate) watch_specs: watch::Sender<WatchSpec>,
    pub(crate) jobs_specs: watch::Sender<JobsSpec>,
}

/// What the daemon knows at the moment of a call.
pub(crate) struct Context<'a> {
    pub(crate) now: Now,
    /// What the lease machine knows.
    pub(crate) facts: Facts,
    pub(crate) node: &'a NodeName,
    pub(crate) max_skew: Duration,
    /// The clusters with `run_on = "any"`.
    pub(crate) shared: Vec<ClusterName>,
    pub(crate) store: &'a Arc<dyn Store>,
    pub(crate) metrics: &'a Metrics,
}

/// The state.
pub(crate) struct ClaimService {
    machine: Machine,
    /// When the machine needs its next tick; `None` if it waits for nothing.
    machine_wakes_at: Option<BootTime>,
    /// The facts of the last step.
    facts: Facts,
    senders: Senders,
    clients: HashMap<Client, Waiting>,
    numbers: Arc<ClientNumbers>,
    /// Administrators that wait for the answer to `reopen`.
    reopens: HashMap<Client, (JobKey, Sender<Response>)>,
    /// `None` until they were read.
    crontabs: Option<Arc<Crontabs>>,
    /// Claims that came before: without the crontabs, their ticks would get other names.
    early: Vec<Asked>,
    peers: Arc<Peers>,
    due: DueTicks,
    outages: Outages,
    /// What is published of the crontabs.
    published: Option<Arc<NodeJobs>>,
    /// Whether this server has jobs with `once_per_tick`, as far as is known: crontabs have some, or an rcron has asked.
    is_used: bool,
    /// The last failure of the store that was logged, and when.
    logged_failure: Option<(String, BootTime)>,
}

/// A client that waits for an answer, or whose run has a grant.
struct Waiting {
    answers: Answers,
    cluster: ClusterName,
    /// When it asked.
    since: BootTime,
    has_grant: bool,
}

impl ClaimService {
    pub(crate) fn new(
        node: NodeName,
        max_skew: Duration,
        seed: [u64; 2],
        now: Now,
        senders: Senders,
        numbers: Arc<ClientNumbers>,
    ) -> Self {
        let start = Start { node, max_skew, seed };
        Self {
            machine: Machine::new(start, now),
            machine_wakes_at: None,
            facts: Facts::default(),
            senders,
            clients: HashMap::new(),
            numbers,
            reopens: HashMap::new(),
            crontabs: None,
            early: Vec::new(),
            peers: Arc::default(),
            due: DueTicks::new(now.wall),
            outages: Outages::default(),
            published: None,
            is_used: false,
            logged_failure: None,
        }
    }

    /// When [`ClaimService::advance`] must be called again.
    pub(crate) fn wakes_at(&self, now: Now) -> Option<BootTime> {
        let due = self.due.next().map(|at| {
            let left = at.0.saturating_sub(now.wall.0);
            now.boot.after(left)
        });
        self.machine_wakes_at.into_iter().chain(due).min()
    }

    /// Whether this server's clock is known to be ahead of all others'.
    pub(crate) fn is_clock_ahead(&self, max_skew: Duration, now: BootTime) -> bool {
        self.peers.is_clock_ahead(max_skew, now)
    }

    /// To be called after each event: what the lease machine knows may have changed, or time has passed.
    pub(crate) fn advance(&mut self, context: &Context) {
        self.outages.note(context.facts.session.is_some(), context.now.wall);
        self.publish(context);
        let waiting = self.clients.values().filter(|client| !client.has_grant).count();
        context.metrics.claims.set_waiting(waiting);
        let is_late = self.machine_wakes_at.is_some_and(|at| at <= context.now.boot);
        if is_late || context.facts != self.facts {
            self.step(Input::Tick, context);
        }
        // A clock that is ahead would close ticks that are still to come.
        if self.is_clock_ahead(context.max_skew, context.now.boot) {
            return;
        }
        let (peers, node, boot) = (Arc::clone(&self.peers), context.node, context.now.boot);
        let delay = |job: &JobKey| rank_delay(&peers, node, true, job, boot);
        let due = self.due.take(context.now.wall, context.max_skew, &self.outages, delay);
        for due in due {
            if context.facts.clusters.contains_key(&due.job.cluster) {
                self.step(Input::Due(Box::new(due)), context);
            }
        }
    }

    pub(crate) fn handle_event(&mut self, event: ClaimsEvent, context: &Context) {
        match event {
            ClaimsEvent::Read(call, answer) => {
                let reading = answer
                    .map_err(|failure| self.log_failure(&failure, context.now.boot))
                    .ok();
                self.step(Input::Read(call, reading), context);
            }
            ClaimsEvent::Changed(call, verdict, failure) => {
                if let Some(failure) = failure {
                    self.log_failure(&failure, context.now.boot);
                }
                self.step(Input::Changed(call, verdict), context);
            }
            ClaimsEvent::RecordsChanged => self.step(Input::Hint, context),
            ClaimsEvent::Watching(works) => self.step(Input::Watching(works), context),
            ClaimsEvent::CrontabsRead(crontabs) => self.take_crontabs(crontabs, context),
            ClaimsEvent::PeersRead(peers) => self.peers = peers,
        }
    }

    pub(crate) fn handle_client(&mut self, event: ClientEvent, context: &Context) {
        match event {
            ClientEvent::Asked(asked) => self.handle_asked(*asked, context),
            ClientEvent::NotStarted(client) => {
                if let Some(waiting) = self.clients.get_mut(&client) {
                    waiting.has_grant = false;
                }
                self.step(Input::NotStarted(client), context);
            }
            ClientEvent::Ended(client, ended) => self.step(Input::Ended(client, ended), context),
            ClientEvent::HungUp(client) => {
                self.early.retain(|asked| asked.client != client);
                self.clients.remove(&client);
                self.step(Input::HungUp(client), context);
            }
        }
    }

    fn handle_asked(&mut self, asked: Asked, context: &Context) {
        let Some(crontabs) = self.crontabs.clone() else {
            if !matches!(asked.request, Request::Held(_)) {
                self.early.push(asked);
                return;
            }
            self.take_asked(asked, &Crontabs::default(), context);
            return;
        };
        self.take_asked(asked, &crontabs, context);
    }

    fn take_asked(&mut self, asked: Asked, crontabs: &Crontabs, context: &Context) {
        let Asked {
            client,
            user,
            cluster,
            request,
            answers,
        } = asked;
        let (claim, is_question) = match request {
            Request::Claim(claim) => (claim, false),
            Request::Ask(claim) => (claim, true),
            Request::Held(held) => {
                let job = JobKey::new(cluster, &user, &held.job);
                self.add_client(client, answers, &job, true, context);
                let held = Held {
                    client,
                    run: held.run,
                    job,
                    tick: held.tick,
                    attempt: held.attempt,
                };
                self.step(Input::Held(held), context);
                return;
            }
            // The connection sends only the others.
            Request::NotStarted { .. } | Request::Ended(_) => return,
        };
        let job = JobKey::new(cluster, &user, &claim.job);
        let named = name(&claim, &job, crontabs, context);
        if is_question {
            let has_job = crontabs.find(&job).is_some();
            let _ = answers.send(Box::new(self.would(&job, has_job, named, context)));
            return;
        }
        let named = match named {
            Ok(named) => named,
            Err(not_named) => {
                let _ = answers.send(Box::new(refusal(not_named)));
                return;
            }
        };
        self.add_client(client, answers, &job, false, context);
        let shared = context.shared.contains(&job.cluster);
        let rank = if shared {
            let has_job = crontabs.find(&job).is_some();
            rank_delay(&self.peers, context.node, has_job, &job, context.now.boot)
        } else {
            Duration::ZERO
        };
        let claim = Claim {
            client,
            run: claim.run,
            job,
            tick: named.tick,
            deadline: named.deadline,
            not_before: claim.started_boot.min(context.now.boot).after(rank),
            spacing: named.spacing,
            rerun: claim.rerun,
            skips_overlap: claim.skips_overlap,
            schedule: named.ticks.map(|ticks| ticks as Arc<dyn Schedule>),
        };
        self.step(Input::Claim(Box::new(claim)), context);
    }

    fn add_client(&mut self, client: Client, answers: Answers, job: &JobKey, has_grant: bool, context: &Context) {
        let waiting = Waiting {
            answers,
            cluster: job.cluster.clone(),
            since: context.now.boot,
            has_grant,
        };
        self.clients.insert(client, waiting);
        if !std::mem::replace(&mut self.is_used, true) {
            self.set_specs(context);
        }
    }

    /// An administrator lowers what a wrong clock has closed ahead of time.
    pub(crate) fn reopen(&mut self, job: JobKey, replies: Sender<Response>, context: &Context) {
        let client = self.numbers.next();
        self.reopens.insert(client, (job.clone(), replies));
        self.step(Input::Reopen(Reopen { client, job }), context);
    }

    /// Closes the connections of all rcrons that wait for a grant, because the daemon stops: they connect to the next process. Those
    /// whose job runs stay until the end.
    pub(crate) fn close_waiting(&mut self) {
        self.clients.retain(|_, client| client.has_grant);
        self.early.clear();
    }

    /// The configuration, or the store, is another one.
    pub(crate) fn configuration_changed(&mut self, is_new_store: bool, context: &Context) {
        if is_new_store {
            let store = Arc::clone(context.store);
            // This cannot fail: the task ends after the loop.
            let _ = self.senders.store_requests.send(StoreRequest::UseStore(store));
        }
        self.machine.set_max_skew(context.max_skew);
        self.set_specs(context);
        self.step(Input::Tick, context);
    }

    fn take_crontabs(&mut self, crontabs: Arc<Crontabs>, context: &Context) {
        let old = self.crontabs.clone().unwrap_or_default();
        self.due
            .set_crontabs(&crontabs, &old, context.max_skew, context.now.wall);
        self.published = Some(Arc::new(NodeJobs::new(&crontabs)));
        self.is_used |= crontabs.once_per_tick().next().is_some();
        let expected: BTreeSet<ClusterName> = crontabs
            .once_per_tick()
            .map(|(job, ..)| job.cluster.clone())
            .filter(|cluster| context.facts.clusters.contains_key(cluster))
            .collect();
        self.crontabs = Some(crontabs);
        self.set_specs(context);
        for cluster in expected {
            self.step(Input::Expect(cluster), context);
        }
        for asked in std::mem::take(&mut self.early) {
            self.handle_asked(asked, context);
        }
    }

    /// Tells the tasks what to watch and to read.
    fn set_specs(&self, context: &Context) {
        let clusters = context.facts.clusters.keys().filter(|_| self.is_used);
        let keys: Vec<String> = clusters.map(claims_codec::notify).collect();
        self.senders.watch_specs.send_if_modified(|spec| {
            let differs = spec.keys != keys || !Arc::ptr_eq(&spec.store, context.store);
            if differs {
                spec.keys = keys;
                spec.store = Arc::clone(context.store);
            }
            differs
        });
        self.publish(context);
    }

    /// Publishes the crontabs' jobs, once there is a session: without one, another machine may have this node's name.
    fn publish(&self, context: &Context) {
        let own = self.published.as_ref().filter(|_| context.facts.session.is_some());
        self.senders.jobs_specs.send_if_modified(|spec| {
            let is_same = match (&spec.own, own) {
                (Some(old), Some(new)) => Arc::ptr_eq(old, new),
                // What was published stays.
                (_, None) => true,
                (None, Some(_)) => false,
            };
            let differs = !is_same || spec.needs_peers != self.is_used || !Arc::ptr_eq(&spec.store, context.store);
            if differs {
                spec.own = own.cloned().or(spec.own.take());
                spec.needs_peers = self.is_used;
                spec.store = Arc::clone(context.store);
            }
            differs
        });
    }

    /// Gives the machine an input, and executes its actions.
    fn step(&mut self, input: Input, context: &Context) {
        if self.facts != context.facts {
            self.facts.clone_from(&context.facts);
        }
        let mut actions = Vec::new();
        self.machine.step(context.now, &context.facts, input, &mut actions);
        self.execute(actions, context);
    }
}

fn name(claim: &policy::claim::Claim, job: &JobKey, crontabs: &Crontabs, context: &Context) -> Result<Named, NotNamed> {
    let cluster = context.facts.clusters.get(&job.cluster);
    let terms = Terms {
        grace: cluster.map(|cluster| cluster.grace).unwrap_or_default(),
        max_skew: context.max_skew,
    };
    naming::name(claim, crontabs.find(job), terms, context.now)
}

/// How long this node leaves a tick to those of higher rank.
fn rank_delay(peers: &Peers, node: &NodeName, has_job: bool, job: &JobKey, now: BootTime) -> Duration {
    let mut nodes = peers.with_job(job, now);
    if has_job {
        nodes.push(node.clone());
    }
    claims::delay(job, node, &nodes)
}

fn refusal(not_named: NotNamed) -> Answer {
    match not_named {
        NotNamed::TooLate(tick) => Answer::Over(Over {
            reason: OverReason::TooLate,
            by: None,
            tick,
        }),
        NotNamed::Refused(refusal) => Answer::Refused {
            message: refusal.to_string(),
        },
    }
}
