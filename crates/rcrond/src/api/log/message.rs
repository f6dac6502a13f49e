//! The lease machine's notices as messages for administrators.

use crate::store_tasks::codec;
use lease::{ClusterName, Loss, NodeName, Notice};
use log::Level;

// Administrators search for these with `journalctl MESSAGE_ID=`, so they never change. packaging/catalog/rcrond.catalog
// explains each.
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
const EPOCH_TOO_LARGE: &str = "66ebf5d9a9b44f78883b554c746ea7f5";
const EPOCHS_USED_UP: &str = "296e350bf2304e14b3ea08d0d6168e66";
const SESSION_UNREADABLE: &str = "d4b45ea041ff4d5ebb19ca4aa28c1df3";
const TAKEOVER_REFUSED: &str = "c1a2d8706b164bba9b9b564aa6ec5a88";

/// A holder may be active for a lease after its record was spoilt.
const DELETE_RECORD: &str = "wait for one lease, then delete the record, unless another version of rcron writes it";

/// A message for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    /// The kind of message: 32 hexadecimal digits.
    pub(super) id: &'static str,
    pub(super) level: Level,
    pub(super) text: String,
    /// journald's fields, including `MESSAGE_ID`.
    pub(super) fields: Vec<(&'static str, String)>,
    /// Whether the machine reports it at each attempt while the fault lasts.
    pub(super) repeats: bool,
}

impl Message {
    /// `detail` is the cause, if it is known. `full_key` gives a record's key as the store's own tools show it.
    pub(super) fn new(notice: &Notice, detail: Option<&str>, full_key: &dyn Fn(&str) -> String) -> Self {
        let cause = detail.map(|detail| format!(": {detail}")).unwrap_or_default();
        describe(notice, &cause, full_key).with_optional("DETAIL", detail)
    }

    /// Another cause of an outage.
    pub(super) fn store_still_silent(cause: &str) -> Self {
        let text = format!("the store still does not answer: {cause}");
        Self::about_node(STORE_SILENT, Level::Warn, text).with("DETAIL", cause)
    }

    /// The value of a field.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(field, _)| *field == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(super) fn about_node(id: &'static str, level: Level, text: impl Into<String>) -> Self {
        let fields = vec![("MESSAGE_ID", id.to_owned())];
        Self {
            id,
            level,
            text: text.into(),
            fields,
            repeats: false,
        }
    }

    pub(super) fn about_cluster(id: &'static str, level: Level, cluster: &ClusterName, text: &str) -> Self {
        let text = format!("cluster {}: {text}", cluster.as_str());
        Self::about_node(id, level, text).with("CLUSTER", cluster.as_str())
    }

    pub(super) fn with(mut self, field: &'static str, value: &str) -> Self {
        self.fields.push((field, value.to_owned()));
        self
    }

    fn with_optional(self, field: &'static str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with(field, value),
            None => self,
        }
    }

    pub(super) fn repeated(self) -> Self {
        Self { repeats: true, ..self }
    }
}

/// `cause` begins with a colon, or is empty.
fn describe(notice: &Notice, cause: &str, full_key: &dyn Fn(&str) -> String) -> Message {
    let node = |id, level, text: &str| Message::about_node(id, level, format!("{text}{cause}"));
    let of = |cluster, id, level, text: &str| Message::about_cluster(id, level, cluster, &format!("{text}{cause}"));
    match notice {
        Notice::SessionOpened => node(SESSION_OPENED, Level::Info, "this node has a session in the store"),
        Notice::SessionLost(loss) => lost_session(*loss, cause),
        Notice::NameTaken => {
            let text = "another running machine has this node's name: give one of them another name in rcrond.toml";
            node(NAME_TAKEN, Level::Error, text).repeated()
        }
        Notice::StoreSilent => {
            let effect = "no cluster stays active here for longer than its lease";
            Message::about_node(
                STORE_SILENT,
                Level::Warn,
                format!("the store does not answer{cause}; {effect}"),
            )
        }
        Notice::StoreBack => node(STORE_BACK, Level::Info, "the store answers again"),
        Notice::NewIncarnation => {
            let text = "the store has other data than before (restored, emptied, or of another server): this node waits until all leases have expired";
            node(NEW_INCARNATION, Level::Warn, text)
        }
        Notice::Won { cluster, epoch, from } => won(cluster, *epoch, from.as_ref(), cause),
        Notice::Released(cluster) => of(cluster, RELEASED, Level::Info, "released; passive here"),
        Notice::Lost(cluster) => of(
            cluster,
            LOST,
            Level::Warn,
            "lost without having been released; passive here",
        ),
        Notice::LeaseOver(cluster) => of(
            cluster,
            LEASE_OVER,
            Level::Warn,
            "the lease was not renewed in time; passive here",
        ),
        Notice::Outrun(cluster) => of(cluster, OUTRUN, Level::Info, "another node has taken over first").repeated(),
        Notice::Asked { cluster, holder } => {
            let text = format!("asking {} to hand over, because its priority is lower", holder.as_str());
            of(cluster, ASKED, Level::Info, &text).with("HOLDER", holder.as_str())
        }
        Notice::HandingOver {
            cluster,
            handover_target,
        } => {
            let text = format!(
                "handing over to {}, because its priority is higher",
                handover_target.as_str()
            );
            of(cluster, HANDING_OVER, Level::Info, &text).with("TO", handover_target.as_str())
        }
        Notice::Unwritable(cluster) => {
            let text = "the state file cannot be written, so this node cannot hold the cluster";
            of(cluster, UNWRITABLE, Level::Error, text).repeated()
        }
        Notice::NoEpoch(cluster) => {
            let text = "the next epoch cannot be written to disk, so this node cannot win the cluster";
            of(cluster, NO_EPOCH, Level::Error, text).repeated()
        }
        Notice::Unreadable(cluster) => {
            let key = full_key(&codec::cluster(cluster.as_str()));
            let text = format!(
                "its record in the store, {key}, was written by another version of rcron or another program: this node leaves it \
                 unchanged and cannot hold the cluster; {DELETE_RECORD}"
            );
            of(cluster, UNREADABLE, Level::Error, &text).repeated()
        }
        Notice::EpochTooLarge { cluster, epoch } => {
            let key = full_key(&codec::cluster(cluster.as_str()));
            let text = format!(
                "its record in the store, {key}, has an impossible epoch, {epoch}: no node changes the record or holds the cluster; \
                 {DELETE_RECORD}"
            );
            of(cluster, EPOCH_TOO_LARGE, Level::Error, &text)
                .with("EPOCH", &epoch.to_string())
                .repeated()
        }
        Notice::EpochsUsedUp { cluster, epoch } => {
            let text = format!(
                "this node cannot win the cluster, because no epoch is greater than {epoch}, which it has seen or saved: stop rcrond on \
                 all nodes, and correct the epoch in the store and in clusters.json of each node"
            );
            of(cluster, EPOCHS_USED_UP, Level::Error, &text).with("EPOCH", &epoch.to_string())
        }
        Notice::SessionUnreadable(of) => {
            let key = full_key(&codec::session(of.as_str()));
            let text = format!(
                "another program or another version of rcron wrote the record {key}: this node changes it only after it has stayed the \
                 same for one lease{cause}; delete it if no other program should write it"
            );
            Message::about_node(SESSION_UNREADABLE, Level::Warn, text).with("SESSION", of.as_str())
        }
        Notice::TakeoverRefused(cluster) => {
            let text = "the store refuses the takeover although no other node has changed a record: look for keys in the store that \
                        rcrond has not written, and delete them";
            of(cluster, TAKEOVER_REFUSED, Level::Error, text).repeated()
        }
    }
}

fn lost_session(loss: Loss, cause: &str) -> Message {
    let (word, why) = match loss {
        Loss::Ended => ("ended", "another node has ended it after all its leases had expired"),
        Loss::Missing => ("missing", "its record is missing from the store"),
        Loss::Foreign => ("foreign", "another program or another rcrond has written its record"),
        Loss::Incarnation => (
            "incarnation",
            "the store's data was replaced, and this node's leases had expired",
        ),
        Loss::Expired => (
            "expired",
            "it has shared a cluster, and the lease expired while rcrond was not running",
        ),
    };
    let text = format!("this node's session is lost: {why}{cause}; nothing is active here until a new session is open");
    Message::about_node(SESSION_LOST, Level::Warn, text).with("REASON", word)
}

fn won(cluster: &ClusterName, epoch: u64, from: Option<&NodeName>, cause: &str) -> Message {
    let from = from.map(NodeName::as_str);
    let previous = from.unwrap_or("not known");
    let text = format!("taken over with epoch {epoch}; previous holder: {previous}{cause}");
    Message::about_cluster(WON, Level::Info, cluster, &text)
        .with("EPOCH", &epoch.to_string())
        .with_optional("FROM", from)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CATALOG: &str = include_str!("../../../../../packaging/catalog/rcrond.catalog");

    fn all_notices() -> Vec<Notice> {
        let cluster = ClusterName::new("web");
        let node = NodeName::new("server2").expect("a name");
        let losses = [
            Loss::Ended,
            Loss::Missing,
            Loss::Foreign,
            Loss::Incarnation,
            Loss::Expired,
        ];
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
        all.extend(of_cluster.map(|notice| notice(cluster.clone())));
        all.extend([Notice::Unwritable, Notice::NoEpoch, Notice::Unreadable].map(|notice| notice(cluster.clone())));
        let epoch = u64::MAX;
        all.extend([
            Notice::SessionUnreadable(NodeName::new("server2").expect("a name")),
            Notice::TakeoverRefused(cluster.clone()),
            Notice::EpochsUsedUp {
                cluster: cluster.clone(),
                epoch,
            },
            Notice::EpochTooLarge { cluster, epoch },
        ]);
        all
    }

    #[test]
    fn each_kind_has_an_id_of_its_own_that_the_catalog_explains() {
        let mut kinds = std::collections::HashMap::new();
        for notice in all_notices() {
            let message = Message::new(&notice, None, &str::to_owned);
            assert_eq!(message.field("MESSAGE_ID"), Some(message.id));
            let kind = std::mem::discriminant(&notice);
            assert_eq!(*kinds.entry(message.id).or_insert(kind), kind, "{notice:?}");
            let entry = format!("-- {}\nSubject: ", message.id);
            assert_eq!(CATALOG.matches(&entry).count(), 1, "{notice:?}");
        }
        let mut ids = std::collections::HashSet::new();
        for notice in super::super::claims_message::tests::all_notices() {
            let message = Message::about_ticks(&notice, &str::to_owned);
            assert_eq!(message.field("MESSAGE_ID"), Some(message.id));
            let entry = format!("-- {}\nSubject: ", message.id);
            assert_eq!(CATALOG.matches(&entry).count(), 1, "{notice:?}");
            ids.insert(message.id);
        }
        assert!(kinds.keys().all(|id| !ids.contains(id)));
        assert_eq!(kinds.len() + ids.len(), CATALOG.matches("\n-- ").count());
    }

    #[test]
    fn a_message_about_a_cluster_names_it() {
        let of_cluster = |message: &Message| message.text.starts_with("cluster web: ");
        let messages: Vec<_> = all_notices()
            .iter()
            .map(|notice| Message::new(notice, None, &str::to_owned))
            .collect();
        assert_eq!(messages.iter().filter(|message| of_cluster(message)).count(), 14);
        assert!(
            messages
                .iter()
                .all(|message| of_cluster(message) == (message.field("CLUSTER") == Some("web")))
        );
    }

    #[test]
    fn the_cause_is_in_the_text_and_in_a_field() {
        for notice in all_notices() {
            let message = Message::new(&notice, Some("no space left on device"), &str::to_owned);
            assert!(message.text.contains(": no space left on device"), "{}", message.text);
            assert_eq!(message.field("DETAIL"), Some("no space left on device"));
        }
    }

    #[test]
    fn a_spoilt_record_is_named_by_its_key() {
        let text = |notice: &Notice| Message::new(notice, None, &str::to_owned).text;
        let cluster = ClusterName::new("web");
        let unreadable = text(&Notice::Unreadable(cluster.clone()));
        assert!(unreadable.contains(" cluster/web, "), "{unreadable}");
        let epoch = text(&Notice::EpochTooLarge {
            cluster,
            epoch: u64::MAX,
        });
        assert!(
            epoch.contains(" cluster/web, has an impossible epoch, 18446744073709551615: "),
            "{epoch}"
        );
        let session = text(&Notice::SessionUnreadable(NodeName::new("server2").expect("a name")));
        assert!(session.contains(" session/server2: "), "{session}");
    }

    #[test]
    fn a_takeover_names_the_epoch_and_the_previous_holder() {
        let (cluster, from) = (ClusterName::new("web"), NodeName::new("server1"));
        let message = Message::new(
            &Notice::Won {
                cluster,
                epoch: 42,
                from,
            },
            None,
            &str::to_owned,
        );
        assert_eq!(
            message.text,
            "cluster web: taken over with epoch 42; previous holder: server1"
        );
        assert_eq!(
            (message.field("EPOCH"), message.field("FROM")),
            (Some("42"), Some("server1"))
        );
    }
}
