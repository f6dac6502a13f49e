//! All nodes of some clusters, as the store has them: for people, when they ask.

use super::asker::within;
use super::card::Card;
use super::codec::{self, CARDS};
use control::{NodeReport, Role};
use lease::{ClusterRecord, SessionId, SessionState};
use policy::moment::WallTime;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use store::{Connection, Error, Store};

/// Less than rcronctl waits.
const LIMIT: Duration = Duration::from_secs(3);

/// What was found.
pub(crate) struct Survey {
    cards: BTreeMap<String, Card>,
    sessions: BTreeMap<String, Session>,
    clusters: BTreeMap<String, ClusterRecord>,
}

struct Session {
    id: SessionId,
    open: bool,
    at: Option<String>,
}

/// Looks at these clusters.
///
/// # Errors
/// Why there is no answer.
pub(crate) async fn take(store: &Arc<dyn Store>, clusters: &[String]) -> Result<Survey, Error> {
    within(LIMIT, async {
        let mut connection = store.connect().await?;
        let mut survey = Survey {
            cards: cards(&mut *connection, clusters).await?,
            sessions: BTreeMap::new(),
            clusters: BTreeMap::new(),
        };
        survey.read_clusters(&mut *connection, clusters).await?;
        survey.read_sessions(&mut *connection).await?;
        Ok(survey)
    })
    .await
}

/// The cards of nodes that take part in one of these clusters. One that cannot be read is another version's.
async fn cards(connection: &mut dyn Connection, clusters: &[String]) -> Result<BTreeMap<String, Card>, Error> {
    let list = connection.list(CARDS).await?;
    let read = list.into_iter().filter_map(|(key, item)| {
        let card: Card = serde_json::from_slice(&item.value).ok()?;
        let concerned = clusters.iter().any(|name| card.clusters.contains_key(name));
        let node = key.strip_prefix(CARDS)?.to_owned();
        concerned.then_some((node, card))
    });
    Ok(read.collect())
}

impl Survey {
    async fn read_clusters(&mut self, connection: &mut dyn Connection, names: &[String]) -> Result<(), Error> {
        let keys: Vec<_> = names.iter().map(|name| codec::cluster(name)).collect();
        let snapshot = connection.read(&keys).await?;
        for (name, item) in names.iter().zip(snapshot.items) {
            let record = item.and_then(|item| ClusterRecord::parse(&item.value).ok());
            if let Some(record) = record {
                self.clusters.insert(name.clone(), record);
            }
        }
        Ok(())
    }

    async fn read_sessions(&mut self, connection: &mut dyn Connection) -> Result<(), Error> {
        let holders = self.clusters.values().filter_map(ClusterRecord::holder);
        let holders = holders.map(|by| by.node.as_str().to_owned());
        let mut nodes: Vec<String> = self.cards.keys().cloned().chain(holders).collect();
        nodes.sort();
        nodes.dedup();
        let keys: Vec<_> = nodes.iter().map(|node| codec::session(node)).collect();
        let snapshot = connection.read(&keys).await?;
        for (node, item) in nodes.into_iter().zip(snapshot.items) {
            let session = item
                .and_then(|item| codec::dated_session(&item.value))
                .map(|(record, at)| Session {
                    id: record.id,
                    open: record.state == SessionState::Open,
                    at,
                });
            if let Some(session) = session {
                self.sessions.insert(node, session);
            }
        }
        Ok(())
    }

    /// The nodes of one cluster, by name. `lease` and the wall clocks tell who is not heard of any more, and about how much is left to
    /// the holder: good enough for people.
    pub(crate) fn nodes(&self, cluster: &str, lease: Duration, now: WallTime) -> Vec<NodeReport> {
        let record = self.clusters.get(cluster);
        let holder = record.and_then(ClusterRecord::holder);
        let mut names: Vec<&str> = self
            .cards
            .iter()
            .filter(|(_, card)| card.clusters.contains_key(cluster))
            .map(|(name, _)| name.as_str())
            .collect();
        names.extend(holder.map(|by| by.node.as_str()));
        names.sort_unstable();
        names.dedup();
        let report = |name: &str| {
            let session = self.sessions.get(name);
            let age = session.and_then(|session| age(session.at.as_deref()?, now));
            let left = age.and_then(|age| lease.checked_sub(age));
            let card = self.cards.get(name);
            let entry = card.and_then(|card| card.clusters.get(cluster));
            let holds =
                holder.filter(|by| by.node.as_str() == name && session.is_some_and(|session| session.id == by.session));
            let alive = session.is_some_and(|session| session.open) && left.is_some();
            NodeReport {
                name: name.to_owned(),
                role: role(alive, entry.is_some_and(|entry| entry.drained), holds.is_some()),
                priority: entry
                    .map(|entry| entry.priority)
                    .or(holds.map(|by| by.priority))
                    .unwrap_or_default(),
                epoch: holds.and(record).map(|record| record.epoch),
                lease_left_ms: left
                    .filter(|_| holds.is_some())
                    .map(|left| u64::try_from(left.as_millis()).unwrap_or(u64::MAX)),
                version: card.map(|card| card.version.clone()).unwrap_or_default(),
                last_seen: session.and_then(|session| session.at.clone()),
            }
        };
        names.into_iter().map(report).collect()
    }
}

fn role(alive: bool, drained: bool, holds: bool) -> Role {
    match (alive, holds, drained) {
        (false, _, _) => Role::Gone,
        (true, true, true) => Role::Draining,
        (true, true, false) => Role::Active,
        (true, false, true) => Role::Drained,
        (true, false, false) => Role::Standby,
    }
}

/// How long ago that was; nothing if it is in the future, for clocks differ.
fn age(at: &str, now: WallTime) -> Option<Duration> {
    let at: jiff::Timestamp = at.parse().ok()?;
    let at = Duration::try_from(at.as_duration()).ok()?;
    Some(now.0.saturating_sub(at))
}
