//! Once per tick: passes events to the service, together with what the lease machine knows at this moment.

use super::Daemon;
use super::requests::{UnknownCluster, send_answer};
use crate::claims::{self, ClaimService, ClaimsEvent, ClientEvent, ClientNumbers, Context, Settings};
use crate::config::{self, ClusterSettings, Config};
use crate::drift::text_of_duration;
use crate::store_tasks::drift::DriftRequest;
use crate::store_tasks::ticks::{self, TicksQuery};
use ::claims::{ClusterFacts, Facts, JobKey, Now, Permission, StopReason};
use ::inputs::clock;
use control::Response;
use lease::{ClusterName, RunOn, View};
use policy::moment::BootTime;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Receiver, Sender};

/// How many claims are handled before the loop looks at everything else again, and how long this may take.
const CLAIMS_AT_ONCE: usize = 64;
const CLAIMS_LIMIT: Duration = Duration::from_millis(5);

/// The service of a new process.
///
/// # Errors
/// The kernel gives no random numbers.
pub(super) fn new_claim_service(
    config: &Config,
    senders: claims::Senders,
    numbers: Arc<ClientNumbers>,
) -> io::Result<ClaimService> {
    let seed = super::machine::random_seed()?;
    Ok(ClaimService::new(
        config.node.clone(),
        config.max_skew,
        seed,
        now(),
        senders,
        numbers,
    ))
}

/// What the thread that reads the crontabs needs of the configuration in this file.
pub(super) fn crontab_settings(config: &Config, file: &Path) -> Settings {
    let clusters = config.clusters.iter();
    Settings {
        clusters: clusters
            .clone()
            .map(|cluster| (cluster.name.clone(), cluster.state_file.clone()))
            .collect(),
        keys: clusters
            .map(|cluster| (cluster.name.as_str().to_owned(), published_keys(cluster)))
            .collect(),
        max_skew: config.max_skew,
        conf_directories: config::conf_directories(file),
    }
}

/// The keys of rcrond.toml that the servers of a cluster must agree on.
fn published_keys(cluster: &ClusterSettings) -> BTreeMap<String, String> {
    let run_on = match cluster.run_on {
        RunOn::Active => "active",
        RunOn::Any => "any",
    };
    let timing = &cluster.timing;
    let keys = [
        (
            "lease",
            text_of_duration(Duration::from_millis(timing.lease().milliseconds())),
        ),
        ("settle", text_of_duration(timing.settle())),
        ("grace", text_of_duration(timing.grace())),
        ("run_on", run_on.to_owned()),
    ];
    keys.map(|(key, value)| (key.to_owned(), value)).into()
}

fn now() -> Now {
    Now {
        boot: clock::boot_time(),
        wall: clock::wall_time(),
    }
}

impl Daemon {
    pub(super) fn handle_claims_event(&mut self, event: ClaimsEvent) {
        self.with_claims(|service, context| service.handle_event(event, context));
    }

    pub(super) fn handle_claim(&mut self, event: ClientEvent) {
        self.with_claims(|service, context| service.handle_client(event, context));
    }

    /// Those that wait already, so that they need not wait for a round of the loop each.
    pub(super) fn handle_more_claims(&mut self, claims: &mut Receiver<ClientEvent>) {
        let begin = Instant::now();
        self.with_claims(|service, context| {
            for _ in 1..CLAIMS_AT_ONCE {
                if begin.elapsed() > CLAIMS_LIMIT {
                    return;
                }
                let Ok(event) = claims.try_recv() else { return };
                service.handle_client(event, context);
            }
        });
    }

    /// To be called after each event.
    pub(super) fn advance_claims(&mut self) {
        self.with_claims(ClaimService::advance);
    }

    pub(super) fn claims_wake_at(&self) -> Option<BootTime> {
        self.claims.wakes_at(now())
    }

    /// The configuration has changed.
    pub(super) fn claims_configured(&mut self, is_new_store: bool) {
        self.claim_clusters.set(&self.config.clusters);
        self.crontabs.set(crontab_settings(&self.config, &self.config_file));
        if let Some(jobs) = &self.metrics.jobs {
            jobs.set_clusters(&self.config.clusters);
        }
        self.with_claims(|service, context| service.configuration_changed(is_new_store, context));
    }

    /// No further claim is taken. What runs may still report its end.
    pub(super) fn stop_claims(&mut self) {
        self.stop_claims.notify_one();
        self.claims.close_waiting();
    }

    fn with_claims(&mut self, act: impl FnOnce(&mut ClaimService, &Context)) {
        let now = now();
        let is_clock_ahead = self.claims.is_clock_ahead(self.config.max_skew, now.boot);
        let context = Context {
            facts: Facts {
                session: self.machine.open_session(),
                clusters: self.cluster_facts(now.boot, is_clock_ahead),
            },
            now,
            node: &self.config.node,
            max_skew: self.config.max_skew,
            shared: self.shared_clusters(),
            store: &self.store,
            metrics: &self.metrics,
        };
        act(&mut self.claims, &context);
    }

    fn shared_clusters(&self) -> Vec<ClusterName> {
        let clusters = self.config.clusters.iter();
        let shared = clusters.filter(|cluster| cluster.run_on == RunOn::Any);
        shared.map(|cluster| cluster.name.clone()).collect()
    }

    fn cluster_facts(&self, now: BootTime, is_clock_ahead: bool) -> BTreeMap<ClusterName, ClusterFacts> {
        let is_stopping = self.exit_by.is_some();
        let facts = |view: View<'_>| {
            let permission = match view.permission(now) {
                _ if is_stopping => Permission::None(StopReason::Passive),
                Some(lease::Permission::Shared { .. }) if is_clock_ahead => Permission::None(StopReason::ClockAhead),
                Some(lease::Permission::Shared { until }) => Permission::Shared { until },
                Some(lease::Permission::Active { until, epoch }) => Permission::Active { until, epoch },
                None => Permission::None(StopReason::Passive),
            };
            let facts = ClusterFacts {
                permission,
                lease: view.claim_lease,
                grace: view.config.timing.grace(),
            };
            (view.config.name.clone(), facts)
        };
        self.machine.views().map(facts).collect()
    }

    /// Reads the ticks in a task.
    pub(super) fn answer_ticks(&self, query: TicksQuery, replies: Sender<Response>) {
        let store = Arc::clone(&self.store);
        tokio::spawn(async move {
            let answer = match ticks::read(&store, &query).await {
                Ok(report) => Response::Ticks(report),
                Err(error) => not_read(&error),
            };
            send_answer(&replies, answer);
        });
    }

    /// Lets the task that compares the servers answer.
    pub(super) fn answer_drift(&self, only_user: Option<String>, replies: Sender<Response>) {
        let request = DriftRequest { only_user, replies };
        if let Err(TrySendError::Full(request) | TrySendError::Closed(request)) = self.drift_requests.try_send(request)
        {
            let message = "rcrond is too busy to compare the servers: try again".to_owned();
            send_answer(&request.replies, Response::Error { message });
        }
    }

    pub(super) fn reopen(
        &mut self,
        cluster: String,
        user: &str,
        job: &str,
        replies: Sender<Response>,
    ) -> Result<(), UnknownCluster> {
        let cluster = self.configured_clusters(&[cluster])?.remove(0);
        let job = JobKey::new(cluster, user, job);
        self.with_claims(|service, context| service.reopen(job, replies, context));
        Ok(())
    }
}

fn not_read(error: &store::Error) -> Response {
    Response::Error {
        message: format!("the store cannot be read: {error}"),
    }
}
