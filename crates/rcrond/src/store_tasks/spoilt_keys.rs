//! Reports keys in the store that hold something other than a record. Such a key affects only its own node or cluster, but an
//! administrator must know of it.

use super::codec;
use lease::{Key, Reading};
use policy::display::escaped;
use policy::moment::BootTime;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use store::Store;

/// Between two messages about the same key, if it is spoilt again and again.
const PAUSE: Duration = Duration::from_secs(300);

/// What was reported.
#[derive(Debug, Default)]
pub(super) struct SpoiltKeys {
    /// Those of the last read.
    current: BTreeSet<String>,
    logged: BTreeMap<String, BootTime>,
}

impl SpoiltKeys {
    /// Returns a message for each key of this reading that has become spoilt.
    pub(super) fn update(&mut self, store: &dyn Store, keys: &[Key], reading: &Reading, now: BootTime) -> Vec<String> {
        let found = keys.iter().zip(&reading.records);
        let spoilt = found.filter(|(_, found)| found.as_ref().is_some_and(|found| found.record.is_none()));
        let spoilt: BTreeMap<_, _> = spoilt.map(|(key, _)| (codec::key(key), key)).collect();
        self.logged
            .retain(|key, at| spoilt.contains_key(key) || now.since(*at) < PAUSE);
        let mut messages = Vec::new();
        for (name, key) in &spoilt {
            if !self.current.contains(name) && !self.logged.contains_key(name) {
                self.logged.insert(name.clone(), now);
                messages.push(message(&store.full_key(name), key));
            }
        }
        self.current = spoilt.into_keys().collect();
        messages
    }
}

fn message(name: &str, key: &Key) -> String {
    let name = escaped(name);
    match key {
        Key::Session(node) => format!(
            "the key {name} in the store holds no record of rcron: node {} cannot be active until it has replaced it, which \
             it does when the key has not changed for a whole lease; if the key is spoilt again, find the program that writes it",
            node.as_str()
        ),
        Key::Cluster(cluster) => format!(
            "the key {name} in the store holds no record that this version of rcrond can read: no node takes over cluster {}; \
             delete the key, unless a later version of rcrond has written it",
            escaped(cluster.as_str())
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lease::{ClusterName, Found, Version};
    use store::memory::Memory;

    fn reading(is_spoilt: bool) -> Reading {
        let found = Found {
            version: Version(1),
            record: None,
        };
        Reading {
            incarnation: None,
            revision: None,
            records: vec![is_spoilt.then_some(found)],
        }
    }

    #[test]
    fn a_key_is_reported_once_with_its_name_and_again_only_after_a_pause() {
        let (mut spoilt_keys, store) = (SpoiltKeys::default(), Memory::default());
        let keys = [Key::Cluster(ClusterName::new("a\u{202e}b"))];
        let mut update = |is_spoilt, seconds| {
            let now = BootTime(Duration::from_secs(seconds));
            spoilt_keys.update(&store, &keys, &reading(is_spoilt), now)
        };
        assert_eq!(update(false, 0), [""; 0]);
        let first = update(true, 1);
        assert!(
            first[0].contains("cluster/a\\xe2\\x80\\xaeb") && first[0].contains("delete the key"),
            "{first:?}"
        );
        assert_eq!(update(true, 1000), [""; 0], "it was spoilt all the time");
        assert_eq!(update(false, 1001), [""; 0]);
        assert_eq!(update(true, 1002), first);
        assert_eq!(update(false, 1003), [""; 0]);
        assert_eq!(update(true, 1004), [""; 0], "again, but too soon");
    }
}
