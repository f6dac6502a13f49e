//! All nodes of some clusters, according to the records in the store: read when an administrator asks for them.

use super::codec;
use super::node_info::{ClusterInfo, NodeInfo};
use super::node_list::NodeList;
use super::peer_reading::parse_date;
use super::time_limit::within;
use control::{ClusterReport, NodeReport, Role};
use lease::{ClusterRecord, SessionId, SessionState};
use policy::moment::WallTime;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use store::{Connection, Error, Store};

/// Less than rcronctl waits for its answer.
const LIMIT: Duration = Duration::from_secs(3);

/// How many nodes are read at once. What they have published may be long.
const NODES_AT_ONCE: usize = 50;
/// The highest number of parts that nodes take in clusters, all together. Further nodes are left out, because the report would be
/// too long.
const MAX_PARTS: usize = 20_000;

/// The records, by the names of their nodes and clusters.
pub(crate) struct ClusterOverview {
    nodes: BTreeMap<String, NodeInfo>,
    /// Some nodes were left out.
    pub(crate) is_cut: bool,
    sessions: BTreeMap<String, Session>,
    clusters: BTreeMap<String, ClusterRecord>,
}

struct Session {
    id: SessionId,
    is_open: bool,
    /// When it was renewed, by the node's own wall clock.
    renewed: Option<String>,
}

/// Reads the records that belong to these clusters.
///
/// # Errors
/// The store's, or that it has not answered in time.
pub(crate) async fn read(store: &Arc<dyn Store>, clusters: &[String]) -> Result<ClusterOverview, Error> {
    within(LIMIT, async {
        let mut connection = store.connect().await?;
        let mut names = read_names(&mut *connection).await?;
        let records = read_all(&mut *connection, clusters, codec::cluster, |value| {
            ClusterRecord::parse(value).ok()
        })
        .await?;
        let holders: Vec<_> = records.values().filter_map(ClusterRecord::holder).collect();
        names.extend(holders.iter().map(|holder| holder.node.as_str().to_owned()));
        let (nodes, is_cut) = read_nodes(&mut *connection, &names, clusters).await?;
        names.retain(|name| nodes.contains_key(name) || holders.iter().any(|holder| holder.node.as_str() == name));
        let names: Vec<String> = names.into_iter().collect();
        let sessions = read_all(&mut *connection, &names, codec::session, parse_session).await?;
        Ok(ClusterOverview {
            nodes,
            is_cut,
            sessions,
            clusters: records,
        })
    })
    .await
}

/// The names of all nodes that have published something.
async fn read_names(connection: &mut dyn Connection) -> Result<BTreeSet<String>, Error> {
    let list = NodeList::read(connection).await?;
    Ok(list.names().map(str::to_owned).collect())
}

/// The nodes that have one of these clusters in their configuration, and whether some were left out.
async fn read_nodes(
    connection: &mut dyn Connection,
    names: &BTreeSet<String>,
    clusters: &[String],
) -> Result<(BTreeMap<String, NodeInfo>, bool), Error> {
    let names: Vec<_> = names.iter().cloned().collect();
    let mut nodes = BTreeMap::new();
    let mut count = 0;
    for some in names.chunks(NODES_AT_ONCE) {
        let found = read_all(connection, some, codec::node_info, NodeInfo::parse).await?;
        for (node, mut info) in found {
            info.clusters.retain(|name, _| clusters.contains(name));
            count += info.clusters.len();
            if count > MAX_PARTS {
                return Ok((nodes, true));
            }
            if !info.clusters.is_empty() {
                nodes.insert(node, info);
            }
        }
    }
    Ok((nodes, false))
}

/// The records of these names, without those that are missing or cannot be parsed.
async fn read_all<T>(
    connection: &mut dyn Connection,
    names: &[String],
    key: impl Fn(&str) -> String,
    parse: impl Fn(&[u8]) -> Option<T>,
) -> Result<BTreeMap<String, T>, Error> {
    let keys: Vec<_> = names.iter().map(|name| key(name)).collect();
    let snapshot = connection.read(&keys).await?;
    let pairs = names.iter().zip(snapshot.items);
    let parsed = pairs.filter_map(|(name, item)| Some((name.clone(), parse(&item?.value)?)));
    Ok(parsed.collect())
}

fn parse_session(value: &[u8]) -> Option<Session> {
    let (record, renewed) = codec::dated_session(value)?;
    Some(Session {
        id: record.id,
        is_open: record.state == SessionState::Open,
        renewed,
    })
}

impl ClusterOverview {
    /// The nodes of one cluster, by name. A node is gone if its session was not renewed for `lease`. This, and how much is left
    /// of the holder's lease, is computed from the wall clocks of two nodes, so it is only about right.
    pub(crate) fn nodes(&self, cluster: &str, lease: Duration, now: WallTime) -> Vec<NodeReport> {
        let takes_part = |(_, info): &(&String, &NodeInfo)| info.clusters.contains_key(cluster);
        let mut names: BTreeSet<&str> = self
            .nodes
            .iter()
            .filter(takes_part)
            .map(|(name, _)| name.as_str())
            .collect();
        let holder = self.clusters.get(cluster).and_then(ClusterRecord::holder);
        names.extend(holder.map(|holder| holder.node.as_str()));
        names
            .into_iter()
            .map(|name| self.node(name, cluster, lease, now))
            .collect()
    }

    /// Sets who holds the cluster, by its record if there is one. After a drain, this node reads it again only after a while.
    pub(crate) fn refresh_holder(&self, report: &mut ClusterReport) {
        if let Some(record) = self.clusters.get(&report.name) {
            report.holder = record.holder().map(|holder| holder.node.as_str().to_owned());
            report.epoch = record.epoch;
        }
    }

    fn node(&self, name: &str, cluster: &str, lease: Duration, now: WallTime) -> NodeReport {
        let record = self.clusters.get(cluster);
        let session = self.sessions.get(name);
        let info = self.nodes.get(name);
        let part = info.and_then(|info| info.clusters.get(cluster));
        let age = session.and_then(|session| age(session.renewed.as_deref()?, now));
        let left = age.and_then(|age| lease.checked_sub(age));
        let holder = record.and_then(ClusterRecord::holder).filter(|holder| {
            holder.node.as_str() == name && session.is_some_and(|session| session.id == holder.session)
        });
        let is_alive = session.is_some_and(|session| session.is_open) && left.is_some();
        let own_priority = part.map(|part| part.priority);
        NodeReport {
            name: name.to_owned(),
            role: role(is_alive, part, holder.is_some()),
            priority: own_priority
                .or(holder.map(|holder| holder.priority))
                .unwrap_or_default(),
            epoch: holder.and(record).map(|record| record.epoch),
            lease_left_ms: left
                .filter(|_| holder.is_some())
                .map(|left| u64::try_from(left.as_millis()).unwrap_or(u64::MAX)),
            version: info.map(|info| info.version.clone()).unwrap_or_default(),
            last_seen: session.and_then(|session| session.renewed.clone()),
            drain: part.filter(|part| part.drained).and_then(|part| part.origin.clone()),
        }
    }
}

fn role(is_alive: bool, part: Option<&ClusterInfo>, is_holder: bool) -> Role {
    let is_drained = part.is_some_and(|part| part.drained);
    match (is_alive, is_holder, is_drained) {
        (false, _, _) => Role::Gone,
        (true, true, true) => Role::Draining,
        (true, true, false) => Role::Active,
        (true, false, true) => Role::Drained,
        (true, false, false) if part.is_some_and(|part| part.shared) => Role::Shared,
        (true, false, false) => Role::Standby,
    }
}

/// How long ago this was; zero if it is in the future, because clocks differ.
fn age(time: &str, now: WallTime) -> Option<Duration> {
    Some(now.0.saturating_sub(parse_date(time)?.0))
}
