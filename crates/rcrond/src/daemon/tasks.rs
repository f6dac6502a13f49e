//! Starts the tasks around the loop.

use crate::api::metrics::{self, Metrics};
use crate::api::{PendingRequest, socket};
use crate::config::Config;
use crate::event::EventSender;
use crate::store_tasks::client::{StoreClient, StoreRequest};
use crate::store_tasks::node_info::{self, Publication};
use crate::store_tasks::watcher::{self, WatchSpec};
use std::sync::Arc;
use store::Store;
use tokio::sync::mpsc::{self, Receiver, UnboundedSender};
use tokio::sync::watch;

/// How many requests of clients may wait for the loop. Further ones wait in their connections.
const MAX_REQUESTS: usize = 32;

/// The loop's ends of the channels to the tasks of the store. A task ends when its sender is dropped.
pub(super) struct Senders {
    pub(super) store_requests: UnboundedSender<StoreRequest>,
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
        config.node.clone(),
        Arc::clone(store),
        events.clone(),
        Arc::clone(metrics),
    );
    tokio::spawn(client.run(received));
    let (watch_specs, specs) = watch::channel(WatchSpec {
        store: Arc::clone(store),
        keys: Vec::new(),
    });
    tokio::spawn(watcher::run(specs, events.clone()));
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
