//! What the machine has to say, in an administrator's words.

use lease::{ClusterName, Loss, NodeName, Notice};
use log::Level;

// What `MESSAGE_ID=` finds in the journal, for ever: packaging/catalog/rcrond.catalog explains each.
const SESSION_OPENED: &str = "51fdb9bb501c491fb70eca8cfeae044e";
const SESSION_LOST: &str = "6f74bf38272f46c19994ad87ebb6704a";
const NAME_TAKEN: &str = "af8768ce09804a50861ed9441126c87b";
const STORE_SILENT: &str = "22e0fdc0358f4c5ca7d07e9e0665abb2";
const STORE_BACK: &str = "edb56d0d63614a998c563313e26f26f8";
const NEW_INCARNATION: &str = "fe2c9a1cbba94d4d938a8725e5792b9c";
const WON: &str = "8e169e1f842f408db5167a3e44b2338d";
const RELEASED: &str = "8a7aec6e1ee44c8dab8fe9131215821d";
const LOST: &str = "060d25ac1151436d9bad5b1f6baaae19";
const LEASE_OVER: &str = "9670cf429ac644c5b55d0b8be981bee4";
const OUTRUN: &str = "4c0f9e386fbb4b9aa456b3197dec4bac";
const ASKED: &str = "137c62db63e44947955162cd0085fcb0";
const HANDING_OVER: &str = "b6364644b82944b48c9d6c7f11f207d1";
const UNWRITABLE: &str = "4235a83a47bc41e2b83d528dda22a9f8";
const NO_EPOCH: &str = "26538f9ee0074453b192a7a461c808a8";
const UNREADABLE: &str = "a8c89e1c9141449d8e386179f52820f0";

/// An event for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Event {
    /// Its kind: 32 hexadecimal digits.
    pub(super) id: &'static str,
    pub(super) level: Level,
    pub(super) text: String,
    /// journald's, `MESSAGE_ID` too.
    pub(super) fields: Vec<(&'static str, String)>,
    /// Told at each attempt, as long as the fault lasts.
    pub(super) repeats: bool,
}

impl Event {
    /// The event in words; `detail` is its cause, where one is known.
    pub(super) fn new(tell: &Notice, detail: Option<&str>) -> Self {
        let cause = detail.map(|detail| format!(": {detail}")).unwrap_or_default();
        let event = described(tell, &cause);
        detail
            .into_iter()
            .fold(event, |event, detail| event.with("DETAIL", detail))
    }

    /// What a field says.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(field, _)| *field == name);
        found.map(|(_, value)| value.as_str())
    }

    fn node(id: &'static str, level: Level, text: impl Into<String>) -> Self {
        let fields = vec![("MESSAGE_ID", id.to_owned())];
        Self {
            id,
            level,
            text: text.into(),
            fields,
            repeats: false,
        }
    }

    fn cluster(id: &'static str, level: Level, cluster: &ClusterName, text: &str) -> Self {
        let text = format!("cluster {}: {text}", cluster.as_str());
        Self::node(id, level, text).with("CLUSTER", cluster.as_str())
    }

    fn with(mut self, field: &'static str, value: &str) -> Self {
        self.fields.push((field, value.to_owned()));
        self
    }

    fn repeated(self) -> Self {
        Self { repeats: true, ..self }
    }
}

/// What happened, with its cause.
fn described(tell: &Notice, cause: &str) -> Event {
    let node = |id, level, text: &str| Event::node(id, level, format!("{text}{cause}"));
    let of = |cluster, id, level, text: &str| Event::cluster(id, level, cluster, &format!("{text}{cause}"));
    match tell {
        Notice::SessionOpened => node(SESSION_OPENED, Level::Info, "this node has a session in the store"),
        Notice::SessionLost(loss) => lost_session(*loss, cause),
        Notice::NameTaken => {
            let text = "another machine with this node's name is alive: give one of them another name in rcrond.toml";
            node(NAME_TAKEN, Level::Error, text).repeated()
        }
        Notice::StoreSilent => {
            let after = "no cluster stays active here for longer than its lease";
            Event::node(
                STORE_SILENT,
                Level::Warn,
                format!("the store does not answer{cause}; {after}"),
            )
        }
        Notice::StoreBack => node(STORE_BACK, Level::Info, "the store answers again"),
        Notice::NewIncarnation => {
            let text =
                "the store has other data than before (restored, emptied, another server's): leases are waited out";
            node(NEW_INCARNATION, Level::Warn, text)
        }
        Notice::Won { cluster, epoch, from } => won(cluster, *epoch, from.as_ref(), cause),
        Notice::Released(cluster) => of(cluster, RELEASED, Level::Info, "passive here, and given back"),
        Notice::Lost(cluster) => of(
            cluster,
            LOST,
            Level::Warn,
            "lost without having been given back: passive here",
        ),
        Notice::LeaseOver(cluster) => of(
            cluster,
            LEASE_OVER,
            Level::Warn,
            "the lease could not be renewed in time: passive here",
        ),
        Notice::Outrun(cluster) => of(cluster, OUTRUN, Level::Info, "another node was quicker to take over").repeated(),
        Notice::Asked { cluster, holder } => {
            let text = format!("{}, of lower priority, is asked to hand over", holder.as_str());
            of(cluster, ASKED, Level::Info, &text).with("HOLDER", holder.as_str())
        }
        Notice::HandingOver {
            cluster,
            handover_target,
        } => {
            let text = format!("being handed over to {}, of higher priority", handover_target.as_str());
            of(cluster, HANDING_OVER, Level::Info, &text).with("TO", handover_target.as_str())
        }
        Notice::Unwritable(cluster) => {
            let text = "the state file cannot be written, so this node cannot have the cluster";
            of(cluster, UNWRITABLE, Level::Error, text).repeated()
        }
        Notice::NoEpoch(cluster) => {
            let text = "the next epoch cannot be kept on disk, so this node cannot win the cluster";
            of(cluster, NO_EPOCH, Level::Error, text).repeated()
        }
        Notice::Unreadable(cluster) => {
            let text = "its record in the store is of another version of rcron than this node, and is left alone";
            of(cluster, UNREADABLE, Level::Error, text)
        }
    }
}

fn lost_session(loss: Loss, cause: &str) -> Event {
    let (word, why) = match loss {
        Loss::Ended => ("ended", "another node waited until its leases were over, and ended it"),
        Loss::Missing => ("missing", "its record is gone from the store"),
        Loss::Foreign => ("foreign", "its record was written by somebody else"),
        Loss::Incarnation => ("incarnation", "the store has other data now, and its leases were over"),
    };
    let text = format!("this node's session is lost: {why}{cause}; nothing is active here until there is a new one");
    Event::node(SESSION_LOST, Level::Warn, text).with("REASON", word)
}

fn won(cluster: &ClusterName, epoch: u64, from: Option<&NodeName>, cause: &str) -> Event {
    let before = from.map_or_else(|| "nobody known".to_owned(), |from| from.as_str().to_owned());
    let text = format!("won with epoch {epoch}; before it was held by {before}{cause}");
    let event = Event::cluster(WON, Level::Info, cluster, &text).with("EPOCH", &epoch.to_string());
    from.into_iter()
        .fold(event, |event, from| event.with("FROM", from.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CATALOG: &str = include_str!("../../../../../packaging/catalog/rcrond.catalog");

    fn all() -> Vec<Notice> {
        let cluster = ClusterName::new("web");
        let node = NodeName::new("server2").expect("a name");
        let losses = [Loss::Ended, Loss::Missing, Loss::Foreign, Loss::Incarnation];
        let mut all: Vec<_> = losses.into_iter().map(Notice::SessionLost).collect();
        all.extend([
            Notice::SessionOpened,
            Notice::NameTaken,
            Notice::StoreSilent,
            Notice::StoreBack,
            Notice::NewIncarnation,
        ]);
        all.extend([
            Notice::Won {
                cluster: cluster.clone(),
                epoch: 42,
                from: Some(node.clone()),
            },
            Notice::Won {
                cluster: cluster.clone(),
                epoch: 1,
                from: None,
            },
            Notice::Asked {
                cluster: cluster.clone(),
                holder: node.clone(),
            },
            Notice::HandingOver {
                cluster: cluster.clone(),
                handover_target: node,
            },
        ]);
        let of_cluster = [Notice::Released, Notice::Lost, Notice::LeaseOver, Notice::Outrun];
        all.extend(of_cluster.map(|tell| tell(cluster.clone())));
        all.extend([Notice::Unwritable, Notice::NoEpoch, Notice::Unreadable].map(|tell| tell(cluster.clone())));
        all
    }

    #[test]
    fn each_kind_of_event_has_an_id_of_its_own_that_the_catalog_explains() {
        let mut kinds = std::collections::HashMap::new();
        for tell in all() {
            let event = Event::new(&tell, None);
            assert_eq!(event.field("MESSAGE_ID"), Some(event.id));
            let kind = std::mem::discriminant(&tell);
            assert_eq!(*kinds.entry(event.id).or_insert(kind), kind, "{tell:?}");
            let entry = format!("-- {}\nSubject: ", event.id);
            assert_eq!(CATALOG.matches(&entry).count(), 1, "{tell:?}");
        }
        assert_eq!(kinds.len(), CATALOG.matches("\n-- ").count());
    }

    #[test]
    fn what_is_told_of_a_cluster_names_it() {
        let of_cluster = |event: &Event| event.text.starts_with("cluster web: ");
        let events: Vec<_> = all().iter().map(|tell| Event::new(tell, None)).collect();
        assert_eq!(events.iter().filter(|event| of_cluster(event)).count(), 11);
        assert!(
            events
                .iter()
                .all(|event| of_cluster(event) == (event.field("CLUSTER") == Some("web")))
        );
    }

    #[test]
    fn the_cause_is_in_the_text_and_in_a_field() {
        for tell in all() {
            let event = Event::new(&tell, Some("no space left on device"));
            assert!(event.text.contains(": no space left on device"), "{}", event.text);
            assert_eq!(event.field("DETAIL"), Some("no space left on device"));
        }
    }

    #[test]
    fn a_takeover_names_epoch_and_predecessor() {
        let (cluster, from) = (ClusterName::new("web"), NodeName::new("server1"));
        let event = Event::new(
            &Notice::Won {
                cluster,
                epoch: 42,
                from,
            },
            None,
        );
        assert_eq!(
            event.text,
            "cluster web: won with epoch 42; before it was held by server1"
        );
        assert_eq!(
            (event.field("EPOCH"), event.field("FROM")),
            (Some("42"), Some("server1"))
        );
    }
}
