//! The names of all nodes that have published something in the store. Without this list, `rcronctl status` would have to search all
//! keys of the store for those of the nodes, and a Redis may have millions that belong to other programs.

use super::codec;
use lease::NodeName;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use store::{Connection, Error};

/// The version of the record's format. From this one on, later versions of rcrond read the record, and ignore fields that they
/// do not know.
pub(super) const FORMAT: u32 = 1;

/// The record, in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct NodeList {
    format: u32,
    nodes: BTreeSet<String>,
}

impl NodeList {
    const fn empty() -> Self {
        Self {
            format: FORMAT,
            nodes: BTreeSet::new(),
        }
    }

    /// Reads the list from the store.
    pub(super) async fn read(connection: &mut dyn Connection) -> Result<Self, Error> {
        let found = connection
            .read(&[codec::NODE_LIST.to_owned()])
            .await?
            .items
            .pop()
            .flatten();
        Ok(Self::parse(&found.map(|item| item.value).unwrap_or_default()))
    }

    /// Reads a record. What is not one counts as an empty list, and the next node that starts replaces it.
    pub(super) fn parse(record: &[u8]) -> Self {
        let list = serde_json::from_slice(record).ok();
        let mut list = list
            .filter(|list: &Self| list.format <= FORMAT)
            .unwrap_or(Self::empty());
        list.nodes.retain(|node| NodeName::new(node).is_some());
        list
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.nodes.iter().map(String::as_str)
    }

    /// The record with this node; `None` if the list has it already. If the record would be longer than `longest`, the list begins
    /// anew: each node that still runs adds itself again.
    pub(super) fn with(mut self, node: &str, longest: usize) -> Option<Vec<u8>> {
        if !self.nodes.insert(node.to_owned()) {
            return None;
        }
        let encode = |list: &Self| serde_json::to_vec(list).ok().filter(|record| record.len() <= longest);
        encode(&self).or_else(|| {
            self.nodes = BTreeSet::from([node.to_owned()]);
            encode(&self)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn added(record: &[u8], node: &str, longest: usize) -> String {
        let record = NodeList::parse(record).with(node, longest).expect("new");
        String::from_utf8(record).expect("JSON")
    }

    #[test]
    fn a_node_is_added_once() {
        let one = added(b"", "n1", 100);
        assert_eq!(one, r#"{"format":1,"nodes":["n1"]}"#);
        let two = added(one.as_bytes(), "n2", 100);
        assert_eq!(two, r#"{"format":1,"nodes":["n1","n2"]}"#);
        assert_eq!(NodeList::parse(two.as_bytes()).with("n1", 100), None);
    }

    #[test]
    fn junk_counts_as_an_empty_list_and_names_that_no_node_can_have_are_left_out() {
        for junk in [&b"\xff"[..], b"[]", br#"{"format":2,"nodes":["n1"]}"#] {
            assert_eq!(NodeList::parse(junk), NodeList::empty());
        }
        let list = NodeList::parse(br#"{"format":1,"nodes":["n1","a b","","\u001b[2J"],"more":1}"#);
        assert_eq!(list.names().collect::<Vec<_>>(), ["n1"]);
    }

    #[test]
    fn a_list_that_is_full_begins_anew() {
        let full = added(added(b"", "n1", 32).as_bytes(), "n2", 32);
        assert_eq!(added(full.as_bytes(), "n3", 32), r#"{"format":1,"nodes":["n3"]}"#);
    }
}
