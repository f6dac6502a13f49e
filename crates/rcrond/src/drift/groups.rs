//! Which nodes have which value, and which of them are in the minority.

use control::DriftValue;
use std::collections::BTreeMap;

/// Values of which not all are equal.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Groups {
    /// The value that most nodes have comes first.
    pub(super) values: Vec<DriftValue>,
    /// The nodes that do not have it. Empty if as many nodes have another value: with two nodes, nothing shows which is right.
    pub(super) odd: Vec<String>,
}

/// The nodes by their values; `None` if all values are equal.
pub(super) fn group<'a>(values: impl IntoIterator<Item = (&'a str, String)>) -> Option<Groups> {
    let mut nodes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (node, value) in values {
        nodes.entry(value).or_default().push(node.to_owned());
    }
    let values = nodes.into_iter().map(|(value, nodes)| DriftValue { value, nodes });
    of_values(values.collect())
}

/// The same for nodes that were grouped already.
pub(super) fn of_values(mut values: Vec<DriftValue>) -> Option<Groups> {
    if values.len() < 2 {
        return None;
    }
    for value in &mut values {
        value.nodes.sort();
    }
    values.sort_by(|one, other| {
        let sizes = other.nodes.len().cmp(&one.nodes.len());
        sizes.then_with(|| one.cmp(other))
    });
    let has_majority = values[0].nodes.len() > values[1].nodes.len();
    let others = values.iter().skip(1).filter(|_| has_majority);
    let mut odd: Vec<String> = others.flat_map(|value| value.nodes.iter().cloned()).collect();
    odd.sort();
    Some(Groups { values, odd })
}
