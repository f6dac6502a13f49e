//! What a node publishes in the store for the `rcronctl status` of other nodes. The lease does not depend on it.

use super::codec;
use super::node_list::NodeList;
use super::time_limit::within;
use control::DrainOrigin;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use store::{Change, Error, LONGEST_VALUE, Store, Verdict};
use tokio::sync::watch::Receiver;

const LIMIT: Duration = Duration::from_secs(5);
const MIN_PAUSE: Duration = Duration::from_secs(1);
const MAX_PAUSE: Duration = Duration::from_secs(60);
/// After this time, a publication is written again.
const REPEAT: Duration = Duration::from_secs(300);
/// In bytes. Versions of rcrond are shorter.
const LONGEST_VERSION: usize = 64;

/// The version of the record's format. From this one on, later versions of rcrond read the record, and ignore fields that they
/// do not know.
pub(super) const FORMAT: u32 = 1;

/// The record, in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NodeInfo {
    format: u32,
    /// rcrond's version.
    pub(crate) version: String,
    /// The clusters in the node's configuration, by name.
    pub(crate) clusters: BTreeMap<String, ClusterInfo>,
}

/// The node's part in a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ClusterInfo {
    pub(crate) priority: u32,
    /// Whether the cluster is drained on the node, or is being drained.
    #[serde(default)]
    pub(crate) drained: bool,
    /// Where the drain comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) origin: Option<DrainOrigin>,
    /// Whether the node shares the cluster with the others: `run_on = "any"`.
    #[serde(default)]
    pub(crate) shared: bool,
}

/// What the loop sends to the task: what to publish, and where.
#[derive(Clone)]
pub(crate) struct Publication {
    pub(crate) store: Arc<dyn Store>,
    /// `None` until the node has a session.
    pub(crate) info: Option<NodeInfo>,
}

impl NodeInfo {
    /// Of this process.
    pub(crate) fn new(clusters: BTreeMap<String, ClusterInfo>) -> Self {
        Self {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            clusters,
        }
    }

    /// Reads a record; `None` if another program or a later version with another format has written it.
    pub(super) fn parse(record: &[u8]) -> Option<Self> {
        let mut info: Self = serde_json::from_slice(record).ok()?;
        for cluster in info.clusters.values_mut() {
            cluster.origin = cluster.origin.take().filter(DrainOrigin::is_sane);
        }
        (info.format <= FORMAT && info.version.len() <= LONGEST_VERSION).then_some(info)
    }
}

/// The task: writes each publication on a connection of its own, and tries again until that succeeds. It writes it again from time to
/// time, because another program may have removed it.
pub(crate) async fn run(node: String, mut publications: Receiver<Publication>) {
    let mut is_reported = false;
    loop {
        let Publication { store, info } = publications.borrow_and_update().clone();
        let mut pause = MIN_PAUSE;
        if let Some(info) = info {
            while let Err(error) = within(LIMIT, publish(&store, &node, &info)).await {
                // An error of the store is reported by the machine, which uses it too.
                if matches!(error, Error::Local { .. }) && !std::mem::replace(&mut is_reported, true) {
                    log::warn!("`rcronctl status` on other nodes will not show this node: {error}");
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(MAX_PAUSE);
                if publications.has_changed().unwrap_or(true) {
                    break;
                }
            }
        }
        tokio::select! {
            changed = publications.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(REPEAT) => {}
        }
    }
}

/// Writes the info, and adds the node to the list of nodes if it is not there.
async fn publish(store: &Arc<dyn Store>, node: &str, info: &NodeInfo) -> Result<(), Error> {
    let value = serde_json::to_vec(info).map_err(|error| Error::Local {
        act: "encode the record",
        cause: error.to_string(),
    })?;
    let list = [codec::NODE_LIST.to_owned()];
    let mut connection = store.connect().await?;
    loop {
        let found = connection.read(&list).await?.items.pop().flatten();
        let (version, record) = found.map(|item| (item.version, item.value)).unzip();
        let mut change = Change {
            writes: vec![(codec::node_info(node), value.clone())],
            ..Change::default()
        };
        if let Some(record) = NodeList::parse(&record.unwrap_or_default()).with(node, LONGEST_VALUE) {
            change.conditions.push((codec::NODE_LIST.to_owned(), version));
            change.writes.push((codec::NODE_LIST.to_owned(), record));
        }
        // It is refused if another node has changed the list meanwhile.
        if connection.change(&change).await? == Verdict::Done {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_a_later_version_are_ignored_but_not_another_format() {
        let record = |format: u32| {
            format!(
                "{{\"format\":{format},\"version\":\"2.0\",\"more\":1,\"clusters\":{{\"web\":{{\"priority\":7,\"more\":1}}}}}}"
            )
        };
        let info = NodeInfo::parse(record(1).as_bytes()).expect("read");
        let expected = ClusterInfo {
            priority: 7,
            drained: false,
            origin: None,
            shared: false,
        };
        assert_eq!((&*info.version, &info.clusters["web"]), ("2.0", &expected));
        assert_eq!(NodeInfo::parse(record(2).as_bytes()), None);
        assert_eq!(NodeInfo::parse(b"{"), None);
    }

    fn origin(by: &str) -> DrainOrigin {
        DrainOrigin {
            since: "2026-12-01T03:12:00Z".to_owned(),
            by: by.to_owned(),
        }
    }

    #[test]
    fn an_origin_that_is_long_or_has_control_characters_is_dropped() {
        for by in ["x".repeat(161), "\u{1b}[2J".to_owned()] {
            let part = ClusterInfo {
                priority: 100,
                drained: true,
                origin: Some(origin(&by)),
                shared: false,
            };
            let info = NodeInfo::new(BTreeMap::from([("web".to_owned(), part)]));
            let read = NodeInfo::parse(&serde_json::to_vec(&info).expect("JSON")).expect("the rest");
            let part = &read.clusters["web"];
            assert_eq!((part.drained, &part.origin), (true, &None));
        }
    }

    #[test]
    fn what_is_published_is_read() {
        let part = ClusterInfo {
            priority: 100,
            drained: true,
            origin: Some(origin("root (login anna)")),
            shared: true,
        };
        let info = NodeInfo::new(BTreeMap::from([("ü b".to_owned(), part)]));
        let record = serde_json::to_vec(&info).expect("JSON");
        assert_eq!(NodeInfo::parse(&record), Some(info));
    }
}
