//! Starts the tasks around the loop.

use crate::api::metrics::{self, JobMetrics, Metrics};
use crate::api::{PendingRequest, socket};
use crate::claims::{self, ClaimsEvent, ClientEvent, ClientNumbers, StateFiles};
use crate::config::Config;
use crate::event::{Event, EventSender};
use crate::store_tasks::claims_codec::ClaimsCodec;
use crate::store_tasks::client::{StoreClient, StoreRequest};
use crate::store_tasks::codec::LeaseCodec;
use crate::store_tasks::drift::{self, DriftRequest};
use crate::store_tasks::node_info::{self, Publication};
use crate::store_tasks::node_jobs::{self, JobsSpec};
use crate::store_tasks::watcher::{self, WatchReport, WatchSpec};
use std::io;
use std::sync::Arc;
use store::Store;
use tokio::sync::mpsc::{self, Receiver, UnboundedSender};
use tokio::sync::{Notify, watch};

/// How many requests of clients may wait for the loop. Further ones wait in their connections.
const MAX_REQUESTS: usize = 32;
/// The same for messages of rcrons.
const MAX_CLAIMS: usize = 128;

/// The loop's ends of the channels to the tasks of the store. A task ends when its sender is dropped.
pub(super) struct Senders {
    pub(super) store_requests: UnboundedSender<StoreRequest<LeaseCodec>>,
    pub(super) watch_specs: watch::Sender<WatchSpec>,
    pub(super) publications: watch::Sender<Publication>,
}

/// Starts the tasks that use the store.
pub(super) fn start_store_tasks(
    config: &Config,
    store: &Arc<dyn Store>,
    events: &EventSender,
    metrics: &Arc<Metrics>,
) -> Senders {
    let (store_requests, received) = mpsc::unbounded_channel();
    let client = StoreClient::new(
        LeaseCodec::new(config.node.clone()),
        Arc::clone(store),
        events.clone(),
        Arc::clone(metrics),
    );
    tokio::spawn(client.run(received));
    let (watch_specs, specs) = watch::channel(WatchSpec {
        store: Arc::clone(store),
        keys: Vec::new(),
    });
    let sender = events.clone();
    tokio::spawn(watcher::run(specs, move |report| {
        sender.send(match report {
            WatchReport::Changed => Event::RecordsChanged,
            WatchReport::Watching(result) => Event::Watching(result),
        });
    }));
    let (publications, received) = watch::channel(Publication {
        store: Arc::clone(store),
        info: None,
    });
    tokio::spawn(node_info::run(config.node.as_str().to_owned(), received));
    Senders {
        store_requests,
        watch_specs,
        publications,
    }
}

/// The metrics at zero, with those of jobs if they are served.
pub(super) fn start_metrics(config: &Config) -> io::Result<Metrics> {
    let mut metrics = Metrics::new();
    if config.metrics.is_some() && config.job_metrics {
        let missed = metrics.claims.missed_of_jobs.clone();
        metrics.jobs = Some(JobMetrics::start(&config.clusters, missed)?);
    }
    Ok(metrics)
}

/// Starts the socket and, if they are configured, the metrics. Both send requests to the loop.
pub(super) fn start_servers(
    config: &Config,
    metrics: &Arc<Metrics>,
) -> Result<Receiver<PendingRequest>, socket::ListenError> {
    let (sender, requests) = mpsc::channel(MAX_REQUESTS);
    let listener = socket::listen(&config.socket)?;
    if let Some(address) = config.metrics {
        let (metrics, sender) = (Arc::clone(metrics), sender.clone());
        // The address may be in use or not exist yet. The daemon does its work anyway.
        tokio::spawn(async move {
            let listener = metrics::listen(address).await;
            metrics::serve(metrics::LIMITS, listener, metrics, sender).await;
        });
    }
    tokio::spawn(socket::serve(listener, sender));
    Ok(requests)
}

/// Starts the tasks that use the store for claims, and the one that compares the servers.
pub(super) fn start_claims_tasks(
    config: &Config,
    store: &Arc<dyn Store>,
    events: &EventSender,
    metrics: &Arc<Metrics>,
) -> (claims::Senders, mpsc::Sender<DriftRequest>) {
    let (store_requests, received) = mpsc::unbounded_channel();
    let (own_store, own_events) = (Arc::clone(store), events.clone());
    let client = StoreClient::new(ClaimsCodec::default(), own_store, own_events, Arc::clone(metrics));
    tokio::spawn(client.run(received));
    let (watch_specs, specs) = watch::channel(WatchSpec {
        store: Arc::clone(store),
        keys: Vec::new(),
    });
    let sender = events.clone();
    tokio::spawn(watcher::run(specs, move |report| {
        sender.send(Event::Claims(match report {
            WatchReport::Changed => ClaimsEvent::RecordsChanged,
            WatchReport::Watching(result) => ClaimsEvent::Watching(result.is_ok()),
        }));
    }));
    let (jobs_specs, specs) = watch::channel(JobsSpec {
        store: Arc::clone(store),
        own: None,
        needs_peers: false,
        clusters: Vec::new(),
        max_skew: config.max_skew,
    });
    let (drift_requests, received) = mpsc::channel(MAX_REQUESTS);
    tokio::spawn(drift::run(
        config.node.clone(),
        specs.clone(),
        received,
        Arc::clone(metrics),
    ));
    tokio::spawn(node_jobs::publish(config.node.clone(), specs.clone()));
    tokio::spawn(node_jobs::read_peers(config.node.clone(), specs, events.clone()));
    let senders = claims::Senders {
        store_requests,
        watch_specs,
        jobs_specs,
    };
    (senders, drift_requests)
}

/// The socket for claims.
pub(super) struct ClaimsSocket {
    pub(super) events: Receiver<ClientEvent>,
    /// Which cluster a claim is for.
    pub(super) clusters: Arc<StateFiles>,
    pub(super) numbers: Arc<ClientNumbers>,
    /// Ends the listener. The connections stay.
    pub(super) stop: Arc<Notify>,
}

/// Starts the socket for claims.
pub(super) fn start_claims_socket(config: &Config) -> Result<ClaimsSocket, socket::ListenError> {
    let listener = socket::listen(&config.claims_socket)?;
    let most = claims::raise_descriptor_limit();
    let (sender, events) = mpsc::channel(MAX_CLAIMS);
    let clusters = Arc::new(StateFiles::default());
    clusters.set(&config.clusters);
    let (numbers, stop) = (Arc::new(ClientNumbers::default()), Arc::new(Notify::new()));
    let server = claims::serve(
        listener,
        Arc::clone(&stop),
        most,
        sender,
        Arc::clone(&clusters),
        Arc::clone(&numbers),
    );
    tokio::spawn(server);
    Ok(ClaimsSocket {
        events,
        clusters,
        numbers,
        stop,
    })
}
