//! Compares the servers: reads what each has published, once a minute and when an administrator asks. On a connection of its own.

use super::codec;
use super::node_info::NodeInfo;
use super::node_jobs::{JobsSpec, key};
use super::node_list::NodeList;
use super::peer_reading::{WallClock, connect, session_seen};
use super::time_limit::within;
use crate::api::metrics::Metrics;
use crate::drift::{Change, Clock, Counts, History, Node, NodeJobs, Published, SteadyDrift, compare};
use crate::session_seen::SessionSeen;
use control::{DriftReport, Response};
use inputs::clock;
use lease::NodeName;
use policy::moment::WallTime;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use store::{Connection, Error, Item, Store};
use tokio::sync::mpsc::{Receiver, Sender};
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep_until};

/// For all calls of one read. Less than rcronctl waits for its answer.
const LIMIT: Duration = Duration::from_secs(3);
/// Between two reads of the records.
const PERIOD: Duration = Duration::from_secs(60);
/// So long before a read of the records, the sessions are read: a renewal between the two shows how far a clock is off.
const SESSIONS_BEFORE: Duration = Duration::from_secs(5);
/// What was read is used for so long, so that users who ask in a loop cost the store little.
const FRESH: Duration = Duration::from_secs(1);
/// How many nodes are compared, and how long their records may be together, in bytes.
const MOST_NODES: usize = 100;
const MOST_BYTES: usize = 2 << 20;
/// How many nodes are read at once. Each may have a record of 64 KiB.
const NODES_AT_ONCE: usize = 20;
/// After this time without an answer of the store, the number of differences is not known.
const KNOWN_FOR: Duration = Duration::from_secs(300);

/// A client that asks for the differences.
pub(crate) struct DriftRequest {
    /// The user whose jobs the client may see; `None` for all.
    pub(crate) only_user: Option<String>,
    pub(crate) replies: Sender<Response>,
}

/// The task. It ends when the loop has dropped its sender of specs.
pub(crate) async fn run(
    node: NodeName,
    mut specs: watch::Receiver<JobsSpec>,
    mut requests: Receiver<DriftRequest>,
    metrics: Arc<Metrics>,
) {
    let mut reader = Reader::new(node, metrics);
    let (mut next, mut is_sessions_turn) = (Instant::now(), false);
    loop {
        let spec = specs.borrow_and_update().clone();
        let is_ready = spec.own.is_some();
        tokio::select! {
            changed = specs.changed() => {
                if changed.is_err() {
                    return;
                }
                // Perhaps another store, or another record of this server.
                reader.forget();
            }
            Some(request) = requests.recv() => reader.answer(request, &spec).await,
            () = sleep_until(next), if is_ready => {
                if is_sessions_turn {
                    reader.read_sessions(&spec.store).await;
                    next = Instant::now() + SESSIONS_BEFORE;
                } else {
                    reader.take_round(&spec).await;
                    next = Instant::now() + PERIOD.saturating_sub(SESSIONS_BEFORE);
                }
                is_sessions_turn = !is_sessions_turn;
            }
        }
    }
}

struct Reader {
    node: NodeName,
    metrics: Arc<Metrics>,
    connection: Option<Box<dyn Connection>>,
    history: History,
    steady: SteadyDrift,
    wall_clock: WallClock,
    /// What was read last.
    last: Option<(Instant, Arc<Site>)>,
}

/// All nodes, as they were read together.
struct Site {
    nodes: Vec<Node>,
    /// How many nodes there are in the store's list and this one.
    listed: usize,
    /// How many of them were left out.
    unread: usize,
}

/// The records of one node.
struct Records {
    node: String,
    session: Option<Item>,
    info: Option<Item>,
    jobs: Option<Item>,
}

/// The same, parsed.
struct Parsed {
    name: String,
    session: Option<SessionSeen>,
    clusters: BTreeSet<String>,
    published: Published,
}

impl Parsed {
    /// `None` if the node has published nothing at all.
    fn new(records: Records) -> Option<Self> {
        let info = records.info.and_then(|item| NodeInfo::parse(&item.value));
        let published = match records.jobs.map(|item| NodeJobs::parse(&item.value)) {
            Some(Some(jobs)) => Published::Record(Arc::new(jobs)),
            Some(None) => Published::Unreadable,
            None if info.is_none() => return None,
            None => Published::Nothing,
        };
        Some(Self {
            name: records.node,
            session: records.session.as_ref().and_then(session_seen),
            clusters: info.map(|info| info.clusters.into_keys().collect()).unwrap_or_default(),
            published,
        })
    }
}

impl Reader {
    fn new(node: NodeName, metrics: Arc<Metrics>) -> Self {
        Self {
            node,
            metrics,
            connection: None,
            history: History::default(),
            steady: SteadyDrift::default(),
            wall_clock: WallClock::default(),
            last: None,
        }
    }

    fn forget(&mut self) {
        self.connection = None;
        self.last = None;
    }

    async fn answer(&mut self, request: DriftRequest, spec: &JobsSpec) {
        let answer = match self.read_for(spec).await {
            Ok(site) => Response::Drift(compare_all(spec, site, request.only_user).await),
            Err(message) => Response::Error { message },
        };
        // The client may have gone.
        let _ = request.replies.try_send(answer);
    }

    async fn read_for(&mut self, spec: &JobsSpec) -> Result<Arc<Site>, String> {
        if spec.own.is_none() {
            let what =
                "the servers cannot be compared yet: rcrond has no session in its store, or has not read the crontabs";
            return Err(what.to_owned());
        }
        if let Some((_, site)) = self.last.as_ref().filter(|(at, _)| at.elapsed() < FRESH) {
            return Ok(Arc::clone(site));
        }
        let site = self.read(spec).await;
        site.map_err(|error| format!("the store cannot be read: {error}"))
    }

    /// The periodic comparison.
    async fn take_round(&mut self, spec: &JobsSpec) {
        let Ok(site) = self.read(spec).await else {
            // An error of the store is reported by the machines, which use it too.
            if self.last.as_ref().is_none_or(|(at, _)| at.elapsed() > KNOWN_FOR) {
                self.metrics.set_drift(&Counts::new());
            }
            return;
        };
        let report = compare_all(spec, site, None).await;
        let now = clock::boot_time();
        let counts = self.steady.take(&report, now);
        self.metrics.set_drift(&counts);
        for change in self.steady.changes(&counts, now) {
            log_change(&change);
        }
    }

    /// Reads all records.
    async fn read(&mut self, spec: &JobsSpec) -> Result<Arc<Site>, Error> {
        let (begun, own) = (self.begin(), self.node.clone());
        let mut connection = self.connection.take();
        let (records, others) = within(LIMIT, async {
            let connection = connect(&mut connection, &spec.store).await?;
            let (nodes, others) = other_nodes(connection, &own).await?;
            Ok((read_records(connection, &nodes).await?, others))
        })
        .await?;
        self.connection = connection;
        let (listed, unread) = (others + 1, others - records.len());
        // In a thread: long records take longer than the leases can wait.
        let parsed = spawn_blocking(move || records.into_iter().filter_map(Parsed::new).collect());
        let parsed: Vec<Parsed> = parsed.await.unwrap_or_default();
        let sessions = parsed
            .iter()
            .filter_map(|node| Some((node.name.clone(), node.session?)));
        self.take_sessions(&sessions.collect(), begun);
        let others = parsed.into_iter().map(|node| self.node(node, spec.max_skew));
        let mut nodes: Vec<Node> = others.chain(self.own_node(spec)).collect();
        nodes.sort_by(|one, other| one.name.cmp(&other.name));
        let site = Arc::new(Site { nodes, listed, unread });
        self.last = Some((Instant::now(), Arc::clone(&site)));
        Ok(site)
    }

    /// Reads only the sessions. Without an answer, what was known becomes old by itself.
    async fn read_sessions(&mut self, store: &Arc<dyn Store>) {
        let (begun, own) = (self.begin(), self.node.clone());
        let mut connection = self.connection.take();
        let read = within(LIMIT, async {
            let connection = connect(&mut connection, store).await?;
            let (nodes, _) = other_nodes(connection, &own).await?;
            let keys: Vec<_> = nodes.iter().map(|node| codec::session(node)).collect();
            let items = connection.read(&keys).await?.items;
            Ok((nodes, items))
        });
        if let Ok((nodes, items)) = read.await {
            self.connection = connection;
            let pairs = nodes.into_iter().zip(items);
            let sessions = pairs.filter_map(|(node, item)| Some((node, session_seen(&item?)?)));
            self.take_sessions(&sessions.collect(), begun);
        }
    }

    /// Before a read.
    fn begin(&mut self) -> WallTime {
        let (begun, was_set) = self.wall_clock.begin_read();
        if was_set {
            self.history.clock_was_set();
        }
        begun
    }

    fn take_sessions(&mut self, sessions: &BTreeMap<String, SessionSeen>, begun: WallTime) {
        self.history
            .take(sessions, (begun, clock::wall_time()), clock::boot_time());
    }

    fn node(&self, parsed: Parsed, max_skew: Duration) -> Node {
        let clock = self.history.clock(&parsed.name);
        Node {
            is_silent: self.history.is_silent(&parsed.name, clock::boot_time()),
            clock_ahead: clock.and_then(|clock: Clock| clock.ahead(max_skew)),
            clusters: parsed.clusters,
            name: parsed.name,
            published: parsed.published,
        }
    }

    fn own_node(&self, spec: &JobsSpec) -> Option<Node> {
        Some(Node {
            name: self.node.as_str().to_owned(),
            is_silent: false,
            clock_ahead: Some(0),
            clusters: BTreeSet::new(),
            published: Published::Record(Arc::clone(spec.own.as_ref()?)),
        })
    }
}

/// The other nodes, and how many there are: if there are too many, only those whose sessions were renewed last.
async fn other_nodes(connection: &mut dyn Connection, own: &NodeName) -> Result<(Vec<String>, usize), Error> {
    let list = NodeList::read(connection).await?;
    let others = list.names().filter(|name| *name != own.as_str());
    let others: Vec<String> = others.map(str::to_owned).collect();
    let count = others.len();
    if count <= MOST_NODES {
        return Ok((others, count));
    }
    // Servers that are gone for good stay in the list.
    let keys: Vec<_> = others.iter().map(|node| codec::session(node)).collect();
    let sessions = connection.read(&keys).await?.items;
    let dates = sessions.iter().map(|item| item.as_ref().and_then(session_seen)?.date);
    let mut newest: Vec<_> = dates.map(Reverse).zip(others).collect();
    newest.sort();
    let newest = newest.into_iter().take(MOST_NODES);
    Ok((newest.map(|(_, node)| node).collect(), count))
}

/// The records of the first nodes, as far as they are not too long together.
async fn read_records(connection: &mut dyn Connection, nodes: &[String]) -> Result<Vec<Records>, Error> {
    let (mut records, mut bytes) = (Vec::new(), 0);
    for some in nodes.chunks(NODES_AT_ONCE) {
        let sessions = some.iter().map(|node| codec::session(node));
        let infos = some.iter().map(|node| codec::node_info(node));
        let keys: Vec<_> = sessions.chain(infos).chain(some.iter().map(|node| key(node))).collect();
        let mut items = connection.read(&keys).await?.items.into_iter();
        let sessions: Vec<_> = items.by_ref().take(some.len()).collect();
        let infos: Vec<_> = items.by_ref().take(some.len()).collect();
        for (((node, session), info), jobs) in some.iter().zip(sessions).zip(infos).zip(items) {
            bytes += jobs.as_ref().map_or(0, |item| item.value.len());
            if bytes > MOST_BYTES {
                return Ok(records);
            }
            records.push(Records {
                node: node.clone(),
                session,
                info,
                jobs,
            });
        }
    }
    Ok(records)
}

/// In a thread: with many jobs it takes longer than the leases can wait.
async fn compare_all(spec: &JobsSpec, site: Arc<Site>, only_user: Option<String>) -> DriftReport {
    let clusters: Vec<_> = spec
        .clusters
        .iter()
        .map(|cluster| cluster.as_str().to_owned())
        .collect();
    let max_skew = spec.max_skew;
    let compared = spawn_blocking(move || {
        let mut report = compare(&clusters, &site.nodes, max_skew, only_user.as_deref());
        (report.nodes, report.unread) = (site.listed, site.unread);
        report
    });
    compared.await.unwrap_or_default()
}

fn log_change(change: &Change) {
    match change {
        Change::Begun(cluster, count) => {
            let differences = if *count == 1 {
                "1 difference"
            } else {
                &format!("{count} differences")
            };
            log::warn!("cluster {cluster}: {differences} between the servers; `rcronctl check` lists them");
        }
        Change::Ended(cluster) => log::info!("cluster {cluster}: the servers do not differ any more"),
    }
}
