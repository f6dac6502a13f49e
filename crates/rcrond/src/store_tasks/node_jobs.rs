//! Publishes this server's record for the others, and reads what the other nodes have published, with their sessions, for the ranks.
//! On connections of their own: neither the leases nor the claims wait for this.

use super::codec;
use super::node_list::NodeList;
use super::peer_reading::{WallClock, connect, session_seen};
use super::time_limit::within;
use crate::claims::{ClaimsEvent, PeerHistory};
use crate::drift::NodeJobs;
use crate::event::{Event, EventSender};
use crate::session_seen::SessionSeen;
use claims::JobKey;
use inputs::clock;
use lease::{ClusterName, NodeName};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use store::{Change, Connection, Error, Store};
use tokio::sync::watch::Receiver;

/// For all calls of one round.
const LIMIT: Duration = Duration::from_secs(5);
/// Between two writes of this node's record.
const WRITE_PAUSE: Duration = Duration::from_secs(30);
/// After this time it is written again, because another program may have removed it.
const REPEAT: Duration = Duration::from_secs(300);
/// Between two reads of the sessions: a difference of clocks is known only up to this time.
const READ_PAUSE: Duration = Duration::from_secs(5);
/// The jobs are read less often: in each so many-th round.
const JOBS_EVERY: u32 = 6;
/// How many records of jobs are read at once. Each may be 64 KiB long.
const NODES_AT_ONCE: usize = 20;
/// How many nodes may share jobs.
const MOST_NODES: usize = 500;

/// What the loop sends to the tasks.
#[derive(Clone)]
pub(crate) struct JobsSpec {
    pub(crate) store: Arc<dyn Store>,
    /// What this node publishes; `None` until its crontabs were read and it has a session.
    pub(crate) own: Option<Arc<NodeJobs>>,
    /// Whether this node needs to know the others: it has jobs with `once_per_tick`.
    pub(crate) needs_peers: bool,
    /// The clusters that this node serves.
    pub(crate) clusters: Vec<ClusterName>,
    pub(crate) max_skew: Duration,
}

/// The key of a node's jobs.
pub(super) fn key(node: &str) -> String {
    format!("node-jobs/{node}")
}

/// The task that publishes. It ends when the loop has dropped its sender.
pub(crate) async fn publish(node: NodeName, mut specs: Receiver<JobsSpec>) {
    let mut written: Option<Arc<NodeJobs>> = None;
    loop {
        let JobsSpec { store, own, .. } = specs.borrow_and_update().clone();
        let is_new = own.as_ref().is_some_and(|own| written.as_ref() != Some(own));
        if let (Some(own), true) = (own, is_new) {
            let change = Change {
                writes: vec![(key(node.as_str()), own.to_json())],
                ..Change::default()
            };
            let write = async { store.connect().await?.change(&change).await };
            // An error of the store is reported by the machines, which use it too.
            written = within(LIMIT, write).await.ok().map(|_| own);
            tokio::time::sleep(WRITE_PAUSE).await;
            if written.is_none() {
                continue;
            }
        }
        tokio::select! {
            changed = specs.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(REPEAT) => written = None,
        }
    }
}

/// The task that reads the others. It ends when the loop has dropped its sender.
pub(crate) async fn read_peers(node: NodeName, mut specs: Receiver<JobsSpec>, events: EventSender) {
    let mut reader = Reader {
        node,
        connection: None,
        history: PeerHistory::default(),
        jobs: BTreeMap::new(),
        round: 0,
        wall_clock: WallClock::default(),
    };
    loop {
        let spec = specs.borrow_and_update().clone();
        if !spec.needs_peers {
            reader.connection = None;
            if specs.changed().await.is_err() {
                return;
            }
            continue;
        }
        reader.take_round(&spec.store, &events).await;
        tokio::select! {
            changed = specs.changed() => {
                if changed.is_err() {
                    return;
                }
                // Perhaps another store.
                reader.connection = None;
            }
            () = tokio::time::sleep(READ_PAUSE) => {}
        }
    }
}

struct Reader {
    node: NodeName,
    connection: Option<Box<dyn Connection>>,
    history: PeerHistory,
    /// As last read.
    jobs: BTreeMap<NodeName, Arc<BTreeSet<JobKey>>>,
    round: u32,
    wall_clock: WallClock,
}

impl Reader {
    async fn take_round(&mut self, store: &Arc<dyn Store>, events: &EventSender) {
        let (begun, was_set) = self.wall_clock.begin_read();
        if was_set {
            self.history.clock_was_set();
        }
        let mut connection = self.connection.take();
        let read = within(LIMIT, async { self.read(connect(&mut connection, store).await?).await });
        // Without an answer, what was known becomes old by itself.
        if let Ok(sessions) = read.await {
            self.connection = connection;
            let peers = self.history.take(&sessions, &self.jobs, begun, clock::boot_time());
            events.send(Event::Claims(ClaimsEvent::PeersRead(Arc::new(peers))));
        }
    }

    async fn read(&mut self, connection: &mut dyn Connection) -> Result<BTreeMap<NodeName, SessionSeen>, Error> {
        let list = NodeList::read(connection).await?;
        let names = list.names().filter_map(NodeName::new);
        let nodes: Vec<_> = names.filter(|node| *node != self.node).take(MOST_NODES).collect();
        let keys: Vec<_> = nodes.iter().map(|node| codec::session(node.as_str())).collect();
        let snapshot = connection.read(&keys).await?;
        let pairs = nodes.iter().zip(snapshot.items);
        let session = |(node, item): (&NodeName, Option<store::Item>)| Some((node.clone(), session_seen(&item?)?));
        let sessions: BTreeMap<_, _> = pairs.filter_map(session).collect();
        if self.round % JOBS_EVERY == 0 {
            self.jobs = read_jobs(connection, &nodes).await?;
        }
        self.round = self.round.wrapping_add(1);
        Ok(sessions)
    }
}

async fn read_jobs(
    connection: &mut dyn Connection,
    nodes: &[NodeName],
) -> Result<BTreeMap<NodeName, Arc<BTreeSet<JobKey>>>, Error> {
    let mut jobs = BTreeMap::new();
    for some in nodes.chunks(NODES_AT_ONCE) {
        let keys: Vec<_> = some.iter().map(|node| key(node.as_str())).collect();
        let snapshot = connection.read(&keys).await?;
        for (node, item) in some.iter().zip(snapshot.items) {
            if let Some(published) = item.and_then(|item| NodeJobs::parse(&item.value)) {
                jobs.insert(node.clone(), Arc::new(published.once_per_tick()));
            }
        }
    }
    Ok(jobs)
}
