//! The card: what other nodes may want to show of this one. For people; nothing is decided by it.

use super::asker::within;
use super::codec::CARDS;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use store::{Change, Error, Store};
use tokio::sync::watch::Receiver;

const LIMIT: Duration = Duration::from_secs(5);
const RETRY: Duration = Duration::from_secs(1);
const LONGEST_RETRY: Duration = Duration::from_secs(60);

/// What stands on it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Card {
    pub(crate) version: String,
    pub(crate) clusters: BTreeMap<String, Entry>,
}

/// A cluster's entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) priority: u32,
    #[serde(default)]
    pub(crate) drained: bool,
}

/// A card to publish.
#[derive(Clone)]
pub(crate) struct Issue {
    pub(crate) store: Arc<dyn Store>,
    /// `None`: not yet.
    pub(crate) card: Option<Card>,
}

/// The task: publishes each card, on a connection of its own, and tries again until it is done.
pub(crate) async fn run(node: String, mut issues: Receiver<Issue>) {
    let key = format!("{CARDS}{node}");
    loop {
        let issue = issues.borrow_and_update().clone();
        let mut pause = RETRY;
        if let Some(card) = issue.card {
            while within(LIMIT, publish(&issue.store, &key, &card)).await.is_err() {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_RETRY);
                if issues.has_changed().unwrap_or(true) {
                    break;
                }
            }
        }
        if issues.changed().await.is_err() {
            return;
        }
    }
}

async fn publish(store: &Arc<dyn Store>, key: &str, card: &Card) -> Result<(), Error> {
    let value = serde_json::to_vec(card).map_err(|error| Error::Local {
        act: "encode the record",
        cause: error.to_string(),
    })?;
    let change = Change {
        writes: vec![(key.to_owned(), value)],
        ..Change::default()
    };
    store.connect().await?.change(&change).await.map(drop)
}
